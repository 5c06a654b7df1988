"""How fast is the engine, and where does the time go? ``python benchmarks/engine.py [--json]``.

Samples per second through bytes, driver, engine and journal on the simulated clock; beside them,
in the same run, the named reference (bare sqlite3 executemany of the same rows) and each layer
alone. Says what limits the whole. Asserts no time: a busy machine is no error.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import packages_first  # noqa: F401
from engine_parts import (
    Took,
    bare_sqlite,
    driver_alone,
    engine_alone,
    front_alone,
    link_alone,
    recorder_alone,
    rows_of,
    whole_path,
)
from this_machine import machine

from rig.core.records import SampleRow

ROUNDS = 4
SAMPLES = 10_000  # of each layer that needs no database
# Channels -> passes of the protocol, 2,400 s each: a second of work or more at any number.
PASSES = {1: 8, 8: 2, 64: 1}
WHOLE, REFERENCE = "whole path", "bare sqlite3 executemany"
AIM_SAMPLES_PER_SECOND = 20_000
AIM_TIMES_REAL = {1: 15_000, 8: 2_000, 64: 250}

# Does a known number of samples, with a database of its own where it needs one.
Work = Callable[[Path], Took]


def layers(rows: Sequence[SampleRow]) -> dict[str, Work]:
    """Return each layer alone, from the instrument to the database; ``rows`` are to be recorded."""
    return {
        "front and cell model": lambda _: front_alone(SAMPLES),
        "link": lambda _: link_alone(SAMPLES),
        "driver": lambda _: driver_alone(SAMPLES),
        "fold, runner, schedule": lambda _: engine_alone(SAMPLES),
        "recorder and forwarder": partial(recorder_alone, rows),
    }


def measure(folder: Path) -> dict[str, Took]:
    """Return the best of whole path (by number of channels), reference and layers."""
    whole_path(1, PASSES[1], folder / "warm.db")
    rows = rows_of(folder / "warm.db")
    paths = {_whole(channels): partial(whole_path, channels, n) for channels, n in PASSES.items()}
    return best({**paths, REFERENCE: partial(bare_sqlite, rows), **layers(rows)}, folder)


def best(works: Mapping[str, Work], folder: Path) -> dict[str, Took]:
    """Do everything in turn, several times, and return the fastest of each.

    What disturbs a measurement only ever adds to it; in turn, so that a minute in which others
    keep the machine busy does not fall on one of them alone.
    """
    tries: dict[str, list[Took]] = {name: [] for name in works}
    for number in range(ROUNDS):
        for name, work in works.items():
            tries[name].append(work(folder / f"{name} {number}.db"))
    return {name: min(took, key=lambda t: t.microsecond_per_sample) for name, took in tries.items()}


def _whole(channels: int) -> str:
    return WHOLE if channels == 1 else f"{WHOLE}, {channels} channels"


def limit(figures: Mapping[str, Took]) -> str:
    """Return the layer that costs most."""
    return max(layers([]), key=lambda name: figures[name].microsecond_per_sample)


def as_data(figures: Mapping[str, Took]) -> dict[str, object]:
    """Return the figures as plain data, units in the keys."""
    whole, reference = figures[WHOLE], figures[REFERENCE]
    return {
        "machine": machine(),
        "samples_per_second": 1e6 / whole.microsecond_per_sample,
        "reference": REFERENCE,
        "reference_rows_per_second": 1e6 / reference.microsecond_per_sample,
        "ratio_to_reference": reference.microsecond_per_sample / whole.microsecond_per_sample,
        "times_real_time": {n: figures[_whole(n)].times_real_time for n in PASSES},
        "microsecond_per_sample": {
            name: {"wall": took.microsecond_per_sample, "processor": took.processor_microsecond}
            for name, took in figures.items()
        },
        "limited_by": limit(figures),
    }


def as_text(figures: Mapping[str, Took]) -> str:
    """Return the figures as a table for people."""
    whole, reference = figures[WHOLE], figures[REFERENCE]
    per_second, rows_per_second = (1e6 / took.microsecond_per_sample for took in (whole, reference))
    lines = [
        ", ".join(f"{name} {value}" for name, value in machine().items()),
        "",
        f"{'microseconds per sample':34}{'wall':>8}{'processor':>11}{'of whole':>10}",
        *(_row(name, took, whole) for name, took in figures.items()),
        "",
        f"{WHOLE:10} {per_second:9,.0f} samples/s, aim {AIM_SAMPLES_PER_SECOND:,}",
        f"{'reference':10} {rows_per_second:9,.0f} rows/s; whole path / reference = "
        f"{per_second / rows_per_second:.3f}",
    ]
    for channels, aim in AIM_TIMES_REAL.items():
        times = figures[_whole(channels)].times_real_time
        lines.append(f"{channels:2} at 1 s  {times:10,.0f} times real time, aim {aim:,}")
    lines.append(f"limited by: {limit(figures)}")
    return "\n".join(lines)


def _row(name: str, took: Took, whole: Took) -> str:
    wall, processor = took.microsecond_per_sample, took.processor_microsecond
    share = processor / whole.processor_microsecond
    return f"{name:34}{wall:8.1f}{processor:11.1f}{share:10.0%}"


def main() -> int:
    """Measure in a temporary folder and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print plain data")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rig-benchmark-") as folder:
        figures = measure(Path(folder))
    print(json.dumps(as_data(figures), indent=2) if arguments.json else as_text(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
