"""Fewer samples for a plot, and never one spike less: pure, on arrays.

In each of equally many rows' buckets the lowest and the highest value of every column stay, and the
bucket's first row. What stays are samples as they were measured, not means of several.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
_TIME = "test_time_second"


def thinned(columns: Sequence[Floats], most: int) -> Rows:
    """Return which rows to keep, ascending: all of them where there are at most ``most``.

    Columns have equal lengths; NaN is no value. At most ``most`` rows stay wherever it has room for
    a bucket of two rows a column and one more, and the last row always does.
    """
    count = len(columns[0]) if columns else 0
    if count <= most:
        return np.arange(count)
    return _kept(columns, bucket_starts(count, len(columns), most))


def thinned_blocks(columns: Sequence[Floats], block: int) -> Rows:
    """Return which rows to keep, ascending: the first, lowest and highest of each so many rows."""
    return _kept(columns, np.arange(0, len(columns[0]), block, dtype=np.intp))


def extremes_of(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns whose extremes matter: numbers only go on, and so does time unless it is all."""
    named = tuple(name for name in columns if name not in ("seq", _TIME))
    return named or (_TIME,)


def bucket_starts(count: int, columns: int, most: int) -> Rows:
    """Return where each of as many buckets begins as ``most`` rows have room for, the last row beside."""
    buckets = max(1, (most - 1) // (2 * columns + 1))
    return np.unique(np.linspace(0, count, buckets + 1).astype(np.intp))[:-1]


def lowest_rows(values: Floats, starts: Rows) -> Rows:
    """Return the first row of each bucket's lowest value; a bucket without any gives its first row."""
    filled = np.where(np.isnan(values), np.inf, values)
    lowest = np.minimum.reduceat(filled, starts)
    sizes = np.diff(np.append(starts, len(values)))
    rows = np.flatnonzero(filled == np.repeat(lowest, sizes))
    found: Rows = rows[np.searchsorted(rows, starts)]  # the first lowest at or after each start
    return found


def _kept(columns: Sequence[Floats], starts: Rows) -> Rows:
    chosen = [starts, np.array([len(columns[0]) - 1])]
    for column in columns:
        chosen += [lowest_rows(column, starts), lowest_rows(-column, starts)]
    return np.unique(np.concatenate(chosen))
