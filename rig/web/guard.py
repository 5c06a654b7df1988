"""Before any route: who is this request from, and is it of a bearable size?

A page of some other site, open in the same browser, can send requests here. Without accounts (open on
this computer alone) nothing but these checks stands in its way: the Host it asked for must be ours,
which ends DNS rebinding, and a write, or a socket, must come from a page of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rig.web.address import is_loopback_name
from rig.web.problems import answer

MOST_BYTES = 1_000_000  # a protocol has kilobytes
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


class Guard:
    """Wraps the whole application, pages and sockets too.

    ``is_loopback``: served for this computer only; ``is_open`` says whether nobody needs an account.
    """

    def __init__(self, app: ASGIApp, *, is_loopback: bool, is_open: Callable[[], bool]) -> None:
        self._app, self._is_loopback, self._is_open = app, is_loopback, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        sized = receive if scope["type"] == "websocket" else _limited(receive)
        try:
            await self._app(scope, sized, _with_headers(send))
        except _TooLarge:
            await _refuse(scope, receive, send, 413, _too_large())

    async def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        elsewhere = self._is_loopback and not is_loopback_name(_name(host))
        if elsewhere and await run_in_threadpool(self._is_open):  # else its cookies are another's
            return 400, f"asked for host {host!r}; this page is served for this computer only"
        if scope["type"] == "websocket" or scope["method"] not in _READING:
            if not _is_ours(headers, host):
                return 403, "this request comes from a page of another site"
            length = headers.get("content-length", "")
            if length.isdecimal() and int(length) > MOST_BYTES:
                return 413, _too_large()
        return None


def _name(host: str) -> str:
    """Return a Host header's name without its port, an IPv6 address without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_ours(headers: Headers, host: str) -> bool:
    """Say whether a browser sent this from a page of ours; a program sends none of these headers."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


class _TooLarge(HTTPException):
    """More came than was announced: of a kind that FastAPI lets through while it reads a body."""

    def __init__(self) -> None:
        super().__init__(413, _too_large())


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise _TooLarge
        return message

    return limited


def _too_large() -> str:
    return f"more than {MOST_BYTES // 1000} kB"


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message.get("headers", [])}
            more = [(name, value) for name, value in _HEADERS.items() if name not in known]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, detail: str) -> None:
    if scope["type"] == "websocket":
        closing: dict[str, Any] = {"type": "websocket.close", "code": 1008, "reason": detail[:100]}
        await send(closing)
        return
    await answer(status, detail)(scope, receive, send)
