"""The engine as a host: one process that lives for months while runs come and go.

It is a session that may be empty. What is asked of runs that it has goes through the session's door;
here stand the orders that bring a run in: to begin one that is queued, to go on with one that was put
aside, and, when the host begins, to take up what a dead process left. Orders of runs that another
process has, and those that need no process, are none of its business: see asking.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Engine

from rig.bench.asking import PATIENCE_SECOND, answer_by_table
from rig.bench.door import LOOK_SECOND
from rig.bench.file import BenchFile
from rig.bench.hand_desk import HandDesk
from rig.bench.hosted_run import HostedRun
from rig.bench.hosting import HostRecord, is_same_bench, write_host
from rig.bench.instruments import WrapLink, open_bench
from rig.bench.locks import Locks, has_engine, lock_database
from rig.bench.port_times import PortTimes
from rig.bench.ports import Ports
from rig.bench.premises import Premises
from rig.bench.recovery import died_runs
from rig.bench.session import Session
from rig.bench.simulated_past import left_by_the_last
from rig.bench.speed import make_clock, require_speed
from rig.bench.starting import forwarder_for, notifier_for, session_on
from rig.bench.watchdog import watchdog_for
from rig.core.clock import SIMULATED_EPOCH_US, Clock, RealClock
from rig.core.errors import StoreError
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.states import Verb, resumable
from rig.store import queries
from rig.store.forwarder import forward
from rig.store.journal import open_store, prepare_store
from rig.store.orders import Answer, unanswered
from rig.store.queries import RunRecord

_BRINGING_IN = frozenset({Verb.RESUME.value, Verb.RESTART_STEP.value})
_ENDING = frozenset({Verb.STOP.value, Verb.SAFE.value})
_NOW = "no engine obeyed it within a minute; it is not obeyed later"


@dataclass
class Host:
    """Takes runs in as long as it lives; ``run`` returns when it was told to stop.

    ``say`` is told, in a line each, what becomes of it.
    """

    premises: Premises
    store: str  # the URL that the locks stand beside
    release: Callable[[], None]  # gives up being this database's engine
    say: Callable[[str], None] = lambda _line: None
    lives: dict[str, HostedRun] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)  # orders that need no second look
    _clock: Clock = field(default_factory=RealClock)
    _next_second: float = 0.0
    hand: HandDesk = field(init=False)

    def __post_init__(self) -> None:
        self.hand = HandDesk(self.premises, self.lives.values, say=self.say)

    @property
    def session(self) -> Session:
        return self.premises.session

    @property
    def _engine(self) -> Engine:
        return self.premises.engine

    def run(self, between: Callable[[], None] = lambda: None) -> None:
        """Take runs in until it is stopped; every cell is disconnected and data are synced then.

        ``between`` is called after each step of work. Raises StoreError when data could not be
        kept, and whatever bug broke a task: all cells are safe by then, and the runs can be resumed.
        """

        def after_each() -> None:
            self.look()
            between()

        self.session.schedule.stays = True
        try:
            self.hand.begin()
            self._recover()
            self.session.run(after_each)
        finally:
            self.close()

    def close(self) -> None:
        """Be this database's engine no more; ``run`` does it at its end."""
        release, self.release = self.release, _nothing
        release()
        self._engine.dispose()

    def stop(self, reason: str) -> None:
        """Disconnect every cell and end; the runs can be resumed. Safe in a signal handler."""
        self.session.stop(reason)

    def _recover(self) -> None:
        """Take up what a dead process left, each as its protocol wants (``on_gap``)."""
        for record in died_runs(self._engine, self.store):
            if is_same_bench(record.values["bench"]["file"], self.premises.bench.bench.file):
                self.say(f"{record.channel}: taking up run {record.run_id[:8]}, {record.state}")
                self._take_in(record, None)

    def _take_in(self, record: RunRecord, order: Order | None) -> None:
        life = self.lives[record.run_id] = HostedRun(record, self.premises, order)
        self.hand.admit(life)
        life.begin()

    # --- orders ---------------------------------------------------------------------------------

    def look(self) -> None:
        """See what is asked for, a few times a second; what cannot be read is looked for again."""
        now = self._clock.now()
        if now < self._next_second or self.session.schedule.ending:
            return
        self._next_second = now + LOOK_SECOND
        self._forget_the_gone()
        self.hand.look()
        with suppress(StoreError):
            orders = unanswered(self._engine)
            self._seen &= {order.order_id for order in orders}
            for order in orders:
                if order.order_id not in self._seen:
                    self._consider(order)

    def _forget_the_gone(self) -> None:
        for life in [life for life in self.lives.values() if life.is_gone]:
            del self.lives[life.run_id]
            self.say(f"{life.channel}: run {life.run_id[:8]} {life.ending}")

    def _consider(self, order: Order) -> None:
        life = self.lives.get(order.run_id)
        if life is not None:
            self._about_ours(life, order)
            return
        if self.hand.consider(order, is_late=self._is_late(order)):
            self._seen.add(order.order_id)
            return
        record = queries.find_run(self._engine, order.run_id)
        state = RunState(record.state)
        if state is not RunState.QUEUED and order.verb not in _BRINGING_IN:
            self._without_a_run(record, state, order)
            return
        if state is not RunState.QUEUED and has_engine(record.channel, self.store):
            return  # that process answers
        self._seen.add(order.order_id)
        given = self._refusal(record, state, order)
        if given is None:
            self._take_in(record, order)
        else:
            self._answer(order, given)

    def _without_a_run(self, record: RunRecord, state: RunState, order: Order) -> None:
        """A word to a run that is over, on a channel that somebody has by hand: we have its lock.

        Safe and stop end the lease; who asked then finds nobody there, and makes the channel safe.
        """
        if not self.hand.has(record.channel):
            return
        self._seen.add(order.order_id)
        if order.verb in _ENDING:
            self.hand.make_way(record.channel, order.words)
        else:
            self._answer(order, answer_by_table(state, order))

    def _about_ours(self, life: HostedRun, order: Order) -> None:
        """The door has it while the run lives; before and after, it is us who are asked."""
        if life.run is not None or life.is_over:
            return  # once it has left, it is looked at again
        self._seen.add(order.order_id)
        life.taken.append(order.order_id)
        if life.order is not None and life.order.order_id == order.order_id:
            return
        if order.verb in _ENDING:
            life.stop(order)
        elif order.verb == Verb.START.value:
            self._answer(order, Answer("done", "it is about to begin"))
        else:
            self._answer(order, Answer("refused", "its instruments are being opened"))

    def _refusal(self, record: RunRecord, state: RunState, order: Order) -> Answer | None:
        """Return why a run is not taken in, or what was done instead; None when it is."""
        if self._is_late(order):
            if state is RunState.QUEUED:
                self._end_queued(record, _NOW)
            return Answer("failed", _NOW)
        if state is RunState.QUEUED and order.verb in _ENDING:
            self._end_queued(record, order.words)
            return Answer("done", "stopped before it began; nothing was switched on")
        words = self._objection(record.channel, order)
        if words:
            if state is RunState.QUEUED and order.verb == Verb.START.value:
                self._end_queued(record, words, RunState.FAILED)
            return Answer("refused", words)
        if order.verb == Verb.START.value or (order.verb in _BRINGING_IN and resumable(state)):
            return None
        return answer_by_table(state, order)

    def _objection(self, channel: str, order: Order) -> str:
        """Return why nothing may begin on a channel now; a start names the lease that it is under."""
        other = self._on_channel(channel)
        if other is not None:
            return f"channel {channel} is busy: run {other.run_id[:8]} is there"
        lease_id = order.argument if order.verb == Verb.START.value else ""
        return self.hand.objection(channel, lease_id)

    def _is_late(self, order: Order) -> bool:
        return self._clock.wall_us() - order.asked_us > PATIENCE_SECOND * 1e6

    def _on_channel(self, channel: str) -> HostedRun | None:
        on_it = (life for life in self.lives.values() if life.channel == channel)
        return next((life for life in on_it if not life.is_over), None)

    def _end_queued(
        self, record: RunRecord, reason: str, state: RunState = RunState.STOPPED
    ) -> None:
        wall_us = self.session.clock.wall_us()
        self.session.recorder.state(record.run_id, state, wall_us, reason)

    def _answer(self, order: Order, given: Answer) -> None:
        wall_us = self._clock.wall_us()
        self.session.recorder.answer(order.order_id, given.outcome, given.words, wall_us)


def _nothing() -> None:
    """What was given back is given back once."""


# --- opening -------------------------------------------------------------------------------------


def open_host(
    bench: BenchFile,
    *,
    database: str,
    speed: str | None = None,
    seed: int = 1,
    wrap: WrapLink = lambda _name, link, _clock: link,
    say: Callable[[str], None] = lambda _line: None,
) -> Host:
    """Become the engine of a database that takes new runs, with no port open yet.

    Simulated cells go on from where they were left, at ``speed`` (default: that of life). Raises
    BadInput where the database has an engine, or cannot be used.
    """
    require_speed(bench, speed)
    store = prepare_store(database)
    release = lock_database(store)
    try:
        engine = open_store(database)
        forward(engine)  # what a killed process left in the spool
        if bench.simulated:
            speed = speed or "1"
        premises = _premises(bench, engine, store, speed=speed, seed=seed, wrap=wrap)
        write_host(engine, HostRecord.of(os.getpid(), bench, speed or "", seed))
    except BaseException:
        release()
        raise
    session = premises.session
    session.notifier = notifier_for(bench, engine, premises.told)
    session.forwarder = forwarder_for(database)
    return Host(premises, store, release, say)


def _premises(
    bench: BenchFile, engine: Engine, store: str, *, speed: str | None, seed: int, wrap: WrapLink
) -> Premises:
    left = left_by_the_last(bench, engine, seed) if bench.simulated else None
    clock = make_clock(bench, speed, left.wall_us if left else SIMULATED_EPOCH_US)
    times = PortTimes()
    wrap = wrap if bench.simulated else times.noting(wrap)
    opened = open_bench(bench, clock, [], seed=seed, wrap=wrap)
    opened.before_opening = times.may_open
    if left is not None and opened.world is not None:
        opened.world.restore(json.loads(left.simulation))
    session = session_on(opened, clock, engine)
    session.watchdog = watchdog_for(opened, (), store, times)
    session.locks = locks = Locks(bench, store)
    return Premises(session, Ports(opened, session.schedule, wrap), locks, set(), seed)
