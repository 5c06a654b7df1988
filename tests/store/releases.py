"""Databases as the released versions made them: their own DDL, and rows of runs that they recorded.

``version_1.sql`` has a finished run, and one whose process was killed while it charged: its newest
samples are in the spool. ``version_1_journal.sql`` is the journal of a killed run whose server was
never there; ``version_1_postgresql.sql`` is a server after that journal's delivery (by pg_dump).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, make_url, text

RELEASED = Path(__file__).parent / "released"
# Made by version 1, and never written to; and what an upgrade is there to change.
_NOT_KEPT = {"segment", "meta"}

Rows = dict[str, list[dict[str, Any]]]


def released_file(path: Path, name: str = "version_1") -> Path:
    """Make an SQLite database as a released version left it."""
    with closing(sqlite3.connect(path)) as made:
        made.executescript((RELEASED / f"{name}.sql").read_text(encoding="utf-8"))
        made.execute("PRAGMA journal_mode=WAL")
    return path


def released_server(url: str) -> None:
    """Fill an empty PostgreSQL database as version 1 left one."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        script = (RELEASED / "version_1_postgresql.sql").read_text(encoding="utf-8")
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute(script)
    engine.dispose()


def kept_rows(url: str) -> Rows:
    """Return every row of every table that an upgrade has to keep, by plain SQL."""
    engine = create_engine(make_url(url.replace("postgresql:", "postgresql+psycopg:", 1)))
    with engine.connect() as connection:
        found = {
            name: sorted(_rows(connection, name), key=repr)
            for name in inspect(connection).get_table_names()
            if name not in _NOT_KEPT
        }
    engine.dispose()
    return found


def _rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings()]


def as_before(before: Rows, after: Rows) -> Rows:
    """Return the tables and columns of ``before`` out of ``after``."""
    columns = {name: list(rows[0]) if rows else [] for name, rows in before.items()}
    return {
        name: sorted(({key: row[key] for key in columns[name]} for row in after[name]), key=repr)
        for name in before
    }
