"""The one reader of samples: rows and sealed segments as one Arrow table, whole or a window of it.

Page, analysis and export all read here, on SQLite and PostgreSQL alike, and close at once. What is
sealed comes from its file once its rows are dropped, and for long windows before that.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, func, select, union_all

from rig.core.records import SAMPLE_COLUMNS
from rig.store import tables
from rig.store.arrow import sample_schema
from rig.store.database import translated
from rig.store.rows import MANY_ROWS, read_rows
from rig.store.sealed import segments_folder, segments_of
from rig.store.segments import Segment, read_segment

if TYPE_CHECKING:
    import pandas as pd

_END = 2**62  # no run has as many samples


@dataclass(frozen=True, slots=True)
class Window:
    """A run's samples from ``seq_first`` to ``seq_last``, both included; ``WHOLE`` is all."""

    seq_first: int = 0
    seq_last: int = _END


WHOLE = Window()


def samples(
    engine: Engine,
    run_id: str,
    columns: Sequence[str] = SAMPLE_COLUMNS,
    window: Window = WHOLE,
) -> pa.Table:
    """Return a run's samples in order of seq, those still in the spool included.

    Columns have the types of their table: float64 with nulls, int64 or int32, string; ``aux`` is
    JSON as it was written. Raises StoreError for a sealed part whose file is away or damaged.
    """
    while True:
        sealed = segments_of(engine, run_id)
        table = _assembled(engine, run_id, columns, window, sealed)
        if segments_of(engine, run_id) == sealed:  # nobody has dropped rows between the two looks
            return table


def sample_frame(
    engine: Engine,
    run_id: str,
    columns: Sequence[str] = SAMPLE_COLUMNS,
    window: Window = WHOLE,
) -> pd.DataFrame:
    """Return the same as a pandas frame: nulls are NaN, ``aux`` is decoded."""
    frame: pd.DataFrame = samples(engine, run_id, columns, window).to_pandas()
    if "aux" in frame and frame["aux"].notna().any():
        frame["aux"] = [None if text is None else json.loads(text) for text in _texts(frame["aux"])]
    return frame


def _texts(column: pd.Series[str]) -> list[str | None]:
    return [text if isinstance(text, str) else None for text in column]


def _assembled(
    engine: Engine, run_id: str, columns: Sequence[str], window: Window, sealed: Sequence[Segment]
) -> pa.Table:
    """Put together, in order, what comes from files and what comes from rows between and after them."""
    folder = segments_folder(engine) if sealed else None
    parts, next_seq = [sample_schema(columns).empty_table()], window.seq_first
    for segment in sealed:
        if max(segment.seq_first, next_seq) > min(segment.seq_last, window.seq_last):
            continue
        if folder is None or not _from_file(folder, segment, window):
            continue
        if segment.seq_first > next_seq:
            parts.append(read_rows(engine, run_id, columns, next_seq, segment.seq_first - 1))
        parts.append(read_segment(folder, segment, columns, next_seq, window.seq_last))
        next_seq = segment.seq_last + 1
    if next_seq <= window.seq_last:
        parts.append(read_rows(engine, run_id, columns, next_seq, window.seq_last))
    return pa.concat_tables(parts)


def _from_file(folder: Path, segment: Segment, window: Window) -> bool:
    """Rows give a short window sooner; the file gives it where there are no rows any more."""
    if segment.dropped_us is not None:
        return True
    overlap = min(segment.seq_last, window.seq_last) - max(segment.seq_first, window.seq_first)
    return overlap >= MANY_ROWS and (folder / segment.path).exists()


# --- windows -------------------------------------------------------------------------------------


def extent(engine: Engine, run_id: str) -> int:
    """Return how many samples a run has: one more than the greatest seq."""
    newest: list[int | None] = [segment.seq_last for segment in segments_of(engine, run_id)]
    for table in (tables.sample, tables.spool):
        statement = select(func.max(table.c.seq)).where(table.c.run_id == run_id)
        with translated(engine), engine.connect() as connection:
            newest.append(connection.execute(statement).scalar())
    return max((seq + 1 for seq in newest if seq is not None), default=0)


def newest_samples(engine: Engine, run_id: str, count: int) -> Window:
    """Return the window of the last ``count`` samples."""
    end = extent(engine, run_id)
    return Window(max(0, end - count), end - 1)


def one_cycle(engine: Engine, run_id: str, cycle_count: int) -> Window:
    """Return the window of a cycle that has ended, by the table ``cycle``; empty where there is none."""
    cycle = tables.cycle
    statement = select(cycle.c.seq_first, cycle.c.seq_last).where(
        cycle.c.run_id == run_id, cycle.c.cycle_count == cycle_count
    )
    with translated(engine), engine.connect() as connection:
        row = connection.execute(statement).one_or_none()
    return Window(0, -1) if row is None else Window(row.seq_first, row.seq_last)


def between(engine: Engine, run_id: str, begin_second: float, end_second: float) -> Window:
    """Return the window of the test times from ``begin_second`` to ``end_second``, both included.

    Found by halving, along the key: no index on time is needed, because time only goes on.
    """
    time_at = _Times(engine, run_id)
    low, high = time_at.bounds(begin_second, end_second)
    numbers = range(min(high, extent(engine, run_id)))
    first = bisect_left(numbers, begin_second, lo=min(low, len(numbers)), key=time_at)
    return Window(first, bisect_right(numbers, end_second, lo=first, key=time_at) - 1)


class _Times:
    """The test time of a sample by its seq, from wherever it is."""

    def __init__(self, engine: Engine, run_id: str) -> None:
        self._engine, self._run_id = engine, run_id
        self._dropped = [
            segment for segment in segments_of(engine, run_id) if segment.dropped_us is not None
        ]
        self._of_segment = lru_cache(self._read)

    def bounds(self, begin_second: float, end_second: float) -> tuple[int, int]:
        """Return the numbers that it has to be between, by what is known without reading a file."""
        before = (
            one.seq_last + 1 for one in self._dropped if one.test_time_last_second < begin_second
        )
        after = (one.seq_first for one in self._dropped if one.test_time_first_second > end_second)
        return max(before, default=0), min(after, default=_END)

    def __call__(self, seq: int) -> float:
        for segment in self._dropped:
            if segment.seq_first <= seq <= segment.seq_last:
                return float(self._of_segment(segment.seq_first)[seq - segment.seq_first])
        return self._of_row(seq)

    def _of_row(self, seq: int) -> float:
        parts = [
            select(table.c.test_time_second).where(
                table.c.run_id == self._run_id, table.c.seq == seq
            )
            for table in (tables.sample, tables.spool)
        ]
        with translated(self._engine), self._engine.connect() as connection:
            return float(connection.execute(union_all(*parts)).scalar_one())

    def _read(self, seq_first: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        segment = next(one for one in self._dropped if one.seq_first == seq_first)
        column = ("test_time_second",)
        table = read_segment(
            segments_folder(self._engine), segment, column, seq_first, segment.seq_last
        )
        return np.asarray(table.column(0).to_numpy(), dtype=np.float64)
