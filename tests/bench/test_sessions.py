"""Whole runs on the built-in bench: they repeat to the bit, stop safely, and go on where they were."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from rig.bench.file import load_bench
from rig.bench.session import Session
from rig.bench.starting import Job, resume_job, start
from rig.core.clock import SIMULATED_EPOCH_US
from rig.core.errors import BadInput, StoreError
from rig.protocol import loads_protocol
from rig.store import queries
from rig.store.database import open_database
from rig.store.samples import sample_frame

PROTOCOL = """protocol: 1
name: two short cycles
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
record: {every: 10 s}
steps:
  - repeat: 2
    steps:
      - charge: {at: 1C, until: 4.2 V, for: 5 min}
      - rest: {for: 2 min}
      - discharge: {at: 1C, until: 2.8 V, for: 5 min}
"""
BENCH = load_bench("sim")


def session_on(path: Path, *, seed: int = 1, channel: str = "C1", text: str = PROTOCOL) -> Session:
    job = Job(loads_protocol(text), "p.yaml", BENCH.channels[channel])
    return start([job], BENCH, database=f"sqlite:///{path}", seed=seed)


def run_on(path: Path, *, seed: int = 1) -> pd.DataFrame:
    session = session_on(path, seed=seed)
    session.run()
    assert session.runs[0].state.value == "finished", session.runs[0].reason
    return samples_in(path)


def samples_in(path: Path) -> pd.DataFrame:
    """Return the last run's samples without the one column that must differ."""
    engine = open_database(f"sqlite:///{path}", create=False)
    frame = sample_frame(engine, queries.find_run(engine, "last").run_id)
    engine.dispose()
    return frame.drop(columns="run_id")


def stop_after(session: Session, steps: int) -> None:
    """Run and stop after so many steps of work, as Ctrl-C would."""
    count = iter(range(1_000_000))

    def look() -> None:
        if next(count) == steps:
            session.stop("Ctrl-C")

    session.run(look)


def is_disconnected(session: Session, channel: str) -> bool:
    """Ask the simulated source meter itself, not the driver that is under test."""
    world = session.bench.world
    assert world is not None
    link = world.link(BENCH.channels[channel].instruments["cell"])
    link.write(b":OUTP?\n")
    return link.read_until(b"\n", 1.0).strip() == b"0"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    one, two = run_on(tmp_path / "1.db"), run_on(tmp_path / "2.db")
    other = run_on(tmp_path / "3.db", seed=2)
    assert len(one) > 100
    assert one.to_csv() == two.to_csv()
    assert one["voltage_volt"].tolist() != other["voltage_volt"].tolist()


def test_ctrl_c_disconnects_the_cell_and_the_run_goes_on_to_its_end(tmp_path):
    path = tmp_path / "rig.db"
    session = session_on(path)
    stop_after(session, 600)
    run = session.runs[0]
    assert (run.state.value, run.reason) == ("paused", "Ctrl-C")
    assert is_disconnected(session, "C1")
    before = samples_in(path)
    assert 10 < len(before) < 140
    again = resumed(path)
    again.run()
    assert again.runs[0].state.value == "finished", again.runs[0].reason
    assert again.runs[0].run_id == run.run_id
    frame = samples_in(path)
    assert frame["seq"].tolist() == list(range(len(frame)))
    assert frame["test_time_second"].is_monotonic_increasing
    assert frame["ts_us"].is_monotonic_increasing
    assert frame["charging_capacity_ah"].is_monotonic_increasing
    assert frame.head(len(before)).equals(before)
    assert frame["cycle_count"].max() == 2


def resumed(path: Path, seed: int = 1) -> Session:
    url = f"sqlite:///{path}"
    engine = open_database(url, create=False)
    job = resume_job(queries.find_run(engine, "last"), BENCH, engine)
    engine.dispose()
    return start([job], BENCH, database=url, seed=seed)


@pytest.mark.parametrize("steps", [1, 2, 5, 30, 200])
def test_however_early_or_often_it_is_stopped_it_resumes_without_gaps(tmp_path, steps):
    path = tmp_path / "rig.db"
    stop_after(session_on(path), steps)
    stop_after(resumed(path), steps)
    last = resumed(path)
    last.run()
    assert last.runs[0].state.value == "finished", last.runs[0].reason
    frame = samples_in(path)
    assert frame["seq"].tolist() == list(range(len(frame)))


def test_a_run_that_is_resumed_keeps_its_own_seed(tmp_path):
    first = session_on(tmp_path / "rig.db", seed=7)
    stop_after(first, 300)
    again = resumed(tmp_path / "rig.db", seed=1)
    again.run()
    record = queries.find_run(again.engine, "last")
    assert record.values["seed"] == 7
    assert first.bench.world is not None
    assert again.bench.world is not None
    assert first.bench.world.truth("C1") == again.bench.world.truth("C1")


def test_a_finished_run_has_nothing_to_continue(tmp_path):
    run_on(tmp_path / "rig.db")
    with pytest.raises(BadInput, match="is finished: there is nothing to continue"):
        resumed(tmp_path / "rig.db")


def test_simulated_time_begins_at_its_epoch(tmp_path):
    frame = run_on(tmp_path / "rig.db")
    assert 0 <= frame["ts_us"].iloc[0] - SIMULATED_EPOCH_US < 60e6


def killed_before_its_first_commit(path: Path) -> str:
    """Register a run and let go of everything, as the end of its process would."""
    session = session_on(path)
    session.locks.close()
    session.bench.close()
    session.engine.dispose()
    return session.runs[0].run_id


def test_a_run_that_was_killed_before_its_first_commit_begins_when_it_is_resumed(tmp_path):
    run_id = killed_before_its_first_commit(tmp_path / "rig.db")
    again = resumed(tmp_path / "rig.db")
    again.run()
    assert again.runs[0].run_id == run_id
    assert again.runs[0].state.value == "finished", again.runs[0].reason
    frame = samples_in(tmp_path / "rig.db")
    assert frame["seq"].tolist() == list(range(len(frame)))


def test_two_runs_cannot_share_a_channel(tmp_path):
    job = Job(loads_protocol(PROTOCOL), "p.yaml", BENCH.channels["C1"])
    with pytest.raises(BadInput, match="one thing at a time"):
        start([job, job], BENCH, database=f"sqlite:///{tmp_path / 'rig.db'}")
    assert list(tmp_path.iterdir()) == []


def test_what_a_channel_cannot_do_is_refused_before_there_is_a_database(tmp_path):
    too_far = PROTOCOL.replace("4.3 V]", "4.6 V]").replace("until: 4.2 V", "until: 4.5 V")
    with pytest.raises(BadInput, match="outside what the channel allows"):
        session_on(tmp_path / "rig.db", text=too_far)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_fails_for_a_while_disconnects_and_loses_nothing(tmp_path):
    """One commit fails; the cell is made safe, and what was kept is written at the end."""
    session = session_on(tmp_path / "rig.db")
    fails = iter([True])

    def fail_once(*_: object) -> None:
        if next(fails, False):
            raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    count = iter(range(1_000_000))

    def commit_now() -> None:
        if next(count) == 500:
            event.listen(session.engine, "before_cursor_execute", fail_once)
            session.recorder.commit()

    with pytest.raises(StoreError, match="disk I/O error"):
        session.run(commit_now)
    assert is_disconnected(session, "C1")
    run = session.runs[0]
    frame = samples_in(tmp_path / "rig.db")
    assert len(frame) == run.cursor.progress.seq > 10
    engine = open_database(f"sqlite:///{tmp_path / 'rig.db'}", create=False)
    record = queries.find_run(engine, "last")
    engine.dispose()
    assert record.state == "paused"
    assert "disk I/O error" in record.values["reason"]


def test_a_stop_before_the_first_set_point_is_obeyed_too(tmp_path):
    """It may come while what was left switched on is being disconnected; it must not be lost."""
    session = session_on(tmp_path / "rig.db")
    stop_after(session, 0)
    assert (session.runs[0].state.value, session.runs[0].reason) == ("paused", "Ctrl-C")
    assert is_disconnected(session, "C1")
