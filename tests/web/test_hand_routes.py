"""By hand over REST: a channel is taken, looked at and given back; instruments and chambers are told of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rig.bench.cell_record import set_limits
from rig.core.clock import RealClock
from rig.core.roles import Role
from tests.web.houses import engine_at_work, let_in, visited
from tests.web.test_orders import wait_for

SPEED = "50"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Somebody at the page of a bench whose engine works in another thread."""
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    with engine_at_work(url, SPEED), visited(url, clock=RealClock()) as (client, _):
        client.url = url  # type: ignore[attr-defined]
        yield client


def took(client: TestClient, channel: str, **headers: str) -> str:
    body = {"channel": channel, "reason": "a new cell"}
    answer = client.post("/api/hand", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["lease_id"])


def test_a_channel_is_taken_looked_at_and_given_back(client: TestClient) -> None:
    lease = took(client, "P1")
    assert [one["channel"] for one in client.get("/api/hand").json()["leases"]] == ["P1"]
    shown = client.get("/api/channels/P1").json()["by_hand"]
    assert re.fullmatch(r"by hand: .+, 90 s left", shown)
    assert client.post(f"/api/hand/{lease}/renew", json={}).status_code == 200

    again = client.post("/api/hand", json={"channel": "P1"})
    assert (again.status_code, "has it by hand" in again.json()["detail"]) == (409, True)

    wrong = client.post(
        f"/api/hand/{lease}/operations",
        json={"operation": "spectrum", "settings": {"form": "1 kHz", "to": "7"}},
    )
    assert wrong.status_code == 422
    assert len(wrong.json()["problems"]) == 2
    assert wrong.json()["problems"][0]["suggestion"] == "from"

    settings = {"to": "1 kHz", "points_per_decade": "3"}
    begun = client.post(
        f"/api/hand/{lease}/operations", json={"operation": "spectrum", "settings": settings}
    )
    assert begun.status_code == 201, begun.text
    run = begun.json()["run_id"]
    wait_for(lambda: client.get(f"/api/runs/{run}/by-hand").json()["is_over"])
    outcome = client.get(f"/api/runs/{run}/by-hand").json()
    assert (outcome["operation"], outcome["state"]) == ("spectrum", "finished")
    assert client.get(f"/api/runs/{run}/spectra/{outcome['spectrum_count']}").status_code == 200

    # What has been there is noted within a second, with who it is and how the link was.
    wait_for(lambda: _instruments(client)["pstat-p1"]["identity"] is not None)
    now = _instruments(client)
    assert now["pstat-p1"]["identity"]["maker"] == "PalmSens"
    wait_for(lambda: not _instruments(client)["chamber-p"]["is_open"])
    now = _instruments(client)
    assert now["chamber-p"]["link"]["exchanges"] > 0
    assert now["chamber-p"]["link"]["round_trip_p99_second"] == pytest.approx(0.05, rel=0.3)
    assert 'rig_link_exchanges_total{instrument="chamber-p"}' in client.get("/metrics").text

    given = client.delete(f"/api/hand/{lease}", params={"reason": "done"})
    assert given.status_code == 200, given.text
    assert "disconnected" in given.json()["answer"]
    assert client.delete(f"/api/hand/{lease}").status_code == 404
    operation = {"operation": "open circuit"}
    late = client.post(f"/api/hand/{lease}/operations", json=operation)
    assert late.status_code == 404
    verbs = [(one["verb"], one["who"]) for one in client.get("/api/journal").json()["journal"]]
    asked = ["give back", "start", "take by hand", "take by hand"]  # one of them was refused
    assert [verb for verb, _ in verbs] == asked
    assert len({who for _, who in verbs}) == 1


def _instruments(client: TestClient) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in client.get("/api/instruments").json()["instruments"]}


def test_all_safe_ends_what_is_held_by_hand_and_says_so(client: TestClient) -> None:
    """An idle one, one with its chamber, one under which something goes on; all on record with why."""
    idle, busy = took(client, "P1"), took(client, "C1")
    warm = client.post(f"/api/hand/{idle}/temperature", json={"temperature_celsius": 31})
    assert warm.status_code == 200, warm.text
    long = {"operation": "open circuit", "settings": {"for": "1 h"}}
    assert client.post(f"/api/hand/{busy}/operations", json=long).status_code == 201
    order = {"verb": "safe", "everything": True, "reason": "it smells"}
    answer = client.post("/api/orders", json=order).json()
    assert answer["all_done"] is True, answer
    assert [one["channel"] for one in answer["orders"]] == ["C1"]
    ended = {one["channel"]: one["answer"] for one in answer["leases"]}
    free = "channel {} is free; its cell is disconnected"
    assert ended == {
        "C1": free.format("C1"),
        "P1": f"{free.format('P1')}; chamber chamber-p is let go",
    }
    assert client.get("/api/hand").json()["leases"] == []
    assert client.get("/api/channels/P1").json()["by_hand"] == ""
    journal = client.get("/api/journal").json()["journal"]
    lines = [one for one in journal if one["verb"] == "end lease"]
    assert {one["run_id"] for one in lines} == {idle, busy}
    assert {one["reason"] for one in lines} == {"it smells"}


@pytest.mark.parametrize(
    "meant", [{"channels": ["C2"]}, {"chamber": "chamber-c"}, {"everything": True}], ids=str
)
def test_whoever_means_a_channel_means_its_lease_too_and_no_other(
    client: TestClient, meant: dict[str, object]
) -> None:
    took(client, "C2")
    took(client, "P1")
    for verb in ("pause", "stop"):  # they are of runs
        body = {"verb": verb, **meant}
        assert client.post("/api/orders", json=body).json().get("leases", []) == []
    answer = client.post("/api/orders", json={"verb": "safe", **meant}).json()
    assert answer["orders"] == []
    left = [one["channel"] for one in client.get("/api/hand").json()["leases"]]
    assert left == ([] if "everything" in meant else ["P1"])
    alone = client.post("/api/channels/P1/orders", json={"verb": "safe", "reason": "done"})
    if left:
        assert alone.status_code == 200, alone.text
        assert alone.json()["lease"]["outcome"] == "done"
    else:
        assert alone.status_code == 422  # no run, and nobody has it


def test_what_is_somebodys_is_nobody_elses_and_a_viewer_takes_nothing(client: TestClient) -> None:
    let_in(client.url, "ada", Role.ADMIN)  # type: ignore[attr-defined]
    maria, olaf, vera = (
        let_in(client.url, name, role)  # type: ignore[attr-defined]
        for name, role in (
            ("maria", Role.OPERATOR),
            ("olaf", Role.OPERATOR),
            ("vera", Role.VIEWER),
        )
    )
    assert client.post("/api/hand", json={"channel": "C1"}, headers=vera).status_code == 403
    lease = took(client, "C1", **maria)
    others = client.post(f"/api/hand/{lease}/renew", json={}, headers=olaf)
    assert others.status_code == 409
    assert "is maria" in others.json()["detail"]
    start = {"text": "protocol: 1\nname: x\nsteps:\n  - rest: {for: 1 h}\n", "channels": ["C1"]}
    refused = client.post("/api/runs", json=start, headers=olaf)
    assert refused.status_code == 422
    assert "has it by hand" in refused.json()["detail"]

    hot = {"temperature_celsius": 95}
    beyond = client.post(f"/api/hand/{lease}/temperature", json=hot, headers=maria)
    assert beyond.status_code == 422
    assert "-30 to 80 degC" in beyond.json()["detail"]
    set_limits(client.url, "LPS-17", "{temperature: [0 degC, 45 degC]}")  # type: ignore[attr-defined]
    warmer = {"temperature_celsius": 46, "cell": "LPS-17"}
    beyond = client.post(f"/api/hand/{lease}/temperature", json=warmer, headers=maria)
    assert beyond.status_code == 422
    assert "cell LPS-17, channel C1: got 46 degC, expected 0 to 45" in beyond.json()["detail"]
    warm = client.post(
        f"/api/hand/{lease}/temperature", json={"temperature_celsius": 31}, headers=maria
    )
    assert warm.status_code == 200, warm.text
    wait_for(lambda: _asking(client, vera))
    assert _asking(client, vera)[0]["who"] == "maria (token maria-phone), by hand"


def _asking(client: TestClient, key: dict[str, str]) -> list[dict[str, object]]:
    chambers = client.get("/api/instruments", headers=key).json()["chambers"]
    return next(one["asking"] for one in chambers if one["name"] == "chamber-c")


def test_an_instrument_that_nobody_has_is_asked_and_that_is_on_record(client: TestClient) -> None:
    found = client.post("/api/instruments/smu-c2/identify", json={"reason": "is it there?"}).json()
    assert found["is_fresh"] is True
    assert found["identity"]["model"] == "2450"
    line = client.get("/api/journal").json()["journal"][0]
    assert (line["verb"], line["argument"], line["outcome"]) == ("identify", "smu-c2", "done")
    assert client.post("/api/instruments/smu-9/identify", json={}).status_code == 404
    assert client.get("/api/runs/last/by-hand").status_code == 404
