"""What ``store.py`` measures: the ways of samples into each database, and the ways back.

Each function does one thing and returns seconds. The samples look like a charge and a discharge with
noise, because constants compress to nothing and numbers at random not at all.
"""

from __future__ import annotations

import math
import random
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import psycopg
from sqlalchemy import Engine, insert, select, text, update

from rig.core.clock import SimulatedClock
from rig.core.records import SAMPLE_COLUMNS, RunState, SampleRow
from rig.store import queries, samples, tables
from rig.store.delivery import deliver
from rig.store.disk import Disk
from rig.store.recorder import COMMIT_ROWS, Recorder
from rig.store.sealing import Place, seal
from rig.store.waiting import waiting_in

CYCLE_SAMPLES = 10_000
_COLUMNS = ", ".join(SAMPLE_COLUMNS)


def make_rows(run_id: str, count: int, seed: int = 1) -> list[SampleRow]:
    """Return samples of a cell of 5 mAh at 1C, one a second, a cycle every ``CYCLE_SAMPLES``."""
    chance = random.Random(seed)
    charged = discharged = 0.0
    rows: list[SampleRow] = []
    for seq in range(count):
        cycle, place = divmod(seq, CYCLE_SAMPLES)
        way = 1 if place < CYCLE_SAMPLES // 2 else -1
        part = place % (CYCLE_SAMPLES // 2) / (CYCLE_SAMPLES // 2)
        current = way * 5e-3 + chance.gauss(0.0, 1e-6)
        volt = 3.7 + way * (0.4 * part - 0.2) + chance.gauss(0.0, 2e-4)
        charged, discharged = charged + max(current, 0) / 3600, discharged + max(-current, 0) / 3600
        values = {
            "run_id": run_id,
            "seq": seq,
            "ts_us": 1_800_000_000_000_000 + 1_000_000 * seq + chance.randrange(2_000),
            "test_time_second": float(seq),
            "step_count": 2 * cycle + (way < 0),
            "step_id": int(way < 0),
            "cycle_count": cycle + 1,
            "phase": "ageing",
            "tag": "",
            "voltage_volt": round(volt, 6),
            "current_ampere": round(current, 9),
            "ambient_temperature_celsius": round(25.0 + 0.1 * math.sin(seq / 300), 1),
            "charging_capacity_ah": charged,
            "discharging_capacity_ah": discharged,
            "charging_energy_wh": 3.7 * charged,
            "discharging_energy_wh": 3.6 * discharged,
            "flags": 0,
        }
        rows.append(tuple(values.get(name) for name in SAMPLE_COLUMNS))
    return rows


def add_run(engine: Engine, run_id: str) -> None:
    """Make the run that the samples belong to, running."""
    queries.insert_row(engine, tables.rig, {"rig_id": "rig", "name": "rig", "created_us": 0})
    values = {
        "run_id": run_id,
        "rig_id": "rig",
        "state": RunState.RUNNING.value,
        "seed": 1,
        "created_us": 0,
        **dict.fromkeys(("channel", "protocol_name", "protocol_file", "protocol_text"), "A1"),
        **dict.fromkeys(("protocol_sha256", "software_version", "speed"), ""),
        "variables": {},
        "bench": {},
    }
    queries.insert_row(engine, tables.run, values)


# --- in ------------------------------------------------------------------------------------------


def journalled(engine: Engine, rows: Sequence[SampleRow]) -> float:
    """Record as an engine does, 1,000 rows a commit; to their place, too, where it is the database."""
    recorder = Recorder(engine, SimulatedClock(), commit_second=None)
    began = time.perf_counter()
    for start in range(0, len(rows), COMMIT_ROWS):
        for row in rows[start : start + COMMIT_ROWS]:
            recorder.sample(row)
        recorder.commit()
    recorder.close()
    return time.perf_counter() - began


def caught_up(journal: Engine, server: Engine) -> float:
    """Deliver all that waits in a journal, checksums compared, and taken out of it."""
    began = time.perf_counter()
    deliver(journal, server)
    took = time.perf_counter() - began
    assert waiting_in(journal).samples == 0
    return took


def plain_copy(server: Engine, rows: Sequence[SampleRow]) -> float:
    """The reference: the same rows by one COPY into a table of the same columns and key."""
    connection = server.raw_connection()
    raw = connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    name = f"plain_{uuid.uuid4().hex}"
    with raw.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} (LIKE sample INCLUDING ALL)")
        raw.commit()
        began = time.perf_counter()
        with cursor.copy(f"COPY {name} ({_COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        raw.commit()
        took = time.perf_counter() - began
        cursor.execute(f"DROP TABLE {name}")
        raw.commit()
    connection.close()
    return took


def note_cycles(engine: Engine, run_id: str, rows: int) -> None:
    """Write the cycles' rows, and that the run has ended."""
    numbers = ("charging_capacity_ah", "discharging_capacity_ah")
    numbers = (*numbers, "charging_energy_wh", "discharging_energy_wh")
    cycles = [
        {
            "run_id": run_id,
            "cycle_count": cycle + 1,
            "seq_first": cycle * CYCLE_SAMPLES,
            "seq_last": min(rows, (cycle + 1) * CYCLE_SAMPLES) - 1,
            **dict.fromkeys(numbers, 5e-3),
        }
        for cycle in range(-(-rows // CYCLE_SAMPLES))
    ]
    ended = update(tables.run).where(tables.run.c.run_id == run_id)
    with engine.begin() as connection:
        connection.execute(insert(tables.cycle), cycles)
        connection.execute(ended.values(state=RunState.FINISHED.value, ended_us=1))


def sealed(engine: Engine, run_id: str, folder: Path) -> float:
    """Seal the run to Parquet: written, synced, read again, compared."""
    began = time.perf_counter()
    place = Place(folder, Disk())
    seal(engine, queries.find_run(engine, run_id), place, now_us=2)
    return time.perf_counter() - began


# --- out -----------------------------------------------------------------------------------------

Read = Callable[[], object]


def ways_out(engine: Engine, run_id: str, cycle: int) -> dict[str, tuple[Read, Read]]:
    """Return each read as the program does it, and the same as one would without it."""

    def plainly(condition: str) -> pd.DataFrame:
        words = f"SELECT {_COLUMNS} FROM sample WHERE run_id = '{run_id}' {condition}"
        with engine.connect() as connection:
            return pd.read_sql(text(words), connection)

    def window(found: samples.Window) -> object:
        return samples.samples(engine, run_id, window=found)

    return {
        "last 1,000": (
            lambda: window(samples.newest_samples(engine, run_id, 1_000)),
            lambda: plainly("ORDER BY ts_us DESC LIMIT 1000"),
        ),
        "one cycle of 10,000": (
            lambda: window(samples.one_cycle(engine, run_id, cycle)),
            lambda: plainly(f"AND cycle_count = {cycle} ORDER BY seq"),
        ),
        "whole run": (
            lambda: samples.samples(engine, run_id),
            lambda: plainly("ORDER BY seq"),
        ),
    }


def timed(read: Read, rounds: int) -> float:
    """Return the fastest of some rounds, in seconds."""
    best = math.inf
    for _ in range(rounds):
        began = time.perf_counter()
        read()
        best = min(best, time.perf_counter() - began)
    return best


def bytes_of(engine: Engine, run_id: str) -> float:
    """Return what the table ``sample`` takes on disk, indexes included."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            return float(
                connection.execute(text("SELECT pg_total_relation_size('sample')")).scalar_one()
            )
    with engine.connect() as connection:
        statement = text("SELECT sum(pgsize) FROM dbstat WHERE name = 'sample'")
        try:
            return float(connection.execute(statement).scalar_one())
        except Exception:  # this SQLite was built without dbstat: the whole file, spool and all
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            size = connection.execute(text("PRAGMA page_size")).scalar_one()
            return float(pages * size)


def sealed_bytes(engine: Engine, run_id: str) -> float:
    """Return what the run's segments take on disk."""
    statement = select(tables.segment.c.bytes).where(tables.segment.c.run_id == run_id)
    with engine.connect() as connection:
        return float(sum(connection.execute(statement).scalars()))
