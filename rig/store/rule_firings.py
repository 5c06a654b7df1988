"""How far rules have looked at runs, and where they fired: what survives a restart of who looks.

A firing and its alarm are one transaction, and one row lets nobody fire twice for one episode, however
many processes look at the same database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, and_, desc, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rig.core.alarms import Alarm
from rig.core.alert_rules import AlertRule
from rig.core.records import RunState
from rig.store import tables
from rig.store.alarms import keep_alarm
from rig.store.database import translated
from rig.store.live import ALIVE

OVER = "over"  # the mark of a run that a rule of results has looked at to its end

_ALIVE = [state.value for state in ALIVE]
# One that waits for a person or an instrument may go on: its cycles are not over.
_UNDECIDED = [*_ALIVE, RunState.QUEUED.value, RunState.PAUSED.value]


@dataclass(frozen=True, slots=True)
class Watched:
    """How far a rule has looked at a run; see the table ``alert_watch``."""

    run_id: str
    cycle_from: int = 0
    cycle_judged: int = 0
    mark: str = ""
    seen_us: int = 0


@dataclass(frozen=True, slots=True)
class Firing:
    """Where a rule fired. ``place`` is a cycle; of a silence the moment when it began, UTC us."""

    rule_id: str
    run_id: str
    place: int
    place_last: int
    value: float
    fired_us: int
    ended_us: int | None
    alarm_id: str

    @property
    def is_open(self) -> bool:
        """Say whether it is so still."""
        return self.ended_us is None


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run that rules look at; ``cycles`` is the number of the newest cycle that has ended."""

    run_id: str
    channel: str
    is_alive: bool
    is_over: bool
    created_us: int
    cycles: int


# --- runs ----------------------------------------------------------------------------------------


def runs_to_judge(engine: Engine, rule: AlertRule) -> list[JudgedRun]:
    """Return the runs that may have news for a rule: alive, looked at before, or begun since it was made.

    Of one that is over and was looked at to its end (``OVER``) nothing can come, unless it is resumed.
    """
    run, watch = tables.run, tables.alert_watch
    newest = (
        select(func.max(tables.cycle.c.cycle_count))
        .where(tables.cycle.c.run_id == run.c.run_id)
        .scalar_subquery()
    )
    seen = and_(watch.c.run_id == run.c.run_id, watch.c.rule_id == rule.rule_id)
    unseen = watch.c.run_id.is_(None)
    cycles = func.coalesce(newest, 0)
    statement = (
        select(run.c.run_id, run.c.channel, run.c.state, run.c.created_us, cycles.label("cycles"))
        .outerjoin(watch, seen)
        .where(
            run.c.rig_id != tables.IMPORTED_RIG,
            or_(
                run.c.state.in_(_UNDECIDED),
                and_(unseen, run.c.created_us >= rule.changed_us),
                watch.c.mark != OVER,
            ),
            or_(unseen, cycles != watch.c.cycle_judged, run.c.state.not_in(_UNDECIDED)),
        )
    )
    with translated(engine), engine.connect() as connection:
        return [_judged(dict(row)) for row in connection.execute(statement).mappings()]


def _judged(row: dict[str, Any]) -> JudgedRun:
    state = row.pop("state")
    return JudgedRun(is_alive=state in _ALIVE, is_over=state not in _UNDECIDED, **row)


def over_runs(engine: Engine, run_ids: Iterable[str]) -> set[str]:
    """Return which of these runs will not go on by themselves."""
    run = tables.run
    statement = select(run.c.run_id).where(
        run.c.run_id.in_(list(run_ids)), run.c.state.not_in(_UNDECIDED)
    )
    with translated(engine), engine.connect() as connection:
        return set(connection.execute(statement).scalars())


def alive_runs(engine: Engine) -> dict[str, str]:
    """Return the channel of each run that is going on, by its id."""
    run = tables.run
    statement = select(run.c.run_id, run.c.channel).where(run.c.state.in_(_ALIVE))
    with translated(engine), engine.connect() as connection:
        return {row.run_id: row.channel for row in connection.execute(statement)}


# --- how far a rule has looked -------------------------------------------------------------------


def watched(engine: Engine, rule_id: str) -> dict[str, Watched]:
    """Return how far a rule has looked at each run, by run."""
    table = tables.alert_watch
    names = ("run_id", "cycle_from", "cycle_judged", "mark", "seen_us")
    statement = select(*(table.c[name] for name in names)).where(table.c.rule_id == rule_id)
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(statement).mappings()
        return {row["run_id"]: Watched(**row) for row in rows}


def note_watched(engine: Engine, rule_id: str, looked: Iterable[Watched]) -> None:
    """Note how far a rule has looked; a rule that was taken away meanwhile leaves nothing behind."""
    rows = [asdict(one) | {"rule_id": rule_id} for one in looked]
    if not rows:
        return
    with translated(engine), engine.begin() as connection:
        if not _is_there(connection, rule_id):
            return
        statement = _insert(connection, tables.alert_watch)
        changed = ("cycle_from", "cycle_judged", "mark", "seen_us")
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["rule_id", "run_id"],
                set_={name: statement.excluded[name] for name in changed},
            ),
            rows,
        )


# --- where it fired ------------------------------------------------------------------------------


def firings(engine: Engine, rule_id: str, limit: int = 1000) -> list[Firing]:
    """Return where a rule fired, newest first."""
    table = tables.alert_firing
    newest = (desc(table.c.fired_us), desc(table.c.place))
    statement = select(table).where(table.c.rule_id == rule_id).order_by(*newest).limit(limit)
    return _read(engine, statement)


def open_firings(engine: Engine, rule_id: str | None = None) -> list[Firing]:
    """Return where a rule, or any, is broken now, newest first."""
    table = tables.alert_firing
    statement = select(table).where(table.c.ended_us.is_(None)).order_by(desc(table.c.fired_us))
    if rule_id is not None:
        statement = statement.where(table.c.rule_id == rule_id)
    return _read(engine, statement)


def fired_so_far(engine: Engine) -> dict[str, tuple[int, int]]:
    """Return how often each rule fired, and when last (UTC microseconds); none for one that never did."""
    table = tables.alert_firing
    columns = (table.c.rule_id, func.count(), func.max(table.c.fired_us))
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(select(*columns).group_by(table.c.rule_id))
        return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def firings_of_run(engine: Engine, rule_id: str, run_id: str) -> list[Firing]:
    """Return where a rule fired for one run."""
    table = tables.alert_firing
    return _read(engine, select(table).where(table.c.rule_id == rule_id, table.c.run_id == run_id))


def keep_firing(engine: Engine, firing: Firing, alarm: Alarm) -> bool:
    """Keep a firing with its alarm, in one transaction; say whether nobody had before.

    The alarm that stands then may be an older one of the same rule on the channel, counted up.
    """
    with translated(engine), engine.begin() as connection:
        if not _is_there(connection, firing.rule_id):
            return False
        statement = _insert(connection, tables.alert_firing).values(**asdict(firing))
        written = statement.on_conflict_do_nothing().returning(tables.alert_firing.c.place)
        if connection.execute(written).first() is None:
            return False
        stands = keep_alarm(connection, alarm)
        connection.execute(_change(firing).values(alarm_id=stands.alarm_id))
        return True


def follow_firing(engine: Engine, firing: Firing, place_last: int, ended_us: int | None) -> None:
    """Note how far an episode has come, and whether it is over."""
    change = _change(firing).values(place_last=place_last, ended_us=ended_us)
    with translated(engine), engine.begin() as connection:
        connection.execute(change)


def _change(firing: Firing) -> Any:
    table = tables.alert_firing
    return update(table).where(
        table.c.rule_id == firing.rule_id,
        table.c.run_id == firing.run_id,
        table.c.place == firing.place,
    )


def _is_there(connection: Connection, rule_id: str) -> bool:
    rule = tables.alert_rule
    found = connection.execute(select(rule.c.rule_id).where(rule.c.rule_id == rule_id))
    return found.first() is not None


def _insert(connection: Connection, table: Any) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _read(engine: Engine, statement: Any) -> list[Firing]:
    with translated(engine), engine.connect() as connection:
        return [Firing(**row) for row in connection.execute(statement).mappings()]
