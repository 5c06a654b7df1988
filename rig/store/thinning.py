"""Fewer samples for a plot, and never one spike less: pure, on arrays.

In each of equally many rows' buckets the lowest and the highest value of every column stay, and the
bucket's first row. What stays are samples as they were measured, not means of several.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def thinned(columns: Sequence[Floats], most: int) -> NDArray[np.intp]:
    """Return which rows to keep, ascending: all of them where there are at most ``most``.

    Columns have equal lengths; NaN is no value. At most ``most`` rows stay wherever it has room for
    a bucket of two rows a column and one more, and the last row always does.
    """
    count = len(columns[0]) if columns else 0
    if count <= most:
        return np.arange(count)
    buckets = max(1, (most - 1) // (2 * len(columns) + 1))
    edges = np.unique(np.linspace(0, count, buckets + 1).astype(np.intp))
    return _kept(columns, edges[:-1])


def thinned_blocks(columns: Sequence[Floats], block: int) -> NDArray[np.intp]:
    """Return which rows to keep, ascending: the first, lowest and highest of each so many rows."""
    return _kept(columns, np.arange(0, len(columns[0]), block, dtype=np.intp))


def _kept(columns: Sequence[Floats], starts: NDArray[np.intp]) -> NDArray[np.intp]:
    count = len(columns[0])
    chosen = [starts, np.array([count - 1])]
    for column in columns:
        chosen += [_extremes(column, starts, np.inf), _extremes(-column, starts, np.inf)]
    return np.unique(np.concatenate(chosen))


def _extremes(values: Floats, starts: NDArray[np.intp], missing: float) -> NDArray[np.intp]:
    """Return the row of each bucket's lowest value; a bucket without any gives its first row."""
    filled = np.where(np.isnan(values), missing, values)
    lowest = np.minimum.reduceat(filled, starts)
    sizes = np.diff(np.append(starts, len(values)))
    is_lowest = filled == np.repeat(lowest, sizes)
    rows = np.flatnonzero(is_lowest)
    first = np.searchsorted(rows, starts)  # the first row at or after each start that is a lowest
    return rows[first]
