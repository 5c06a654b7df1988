"""From the spool to its place: everything once, whatever happens in between."""

from __future__ import annotations

import contextlib
import sqlite3
import threading

import pytest
from sqlalchemy import event

from rig.core.errors import StoreError
from rig.store import forwarder
from rig.store.database import open_database
from rig.store.forwarder import forward
from tests.store.stores import (
    copy_database,
    keep,
    recorder_on,
    require_agreement,
    rows_in,
    sample,
    store_at,
)


def spooled(path, **counts):
    """A database with so many samples of each run in the spool."""
    engine = store_at(path, *counts)
    recorder = recorder_on(engine)
    for run_id, count in counts.items():
        keep(recorder, run_id, 0, count)
    recorder.commit()
    return engine


def marks(engine):
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT run_id, seq_next FROM ingest_cursor")
        return dict(list(rows))


def test_everything_moves_and_the_mark_says_how_far(tmp_path):
    engine = spooled(tmp_path / "rig.db", a=12, b=3)
    assert forward(engine) == 15
    assert rows_in(engine, "spool") == 0
    assert rows_in(engine, "sample") == 15
    assert marks(engine) == {"a": 12, "b": 3}
    assert require_agreement(engine, "a") == 12


def test_forwarding_nothing_is_nothing(tmp_path):
    engine = spooled(tmp_path / "rig.db", a=4)
    assert [forward(engine), forward(engine), forward(engine)] == [4, 0, 0]
    assert marks(engine) == {"a": 4}


def test_more_than_one_group_moves_in_one_call(tmp_path, monkeypatch):
    monkeypatch.setattr(forwarder, "GROUP_ROWS", 10)
    engine = spooled(tmp_path / "rig.db", a=35, b=7)
    assert forward(engine) == 42
    assert marks(engine) == {"a": 35, "b": 7}
    assert require_agreement(engine, "b") == 7


def test_a_power_cut_at_any_statement_moves_a_group_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(forwarder, "GROUP_ROWS", 10)
    engine = spooled(tmp_path / "rig.db", a=25)
    copies = []

    def copy(*_):
        copies.append(copy_database(tmp_path / "rig.db", tmp_path / f"copy-{len(copies)}.db"))

    event.listen(engine, "before_cursor_execute", copy)
    event.listen(engine, "commit", copy)
    forward(engine)
    moved = set()
    for path in copies:
        found = open_database(f"sqlite:///{path}")
        assert rows_in(found, "spool") + rows_in(found, "sample") == 25
        moved.add(rows_in(found, "sample"))
        forward(found)
        assert require_agreement(found, "a") == rows_in(found, "sample") == 25
        assert marks(found) == {"a": 25}
        found.dispose()
    assert moved == {0, 10, 20, 25}


@pytest.mark.parametrize("volt", [3.004, None])
def test_a_sample_that_is_there_already_is_left_alone(tmp_path, volt):
    """At least once plus the primary key is exactly once."""
    engine = store_at(tmp_path / "rig.db", "a")
    for _ in range(2):
        recorder = recorder_on(engine)
        recorder.sample(sample("a", 4, voltage_volt=volt))
        recorder.commit()
        assert forward(engine) == 1
    assert rows_in(engine, "sample") == 1
    assert rows_in(engine, "spool") == 0


@pytest.mark.parametrize(
    ("there", "came"),
    [
        ({}, {"voltage_volt": 99.0}),
        ({}, {"voltage_volt": None}),
        ({"voltage_volt": None}, {}),
        ({}, {"ts_us": 1}),
        ({}, {"current_ampere": 0.002}),
        ({"tag": None}, {"flags": 16}),
        ({"aux": None}, {"aux": '{"dew_point": -60.1}'}),
    ],
)
def test_another_sample_under_the_same_number_is_told_and_nothing_is_pruned(tmp_path, there, came):
    """Two processes wrote one run: neither of the two rows may vanish without a word."""
    engine = store_at(tmp_path / "rig.db", "a")
    recorder = recorder_on(engine)
    recorder.sample(sample("a", 4, **there))
    recorder.commit()
    forward(engine)
    recorder.sample(sample("a", 4, **came))
    recorder.sample(sample("a", 5))
    recorder.commit()
    with pytest.raises(StoreError, match="1 samples are not in their table, or others"):
        forward(engine)
    assert rows_in(engine, "sample") == 1
    assert rows_in(engine, "spool") == 2


def test_two_forwarders_and_a_writer_at_once_lose_and_double_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(forwarder, "GROUP_ROWS", 20)
    path = tmp_path / "rig.db"
    spooled(path, a=200).dispose()
    writing = threading.Event()
    failures: list[Exception] = []

    def forward_while_writing() -> None:
        engine = open_database(f"sqlite:///{path}")
        try:
            while not writing.is_set():
                forward(engine)
            forward(engine)
        except Exception as failure:
            failures.append(failure)
        engine.dispose()

    forwarders = [threading.Thread(target=forward_while_writing) for _ in range(2)]
    for thread in forwarders:
        thread.start()
    engine = open_database(f"sqlite:///{path}")
    recorder = recorder_on(engine)
    for first in range(200, 500, 20):
        keep(recorder, "a", first, 20)
        recorder.commit()
        assert require_agreement(engine, "a") == first + 20
    writing.set()
    for thread in forwarders:
        thread.join()
    forward(engine)
    assert not failures
    assert rows_in(engine, "sample") == require_agreement(engine, "a") == 500
    assert marks(engine) == {"a": 500}
    engine.dispose()


def test_a_locked_database_keeps_the_samples_in_the_spool(tmp_path):
    engine = spooled(tmp_path / "rig.db", a=5)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    with contextlib.closing(sqlite3.connect(tmp_path / "rig.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"stay in the spool.*locked"):
            forward(engine)
    assert require_agreement(engine, "a") == rows_in(engine, "spool") == 5
    assert forward(engine) == 5
