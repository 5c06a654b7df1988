"""Sessions: a cookie and a header, until somebody has been away too long or has another password."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from rig.core.roles import Role
from rig.web.sessions import FREE_TRIES, IDLE_SECOND, LONGEST_SECOND, LoginGate, Sessions
from tests.web.houses import PASSWORD, HandClock, let_in, visited

ORDER = {"verb": "pause", "reason": "lunch"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def signed_in(url: str, clock: HandClock) -> Iterator[TestClient]:
    """Olaf's browser, with his cookie and what his page knows."""
    let_in(url, "olaf", Role.OPERATOR)
    with visited(url, clock=clock) as (client, _):
        answer = client.post("/api/sign-in", json={"name": "olaf", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


def test_a_session_lets_in_and_names_who_it_is_in_the_journal(signed_in: TestClient) -> None:
    assert signed_in.get("/api/me").json() | {"csrf": ""} == {
        "name": "olaf",
        "role": "operator",
        "csrf": "",
        "open": False,
        "steers": True,
    }
    signed_in.post("/api/runs/last/orders", json=ORDER)
    (line,) = signed_in.get("/api/runs/last/journal").json()["journal"]
    assert (line["who"], line["verb"], line["reason"]) == ("olaf", "pause", "lunch")


def test_the_cookie_can_be_read_by_no_script_and_is_sent_by_no_other_site(
    signed_in: TestClient,
) -> None:
    answer = signed_in.post("/api/sign-in", json={"name": "olaf", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_write_without_the_csrf_header_is_refused_and_changes_nothing(
    signed_in: TestClient,
) -> None:
    for header in ("", "guessed"):
        signed_in.headers["X-CSRF-Token"] = header
        assert signed_in.post("/api/runs/last/orders", json=ORDER).status_code == 403
    assert signed_in.get("/api/runs/last/journal").json()["journal"] == []


def test_a_session_ends_when_nobody_used_it_for_long(
    signed_in: TestClient, clock: HandClock
) -> None:
    clock.pass_by(IDLE_SECOND - 1)
    assert signed_in.get("/api/me").status_code == 200
    clock.pass_by(IDLE_SECOND + 1)
    assert signed_in.get("/api/me").status_code == 401


def test_a_session_that_is_always_used_ends_all_the_same(
    signed_in: TestClient, clock: HandClock
) -> None:
    for _ in range(int(LONGEST_SECOND // IDLE_SECOND)):
        clock.pass_by(IDLE_SECOND - 1)
        assert signed_in.get("/api/me").status_code == 200
    clock.pass_by(IDLE_SECOND - 1)
    assert signed_in.get("/api/me").status_code == 401


def test_signing_out_ends_it_for_whoever_has_copied_the_cookie(signed_in: TestClient) -> None:
    cookie = signed_in.cookies["rig_session"]
    assert signed_in.post("/api/sign-out").status_code == 200
    signed_in.cookies.set("rig_session", cookie)
    assert signed_in.get("/api/me").status_code == 401


def test_another_password_ends_the_sessions_and_only_it_opens_from_then_on(
    signed_in: TestClient, url: str, clock: HandClock
) -> None:
    admin = let_in(url, "ada", Role.ADMIN)
    clock.pass_by(1)
    changed = {"password": "quite another one"}
    cookie, csrf = signed_in.cookies["rig_session"], signed_in.headers.pop("X-CSRF-Token")
    answer = signed_in.put("/api/users/olaf/password", json=changed, headers=admin)
    assert answer.status_code == 200, csrf
    signed_in.cookies.set("rig_session", cookie)
    assert signed_in.get("/api/me").status_code == 401
    old = {"name": "olaf", "password": PASSWORD}
    assert signed_in.post("/api/sign-in", json=old).status_code == 401
    assert signed_in.post("/api/sign-in", json=old | changed).status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(url: str) -> None:
    let_in(url, "olaf", Role.OPERATOR)
    with visited(url) as (client, _):
        answers = [
            client.post("/api/sign-in", json={"name": name, "password": "wrong and long"})
            for name in ("olaf", "nobody")
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_guessing_is_slowed_down_and_a_patient_person_still_gets_in(
    url: str, clock: HandClock
) -> None:
    let_in(url, "olaf", Role.OPERATOR)
    with visited(url, clock=clock) as (client, house):
        for _ in range(FREE_TRIES):
            house.gate.failed("olaf", "testclient", clock.now())
        right = {"name": "olaf", "password": PASSWORD}
        early = client.post("/api/sign-in", json=right)
        assert early.status_code == 429
        clock.pass_by(float(early.headers["Retry-After"]))
        assert client.post("/api/sign-in", json=right).status_code == 200


def test_the_wait_doubles_for_a_name_and_for_an_address_and_has_an_end() -> None:
    gate, now = LoginGate(), 0.0
    waits = []
    for _ in range(FREE_TRIES + 12):
        gate.failed("olaf", "10.0.0.1", now)
        waits.append(gate.wait_second("olaf", "10.0.0.2", now))
    assert waits[: FREE_TRIES + 3] == [0.0] * (FREE_TRIES - 1) + [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == 300.0
    assert gate.wait_second("maria", "10.0.0.1", now) == 300.0
    assert gate.wait_second("maria", "10.0.0.2", now) == 0.0
    gate.failed("olaf", "10.0.0.1", now + 4000.0)  # an hour later it counts from one again
    assert gate.wait_second("olaf", "10.0.0.1", now + 4000.0) == 0.0


def test_there_are_never_more_sessions_than_the_house_has_room_for() -> None:
    sessions = Sessions()
    cookies = [sessions.begin("olaf", float(second), 0)[0] for second in range(1005)]
    assert sessions.find(cookies[0], 1005.0) is None
    assert sessions.find(cookies[-1], 1005.0) is not None


def test_no_secret_stands_in_the_log_or_in_an_answer(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = let_in(url, "ada", Role.ADMIN)
    secret = key["Authorization"].split()[1]
    with caplog.at_level(logging.DEBUG), visited(url) as (client, _):
        answers = [
            client.post("/api/sign-in", json={"name": "ada", "password": PASSWORD}),
            client.post("/api/sign-in", json={"name": "ada", "password": {"no": PASSWORD}}),
            client.post("/api/users", json={"name": "x", "password": PASSWORD}, headers=key),
            client.get("/api/users", headers=key),
            client.get("/api/tokens", headers=key),
            client.get("/api/journal", headers=key),
        ]
    said = caplog.text + "".join(answer.text for answer in answers)
    assert PASSWORD not in said
    assert secret not in said
    assert "argon2" not in said
