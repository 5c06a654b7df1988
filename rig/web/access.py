"""Who asks, and may they? A cookie from signing in, a token in a header, or an open house.

Each route says which role it needs; ``tests/web/test_access.py`` holds every route to its row.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from rig.core.roles import Role
from rig.store.accounts import find_token, find_user
from rig.web.house import House
from rig.web.passwords import TOKEN_PREFIX
from rig.web.problems import Refusal

COOKIE = "rig_session"
CSRF_HEADER = "X-CSRF-Token"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LOG = logging.getLogger("rig.web")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the name that the journal gets, the role, and the session's CSRF token where there is one."""

    name: str
    role: Role
    csrf: str = ""


def house_of(connection: HTTPConnection) -> House:
    """Return the house that this application was created for."""
    house: House = connection.app.state.house
    return house


def identify(connection: HTTPConnection) -> Visitor | None:
    """Return who asks, or None for somebody unknown. Pages use it too; a password is never looked at here."""
    house = house_of(connection)
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(house, secret.strip())
    cookie = connection.cookies.get(COOKIE)
    visitor = _by_cookie(house, cookie) if cookie else None
    if visitor is None and house.is_open():
        where = connection.client.host if connection.client else "here"
        return Visitor(f"open@{where}", Role.OPERATOR)
    return visitor


def _by_token(house: House, secret: str) -> Visitor | None:
    found = find_token(house.store, secret) if secret.startswith(TOKEN_PREFIX) else None
    if found is None:
        return None
    token, user = found
    if token.expires_us is not None and token.expires_us <= house.clock.wall_us():
        return None
    role = min(Role(token.role), Role(user.role))
    return Visitor(f"{user.name} (token {token.name})", role)


def _by_cookie(house: House, cookie: str) -> Visitor | None:
    """A session ends with its person, and with a new password."""
    session = house.sessions.find(cookie, house.clock.now())
    user = find_user(house.store, session.user_name) if session is not None else None
    if session is None or user is None:
        return None
    if user.changed_us > session.began_us:
        house.sessions.end(cookie)
        return None
    return Visitor(user.name, Role(user.role), session.csrf)


def needs(role: Role) -> Callable[[Request], Visitor]:
    """Return the dependency that lets in those who have at least this role, and returns who they are."""

    def visitor(request: Request) -> Visitor:
        found = identify(request)
        if found is None:
            remedy = "POST /api/sign-in, or send a token: Authorization: Bearer rig_..."
            headers = {"WWW-Authenticate": "Bearer"}
            raise Refusal(401, "nobody knows who you are", remedy=remedy, headers=headers)
        if found.csrf and request.method not in _READING:
            _require_csrf(request, found.csrf)
        if found.role < role:
            detail = f"{found.name} is {found.role.value}; this needs {role.value}"
            raise Refusal(403, detail)
        if request.method not in _READING:
            _LOG.info("%s %s by %s", request.method, request.url.path, found.name)
        return found

    visitor.role = role  # type: ignore[attr-defined]  # the table of routes and roles is made from it
    return visitor


def _require_csrf(request: Request, expected: str) -> None:
    """A page of another site can make a browser send our cookie, but no header of ours."""
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        detail = f"a write needs the header {CSRF_HEADER} with the session's value"
        raise Refusal(403, detail, remedy="GET /api/me tells it")


TheHouse = Annotated[House, Depends(house_of)]
Viewer = Annotated[Visitor, Depends(needs(Role.VIEWER))]
Operator = Annotated[Visitor, Depends(needs(Role.OPERATOR))]
Admin = Annotated[Visitor, Depends(needs(Role.ADMIN))]
