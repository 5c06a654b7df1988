"""Thinning loses no extreme of any column, and keeps to its number of rows."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rig.store.thinning import thinned

Numbers = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=400)


@given(one=Numbers, most=st.integers(4, 60))
def test_the_lowest_and_the_highest_stay_and_so_do_first_and_last(
    one: list[float], most: int
) -> None:
    column = np.array(one)
    rows = thinned([column], most)
    assert rows[0] == 0
    assert rows[-1] == len(column) - 1
    assert list(rows) == sorted(set(rows))
    assert len(rows) <= most
    if not np.isnan(column).all():
        assert np.nanmax(column[rows]) == np.nanmax(column)
        assert np.nanmin(column[rows]) == np.nanmin(column)


def test_a_single_point_of_a_million_is_seen_in_every_column() -> None:
    voltage, current = np.zeros(1_000_000), np.zeros(1_000_000)
    voltage[123_456], current[987_654] = 1e-6, -1e-6
    rows = thinned([voltage, current], 2000)
    assert len(rows) <= 2000
    assert 123_456 in rows
    assert 987_654 in rows


def test_what_fits_is_left_as_it_is() -> None:
    assert list(thinned([np.arange(5.0)], 5)) == [0, 1, 2, 3, 4]
    assert list(thinned([np.array([])], 5)) == []
