"""The overview of a long run: read once, as true as the samples themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from rig.core.records import SAMPLE_COLUMNS
from rig.store import tables
from rig.store.database import open_database
from rig.store.extremes import BLOCK
from rig.store.overview import Overviews
from rig.store.queries import find_run
from rig.store.retention import drop_rows
from rig.store.samples import Window
from rig.store.sealed import segments_folder
from rig.store.sealing import seal
from rig.store.thinning import thinned, thinned_blocks
from tests.postgres import own_database
from tests.store.sealing_runs import place_in
from tests.store.stores import add_runs, rows_in

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
        connection.execute(table.insert(), rows)


def seal_and_drop(engine: Engine) -> None:
    """Put the run into a file, and take its rows away."""
    add_runs(engine, "a")
    with engine.begin() as connection:
        connection.execute(tables.run.update().values(state="finished", ended_us=1))
    place = place_in(segments_folder(engine))
    seal(engine, find_run(engine, "a"), place, now_us=2)
    drop_rows(engine, "a", place, now_us=3)
    assert rows_in(engine, "sample") == 0


@contextmanager
def counted(engine: Engine) -> Iterator[list[int]]:
    """Count the hundreds of steps that SQLite's machine takes meanwhile."""
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    def listen(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_progress_handler(step, 100)

    event.listen(engine, "checkout", listen)
    try:
        yield steps
    finally:
        event.remove(engine, "checkout", listen)


def volt(seq: int) -> float:
    return 4.9 if seq == SPIKE else 3.0 + (seq % 700) / 1000


def read(engine: Engine, overviews: Overviews, first: int, last: int, points: int = 40):
    return overviews.read(engine, "a", COLUMNS, Window(first, last), points)


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize(("first", "last"), [(0, COUNT - 1), (3, COUNT - 5), (700, 2000), (5, 90)])
def test_no_extreme_of_a_window_is_missing_and_everything_was_measured_so(
    engine: Engine, first: int, last: int, is_sealed: bool
) -> None:
    if is_sealed:
        seal_and_drop(engine)
    table = read(engine, Overviews(), first, last)
    seq, volts = table.column("seq").to_numpy(), table.column("voltage_volt").to_numpy()
    truth = np.array([volt(one) for one in range(first, last + 1)])
    assert volts.min() == truth.min()
    assert volts.max() == truth.max()
    assert (np.diff(seq) > 0).all()
    assert seq[0] >= first
    assert seq[-1] <= last
    assert volts.tolist() == [volt(int(one)) for one in seq]


def test_any_window_of_noise_with_gaps_keeps_both_extremes_of_both_columns(tmp_path: Path) -> None:
    chance = np.random.default_rng(20_261_127)
    numbers = chance.normal(size=(2, COUNT))
    numbers[:, chance.random(COUNT) < 0.05] = np.nan
    numbers[1, 3 * BLOCK : 6 * BLOCK] = np.nan  # whole blocks without a value
    engine = open_database(f"sqlite:///{tmp_path / 'noise.db'}")
    add(engine, 0, COUNT)
    with engine.begin() as connection:
        known = [[None if np.isnan(one) else float(one) for one in row] for row in numbers]
        changed = [(*pair, seq) for seq, pair in enumerate(zip(*known, strict=True))]
        statement = "UPDATE sample SET voltage_volt = ?, current_ampere = ? WHERE seq = ?"
        connection.exec_driver_sql(statement, changed)
    overviews, columns = Overviews(), ("seq", "voltage_volt", "current_ampere")
    for _ in range(40):
        first, last = sorted(chance.integers(0, COUNT, size=2).tolist())
        points = int(chance.integers(10, 60))
        table = overviews.read(engine, "a", columns, Window(first, last), points)
        shown = [np.asarray(table.column(name), dtype=float) for name in columns[1:]]
        shown = [column[thinned(shown, points)] for column in shown]
        for column, truth in zip(shown, numbers[:, first : last + 1], strict=True):
            if not np.isnan(truth).all():
                assert np.nanmin(column) == np.nanmin(truth)
                assert np.nanmax(column) == np.nanmax(truth)
    engine.dispose()


def test_what_was_gone_through_once_is_not_again_and_what_is_new_is_added(engine: Engine) -> None:
    overviews = Overviews()
    with counted(engine) as steps:
        assert read(engine, overviews, 0, COUNT - 1).num_rows < COUNT / 5
    add(engine, COUNT, COUNT + 3 * BLOCK)
    with counted(engine) as steps_again:
        table = read(engine, overviews, 0, COUNT + 3 * BLOCK - 1)
    assert steps_again[0] < steps[0] / 2
    assert table.column("seq").to_numpy()[-1] == COUNT + 3 * BLOCK - 1
    assert table.column("voltage_volt").to_numpy().max() == volt(SPIKE)
    assert table.num_rows < COUNT / 5


def test_a_run_that_is_sealed_while_somebody_looks_is_read_from_its_file(engine: Engine) -> None:
    overviews = Overviews()
    before = read(engine, overviews, 0, COUNT - 1)
    seal_and_drop(engine)
    after = read(engine, overviews, 0, COUNT - 1)
    for name in COLUMNS:
        assert set(before.column(name).to_pylist()) <= set(after.column(name).to_pylist())


def test_a_sample_that_somebody_changed_by_hand_is_read_as_it_is_now(engine: Engine) -> None:
    overviews = Overviews()
    read(engine, overviews, 0, COUNT - 1)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sample WHERE seq BETWEEN 300 AND 999")
    seqs = read(engine, overviews, 0, COUNT - 1).column("seq").to_pylist()
    assert not set(seqs) & set(range(300, 1000))
    assert seqs[-1] == COUNT - 1


def test_a_block_of_which_a_row_is_still_in_the_spool_is_read_row_by_row(engine: Engine) -> None:
    with engine.begin() as connection:
        names = ", ".join(SAMPLE_COLUMNS)
        connection.exec_driver_sql(
            f"INSERT INTO spool ({names}) SELECT {names} FROM sample WHERE seq >= {SPIKE}"
        )
        connection.exec_driver_sql(f"DELETE FROM sample WHERE seq >= {SPIKE}")
    table = read(engine, Overviews(), 0, COUNT - 1)
    assert table.column("voltage_volt").to_numpy().max() == volt(SPIKE)
    assert table.column("seq").to_pylist()[-1] == COUNT - 1


def test_a_column_without_a_value_and_time_alone_have_an_overview(engine: Engine) -> None:
    for columns in (("seq", "applied_pressure_pa"), ("seq", "test_time_second")):
        table = Overviews().read(engine, "a", columns, Window(0, COUNT - 1), 40)
        assert table.column_names == list(columns)
        assert table.column("seq").to_pylist()[-1] == COUNT - 1
        assert table.num_rows < COUNT / 5


def test_a_server_gives_the_same_overview_as_a_file(engine: Engine, any_postgres: str) -> None:
    window = Window(3, COUNT - 2)
    with own_database(any_postgres) as url:
        server = open_database(url)
        add(server, 0, COUNT)
        there = Overviews().read(server, "a", COLUMNS, window, 40)
        server.dispose()
    assert there.equals(Overviews().read(engine, "a", COLUMNS, window, 40))


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
