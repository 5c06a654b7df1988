"""Opening a database: the URL people give, the settings that make a commit mean something.

SQLite runs with a write-ahead log and ``synchronous=FULL``: in an emulated power cut FULL lost no
acknowledged row, NORMAL half of them, and at 1,000 rows a commit both are equally fast.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, insert, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from rig.core.errors import BadInput, Problem
from rig.store import tables

DEFAULT_URL = "sqlite:///rig.db"


def database_url(given: str | None, of_bench: str | None = None) -> str:
    """Return the URL in force: the command line's, the environment's, the bench's, the default."""
    return given or os.environ.get("RIG_DATABASE_URL") or of_bench or DEFAULT_URL


def open_database(url: str, *, create: bool = True) -> Engine:
    """Open the database, make its tables, and refuse what cannot be written or is too new.

    With ``create`` false a database that does not exist is bad input: somebody wants to read.
    Raises BadInput; nothing is half-made.
    """
    engine = _engine(url)
    path = engine.url.database
    if engine.dialect.name == "sqlite" and path and path != ":memory:":
        _require_file(Path(path), url, create=create)
    try:
        with engine.begin() as connection:
            tables.metadata.create_all(connection)
            version = connection.execute(
                select(tables.meta.c.value).where(tables.meta.c.key == "schema_version")
            ).scalar()
            if version is None:
                connection.execute(
                    insert(tables.meta).values(
                        key="schema_version", value=str(tables.SCHEMA_VERSION)
                    )
                )
    except DBAPIError as error:
        raise _cannot(url, f"{error.orig}") from error
    if version is not None and int(version) > tables.SCHEMA_VERSION:
        raise _cannot(
            url, f"its schema is version {version}, this software knows {tables.SCHEMA_VERSION}"
        )
    return engine


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(make_url(url))
    except (ArgumentError, ImportError, SQLAlchemyError) as error:
        raise _cannot(url, str(error)) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _require_file(path: Path, url: str, *, create: bool) -> None:
    if not path.exists():
        if not create:
            raise _cannot(
                url, "no such file", "name the database with --db sqlite:///path/to/rig.db"
            )
        if not path.parent.is_dir():
            raise _cannot(url, f"the folder {str(path.parent)!r} does not exist")
        if not os.access(path.parent, os.W_OK):
            raise _cannot(url, f"the folder {str(path.parent)!r} is not writable")
    elif path.is_dir():
        raise _cannot(url, "that is a folder")
    elif not os.access(path, os.W_OK):
        raise _cannot(url, "the file is not writable")


def _cannot(url: str, reason: str, remedy: str = "") -> BadInput:
    problem = Problem(f"database {url}", f"cannot be used: {reason}", example="sqlite:///rig.db")
    return BadInput(problem, remedy=remedy or "give another database with --db")
