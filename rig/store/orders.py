"""Orders on their way to the engine, through the table ``journal``: the one door.

Whoever asks (command line, page, REST) writes a row; the engine that has the run reads it, and
writes what became of it in the same transaction as what follows from it. So every verb is on record
with who, when and why before it happens, whichever process asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from rig.core.orders import Order
from rig.store import tables
from rig.store.database import translated


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order: ``done``, ``refused`` or ``failed``, in words for people."""

    outcome: str
    words: str

    @property
    def done(self) -> bool:
        return self.outcome == "done"


def ask(
    engine: Engine,
    run_id: str,
    verb: str,
    *,
    who: str,
    wall_us: int,
    argument: str = "",
    reason: str = "",
) -> Order:
    """Write an order down; ``rig.engine.states.Verb`` has the verbs. Nobody has obeyed it yet."""
    asked = Order(0, run_id, verb, argument, who, reason, wall_us)
    with translated(engine), engine.begin() as connection:
        return write_order(connection, asked)


def write_order(connection: Connection, asked: Order) -> Order:
    """Write an order down in the transaction of what it is about; returns it with its id."""
    row = {
        "run_id": asked.run_id,
        "ts_us": asked.asked_us,
        "verb": asked.verb,
        "argument": asked.argument,
        "who": asked.who,
        "reason": asked.reason,
    }
    key = connection.execute(insert(tables.journal).values(**row)).inserted_primary_key
    assert key is not None
    return replace(asked, order_id=int(key[0]))


def unanswered(engine: Engine, run_ids: Iterable[str] | None = None) -> list[Order]:
    """Return the orders for these runs, or for all, that nobody has answered, oldest first."""
    table = tables.journal
    statement = select(table).where(table.c.outcome.is_(None)).order_by(table.c.journal_id)
    if run_ids is not None:
        statement = statement.where(table.c.run_id.in_(list(run_ids)))
    with translated(engine), engine.connect() as connection:
        return [_order(dict(row)) for row in connection.execute(statement).mappings()]


def answer(engine: Engine, order: Order, given: Answer, wall_us: int) -> bool:
    """Answer an order unless somebody has; say whether it was ours to answer.

    For those who have no recorder: a process that asks in vain, or does without an engine.
    """
    with translated(engine), engine.begin() as connection:
        return answer_on(connection, order, given, wall_us)


def answer_on(connection: Connection, order: Order, given: Answer, wall_us: int) -> bool:
    """Do the same in the transaction of what follows from it."""
    table = tables.journal
    change = (
        update(table)
        .where(table.c.journal_id == order.order_id, table.c.outcome.is_(None))
        .values(outcome=given.outcome, answer=given.words, answered_us=wall_us)
    )
    return connection.execute(change).rowcount == 1


def answer_to(engine: Engine, order: Order) -> Answer | None:
    """Return what became of an order, or None while nobody has said."""
    table = tables.journal
    statement = select(table.c.outcome, table.c.answer).where(table.c.journal_id == order.order_id)
    with translated(engine), engine.connect() as connection:
        row = connection.execute(statement).one()
    return None if row.outcome is None else Answer(row.outcome, row.answer)


def _order(row: dict[str, Any]) -> Order:
    return Order(
        row["journal_id"],
        row["run_id"],
        row["verb"],
        row["argument"],
        row["who"],
        row["reason"],
        row["ts_us"],
    )


def newest_order(engine: Engine, run_id: str, verb: str) -> Order | None:
    """Return the order with this verb that was given last to this run, answered or not."""
    table = tables.journal
    statement = (
        select(table)
        .where(table.c.run_id == run_id, table.c.verb == verb)
        .order_by(table.c.journal_id.desc())
        .limit(1)
    )
    with translated(engine), engine.connect() as connection:
        row = connection.execute(statement).mappings().first()
    return None if row is None else _order(dict(row))
