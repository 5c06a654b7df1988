"""Which runs are meant: a condition in SQL over what is known of each run and its cell.

The condition is DuckDB's SQL on a table of its own, without access to any file or network; the
database itself never sees it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Engine, func, select

from rig.core.errors import BadInput, Problem
from rig.store import tables
from rig.store.database import translated

EXAMPLE = "--where \"chemistry = 'NMC|LPSCl|Li' and cycles >= 100\""
_RUN = ("run_id", "channel", "protocol_name", "state", "software_version")
_CELL = (
    "chemistry",
    "area_square_centimetre",
    "thickness_centimetre",
    "mass_gram",
    "capacity_ah",
    "symmetric",
)


def choosing_table(engine: Engine) -> pd.DataFrame:
    """Return one row for each run, newest first, with the columns that a condition may name.

    Times are UTC. ``cycles`` and ``spectra`` count what the run has of each.
    """
    run, cell = tables.run, tables.cell
    statement = (
        select(
            *(run.c[name] for name in _RUN),
            run.c.started_us,
            run.c.ended_us,
            tables.rig.c.name.label("rig"),
            cell.c.name.label("cell"),
            *(cell.c[name] for name in _CELL),
            _count(tables.cycle).label("cycles"),
            _count(tables.spectrum).label("spectra"),
        )
        .join_from(run, tables.rig)
        .outerjoin(cell, run.c.cell_id == cell.c.cell_id)
        .order_by(run.c.created_us.desc())
    )
    with translated(engine), engine.connect() as connection:
        rows = [_plain(dict(row)) for row in connection.execute(statement).mappings()]
    columns = [_named(column.name) for column in statement.selected_columns]
    return pd.DataFrame(rows, columns=columns)


def choose_runs(engine: Engine, where: str | None) -> pd.DataFrame:
    """Return the rows of ``choosing_table`` for which the condition holds; all where there is none.

    Raises BadInput for a condition that is no SQL or names what is not there.
    """
    table = choosing_table(engine)
    if not where or not where.strip():
        return table
    import duckdb  # noqa: PLC0415 - it loads for a tenth of a second

    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        connection.register("run", table)
        try:
            chosen = connection.execute(f"SELECT run_id FROM run WHERE ({where})").fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            message = f"got {where!r}: {reason}; columns: {', '.join(table.columns)}"
            raise BadInput(Problem("--where", message, example=EXAMPLE)) from error
    wanted = {row[0] for row in chosen}
    return table[table["run_id"].isin(wanted)].reset_index(drop=True)


def _count(table: Any) -> Any:
    return (
        select(func.count())
        .where(table.c.run_id == tables.run.c.run_id)
        .correlate(tables.run)
        .scalar_subquery()
    )


def _named(column: str) -> str:
    return {"started_us": "started", "ended_us": "ended", "protocol_name": "protocol"}.get(
        column, column
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {_named(name): value for name, value in row.items()}
    for name in ("started", "ended"):
        values[name] = _moment(values[name])
    return values


def _moment(wall_us: int | None) -> datetime.datetime | None:
    if wall_us is None:
        return None
    return datetime.datetime.fromtimestamp(wall_us / 1e6, tz=datetime.UTC).replace(tzinfo=None)
