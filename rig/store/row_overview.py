"""The overview of a run that stands as rows: what the database finds, and only the samples of a plot."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Engine

from rig.store.extremes import BLOCK, Extreme, block_extremes, rows_at, seqs_of
from rig.store.samples import Window
from rig.store.thinning import bucket_starts, extremes_of, lowest_rows

MOST_SEQS = 20_000  # of whatever windows somebody has looked at: a megabyte or two


@dataclass
class RowOverview:
    """Extremes of the blocks before sample ``end``: values, and where somebody has looked, their seq."""

    columns: tuple[str, ...]
    lock: threading.Lock = field(default_factory=threading.Lock)
    _extremes: NDArray[np.float64] | None = None
    _seqs: dict[Extreme, int] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return 0 if self._extremes is None else len(self._extremes) * BLOCK

    def extend(self, engine: Engine, run_id: str, wanted: int) -> None:
        """Add the full blocks before sample ``wanted`` that are not there yet."""
        known, names = self.end // BLOCK, extremes_of(self.columns)
        if wanted // BLOCK > known:
            new = block_extremes(engine, run_id, names, known, wanted // BLOCK)
            self._extremes = new if self._extremes is None else np.vstack([self._extremes, new])

    def read(self, engine: Engine, run_id: str, inside: Window, points: int) -> pa.Table | None:
        """Return the samples that a plot of these whole blocks shows; None where one is no row any more."""
        first, end = inside.seq_first // BLOCK, (inside.seq_last + 1) // BLOCK
        starts = bucket_starts(end - first, len(extremes_of(self.columns)), points)
        wanted = self._wanted(first, end, starts)
        if not self._find(engine, run_id, wanted):
            return None
        seqs = {self._seqs[one] for one in wanted} | {(first + int(one)) * BLOCK for one in starts}
        ordered = sorted(seqs | {inside.seq_last})
        table = rows_at(engine, run_id, self.columns, ordered)
        return table if table.num_rows == len(ordered) else None

    def _wanted(self, first: int, end: int, starts: NDArray[np.intp]) -> list[Extreme]:
        """Return the lowest and the highest of each bucket of blocks, of each column that has any."""
        assert self._extremes is not None
        wanted = []
        for place, name in enumerate(extremes_of(self.columns)):
            for side, sign in ((0, 1.0), (1, -1.0)):
                values = self._extremes[first:end, 2 * place + side]
                rows = lowest_rows(sign * values, starts)
                wanted += [
                    Extreme(name, first + int(row), float(values[row]))
                    for row in rows[~np.isnan(values[rows])]
                ]
        return wanted

    def _find(self, engine: Engine, run_id: str, wanted: Sequence[Extreme]) -> bool:
        """Learn which samples have these values; say whether all are there."""
        if len(self._seqs) > MOST_SEQS:
            self._seqs.clear()
        missing = [one for one in dict.fromkeys(wanted) if one not in self._seqs]
        found = seqs_of(engine, run_id, missing) if missing else []
        pairs = zip(missing, found, strict=True)
        self._seqs.update({one: seq for one, seq in pairs if seq is not None})
        return None not in found
