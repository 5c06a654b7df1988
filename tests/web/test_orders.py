"""A word from the page to runs that go on in an engine: through the door, by those who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rig.bench.locks import has_engine
from rig.core.clock import RealClock
from rig.core.roles import Role
from tests.web.houses import engine_at_work, let_in, visited

# Slow enough at this speed that nobody has to hurry.
SPEED = "20"
PROTOCOL = """protocol: 1
name: a long rest
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [-1.5 V, 4.3 V], current: 10 mA}
record: {every: 1 s}
steps:
  - rest: {for: 10 h}
"""
PATIENCE_SECOND = 120.0


@pytest.fixture
def empty(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'rig.db'}"


@pytest.fixture
def client(empty: str) -> Iterator[TestClient]:
    """Somebody at the page of a bench whose engine works in another thread."""
    with engine_at_work(empty, SPEED), visited(empty) as (client, _):
        yield client


def started(client: TestClient, *channels: str, **more: Any) -> list[str]:
    body = {"text": PROTOCOL, "channels": channels, "reason": "a test"} | more
    answer = client.post("/api/runs", json=body)
    assert answer.status_code == 201, answer.text
    wait_for(lambda: {state(client, name) for name in channels} == {"running"})
    return [run["run_id"] for run in answer.json()["runs"]]


def state(client: TestClient, channel: str) -> str:
    return str(client.get(f"/api/channels/{channel}").json()["state"])


def wait_for(true: Callable[[], bool]) -> None:
    clock = RealClock()
    deadline = clock.now() + PATIENCE_SECOND
    while not true():
        assert clock.now() < deadline, "waited in vain"
        clock.wait_until(clock.now() + 0.1)


def test_a_run_is_started_paused_resumed_and_stopped_and_the_journal_knows_who_and_why(
    client: TestClient, empty: str
) -> None:
    (run_id,) = started(client, "C1", cells={"C1": "LPS-17"})
    shown = client.get("/api/channels/C1").json()
    assert shown["cell"] == "LPS-17"
    assert shown["doing"] == "rest for 10 h"
    assert "of 10 h 00 min" in shown["next"]
    assert shown["then"] == "the end of the protocol"
    for verb, words in (
        ("pause", "paused; the cell is disconnected"),
        ("pause", "already paused"),
        ("resume", "running"),
        ("stop", "the run is stopped; the cell is disconnected"),
    ):
        answer = client.post("/api/channels/C1/orders", json={"verb": verb, "reason": "lunch"})
        assert (answer.status_code, answer.json()["answer"]) == (200, words)
    wait_for(lambda: not has_engine("C1", empty))
    refused = client.post(f"/api/runs/{run_id}/orders", json={"verb": "skip"})
    assert refused.status_code == 409
    assert refused.json()["outcome"] == "refused"
    lines = client.get(f"/api/runs/{run_id}/journal").json()["journal"]
    assert [line["verb"] for line in lines] == ["start", "pause", "pause", "resume", "stop", "skip"]
    assert {line["who"] for line in lines} == {"open@testclient"}
    assert lines[1]["reason"] == "lunch"


def test_a_viewer_stops_nothing_and_a_stranger_less(client: TestClient, empty: str) -> None:
    started(client, "C1")
    viewer = let_in(empty, "vera", Role.VIEWER)
    for headers, status in ((viewer, 403), ({}, 401)):
        for path in ("/api/orders", "/api/channels/C1/orders", "/api/runs/last/orders"):
            order = (
                {"verb": "stop", "everything": True} if path == "/api/orders" else {"verb": "stop"}
            )
            assert client.post(path, json=order, headers=headers).status_code == status
    assert client.get("/api/channels/C1", headers=viewer).json()["state"] == "running"
    operator = let_in(empty, "olaf", Role.OPERATOR)
    stopped = client.post("/api/channels/C1/orders", json={"verb": "stop"}, headers=operator)
    assert stopped.status_code == 200


def test_all_safe_reaches_every_cell_that_is_not_over(client: TestClient) -> None:
    started(client, "C1", "C2")
    answer = client.post("/api/orders", json={"verb": "safe", "everything": True}).json()
    assert answer["all_done"] is True
    assert [order["channel"] for order in answer["orders"]] == ["C1", "C2"]
    assert {state(client, name) for name in ("C1", "C2")} == {"stopped"}
    again = client.post("/api/orders", json={"verb": "safe", "everything": True}).json()
    assert again == {"all_done": True, "orders": [], "leases": []}


def test_a_chambers_cells_are_paused_together_and_others_go_on(client: TestClient) -> None:
    started(client, "C1", "C2", "P1")
    order = {"verb": "pause", "chamber": "chamber-c", "reason": "the door is opened"}
    assert client.post("/api/orders", json=order).json()["all_done"] is True
    assert [state(client, name) for name in ("C1", "C2", "P1")] == ["paused", "paused", "running"]


def test_a_run_that_waits_for_its_chamber_says_for_whom_and_since_when(
    client: TestClient,
) -> None:
    heated = PROTOCOL.replace(
        "  - rest", "  - set_temperature: {to: 40 degC, timeout: 9 h}\n  - rest"
    )
    started(client, "C1", text=heated)
    wait_for(lambda: "40 degC" in client.get("/api/channels/C1").json()["next"])
    started(client, "C2", text=heated.replace("40 degC", "60 degC"))
    wait_for(lambda: "held by" in client.get("/api/channels/C2").json()["next"])
    words = client.get("/api/channels/C2").json()["next"]
    assert words.startswith("waits for 60 degC since")
    assert "the chamber is held by C1 (40 degC, in its step since" in words


def test_whom_a_group_order_cannot_mean_is_told_all_at_once(client: TestClient) -> None:
    started(client, "C1")
    order = {"verb": "pause", "channels": ["C1", "C7", "P2"]}
    problems = client.post("/api/orders", json=order).json()["problems"]
    assert [one["message"] for one in problems] == [
        "no run on channel 'C7'",
        "no run on channel 'P2'",
    ]
    assert client.get("/api/runs/last/journal").json()["journal"][1:] == []
    for nobody in ({"verb": "stop"}, {"verb": "stop", "chamber": "oven"}):
        assert client.post("/api/orders", json=nobody).status_code == 422


def test_a_start_that_cannot_be_is_refused_with_everything_that_is_wrong(
    client: TestClient,
) -> None:
    started(client, "C1")
    body = {"text": PROTOCOL.replace("10 h", "10"), "channels": ["C1", "C9"]}
    answer = client.post("/api/runs", json=body)
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert "without a unit" in detail
    assert "C9" in detail
    assert client.get("/api/runs").json()["total"] == 1


def test_without_a_bench_or_an_engine_nothing_is_started(url: str) -> None:
    with visited(url) as (client, house):
        no_engine = client.post("/api/runs", json={"text": PROTOCOL, "channels": ["C1"]})
        assert no_engine.status_code == 422
        assert "no engine" in no_engine.json()["detail"]
        house.bench = None
        no_bench = client.post("/api/runs", json={"text": PROTOCOL, "channels": ["C1"]})
        assert no_bench.status_code == 409
