"""The read model: every channel with its state, its numbers, why it does what it does and what is next.

One ``Live`` is kept by whoever looks again and again; it compiles each run's protocol once and reads
again only what moves. It reads the store and never the engine: whoever looks costs the runs nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from rig.bench.estimates import ChamberUse, Outlook
from rig.bench.held_by_hand import HeldByHand
from rig.bench.locks import has_engine
from rig.bench.outlook import outlook, step_at
from rig.bench.run_facts import RunFacts, cursor_of, facts_in_force, facts_of
from rig.bench.status import FREE, ChannelStatus, Trend, Wall, askable, in_order
from rig.bench.trends import number_or_none, points_of, sparkline
from rig.core.alarms import Alarm
from rig.core.clock import Clock, RealClock
from rig.core.errors import RigError
from rig.core.records import ENDED, RunState
from rig.core.units import duration
from rig.engine.cursor import Cursor
from rig.engine.leaving import leaving_words
from rig.engine.walk import values
from rig.protocol.check import steps_of
from rig.protocol.program import LoopStart, Program
from rig.store.live import ALIVE, Newest, Row, last_state_us, read_newest, read_trends, run_facts
from rig.store.presence import read_presences

TREND_SECOND = 5.0  # how often the newest samples are read again, for sparklines and slopes
ENGINE_SECOND = 2.0  # how often the locks are tried
_ALIVE = frozenset(ALIVE)
# A run in one of these moves without anybody's word: it is read again at each look.
_CONNECTED = frozenset({RunState.RUNNING, RunState.PAUSING, RunState.STOPPING})
_VERBS = {state: askable(state) for state in RunState}


@dataclass
class Live:
    """Looks at one database. ``store`` is the URL that locks stand beside; empty: not this computer's.

    ``channels`` are those of the bench that is served, shown even where nothing has ever run.
    """

    engine: Engine
    store: str = ""
    channels: Sequence[str] = ()
    clock: Clock = field(default_factory=RealClock)
    _facts: dict[str, RunFacts] = field(default_factory=dict)
    _settled: dict[str, tuple[Cursor | None, Row]] = field(default_factory=dict)
    _trends: dict[str, list[Row]] = field(default_factory=dict)
    _sparklines: dict[str, Trend] = field(default_factory=dict)  # of the trends
    _since: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _driven: dict[str, bool] = field(default_factory=dict)
    _held: dict[str, str] = field(default_factory=dict)  # channel -> who has it by hand
    _silent: dict[str | None, str] = field(default_factory=dict)  # rig -> what is said of it
    _trends_due_second: float = -math.inf
    _engines_due_second: float = -math.inf
    _by_hand: HeldByHand = field(init=False)

    def __post_init__(self) -> None:
        self._by_hand = HeldByHand(self.engine)

    def look(self) -> Wall:
        """Return everything as it is now. Raises StoreError where the database is away."""
        newest = read_newest(self.engine, self._settled)
        rigs = read_presences(self.engine)
        self._silent = {rig.rig_id: rig.words for rig in rigs if rig.is_silent}
        self._learn(newest)
        self._refresh(newest)
        looks = [self._look_at(run, newest) for run in newest.runs]
        holders = _holders(looks)
        statuses = [self._status(look, holders, newest) for look in looks]
        known = {status.channel for status in statuses}
        free = [self._free(name, newest) for name in self._all_names() if name not in known]
        own = [status for status in statuses if status.channel in self.channels]
        other = [status for status in statuses if status.channel not in self.channels]
        order = {name: place for place, name in enumerate(self.channels)}
        own = sorted([*own, *free], key=lambda status: order.get(status.channel, len(order)))
        other = sorted(other, key=in_order)
        bench = tuple(_plain(alarm) for alarm, _ in newest.alarms if not alarm.channel)
        return Wall(self.clock.wall_us(), (*own, *other), bench, rigs)

    # --- what is kept between looks -------------------------------------------------------------

    def _learn(self, newest: Newest) -> None:
        """Compile what is new, forget what is shown no longer, keep what is over as it ended."""
        shown = {run["run_id"] for run in newest.runs}
        for run_id in shown - self._facts.keys():
            self._facts[run_id] = facts_of(run_facts(self.engine, run_id))
        for kept in (self._facts, self._settled, self._trends, self._sparklines):
            for run_id in [run_id for run_id in kept if run_id not in shown]:
                del kept[run_id]
        for run in newest.runs:
            run_id, over = run["run_id"], RunState(run["state"]) in ENDED
            if over and run_id not in self._settled:
                self._settle(run_id, newest)
            elif not over:  # taken up again
                self._settled.pop(run_id, None)

    def _settle(self, run_id: str, newest: Newest) -> None:
        sample = newest.samples.get(run_id, {})
        self._settled[run_id] = (cursor_of(newest.cursors.get(run_id)), sample)
        self._read_trends([run_id])

    def _read_trends(self, run_ids: Sequence[str]) -> None:
        trends = read_trends(self.engine, run_ids)
        self._trends.update(trends)
        self._sparklines.update({run_id: sparkline(rows) for run_id, rows in trends.items()})

    def _refresh(self, newest: Newest) -> None:
        now = self.clock.now()
        moving = [run for run in newest.runs if run["run_id"] not in self._settled]
        if now >= self._trends_due_second:
            self._read_trends([run["run_id"] for run in moving])
            self._trends_due_second = now + TREND_SECOND
        if self.store:
            self._held = self._by_hand.words(now, self.clock.wall_us())
        if self.store and now >= self._engines_due_second:
            names = {run["channel"] for run in moving}
            self._driven = {name: has_engine(name, self.store) for name in names}
            self._engines_due_second = now + ENGINE_SECOND

    def _state_since(self, run: Row) -> int | None:
        key = (run["run_id"], run["state"])
        if key not in self._since:
            self._since = {k: v for k, v in self._since.items() if k[0] != run["run_id"]}
            self._since[key] = last_state_us(self.engine, run["run_id"])
        return self._since[key]

    # --- one channel ----------------------------------------------------------------------------

    def _look_at(self, run: Row, newest: Newest) -> _Look:
        run_id = run["run_id"]
        if run_id in self._settled:
            cursor, sample = self._settled[run_id]
        else:
            cursor = cursor_of(newest.cursors.get(run_id))
            sample = newest.samples.get(run_id, {})
        facts = facts_in_force(self._facts[run_id], self.engine, run_id, cursor)
        self._facts[run_id] = facts
        return _Look(run, RunState(run["state"]), facts, cursor, sample)

    def _status(
        self, look: _Look, holders: Mapping[tuple[str, str], list[_Look]], newest: Newest
    ) -> ChannelStatus:
        run, facts, cursor = look.run, look.facts, look.cursor
        trend = self._trends.get(run["run_id"], [])
        since = self._state_since(run)
        driven = self._driven.get(run["channel"]) if self.store else None
        ahead = self._outlook(look, holders, trend, since, driven=driven)
        step = step_at(facts.program, cursor) if facts.program and cursor else None
        return ChannelStatus(
            run["rig_id"],
            facts.rig,
            run["channel"],
            run["state"],
            since,
            run["run_id"],
            run["reason"] or "",
            facts.cell,
            facts.protocol,
            facts.simulated,
            driven,
            step.words if step is not None and look.state not in ENDED else "",
            ahead.words,
            ahead.then,
            ahead.second,
            **_place(look),
            **_numbers(look),
            started_us=run["started_us"],
            ended_us=run["ended_us"],
            verbs=_VERBS[look.state],
            by_hand=self._held.get(run["channel"], ""),
            alarms=_alarms_of(run, newest.alarms),
            trend=self._sparklines.get(run["run_id"], Trend()),
        )

    def _all_names(self) -> list[str]:
        """The bench's channels, and those that somebody has by hand, whoever asks."""
        return list(dict.fromkeys((*self.channels, *self._held)))

    def _free(self, name: str, newest: Newest) -> ChannelStatus:
        own = tuple(_plain(alarm) for alarm, _ in newest.alarms if alarm.channel == name)
        words, held = "nothing has run here yet", self._held.get(name, "")
        return ChannelStatus("", "", name, FREE, next=words, by_hand=held, alarms=own)

    def _outlook(
        self,
        look: _Look,
        holders: Mapping[tuple[str, str], list[_Look]],
        trend: Sequence[Row],
        since_us: int | None,
        *,
        driven: bool | None,
    ) -> Outlook:
        """Why, and what next. Wall time of a rehearsal passes at its own speed: nothing is said of it."""
        if look.state in _ALIVE and driven is False:
            return Outlook("no process has this run: it died; rig run --resume goes on with it")
        if look.state not in ENDED and look.run["rig_id"] in self._silent:
            return Outlook(f"{self._silent[look.run['rig_id']]}; it was {look.state.value} then")
        if look.state not in (RunState.RUNNING, RunState.SUSPENDED):
            return Outlook(_waiting_words(look, since_us, self.clock.wall_us()))
        if look.facts.program is None or look.cursor is None:
            return Outlook("")
        try:
            return outlook(
                look.facts.program,
                look.cursor,
                points_of(trend, look.cursor),
                _others(look, holders),
            )
        except (RigError, KeyError, ValueError, OverflowError) as fault:
            return Outlook(f"nobody can say: {fault}")  # a page must not fall over one odd run


@dataclass(frozen=True, slots=True)
class _Look:
    """A run at this moment, before it is put in words."""

    run: Row
    state: RunState
    facts: RunFacts
    cursor: Cursor | None
    sample: Row


# --- numbers -------------------------------------------------------------------------------------


def _place(look: _Look) -> dict[str, Any]:
    facts, cursor, program = look.facts, look.cursor, look.facts.program
    if cursor is None or program is None:
        return {}
    place = cursor.place
    fraction, left_second = _progress(look.state, cursor, facts.estimate_second)
    return {
        "protocol_revision": place.revision,
        "leaving": leaving_words(place),
        "step_count": place.step_count,
        "step_address": place.pc if place.pc in facts.step_numbers else None,
        "step_number": facts.step_numbers.get(place.pc),
        "step_total": sum(1 for _ in steps_of(program)),
        "cycle_count": place.cycle_count or None,
        "cycle_total": _cycles(program, place.loops),
        "progress_fraction": fraction,
        "left_second": left_second,
    }


def _progress(
    state: RunState, cursor: Cursor, estimate_second: float
) -> tuple[float | None, float | None]:
    """Return how much of a run is done and the seconds left; a finished one is whole, whatever it took."""
    if state is RunState.FINISHED:
        return 1.0, 0.0
    if not estimate_second:
        return None, None
    now = cursor.progress.test_time_second
    return min(1.0, now / estimate_second), max(0.0, estimate_second - now)


def _cycles(program: Program, loops: tuple[tuple[int, int], ...]) -> int | None:
    """Return how many passes the counting loop around this place has, None where only a condition ends it."""
    for start, _ in loops:
        item = program.instructions[start]
        if isinstance(item, LoopStart) and item.counts_cycles:
            return item.count
    return None


def _numbers(look: _Look) -> dict[str, Any]:
    """The cursor saw the cell last; temperatures and pressure are in the newest sample."""
    sample, cursor = look.sample, look.cursor
    names = ("ambient_temperature_celsius", "surface_temperature_celsius", "applied_pressure_pa")
    numbers = {name: number_or_none(sample.get(name)) for name in names}
    numbers["voltage_volt"] = number_or_none(sample.get("voltage_volt"))
    if look.state not in _CONNECTED:
        numbers["current_ampere"] = None  # the last one measured would be taken for what flows now
    else:
        numbers["current_ampere"] = number_or_none(sample.get("current_ampere"))
    if cursor is not None:
        progress = cursor.progress
        numbers["test_time_second"] = progress.test_time_second
        if not math.isnan(progress.voltage_volt) and look.state in _CONNECTED:
            numbers["voltage_volt"] = progress.voltage_volt
            numbers["current_ampere"] = number_or_none(progress.current_ampere)
        known = values(cursor.place, progress)
        numbers["capacity_retention"] = number_or_none(known.get("capacity_retention"))
    return numbers | {"sampled_us": sample.get("ts_us")}


# --- waits ---------------------------------------------------------------------------------------


def _waiting_words(look: _Look, since_us: int | None, now_us: int) -> str:
    """What a run that does not move waits for, since when; a run that is over says why it ended."""
    since = ""
    if since_us is not None and not look.facts.simulated:
        since = f" since {duration(max(0.0, (now_us - since_us) / 1e6))}"
    reason = f" ({look.run['reason']})" if look.run["reason"] else ""
    match look.state:
        case RunState.QUEUED:
            return f"waits for an engine to take it{since}"
        case RunState.PAUSED:
            return f"waits for somebody to resume it{since}, disconnected{reason}"
        case RunState.STARTING:
            return "is being started"
        case RunState.PAUSING | RunState.STOPPING:
            return f"its cell is being disconnected{reason}"
    return str(look.run["reason"] or "")


def _holders(looks: Iterable[_Look]) -> dict[tuple[str, str], list[_Look]]:
    """Return the runs that are alive, by rig and chamber."""
    sharing: dict[tuple[str, str], list[_Look]] = defaultdict(list)
    for look in looks:
        if look.state in _ALIVE and look.facts.chamber and look.cursor is not None:
            sharing[look.facts.rig, look.facts.chamber].append(look)
    return sharing


def _others(look: _Look, holders: Mapping[tuple[str, str], list[_Look]]) -> list[ChamberUse]:
    """Return who holds this run's chamber at another temperature: those it waits for."""
    assert look.cursor is not None
    wanted = look.cursor.place.chamber_celsius
    uses = []
    for other in holders.get((look.facts.rig, look.facts.chamber), []):
        assert other.cursor is not None
        held = other.cursor.place.chamber_celsius
        program = other.facts.program
        step = step_at(program, other.cursor) if program is not None else None
        asking = step is not None and step.temperature is not None
        granted = not math.isnan(other.cursor.soak.granted_second)
        if (
            other is not look
            and held != wanted
            and not math.isnan(held)
            and (granted or not asking)
        ):
            second = other.cursor.progress.test_time_second - other.cursor.place.step_began_second
            since = f"in its step since {duration(max(0.0, second))}"
            uses.append(ChamberUse(other.run["channel"], held, since))
    return uses


# --- alarms --------------------------------------------------------------------------------------


def _plain(alarm: Alarm) -> dict[str, Any]:
    return alarm.plain() | {"remedy": alarm.remedy, "measured": alarm.measured}


def _alarms_of(run: Row, alarms: Sequence[tuple[Alarm, str | None]]) -> tuple[dict[str, Any], ...]:
    """Return what stands on a run's channel, worst first; another rig's channel may have its name."""
    own = [
        alarm
        for alarm, rig_id in alarms
        if alarm.channel == run["channel"] and rig_id in (None, run["rig_id"])
    ]
    return tuple(_plain(alarm) for alarm in sorted(own, key=lambda a: a.severity, reverse=True))
