"""A long run's samples for a plot, without reading all of them each time: an overview that only grows.

Of every block of ``BLOCK`` samples the lowest and highest of each column are known, and a block that is
full never changes. So a run is gone through once, and afterwards only what has been added: by the
database itself where it stands as rows (row_overview.py), by column where it is sealed
(sample_overview.py). Kept in memory, by whoever looks again and again. Where a window is short the
samples themselves are read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from sqlalchemy import Engine

from rig.store.extremes import BLOCK, begins_in_rows
from rig.store.row_overview import RowOverview
from rig.store.sample_overview import SampleOverview
from rig.store.samples import Window, samples

MOST_RUNS = 32
_Key = tuple[int, str, tuple[str, ...], bool]


@dataclass
class Overviews:
    """The overviews that somebody has looked at last, by run and columns."""

    _kept: OrderedDict[_Key, RowOverview | SampleOverview] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(
        self, engine: Engine, run_id: str, columns: Sequence[str], window: Window, points: int
    ) -> pa.Table:
        """Return the window's samples, with ``seq`` and float columns; of whole blocks only extremes.

        In every one of as many buckets as ``points`` rows have room for, no extreme is missing. There
        may be more rows: the blocks that the window's ends cut are returned as far as they are inside.
        """
        in_rows = begins_in_rows(engine, run_id)
        kept = self._of((id(engine), run_id, tuple(columns), in_rows))
        with kept.lock:  # two who look at the same run go through it once
            kept.extend(engine, run_id, window.seq_last + 1)
            inside = _whole_blocks(window, kept.end)
            middle = None
            if inside is not None:
                middle = kept.read(engine, run_id, inside, points)
        if inside is None or middle is None:  # too short; or changed under our eyes
            return samples(engine, run_id, columns, window)
        before = Window(window.seq_first, inside.seq_first - 1)
        after = Window(inside.seq_last + 1, window.seq_last)
        ends = (samples(engine, run_id, columns, one) for one in (before, after))
        return pa.concat_tables([next(ends), middle, next(ends)])

    def _of(self, key: _Key) -> RowOverview | SampleOverview:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                kept = self._kept[key] = (RowOverview if key[3] else SampleOverview)(key[2])
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_RUNS:
                self._kept.popitem(last=False)
            return kept


def _whole_blocks(window: Window, end: int) -> Window | None:
    """Return the part of a window that is whole blocks before ``end``, or None where there is none."""
    first = -(-window.seq_first // BLOCK) * BLOCK
    last = min(end, (window.seq_last + 1) // BLOCK * BLOCK) - 1
    return Window(first, last) if first < last else None
