"""Fail the store at its first statement, its second, ... and step the wall clock at every reading of it.

The run is that of test_fault_ladder: CC, CC-CV, EIS and temperature on three families. The store
fails by a real lock of another connection on the real file, for a moment or for good. After every
rung: the cell is disconnected, the reason is recorded, data and cursor agree; and a store that comes
back in time costs nothing at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from rig.bench.file import load_bench
from rig.bench.session import Session
from rig.bench.starting import Job, start
from rig.core.clock import PacedClock, SimulatedClock
from rig.core.errors import StoreError
from rig.core.records import RunState
from rig.engine.cursor import from_json
from rig.protocol import loads_protocol
from rig.store import queries
from rig.store.samples import sample_frame
from simulators.interfaces import DriveMode
from tests.system.test_fault_ladder import PROTOCOL

# Faster than any computer runs it: paced, so that there are seconds to commit in, and no waiting.
SPEED = 1e6


def session_in(folder: Path, clock: SimulatedClock) -> Session:
    folder.mkdir()
    bench = load_bench("sim")
    job = Job(loads_protocol(PROTOCOL), "one.yaml", bench.channels["C1"])
    return start([job], bench, database=f"sqlite:///{folder / 'rig.db'}", clock=clock)


def assert_disconnected(session: Session) -> None:
    world = session.bench.world
    assert world is not None
    drives = world.cell("C1")._drives.values()  # type: ignore[attr-defined]
    assert [drive for drive in drives if drive.mode is not DriveMode.OPEN] == []


def assert_agreement(session: Session, what: object) -> int:
    """Data and cursor in the file agree; return the number of samples."""
    (run,) = session.runs
    samples = sample_frame(session.engine, run.run_id)
    stored = queries.load_cursor(session.engine, run.run_id)
    session.engine.dispose()
    seq = samples["seq"].tolist()
    assert seq == list(range(len(seq))), what
    assert (from_json(stored[0]).progress.seq if stored else 0) == len(seq), what
    return len(seq)


# --- the store -----------------------------------------------------------------------------------


@dataclass
class Locker:
    """Somebody who locks the file at the n-th statement, and lets go at the first that failed."""

    path: Path
    at: int
    lasting: bool
    count: int = 0
    _other: sqlite3.Connection | None = None
    failed: int = field(default=0)

    def listen(self, session: Session) -> None:
        event.listen(session.engine, "connect", _without_patience)
        event.listen(session.engine, "before_cursor_execute", self._statement)
        event.listen(session.engine, "handle_error", self._failure)
        session.engine.pool.dispose()

    def release(self) -> None:
        if self._other is not None:
            self._other.rollback()
            self._other.close()
            self._other = None

    def _statement(self, *_: Any) -> None:
        self.count += 1
        if self.count == self.at:
            self._other = sqlite3.connect(self.path, isolation_level=None, timeout=5.0)
            try:
                self._other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:  # in the middle of the engine's own transaction
                self.at += 1
                self._other.close()
                self._other = None

    def _failure(self, _context: Any) -> None:
        self.failed += 1
        if not self.lasting:
            self.release()


def _without_patience(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout=0")


def statements_of_a_good_run(folder: Path) -> tuple[int, int]:
    session = session_in(folder, PacedClock(SPEED))
    locker = Locker(folder / "rig.db", 0, lasting=False)
    locker.listen(session)
    session.run()
    assert session.runs[0].state is RunState.FINISHED, session.runs[0].reason
    return locker.count, assert_agreement(session, "a good run")


def climb(folder: Path, at: int, samples: int, *, lasting: bool) -> None:
    session = session_in(folder, PacedClock(SPEED))
    locker = Locker(folder / "rig.db", at, lasting)
    locker.listen(session)
    rung = f"statement {at}, {'lasting' if lasting else 'transient'}"
    (run,) = session.runs
    try:
        session.run()
    except StoreError:
        assert lasting, rung
        assert run.state in {RunState.PAUSED, RunState.FINISHED}, rung
        if run.state is RunState.PAUSED:
            assert "data cannot be stored" in run.reason, rung
    locker.release()
    assert_disconnected(session)
    kept = assert_agreement(session, rung)
    if not lasting:
        assert run.state is RunState.FINISHED, f"{rung}: {run.reason}"
        assert kept == samples, rung


def rungs(folder: Path, count: int) -> Iterator[tuple[int, int, bool]]:
    """Yield (statement, samples of a good run, lasting), about ``count`` statements of all."""
    statements, samples = statements_of_a_good_run(folder / "good")
    for at in range(1, statements + 1, max(1, statements // count)):
        for lasting in (False, True):
            yield at, samples, lasting


def climb_all(folder: Path, count: int) -> None:
    for number, (at, samples, lasting) in enumerate(rungs(folder, count)):
        climb(folder / str(number), at, samples, lasting=lasting)


def test_a_part_of_the_ladder_over_the_store(tmp_path: Path) -> None:
    climb_all(tmp_path, 3)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_whole_ladder_over_the_store(tmp_path: Path) -> None:
    climb_all(tmp_path, 10_000)


# --- the wall clock ------------------------------------------------------------------------------


class SteppingClock(SimulatedClock):
    """The wall clock is set at the n-th look at it: for one look, or from then on."""

    def __init__(self, at: int = 0, step_second: float = 0.0, *, lasting: bool = True) -> None:
        super().__init__()
        self.looks, self._at = 0, at
        self._step_us, self._lasting = round(step_second * 1e6), lasting

    def wall_us(self) -> int:
        self.looks += 1
        stepped = self.looks >= self._at if self._lasting else self.looks == self._at
        return super().wall_us() + (self._step_us if self._at and stepped else 0)


def timing_of(folder: Path, clock: SteppingClock) -> list[tuple[float, ...]]:
    """Run to the end; return what every sample says but for its wall time."""
    session = session_in(folder, clock)
    session.run()
    assert session.runs[0].state is RunState.FINISHED, session.runs[0].reason
    assert_disconnected(session)
    samples = sample_frame(session.engine, session.runs[0].run_id)
    session.engine.dispose()
    wall = samples["ts_us"] - samples["test_time_second"] * 1e6
    assert wall.max() - wall.min() < 2.0, "wall time neither jumps nor repeats within a run"
    columns = ["seq", "test_time_second", "step_count", "voltage_volt", "current_ampere"]
    return [tuple(row) for row in samples[columns].itertuples(index=False)]


@pytest.mark.parametrize("step_second", [-3600.0, 86_400.0 * 365], ids=str)
@pytest.mark.parametrize("lasting", [True, False], ids=["lasting", "transient"])
def test_no_step_of_the_wall_clock_moves_a_sample(
    tmp_path: Path, step_second: float, lasting: bool
) -> None:
    undisturbed = SteppingClock()
    expected = timing_of(tmp_path / "good", undisturbed)
    for number, at in enumerate(range(1, undisturbed.looks, max(1, undisturbed.looks // 2))):
        clock = SteppingClock(at, step_second, lasting=lasting)
        assert timing_of(tmp_path / str(number), clock) == expected, at


def test_a_clock_that_is_set_is_on_record(tmp_path: Path) -> None:
    undisturbed = SteppingClock()
    timing_of(tmp_path / "good", undisturbed)
    session = session_in(tmp_path / "set", SteppingClock(undisturbed.looks // 2, -3600.0))
    session.run()
    (run,) = session.runs
    rows = queries.table_rows(session.engine, queries.tables.event, run.run_id)
    session.engine.dispose()
    told = [row["message"] for row in rows if row["kind"] == "clock step"]
    assert told == [
        "the computer's clock was set back by 3600.0 s; wall times of this run keep to the old one"
    ]
