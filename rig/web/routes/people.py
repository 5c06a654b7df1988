"""Signing in and out, who one is, and, for admins, who may come in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from rig.core.roles import Role
from rig.store import accounts
from rig.store.accounts import Change, Token, User
from rig.web.access import COOKIE, Admin, TheHouse, Viewer, Visitor
from rig.web.house import House
from rig.web.passwords import hash_password, is_password, new_token, token_of
from rig.web.problems import Refusal
from rig.web.sessions import LONGEST_SECOND

router = APIRouter(tags=["people"])

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.@+-]+$")]
PathName = Annotated[str, Path(max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignInBody(_Body):
    """A name and its password."""

    name: Annotated[str, StringConstraints(max_length=100)]
    password: SecretStr


class UserBody(SignInBody):
    """A new person."""

    name: Name
    role: Role


class PasswordBody(_Body):
    password: SecretStr


class TokenBody(_Body):
    """A new token, for a person; without ``days`` it does not expire."""

    name: Name
    user: Name
    role: Role = Role.VIEWER
    days: Annotated[int | None, Field(ge=1, le=36_500)] = None


@router.post("/sign-in")
def sign_in(
    house: TheHouse, request: Request, response: Response, body: SignInBody
) -> dict[str, Any]:
    """Begin a session: sets a cookie, and tells the CSRF value that writes have to carry."""
    address = request.client.host if request.client else ""
    now = house.clock.now()
    wait = house.gate.wait_second(body.name, address, now)
    if wait > 0:
        headers = {"Retry-After": f"{int(wait) + 1}"}
        raise Refusal(429, f"too many tries; again in {int(wait) + 1} s", headers=headers)
    user = accounts.find_user(house.store, body.name) if "\0" not in body.name else None
    kept = None if user is None else user.password_hash
    if not is_password(body.password.get_secret_value(), kept) or user is None:
        house.gate.failed(body.name, address, now)
        raise Refusal(401, "no such name, or another password")
    house.gate.succeeded(body.name, address)
    cookie, session = house.sessions.begin(user.name, now, house.clock.wall_us())
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(LONGEST_SECOND),
        httponly=True,
        samesite="strict",
        secure=house.address.encrypted,
    )
    return {"name": user.name, "role": user.role, "csrf": session.csrf}


@router.post("/sign-out")
def sign_out(house: TheHouse, _: Viewer, request: Request, response: Response) -> dict[str, Any]:
    """End this session."""
    house.sessions.end(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE)
    return {"signed_out": True}


@router.get("/me")
def me(house: TheHouse, visitor: Viewer) -> dict[str, Any]:
    """Who one is here, and the CSRF value of the session; `open`: nobody needs an account.

    `steers`: orders from here reach the runs that are shown.
    """
    return {
        "name": visitor.name,
        "role": visitor.role.value,
        "csrf": visitor.csrf or None,
        "open": house.is_open(),
        "steers": not house.is_central,
    }


@router.get("/users")
def users(house: TheHouse, _: Admin) -> dict[str, Any]:
    """Everybody who has an account."""
    people = accounts.users(house.store)
    return {"users": [{"name": p.name, "role": p.role, "created_us": p.created_us} for p in people]}


@router.post("/users", status_code=201)
def add_user(house: TheHouse, visitor: Admin, body: UserBody) -> dict[str, Any]:
    """Give somebody an account."""
    now_us = house.clock.wall_us()
    kept = hash_password(body.password.get_secret_value())
    user = User(body.name, body.role.value, kept, now_us, now_us)
    accounts.add_user(house.store, user, _change(house, visitor))
    return {"name": user.name, "role": user.role}


@router.put("/users/{name}/password")
def set_password(
    house: TheHouse, visitor: Admin, name: PathName, body: PasswordBody
) -> dict[str, Any]:
    """Give somebody another password; their sessions end."""
    kept = hash_password(body.password.get_secret_value())
    accounts.set_password(house.store, _existing(house, name), kept, _change(house, visitor))
    return {"name": name}


@router.delete("/users/{name}")
def remove_user(house: TheHouse, visitor: Admin, name: PathName) -> dict[str, Any]:
    """Take somebody's account away, with all tokens."""
    accounts.remove_user(house.store, _existing(house, name), _change(house, visitor))
    return {"removed": name}


@router.get("/tokens")
def tokens(house: TheHouse, _: Admin) -> dict[str, Any]:
    """Every token; the secrets are known to nobody but their owners."""
    return {"tokens": [_plain(token) for token in accounts.tokens(house.store)]}


@router.post("/tokens", status_code=201)
def add_token(house: TheHouse, visitor: Admin, body: TokenBody) -> dict[str, Any]:
    """Make a token for somebody; its secret is told here once and never again."""
    token = token_of(house.clock.wall_us(), body.name, body.user, body.role, body.days)
    secret = new_token()
    accounts.add_token(house.store, token, secret, _change(house, visitor))
    return _plain(token) | {"secret": secret}


@router.delete("/tokens/{token_id}")
def remove_token(house: TheHouse, visitor: Admin, token_id: PathName) -> dict[str, Any]:
    """End a token."""
    if not any(token.token_id == token_id for token in accounts.tokens(house.store)):
        raise Refusal(404, f"token {token_id!r}: there is none of this id")
    accounts.remove_token(house.store, token_id, _change(house, visitor))
    return {"removed": token_id}


def _existing(house: House, name: str) -> str:
    if "\0" in name or accounts.find_user(house.store, name) is None:
        raise Refusal(404, f"user {name!r}: has no account here")
    return name


def _change(house: House, visitor: Visitor) -> Change:
    return Change(visitor.name, house.clock.wall_us())


def _plain(token: Token) -> dict[str, Any]:
    return {
        "token_id": token.token_id,
        "name": token.name,
        "user": token.user_name,
        "role": token.role,
        "created_us": token.created_us,
        "expires_us": token.expires_us,
    }
