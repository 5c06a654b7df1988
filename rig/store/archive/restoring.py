"""From an archive to a database: the run as it was, or nothing.

A run that is here already with the same measured content is left as it is; with other content it is
refused: two runs of one id are never merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from rig.core.errors import BadInput, Problem, StoreError
from rig.store import tables
from rig.store.archive.content import PARTS, ArchivedRun, differences
from rig.store.archive.packing import read_run
from rig.store.database import translated
from rig.store.inserting import know_rig, with_samples
from rig.store.queries import RunRecord, find_run

_WHY = "imported from an archive, open where it was raised"
_BY_IMPORT = {"acknowledged_by": "rig runs import", "acknowledge_reason": _WHY}


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of an archive; ``notes`` say what is not as in it, in words."""

    run_id: str
    samples: int
    already_there: bool
    cell: str
    notes: tuple[str, ...] = ()


def restore(engine: Engine, content: ArchivedRun, where: str) -> Restored:
    """Write an archived run into a database and read it back.

    Raises BadInput where a run of this id with other content is there, StoreError where what is read
    back is not what was written (then it is taken out again).
    """
    present = _present(engine, content.run_id)
    if present is not None:
        return _compare(engine, present, content, where)
    content, notes = _settled(content)
    with (
        translated(engine),
        with_samples(engine, content.run_id, content.samples) as connection,
    ):
        know_rig(connection, content.rig["rig_id"], content.rig["name"])
        notes += _write_cell(connection, content.cell)
        connection.execute(insert(tables.run).values(**content.run))
        for part, table in PARTS.items():
            if content.rows[part]:
                connection.execute(insert(table), content.rows[part])
    _verify(engine, content)
    count = content.samples.num_rows
    return Restored(content.run_id, count, False, _name(content.cell), tuple(notes))


def _settled(content: ArchivedRun) -> tuple[ArchivedRun, list[str]]:
    """Return the run with no alarm open: an alarm of elsewhere must not keep a channel here from starting."""
    alarms = content.rows["alarms"]
    waiting = [alarm for alarm in alarms if alarm["acknowledged_us"] is None]
    if not waiting:
        return content, []
    settled = [
        alarm | {"acknowledged_us": alarm["last_us"]} | _BY_IMPORT if alarm in waiting else alarm
        for alarm in alarms
    ]
    words = f"{len(waiting)} open alarms came along; they are acknowledged here: {_WHY}"
    return replace(content, rows=dict(content.rows) | {"alarms": settled}), [words]


def _present(engine: Engine, run_id: str) -> RunRecord | None:
    known = select(tables.run.c.run_id).where(tables.run.c.run_id == run_id)
    with translated(engine), engine.connect() as connection:
        there = connection.execute(known).scalar() is not None
    return find_run(engine, run_id) if there else None


def _compare(engine: Engine, present: RunRecord, content: ArchivedRun, where: str) -> Restored:
    found = differences(read_run(engine, present), content)
    if found.measured:
        message = (
            f"run {content.run_id[:12]} is here already, with other {', '.join(found.measured)}"
        )
        raise BadInput(
            Problem(where, message),
            remedy="import it into another database: --db sqlite:///other.db",
        )
    notes = tuple(f"{part} differ from the archive's: those here are kept" for part in found.added)
    return Restored(content.run_id, content.samples.num_rows, True, _name(content.cell), notes)


def _name(cell: Mapping[str, Any] | None) -> str:
    return str(cell["name"]) if cell else ""


def _write_cell(connection: Connection, cell: Mapping[str, Any] | None) -> list[str]:
    """Write the cell where it is new, and return in words what is not as in the archive.

    A cell of this name that is another gets none of our data: ours takes the beginning of its id
    behind its name, as when two rigs deliver to one server.
    """
    if cell is None:
        return []
    table = tables.cell
    named = select(table).where(table.c.cell_id == cell["cell_id"])
    known = connection.execute(named).mappings().one_or_none()
    if known is not None:
        same = dict(known) == dict(cell)
        return [] if same else ["its cell is here with another record: kept as it is here"]
    taken = select(table.c.cell_id).where(table.c.name == cell["name"])
    if connection.execute(taken).scalar() is None:
        connection.execute(insert(table).values(**cell))
        return []
    name = f"{cell['name']} ({cell['cell_id'][:8]})"
    connection.execute(insert(table).values(**dict(cell) | {"name": name}))
    return [f"another cell is called {cell['name']!r} here: this one is {name!r}"]


def _verify(engine: Engine, content: ArchivedRun) -> None:
    present = _present(engine, content.run_id)
    assert present is not None, "committed a moment ago"
    found = differences(read_run(engine, present), content)
    wrong = (*found.measured, *found.added)
    if wrong:
        _take_out(engine, content.run_id)
        raise StoreError(f"what was written is not what is read back: {', '.join(wrong)}")


def _take_out(engine: Engine, run_id: str) -> None:
    with translated(engine), engine.begin() as connection:
        for table in (*PARTS.values(), tables.sample, tables.ingest_cursor, tables.run):
            connection.execute(table.delete().where(table.c.run_id == run_id))
