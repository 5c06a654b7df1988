"""Messages as they arrive at a real mail server and a real web server; no secret in any complaint."""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Iterator

import pytest

from rig.bench.apprise_target import KNOWN_SCHEMES, AppriseTarget, open_service
from rig.core.alarms import Severity
from tests.bench.post_office import IN_URL, PASSWORD, USER, Post, mail_server, web_server

BODY = "ALARM on channel A1: voltage 4.31 V\nvalue 4.31 V, limit <4.3 V>\nbench b.yaml"


@pytest.fixture
def mail() -> Iterator[Post]:
    with mail_server() as post:
        yield post


@pytest.fixture
def web() -> Iterator[Post]:
    with web_server() as post:
        yield post


@pytest.fixture
def nobodys_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def target(url: str) -> AppriseTarget:
    return AppriseTarget(url, "label", Severity.WARNING)


def test_a_mail_arrives_with_its_title_and_its_lines(mail: Post) -> None:
    assert target(mail.mail_url()).send("[cellrig] ALARM", BODY, Severity.ALARM) == ""
    (sent,) = mail.mails
    assert mail.logins == [USER]
    assert sent["Subject"] == "[cellrig] ALARM"
    assert "lab@example.org" in sent["To"]
    part = sent.get_body(("plain",))
    assert part is not None
    assert part.get_content().splitlines() == BODY.splitlines()


@pytest.mark.parametrize(
    ("severity", "kind"),
    [
        (Severity.NOTICE, "info"),
        (Severity.WARNING, "warning"),
        (Severity.ALARM, "failure"),
        (Severity.CRITICAL, "failure"),
    ],
)
def test_a_webhook_gets_title_text_and_kind(web: Post, severity: Severity, kind: str) -> None:
    assert target(web.web_url()).send("title", BODY, severity) == ""
    (sent,) = web.posted
    assert (sent["title"], sent["message"], sent["type"]) == ("title", BODY, kind)


def test_a_wrong_password_is_a_reason_and_is_not_shown(mail: Post) -> None:
    reason = target(mail.mail_url("wr0ng-p%40ss%21")).send("title", BODY, Severity.ALARM)
    assert reason
    assert mail.logins
    for secret in ("wr0ng", "p%40ss", "p@ss", "%21", "lab@example.org"):
        assert secret not in reason, reason


def test_a_server_that_refuses_is_a_reason(web: Post) -> None:
    web.refuses = True
    reason = target(web.web_url()).send("title", BODY, Severity.ALARM)
    assert "503" in reason
    assert "s3cret" not in reason


@pytest.mark.parametrize("kind", ["mail_url", "web_url"])
def test_a_server_that_is_not_there_is_a_reason_without_a_secret(kind: str, nobodys_port) -> None:
    reason = target(getattr(Post(nobodys_port), kind)()).send("title", BODY, Severity.ALARM)
    assert reason
    for secret in (PASSWORD, IN_URL, "s3cret", USER + ":"):
        assert secret not in reason, reason


def test_whatever_apprise_logs_nobody_else_gets_to_see(web: Post, capfd) -> None:
    """At its lowest level it writes passwords out; a program that logs everything must not see it."""
    seen = io.StringIO()
    handler = logging.StreamHandler(seen)
    loggers = [logging.getLogger(name) for name in ("", "apprise", "urllib3")]
    before = [logger.level for logger in loggers]
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(1)
    try:
        target(web.web_url()).send("title", BODY, Severity.ALARM)
        web.refuses = True
        target(web.web_url()).send("title", BODY, Severity.ALARM)
        open_service(f"slack://{PASSWORD}")
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
        loggers[0].removeHandler(handler)
    shown = capfd.readouterr()
    for text in (seen.getvalue(), shown.out, shown.err):
        assert "s3cret" not in text


def test_a_service_that_breaks_is_a_reason_like_any_other(web: Post) -> None:
    broken = target(web.web_url())
    assert broken.send("title", BODY, "no severity at all") == ""  # type: ignore[arg-type]
    reason = broken.send(b"\xff", BODY, Severity.ALARM)  # type: ignore[arg-type]
    assert reason


def test_a_url_that_is_no_service_says_so_when_it_is_used() -> None:
    assert open_service("slack://x") is None
    assert target("slack://x").send("title", BODY, Severity.ALARM)


def test_mail_chat_and_webhooks_are_known() -> None:
    assert {"mailto", "mailtos", "slack", "tgram", "matrix", "json"} <= KNOWN_SCHEMES
