"""``rig hand`` without an engine and with one, and ``rig bench status`` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.leases import read_leases
from rig.store import queries, tables
from rig.store.database import open_database
from tests.cli.commands import refused, rig
from tests.web.houses import engine_at_work


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'rig.db'}"


@pytest.fixture
def engine(url: str) -> Iterator[str]:
    """An engine in another thread, a hundred times faster than life; its database's URL."""
    with engine_at_work(url, "100"):
        yield url


def test_without_an_engine_a_lead_check_is_a_run_of_this_process(url: str):
    outcome = rig("hand", "leads", "C1", "--pulse", "1 mA", "--reason", "new", "--db", url)
    assert outcome.code == 0, outcome.err
    assert "ok        pulse" in outcome.out
    store = open_database(url)
    (run,) = queries.list_runs(store)
    (line,) = queries.table_rows(store, tables.journal, run.run_id)
    store.dispose()
    assert run.protocol_name == "by hand: lead check"
    assert "on_gap: stop" in run.values["protocol_text"]
    assert (line["verb"], line["reason"], line["outcome"]) == ("start", "new", "done")


def test_what_is_wrong_is_said_all_at_once_and_nothing_is_on_record(url: str):
    told = refused("hand", "spectrum", "C1", "--from", "7", "--amplitude", "1 K", "--db", url)
    assert "from: got '7' without a unit" in told
    assert "amplitude: got '1 K'" in told
    assert "it has: P1, P2, C1, C2" in refused("hand", "ocv", "C9", "--db", url)
    assert "-20 mA to 20 mA" in refused("hand", "leads", "C1", "--pulse", "1 A", "--db", url)
    store = open_database(url)
    assert queries.list_runs(store) == []
    store.dispose()


def test_an_engine_does_it_and_the_channel_is_given_back(engine: str):
    outcome = rig("hand", "ocv", "C1", "--for", "5 s", "--json", "--db", engine)
    assert outcome.code == 0, outcome.err
    said = outcome.json()
    assert (said["operation"], said["state"]) == ("open circuit", "finished")
    assert said["open_circuit"]["readings"] >= 5
    store = open_database(engine)
    assert read_leases(store) == []
    store.dispose()
    assert "engine is at work on sim" in refused(
        *("hand", "ocv", "C1", "--bench", "else.yaml", "--db", engine)
    )
    status = rig("bench", "status", "--json", "--db", engine).json()
    links = {one["name"]: one["link"] for one in status["instruments"]}
    assert links["smu-c1"]["exchanges"] > 10
    assert rig("bench", "status", "--db", engine).out.count("\n") >= 10
    asked = rig("bench", "identify", "smu-c2", "--db", engine)
    assert "Keithley 2450" in asked.out
