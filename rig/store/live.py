"""The newest of every channel, cheaply: for whoever looks twice a second and must cost the engine nothing.

One short read of a database, closed at once. What never changes of a run (its protocol's text, its
bench) is read once by ``run_facts``; here is only what moves. Knows no program and no words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Engine,
    Select,
    and_,
    bindparam,
    case,
    func,
    select,
)

from rig.core.alarms import Alarm, alarm_of
from rig.core.errors import BadInput, StoreError
from rig.core.records import RunState
from rig.store import tables
from rig.store.database import translated

TREND_SAMPLES = 60
# The newest rows of the spool hold every channel that samples at all; a journal whose server is away
# for days has millions of them behind.
SPOOL_ROWS = 5_000

IMPORTED_RIG = tables.IMPORTED_RIG

ALIVE = (
    RunState.STARTING,
    RunState.RUNNING,
    RunState.SUSPENDED,
    RunState.PAUSING,
    RunState.STOPPING,
)
TREND_COLUMNS = (
    "run_id",
    "seq",
    "ts_us",
    "test_time_second",
    "step_count",
    "voltage_volt",
    "current_ampere",
    "ambient_temperature_celsius",
    "surface_temperature_celsius",
    "applied_pressure_pa",
    "aux",
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Newest:
    """What a database says now: the run that each channel shows, its cursor, alarms that stand.

    ``runs`` are rows of ``run`` without text and bench, one per rig and channel; ``cursors`` and
    ``samples`` are by run id. ``alarms`` come with the id of their rig, or None.
    """

    runs: Sequence[Row]
    cursors: dict[str, str]
    samples: dict[str, Row]
    alarms: Sequence[tuple[Alarm, str | None]]


def read_newest(engine: Engine, settled: Iterable[str] = ()) -> Newest:
    """Return the newest of every channel; ``settled`` are runs of which nothing moves any more."""
    with translated(engine), engine.connect() as connection:
        runs = [dict(row) for row in connection.execute(_NEWEST_RUNS).mappings()]
        known = set(settled)
        moving = [run["run_id"] for run in runs if run["run_id"] not in known]
        cursors = {row[0]: row[1] for row in connection.execute(_CURSORS, {"run_ids": moving})}
        alarms = _alarms(connection)
    samples = {row["run_id"]: row for row in _trend(engine, moving, 1)}
    return Newest(runs, cursors, samples, alarms)


def read_trends(engine: Engine, run_ids: Iterable[str]) -> dict[str, list[Row]]:
    """Return the newest samples of each run, oldest first, at most ``TREND_SAMPLES``."""
    trends: dict[str, list[Row]] = {run_id: [] for run_id in run_ids}
    for row in _trend(engine, list(trends), TREND_SAMPLES):
        trends[row["run_id"]].append(row)
    return {run_id: rows[-TREND_SAMPLES:] for run_id, rows in trends.items()}


def run_facts(engine: Engine, run_id: str) -> Row:
    """Return what seldom changes of a run: its protocol, bench, cell (None where it has no record)."""
    run, cell, rig = tables.run, tables.cell, tables.rig
    newest = select(func.max(tables.revision.c.number)).where(tables.revision.c.run_id == run_id)
    statement = (
        select(
            run.c.channel,
            run.c.protocol_text,
            run.c.protocol_name,
            run.c.protocol_file,
            run.c.variables,
            run.c.bench,
            run.c.speed,
            func.coalesce(newest.scalar_subquery(), 1).label("protocol_revision"),
            rig.c.name.label("rig"),
            *(column.label(f"cell_{column.name}") for column in cell.columns),
        )
        .join_from(run, rig, run.c.rig_id == rig.c.rig_id)
        .outerjoin(cell, run.c.cell_id == cell.c.cell_id)
        .where(run.c.run_id == run_id)
    )
    with translated(engine), engine.connect() as connection:
        return dict(connection.execute(statement).mappings().one())


def last_state_us(engine: Engine, run_id: str) -> int | None:
    """Return since when a run is in its state, in UTC microseconds, or None where nothing says."""
    event = tables.event
    statement = (
        select(event.c.ts_us)
        .where(event.c.run_id == run_id, event.c.kind == "state")
        .order_by(event.c.event_id.desc())
        .limit(1)
    )
    with translated(engine), engine.connect() as connection:
        found = connection.execute(statement).scalar()
    return None if found is None else int(found)


# --- statements: built once, for building them costs more than running them ----------------------

_RUN_IDS: BindParameter[Any] = bindparam("run_ids", expanding=True)


def _newest_runs_statement() -> Select[Any]:
    """One run a channel: the one that is alive, though it be an older one, else the newest.

    What was brought in from a file was never on a channel of ours.
    """
    run = tables.run
    alive = case((run.c.state.in_([state.value for state in ALIVE]), 0), else_=1)
    place = func.row_number().over(
        partition_by=(run.c.rig_id, run.c.channel), order_by=(alive, run.c.created_us.desc())
    )
    measured = select(run.c.run_id, place.label("place")).where(run.c.rig_id != IMPORTED_RIG)
    ranked = measured.subquery()
    chosen = select(ranked.c.run_id).where(ranked.c.place == 1)
    columns = [run.c[name] for name in ("run_id", "rig_id", "channel", "state", "reason")]
    times = [run.c[name] for name in ("created_us", "started_us", "ended_us")]
    return select(*columns, *times).where(run.c.run_id.in_(chosen)).order_by(run.c.channel)


def _alarms_statement() -> Select[Any]:
    alarm, run = tables.alarm, tables.run
    return (
        select(alarm, run.c.rig_id)
        .outerjoin(run, run.c.run_id == alarm.c.run_id)
        .where(alarm.c.acknowledged_us.is_(None))
        .order_by(alarm.c.raised_us.desc())
    )


def _kept_statement() -> Select[Any]:
    """Each run's newest samples by the table's primary key."""
    table, run, inner = tables.sample, tables.run, tables.sample.alias()
    newest = select(func.max(inner.c.seq)).where(inner.c.run_id == run.c.run_id).scalar_subquery()
    here = and_(table.c.run_id == run.c.run_id, table.c.seq > newest - bindparam("count"))
    return (
        select(*(table.c[name] for name in TREND_COLUMNS))
        .join_from(run, table, here)
        .where(run.c.run_id.in_(_RUN_IDS))
        .order_by(table.c.run_id, table.c.seq)
    )


def _spooled_statement(*, last: bool) -> Select[Any]:
    """What of the spool's newest rows is these runs'; with ``last`` one row each."""
    spool = tables.spool
    recent = spool.c.arrival > select(func.max(spool.c.arrival)).scalar_subquery() - SPOOL_ROWS
    chosen = select(*(spool.c[name] for name in TREND_COLUMNS)).where(spool.c.run_id.in_(_RUN_IDS))
    if not last:
        return chosen.where(recent).order_by(spool.c.run_id, spool.c.seq)
    newest = select(func.max(spool.c.arrival)).where(recent).group_by(spool.c.run_id)
    return chosen.where(spool.c.arrival.in_(newest))


_NEWEST_RUNS, _ALARMS, _KEPT = _newest_runs_statement(), _alarms_statement(), _kept_statement()
_SPOOLED, _SPOOLED_LAST = _spooled_statement(last=False), _spooled_statement(last=True)
_CURSORS = select(tables.cursor.c.run_id, tables.cursor.c.cursor).where(
    tables.cursor.c.run_id.in_(_RUN_IDS)
)
_DROPPED = (
    select(tables.segment.c.run_id)
    .where(tables.segment.c.run_id.in_(_RUN_IDS), tables.segment.c.dropped_us.is_not(None))
    .distinct()
)
_ALARM_NAMES = [column.name for column in tables.alarm.columns]


# --- reading -------------------------------------------------------------------------------------


def _alarms(connection: Connection) -> list[tuple[Alarm, str | None]]:
    rows = [dict(row) for row in connection.execute(_ALARMS).mappings()]
    return [(alarm_of({name: row[name] for name in _ALARM_NAMES}), row["rig_id"]) for row in rows]


def _trend(engine: Engine, run_ids: Sequence[str], count: int) -> list[Row]:
    """Return each run's newest samples, in order of seq: the spool's are newer than the table's."""
    if not run_ids:
        return []
    wanted = {"run_ids": run_ids}
    with translated(engine), engine.connect() as connection:
        kept = connection.execute(_KEPT, wanted | {"count": count}).fetchall()
        spooled = connection.execute(_SPOOLED_LAST if count == 1 else _SPOOLED, wanted).fetchall()
        found = {row.run_id for row in (*kept, *spooled)}
        absent = [run_id for run_id in run_ids if run_id not in found]
        dropped = connection.execute(_DROPPED, {"run_ids": absent}).scalars() if absent else ()
        sealed = list(dropped)
    rows = [dict(zip(TREND_COLUMNS, row, strict=True)) for row in (*kept, *spooled)]
    return rows + [row for run_id in sealed for row in _from_files(engine, run_id, count)]


def _from_files(engine: Engine, run_id: str, count: int) -> list[Row]:
    """Return the newest samples of a run that has no rows any more; none where its file is away.

    Whoever reads the run itself is told so; here it would take all other channels off the wall.
    """
    from rig.store.samples import newest_samples, samples  # noqa: PLC0415 - it loads pyarrow

    try:
        window = newest_samples(engine, run_id, count)
        rows = samples(engine, run_id, TREND_COLUMNS, window).to_pylist()
    except (StoreError, BadInput):
        return []
    return [row | {"aux": json.loads(row["aux"] or "null")} for row in rows]
