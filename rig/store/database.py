"""Opening a database: the URL people give, the settings that make a commit mean something.

SQLite runs with a write-ahead log and ``synchronous=FULL``: in an emulated power cut FULL lost no
acknowledged row, NORMAL half of them, and at 1,000 rows a commit both are equally fast. A database
server (PostgreSQL) is read here; runs reach it through a journal file, see rig/store/journal.py.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from rig.core.errors import BadInput, Problem, StoreError
from rig.store import tables
from rig.store.address import is_server, without_password

DEFAULT_URL = "sqlite:///rig.db"
_IN_MEMORY = (None, "", ":memory:")
CHECK_REMEDY = "data of a run wait in its journal meanwhile; see: rig db check"
_NOT_OURS = "it holds no runs: another program's file, or an empty one"
_EXAMPLE_OF_ANOTHER = "--db sqlite:///demo-out/rig.db"
_NO_FILE_REMEDY = "name the database that is there with --db; it is made by the first run"
_NEWER_REMEDY = "install the newer cellrig here, too; or give another database with --db"
UPGRADE_REMEDY = "upgrade it, once no run is going on; a copy is made first: rig db upgrade"

# A server that does not answer is given up in seconds, and one that vanishes without a word (a
# cable, a switch) in half a minute. What the URL says of these goes before.
PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "client_encoding": "utf8",
}
# Rigs that meet an empty database make its tables one after the other, under this advisory lock.
_SCHEMA_LOCK = 0x63656C6C726967


def database_url(given: str | None, of_bench: str | None = None) -> str:
    """Return the URL in force: the command line's, the environment's, the bench's, the default."""
    return given or os.environ.get("RIG_DATABASE_URL") or of_bench or DEFAULT_URL


def open_database(url: str, *, create: bool = True) -> Engine:
    """Open the database, make its tables, and refuse what cannot be written or has another schema.

    With ``create`` false a database that does not exist is bad input: somebody wants to read.
    Raises BadInput, and StoreError for a server that is away; what is refused is left as it was.
    """
    return _opened(url, create, lambda found: _require_schema(found, url, create=create))


def open_as_it_is(url: str) -> Engine:
    """Open a database that is there, whatever version of ours its schema is; changes nothing.

    For those who bring it to the next version, copy it or look at it. Raises like ``open_database``.
    """
    return _opened(url, False, lambda found: _require_ours(found, url))


def _opened(url: str, create: bool, require: Callable[[Connection], None]) -> Engine:
    engine = _engine(url)
    path = file_of(engine)
    try:
        if path is not None:
            _require_file(path, url, create=create)
        with engine.begin() as connection:
            require(connection)
    except OSError as error:
        raise _cannot(url, error.strerror or str(error)) from error
    except DBAPIError as error:
        engine.dispose()
        if is_server(url):
            raise _failure(engine, error, CHECK_REMEDY) from error
        raise _cannot(url, f"{error.orig}") from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def is_there(url: str) -> bool:
    """Say whether there is a file yet; of a server only asking it can tell."""
    path = file_of(_engine(url))
    try:
        return path is None or path.exists()
    except OSError as error:
        raise _cannot(url, error.strerror or str(error)) from error


def open_if_there(url: str) -> Engine | None:
    """Open the database, or return None where there is no file yet; makes none."""
    return open_database(url) if is_there(url) else None


@contextmanager
def translated(engine: Engine, remedy: str = "") -> Iterator[None]:
    """Turn what the database complains of into a StoreError that names the database."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _failure(engine, error, remedy) from error


def _failure(engine: Engine, error: SQLAlchemyError, remedy: str) -> StoreError:
    """Say in one line what the database itself complains of; a URL shows itself without password."""
    reason = " ".join(str(getattr(error, "orig", None) or error).split())
    return StoreError(f"database {without_password(str(engine.url))}: {reason}", remedy=remedy)


def file_of(engine: Engine) -> Path | None:
    """Return the file of an SQLite database; None for a server's or one in memory."""
    path = engine.url.database
    return Path(path) if engine.dialect.name == "sqlite" and path not in _IN_MEMORY else None


def _require_schema(connection: Connection, url: str, *, create: bool) -> None:
    """Make what is missing; refuse another schema, or to read what is none of ours, untouched."""
    server = connection.dialect.name == "postgresql"
    if server and create:
        wait_for_schema(connection)
    version = schema_version(connection, url)
    if version is None and not create:
        raise _cannot(url, _NOT_OURS)
    if version is not None:
        _require_current(version, url)
    if create or not server:  # who may only read a server's tables must be able to
        tables.metadata.create_all(connection)
    if version is None:
        values = {"key": "schema_version", "value": str(tables.SCHEMA_VERSION)}
        connection.execute(insert(tables.meta).values(**values))
    if version is None and server:  # its own name, whatever its address: a journal asks for it
        identity = {"key": "database_id", "value": uuid.uuid4().hex}
        connection.execute(insert(tables.meta).values(**identity))


def _require_ours(connection: Connection, url: str) -> None:
    require_known(schema_version(connection, url), url)


def _require_current(version: int, url: str) -> None:
    known, its = tables.SCHEMA_VERSION, f"its schema is version {version}, this software"
    if version > known:
        raise _cannot(url, f"{its} knows {known}", _NEWER_REMEDY, example="")
    if version < known:
        raise _cannot(url, f"{its} needs {known}", UPGRADE_REMEDY, example="")


def require_known(version: int | None, url: str) -> int:
    """Return the version of a database that is ours, and not newer than this software.

    Raises BadInput where it is neither.
    """
    if version is None:
        raise _cannot(url, _NOT_OURS)
    if version > tables.SCHEMA_VERSION:
        _require_current(version, url)
    return version


def wait_for_schema(connection: Connection) -> None:
    """Keep others from making or changing the tables until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def schema_version(connection: Connection, url: str) -> int | None:
    """Return the version that a database says its schema has, or None when it says nothing.

    Raises BadInput for a version that is no number.
    """
    columns = {"key", "value"}
    if not inspect(connection).has_table("meta") or columns != {
        column["name"] for column in inspect(connection).get_columns("meta")
    }:
        return None
    wanted = select(tables.meta.c.value).where(tables.meta.c.key == "schema_version")
    version = connection.execute(wanted).scalar()
    if version is not None and not version.isdecimal():
        raise _cannot(url, f"its schema version is {version!r}, expected a number")
    return None if version is None else int(version)


def _engine(url: str) -> Engine:
    try:
        if is_server(url):
            return _postgresql(make_url(re.sub("^postgres:", "postgresql:", url)))
        engine = create_engine(make_url(url))
    except (ArgumentError, ImportError, SQLAlchemyError, ValueError) as error:
        if "://" not in url:
            meant = f"sqlite:///{url}" if url.endswith(".db") else DEFAULT_URL
            raise _cannot(url, f"expected a URL such as {meant}", example=meant) from error
        raise _cannot(url, str(error).replace(url, without_password(url))) from error
    if engine.dialect.name != "sqlite":
        raise _cannot(url, "expected sqlite or postgresql")
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "application_name": "cellrig",
            **{name: value for name, value in PATIENCE.items() if name not in url.query},
        },
        json_serializer=_json,
        pool_pre_ping=True,  # the server may have been away since the connection was last used
    )


def _json(value: object) -> str:
    """Write JSON as the standard has it: NaN and infinities, which it has not, become words."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(value), parse_constant=str))


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=1000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _require_file(path: Path, url: str, *, create: bool) -> None:
    if not path.exists():
        if not create:
            raise _cannot(url, "no such file", _NO_FILE_REMEDY, example=_EXAMPLE_OF_ANOTHER)
        if not path.parent.is_dir():
            raise _cannot(url, f"the folder {str(path.parent)!r} does not exist")
        if not os.access(path.parent, os.W_OK):
            raise _cannot(url, f"the folder {str(path.parent)!r} is not writable")
    elif path.is_dir():
        raise _cannot(url, "that is a folder")
    elif not os.access(path, os.W_OK):
        raise _cannot(url, "the file is not writable")


def _cannot(url: str, reason: str, remedy: str = "", example: str = DEFAULT_URL) -> BadInput:
    where = f"database {without_password(url)}"
    problem = Problem(where, f"cannot be used: {reason}", example)
    return BadInput(problem, remedy=remedy or "give another database with --db")
