"""Records of cells: looked at, made, changed; read by the same code as ``rig cells``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rig.bench.cell_fields import FIELDS, cell_words, read_cell_fields, read_cell_name
from rig.core.errors import BadInput, Problem
from rig.store import queries
from rig.store.accounts import Change
from rig.store.cells import add_cell, change_cell, list_cells
from rig.web.access import Operator, TheHouse, Viewer
from rig.web.answers import Limit, Line, Offset, WithoutNul
from rig.web.house import House
from rig.web.problems import Refusal

router = APIRouter(tags=["cells"])

Text = Annotated[str, StringConstraints(max_length=500), WithoutNul]
CellName = Annotated[str, Path(description="A cell's name.", max_length=200), WithoutNul]


class CellBody(BaseModel):
    """Fields as a person writes them, with units: `{"area": "0.785 cm^2", "mass": "12.3 mg"}`."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[dict[Text, Text], Field(max_length=40)] = {}
    reason: Line = ""


class NewCellBody(CellBody):
    """The same with the name that protocols and runs know the cell by."""

    name: Text


@router.get("/cells")
def cells(
    house: TheHouse,
    _: Viewer,
    q: Annotated[str, Query(max_length=200), WithoutNul] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Cells by name; `q` is found in name and chemistry. `fields` are those that a new one may have."""
    found = list_cells(house.history(), q, limit=limit, offset=offset)
    fields = {name: {"words": one.words, "example": one.example} for name, one in FIELDS.items()}
    return {"cells": found, "fields": fields}


@router.get("/cells/{name:path}")
def cell(house: TheHouse, _: Viewer, name: CellName) -> dict[str, Any]:
    """One cell's record."""
    found = _record(house, name)
    if found is None:
        raise Refusal(404, f"cell {name!r} has no record in this database", remedy="GET /api/cells")
    return found


@router.post("/cells", status_code=201)
def add(house: TheHouse, visitor: Operator, body: NewCellBody) -> dict[str, Any]:
    """Make a cell's record; 422 with everything that is wrong, 409 where the name is taken."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for read in (
        lambda: read_cell_name(body.name),
        lambda: values.update(read_cell_fields(body.fields)),
    ):
        try:
            read()
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    if _record(house, body.name) is not None:
        raise Refusal(
            409, f"cell {body.name!r} has a record already", remedy="PATCH /api/cells/NAME"
        )
    change = Change(visitor.name, house.clock.wall_us(), body.reason)
    add_cell(house.store, body.name, values, change, cell_words(values))
    return _record(house, body.name) or {}


@router.patch("/cells/{name:path}")
def change(house: TheHouse, visitor: Operator, name: CellName, body: CellBody) -> dict[str, Any]:
    """Change the fields that are given; results that were kept stay as they were found."""
    values = read_cell_fields(body.fields)
    if queries.find_cell(house.store, name) is None:
        raise Refusal(404, f"cell {name!r} has no record in this database", remedy="GET /api/cells")
    line = Change(visitor.name, house.clock.wall_us(), body.reason)
    change_cell(house.store, name, values, line, cell_words(values))
    return _record(house, name) or {}


def _record(house: House, name: str) -> dict[str, Any] | None:
    """Return a cell's record, from here or from the server that others use."""
    near = queries.find_cell(house.store, name)
    history = house.history()
    return near if near is not None or history is house.store else queries.find_cell(history, name)
