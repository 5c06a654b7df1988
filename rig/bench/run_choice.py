"""Which runs are meant: a condition in SQL over what is known of each run and its cell.

The condition is DuckDB's SQL on a table of its own, without access to any file or network; the
database itself never sees it.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import Engine, func, select

from rig.core.errors import BadInput, Problem
from rig.store import tables
from rig.store.database import translated

CONDITION = "chemistry = 'NMC|LPSCl|Li' and cycles >= 100"
EXAMPLE = f'--where "{CONDITION}"'
PATIENCE_SECOND = 5.0  # a condition can ask for the product of everything with everything
_ALONE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "memory_limit": "1GB",
}
# Of a column in which nobody has a value DuckDB could not tell what it is.
_NO_TEXT = {
    "started": pa.timestamp("us"),
    "ended": pa.timestamp("us"),
    "symmetric": pa.bool_(),
    **{name: pa.int64() for name in ("cycles", "spectra")},
    **{
        name: pa.float64()
        for name in ("area_square_centimetre", "thickness_centimetre", "mass_gram", "capacity_ah")
    },
}
_RUN = ("run_id", "channel", "protocol_name", "state", "software_version")
_CELL = (
    "chemistry",
    "area_square_centimetre",
    "thickness_centimetre",
    "mass_gram",
    "capacity_ah",
    "symmetric",
)

CHOOSABLE = (
    *("run_id", "channel", "protocol", "state", "software_version", "started", "ended", "rig"),
    *("cell", *_CELL, "cycles", "spectra"),
)


def choosing_table(engine: Engine, among: Collection[str] | None = None) -> pd.DataFrame:
    """Return one row for each run, newest first, with the columns that a condition may name.

    Times are UTC. ``cycles`` and ``spectra`` count what the run has of each. ``among`` are the ids of
    the runs that come into question, None for all.
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
    if among is not None:
        statement = statement.where(run.c.run_id.in_(list(among)))
    with translated(engine), engine.connect() as connection:
        rows = [_plain(dict(row)) for row in connection.execute(statement).mappings()]
    columns = [_named(column.name) for column in statement.selected_columns]
    return pd.DataFrame(rows, columns=columns)


def choose_runs(
    engine: Engine,
    where: str | None,
    *,
    among: Collection[str] | None = None,
    place: str = "--where",
) -> pd.DataFrame:
    """Return the rows of ``choosing_table`` for which the condition holds; all where there is none.

    Raises BadInput, which says that it stands at ``place``, for a condition that is no SQL, names what
    is not there, or takes longer than ``PATIENCE_SECOND``.
    """
    table = choosing_table(engine, among)
    if not where or not where.strip():
        return table
    import duckdb  # noqa: PLC0415 - it loads for a tenth of a second

    with duckdb.connect(config=_ALONE) as connection:
        connection.register("run", _typed(table))
        impatient = threading.Timer(PATIENCE_SECOND, connection.interrupt)
        impatient.start()
        try:
            chosen = connection.execute(f"SELECT run_id FROM run WHERE ({where})").fetchall()
        except (duckdb.Error, UnicodeError) as error:
            reason = str(error).splitlines()[0]
            message = f"got {where!r}: {reason}; columns: {', '.join(table.columns)}"
            raise BadInput(Problem(place, message, example=_example(place))) from error
        finally:
            impatient.cancel()
            impatient.join()
    wanted = {row[0] for row in chosen}
    return table[table["run_id"].isin(wanted)].reset_index(drop=True)


def _typed(table: pd.DataFrame) -> pa.Table:
    fields = [pa.field(name, _NO_TEXT.get(name, pa.string())) for name in table.columns]
    return pa.Table.from_pandas(table, schema=pa.schema(fields), preserve_index=False)


def cells_of(chosen: pd.DataFrame) -> dict[str, str | None]:
    """Return the name of the cell of each run that was chosen, None where it has no record."""
    named = zip(chosen["run_id"], chosen["cell"], strict=True)
    return {run_id: cell if isinstance(cell, str) else None for run_id, cell in named}


def _example(place: str) -> str:
    return EXAMPLE if place == "--where" else f"{place}: {CONDITION}"


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
