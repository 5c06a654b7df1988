"""How fast is the engine, and where does the time go? ``python benchmarks/engine.py [--json]``.

Samples per second through bytes, driver, engine and journal on the simulated clock; beside them,
in the same run, the named reference (bare sqlite3 executemany of the same rows) and each layer
alone. Says what limits the whole. Asserts no time: a busy machine is no error.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

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

ROUNDS = 5
SAMPLES = 10_000  # of each layer that needs no database
# Channels -> passes of the protocol, 2,400 s each: a few seconds of work at any number.
PASSES = {1: 8, 8: 2, 64: 1}
WHOLE, REFERENCE = "whole path", "bare sqlite3 executemany"
AIM_SAMPLES_PER_SECOND = 20_000
AIM_TIMES_REAL = {1: 15_000, 8: 2_000, 64: 250}

Work = Callable[[Path], Took]


def layers(rows: list[tuple[object, ...]]) -> dict[str, Work]:
    """Return each layer alone, from the instrument to the database; ``rows`` are what to record."""
    return {
        "front and cell model": lambda _: front_alone(SAMPLES),
        "link": lambda _: link_alone(SAMPLES),
        "driver": lambda _: driver_alone(SAMPLES),
        "fold, runner, schedule": lambda _: engine_alone(SAMPLES),
        "recorder and forwarder": partial(recorder_alone, rows),
    }


def measure(folder: Path) -> tuple[dict[str, Took], dict[int, Took]]:
    """Return the best of whole path, reference and layers by name, and of the numbers of channels."""
    warm_up = folder / "rows.db"
    whole_path(1, PASSES[1], warm_up)
    rows = rows_of(warm_up)
    parts: dict[str, Work] = {
        WHOLE: partial(whole_path, 1, PASSES[1]),
        REFERENCE: partial(bare_sqlite, rows),
        **layers(rows),
    }
    speeds = {
        channels: partial(whole_path, channels, passes) for channels, passes in PASSES.items()
    }
    return best(parts, folder / "part"), best(speeds, folder / "speed")


def best[K](works: Mapping[K, Work], database: Path) -> dict[K, Took]:
    raise NotImplementedError
