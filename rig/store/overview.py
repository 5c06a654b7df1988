"""A long run's samples for a plot, without reading all of them each time: an overview that only grows.

In every block of ``BLOCK`` samples the lowest and highest of each column are kept, as samples, and a
block that is full never changes. So a run is read once, and afterwards only what has been added.
Where a window is short the samples themselves are read. Kept in memory, by whoever looks again and again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from rig.store.samples import Window, samples
from rig.store.thinning import thinned_blocks

BLOCK = 256
READ_SAMPLES = BLOCK * 400
MOST_RUNS = 32


@dataclass
class _Kept:
    """Extremes of the samples before ``end``, a whole number of blocks."""

    table: pa.Table | None = None
    end: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Overviews:
    """The overviews that somebody has looked at last, by run and columns."""

    _kept: OrderedDict[tuple[int, str, tuple[str, ...]], _Kept] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, engine: Engine, run_id: str, columns: Sequence[str], window: Window) -> pa.Table:
        """Return the window's samples, with ``seq`` and float columns; of full blocks only the extremes.

        Blocks at the window's ends, which it cuts, are returned whole as far as they are inside.
        """
        kept = self._of((id(engine), run_id, tuple(columns)))
        with kept.lock:  # two who look at the same run read it once
            self._extend(kept, engine, run_id, columns, window.seq_last + 1)
            table, end = kept.table, kept.end
        first = -(-window.seq_first // BLOCK) * BLOCK
        last = min(end, (window.seq_last + 1) // BLOCK * BLOCK)
        if table is None or first >= last:
            return samples(engine, run_id, columns, window)
        seq = table.column("seq")
        inside = pc.and_(pc.greater_equal(seq, first), pc.less(seq, last))
        before = samples(engine, run_id, columns, Window(window.seq_first, first - 1))
        after = samples(engine, run_id, columns, Window(last, window.seq_last))
        return pa.concat_tables([before, table.filter(inside), after])

    def _of(self, key: tuple[int, str, tuple[str, ...]]) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_RUNS:
                self._kept.popitem(last=False)
            return kept

    def _extend(
        self, kept: _Kept, engine: Engine, run_id: str, columns: Sequence[str], wanted: int
    ) -> None:
        """Add the full blocks before ``wanted`` that are not there yet."""
        goal = wanted // BLOCK * BLOCK
        while kept.end < goal:
            end = min(goal, kept.end + READ_SAMPLES)
            table = samples(engine, run_id, columns, Window(kept.end, end - 1))
            if table.num_rows != end - kept.end:
                return  # a gap in the numbers: what is there is read as it is
            part = table.take(pa.array(_extremes(table, columns)))
            kept.table = part if kept.table is None else pa.concat_tables([kept.table, part])
            kept.end = end


def _extremes(table: pa.Table, columns: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    numeric = [
        np.asarray(table.column(name).to_numpy(), dtype=float) for name in columns if name != "seq"
    ]
    return thinned_blocks(numeric, BLOCK)
