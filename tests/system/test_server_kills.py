"""A run whose PostgreSQL is killed -9 again and again while it goes on: it does not notice.

Afterwards the server has every sample of the run once, the same as those of an undisturbed run.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.samples import sample_frame
from tests.cli.commands import rig as typed
from tests.postgres import PostgresServer, wait_until
from tests.system.test_kill_and_resume import PROTOCOL, finish, rig

# What differs between two runs of one protocol and one seed: their names, and the hour of the day.
ITS_OWN = ["run_id", "ts_us"]
SPEED = "150"  # a cycle lasts most of a minute: the kills find it running on any machine
LAST_WORDS = 5  # samples that a stop may have brought about


def in_journal(query: str) -> int:
    """Ask the journal from outside, as it is on disk; 0 while it is not made yet."""
    uri = f"file:{os.environ['RIG_JOURNAL']}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return int(connection.execute(query).fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return 0


def waiting_samples() -> int:
    return in_journal("SELECT count(*) FROM spool")


def delivered_samples() -> int:
    return in_journal("SELECT sum(seq_next) FROM forwarded")


def begin(folder: Path, cycles: int, *words: str) -> subprocess.Popen[str]:
    (folder / "short.yaml").write_text(PROTOCOL, encoding="utf-8")
    which = ("--bench", "sim", "--channel", "C1", "--set", f"cycles={cycles}", "--json")
    return rig(folder, "run", "short.yaml", *which, *words)


def kill_while_it_runs(
    postgres: PostgresServer, process: subprocess.Popen[str], times: int
) -> None:
    """Kill the server each time more samples have come; it stays away until some more wait."""
    for _ in range(times):
        come = delivered_samples()
        wait_until(lambda come=come: ended(process) or delivered_samples() > come)
        postgres.kill()
        there = waiting_samples()
        wait_until(lambda there=there: ended(process) or waiting_samples() > there + 5)
        assert not ended(process), process.communicate()
        postgres.start()


def ended(process: subprocess.Popen[str]) -> bool:
    return process.poll() is not None


def samples_in(url: str) -> pd.DataFrame:
    engine = open_database(url)
    try:
        forward(engine)
        return sample_frame(engine, queries.find_run(engine, "last").run_id)
    finally:
        engine.dispose()


def stopped_after_kills(
    postgres: PostgresServer, process: subprocess.Popen[str], times: int
) -> dict[str, Any]:
    """Kill the server so many times, and stop with Ctrl-C; returns what the run says of itself."""
    try:
        kill_while_it_runs(postgres, process, times)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
        postgres.kill()
        postgres.start()
    assert process.returncode == 1, out + err
    (run,) = json.loads(out)["runs"]
    assert run["state"] == "paused"
    return dict(run)


def assert_complete(database: str, run: dict[str, Any]) -> pd.DataFrame:
    """The server has each sample of this run once, and nothing waits any more."""
    assert typed("db", "deliver", "--db", database).code == 0
    checked = typed("db", "check", "--json", "--db", database)
    assert checked.code == 0, checked
    assert checked.json()["waiting_samples"] == checked.json()["waiting_rows"] == 0
    there = samples_in(database)
    assert there["seq"].tolist() == list(range(run["samples"]))
    assert delivered_samples() == run["samples"]
    return there


def survive(
    postgres: PostgresServer, database: str, folder: Path, *, times: int, cycles: int
) -> None:
    (folder / "undisturbed").mkdir()
    control = f"sqlite:///{folder / 'undisturbed' / 'rig.db'}"
    undisturbed = begin(folder / "undisturbed", cycles, "--db", control)
    process = begin(folder, cycles, "--db", database, "--speed", SPEED)
    stopped = stopped_after_kills(postgres, process, times)
    before = assert_complete(database, stopped)
    finish(undisturbed)
    whole = samples_in(control)
    same = len(before) - LAST_WORDS
    assert same > 20
    pd.testing.assert_frame_equal(
        before.head(same).drop(columns=ITS_OWN), whole.head(same).drop(columns=ITS_OWN)
    )
    process = rig(folder, "run", "--resume", "last", "--db", database, "--speed", "max", "--json")
    (finished,) = json.loads(finish(process))["runs"]
    after = assert_complete(database, finished)
    assert after["cycle_count"].max() == cycles
    pd.testing.assert_frame_equal(after.head(len(before)), before)
    assert "database away" in told(database, finished["run_id"])


def told(database: str, run_id: str) -> set[str]:
    engine = open_database(database)
    try:
        assert queries.find_run(engine, run_id).state == "finished"
        return {row["kind"] for row in queries.table_rows(engine, tables.event, run_id)}
    finally:
        engine.dispose()


@pytest.mark.slow
def test_a_run_does_not_notice_that_its_server_is_killed_three_times(
    postgres, mortal, tmp_path
) -> None:
    survive(postgres, mortal, tmp_path, times=3, cycles=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_does_not_notice_that_its_server_is_killed_twenty_times(
    postgres, mortal, tmp_path
) -> None:
    survive(postgres, mortal, tmp_path, times=20, cycles=8)
