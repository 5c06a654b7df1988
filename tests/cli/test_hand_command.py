"""``rig hand`` without an engine and with one, and ``rig bench status`` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.file import load_bench
from rig.bench.leases import Lease, read_leases, take_channel
from rig.store import queries, tables
from rig.store.database import open_database
from tests.cli.commands import refused, rig
from tests.web.houses import engine_at_work
from tests.web.test_orders import wait_for


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'rig.db'}"


@pytest.fixture
def engine(url: str) -> Iterator[str]:
    """An engine in another thread, a hundred times faster than life; its database's URL."""
    with engine_at_work(url, "100"):
        yield url


def taken(url: str, channel: str, who: str = "anna") -> Lease:
    """Let somebody at another computer take a channel by hand."""
    store = open_database(url)
    try:
        return take_channel(store, load_bench("sim"), channel, who=who)
    finally:
        store.dispose()


def test_without_an_engine_a_lead_check_is_a_run_of_this_process(url: str):
    outcome = rig("hand", "leads", "C1", "--pulse", "1 mA", "--reason", "new", "--db", url)
    assert outcome.code == 0, outcome.err
    assert "ok        pulse" in outcome.out
    assert outcome.out.startswith("C1 (simulated)  run ")
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

    def exchanges() -> int:
        status = rig("bench", "status", "--json", "--db", engine).json()
        links = {one["name"]: one["link"] for one in status["instruments"]}
        return int(links["smu-c1"]["exchanges"])

    wait_for(lambda: exchanges() > 10)  # the engine writes it down once more when a port is closed
    assert rig("bench", "status", "--db", engine).out.count("\n") >= 10
    asked = rig("bench", "identify", "smu-c2", "--db", engine)
    assert "Keithley 2450" in asked.out


def test_status_says_who_has_a_channel_by_hand_also_where_nothing_ever_ran(engine: str):
    taken(engine, "C2")
    shown = rig("status", "--db", engine)
    assert shown.code == 0
    assert "C2  free\n  by hand: anna, 90 s left\n" in shown.out
    (one,) = rig("status", "C2", "--db", engine, "--json").json()["channels"]
    assert one["by_hand"] == "by hand: anna, 90 s left"


def test_safe_ends_the_lease_of_whoever_has_the_channel_and_says_so(engine: str):
    """Also where nothing has ever run; and first, where a run is over, so that nobody is in the way."""
    lease = taken(engine, "C2")
    made = rig("safe", "C2", "--reason", "it smells", "--db", engine)
    assert made.code == 0, made.err
    words = "channel C2 is free; its cell is disconnected"
    assert made.out == f"C2  end lease of anna: done: {words}\n"
    store = open_database(engine)
    line = queries.table_rows(store, tables.journal, lease.lease_id)[-1]
    store.dispose()
    assert (line["verb"], line["reason"], line["answer"]) == ("end lease", "it smells", words)

    assert rig("hand", "ocv", "C1", "--for", "2 s", "--db", engine).code == 0
    taken(engine, "C1")
    both = rig("safe", "C1", "--json", "--db", engine).json()
    assert (both["channel"], both["outcome"]) == ("C1", "done")
    assert (both["lease"]["owner"], both["lease"]["outcome"]) == ("anna", "done")
    assert "no such run" in refused("safe", "P1", "--db", engine)


def test_a_chamber_is_warmed_no_further_than_the_cell_that_is_named_may_be(engine: str):
    limits = "{temperature: [0 degC, 45 degC]}"
    assert rig("cells", "limits", "LPS-17", limits, "--db", engine).code == 0
    told = refused("hand", "temperature", "C1", "46 degC", "--cell", "LPS-17", "--db", engine)
    assert "cell LPS-17, channel C1: got 46 degC, expected 0 to 45 degC" in told
    assert "nothing was asked of the chamber" in told
    store = open_database(engine)
    assert read_leases(store) == []
    store.dispose()
