"""A word to a run in another process: the command line asks, the engine answers, the journal has it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from rig.store import queries, tables
from rig.store.database import open_database
from simulators.fronts.keithley_2450 import Keithley2450Front
from tests.cli.commands import Outcome
from tests.cli.commands import rig as typed
from tests.cli.served import bench_at, served
from tests.system.test_kill_and_resume import PROTOCOL, rig, wait_for_samples
from tests.system.test_watchdog import PROTOCOL as CHARGE
from tests.system.test_watchdog import Engine, Watched

SPEED = "200"


class Engineer:
    """Somebody at another terminal of the same folder."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'rig.db'}"

    def says(self, *words: object) -> Outcome:
        return typed(*words, "--db", self.url, "--json")

    def state(self) -> str:
        return str(typed("runs", "show", "last", "--json", "--db", self.url).json()["state"])

    def engine(self) -> Database:
        return open_database(self.url)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Engineer]:
    """A run on C1 in a process of its own, paced so that there is time to speak to it."""
    (tmp_path / "short.yaml").write_text(PROTOCOL, encoding="utf-8")
    process = rig(tmp_path, "run", "short.yaml", "--channel", "C1", "--speed", SPEED)
    try:
        wait_for_samples(tmp_path, process, 5)
        yield Engineer(tmp_path)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def said(outcome: Outcome) -> tuple[str, str]:
    answer = outcome.json()
    return answer["outcome"], answer["answer"]


def journal(engine: Database) -> list[dict[str, Any]]:
    run = queries.find_run(engine, "last")
    return queries.table_rows(engine, tables.journal, run.run_id)


def test_a_run_is_paused_resumed_steered_and_stopped_from_another_process(
    running: Engineer,
) -> None:
    assert said(running.says("pause", "C1", "--reason", "lunch")) == (
        "done",
        "paused; the cell is disconnected",
    )
    assert running.state() == "paused"
    assert said(running.says("pause", "last")) == ("done", "already paused")
    assert said(running.says("goto", "C1", "2")) == ("done", "still paused; it goes on from there")
    assert said(running.says("resume", "C1")) == ("done", "running")
    assert said(running.says("skip", "C1")) == ("done", "the run goes on")
    refused = running.says("goto", "C1", "99")
    assert refused.code == 1
    assert "there is no step 99" in said(refused)[1]
    assert said(running.says("stop", "C1", "--reason", "enough"))[0] == "done"
    assert running.state() == "stopped"
    engine = running.engine()
    rows = journal(engine)
    engine.dispose()
    asked = [row["verb"] for row in rows]
    assert asked == ["pause", "pause", "go to", "resume", "skip", "go to", "stop"]
    assert all(row["outcome"] and row["answered_us"] >= row["ts_us"] for row in rows)
    assert rows[0]["reason"] == "lunch"
    assert "@" in rows[0]["who"]


def test_a_run_that_no_process_has_is_told_so_and_can_be_stopped_and_made_safe(
    tmp_path: Path,
) -> None:
    (tmp_path / "short.yaml").write_text(PROTOCOL, encoding="utf-8")
    process = rig(tmp_path, "run", "short.yaml", "--channel", "C1", "--speed", SPEED)
    wait_for_samples(tmp_path, process, 5)
    process.kill()
    process.communicate(timeout=30)
    desk = Engineer(tmp_path)
    outcome, words = said(desk.says("pause", "C1"))
    assert (outcome, "rig run --resume" in words) == ("refused", True)
    assert said(desk.says("safe", "C1"))[0] == "done"
    assert desk.state() == "stopped"
    assert said(desk.says("stop", "C1")) == ("done", "already stopped")


def test_what_is_no_run_and_no_channel_is_bad_input(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'rig.db'}").dispose()
    outcome = Engineer(tmp_path).says("pause", "Z9")
    assert outcome.code == 2
    assert "no run" in outcome.err


@pytest.mark.slow
def test_two_people_at_once_are_both_answered(running: Engineer) -> None:
    outcomes: list[Outcome] = []
    # The streams of this process are one: the second person is a process of its own.
    other = rig(Path(running.url.removeprefix("sqlite:///")).parent, "pause", "C1", "--json")
    waiter = threading.Thread(target=lambda: outcomes.append(running.says("pause", "C1")))
    waiter.start()
    waiter.join(30)
    out, _ = other.communicate(timeout=30)
    answers = sorted([said(outcomes[0])[0], json.loads(out)["outcome"]])
    assert answers in (["done", "done"], ["done", "refused"])
    assert running.state() == "paused"


@pytest.fixture
def left_connected(tmp_path: Path) -> Iterator[Watched]:
    """A source meter that goes on charging: its engine was killed, and nobody watched."""
    (tmp_path / "p.yaml").write_text(CHARGE, encoding="utf-8")
    front = Watched()
    with served({"smu-1": front}) as addresses:
        bench = bench_at(tmp_path, addresses["smu-1"])
        bench.write_text(bench.read_text() + "watchdog: off\n", encoding="utf-8")
        engine = Engine(tmp_path, "run", "p.yaml", "--bench", str(bench))
        engine.wait_until_it_charges()
        engine.process.kill()
        engine.process.communicate(timeout=30)
        assert front.is_on
        yield front


def test_safe_disconnects_a_cell_that_a_dead_engine_left_connected(
    tmp_path: Path, left_connected: Watched
) -> None:
    desk = Engineer(tmp_path)
    assert said(desk.says("safe", "A1")) == ("done", "smu-1 confirmed the cell disconnected")
    assert not left_connected.is_on
    assert desk.state() == "stopped"


def test_safe_that_nobody_confirms_is_the_loudest_alarm(
    tmp_path: Path, left_connected: Watched
) -> None:
    left_connected.deaf = True
    desk = Engineer(tmp_path)
    outcome = desk.says("safe", "A1")
    assert outcome.code == 1
    assert "Disconnect the cell by hand now" in said(outcome)[1]
    (alarm,) = desk.says("alarms", "list").json()["alarms"]
    assert (alarm["severity"], alarm["kind"]) == ("critical", "unconfirmed-safe-state")
    assert desk.state() in {"running", "starting"}


def test_safe_tells_nothing_to_an_instrument_that_was_plugged_in_since(
    tmp_path: Path, left_connected: Watched
) -> None:
    assert isinstance(left_connected.front, Keithley2450Front)
    left_connected.front.meter.identity = "KEITHLEY INSTRUMENTS,MODEL 2450,04099999,1.7.12b"
    desk, heard = Engineer(tmp_path), len(left_connected.heard)
    outcome = desk.says("safe", "A1")
    assert outcome.code == 1
    words = said(outcome)[1]
    assert "NOT CONFIRMED" in words
    assert "it was left alone, for its cell is somebody else's" in words
    assert b"OUTP" not in left_connected.heard[heard:]
    (alarm,) = desk.says("alarms", "list").json()["alarms"]
    assert (alarm["severity"], alarm["kind"]) == ("critical", "unconfirmed-safe-state")
