"""``rig users`` and ``rig tokens``: who may come in to the page and the REST API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.cli.steering import who
from rig.core.errors import BadInput, Problem
from rig.core.roles import Role

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.store.accounts import Change, Token

people = typer.Typer(help="Accounts: add, list, remove, password.", no_args_is_help=True)
keys = typer.Typer(help="Tokens for programs: add, list, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Letters, digits and . @ + - _")]
Observe = Annotated[
    bool, typer.Option("--observe", help="Of a server's own page: rig serve --observe.")
]


@contextmanager
def _opened(db: str | None, *, observe: bool, create: bool = False) -> Iterator[Engine]:
    """Accounts are kept where the page's runs are: in the file, or this computer's journal of a server."""
    from rig.store.database import database_url, open_database
    from rig.store.journal import open_store

    url = database_url(db)
    engine = open_database(url, create=False) if observe else open_store(url, create=create)
    try:
        yield engine
    finally:
        engine.dispose()


def _change() -> Change:
    from rig.core.clock import RealClock
    from rig.store.accounts import Change

    return Change(who(), RealClock().wall_us())


@people.command("add")
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer, operator or admin.")] = Role.VIEWER,
    db: Database = None,
    observe: Observe = False,
    json: Json = False,
) -> int:
    """Give somebody an account; asks for the password, or reads it from a pipe."""
    from rig.store.accounts import User
    from rig.store.accounts import add_user as keep
    from rig.web.passwords import hash_password

    _require_name(name)
    kept = hash_password(_password())
    with _opened(db, observe=observe, create=True) as engine:
        change = _change()
        keep(engine, User(name, role.value, kept, change.wall_us, change.wall_us), change)
    _told({"name": name, "role": role.value}, f"{name} may come in as {role.value}", json=json)
    return 0


@people.command("list")
def list_users(db: Database = None, observe: Observe = False, json: Json = False) -> int:
    """List everybody who has an account."""
    from rig.store.accounts import users

    with _opened(db, observe=observe) as engine:
        found = users(engine)
    if json:
        print_json({"users": [{"name": user.name, "role": user.role} for user in found]})
        return 0
    for user in found:
        typer.echo(f"{user.role:<8}  {user.name}")
    if not found:
        typer.echo("nobody: rig serve is open as operator to everybody on this computer")
    return 0


@people.command("password")
def set_password(
    name: Name, db: Database = None, observe: Observe = False, json: Json = False
) -> int:
    """Give somebody another password; whoever is signed in under that name has to do so again."""
    from rig.store.accounts import set_password as keep
    from rig.web.passwords import hash_password

    with _opened(db, observe=observe) as engine:
        keep(engine, name, hash_password(_password()), _change())
    _told({"name": name}, f"{name} has another password", json=json)
    return 0


@people.command("remove")
def remove_user(
    name: Name, db: Database = None, observe: Observe = False, json: Json = False
) -> int:
    """Take somebody's account away, with all tokens."""
    from rig.store.accounts import remove_user as remove

    with _opened(db, observe=observe) as engine:
        remove(engine, name, _change())
    _told({"removed": name}, f"{name} has no account any more", json=json)
    return 0


@keys.command("add")
def add_token(
    name: Name,
    user: Annotated[str, typer.Option(help="Whose token: it ends with this account.")],
    role: Annotated[Role, typer.Option(help="At most this; never more than its user.")] = (
        Role.VIEWER
    ),
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Ends after so many days.")
    ] = None,
    db: Database = None,
    observe: Observe = False,
    json: Json = False,
) -> int:
    """Make a token for a program, and print its secret: once, and never again."""
    from rig.store.accounts import add_token as keep
    from rig.web.passwords import new_token, token_of

    _require_name(name)
    with _opened(db, observe=observe) as engine:
        change, secret = _change(), new_token()
        token = token_of(change.wall_us, name, user, role, days)
        keep(engine, token, secret, change)
    if json:
        print_json(_plain(token) | {"secret": secret})
        return 0
    typer.echo(secret)
    typer.echo("keep it: it is not shown again. Authorization: Bearer rig_...", err=True)
    return 0


@keys.command("list")
def list_tokens(db: Database = None, observe: Observe = False, json: Json = False) -> int:
    """List every token, without its secret."""
    from rig.store.accounts import tokens

    with _opened(db, observe=observe) as engine:
        found = tokens(engine)
    if json:
        print_json({"tokens": [_plain(token) for token in found]})
        return 0
    for token in found:
        typer.echo(f"{token.token_id}  {token.role:<8}  {token.user_name}  {token.name}")
    return 0


@keys.command("remove")
def remove_token(
    token_id: Annotated[str, typer.Argument(help="Its id in rig tokens list.")],
    db: Database = None,
    observe: Observe = False,
    json: Json = False,
) -> int:
    """End a token."""
    from rig.store.accounts import remove_token as remove

    with _opened(db, observe=observe) as engine:
        remove(engine, token_id, _change())
    _told({"removed": token_id}, f"token {token_id} is no more", json=json)
    return 0


def _password() -> str:
    """Ask twice at a terminal; of a pipe take the first line. It never stands on a command line."""
    if sys.stdin.isatty():
        return str(typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def _require_name(name: str) -> None:
    if not name or not all(letter.isalnum() or letter in ".@+-_" for letter in name):
        raise BadInput(
            Problem("name", f"got {name!r}, expected letters, digits, . @ + - _", "maria")
        )


def _told(plain: dict[str, str], words: str, *, json: bool) -> None:
    if json:
        print_json(plain)
    else:
        typer.echo(words)


def _plain(token: Token) -> dict[str, object]:
    return {
        "token_id": token.token_id,
        "name": token.name,
        "user": token.user_name,
        "role": token.role,
        "expires_us": token.expires_us,
    }
