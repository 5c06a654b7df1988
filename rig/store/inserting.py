"""Samples that were measured elsewhere, put into their table as they are, to the last bit.

The engine's own samples come another way (recorder, forwarder). Here they come before the row of their
run, group by group, so that a cell that is being measured never waits long for the database: samples
without a run are seen by nobody, and the next import of the same run takes them away.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from sqlalchemy import Connection, Engine, delete, func, insert, select

from rig.core.clock import RealClock
from rig.core.errors import StoreError
from rig.store import tables

_GROUP_ROWS = 5_000


@contextmanager
def with_samples(engine: Engine, run_id: str, table: pa.Table) -> Iterator[Connection]:
    """Put a new run's samples in their place, then give the transaction that writes the run itself.

    ``table`` has the columns of ``sample``, ``aux`` as JSON text. Where anything fails the samples are
    taken away again. Raises StoreError where they are not all there at the end.
    """
    _take_away(engine, run_id)
    try:
        for rows in _groups(table):
            with engine.begin() as connection:
                connection.exec_driver_sql(_statement(connection, table.schema.names), rows)
        with engine.begin() as connection:
            _require_all(connection, run_id, table.num_rows)
            marks = {"run_id": run_id, "seq_next": table.num_rows}
            connection.execute(insert(tables.ingest_cursor).values(**marks))
            yield connection
    except BaseException:
        _take_away(engine, run_id)
        raise


def _take_away(engine: Engine, run_id: str) -> None:
    """Delete samples that no run has."""
    sample, run = tables.sample, tables.run
    there = select(run.c.run_id).where(run.c.run_id == run_id)
    with engine.begin() as connection:
        if connection.execute(there).scalar() is None:
            connection.execute(delete(sample).where(sample.c.run_id == run_id))


def _statement(connection: Connection, names: list[str]) -> str:
    """Return the driver's own INSERT: half the time of one that SQLAlchemy binds row by row."""
    server = connection.dialect.name == "postgresql"
    mark = "%s" if server else "?"
    # A JSON column takes its text as it is on SQLite; PostgreSQL wants to be told.
    marks = ["CAST(%s AS JSON)" if server and name == "aux" else mark for name in names]
    return f"INSERT INTO sample ({', '.join(names)}) VALUES ({', '.join(marks)})"


def _groups(table: pa.Table) -> Iterator[list[tuple[object, ...]]]:
    for start in range(0, table.num_rows, _GROUP_ROWS):
        columns = table.slice(start, _GROUP_ROWS).columns
        yield list(zip(*(column.to_pylist() for column in columns), strict=True))


def _require_all(connection: Connection, run_id: str, count: int) -> None:
    found = connection.execute(
        select(func.count()).select_from(tables.sample).where(tables.sample.c.run_id == run_id)
    ).scalar_one()
    if found != count:
        message = f"{found} of {count} samples are there: does somebody else import the same run?"
        raise StoreError(message, remedy="import it again")


def know_rig(connection: Connection, rig_id: str, name: str) -> None:
    """Write the rig that a run comes from where it is new here, after this database's own rig.

    The oldest row is a database's own rig: one that comes with data must not take its place.
    """
    rig = tables.rig
    known = set(connection.execute(select(rig.c.rig_id)).scalars())
    now_us = RealClock().wall_us()
    if not known and connection.dialect.name == "sqlite":
        own = {"rig_id": uuid.uuid4().hex, "name": "rig", "created_us": now_us - 1}
        connection.execute(insert(rig).values(**own))
    if rig_id not in known:
        connection.execute(insert(rig).values(rig_id=rig_id, name=name, created_us=now_us))
