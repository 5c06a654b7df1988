"""Finding runs among many: filtered, searched and a page at a time, without reading their protocols.

``rig.store.queries.list_runs`` reads every run whole; a lab has ten thousands of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, desc, func, or_, select

from rig.core.errors import BadInput, Problem
from rig.store import tables
from rig.store.database import translated

# Everything but the texts: what a list shows.
_LISTED = (
    "run_id",
    "channel",
    "protocol_name",
    "protocol_sha256",
    "software_version",
    "state",
    "reason",
    "created_us",
    "started_us",
    "ended_us",
)
_LARGEST_INTEGER = 2**63 - 1
_ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; empty fields match everything. Times are UTC microseconds of creation.

    ``text`` is found in run id, protocol, cell, channel and in why it ended, upper and lower case alike.
    """

    text: str = ""
    channel: str = ""
    state: str = ""
    protocol: str = ""
    cell: str = ""
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the runs that were found, newest first, and how many there are in all."""

    runs: tuple[dict[str, Any], ...]
    total: int


def search_runs(engine: Engine, wanted: Wanted, *, limit: int, offset: int = 0) -> Page:
    """Return ``limit`` runs from number ``offset`` on, each with the names of its cell and rig."""
    conditions = _conditions(wanted)
    statement = _listed().where(*conditions).order_by(desc(tables.run.c.created_us))
    count = _joined(select(func.count())).where(*conditions)
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(statement.limit(limit).offset(offset)).mappings()
        runs = tuple(dict(row) for row in rows)
        return Page(runs, connection.execute(count).scalar_one())


def one_run(engine: Engine, wanted: str) -> dict[str, Any] | None:
    """Return the run with this id, or the one created ``last``, or None; with its cell's and rig's name.

    A unique beginning of an id will do; raises BadInput for one of several runs.
    """
    statement = _listed().order_by(desc(tables.run.c.created_us)).limit(5)
    if wanted != "last":
        statement = statement.where(tables.run.c.run_id.startswith(wanted.lower(), autoescape=True))
    if not wanted or len(wanted) > _ID_CHARACTERS or "\0" in wanted:
        return None
    with translated(engine), engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(statement).mappings()]
    if wanted == "last" or len(rows) <= 1:
        return rows[0] if rows else None
    ids = ", ".join(row["run_id"][:12] for row in rows)
    raise BadInput(Problem(f"run {wanted!r}", f"several runs begin like that: {ids}"))


def run_texts(engine: Engine, run_id: str) -> dict[str, Any]:
    """Return what a list leaves out: the protocol's text and variables, the bench, speed and seed."""
    names = ("protocol_file", "protocol_text", "variables", "bench", "speed", "seed")
    statement = select(*(tables.run.c[name] for name in names))
    with translated(engine), engine.connect() as connection:
        found = connection.execute(statement.where(tables.run.c.run_id == run_id))
        return dict(found.mappings().one())


def _joined(statement: Select[Any]) -> Select[Any]:
    run, cell, rig = tables.run, tables.cell, tables.rig
    return (
        statement.select_from(run)
        .outerjoin(cell, run.c.cell_id == cell.c.cell_id)
        .outerjoin(rig, run.c.rig_id == rig.c.rig_id)
    )


def _listed() -> Select[Any]:
    columns = [tables.run.c[name] for name in _LISTED]
    return _joined(
        select(*columns, tables.cell.c.name.label("cell"), tables.rig.c.name.label("rig"))
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    run, cell = tables.run, tables.cell
    exact = {
        run.c.channel: wanted.channel,
        run.c.state: wanted.state,
        run.c.protocol_name: wanted.protocol,
        cell.c.name: wanted.cell,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in exact.items() if value
    ]
    if wanted.text:
        places = (run.c.run_id, run.c.protocol_name, run.c.channel, run.c.reason, cell.c.name)
        conditions.append(or_(*(place.icontains(wanted.text, autoescape=True) for place in places)))
    if wanted.since_us is not None:
        conditions.append(run.c.created_us >= min(wanted.since_us, _LARGEST_INTEGER))
    if wanted.until_us is not None:
        conditions.append(run.c.created_us <= min(wanted.until_us, _LARGEST_INTEGER))
    return conditions
