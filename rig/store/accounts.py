"""Who may come in: people and their tokens, as rows. Knows no password, only what is made of one.

A token is kept as its SHA-256: whoever reads the database cannot use it. Every change has a line in
the journal, with who made it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, update

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.store import tables
from rig.store.database import translated


@dataclass(frozen=True, slots=True)
class User:
    """A person; ``role`` is one of rig.core.roles.Role. Times are UTC microseconds."""

    name: str
    role: str
    password_hash: str
    created_us: int
    changed_us: int


@dataclass(frozen=True, slots=True)
class Token:
    """A program's way in, in a person's name, with a role of its own; it ends with its person."""

    token_id: str
    name: str
    user_name: str
    role: str
    created_us: int
    expires_us: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes an account or a record, when (UTC microseconds), why, and of which run if of one."""

    who: str
    wall_us: int
    reason: str = ""
    run_id: str = ""


# --- people --------------------------------------------------------------------------------------


def users(engine: Engine) -> list[User]:
    """Return everybody, by name."""
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(select(tables.user).order_by(tables.user.c.name))
        return [User(**row) for row in rows.mappings()]


def find_user(engine: Engine, name: str) -> User | None:
    """Return the person of this name, or None."""
    statement = select(tables.user).where(tables.user.c.name == name)
    with translated(engine), engine.connect() as connection:
        row = connection.execute(statement).mappings().first()
    return None if row is None else User(**row)


def has_users(engine: Engine) -> bool:
    """Say whether anybody has an account: from then on nobody comes in without."""
    with translated(engine), engine.connect() as connection:
        return connection.execute(select(tables.user.c.name).limit(1)).first() is not None


def add_user(engine: Engine, user: User, change: Change) -> None:
    """Add a person; raises BadInput where the name is taken."""
    with translated(engine), engine.begin() as connection:
        _require_free(connection, user.name)
        connection.execute(
            insert(tables.user).values(
                name=user.name,
                role=user.role,
                password_hash=user.password_hash,
                created_us=user.created_us,
                changed_us=user.changed_us,
            )
        )
        write_line(connection, change, "user add", user.name, f"role {user.role}")


def set_password(engine: Engine, name: str, password_hash: str, change: Change) -> None:
    """Give a person another password; sessions that began before end. Raises BadInput for nobody."""
    values = {"password_hash": password_hash, "changed_us": change.wall_us}
    statement = update(tables.user).where(tables.user.c.name == name).values(**values)
    with translated(engine), engine.begin() as connection:
        if connection.execute(statement).rowcount != 1:
            raise _nobody(connection, name)
        write_line(connection, change, "user password", name, "changed")


def remove_user(engine: Engine, name: str, change: Change) -> None:
    """Remove a person with all tokens; raises BadInput for nobody, and for the last admin of several."""
    with translated(engine), engine.begin() as connection:
        _require_admin_left(connection, name)
        connection.execute(delete(tables.token).where(tables.token.c.user_name == name))
        if connection.execute(delete(tables.user).where(tables.user.c.name == name)).rowcount != 1:
            raise _nobody(connection, name)
        write_line(connection, change, "user remove", name, "removed with all tokens")


def _require_free(connection: Connection, name: str) -> None:
    taken = connection.execute(select(tables.user.c.name).where(tables.user.c.name == name))
    if taken.first() is not None:
        message = "has an account already"
        raise BadInput(
            Problem(f"user {name!r}", message), remedy="change it with: rig users password"
        )


def _require_admin_left(connection: Connection, name: str) -> None:
    """Somebody who can add people must stay; only the very last account may go, and opens the house."""
    roles = {row.name: row.role for row in connection.execute(select(tables.user))}
    admins = [other for other, role in roles.items() if role == "admin"]
    if admins == [name] and len(roles) > 1:
        message = "is the only admin, and others would be left without one"
        raise BadInput(Problem(f"user {name!r}", message), remedy="make somebody else admin first")


def _nobody(connection: Connection, name: str) -> BadInput:
    names = [row.name for row in connection.execute(select(tables.user.c.name))]
    message = f"has no account; there are: {', '.join(names) or 'none'}"
    problem = Problem(f"user {name!r}", message, suggestion=did_you_mean(name, names))
    return BadInput(problem, remedy="list them with: rig users list")


# --- tokens --------------------------------------------------------------------------------------


def fingerprint(secret: str) -> str:
    """Return what is kept of a token. It has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def tokens(engine: Engine) -> list[Token]:
    """Return every token, oldest first; none of the secrets is known here."""
    with translated(engine), engine.connect() as connection:
        return [Token(**row) for row in connection.execute(_tokens()).mappings()]


def find_token(engine: Engine, secret: str) -> tuple[Token, User] | None:
    """Return a token and its person, or None; whether it has expired is the caller's to see."""
    wanted = tables.token.c.secret_sha256 == fingerprint(secret)
    with translated(engine), engine.connect() as connection:
        row = connection.execute(_tokens().where(wanted)).mappings().first()
        if row is None:
            return None
        of_user = select(tables.user).where(tables.user.c.name == row["user_name"])
        person = connection.execute(of_user).mappings().one()
    return Token(**row), User(**person)


def add_token(engine: Engine, token: Token, secret: str, change: Change) -> None:
    """Keep a new token's fingerprint; raises BadInput where its person has no account."""
    with translated(engine), engine.begin() as connection:
        wanted = select(tables.user.c.name).where(tables.user.c.name == token.user_name)
        if connection.execute(wanted).first() is None:
            raise _nobody(connection, token.user_name)
        connection.execute(
            insert(tables.token).values(
                token_id=token.token_id,
                name=token.name,
                user_name=token.user_name,
                role=token.role,
                created_us=token.created_us,
                expires_us=token.expires_us,
                secret_sha256=fingerprint(secret),
            )
        )
        words = f"{token.name} of {token.user_name}, role {token.role}"
        write_line(connection, change, "token add", token.token_id, words)


def remove_token(engine: Engine, token_id: str, change: Change) -> None:
    """Remove a token; raises BadInput where there is none of this id."""
    with translated(engine), engine.begin() as connection:
        gone = delete(tables.token).where(tables.token.c.token_id == token_id)
        if connection.execute(gone).rowcount != 1:
            count = connection.execute(select(func.count()).select_from(tables.token)).scalar_one()
            problem = Problem(f"token {token_id!r}", f"is none of the {count} tokens")
            raise BadInput(problem, remedy="list them with: rig tokens list")
        write_line(connection, change, "token remove", token_id, "removed")


def _tokens() -> Select[tuple[object, ...]]:
    table = tables.token
    names = ("token_id", "name", "user_name", "role", "created_us", "expires_us")
    return select(*(table.c[name] for name in names)).order_by(table.c.created_us)


def write_line(
    connection: Connection, change: Change, verb: str, argument: str, words: str
) -> None:
    """Write a line of the journal for what is done at once: no engine is asked."""
    line = {
        "run_id": change.run_id,
        "ts_us": change.wall_us,
        "verb": verb,
        "argument": argument,
        "who": change.who,
        "reason": change.reason,
        "outcome": "done",
        "answer": words,
        "answered_us": change.wall_us,
    }
    connection.execute(insert(tables.journal).values(**line))
