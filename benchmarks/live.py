"""What does looking cost? ``python benchmarks/live.py [--channels 64] [--json]``.

A database with so many runs going on and 3,000 that are over, each with its protocol's text; looked at
twice a second as ``rig serve`` does, for half a minute. Measured: the time of a look until its JSON is
there, the processor time, the bytes. Reference in the same run: reading the newest sample of each
channel with bare sqlite3, which is the least that anybody could do. Asserts no time.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import packages_first  # noqa: F401
from sqlalchemy import Engine, insert
from this_machine import machine

from rig.bench.live import Live
from rig.core.clock import RealClock, SimulatedClock
from rig.core.records import SAMPLE_COLUMNS
from rig.engine.cursor import Cursor, Place, Progress, to_json
from rig.store import tables
from rig.store.database import open_database
from rig.store.recorder import Recorder
from rig.web.live_view import LiveView

LOOKS, EVERY_SECOND = 60, 0.5
PAST_RUNS, SAMPLES = 3_000, 300
PROTOCOL = """protocol: 1
name: cycling
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
steps:
  - repeat: 20
    steps:
      - cccv: {at: C/2, to: 4.2 V, until: C/20, for: 5 h}
      - rest: {for: 10 min}
      - discharge: {at: 1C, until: 2.8 V}
"""
NEWEST = "SELECT * FROM sample WHERE run_id = ? ORDER BY seq DESC LIMIT 1"


def run_row(run_id: str, channel: str, state: str, created_us: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "rig_id": "rig",
        "channel": channel,
        "protocol_name": "cycling",
        "protocol_file": "p.yaml",
        "protocol_text": PROTOCOL + "# a comment\n" * 400,
        "protocol_sha256": "0" * 64,
        "variables": {},
        "software_version": "0",
        "bench": {"content": {}},
        "speed": "",
        "seed": 1,
        "state": state,
        "created_us": created_us,
    }


def lab(path: Path, channels: int) -> Engine:
    """Make the database: what is over, what goes on, and the newest samples of that."""
    engine = open_database(f"sqlite:///{path}")
    alive = [f"{number:032x}" for number in range(channels)]
    past = [run_row(f"f{n:031x}", f"A{n % channels}", "finished", n) for n in range(PAST_RUNS)]
    now = [run_row(run_id, f"A{n}", "running", 10**9 + n) for n, run_id in enumerate(alive)]
    with engine.begin() as connection:
        connection.execute(insert(tables.rig).values(rig_id="rig", name="rig", created_us=0))
        connection.execute(insert(tables.run), past + now)
    recorder = Recorder(engine, SimulatedClock(), commit_second=None)
    for seq in range(SAMPLES):
        for run_id in alive:
            recorder.sample(sample(run_id, seq))
    for run_id in alive:
        recorder.cursor(run_id, lambda: to_json(cursor()))
    recorder.commit()
    return engine


def sample(run_id: str, seq: int) -> tuple[object, ...]:
    known = {"run_id": run_id, "seq": seq, "ts_us": seq, "test_time_second": float(seq)}
    known |= {"step_count": 1, "step_id": 1, "cycle_count": 1, "flags": 0}
    known |= {"voltage_volt": 3.0 + seq * 1e-4, "current_ampere": 1e-3}
    known |= {name: 0.0 for name in SAMPLE_COLUMNS if name.endswith(("_ah", "_wh"))}
    return tuple(known.get(name) for name in SAMPLE_COLUMNS)


def cursor() -> Cursor:
    place = Place(pc=1, step_count=1, step_open=True, cycle_count=1, loops=((0, 1),))
    return Cursor(place, Progress(float(SAMPLES), SAMPLES, 3.0 + SAMPLES * 1e-4, 1e-3))


def looked(look: Callable[[], object]) -> dict[str, float]:
    """Look as often as a page does; return times in milliseconds and the share of a processor."""
    times, before = [], time.process_time()
    for _ in range(LOOKS):
        began = time.perf_counter()
        look()
        times.append(1e3 * (time.perf_counter() - began))
        time.sleep(EVERY_SECOND)
    spent = time.process_time() - before
    return {
        "p50_millisecond": statistics.median(times),
        "p99_millisecond": sorted(times)[int(0.99 * len(times))],
        "processor_fraction": spent / (LOOKS * EVERY_SECOND),
    }


def measure(channels: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rig.db"
        engine = lab(path, channels)
        view = LiveView(Live(engine, f"sqlite:///{path}"), lambda: None, RealClock())
        began = time.perf_counter()
        snapshot = view.newest()
        first = time.perf_counter() - began
        bare = sqlite3.connect(path)
        run_ids = [f"{number:032x}" for number in range(channels)]
        figures = {
            "channels": channels,
            "first_look_second": first,
            "look": looked(view.newest),
            "bare_sqlite": looked(lambda: [bare.execute(NEWEST, (r,)).fetchone() for r in run_ids]),
            "bytes_a_wall": sum(map(len, snapshot.texts.values())),
            "machine": machine(),
        }
        bare.close()
        engine.dispose()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.channels)
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name in ("look", "bare_sqlite"):
        part = figures[name]
        print(
            f"{name:<12} p50 {part['p50_millisecond']:7.1f} ms   p99 {part['p99_millisecond']:7.1f} ms"
            f"   {100 * part['processor_fraction']:5.1f} % of a processor"
        )
    print(
        f"first look {figures['first_look_second']:.1f} s, {figures['bytes_a_wall']} bytes a wall"
    )
    print(figures["machine"])


if __name__ == "__main__":
    main()
