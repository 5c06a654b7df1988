"""Databases with runs and samples to write, and the one question that matters after a power cut."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from rig.core.clock import SimulatedClock
from rig.core.records import SAMPLE_COLUMNS, RunState, SampleRow
from rig.engine.cursor import Cursor, Progress, to_json
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.recorder import Recorder
from rig.store.samples import sample_frame

FILES = ("", "-wal", "-shm")


def store_at(path: Path, *runs: str) -> Engine:
    """Make a database with these runs in it, none of which has begun."""
    engine = open_database(f"sqlite:///{path}")
    add_runs(engine, *runs)
    return engine


def add_runs(engine: Engine, *runs: str) -> None:
    queries.insert_row(engine, tables.rig, {"rig_id": "rig", "name": "rig", "created_us": 0})
    for number, run_id in enumerate(runs):
        queries.insert_row(engine, tables.run, run_values(run_id, number))


def run_values(
    run_id: str, created_us: int = 0, state: RunState = RunState.QUEUED
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "rig_id": "rig",
        "channel": "A1",
        "protocol_name": "test",
        "protocol_file": "test.yaml",
        "protocol_text": "protocol: 1",
        "protocol_sha256": "0" * 64,
        "variables": {},
        "software_version": "0",
        "bench": {},
        "speed": "",
        "seed": 1,
        "state": state.value,
        "created_us": created_us,
    }


def sample(run_id: str, seq: int, **changed: object) -> SampleRow:
    """Return a sample whose every number can be told from its neighbour's."""
    values: dict[str, object] = {
        "run_id": run_id,
        "seq": seq,
        "ts_us": 1_000_000 * seq,
        "test_time_second": float(seq),
        "step_count": 1 + seq // 10,
        "step_id": 0,
        "cycle_count": 1,
        "phase": "",
        "tag": "",
        "voltage_volt": 3.0 + seq / 1000,
        "current_ampere": 0.001,
        "ambient_temperature_celsius": 25.0,
        "surface_temperature_celsius": None,
        "charging_capacity_ah": seq * 1e-6,
        "discharging_capacity_ah": 0.0,
        "charging_energy_wh": seq * 3e-6,
        "discharging_energy_wh": 0.0,
        "applied_pressure_pa": None,
        "flags": 0,
        "aux": None,
    }
    values |= changed
    return tuple(values[name] for name in SAMPLE_COLUMNS)


def event(run_id: str, seq: int) -> dict[str, object]:
    return {
        "run_id": run_id,
        "ts_us": seq,
        "test_time_second": float(seq),
        "kind": "note",
        "message": f"after sample {seq}",
    }


def recorder_on(engine: Engine) -> Recorder:
    return Recorder(engine, SimulatedClock(), commit_second=None)


def keep(recorder: Recorder, run_id: str, first: int, count: int) -> None:
    """Keep samples, an event for each, and the cursor after them, as the engine does."""
    for seq in range(first, first + count):
        recorder.sample(sample(run_id, seq))
        recorder.row("event", event(run_id, seq))
    cursor = Cursor(progress=Progress(seq=first + count))
    recorder.cursor(run_id, lambda: to_json(cursor))


def copy_database(path: Path, to: Path) -> Path:
    """Copy what is on disk now: what a machine finds that loses its power at this moment."""
    for ending in FILES:
        source = path.with_name(path.name + ending)
        if source.exists():
            shutil.copyfile(source, to.with_name(to.name + ending))
    return to


def require_agreement(engine: Engine, run_id: str) -> int:
    """Check that cursor, samples and events of a run agree, without gaps; return how many."""
    frame = sample_frame(engine, run_id)
    stored = queries.load_cursor(engine, run_id)
    count = json.loads(stored[0])["progress"]["seq"] if stored else 0
    assert list(frame["seq"]) == list(range(count))
    with engine.connect() as connection:
        events = select(tables.event.c.run_id).where(tables.event.c.run_id == run_id)
        assert len(connection.execute(events).fetchall()) == count
    return count


def rows_in(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
