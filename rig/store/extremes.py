"""The lowest and highest of every block of a run's rows, found by the database where they lie.

Rows that are only looked at need not become Python's: of a million, the numbers of a few thousand
come back. Each statement is short and closed at once, and while it runs nothing else waits for this
process. Knows rows in ``sample`` alone: not the spool, no files, no plots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from rig.store import tables
from rig.store.arrow import as_batch, sample_schema
from rig.store.database import translated

BLOCK = 128  # rows whose extremes are kept; 256 saves a twelfth of the time and blurs twice as much
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extreme:
    """Where to look for a sample: in which block, and which value of which column it has."""

    column: str
    block: int
    value: float


def begins_in_rows(engine: Engine, run_id: str) -> bool:
    """Say whether a run's first sample is a row, and nothing of it is sealed."""
    row, sealed = tables.sample.c, tables.segment.c
    first = select(row.seq).where(row.run_id == run_id, row.seq == 0).exists()
    segments = select(sealed.seq_first).where(sealed.run_id == run_id).exists()
    with translated(engine), engine.connect() as connection:
        return bool(connection.execute(select(first, ~segments)).one() == (True, True))


def block_extremes(
    engine: Engine, run_id: str, columns: Sequence[str], first: int, end: int
) -> Floats:
    """Return lowest and highest of the blocks from ``first`` to before ``end``, as far as they are whole.

    Shape (blocks, 2 * columns): of each column the lowest, then the highest; NaN where a block has
    no value. It ends before the first block of which a row is missing. Raises StoreError.
    """
    chosen = ", ".join(f"min({name}), max({name})" for name in sample_schema(columns).names)
    if engine.dialect.name == "postgresql":
        found = _grouped(engine, chosen, run_id, first, end)
    else:
        found = _one_by_one(engine, chosen, run_id, first, end)
    return np.array(found, dtype=np.float64).reshape(len(found), 2 * len(columns))


def _one_by_one(
    engine: Engine, chosen: str, run_id: str, first: int, end: int
) -> list[tuple[Any, ...]]:
    """SQLite: a walk along the key for each block. GROUP BY would sort a million rows."""
    where = "run_id = ? AND seq >= ? AND seq < ?"
    statement, found = f"SELECT {chosen}, count(*) FROM sample WHERE {where}", []
    with _cursor(engine, statement) as cursor:
        for seq in range(first * BLOCK, end * BLOCK, BLOCK):
            *extremes, count = cursor.execute(statement, (run_id, seq, seq + BLOCK)).fetchone()
            if count < BLOCK:
                break
            found.append(tuple(extremes))
    return found


def _grouped(
    engine: Engine, chosen: str, run_id: str, first: int, end: int
) -> list[tuple[Any, ...]]:
    statement = (
        f"SELECT {chosen}, count(*), seq / {BLOCK} FROM sample "
        "WHERE run_id = %s AND seq >= %s AND seq < %s GROUP BY seq / "
        f"{BLOCK} ORDER BY seq / {BLOCK}"
    )
    found = []
    with _cursor(engine, statement) as cursor:
        cursor.execute(statement, (run_id, first * BLOCK, end * BLOCK))
        for place, (*extremes, count, block) in enumerate(cursor.fetchall()):
            if count < BLOCK or block != first + place:
                break
            found.append(tuple(extremes))
    return found


def seqs_of(engine: Engine, run_id: str, wanted: Sequence[Extreme]) -> list[int | None]:
    """Return the number of the first sample with each of these values, None where it is there no more."""
    if engine.dialect.name == "postgresql":
        return _seqs_of_server(engine, run_id, wanted)
    found = []
    with _cursor(engine, "SELECT seq FROM sample") as cursor:
        for one in wanted:
            first = one.block * BLOCK
            bounds = (run_id, first, first + BLOCK, one.value)
            row = cursor.execute(_statement_of(one.column), bounds).fetchone()
            found.append(None if row is None else int(row[0]))
    return found


def _statement_of(column: str) -> str:
    (name,) = sample_schema((column,)).names  # no name but a column's gets into a statement
    where = f"run_id = ? AND seq >= ? AND seq < ? AND {name} = ?"
    return f"SELECT seq FROM sample WHERE {where} ORDER BY seq LIMIT 1"


def _seqs_of_server(engine: Engine, run_id: str, wanted: Sequence[Extreme]) -> list[int | None]:
    """All of a column with one question: a server may be far away."""
    found: dict[Extreme, int] = {}
    for column in dict.fromkeys(one.column for one in wanted):
        own = [one for one in wanted if one.column == column]
        (name,) = sample_schema((column,)).names
        statement = (
            "SELECT (SELECT seq FROM sample WHERE run_id = %s AND seq >= asked.first "
            f"AND seq < asked.first + {BLOCK} AND {name} = asked.value ORDER BY seq LIMIT 1) "
            "FROM unnest(%s::bigint[], %s::float8[]) WITH ORDINALITY AS asked(first, value, place) "
            "ORDER BY asked.place"
        )
        firsts, values = [one.block * BLOCK for one in own], [one.value for one in own]
        with _cursor(engine, statement) as cursor:
            rows = cursor.execute(statement, (run_id, firsts, values)).fetchall()
        found |= {one: row[0] for one, row in zip(own, rows, strict=True) if row[0] is not None}
    return [found.get(one) for one in wanted]


def rows_at(engine: Engine, run_id: str, columns: Sequence[str], seqs: Sequence[int]) -> pa.Table:
    """Return the rows with these numbers, in their order; those that are there no more are left out."""
    schema = sample_schema(columns)
    start = f"SELECT {', '.join(schema.names)} FROM sample WHERE run_id = "
    with _cursor(engine, start) as cursor:
        if engine.dialect.name == "postgresql":
            statement = f"{start}%s AND seq = ANY(%s) ORDER BY seq"
            rows = cursor.execute(statement, (run_id, list(seqs))).fetchall()
        else:
            asked = (cursor.execute(f"{start}? AND seq = ?", (run_id, seq)) for seq in seqs)
            rows = [row for one in asked for row in one.fetchall()]
    return pa.Table.from_batches([as_batch(rows, schema)])


@contextmanager
def _cursor(engine: Engine, statement: str) -> Iterator[Any]:
    """A cursor of the driver's own: thousands of questions through SQLAlchemy cost as much again."""
    with translated(engine), engine.connect() as connection:
        cursor = connection.connection.cursor()
        try:
            yield cursor
        except engine.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(statement, None, error) from error
        finally:
            cursor.close()
