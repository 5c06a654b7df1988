"""The texts of a protocol that was changed while its run went on: asked for, and put in force.

A proposal is written in one transaction with the order that asks for it. The engine completes its row
when it puts it in force, in the transaction of the cursor and of the run's own row, which has the text
in force: whoever reads a run reads that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from rig.core.orders import Order
from rig.store import tables
from rig.store.database import translated
from rig.store.orders import Answer, answer_on, write_order

Row = dict[str, Any]


def propose(engine: Engine, row: Mapping[str, Any], order: Order) -> Order:
    """Write a proposal down with the order for it, whose argument is its id; returns the order."""
    asked = replace(order, argument=str(row["revision_id"]))
    with translated(engine), engine.begin() as connection:
        connection.execute(insert(tables.revision).values(**row))
        return write_order(connection, asked)


def proposal(engine: Engine, run_id: str, revision_id: str) -> Row | None:
    """Return what was proposed under this id, or None."""
    table = tables.revision
    wanted = select(table).where(table.c.run_id == run_id, table.c.revision_id == revision_id)
    with translated(engine), engine.connect() as connection:
        found = connection.execute(wanted).mappings().first()
    return None if found is None else dict(found)


def revisions(engine: Engine, run_id: str) -> list[Row]:
    """Return every text that was in force, in order; empty for a run that was never revised."""
    table = tables.revision
    wanted = select(table).where(table.c.run_id == run_id, table.c.number.is_not(None))
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(wanted.order_by(table.c.number)).mappings()
        return [dict(row) for row in rows]


def put_in_force_alone(
    engine: Engine,
    order: Order,
    rows: Sequence[Row],
    *,
    protocol: Row,
    cursor: str,
    events: Sequence[Row],
    given: Answer,
    wall_us: int,
) -> bool:
    """Put a text in force for a run that no process has, all of it or nothing; False where it was answered."""
    of_run = {name: table.c.run_id == order.run_id for name, table in _OF_RUN.items()}
    with translated(engine), engine.begin() as connection:
        if not answer_on(connection, order, given, wall_us):
            return False
        for row in rows:
            mine = tables.revision.c.revision_id == row["revision_id"]
            connection.execute(delete(tables.revision).where(of_run["revision"], mine))
            connection.execute(insert(tables.revision).values(**row))
        connection.execute(update(tables.run).where(of_run["run"]).values(**protocol))
        connection.execute(update(tables.cursor).where(of_run["cursor"]).values(cursor=cursor))
        connection.execute(insert(tables.event), list(events))
    return True


_OF_RUN = {"revision": tables.revision, "run": tables.run, "cursor": tables.cursor}
