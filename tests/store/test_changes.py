"""Whoever asks whether something was committed is told once, and of nothing else."""

from __future__ import annotations

from rig.store import queries, tables
from rig.store.changes import Changes
from rig.store.samples import samples
from tests.store.sealing_runs import keep_odd
from tests.store.stores import store_at


def test_a_commit_is_told_once_and_reading_is_none(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    changes = Changes(engine)
    assert changes.seen()
    assert not changes.seen()
    samples(engine, "a")
    assert not changes.seen()
    keep_odd(engine, "a", 0, 3)
    assert changes.seen()
    assert not changes.seen()
    changes.close()
    keep_odd(engine, "a", 3, 3)
    assert not changes.seen()
    engine.dispose()


def test_asking_keeps_no_log_from_being_taken_back(tmp_path):
    engine = store_at(tmp_path / "rig.db", "a")
    changes = Changes(engine)
    changes.seen()
    queries.insert_row(engine, tables.meta, {"key": "a", "value": "1"})
    assert changes.seen()
    with engine.connect() as connection:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    assert busy == 0
    changes.close()
    engine.dispose()
