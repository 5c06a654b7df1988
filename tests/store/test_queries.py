"""Finding runs as people name them, and samples wherever they are just now."""

from __future__ import annotations

import pytest

from rig.core.errors import BadInput, StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.samples import sample_frame, samples
from tests.store.stores import (
    add_runs,
    keep,
    recorder_on,
    rows_in,
    run_values,
    sample,
    store_at,
)

RUNS = ("ab12" * 8, "ab34" * 8, "cd56" * 8)


@pytest.fixture
def engine(url):
    engine = open_database(url)
    add_runs(engine, *RUNS)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(RUNS[0], 0), ("ab1", 0), ("AB34", 1), ("c", 2), ("last", 2)],
)
def test_a_run_is_found_by_id_unique_prefix_or_last(engine, wanted, found):
    assert queries.find_run(engine, wanted).run_id == RUNS[found]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("ab", "2 runs begin like that: ab12ab12ab12, ab34ab34ab34|2 runs begin like that: ab34"),
        ("ff", "no such run"),
        ("ab12ab13", "did you mean 'ab12ab12'"),
        ("", "no such run"),
        ("%", "no such run"),
    ],
)
def test_a_run_that_is_not_one_is_refused_with_the_nearest(engine, wanted, words):
    with pytest.raises(BadInput, match=words):
        queries.find_run(engine, wanted)


def test_an_empty_word_is_never_the_only_run(tmp_path):
    engine = store_at(tmp_path / "one.db", RUNS[0])
    with pytest.raises(BadInput, match="no such run"):
        queries.find_run(engine, "")


def test_an_empty_database_has_no_last_run(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(BadInput, match="holds no run yet"):
        queries.find_run(engine, "last")


def test_the_last_run_is_the_newest_whatever_its_id(engine):
    queries.insert_row(engine, tables.run, run_values("0" * 32, created_us=99))
    assert queries.find_run(engine, "last").run_id == "0" * 32
    assert [run.run_id[:2] for run in queries.list_runs(engine)] == ["00", "cd", "ab", "ab"]


def test_samples_come_in_order_from_wherever_they_are(engine):
    recorder = recorder_on(engine)
    keep(recorder, RUNS[0], 0, 30)
    keep(recorder, RUNS[1], 0, 5)
    recorder.commit()
    forward(engine)
    keep(recorder, RUNS[0], 30, 10)
    recorder.commit()
    assert (rows_in(engine, "sample"), rows_in(engine, "spool")) == (35, 10)
    read = samples(engine, RUNS[0])
    assert tuple(read.column_names) == SAMPLE_COLUMNS
    assert [tuple(row.values()) for row in read.to_pylist()] == [
        sample(RUNS[0], seq) for seq in range(40)
    ]
    assert list(sample_frame(engine, RUNS[0], ("voltage_volt",)).columns) == ["voltage_volt"]


def test_a_run_without_samples_has_a_frame_with_columns(engine):
    frame = sample_frame(engine, RUNS[2])
    assert tuple(frame.columns) == SAMPLE_COLUMNS
    assert len(frame) == 0
    assert queries.last_wall_us(engine, RUNS[2]) is None
    assert queries.load_cursor(engine, RUNS[2]) is None
    assert list(queries.table_frame(engine, tables.step, RUNS[2]).columns)[:2] == [
        "run_id",
        "step_count",
    ]


def test_the_newest_sample_is_found_in_both_places(engine):
    recorder = recorder_on(engine)
    keep(recorder, RUNS[0], 0, 10)
    recorder.commit()
    assert queries.last_wall_us(engine, RUNS[0]) == 9_000_000
    forward(engine)
    assert queries.last_wall_us(engine, RUNS[0]) == 9_000_000


def test_the_same_method_on_the_same_inputs_replaces_its_result(engine):
    result = {
        "run_id": RUNS[0],
        "method": "arrhenius",
        "version": "1",
        "inputs_sha256": "0" * 64,
        "created_us": 1,
        "values": {"activation_energy_electronvolt": 0.35},
        "flags": [],
    }
    queries.replace_result(engine, result)
    queries.replace_result(engine, result | {"created_us": 2})
    queries.replace_result(engine, result | {"inputs_sha256": "1" * 64})
    kept = queries.table_rows(engine, tables.result, RUNS[0])
    assert [row["created_us"] for row in kept] == [2, 1]


def test_a_cell_has_one_name_and_a_second_of_it_is_a_store_error(engine):
    cell = {"cell_id": "1", "name": "LPS-17", "capacity_ah": 0.002}
    queries.insert_row(engine, tables.cell, cell)
    found = queries.find_cell(engine, "LPS-17")
    assert found is not None
    assert found == queries.load_cell(engine, "1")
    assert queries.find_cell(engine, "LPS-18") is None
    with pytest.raises(StoreError, match=r"(?i)unique"):
        queries.insert_row(engine, tables.cell, cell | {"cell_id": "2"})
