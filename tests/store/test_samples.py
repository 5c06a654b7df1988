"""One reader of rows and sealed files: the same table from either, in order, of the window asked for."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.core.errors import StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.store import queries, rows, tables
from rig.store.arrow import Digests, as_batch, sample_schema
from rig.store.forwarder import forward
from rig.store.samples import (
    WHOLE,
    Window,
    between,
    extent,
    newest_samples,
    one_cycle,
    sample_frame,
    samples,
)
from tests.store.sealing_runs import keep_odd, odd_sample
from tests.store.stores import recorder_on, sample, store_at


def written(run_id: str, count: int) -> pa.Table:
    """What a reader has to return, made without a database."""
    schema = sample_schema()
    return pa.Table.from_batches(
        [as_batch([odd_sample(run_id, seq) for seq in range(count)], schema)]
    )


def test_a_run_is_read_to_the_bit_with_every_kind_of_value(store):
    keep_odd(store.engine, "a", 0, 60)
    assert samples(store.settle(), "a").equals(written("a", 60))


def test_what_is_still_in_the_spool_comes_behind_what_is_in_its_place(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a", "b")
    keep_odd(engine, "a", 0, 30)
    forward(engine)
    keep_odd(engine, "a", 30, 30)
    keep_odd(engine, "b", 0, 5)
    assert samples(engine, "a").equals(written("a", 60))
    assert samples(engine, "a", ("seq",), Window(25, 34))["seq"].to_pylist() == list(range(25, 35))
    engine.dispose()


def test_columns_come_in_the_order_asked_for_with_the_types_of_their_table(store):
    keep_odd(store.engine, "a", 0, 3)
    table = samples(store.settle(), "a", ("voltage_volt", "flags", "seq", "aux"))
    assert table.schema == pa.schema(
        [
            ("voltage_volt", pa.float64()),
            ("flags", pa.int32()),
            ("seq", pa.int64()),
            ("aux", pa.string()),
        ]
    )


def test_a_column_that_is_none_is_refused(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    with pytest.raises(KeyError, match="voltage"):
        samples(engine, "a", ("voltage; DROP TABLE sample",))
    engine.dispose()


def test_a_run_without_samples_has_every_column_and_no_row(store):
    engine = store.settle()
    assert samples(engine, "a").equals(sample_schema().empty_table())
    assert extent(engine, "a") == 0
    assert samples(engine, "a", window=newest_samples(engine, "a", 10)).num_rows == 0
    assert samples(engine, "a", window=between(engine, "a", 0.0, 1e9)).num_rows == 0


def test_a_frame_has_auxiliary_values_decoded_and_nulls_as_nan(store):
    keep_odd(store.engine, "a", 0, 8)
    frame = sample_frame(store.settle(), "a")
    assert tuple(frame.columns) == SAMPLE_COLUMNS
    assert frame["aux"].tolist()[0] == {"dew_point": -60.1}
    assert frame["aux"].tolist()[1] is None
    assert frame["voltage_volt"].isna().tolist() == [seq % 7 == 0 for seq in range(8)]


def test_a_window_by_time_holds_its_ends_and_nothing_outside(store):
    recorder = recorder_on(store.engine)
    for seq, second in enumerate([0.0, 1.0, 2.0, 2.0, 2.0, 3.5, 9.0]):
        recorder.sample(sample("a", seq, test_time_second=second))
    recorder.commit()
    engine = store.settle()
    assert between(engine, "a", 2.0, 3.5) == Window(2, 5)
    assert between(engine, "a", 1.5, 1.9).seq_last < between(engine, "a", 1.5, 1.9).seq_first
    assert between(engine, "a", -5.0, 99.0) == Window(0, 6)


def test_a_cycle_is_found_by_its_row(store):
    keep_odd(store.engine, "a", 0, 40)
    cycle = {column.name: 0 for column in tables.cycle.columns}
    values = cycle | {"run_id": "a", "cycle_count": 3, "seq_first": 10, "seq_last": 19, "phase": ""}
    queries.insert_row(store.engine, tables.cycle, values)
    engine = store.settle()
    window = one_cycle(engine, "a", 3)
    assert samples(engine, "a", ("seq",), window)["seq"].to_pylist() == list(range(10, 20))
    assert samples(engine, "a", window=one_cycle(engine, "a", 4)).num_rows == 0


def test_the_newest_are_the_last(store):
    keep_odd(store.engine, "a", 0, 40)
    engine = store.settle()
    assert newest_samples(engine, "a", 7) == Window(33, 39)
    assert newest_samples(engine, "a", 700) == Window(0, 39)


def test_many_rows_of_a_server_are_the_same_as_few_at_a_time(database, monkeypatch):
    """Many come through ADBC, few through the connection that is open."""
    from rig.store.database import open_database
    from rig.store.delivery import deliver
    from rig.store.journal import open_store
    from tests.store.stores import add_runs

    journal, server = open_store(database), open_database(database)
    add_runs(journal, "a'b%s")
    keep_odd(journal, "a'b%s", 0, 300)
    deliver(journal, server)
    few = rows.read_rows(server, "a'b%s", SAMPLE_COLUMNS, 0, 1_000)
    many = rows.read_rows(server, "a'b%s", SAMPLE_COLUMNS, 0, 1_000_000)
    assert few.equals(many)
    assert many.equals(written("a'b%s", 300))
    journal.dispose()
    server.dispose()


def test_a_server_that_is_away_is_named_by_both_ways(database):
    from rig.store.database import open_database

    server = open_database(database)
    gone = server.url.set(database="rig_gone")
    server.dispose()
    from sqlalchemy import create_engine

    for last in (10, 1_000_000):
        with pytest.raises(StoreError, match="rig_gone"):
            rows.read_rows(create_engine(gone), "a", ("seq",), 0, last)


def test_reading_a_run_sorts_no_rows(tmp_path):
    """Both tables are walked and merged: sorting ten million rows would fill the disk first."""
    engine = store_at(tmp_path / "rig.db", "a")
    statement = rows._statement(SAMPLE_COLUMNS, "?")
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("a", 0, 9) * 2)
        steps = [row[3] for row in plan]
    assert "MERGE (UNION ALL)" in steps
    left = steps[steps.index("LEFT") : steps.index("RIGHT")]
    assert any("PRIMARY KEY (run_id=? AND seq>? AND seq<?)" in step for step in left)
    assert not any("TEMP B-TREE" in step for step in left)
    engine.dispose()


def test_whole_is_every_sample_there_can_be():
    assert WHOLE.seq_first == 0
    assert WHOLE.seq_last > 10**18


numbers = st.none() | st.floats(width=64)
texts = st.none() | st.text(max_size=5)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    values=st.lists(st.tuples(numbers, texts), min_size=1, max_size=30),
    cuts=st.sets(st.integers(0, 30)),
)
def test_digests_do_not_depend_on_how_a_table_is_cut(values, cuts):
    schema = pa.schema([("voltage_volt", pa.float64()), ("tag", pa.string())])
    whole, pieces = Digests(), Digests()
    whole.add(as_batch(values, schema))
    edges = [0, *sorted(cut for cut in cuts if cut < len(values)), len(values)]
    for first, last in itertools.pairwise(edges):
        pieces.add(as_batch(values[first:last], schema))
    assert whole.hexdigests() == pieces.hexdigests()


@given(
    values=st.lists(st.tuples(numbers, texts), min_size=1, max_size=8),
    other=st.tuples(numbers, texts),
    place=st.integers(0, 7),
)
def test_digests_tell_any_two_different_columns_apart(values, other, place):
    schema = pa.schema([("voltage_volt", pa.float64()), ("tag", pa.string())])
    changed = [*values]
    changed[place % len(values)] = other
    first, second = Digests(), Digests()
    first.add(as_batch(values, schema))
    second.add(as_batch(changed, schema))
    same = [bits(row) for row in values] == [bits(row) for row in changed]
    assert (first.hexdigests() == second.hexdigests()) is same


def bits(row: tuple[float | None, str | None]) -> tuple[str, str | None]:
    import struct

    number, text = row
    return ("" if number is None else struct.pack("<d", number).hex(), text)
