"""The journal: the SQLite file on this computer where a run is acknowledged, whatever its database.

Where the database is SQLite, it is the journal itself. Where it is a server, the journal has the
same tables and says what the server has not confirmed yet: samples are in ``spool``, and ``outbox``
names every other row that has changed. Triggers fill the outbox, so nobody who writes to a journal
(recorder, watchdog, a person who acknowledges an alarm) has to know of it or can forget it; and a
cursor that is written every second for a week waits there once. Knows the server's address only.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path

import platformdirs
from sqlalchemy import Connection, Engine, Table, make_url, select, text
from sqlalchemy.exc import ArgumentError

from rig.core.errors import BadInput, Problem
from rig.store import tables
from rig.store.address import is_server, without_password
from rig.store.database import is_there, open_database, translated

# What belongs to one file alone, and samples, which have a way of their own.
_NOT_DELIVERED = {
    *("meta", "sample", "spool", "ingest_cursor", "outbox", "forwarded", "feed", "segment"),
    *("user", "token"),  # who may come in here is nobody's business elsewhere
    *("alert_rule", "alert_watch", "alert_firing"),  # alarms go there, like any other
}
# The tables whose rows are delivered as they stand, each after those that it refers to.
DELIVERED: tuple[Table, ...] = tuple(
    table for table in tables.metadata.sorted_tables if table.name not in _NOT_DELIVERED
)

NOW_US = "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)"
_REMEMBER = text(
    "INSERT INTO meta (key, value) VALUES (:key, :value) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_HAS_SAMPLES = text("SELECT EXISTS (SELECT 1 FROM sample) OR EXISTS (SELECT 1 FROM run)")


# --- where it is ---------------------------------------------------------------------------------


def journal_file(database: str) -> Path:
    """Return the file that runs for a database server are written to on this computer.

    RIG_JOURNAL names it; else it is in the user's folder for data, one for each server database:
    the same from whichever folder a command is called, so that it finds the runs and their locks.
    Neither user nor password is part of its name: somebody may read with another role.
    """
    given = os.environ.get("RIG_JOURNAL")
    if given:
        return Path(given)
    folder = platformdirs.user_data_path("cellrig", appauthor=False)
    return folder / f"journal-{hashlib.sha256(_address(database).encode()).hexdigest()[:8]}.db"


def _address(database: str) -> str:
    try:
        url = make_url(database.replace("postgres:", "postgresql:", 1))
    except (ArgumentError, ValueError):
        return without_password(database)
    host, port = (url.query.get(name) or "" for name in ("host", "port"))
    return f"{url.host or host}:{url.port or port or 5432}/{url.database or ''}"


def journal_url(database: str) -> str:
    """Return the URL that runs are written to, and steered by: the database's own unless a server's."""
    return f"sqlite:///{journal_file(database)}" if is_server(database) else database


def prepare_store(database: str) -> str:
    """Return the same, and see that its folder is there: locks are put beside it before it is made."""
    if is_server(database):
        path = journal_file(database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"its journal {path} cannot be made: {error.strerror}"
            problem = Problem(f"database {without_password(database)}", message)
            raise BadInput(problem, remedy="name another file with RIG_JOURNAL") from error
    return journal_url(database)


def nearest_url(database: str) -> str:
    """Return the journal of this computer where there is one, else the database itself."""
    has_journal = is_server(database) and journal_file(database).exists()
    return journal_url(database) if has_journal else database


# --- opening -------------------------------------------------------------------------------------


def open_store(database: str, *, create: bool = True) -> Engine:
    """Open what runs for this database are written to: its file, or the journal of a server.

    Asks no server. Raises BadInput for a journal that cannot be used, or, with ``create`` false,
    where this computer has none: nothing has ever run here for that database.
    """
    if not is_server(database):
        return open_database(database, create=create)
    path = journal_file(database)
    if not create and not path.exists():
        message = f"no run was ever started for it on this computer (its journal would be {path})"
        problem = Problem(f"database {without_password(database)}", message)
        raise BadInput(problem, remedy="say it on the computer that runs it")
    return _open_journal(prepare_store(database))


def open_to_look(database: str) -> Engine:
    """Open the same for who asks before anything is written; where there is none yet, one in memory.

    So what is asked for can be checked, and refused, and no file is left of it. An empty one in
    memory belongs to the thread that opened it.
    """
    return open_store(database if is_there(journal_url(database)) else "sqlite://")


def _open_journal(url: str) -> Engine:
    engine = open_database(url)
    try:
        with translated(engine), engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _make_journal(connection, url)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _make_journal(connection: Connection, url: str) -> None:
    """Mark a new file as a journal, and see that each of its tables fills the outbox."""
    if journal_id(connection) is None:
        if connection.execute(_HAS_SAMPLES).scalar():
            message = "holds runs of its own, which would never reach the server"
            raise BadInput(
                Problem(f"journal {url}", message), remedy="name another file with RIG_JOURNAL"
            )
        remember(connection, "journal_id", uuid.uuid4().hex)
    for table in DELIVERED:
        for verb in ("INSERT", "UPDATE"):
            connection.exec_driver_sql(_trigger(table, verb))


def _trigger(table: Table, verb: str) -> str:
    """Note a row's key under a new number; what waits already has waited since it began to.

    Deletions are not delivered: a journal may be tidied up without the server forgetting.
    """
    key = f"json_array({', '.join(f'NEW.{column.name}' for column in table.primary_key.columns)})"
    same = f"table_name = '{table.name}' AND key = {key}"
    since = f"coalesce((SELECT min(since_us) FROM outbox WHERE {same}), {NOW_US})"
    return (
        f"CREATE TRIGGER IF NOT EXISTS outbox_{table.name}_{verb.lower()} "
        f'AFTER {verb} ON "{table.name}" BEGIN '
        f"INSERT INTO outbox (table_name, key, since_us) VALUES ('{table.name}', {key}, {since}); "
        f"DELETE FROM outbox WHERE {same} AND change_id < last_insert_rowid(); END"
    )


# --- what the file remembers ---------------------------------------------------------------------


def journal_id(connection: Connection) -> str | None:
    """Return the name of this journal, or None for a database that delivers to nobody."""
    return recall(connection, "journal_id")


def recall(connection: Connection, key: str) -> str | None:
    """Return what the file remembers under this key."""
    wanted = select(tables.meta.c.value).where(tables.meta.c.key == key)
    return connection.execute(wanted).scalar()


def remember(connection: Connection, key: str, value: str) -> None:
    """Make the file remember a value."""
    connection.execute(_REMEMBER, {"key": key, "value": value})
