"""Journals with runs in them, and what has to be the same on the server to the last bit."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Engine, select

from rig.core.records import SAMPLE_COLUMNS
from rig.store import tables
from rig.store.database import open_database
from rig.store.journal import open_store
from rig.store.waiting import waiting_in
from tests.store.stores import add_runs, keep, recorder_on


def journal_with(database: str, **counts: int) -> Engine:
    """Make a journal for this server with so many samples of each run, with an event for each."""
    journal = open_store(database)
    add_runs(journal, *counts)
    recorder = recorder_on(journal)
    for run_id, count in counts.items():
        keep(recorder, run_id, 0, count)
    recorder.commit()
    return journal


def all_rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    """Return every row of a table, in order of its key."""
    known = tables.metadata.tables[table]
    with engine.connect() as connection:
        rows = connection.execute(select(known).order_by(*known.primary_key.columns))
        return [dict(row) for row in rows.mappings()]


def checksum(engine: Engine, table: str = "sample") -> tuple[int, int, str]:
    """Return count, distinct count and a checksum of all samples, by a way of this test's own."""
    columns = [tables.metadata.tables[table].c[name] for name in SAMPLE_COLUMNS]
    with engine.connect() as connection:
        rows = sorted(tuple(row) for row in connection.execute(select(*columns)))
    keys = {row[:2] for row in rows}
    return len(rows), len(keys), hashlib.sha256(repr(rows).encode()).hexdigest()


def nothing_waits(journal: Engine) -> bool:
    left = waiting_in(journal)
    return left.samples == left.rows == 0


def server_checksum(database: str) -> tuple[int, int, str]:
    server = open_database(database)
    try:
        return checksum(server)
    finally:
        server.dispose()
