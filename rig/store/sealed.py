"""Which parts of a run are sealed, and the folder that their files are in.

Beside an SQLite file: ``rig.db.segments``. A server has no beside: RIG_SEGMENTS names a folder that
all who read can reach; it may do so for a file, too, that has no folder beside it yet.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select

from rig.core.errors import BadInput, Problem
from rig.store import tables
from rig.store.address import without_password
from rig.store.database import file_of, translated
from rig.store.segments import Segment

FOLDER_VARIABLE = "RIG_SEGMENTS"


def segments_folder(engine: Engine) -> Path:
    """Return the folder of this database's segments, which need not be there yet.

    Raises BadInput for a server, or a database in memory, without RIG_SEGMENTS.
    """
    path, given = file_of(engine), os.environ.get(FOLDER_VARIABLE)
    if given and (path is None or not beside(path).is_dir()):
        return Path(given)
    if path is None:
        where = f"database {without_password(str(engine.url))}"
        message = f"has no folder for sealed runs: {FOLDER_VARIABLE} is not set"
        example = f"{FOLDER_VARIABLE}=/srv/cells/segments"
        raise BadInput(Problem(where, message, example), remedy="set it as whoever sealed them did")
    return beside(path)


def beside(database: Path) -> Path:
    """Return the folder of segments beside an SQLite file."""
    return database.with_name(f"{database.name}.segments")


def segments_of(engine: Engine, run_id: str | None = None) -> list[Segment]:
    """Return the segments of a run, or of all, in order."""
    table = tables.segment
    statement = select(table).order_by(table.c.run_id, table.c.seq_first)
    if run_id is not None:
        statement = statement.where(table.c.run_id == run_id)
    with translated(engine), engine.connect() as connection:
        return [Segment(**row) for row in connection.execute(statement).mappings()]


def keep_segment(connection: Connection, segment: Segment) -> None:
    """Insert the row of a segment."""
    connection.execute(insert(tables.segment).values(**asdict(segment)))
