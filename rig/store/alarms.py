"""Alarms in the database: raised, counted while latched, listed, acknowledged.

What follows from raising and acknowledging is decided in rig/core/alarms.py; here it becomes rows.
The index ``alarm_latched`` keeps two of one kind on a channel from standing latched side by side,
whoever writes them: the engine, a watchdog, a person at another terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, desc, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rig.core.alarms import Alarm, acknowledge, alarm_of, blocking, latch
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.store import tables
from rig.store.database import translated

_REMEDY = "list them with: rig alarms list --all"


# --- raising -------------------------------------------------------------------------------------


def keep_alarm(connection: Connection, raised: Alarm) -> Alarm:
    """Raise an alarm in the transaction of ``connection`` and return the one that stands now.

    Between the look and the writing somebody else may acknowledge what stood there, or raise the
    same: then look again. An error here would end the run, for the sake of a count. The very same
    alarm may come twice, when nobody knows whether a commit went through; it counts once.
    """
    while True:
        before = _standing(connection, raised)
        if before is not None and before.alarm_id == raised.alarm_id:
            return before
        stands = latch(before, raised)
        written = _insert_unless_latched if before is None else _update_latched
        if written(connection, stands):
            return stands


def raise_now(engine: Engine, raised: Alarm) -> Alarm:
    """Raise an alarm in a transaction of its own: for those who have no recorder."""
    with translated(engine), engine.begin() as connection:
        return keep_alarm(connection, raised)


def _standing(connection: Connection, raised: Alarm) -> Alarm | None:
    """Return this very alarm where it was kept before, else what is latched at its place."""
    table = tables.alarm
    same = table.c.alarm_id == raised.alarm_id
    here = and_(table.c.channel == raised.channel, table.c.kind == raised.kind, _LATCHED)
    if connection.dialect.name == "postgresql" and raised.run_id:
        here = and_(here, table.c.run_id.in_(_of_the_same_rig(raised.run_id)))
    statement = select(table).where(or_(same, here)).order_by(desc(same)).limit(1)
    found = connection.execute(statement).mappings().first()
    return alarm_of(dict(found)) if found else None


def _of_the_same_rig(run_id: str) -> Select[Any]:
    """A server has the alarms of many rigs, each with a channel A1."""
    run, own = tables.run, tables.run.alias()
    rig_id = select(own.c.rig_id).where(own.c.run_id == run_id).scalar_subquery()
    return select(run.c.run_id).where(run.c.rig_id == rig_id)


def _insert_unless_latched(connection: Connection, alarm: Alarm) -> bool:
    """Write a new row where nothing of its kind is latched; say whether it is there now."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(tables.alarm).values(**alarm.plain()).on_conflict_do_nothing()
    # Of an INSERT, psycopg's rowcount is not handed on: only what it returns tells.
    return connection.execute(statement.returning(tables.alarm.c.alarm_id)).first() is not None


def _update_latched(connection: Connection, alarm: Alarm) -> bool:
    """Write an alarm over its row while that is latched; say whether it was."""
    ours = tables.alarm.c.alarm_id == alarm.alarm_id
    change = update(tables.alarm).where(ours, _LATCHED).values(**alarm.plain())
    return connection.execute(change).rowcount == 1


# --- reading -------------------------------------------------------------------------------------


def open_alarms(engine: Engine, also: Iterable[str] = ()) -> list[Alarm]:
    """Return what is latched, newest first; and, whatever their state, those whose ids are named."""
    wanted = or_(_LATCHED, tables.alarm.c.alarm_id.in_(list(also)))
    return _read(engine, _newest_first().where(wanted))


def alarm_history(engine: Engine) -> list[Alarm]:
    """Return every alarm there ever was, newest first."""
    return _read(engine, _newest_first())


def find_alarm(engine: Engine, wanted: str) -> Alarm:
    """Return the alarm with this id or unique prefix, or the one raised ``last``.

    Raises BadInput when there is none, or more than one.
    """
    alarms = alarm_history(engine)
    if wanted == "last" and alarms:
        return alarms[0]
    matches = [alarm for alarm in alarms if wanted and alarm.alarm_id.startswith(wanted.lower())]
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(alarm.alarm_id[:12] for alarm in matches[:5])
        raise _no_alarm(wanted, f"{len(matches)} alarms begin like that: {ids}")
    nearest = did_you_mean(wanted, [alarm.alarm_id[:8] for alarm in alarms])
    raise _no_alarm(wanted, "no such alarm in this database", nearest)


def find_to_acknowledge(engine: Engine, wanted: str) -> list[Alarm]:
    """Return the alarms that a person means: a channel's latched ones, or one by its id.

    A channel's name goes before an id that begins like it.
    """
    channels = {alarm.channel for alarm in alarm_history(engine)} - {""}
    if wanted not in channels:
        return [find_alarm(engine, wanted)]
    return [alarm for alarm in open_alarms(engine) if alarm.channel == wanted]


def require_unblocked(engine: Engine, channels: Iterable[str]) -> None:
    """Raise BadInput, with every reason, where a critical alarm forbids a start."""
    latched = open_alarms(engine)
    blocked = {
        alarm.alarm_id: alarm for channel in channels for alarm in blocking(latched, channel)
    }
    if blocked:
        raise BadInput(
            [_blocked(alarm) for alarm in blocked.values()],
            remedy="nothing was switched on; see to it, then: rig alarms acknowledge ALARM",
        )


def _blocked(alarm: Alarm) -> Problem:
    message = f"{alarm.place} has a critical alarm that nobody has acknowledged: {alarm.message}"
    return Problem(f"alarm {alarm.alarm_id[:8]}", message)


# --- acknowledging -------------------------------------------------------------------------------


def acknowledge_alarms(
    engine: Engine, alarms: Sequence[Alarm], *, wall_us: int, who: str, reason: str
) -> list[Alarm]:
    """Acknowledge alarms, each with a line in the journal; return those that were still latched.

    One that somebody acknowledged before stays as it is, without a second line.
    """
    done = []
    with translated(engine), engine.begin() as connection:
        for alarm in alarms:
            if _acknowledge(connection, acknowledge(alarm, wall_us, who, reason)):
                connection.execute(
                    insert(tables.journal).values(**_line(alarm, wall_us, who, reason))
                )
                done.append(acknowledge(alarm, wall_us, who, reason))
    return done


def _acknowledge(connection: Connection, alarm: Alarm) -> bool:
    """Write the acknowledgement alone: the engine may be counting the alarm at this moment."""
    columns = ("acknowledged_us", "acknowledged_by", "acknowledge_reason")
    values = {name: getattr(alarm, name) for name in columns}
    ours = tables.alarm.c.alarm_id == alarm.alarm_id
    change = update(tables.alarm).where(ours, _LATCHED).values(**values)
    return connection.execute(change).rowcount == 1


def _line(alarm: Alarm, wall_us: int, who: str, reason: str) -> dict[str, Any]:
    return {
        "run_id": alarm.run_id,
        "ts_us": wall_us,
        "verb": "acknowledge",
        "argument": alarm.alarm_id,
        "who": who,
        "reason": reason,
        "outcome": "done",  # at once: no engine is asked
        "answer": f"{alarm.kind} on {alarm.place}",
        "answered_us": wall_us,
    }


# --- rows ----------------------------------------------------------------------------------------

_LATCHED = tables.alarm.c.acknowledged_us.is_(None)


def _newest_first() -> Select[Any]:
    return select(tables.alarm).order_by(desc(tables.alarm.c.raised_us))


def _read(engine: Engine, statement: Select[Any]) -> list[Alarm]:
    with translated(engine), engine.connect() as connection:
        return [alarm_of(dict(row)) for row in connection.execute(statement).mappings()]


def _no_alarm(wanted: str, message: str, suggestion: str = "") -> BadInput:
    problem = Problem(f"alarm {wanted!r}", message, suggestion=suggestion)
    return BadInput(problem, remedy=_REMEDY)
