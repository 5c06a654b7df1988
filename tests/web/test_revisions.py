"""Changing a run from the page: shown, checked, asked for by those who may, and on record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rig.core.roles import Role
from tests.web.houses import PROTOCOL as FINISHED
from tests.web.houses import engine_at_work, let_in, visited
from tests.web.test_orders import PROTOCOL, SPEED, started, wait_for

SHORTER = PROTOCOL.replace("for: 10 h", "for: 9 h").replace("4.3 V]", "4.2 V]")
WIDER = SHORTER.replace("4.2 V]", "4.25 V]")


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'rig.db'}"


@pytest.fixture
def lab(store: str) -> Iterator[TestClient]:
    """Somebody at the page of a bench whose engine works in another thread."""
    with engine_at_work(store, SPEED), visited(store) as (page, _):
        yield page


def asked(page: TestClient, text: str, path: str = "", **more: Any) -> Any:
    headers = more.pop("headers", {})
    body = {"text": text} | ({"reason": "gas"} if not path else {}) | more
    return page.post(f"/api/runs/last/revisions{path}", json=body, headers=headers)


def test_a_run_is_changed_shown_first_and_kept_with_who_why_and_from_where_on(
    lab: TestClient,
) -> None:
    (run_id,) = started(lab, "C1")
    shown = asked(lab, SHORTER, "/check")
    assert shown.status_code == 200, shown.text
    assert shown.json()["may_apply"] is True
    assert [(one["where"], one["effect"]) for one in shown.json()["changes"]] == [
        ("safety.voltage upper", "tighter"),
        ("step 0 (rest for 10 h)", ""),
    ]
    listed = lab.get(f"/api/runs/{run_id}/revisions").json()
    assert (listed["number"], listed["revisions"]) == (1, [])

    digest = listed["protocol_sha256"]
    done = asked(lab, SHORTER, instead_of_sha256=digest)
    assert done.status_code == 200, done.text
    assert "protocol revision 2 is in force" in done.json()["answer"]
    wait_for(lambda: lab.get("/api/channels/C1").json()["doing"] == "rest for 9 h")
    assert lab.get("/api/channels/C1").json()["protocol_revision"] == 2
    late = asked(lab, PROTOCOL, instead_of_sha256=digest)
    assert (late.status_code, "revised since" in late.json()["detail"]) == (409, True)

    listed = lab.get(f"/api/runs/{run_id}/revisions").json()
    assert (listed["number"], listed["protocol_text"]) == (2, SHORTER)
    assert listed["revisions"][1]["who"] == "open@testclient"
    assert listed["revisions"][1]["reason"] == "gas"
    assert lab.get(f"/api/runs/{run_id}/revisions/1").json()["protocol_text"] == PROTOCOL
    assert lab.get(f"/api/runs/{run_id}/revisions/3").status_code == 404
    verbs = [line["verb"] for line in lab.get(f"/api/runs/{run_id}/journal").json()["journal"]]
    assert verbs == ["start", "revise"]


def test_a_limit_is_widened_by_an_admin_alone(lab: TestClient, store: str) -> None:
    started(lab, "C1")
    assert asked(lab, SHORTER).status_code == 200
    shown = asked(lab, WIDER, "/check").json()
    assert (shown["may_apply"], len(shown["wider"])) == (False, 1)
    refused = asked(lab, WIDER)
    assert refused.status_code == 403
    assert "4.2 V -> 4.25 V (wider)" in refused.json()["detail"]
    assert "rig users add" in refused.json()["remedy"]
    operator = let_in(store, "olaf", Role.OPERATOR)
    assert asked(lab, WIDER, headers=operator).status_code == 403
    admin = let_in(store, "ada", Role.ADMIN)
    done = asked(lab, WIDER, headers=admin)
    assert done.status_code == 200, done.text
    beyond = asked(lab, WIDER.replace("-1.5 V, 4.25 V", "-50 V, 60 V"), headers=admin)
    # Whatever an admin says, the bench file's limits hold.
    assert beyond.json()["wider"] == ["safety.voltage upper: 4.25 V -> 4.4 V (wider)"]


def test_what_is_wrong_with_a_text_is_said_at_once_and_nothing_changes(
    lab: TestClient,
) -> None:
    started(lab, "C1")
    wrong = PROTOCOL.replace("for: 10 h", "for: 10").replace("10 mA", "10 mV")
    problems = asked(lab, wrong, "/check")
    assert (problems.status_code, len(problems.json()["problems"])) == (422, 2)
    moved = PROTOCOL.replace("steps:", "steps:\n  - rest: {for: 1 h}").replace("10 h", "20 h")
    assert asked(lab, moved, "/check").status_code == 200, "the first rest becomes another"
    ambiguous = PROTOCOL.replace("steps:", "steps:\n  - rest: {for: 1 h}")
    refused = asked(lab, ambiguous)
    assert refused.status_code == 422
    assert "cannot be told" in refused.json()["detail"]
    assert lab.get("/api/runs/last/revisions").json()["number"] == 1


@pytest.mark.parametrize("path", ["/api/runs/last/orders", "/api/channels/C1/orders"])
def test_an_order_to_revise_without_a_text_is_bad_input(url: str, path: str) -> None:
    with visited(url) as (client, _):
        answer = client.post(path, json={"verb": "revise", "argument": "something"})
        assert answer.status_code == 422
        assert "revisions" in answer.json()["detail"]


def test_a_run_that_is_over_is_not_revised(url: str) -> None:
    with visited(url) as (client, _):
        answer = asked(client, FINISHED, "/check")
        assert answer.status_code == 409
        assert "a run that is finished cannot revise" in answer.json()["detail"]
