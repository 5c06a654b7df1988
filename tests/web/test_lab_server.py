"""A lab's server: the rig's own page shows its journal and the server's past; another shows every rig."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.starting import Job, start
from rig.protocol import loads_protocol
from tests.postgres import any_postgres, database, mortal, postgres
from tests.web.houses import BENCH, PROTOCOL, visited

__all__ = ["any_postgres", "database", "mortal", "postgres"]


@pytest.fixture
def lab(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server with one finished run of this rig, whose samples are in the journal no more."""
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "journal.db"))
    job = Job(loads_protocol(PROTOCOL), "p.yaml", BENCH.channels["C1"])
    start([job], BENCH, database=database).run()
    return database


def test_the_rigs_own_page_shows_what_was_delivered_and_every_number_of_it(lab: str) -> None:
    with visited(lab) as (client, house):
        assert str(house.store.url).endswith("journal.db")
        found = client.get("/api/runs/last/samples?points=100000").json()
        assert found["columns"]["seq"] == list(range(found["samples"]))
        assert found["samples"] > 100
        shown = client.get("/api/channels/C1").json()
        assert shown["state"] == "finished"
        assert len(shown["trend"]["voltage_volt"]) == 60
        assert client.get("/api/runs").json()["total"] == 1
        health = client.get("/api/data-health").json()
        assert (health["well"], health["delivery"]["reached"]) == (True, True)
        assert "rig_forwarder_waiting_samples 0.0" in client.get("/metrics").text
        assert client.get("/api/runs/last/export?format=bdf-csv").status_code == 200


def test_a_page_without_a_rig_shows_every_rig_and_takes_no_orders(
    lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIG_JOURNAL", str(tmp_path / "another.db"))
    job = Job(loads_protocol(PROTOCOL), "p.yaml", BENCH.channels["C1"])
    start([job], BENCH, database=lab).run()
    with visited(lab, observe=True) as (client, _):
        shown = client.get("/api/channels").json()["channels"]
        assert [one["channel"] for one in shown if one["state"] == "finished"] == ["C1", "C1"]
        assert client.get("/api/channels/C1").status_code == 409  # whose?
        rig_id = client.get("/api/rigs").json()["rigs"][0]["rig_id"]
        assert client.get(f"/api/channels/C1?rig={rig_id}").status_code == 200
        order = client.post("/api/runs/last/orders", json={"verb": "stop"})
        assert order.status_code == 409
        assert "on the computer that runs it" in order.json()["detail"]


def test_a_server_that_is_away_leaves_the_rigs_own_page_standing(
    lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = "postgresql://nobody@127.0.0.1:9/cells"
    with visited(away) as (client, _):  # the same journal: RIG_JOURNAL names it
        assert client.get("/api/channels/C1").json()["state"] == "finished"
        assert client.get("/api/runs").json()["total"] == 1
        assert "server is away" in client.get("/api/data-health").json()["words"]
