"""Reading back: runs, spectra, cycles, events; samples have a reader of their own, samples.py.

Readers close at once and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Engine, Select, Table, delete, desc, func, insert, select

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.store import tables
from rig.store.database import translated


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A row of the run table; ``values`` has every column."""

    run_id: str
    channel: str
    protocol_name: str
    state: str
    values: Mapping[str, Any]


def list_runs(engine: Engine) -> list[RunRecord]:
    """Return all runs, newest first."""
    return [_record(row) for row in _rows(engine, _newest_first())]


def find_run(engine: Engine, wanted: str) -> RunRecord:
    """Return the run with this id or unique prefix, or the one started ``last``.

    Raises BadInput when there is none, or more than one, naming the nearest.
    """
    runs = list_runs(engine)
    if wanted == "last" and runs:
        return runs[0]
    # An empty word is the beginning of every id: a shell variable that was never set.
    matches = [run for run in runs if wanted and run.run_id.startswith(wanted.lower())]
    if len(matches) == 1:
        return matches[0]
    where = f"run {wanted!r}"
    if matches:
        ids = ", ".join(run.run_id[:12] for run in matches[:5])
        raise BadInput(Problem(where, f"{len(matches)} runs begin like that: {ids}"))
    message = "no such run in this database" if runs else "this database holds no run yet"
    nearest = did_you_mean(wanted, [run.run_id[:8] for run in runs])
    raise BadInput(
        Problem(where, message, suggestion=nearest), remedy="list them with: rig runs list"
    )


def _newest_first() -> Select[Any]:
    return select(tables.run).order_by(desc(tables.run.c.created_us))


def _record(values: dict[str, Any]) -> RunRecord:
    return RunRecord(
        values["run_id"], values["channel"], values["protocol_name"], values["state"], values
    )


def _rows(engine: Engine, statement: Select[Any]) -> list[dict[str, Any]]:
    with translated(engine), engine.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def table_rows(engine: Engine, table: Table, run_id: str) -> list[dict[str, Any]]:
    """Return a run's rows of ``step``, ``cycle``, ``spectrum``... in order of their key."""
    order = list(table.primary_key.columns)
    return _rows(engine, select(table).where(table.c.run_id == run_id).order_by(*order))


def table_frame(engine: Engine, table: Table, run_id: str) -> pd.DataFrame:
    """Return the same as a frame, with its columns even when there are no rows."""
    columns = [column.name for column in table.columns]
    return pd.DataFrame(table_rows(engine, table, run_id), columns=columns)


def load_cursor(engine: Engine, run_id: str) -> tuple[str, str | None] | None:
    """Return (cursor, simulation) as committed last, or None when the run never began."""
    rows = _rows(engine, select(tables.cursor).where(tables.cursor.c.run_id == run_id))
    return (rows[0]["cursor"], rows[0]["simulation"]) if rows else None


_WALL_TIMES = (
    *((one.c.ts_us, one.c.run_id) for one in (tables.sample, tables.spool, tables.forwarded)),
    (tables.segment.c.ts_us_last, tables.segment.c.run_id),
)


def last_wall_us(engine: Engine, run_id: str) -> int | None:
    """Return the wall time of a run's newest sample in UTC microseconds, or None without samples.

    In a journal that is the newest that the server has, when no newer one is here; of a run that is
    sealed it may be in a segment.
    """
    with translated(engine), engine.connect() as connection:
        newest = [
            connection.execute(select(func.max(ts_us)).where(run == run_id)).scalar()
            for ts_us, run in _WALL_TIMES
        ]
    return max((int(ts_us) for ts_us in newest if ts_us is not None), default=None)


def load_cell(engine: Engine, cell_id: str) -> dict[str, Any] | None:
    """Return the cell's record."""
    rows = _rows(engine, select(tables.cell).where(tables.cell.c.cell_id == cell_id))
    return rows[0] if rows else None


def find_cell(engine: Engine, name: str) -> dict[str, Any] | None:
    """Return the record of the cell with this name, or None."""
    rows = _rows(engine, select(tables.cell).where(tables.cell.c.name == name))
    return rows[0] if rows else None


def insert_row(engine: Engine, table: Table, values: Mapping[str, Any]) -> None:
    """Insert one row in a transaction of its own: a run, a cell, a rig."""
    with translated(engine), engine.begin() as connection:
        connection.execute(insert(table).values(**values))


def replace_result(engine: Engine, values: Mapping[str, Any]) -> None:
    """Keep a result; the same method on the same inputs replaces its predecessor."""
    table = tables.result
    with translated(engine), engine.begin() as connection:
        connection.execute(
            delete(table).where(
                table.c.run_id == values["run_id"],
                table.c.method == values["method"],
                table.c.inputs_sha256 == values["inputs_sha256"],
            )
        )
        connection.execute(insert(table).values(**values))
