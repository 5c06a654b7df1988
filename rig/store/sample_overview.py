"""The overview of a run that is sealed, or still in a journal: its extremes, kept as samples."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from rig.store.extremes import BLOCK
from rig.store.samples import Window, samples
from rig.store.thinning import extremes_of, thinned_blocks

READ_SAMPLES = BLOCK * 800
_SEQ = "seq"


@dataclass
class SampleOverview:
    """First, lowest and highest samples of the blocks before sample ``end``."""

    columns: tuple[str, ...]
    lock: threading.Lock = field(default_factory=threading.Lock)
    end: int = 0
    _table: pa.Table | None = None

    def extend(self, engine: Engine, run_id: str, wanted: int) -> None:
        """Add the full blocks before sample ``wanted`` that are not there yet."""
        goal = wanted // BLOCK * BLOCK
        while self.end < goal:
            end = min(goal, self.end + READ_SAMPLES)
            table = samples(engine, run_id, self.columns, Window(self.end, end - 1))
            if table.num_rows != end - self.end:
                return  # a gap in the numbers: what is there is read as it is
            numbers = [np.asarray(table.column(name)) for name in extremes_of(self.columns)]
            part = table.take(pa.array(thinned_blocks(numbers, BLOCK)))
            self._table = part if self._table is None else pa.concat_tables([self._table, part])
            self.end = end

    def read(self, engine: Engine, run_id: str, inside: Window, points: int) -> pa.Table:
        """Return the extremes of these whole blocks, however many: whoever plots them thins them."""
        del engine, run_id, points  # all is here
        assert self._table is not None
        seq = self._table.column(_SEQ)
        after = pc.greater_equal(seq, inside.seq_first)
        return self._table.filter(pc.and_(after, pc.less_equal(seq, inside.seq_last)))
