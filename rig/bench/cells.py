"""Where a named cell's record is found before a run: here, or on the database server that others use."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import Engine

from rig.core.errors import BadInput, Problem, RigError
from rig.store import queries, tables
from rig.store.address import is_server
from rig.store.database import open_database, open_if_there
from rig.store.journal import journal_file, open_store, open_to_look


def database_with_cell(url: str, name: str) -> Engine | None:
    """Return the database to look a cell up in, or None where there is none yet.

    A cell that only the server knows is taken into the journal, under its own id: it is the same
    cell, measured on another rig. A server that is away knows nothing; the run begins all the same.
    """
    if not is_server(url):
        return open_if_there(url)
    known = _found(open_to_look(url), name) is not None
    record = None if known else _on_server(url, name)
    if record is None:
        return open_store(url) if journal_file(url).exists() else None
    journal = open_store(url)
    queries.insert_row(journal, tables.cell, record)
    return journal


def record_of_cell(
    url: str, name: str, *, remedy: str = "list them with: rig cells list"
) -> dict[str, Any]:
    """Return a cell's record as it is here, else as the server has it.

    For who only looks: makes no database, and takes nothing over. Raises BadInput, with ``remedy``,
    where nobody knows the cell.
    """
    found = _found(open_to_look(url), name)
    if found is None and is_server(url):
        found = _on_server(url, name)
    if found is None:
        raise BadInput(Problem(f"cell {name}", "has no record in this database"), remedy=remedy)
    return found


def _on_server(url: str, name: str) -> dict[str, Any] | None:
    with suppress(RigError):
        return _found(open_database(url, create=False), name)
    return None


def _found(engine: Engine, name: str) -> dict[str, Any] | None:
    try:
        return queries.find_cell(engine, name)
    finally:
        engine.dispose()
