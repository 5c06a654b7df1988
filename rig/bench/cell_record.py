"""What a cell's record says of it: facts that a protocol is compiled with, and limits of its own.

Limits stand under ``limits`` in the record's ``meta``, written as in a bench file:
``{"voltage": ["2.5 V", "4.3 V"], "pressure": ["1 MPa", "12 MPa"]}``. They belong to the cell, wherever
it is and whatever runs on it. One that cannot be read is refused: it must never be none.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from rig.bench.cells import database_with_cell, record_of_cell
from rig.bench.collecting import Collector
from rig.bench.limits import read_limits
from rig.core.errors import BadInput
from rig.protocol.program import CellFacts, Safety
from rig.protocol.source import read_source
from rig.store import queries, tables
from rig.store.database import translated
from rig.store.journal import open_store

LIMITS = "limits"


def facts_of(record: Mapping[str, Any]) -> CellFacts:
    """Return what a row of the table ``cell`` says. Raises BadInput for limits that cannot be read."""
    return CellFacts(
        record.get("area_square_centimetre"),
        record.get("thickness_centimetre"),
        record.get("capacity_ah"),
        record.get("mass_gram"),
        record.get("symmetric"),
        limits_of_cell(record),
    )


def limits_of_cell(record: Mapping[str, Any]) -> Safety | None:
    """Return the limits of a cell's record, None where it has none; raises BadInput with all problems."""
    plain = (record.get("meta") or {}).get(LIMITS)
    return None if plain is None else read_cell_limits(plain, str(record.get("name", "")))


def read_cell_limits(plain: object, cell: str) -> Safety:
    """Return limits that are written as in a bench file; raises BadInput with all problems."""
    to = Collector()
    text = json.dumps(plain, ensure_ascii=False)  # which is YAML, too
    limits = read_limits(to, read_source(text, f"cell {cell}, limits"), f"cell {cell!r}")
    if to.problems:
        raise BadInput(to.problems)
    return limits


def limits_in_force(database: str, cell: str) -> dict[str, Any] | None:
    """Return the limits of a cell as they were written. Raises BadInput where nobody knows the cell."""
    return (record_of_cell(database, cell)["meta"] or {}).get(LIMITS)


def set_limits(database: str, cell: str, text: str | None) -> None:
    """Write limits into a cell's record, which is made where there is none; None takes them away.

    Raises BadInput with everything that is wrong with them, and where there is nothing to take away;
    nothing is written then.
    """
    plain = None if text is None else read_source(text, f"cell {cell}, limits").plain()
    if plain is None:
        record_of_cell(database, cell)
    else:
        read_cell_limits(plain, cell)
    engine = database_with_cell(database, cell) or open_store(database)
    try:
        record = queries.find_cell(engine, cell)
        if record is None:
            values = {"cell_id": uuid.uuid4().hex, "name": cell, "meta": {LIMITS: plain}}
            queries.insert_row(engine, tables.cell, values)
            return
        change = update(tables.cell).where(tables.cell.c.cell_id == record["cell_id"])
        meta = {**(record["meta"] or {}), LIMITS: plain}
        with translated(engine), engine.begin() as connection:
            connection.execute(change.values(meta=meta))
    finally:
        engine.dispose()
