"""Where a named cell's record is found before a run: here, or on the database server that others use."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Engine

from rig.core.errors import RigError
from rig.store import queries, tables
from rig.store.address import is_server
from rig.store.database import open_database, open_if_there
from rig.store.journal import open_store


def database_with_cell(url: str, name: str) -> Engine | None:
    """Return the database to look a cell up in, or None where there is none yet.

    A cell that only the server knows is taken into the journal, under its own id: it is the same
    cell, measured on another rig. A server that is away knows nothing; the run begins all the same.
    """
    if not is_server(url):
        return open_if_there(url)
    journal = open_store(url)
    if queries.find_cell(journal, name) is None:
        with suppress(RigError):
            _take_over(url, name, journal)
    return journal


def _take_over(url: str, name: str, journal: Engine) -> None:
    server = open_database(url, create=False)
    try:
        record = queries.find_cell(server, name)
    finally:
        server.dispose()
    if record is not None:
        queries.insert_row(journal, tables.cell, record)
