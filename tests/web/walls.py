"""A store full of channels in every state, written row by row: no engine is needed to look at a wall."""

from __future__ import annotations

import hashlib
import math
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import Engine

from rig.bench.file import parse_bench
from rig.bench.leases import Lease, leases_row
from rig.bench.locks import lock_channels
from rig.core.alarms import Severity, raise_alarm
from rig.core.records import SAMPLE_COLUMNS
from rig.engine.cursor import Cursor, Place, Progress, Suspension, to_json
from rig.store import tables
from rig.store.alarms import raise_now
from rig.store.database import open_database
from rig.store.journal import remember
from tests.web.houses import HandClock

NOW_US = HandClock().us
SEED = 20_261_127
# What one finds in a lab on an ordinary evening, in tens; the first channels are those in trouble.
EVENING = (
    *("tripped", "failed", "running", "running", "suspended", "running", "paused"),
    *("running", "running", "finished", "running", "queued", "running", "running", "stopped"),
    *("running", "running", "suspended", "running", "running", "running", "finished"),
)
PROTOCOL = """protocol: 1
name: Ageing at 45 degC
cell: {area: 1.13 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.35 V], current: 10 mA}
suspend: {temperature: {beyond: 2 K, resume: 1 K, settle: 10 min}}
record: {every: 10 s}
steps:
  - repeat: 500
    steps:
      - charge: {at: C/3, until: 4.2 V, for: 5 h}
      - rest: {for: 10 min}
      - discharge: {at: C/3, until: 2.8 V, for: 5 h}
"""
SAMPLES, EVERY_SECOND = 60, 10
_REASONS = {
    "tripped": "voltage 4.3612 V above the limit of 4.35 V; the cell is disconnected",
    "failed": "smu-2: no answer within 2 s; the cell is disconnected",
    "paused": "lead check, by maria",
    "stopped": "by olaf: short, see the lab book",
    "finished": "protocol finished",
}


def channel_names(count: int) -> list[str]:
    """Return A1 .. A16, B1 ..: racks of sixteen."""
    return [f"{chr(ord('A') + at // 16)}{at % 16 + 1}" for at in range(count)]


def fill_wall(url: str, count: int, rigs: Sequence[str] = ("labpc1",), alarms: int = 3) -> None:
    """Make a database in which each of these rigs has so many channels, some of them with an alarm."""
    engine, luck = open_database(url), random.Random(SEED)
    try:
        with engine.begin() as connection:
            for rig in rigs:
                rows = [_rows(rig, name, at, luck) for at, name in enumerate(channel_names(count))]
                connection.execute(
                    tables.rig.insert(), {"rig_id": rig, "name": rig, "created_us": NOW_US}
                )
                for table in ("cell", "run", "cursor", "event"):
                    connection.execute(
                        getattr(tables, table).insert(), [row[table] for row in rows]
                    )
                # In order of arrival, as an engine writes them: all channels, then all once more.
                samples = sorted(
                    (one for row in rows for one in row["samples"]), key=itemgetter("seq")
                )
                connection.execute(tables.spool.insert(), samples)
        _raise_alarms(engine, rigs[0], alarms)
    finally:
        engine.dispose()


def _raise_alarms(engine: Engine, rig: str, count: int) -> None:
    wrong = [
        (Severity.CRITICAL, "safety-voltage", "voltage 4.3612 V above the limit of 4.35 V"),
        (Severity.ALARM, "link-lost", "smu-2 does not answer"),
        (Severity.WARNING, "sensor-silent", "the load cell is silent"),
    ]
    for at in range(count):
        severity, kind, message = wrong[min(at, 2)]
        channel = channel_names(at + 1)[at]
        raised = raise_alarm(
            severity, kind, message, raised_us=NOW_US, channel=channel, run_id=_id(rig, channel)
        )
        raise_now(engine, raised)


def _id(rig: str, channel: str) -> str:
    return hashlib.md5(f"{rig}/{channel}".encode(), usedforsecurity=False).hexdigest()


def _rows(rig: str, channel: str, at: int, luck: random.Random) -> dict[str, Any]:
    """Return one channel's row of each table, by the table's name."""
    run_id, state = _id(rig, channel), EVENING[at % len(EVENING)]
    begun = state != "queued"
    volt, cycle = luck.uniform(3.0, 4.1), luck.randrange(1, 480)
    content = {
        "instruments": {"smu": {"driver": "keithley.smu2450", "connect": "sim"}},
        "channels": {channel: {"cell": "smu"}},
    }
    return {
        "cell": {"cell_id": run_id, "name": f"LPS-{rig[-1]}{at:03d}", "capacity_ah": 2e-3},
        "run": {
            "run_id": run_id,
            "rig_id": rig,
            "cell_id": run_id,
            "channel": channel,
            "protocol_name": "Ageing at 45 degC",
            "protocol_file": "ageing.yaml",
            "protocol_text": PROTOCOL,
            "protocol_sha256": hashlib.sha256(PROTOCOL.encode()).hexdigest(),
            "variables": {},
            "software_version": "0",
            "bench": {"content": content},
            "speed": "1",
            "seed": 0,
            "state": state,
            "reason": _REASONS.get(state),
            "created_us": NOW_US - at,
            "started_us": NOW_US - 86_400_000_000 if begun else None,
            "ended_us": None,
        },
        "cursor": {"run_id": run_id, "cursor": to_json(_cursor(state, volt, cycle, luck))},
        "event": {
            "run_id": run_id,
            "ts_us": NOW_US - 3_600_000_000,
            "test_time_second": 0.0,
            "kind": "state",
            "message": state,
        },
        "samples": list(_samples(run_id, volt, cycle)) if begun else [],
    }


def _cursor(state: str, volt: float, cycle: int, luck: random.Random) -> Cursor:
    """Somewhere in the charge of this cycle; a suspended one waits for its temperature."""
    second = SAMPLES * EVERY_SECOND + cycle * 20_000.0
    place = Place(
        pc=1,
        step_count=3 * cycle,
        step_open=True,
        step_began_second=second - luck.uniform(700.0, 9000.0),
        cycle_count=cycle,
        chamber_celsius=45.0,
    )
    waits = Suspension(second - 900.0) if state == "suspended" else Suspension()
    return Cursor(place, Progress(second, SAMPLES, volt, 0.67e-3), suspension=waits)


def _samples(run_id: str, volt: float, cycle: int) -> Iterator[dict[str, Any]]:
    nothing = dict.fromkeys(SAMPLE_COLUMNS)
    for seq in range(SAMPLES):
        ago = SAMPLES - seq
        yield nothing | {
            "run_id": run_id,
            "seq": seq,
            "ts_us": NOW_US - ago * EVERY_SECOND * 1_000_000,
            "test_time_second": cycle * 20_000.0 + seq * EVERY_SECOND,
            "step_count": 3 * cycle,
            "step_id": 1,
            "cycle_count": cycle,
            "voltage_volt": volt - 1e-4 * ago + 2e-4 * math.sin(seq),
            "current_ampere": 0.67e-3,
            "ambient_temperature_celsius": 45.0,
            "surface_temperature_celsius": 45.2,
            "charging_capacity_ah": 0.0,
            "discharging_capacity_ah": 0.0,
            "charging_energy_wh": 0.0,
            "discharging_energy_wh": 0.0,
            "applied_pressure_pa": 5.1e6,
            "flags": 0,
        }


@contextmanager
def held_by_hand(url: str, *channels: str, who: str = "anna") -> Iterator[None]:
    """Let somebody have these channels by hand for as long as the block lasts; the engine is this process."""
    engine = open_database(url)
    bench = parse_bench(_bench_text(channels), "bench.yaml")
    leases = [Lease(f"l{name}", name, who, "", NOW_US, os.getpid()) for name in channels]
    row = leases_row(leases)
    try:
        with lock_channels(bench, bench.channels.values(), url):
            with engine.begin() as connection:
                remember(connection, str(row["key"]), str(row["value"]))
            yield
    finally:
        engine.dispose()


def _bench_text(channels: Sequence[str]) -> str:
    smu = "{driver: keithley.smu2450, connect: sim}"
    instruments = "".join(f"  smu-{name}: {smu}\n" for name in channels)
    wired = "".join(f"  {name}: {{cell: smu-{name}}}\n" for name in channels)
    return f"bench: 1\ninstruments:\n{instruments}channels:\n{wired}"
