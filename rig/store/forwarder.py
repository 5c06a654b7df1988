"""From the spool, in order of arrival, to ``sample``, clustered by run: at least once, hence exactly once.

Rows and ``ingest_cursor`` move in one transaction, in groups; what is there already is left alone
(ON CONFLICT DO NOTHING on the primary key). Spool rows are deleted in that same transaction, after
the counts have been compared. A journal's samples are left where they are: they have another way to
go, to the database server (rig/store/delivery.py).
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from rig.core.errors import StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.store.journal import journal_id

GROUP_ROWS = 5_000
_COLUMNS = ", ".join(SAMPLE_COLUMNS)

# ON CONFLICT needs a WHERE after the SELECT to tell it from a join's ON (SQLite's own advice).
_MOVE = text(
    f"INSERT INTO sample ({_COLUMNS}) SELECT {_COLUMNS} FROM spool "
    "WHERE arrival <= :last ORDER BY run_id, seq ON CONFLICT (run_id, seq) DO NOTHING"
)
_MARK = text(
    "INSERT INTO ingest_cursor (run_id, seq_next) "
    "SELECT run_id, max(seq) + 1 FROM spool WHERE arrival <= :last GROUP BY run_id "
    "ON CONFLICT (run_id) DO UPDATE SET seq_next = excluded.seq_next"
)
_LAST = text(
    "SELECT max(arrival) FROM (SELECT arrival FROM spool ORDER BY arrival LIMIT :count) AS oldest"
)
# A row under the same key that says something else is no copy: whoever wrote it, two runs did. Every
# value is compared, and NULL with NULL, for which SQLite and PostgreSQL have words of their own.
_SAME = {"sqlite": "IS", "postgresql": "IS NOT DISTINCT FROM"}
_MISSING = {
    dialect: text(
        "SELECT count(*) FROM spool LEFT JOIN sample USING (run_id, seq) "
        "WHERE spool.arrival <= :last AND NOT ("
        + " AND ".join(
            f"CAST(sample.{name} AS text) {same} CAST(spool.{name} AS text)"
            if name == "aux"
            else f"sample.{name} {same} spool.{name}"
            for name in SAMPLE_COLUMNS[2:]  # after the key
        )
        + ")"
    )
    for dialect, same in _SAME.items()
}
_PRUNE = text("DELETE FROM spool WHERE arrival <= :last")


def forward(engine: Engine) -> int:
    """Move everything that is in the spool to its place and return how many rows that were.

    Safe to call at any time, by anybody, after any crash. Raises StoreError and moves nothing of
    a group whose rows did not all arrive, or met others under their numbers.
    """
    moved = 0
    try:
        with engine.connect() as connection:
            if journal_id(connection) is not None:
                return 0
        while count := _forward_group(engine):
            moved += count
    except SQLAlchemyError as error:
        raise StoreError(f"database {engine.url}: samples stay in the spool: {error}") from error
    return moved


def _forward_group(engine: Engine) -> int:
    with engine.begin() as connection:
        last = connection.execute(_LAST, {"count": GROUP_ROWS}).scalar()
        if last is None:
            return 0
        return _move(connection, {"last": last})


def _move(connection: Connection, bounds: dict[str, int]) -> int:
    connection.execute(_MOVE, bounds)
    connection.execute(_MARK, bounds)
    missing = connection.execute(_MISSING[connection.dialect.name], bounds).scalar_one()
    if missing:
        raise StoreError(
            f"{missing} samples are not in their table, or others under their numbers; "
            "nothing was pruned",
            remedy="keep a copy of the database: two processes wrote the same run",
        )
    return connection.execute(_PRUNE, bounds).rowcount
