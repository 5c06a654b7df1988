"""Records of cells, as rows: made, changed, listed. Each change has a line in the journal.

Knows columns; what a person wrote has been read by rig/bench/cell_fields.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from rig.core.errors import BadInput, Problem
from rig.store import tables
from rig.store.accounts import Change, write_line
from rig.store.database import translated


def list_cells(
    engine: Engine, q: str = "", *, limit: int = 1000, offset: int = 0
) -> list[dict[str, Any]]:
    """Return cells by name, with how many runs each has; ``q`` is found in name and chemistry."""
    cell, run = tables.cell, tables.run
    runs = (
        select(func.count()).where(run.c.cell_id == cell.c.cell_id).scalar_subquery().label("runs")
    )
    statement = select(cell, runs).order_by(cell.c.name).limit(limit).offset(offset)
    if q:
        statement = statement.where(
            cell.c.name.icontains(q, autoescape=True)
            | cell.c.chemistry.icontains(q, autoescape=True)
        )
    with translated(engine), engine.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def add_cell(
    engine: Engine, name: str, values: Mapping[str, Any], change: Change, words: str
) -> str:
    """Make a cell's record and return its id; raises BadInput where the name is taken."""
    cell_id = uuid.uuid4().hex
    with translated(engine), engine.begin() as connection:
        if _id_of(connection, name) is not None:
            raise _taken(name)
        row = {"cell_id": cell_id, "name": name, **values}
        connection.execute(insert(tables.cell).values(**row))
        write_line(connection, change, "cell add", name, words)
    return cell_id


def change_cell(
    engine: Engine, name: str, values: Mapping[str, Any], change: Change, words: str
) -> None:
    """Change what is given of a cell's record; ``meta`` is added to. Raises BadInput for no such cell."""
    with translated(engine), engine.begin() as connection:
        cell_id = _id_of(connection, name)
        if cell_id is None:
            raise BadInput(Problem(f"cell {name}", "has no record in this database"))
        own = select(tables.cell.c.meta).where(tables.cell.c.cell_id == cell_id)
        before = connection.execute(own).scalar() or {}
        new = dict(values)
        if "meta" in new:
            new["meta"] = _merged(before, new["meta"])
        wanted = update(tables.cell).where(tables.cell.c.cell_id == cell_id)
        connection.execute(wanted.values(**new))
        write_line(connection, change, "cell change", name, words)


def _merged(before: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, the new one winning, also inside what has parts of its own."""
    inner = {
        key: _merged(before[key], value)
        for key, value in new.items()
        if isinstance(value, dict) and isinstance(before.get(key), dict)
    }
    return {**before, **new, **inner}


def _id_of(connection: Connection, name: str) -> str | None:
    wanted = select(tables.cell.c.cell_id).where(tables.cell.c.name == name)
    return connection.execute(wanted).scalar()


def _taken(name: str) -> BadInput:
    problem = Problem(
        f"cell {name}", "has a record already", example=f"rig cells change {name} ..."
    )
    return BadInput(problem, remedy="change that one, or give this cell a name of its own")
