"""A real SMTP server and a real HTTP server on this machine, and what came in."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "rig", "s3cret-p@ss"
IN_URL = "s3cret-p%40ss"  # as it is written in a URL


@dataclass
class Post:
    """What a server has got; ``arrived`` is set whenever something comes."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuses: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)

    def mail_url(self, password: str = IN_URL) -> str:
        return (
            f"mailto://{USER}:{password}@localhost:{self.port}"
            "?from=rig@example.org&to=lab@example.org&mode=insecure"
        )

    def web_url(self, token: str = IN_URL) -> str:
        return f"json://{USER}:{token}@127.0.0.1:{self.port}/hook/{token}"


class _OnAnyPort(Controller):
    """Its way to see that the server is up connects to the port it was given, which is 0."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def mail_server() -> Iterator[Post]:
    """Serve SMTP that wants the password."""
    post = Post()

    class Inbox:
        async def handle_DATA(  # noqa: N802 - aiosmtpd's name
            self, _server: SMTP, _session: Session, envelope: Envelope
        ) -> str:
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            post.mails.append(mail)
            post.arrived.set()
            return "250 OK"

    def is_let_in(*arguments: Any) -> AuthResult:
        given = arguments[-1]
        assert isinstance(given, LoginPassword)
        post.logins.append(given.login.decode())
        known = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)  # the answer is aiosmtpd's to give

    controller = _OnAnyPort(
        Inbox(),
        hostname="127.0.0.1",
        port=0,
        authenticator=is_let_in,
        auth_require_tls=False,
    )
    controller.start()
    try:
        post.port = controller.port
        yield post
    finally:
        controller.stop()


@contextlib.contextmanager
def web_server() -> Iterator[Post]:
    """Serve HTTP that takes JSON."""
    post = Post()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503 if post.refuses else 200)
            self.end_headers()
            if not post.refuses:
                post.posted.append(json.loads(body))
            post.arrived.set()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        post.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="web server")
        thread.start()
        try:
            yield post
        finally:
            server.shutdown()
            thread.join()
