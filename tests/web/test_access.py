"""Who may do what: every route has a row here, and each row is tried with every role."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from rig.core.roles import Role
from rig.web.document import roles_of
from tests.web.houses import let_in, visited

EVERYBODY = None

# The authorisation table. A route without a row here fails the first test.
ROUTES: dict[tuple[str, str], Role | None] = {
    ("GET", "/api/openapi.json"): EVERYBODY,
    ("HEAD", "/api/openapi.json"): EVERYBODY,
    ("GET", "/api/docs"): EVERYBODY,
    ("GET", "/healthz"): EVERYBODY,
    # Pages are empty frames: what is on them comes from the routes below.
    ("GET", "/"): EVERYBODY,
    ("GET", "/channel/{name:path}"): EVERYBODY,
    ("GET", "/run/{run_id}"): EVERYBODY,
    ("GET", "/start"): EVERYBODY,
    ("GET", "/runs"): EVERYBODY,
    ("GET", "/alerts"): EVERYBODY,
    ("GET", "/health"): EVERYBODY,
    ("GET", "/bench"): EVERYBODY,
    ("GET", "/sign-in"): EVERYBODY,
    ("GET", "/assets/{name}"): EVERYBODY,
    ("POST", "/api/sign-in"): EVERYBODY,
    ("POST", "/api/sign-out"): Role.VIEWER,
    ("GET", "/api/me"): Role.VIEWER,
    ("GET", "/metrics"): Role.VIEWER,
    ("GET", "/api/rigs"): Role.VIEWER,
    ("GET", "/api/channels"): Role.VIEWER,
    ("GET", "/api/channels/{name}"): Role.VIEWER,
    ("GET", "/api/bench"): Role.VIEWER,
    ("GET", "/api/runs"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/steps"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/cycles"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/events"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/results"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/alarms"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/journal"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/spectra"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/spectra/{spectrum_count}"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/samples"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/export"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/spectra/{spectrum_count}/judged"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/program"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/curves"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/arrhenius"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/report"): Role.VIEWER,
    ("GET", "/api/analyses"): Role.VIEWER,
    ("POST", "/api/runs/{run_id}/analyses"): Role.OPERATOR,
    ("GET", "/api/cells"): Role.VIEWER,
    ("POST", "/api/cells"): Role.OPERATOR,
    ("GET", "/api/cells/{name:path}"): Role.VIEWER,
    ("PATCH", "/api/cells/{name:path}"): Role.OPERATOR,
    ("POST", "/api/rehearsals"): Role.OPERATOR,
    ("GET", "/api/runs/{run_id}/revisions"): Role.VIEWER,
    ("GET", "/api/runs/{run_id}/revisions/{number}"): Role.VIEWER,
    ("POST", "/api/runs/{run_id}/revisions/check"): Role.OPERATOR,
    ("POST", "/api/runs/{run_id}/revisions"): Role.OPERATOR,
    ("GET", "/api/protocols"): Role.VIEWER,
    ("GET", "/api/journal"): Role.VIEWER,
    ("GET", "/api/alarms"): Role.VIEWER,
    ("GET", "/api/alert-rules"): Role.VIEWER,
    ("GET", "/api/alert-rules/{rule_id}/firings"): Role.VIEWER,
    ("POST", "/api/alert-rules"): Role.OPERATOR,
    ("POST", "/api/alert-rules/trial"): Role.OPERATOR,
    ("PUT", "/api/alert-rules/{rule_id}"): Role.OPERATOR,
    ("DELETE", "/api/alert-rules/{rule_id}"): Role.OPERATOR,
    ("GET", "/api/live"): Role.VIEWER,
    ("GET", "/api/data-health"): Role.VIEWER,
    ("POST", "/api/check"): Role.VIEWER,
    ("POST", "/api/runs"): Role.OPERATOR,
    ("POST", "/api/runs/{run_id}/orders"): Role.OPERATOR,
    ("POST", "/api/channels/{name}/orders"): Role.OPERATOR,
    ("POST", "/api/orders"): Role.OPERATOR,
    ("POST", "/api/alarms/{alarm_id}/acknowledge"): Role.OPERATOR,
    ("GET", "/api/instruments"): Role.VIEWER,
    ("POST", "/api/instruments/{name}/identify"): Role.OPERATOR,
    ("GET", "/api/hand"): Role.VIEWER,
    ("POST", "/api/hand"): Role.OPERATOR,
    ("POST", "/api/hand/{lease_id}/renew"): Role.OPERATOR,
    ("DELETE", "/api/hand/{lease_id}"): Role.OPERATOR,
    ("POST", "/api/hand/{lease_id}/temperature"): Role.OPERATOR,
    ("POST", "/api/hand/{lease_id}/operations"): Role.OPERATOR,
    ("GET", "/api/runs/{run_id}/by-hand"): Role.VIEWER,
    ("GET", "/api/users"): Role.ADMIN,
    ("POST", "/api/users"): Role.ADMIN,
    ("PUT", "/api/users/{name}/password"): Role.ADMIN,
    ("DELETE", "/api/users/{name}"): Role.ADMIN,
    ("GET", "/api/tokens"): Role.ADMIN,
    ("POST", "/api/tokens"): Role.ADMIN,
    ("DELETE", "/api/tokens/{token_id}"): Role.ADMIN,
}
# The live stream of somebody who may see it never ends: test_live_stream.py.
ENDLESS = {("GET", "/api/live")}
# A report takes seconds, whoever may have it gets it in test_analyses.py.
DEAR = {("GET", "/api/runs/{run_id}/report")}


def place(path: str) -> str:
    """Fill a path with what is there, or, where that would end something, with what is not."""
    values = {"run_id": "last", "name": "nobody", "spectrum_count": "1", "number": "1"}
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "none"), path)


@pytest.fixture
def house(url: str) -> Iterator[tuple[TestClient, dict[Role | None, dict[str, str]]]]:
    """A house with somebody of each role."""
    keys: dict[Role | None, dict[str, str]] = {None: {}}
    keys |= {role: let_in(url, f"a-{role.value}", role) for role in Role}
    with visited(url) as (client, _):
        yield client, keys


def test_every_route_has_a_row_and_needs_the_role_that_stands_there(client: TestClient) -> None:
    assert roles_of(client.app) == ROUTES


@pytest.mark.parametrize("who", [None, *Role], ids=lambda who: who.value if who else "stranger")
def test_each_role_gets_what_its_row_says_and_nothing_else(house, who: Role | None) -> None:
    client, keys = house
    wrong = []
    for (method, path), needed in ROUTES.items():
        may = needed is EVERYBODY or (who is not None and who >= needed)
        if may and (method, path) in {*ENDLESS, *DEAR}:
            continue
        body = {} if method in {"POST", "PUT"} else None
        status = client.request(method, place(path), json=body, headers=keys[who]).status_code
        # An empty sign-in is refused by its form, not for who sends it.
        refused = 401 if who is None else 403
        if (status == refused) is may or status >= 500:
            wrong.append((method, path, status))
    assert not wrong


def test_a_token_has_at_most_the_role_of_its_person(url: str) -> None:
    with visited(url) as (client, house):
        let_in(url, "admin", Role.ADMIN)
        key = let_in(url, "vera", Role.VIEWER)
        with house.store.begin() as connection:
            connection.exec_driver_sql("UPDATE token SET role = 'admin'")
        assert client.get("/api/me", headers=key).json()["role"] == "viewer"
        assert client.get("/api/users", headers=key).status_code == 403


def test_a_token_that_has_expired_or_lost_its_person_opens_nothing(url: str) -> None:
    key = let_in(url, "olaf", Role.OPERATOR)
    let_in(url, "ada", Role.ADMIN)
    with visited(url) as (client, house):
        assert client.get("/api/me", headers=key).json()["name"] == "olaf (token olaf-phone)"
        with house.store.begin() as connection:
            connection.exec_driver_sql("UPDATE token SET expires_us = 5 WHERE user_name = 'olaf'")
        assert client.get("/api/me", headers=key).status_code == 401
        with house.store.begin() as connection:
            connection.exec_driver_sql("DELETE FROM token WHERE user_name = 'olaf'")
        assert client.get("/api/me", headers=key).status_code == 401


def test_a_wrong_token_is_not_let_in_even_where_the_house_is_open(client: TestClient) -> None:
    assert client.get("/api/me").json()["open"] is True
    for secret in ("rig_wrong", "", "x" * 5000):
        answer = client.get("/api/me", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 401


def test_the_house_closes_with_the_first_account(url: str) -> None:
    with visited(url) as (client, _):
        assert client.get("/api/channels").status_code == 200
        key = let_in(url, "ada", Role.ADMIN)
        assert client.get("/api/channels").status_code == 401
        assert client.get("/api/channels", headers=key).status_code == 200
