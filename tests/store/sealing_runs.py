"""Runs that have ended, with every kind of value a sample may have, to be sealed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from sqlalchemy import Engine, update

from rig.core.records import RunState
from rig.store import tables
from rig.store.disk import Disk
from rig.store.forwarder import forward
from rig.store.queries import RunRecord, find_run
from rig.store.samples import samples
from rig.store.sealing import Place
from tests.store.stores import recorder_on, sample, store_at

NOW_US = 1_700_000_000_000_000


def place_in(folder: Path, disk: Disk | None = None) -> Place:
    return Place(folder, disk or Disk())


def odd_sample(run_id: str, seq: int) -> tuple[object, ...]:
    """A sample with nulls, infinities, negative zero, and texts beyond ASCII in places."""
    odd: dict[str, object] = {}
    if seq % 7 == 0:
        odd |= {"voltage_volt": None, "aux": '{"dew_point": -60.1}'}
    if seq % 11 == 0:
        odd |= {"current_ampere": -0.0, "tag": "Prüfzyklus µ", "flags": 16}
    if seq % 13 == 0:
        odd |= {"applied_pressure_pa": float("inf"), "phase": None}
    return sample(run_id, seq, **odd)


def ended(engine: Engine, run_id: str, count: int, state: RunState = RunState.FINISHED) -> None:
    """Give a run samples from 0 on, and end it."""
    keep_odd(engine, run_id, 0, count)
    with engine.begin() as connection:
        change = update(tables.run).where(tables.run.c.run_id == run_id)
        connection.execute(change.values(state=state.value, ended_us=NOW_US))


def keep_odd(engine: Engine, run_id: str, first: int, count: int) -> None:
    recorder = recorder_on(engine)
    for seq in range(first, first + count):
        recorder.sample(odd_sample(run_id, seq))
    recorder.commit()


def file_with_ended(path: Path, count: int) -> tuple[Engine, RunRecord, pa.Table]:
    """Make an SQLite database with the ended run ``a``; return it, the run and its samples."""
    engine = store_at(path, "a")
    ended(engine, "a", count)
    forward(engine)
    return engine, find_run(engine, "a"), samples(engine, "a")
