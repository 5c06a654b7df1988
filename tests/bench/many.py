"""Databases with many short runs of known fade, written by the recorder as an engine would."""

from __future__ import annotations

import math
from pathlib import Path

from sqlalchemy import Engine

from rig.core.records import RunState
from rig.store import queries, tables
from rig.store.database import open_database
from tests.store.stores import recorder_on, run_values, sample

CYCLES = 8
ALPHA = 0.004  # of run 0; each next one fades by a hundredth of it more
_PER_CYCLE = 4


def alpha_of(number: int) -> float:
    return ALPHA * (1.0 + number / 100.0)


def run_of(number: int) -> str:
    return f"{number:032x}"


def store_with_fading_runs(path: Path, count: int, *, cycles: int = CYCLES) -> Engine:
    """Make a database with this many runs, one in four of them of another chemistry."""
    engine = open_database(f"sqlite:///{path}")
    queries.insert_row(engine, tables.rig, {"rig_id": "rig", "name": "lab", "created_us": 0})
    recorder = recorder_on(engine)
    for number in range(count):
        add_fading_run(engine, recorder, number, cycles)
    recorder.close()
    return engine


def add_fading_run(engine, recorder, number: int, cycles: int) -> None:
    run_id = run_of(number)
    cell = {
        "cell_id": run_id,
        "name": f"cell {number}",
        "chemistry": "LFP" if number % 4 == 3 else "NMC",
        "capacity_ah": 1e-3,
    }
    queries.insert_row(engine, tables.cell, cell)
    values = run_values(run_id, number, RunState.FINISHED) | {
        "cell_id": run_id,
        "started_us": number,
    }
    queries.insert_row(engine, tables.run, values)
    seq, charged, discharged = 0, 0.0, 0.0
    for cycle in range(1, cycles + 1):
        first = seq
        capacity = 1e-3 * math.exp(-alpha_of(number) * cycle)
        for way in (1, -1):
            for part in range(_PER_CYCLE + 1):
                grown = capacity * part / _PER_CYCLE
                recorder.sample(
                    sample(
                        run_id,
                        seq,
                        test_time_second=3600.0 * (2 * cycle + (way < 0) + 0.9 * part / _PER_CYCLE),
                        cycle_count=cycle,
                        step_count=2 * cycle + (way < 0),
                        voltage_volt=3.7 + 0.1 * way,
                        current_ampere=way * capacity / 0.9,
                        charging_capacity_ah=charged + (grown if way > 0 else 0.0),
                        discharging_capacity_ah=discharged + (grown if way < 0 else 0.0),
                    )
                )
                seq += 1
            charged, discharged = (
                charged + (capacity if way > 0 else 0.0),
                discharged + (capacity if way < 0 else 0.0),
            )
        recorder.row("cycle", _cycle(run_id, cycle, first, seq - 1, capacity))
    recorder.commit()


def _cycle(run_id: str, cycle: int, first: int, last: int, capacity: float) -> dict[str, object]:
    return {
        "run_id": run_id,
        "cycle_count": cycle,
        "phase": "",
        "seq_first": first,
        "seq_last": last,
        "charging_capacity_ah": capacity,
        "discharging_capacity_ah": capacity,
        "charging_energy_wh": capacity * 3.8,
        "discharging_energy_wh": capacity * 3.6,
    }
