"""Runs for a PostgreSQL by the command line: written here, read there, steered and resumed here."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rig.bench.file import parse_bench
from rig.store import queries
from rig.store.database import open_database
from rig.store.journal import journal_file, open_store
from rig.store.samples import sample_frame
from tests.cli.commands import refused, rig
from tests.postgres import any_postgres, database, mortal, postgres, wait_until
from tests.store.deliveries import journal_with, nothing_waits

__all__ = ["any_postgres", "database", "mortal", "postgres"]


@pytest.fixture
def done(protocol: Path, database: str) -> str:
    """A server with one finished run; returns its URL."""
    assert rig("run", protocol, "--channel", "C1", "--db", database).code == 0
    return database


def test_a_run_is_listed_shown_exported_fitted_and_reported_from_the_server(done, folder):
    (one,) = rig("runs", "list", "--json", "--db", done).json()["runs"]
    assert one["state"] == "finished"
    shown = rig("runs", "show", "last", "--json", "--db", done).json()
    assert [cycle["cycle_count"] for cycle in shown["cycles"]] == [1, 2]
    exported = rig("runs", "export", "last", "--json", "--db", done).json()
    assert exported["rows"] == shown["steps"][-1]["seq_last"] + 1
    fitted = rig("fit", "cycles", "last", "--json", "--db", done)
    assert len(fitted.json()["cycles"]) == 2
    assert rig("report", "last", "--db", done).code == 0
    assert (folder / "report.html").exists()
    assert not (folder / "rig.db").exists()


def test_everything_has_arrived_when_the_run_is_over(done):
    checked = rig("db", "check", "--json", "--db", done)
    assert checked.code == 0
    state = checked.json()
    assert (state["runs"], state["runs_alive"], state["reached"]) == (1, 0, True)
    assert state["waiting_samples"] == state["waiting_rows"] == state["behind_second"] == 0
    assert "journal.db: 0 runs go on here" in rig("db", "check", "--db", done).out


def test_what_waits_is_brought_over_by_whoever_reads_and_by_rig_db_deliver(database):
    journal = journal_with(database, a=5)
    assert rig("db", "deliver", "--json", "--db", database).json()["waiting_samples"] == 0
    assert nothing_waits(journal)
    queries.insert_row(
        journal,
        queries.tables.event,
        {"run_id": "a", "ts_us": 1, "test_time_second": 0.0, "kind": "note", "message": "later"},
    )
    shown = rig("runs", "show", "a", "--json", "--db", database).json()
    assert shown["events"][-1]["message"] == "later"
    journal.dispose()


def test_a_server_that_is_away_is_said_by_whoever_reads_and_by_rig_db_check(
    postgres, mortal, protocol
):
    postgres.stop()
    try:
        ran = rig("run", protocol, "--channel", "C1", "--db", mortal)
        assert ran.code == 0, "the run does not need it"
        assert "samples and" in ran.err
        assert "rig db check" in ran.err
        for words in (("runs", "list"), ("runs", "show", "last"), ("fit", "cycles", "last")):
            away = rig(*words, "--db", mortal)
            assert away.code == 1
            assert "rig db check" in away.err
        checked = rig("db", "check", "--json", "--db", mortal)
        assert checked.code == 1
        assert checked.json()["waiting_samples"] == 150
        assert checked.json()["delivery_failure"]
        assert "AWAY" in rig("db", "check", "--db", mortal).out
    finally:
        postgres.start()
    assert rig("db", "deliver", "--db", mortal).code == 0
    after = rig("db", "check", "--json", "--db", mortal)
    assert (after.code, after.json()["delivery_failure"]) == (0, "")


@pytest.fixture
def running(protocol, folder, database):
    """A run on C1 in a process of its own, paced so that there is time to speak to it."""
    words = ("run", "p.yaml", "--channel", "C1", "--speed", "20", "--db", database)
    process = subprocess.Popen([sys.executable, "-m", "rig", *words], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: bool(written(journal_file(database), "event")))
        yield process
    finally:
        process.kill()
        process.wait()


def written(path: Path, table: str) -> int:
    """Count a table's rows from outside; 0 while the file is not made yet."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_a_run_is_steered_and_resumed_through_its_journal(running, database):
    paused = rig("pause", "C1", "--reason", "lunch", "--json", "--db", database).json()
    assert (paused["outcome"], paused["answer"]) == ("done", "paused; the cell is disconnected")
    alive = rig("db", "check", "--json", "--db", database)
    assert (alive.code, alive.json()["runs_alive"]) == (0, 1)
    busy = refused("run", "--resume", "last", "--db", database)
    assert "another process is running it" in busy
    running.kill()
    running.wait()
    resumed = rig("run", "--resume", "last", "--speed", "max", "--json", "--db", database)
    (run,) = resumed.json()["runs"]
    assert run["state"] == "finished"
    server = open_database(database)
    frame = sample_frame(server, run["run_id"])
    orders = queries.table_rows(server, queries.tables.journal, run["run_id"])
    server.dispose()
    assert frame["seq"].tolist() == list(range(run["samples"]))
    assert [(order["verb"], order["outcome"]) for order in orders] == [("pause", "done")]


def test_a_server_that_is_behind_a_run_that_goes_on_is_late(running, database, monkeypatch):
    monkeypatch.setattr("rig.bench.delivery_state.LATE_SECOND", -1.0)
    late = rig("db", "check", "--db", database)
    assert late.code == 1
    assert "LATE" in late.out


def test_samples_that_a_server_has_lost_are_told(done):
    server = open_database(done)
    with server.begin() as connection:  # an older backup was restored
        connection.exec_driver_sql("UPDATE ingest_cursor SET seq_next = 100")
        connection.exec_driver_sql("DELETE FROM sample WHERE seq >= 100")
    server.dispose()
    checked = rig("db", "check", "--json", "--db", done)
    assert checked.code == 1
    assert len(checked.json()["runs_with_lost_samples"]) == 1
    assert "LOST on the server" in rig("db", "check", "--db", done).out


def test_a_file_is_checked_too_and_has_nowhere_to_be_delivered(protocol):
    assert rig("run", protocol, "--channel", "C1").code == 0
    state = rig("db", "check", "--json").json()
    assert (state["runs"], state["journal"], state["well"]) == (1, None, True)
    assert "is a file" in refused("db", "deliver")
    assert "no such file" in refused("db", "check", "--db", "sqlite:///none.db")


def test_who_never_ran_anything_for_a_server_cannot_steer_it(database):
    assert "no run was ever started for it" in refused("pause", "last", "--db", database)
    assert "no run was ever started for it" in refused("run", "--resume", "last", "--db", database)
    assert "no run was ever started" in refused("alarms", "acknowledge", "A1", "--db", database)


def test_a_cell_that_another_rig_has_measured_keeps_its_record(database, protocol):
    theirs = {"cell_id": "1" * 32, "name": "LPS-17", "area_square_centimetre": 0.5}
    server = open_database(database)
    queries.insert_row(server, queries.tables.cell, theirs)
    server.dispose()
    ran = rig("run", protocol, "--channel", "C1", "--cell", "LPS-17", "--db", database)
    assert ran.code == 0, ran
    journal = open_store(database)
    assert queries.find_run(journal, "last").values["cell_id"] == "1" * 32
    journal.dispose()


SECRET = "tops3cret"


def test_a_password_is_in_no_message_and_in_no_file(protocol, folder, monkeypatch):
    monkeypatch.setenv("RIG_JOURNAL", str(folder / "journal.db"))
    url = f"postgresql://maria:{SECRET}@127.0.0.1:1/cells?connect_timeout=2"
    bench = BENCH.format(url=url)
    (folder / "bench.yaml").write_text(bench, encoding="utf-8")
    words = [
        rig("run", protocol, "--bench", "bench.yaml"),
        rig("--debug", "runs", "list", "--db", url),
        rig("db", "check", "--db", url),
        rig("db", "check", "--json", "--db", url),
        rig("fit", "cycles", "none.csv", "--db", url),
        rig("runs", "list", "--db", f"postgresql://maria:{SECRET}@[cells"),
        rig("runs", "list", "--db", f"mysql://maria:{SECRET}@labpc3/cells"),
        rig("pause", "nobody", "--db", url),
    ]
    assert [outcome.code for outcome in words] == [0, 1, 1, 1, 2, 1, 2, 2]
    assert SECRET not in json.dumps([(one.out, one.err) for one in words])
    assert SECRET.encode() not in journal_file(url).read_bytes()
    kept = parse_bench(bench, "bench.yaml").plain["database"]
    assert kept == "postgresql://maria:***@127.0.0.1:1/cells?connect_timeout=2"


BENCH = """bench: 1
database: "{url}"
instruments:
  smu-1: {{driver: keithley.smu2450, connect: sim}}
channels:
  A1: {{cell: smu-1, simulate: {{cell: full_cell, area: 1 cm^2}}}}
"""
