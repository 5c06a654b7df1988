"""Samples that stand as rows, in ``sample`` and still in ``spool``, as Arrow batches.

SQLite is read through the library that Python itself has, and not through ADBC's: two copies of SQLite
in one process break each other's locks (sqlite.org/howtocorrupt.html, 2.2.1), and the process may
be the one that records. A server's many rows come through ADBC, which speaks PostgreSQL's binary COPY.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from rig.core.errors import StoreError
from rig.store.arrow import as_batch, sample_schema
from rig.store.database import PATIENCE, translated

BATCH_ROWS = 20_000
# Fewer come sooner through a connection that is open already.
MANY_ROWS = 20_000


AUX_TEXT = "NULLIF(CAST(aux AS text), 'null')"  # JSON has a null of its own; it is one to us


def read_rows(
    engine: Engine, run_id: str, columns: Sequence[str], seq_first: int, seq_last: int
) -> pa.Table:
    """Return these columns of a run's rows from ``seq_first`` to ``seq_last``, in order of seq.

    The forwarder moves and deletes in one transaction, and one statement sees one moment: a row is
    in one of the two tables, never in both. Raises StoreError.
    """
    bounds = (run_id, int(seq_first), int(seq_last))
    if engine.dialect.name == "postgresql" and seq_last - seq_first >= MANY_ROWS:
        return _through_adbc(engine, columns, bounds)
    with translated(engine):
        batches = list(_through_dbapi(engine, columns, bounds))
    return pa.Table.from_batches(batches, schema=sample_schema(columns))


def read_batches(
    engine: Engine, run_id: str, columns: Sequence[str], seq_first: int, seq_last: int
) -> Iterator[pa.RecordBatch]:
    """Yield the same piece by piece, each read for itself: for runs that nobody writes any more."""
    for first in range(seq_first, seq_last + 1, BATCH_ROWS):
        last = min(first + BATCH_ROWS - 1, seq_last)
        yield from read_rows(engine, run_id, columns, first, last).to_batches()


def _statement(columns: Sequence[str], mark: str) -> str:
    """Two walks along the run, merged: a first column more, by which they are in order.

    ``mark`` is how the driver writes a parameter. An ORDER BY around the two would sort every row.
    """
    known = sample_schema(columns).names
    chosen = ", ".join(AUX_TEXT if name == "aux" else name for name in known)
    parts = " UNION ALL ".join(
        f"SELECT seq, {chosen} FROM {table} "
        f"WHERE run_id = {mark} AND seq >= {mark} AND seq <= {mark}"
        for table in ("sample", "spool")
    )
    return f"{parts} ORDER BY 1"


def _with_order(columns: Sequence[str]) -> pa.Schema:
    return sample_schema(columns).insert(0, pa.field("in order", pa.int64()))


def _through_dbapi(
    engine: Engine, columns: Sequence[str], bounds: tuple[str, int, int]
) -> Iterator[pa.RecordBatch]:
    statement = _statement(columns, "?" if engine.dialect.name == "sqlite" else "%s")
    schema = _with_order(columns)
    with engine.connect() as connection:
        cursor = connection.connection.cursor()  # tuples as they are: there are many
        try:
            cursor.execute(statement, bounds * 2)
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield as_batch(rows, schema).select(range(1, len(schema)))
        except engine.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(statement, bounds, error) from error
        finally:
            cursor.close()


def _through_adbc(engine: Engine, columns: Sequence[str], bounds: tuple[str, int, int]) -> pa.Table:
    from adbc_driver_manager import Error  # noqa: PLC0415 - only a server's many rows need it
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415

    patience = {name: it for name, it in PATIENCE.items() if name not in engine.url.query}
    url = engine.url.set(drivername="postgresql").update_query_dict(patience)
    try:
        with (
            dbapi.connect(url.render_as_string(hide_password=False)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(_spelled_out(_statement(columns, "%s"), bounds * 2))
            read = cursor.fetch_arrow_table().rename_columns(_with_order(columns).names)
            return read.cast(_with_order(columns)).drop_columns(["in order"])
    except Error as error:
        raise StoreError(f"database {engine.url}: {' '.join(str(error).split())}") from error


def _spelled_out(statement: str, values: Sequence[Any]) -> str:
    """Put the values into the statement, quoted by PostgreSQL's own rules: COPY takes no parameters."""
    from psycopg import sql  # noqa: PLC0415

    return statement % tuple(sql.Literal(value).as_string(None) for value in values)
