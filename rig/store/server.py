"""The database server's side of a delivery: rows as they stand, samples by COPY, compared, committed.

All of a group is one transaction. Everything may come twice: rows replace themselves, samples that
are there already are left alone (their key), so at least once is exactly once. As samples hardly ever
come twice, they go straight to their table; only where one is there already do they go by a temporary
one, which costs about twice as much. Knows PostgreSQL; where the rows come from is not asked here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, Table, select, text
from sqlalchemy.dialects import postgresql

from rig.core.clock import RealClock
from rig.core.errors import StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.store import tables
from rig.store.copying import Parcel, Range, encode, row_expression, without_nul
from rig.store.database import CHECK_REMEDY, translated
from rig.store.presence import note_end, note_heard, note_rig
from rig.store.waiting import Group

_REAL = RealClock()
_FEED_BITS = 40  # a journal's numbers below, the journal's own above: 8 million journals
_COLUMNS = ", ".join(SAMPLE_COLUMNS)

_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
# A server that acknowledges before it has written would make us prune what it may forget; and one
# that hears nothing more of us must not keep others waiting for our lock.
_SETTINGS = text(
    "SELECT set_config('idle_in_transaction_session_timeout', '60s', true), "
    "CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') "
    "THEN set_config('synchronous_commit', 'on', true) END"
)
_IDENTITY = text("SELECT value FROM meta WHERE key = 'database_id'")
_FEED = text("SELECT feed_id FROM feed WHERE journal_id = :journal_id")
_NEW_FEED = text(
    "INSERT INTO feed (journal_id) VALUES (:journal_id) ON CONFLICT DO NOTHING RETURNING feed_id"
)
_INCOMING = text(
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE sample) ON COMMIT DELETE ROWS"
)
_COPY = f"COPY {{}} ({_COLUMNS}) FROM STDIN (FORMAT binary)"
# No conflict target: with TimescaleDB the key has the time in it, too.
_MOVE = text(
    f"INSERT INTO sample ({_COLUMNS}) SELECT {_COLUMNS} FROM incoming ON CONFLICT DO NOTHING"
)
# By its key, range by range: joined with ``incoming``, a table without statistics, it may be read whole.
_ARRIVED = text(
    "SELECT part.run_id, part.seq_first, part.seq_last, found.rows, found.sha256 "
    "FROM unnest(CAST(:run_ids AS varchar[]), CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) "
    "AS part (run_id, seq_first, seq_last) CROSS JOIN LATERAL (SELECT count(*) AS rows, "
    f"sha256(string_agg({row_expression('sample')}, ''::bytea ORDER BY seq)) AS sha256 "
    "FROM sample WHERE sample.run_id = part.run_id "
    "AND seq BETWEEN part.seq_first AND part.seq_last) AS found"
)
_MARK = text(
    "INSERT INTO ingest_cursor (run_id, seq_next) VALUES (:run_id, :seq_next) "
    "ON CONFLICT (run_id) DO UPDATE "
    "SET seq_next = greatest(ingest_cursor.seq_next, excluded.seq_next)"
)


def receive(
    server: Engine,
    journal_id: str,
    expected_id: str | None,
    group: Group,
    parcel: Parcel | None = None,
) -> str | None:
    """Take over a group and return the database's name; None while somebody else delivers this journal.

    ``expected_id`` is the name of the database that has the journal's earlier rows; ``parcel`` is
    the group's samples as they are sent, where somebody has written them already. Raises
    StoreError, and has taken over nothing then, where this is another, where samples have not
    arrived to the bit, or where the server is away.
    """
    with translated(server, CHECK_REMEDY), server.begin() as connection:
        if not connection.execute(_LOCK, {"key": _lock_key(journal_id)}).scalar_one():
            return None
        connection.execute(_SETTINGS)
        identity = _require_identity(connection, expected_id)
        feed_id = _feed(connection, journal_id)
        for table, rows in group.rows.items():
            _replace(connection, table, _own_numbers(table, rows, feed_id))
        if group.samples:
            _take_samples(connection, parcel or encode(group.samples))
            connection.execute(_MARK, group.marks())
        note_heard(connection, feed_id, _REAL.wall_us)
    return identity


def sign_of_life(
    server: Engine, journal_id: str, expected_id: str | None, rig_id: str | None, *, last: bool
) -> None:
    """Say that this journal's rig is there, though it may have nothing to deliver; ``last`` is good-bye.

    Raises StoreError where this is another database than ``expected_id``, or where it is away.
    """
    with translated(server, CHECK_REMEDY), server.begin() as connection:
        if not connection.execute(_LOCK, {"key": _lock_key(journal_id)}).scalar_one():
            return  # whoever delivers at this moment is heard of, too
        _require_identity(connection, expected_id)
        feed_id = _feed(connection, journal_id)
        note_rig(connection, feed_id, rig_id)
        note_heard(connection, feed_id, _REAL.wall_us)
        if last:
            note_end(connection, feed_id)


def _lock_key(journal_id: str) -> int:
    """Return the advisory lock of a journal: two who deliver it at once only get in each other's way."""
    return int.from_bytes(hashlib.sha256(journal_id.encode()).digest()[:8], signed=True)


def _require_identity(connection: Connection, expected: str | None) -> str:
    found = str(connection.execute(_IDENTITY).scalar_one())
    if expected not in (None, found):
        raise StoreError(
            "this is not the database that has the journal's earlier rows; nothing is delivered",
            remedy="restore that database; or begin another journal, with RIG_JOURNAL",
        )
    return found


def _feed(connection: Connection, journal_id: str) -> int:
    """Return the number of a journal in this database, given when it first comes."""
    for statement in (_FEED, _NEW_FEED, _FEED):
        found = connection.execute(statement, {"journal_id": journal_id}).scalar()
        if found is not None:
            return int(found)
    raise AssertionError("it was there a moment ago")


# --- rows ----------------------------------------------------------------------------------------


def _own_numbers(table: Table, rows: list[dict[str, Any]], feed_id: int) -> list[dict[str, Any]]:
    """Tell apart what every journal numbers from 1."""
    if table not in (tables.event, tables.journal):
        return rows
    key = next(iter(table.primary_key.columns)).name
    return [row | {key: (feed_id << _FEED_BITS) + row[key]} for row in rows]


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write rows as they stand, over what stood there."""
    if not rows:
        return
    if table is tables.cell:
        rows = _own_names(connection, rows)
    statement = postgresql.insert(table)
    keys = list(table.primary_key.columns)
    changed = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changed),
        [
            {name: without_nul(it) if isinstance(it, str) else it for name, it in row.items()}
            for row in rows
        ],
    )


def _own_names(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell apart cells of one name from two rigs: nobody here can know whether they are the same."""
    cell = tables.cell
    named = select(cell.c.name, cell.c.cell_id).where(
        cell.c.name.in_([row["name"] for row in rows])
    )
    taken = {row.name: row.cell_id for row in connection.execute(named)}
    return [
        row
        if taken.get(row["name"], row["cell_id"]) == row["cell_id"]
        else row | {"name": f"{row['name']} ({row['cell_id'][:8]})"}
        for row in rows
    ]


# --- samples -------------------------------------------------------------------------------------


def _take_samples(connection: Connection, parcel: Parcel) -> None:
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    try:
        _put(raw, connection, parcel.data)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise StoreError(f"samples could not be sent: {reason}", remedy=CHECK_REMEDY) from error
    run_ids, firsts, lasts, *_ = zip(*parcel.ranges, strict=True)
    wanted = {"run_ids": list(run_ids), "firsts": list(firsts), "lasts": list(lasts)}
    arrived = {Range(*row) for row in connection.execute(_ARRIVED, wanted)}
    wrong = [part for part in parcel.ranges if part not in arrived]
    if wrong:
        raise _not_arrived(wrong)


def _put(raw: psycopg.Connection, connection: Connection, data: bytes) -> None:
    """Put samples into their table; where one is there already, all the others beside it."""
    try:
        with connection.begin_nested():
            _copy(raw, "sample", data)
    except psycopg.errors.UniqueViolation:
        connection.execute(_INCOMING)
        _copy(raw, "incoming", data)
        connection.execute(_MOVE)


def _copy(raw: psycopg.Connection, table: str, data: bytes) -> None:
    with raw.cursor() as cursor, cursor.copy(_COPY.format(table)) as copy:
        copy.write(data)


def _not_arrived(wrong: Sequence[Range]) -> StoreError:
    which = ", ".join(f"{part.run_id[:12]} {part.seq_first} to {part.seq_last}" for part in wrong)
    return StoreError(
        f"samples have not arrived, or others are under their numbers: {which}; "
        "nothing was pruned from the journal",
        remedy="keep a copy of both databases: two processes wrote the same run",
    )
