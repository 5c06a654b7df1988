"""The overview of a long run: read once, as true as the samples themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from rig.store import tables
from rig.store.database import open_database
from rig.store.overview import BLOCK, Overviews
from rig.store.samples import Window
from rig.store.thinning import thinned_blocks

COUNT = 10 * BLOCK + 37
SPIKE = 5 * BLOCK + 100
COLUMNS = ("seq", "test_time_second", "voltage_volt")


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    add(engine, 0, COUNT)
    yield engine
    engine.dispose()


def add(engine: Engine, first: int, end: int) -> None:
    """Put samples in, a spike among them; what the table wants beside is nought."""
    table = tables.sample
    needed = [one.name for one in table.columns if not one.nullable and one.default is None]
    rows = [
        dict.fromkeys(needed, 0)
        | {"run_id": "a", "seq": seq, "test_time_second": float(seq), "voltage_volt": volt(seq)}
        for seq in range(first, end)
    ]
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.execute(table.insert(), rows)


def volt(seq: int) -> float:
    return 4.9 if seq == SPIKE else 3.0 + (seq % 700) / 1000


def read(engine: Engine, overviews: Overviews, first: int, last: int):
    return overviews.read(engine, "a", COLUMNS, Window(first, last))


@pytest.mark.parametrize(("first", "last"), [(0, COUNT - 1), (3, COUNT - 5), (700, 2000), (5, 90)])
def test_no_extreme_of_a_window_is_missing_and_everything_was_measured_so(
    engine: Engine, first: int, last: int
) -> None:
    table = read(engine, Overviews(), first, last)
    seq, volts = table.column("seq").to_numpy(), table.column("voltage_volt").to_numpy()
    truth = np.array([volt(one) for one in range(first, last + 1)])
    assert volts.min() == truth.min()
    assert volts.max() == truth.max()
    assert (np.diff(seq) > 0).all()
    assert seq[0] >= first
    assert seq[-1] <= last
    assert volts.tolist() == [volt(int(one)) for one in seq]


def test_what_was_read_once_is_not_read_again_and_what_is_new_is_added(engine: Engine) -> None:
    overviews = Overviews()
    assert read(engine, overviews, 0, COUNT - 1).num_rows < COUNT / 5
    with engine.begin() as connection:  # gone: whoever reads it again misses it
        connection.execute(tables.sample.delete().where(tables.sample.c.seq < 10 * BLOCK))
    add(engine, COUNT, COUNT + 3 * BLOCK)
    table = read(engine, overviews, 0, COUNT + 3 * BLOCK - 1)
    assert table.column("seq").to_numpy()[-1] == COUNT + 3 * BLOCK - 1
    assert table.column("voltage_volt").to_numpy().max() == volt(SPIKE)
    assert table.num_rows < COUNT / 5


@given(
    st.lists(st.floats(-10, 10) | st.just(float("nan")), min_size=1, max_size=60), st.integers(1, 9)
)
def test_each_block_keeps_its_first_lowest_and_highest(values: list[float], block: int) -> None:
    column = np.array(values)
    rows = set(thinned_blocks([column], block).tolist())
    for start in range(0, len(values), block):
        part = column[start : start + block]
        known = part[~np.isnan(part)]
        assert start in rows
        if len(known):
            kept = column[[row for row in rows if start <= row < start + block]]
            assert np.nanmin(kept) == known.min()
            assert np.nanmax(kept) == known.max()
