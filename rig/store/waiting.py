"""What waits in a journal for its server: read a group at a time, and taken out once it is there.

A group is read in one moment of the journal, whoever writes meanwhile, and quickly: an open reader
keeps the write-ahead log growing. What is delivered and changes again waits again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, Connection, Engine, Select, Table, and_, func, select, text

from rig.core.records import SAMPLE_COLUMNS, SampleRow
from rig.store import tables
from rig.store.database import translated
from rig.store.journal import DELIVERED, NOW_US, recall, remember

GROUP_ROWS = 5_000
# Few rows that the others refer to: they go first. The cursor goes last, after its samples.
_FIRST, _LAST = ("rig", "cell", "run"), "cursor"

_LAST_ARRIVAL = text(
    "SELECT max(arrival) FROM (SELECT arrival FROM spool WHERE arrival > :after "
    "ORDER BY arrival LIMIT :count)"
)
_SAMPLES = (
    f"SELECT {', '.join(SAMPLE_COLUMNS)} FROM spool WHERE arrival > ? AND arrival <= ? "
    "ORDER BY run_id, seq"
)
_FORWARDED = text(
    "INSERT INTO forwarded (run_id, seq_next, ts_us) VALUES (:run_id, :seq_next, :ts_us) "
    "ON CONFLICT (run_id) DO UPDATE SET seq_next = max(seq_next, excluded.seq_next), "
    "ts_us = max(ts_us, excluded.ts_us)"
)
# Not by arrival alone: a spool that has been emptied gives the same arrivals again, and another
# process may have emptied it since we read.
_PRUNE_SAMPLES = text(
    "DELETE FROM spool WHERE arrival <= :last "
    "AND seq < (SELECT seq_next FROM forwarded WHERE forwarded.run_id = spool.run_id)"
)
# One statement each, not one for each row: the engine's own commit may be waiting for us.
_PRUNE_CHANGES = text(
    "DELETE FROM outbox WHERE change_id IN (SELECT value FROM json_each(:numbers))"
)
# What has changed again since we read it has waited since then only.
_STILL_WAITS = text(
    "UPDATE outbox SET since_us = :read_us WHERE change_id > :newest AND since_us < :read_us "
    "AND table_name || key IN (SELECT value FROM json_each(:rows))"
)
_MOMENT = text(f"SELECT coalesce(max(change_id), 0), {NOW_US} FROM outbox")
_WAITING = text(
    "SELECT (SELECT count(*) FROM spool) AS samples, (SELECT count(*) FROM outbox) AS rows, "
    f"(SELECT ({NOW_US} - min(since_us)) / 1e6 FROM outbox) AS second"
)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one moment, in the order in which they are delivered, and how to take them out.

    ``samples`` are in order of run and number. ``rows`` holds tables before those that refer to
    them; the keys of what has been deleted meanwhile are in ``changes`` alone.
    """

    samples: Sequence[SampleRow]
    rows: dict[Table, list[dict[str, Any]]]
    changes: list[dict[str, Any]]
    last_arrival: int
    newest_change: int  # in the whole outbox
    read_us: int

    @property
    def count(self) -> int:
        return len(self.samples) + len(self.changes)

    def marks(self) -> list[dict[str, Any]]:
        """Return run_id, seq_next and ts_us (UTC microseconds) after each run's newest sample."""
        newest = {row[0]: row for row in self.samples}
        return [
            {"run_id": row[0], "seq_next": int(str(row[1])) + 1, "ts_us": row[2]}
            for row in newest.values()
        ]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much a journal still has for its server, and for how long the oldest has waited."""

    samples: int
    rows: int
    behind_second: float


def waiting_in(engine: Engine) -> Waiting:
    """Return what waits in a journal."""
    with translated(engine), engine.connect() as connection:
        found = connection.execute(_WAITING).one()
    return Waiting(found.samples, found.rows, max(0.0, found.second or 0.0))


# --- reading -------------------------------------------------------------------------------------


def read_group(engine: Engine) -> Group:
    """Return the oldest samples and changes, up to ``GROUP_ROWS`` of each; changes nothing."""
    with _moment(engine) as connection:
        last, samples = _samples_after(connection, 0)
        chosen = _oldest_changes(with_cursors=len(samples) < GROUP_ROWS)
        changes = [dict(row) for row in connection.execute(select(chosen)).mappings()]
        names = {change["table_name"] for change in changes}
        rows = {
            table: [dict(row) for row in connection.execute(_rows(table, chosen)).mappings()]
            for table in DELIVERED
            if table.name in names
        }
        newest, now_us = connection.execute(_MOMENT).one()
    return Group(samples, rows, changes, last, newest, now_us)


def read_samples_after(engine: Engine, group: Group) -> Group | None:
    """Return as many samples as fit into the group after this one; None where there are too few.

    Whoever delivers a long backlog reads ahead with it. Everything else waits: a group by itself
    is read when this one has arrived.
    """
    with _moment(engine) as connection:
        last, samples = _samples_after(connection, group.last_arrival)
    if len(samples) < GROUP_ROWS:
        return None
    return Group(samples, {}, [], last, group.newest_change, group.read_us)


def _samples_after(connection: Connection, after: int) -> tuple[int, Sequence[SampleRow]]:
    """Return up to ``GROUP_ROWS`` samples that arrived after this one, and which came last."""
    bounds = {"after": after, "count": GROUP_ROWS}
    last = connection.execute(_LAST_ARRIVAL, bounds).scalar() or after
    cursor = connection.connection.cursor()  # tuples as they are: there are many
    cursor.execute(_SAMPLES, (after, last))
    return last, cursor.fetchall()


@contextmanager
def _moment(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the journal as it is now."""
    with translated(engine), engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        yield connection


def _oldest_changes(*, with_cursors: bool) -> CTE:
    """A cursor that says more than the samples beside it would be a lie: it waits for the last."""
    outbox = tables.outbox
    wanted = select(outbox.c.change_id, outbox.c.table_name, outbox.c.key)
    if not with_cursors:
        wanted = wanted.where(outbox.c.table_name != _LAST)
    others = outbox.c.table_name.not_in(_FIRST)
    return wanted.order_by(others, outbox.c.change_id).limit(GROUP_ROWS).cte("chosen")


def _rows(table: Table, chosen: CTE) -> Select[Any]:
    parts = enumerate(table.primary_key.columns)
    same = and_(*(key == func.json_extract(chosen.c.key, f"$[{place}]") for place, key in parts))
    return (
        select(table)
        .join_from(chosen, table, same)
        .where(chosen.c.table_name == table.name)
        .order_by(chosen.c.change_id)
    )


# --- taking out ----------------------------------------------------------------------------------


def prune(engine: Engine, group: Group, database_id: str) -> None:
    """Take out what the server, called ``database_id``, has confirmed."""
    with translated(engine, "nothing is lost: it is delivered again"), engine.begin() as connection:
        if group.samples:
            connection.execute(_FORWARDED, group.marks())
            connection.execute(_PRUNE_SAMPLES, {"last": group.last_arrival})
        if group.changes:
            _prune_changes(connection, group)
        remember(connection, "database_id", database_id)
        remember(connection, "delivery_failure", "")


def _prune_changes(connection: Connection, group: Group) -> None:
    numbers = [change["change_id"] for change in group.changes]
    rows = [f"{change['table_name']}{change['key']}" for change in group.changes]
    connection.execute(_PRUNE_CHANGES, {"numbers": json.dumps(numbers)})
    still = {"newest": group.newest_change, "read_us": group.read_us, "rows": json.dumps(rows)}
    connection.execute(_STILL_WAITS, still)


def note_failure(engine: Engine, reason: str) -> None:
    """Remember why the last delivery failed, for who looks from another process; empty when it did not."""
    with translated(engine), engine.begin() as connection:
        remember(connection, "delivery_failure", reason)


def last_failure(engine: Engine) -> str:
    """Return why the last delivery failed, or the empty string."""
    with translated(engine), engine.connect() as connection:
        return recall(connection, "delivery_failure") or ""


def delivered_to(engine: Engine) -> tuple[str, str | None]:
    """Return the journal's own name, and the name of the database that has its earlier rows."""
    with translated(engine), engine.connect() as connection:
        own = recall(connection, "journal_id")
        assert own is not None, "only a journal delivers"
        return own, recall(connection, "database_id")


def forwarded_marks(engine: Engine) -> dict[str, int]:
    """Return for each run the number up to which its samples are on the server and no longer here."""
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(select(tables.forwarded.c.run_id, tables.forwarded.c.seq_next))
        return {row.run_id: row.seq_next for row in rows}
