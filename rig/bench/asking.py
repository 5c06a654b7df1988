"""The other side of the door: asking something of a run that a process may be running just now.

An order for a run that no process has is answered here, where it needs none: a run that is put
aside can be stopped, and a cell that somebody left connected can be made safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine, update

from rig.bench.file import BenchFile, ChannelSpec, load_bench
from rig.bench.locks import Locks, has_engine, has_host, lock_channels
from rig.bench.same_instrument import driving, make_same_safe
from rig.bench.status import askable
from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem, RigError
from rig.core.instruments import Identity
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.desk import STEERING
from rig.engine.states import RECOVER, TRANSITIONS, Verb
from rig.store import queries, tables
from rig.store.alarms import raise_now
from rig.store.database import translated
from rig.store.orders import Answer, answer, answer_to, ask, newest_order

PATIENCE_SECOND = 60.0  # a make-safe that is tried three times over a dead link takes half of it
_AGAIN = frozenset({Verb.RESUME, Verb.RESTART_STEP})
LOOK_SECOND = 0.1
WATCHDOG_AT_WORK_SECOND = 30.0  # three tries over a dead link, by each instrument
# A look at a lock takes it for a moment, and must not be in the way of a process that begins.
GONE_LOOK_SECOND = 1.0
_PUT_ASIDE = (RunState.QUEUED, RunState.PAUSED)


@dataclass(frozen=True, slots=True)
class Asked:
    """An order, the run it was for, and what became of it."""

    run: queries.RunRecord
    order: Order
    answer: Answer

    def plain(self) -> dict[str, Any]:
        """Return what became of it as one JSON object."""
        return {
            "run_id": self.run.run_id,
            "channel": self.run.channel,
            "verb": self.order.verb,
            "outcome": self.answer.outcome,
            "answer": self.answer.words,
        }


def find_target(engine: Engine, wanted: str) -> queries.RunRecord:
    """Return the run with this id, prefix or ``last``, or the newest one of a channel.

    A channel's name goes before an id that begins like it.
    """
    on_channel = [run for run in queries.list_runs(engine) if run.channel == wanted]
    return on_channel[0] if on_channel else queries.find_run(engine, wanted)


def ask_run(
    engine: Engine,
    database: str,
    wanted: str,
    verb: Verb,
    *,
    who: str,
    reason: str = "",
    argument: str = "",
    clock: Clock | None = None,
) -> Asked:
    """Ask and wait for the answer, ``PATIENCE_SECOND`` at most; raises BadInput for no such run."""
    clock = clock or RealClock()
    run = find_target(engine, wanted)
    wall_us = clock.wall_us()
    words = {"who": who, "reason": reason, "argument": argument}
    give = partial(ask, engine, run.run_id, verb.value, wall_us=wall_us, **words)
    return give_order(engine, database, run, verb, give, clock=clock)


def give_order(
    engine: Engine,
    database: str,
    run: queries.RunRecord,
    verb: Verb,
    give: Callable[[], Order],
    *,
    clock: Clock,
) -> Asked:
    """Let ``give`` write an order down, and wait for its answer, ``PATIENCE_SECOND`` at most."""
    alive = _is_somebodys(engine, database, run.run_id, verb)
    order = give()
    given = None
    if alive:
        given = _wait(
            engine, order, clock, lambda: _is_somebodys(engine, database, run.run_id, verb)
        )
    if given is None:  # nobody has it, or not any more
        given = _ourselves(engine, database, order, clock)
    return Asked(run, order, given)


def _is_somebodys(engine: Engine, database: str, run_id: str, verb: Verb) -> bool:
    """Say whether a process is there now that is to answer."""
    run = queries.find_run(engine, run_id)
    return has_engine(run.channel, database) or _is_hosts(engine, database, run, verb)


def _is_hosts(engine: Engine, database: str, run: queries.RunRecord, verb: Verb) -> bool:
    """Say whether an engine that takes runs in is to answer, although it has not this one yet."""
    state = RunState(run.state)
    wanted = state is RunState.QUEUED or (verb in _AGAIN and (state, verb.value) in TRANSITIONS)
    return wanted and has_host(database)


def await_starts(
    engine: Engine, run_ids: Sequence[str], *, clock: Clock | None = None
) -> list[Asked]:
    """Wait for what becomes of runs that an engine was asked to start, a minute at most.

    One that nobody has begun by then is taken back, and is on record as stopped.
    """
    clock = clock or RealClock()
    asked = []
    for run_id in run_ids:
        order = newest_order(engine, run_id, Verb.START.value)
        assert order is not None, "request_start has given it"
        given = answer_to(engine, order) or _wait(engine, order, clock)
        assert given is not None, "whoever keeps the engine begins it again; it is not given up"
        run = queries.find_run(engine, run_id)
        if not given.done and run.state == RunState.QUEUED.value:
            _end(engine, run, RunState.QUEUED, given.words)
        asked.append(Asked(queries.find_run(engine, run_id), order, given))
    return asked


def _wait(
    engine: Engine, order: Order, clock: Clock, somebody: Callable[[], bool] = lambda: True
) -> Answer | None:
    """Return the answer, one of ours when the time is over, or None: there is nobody any more.

    A process that gives a run back has written its last answers before its lock goes: who sees no
    lock, and no answer after that, will never get one.
    """
    deadline = clock.now() + PATIENCE_SECOND
    next_second = clock.now() + GONE_LOOK_SECOND
    while clock.now() < deadline:
        given = answer_to(engine, order)
        if given is not None:
            return given
        if clock.now() >= next_second:
            next_second = clock.now() + GONE_LOOK_SECOND
            if not somebody():
                return answer_to(engine, order)
        clock.wait_until(clock.now() + LOOK_SECOND)
    late = Answer("failed", f"no answer within {PATIENCE_SECOND:g} s; it is not obeyed later")
    return _given(engine, order, late, clock)


def _ourselves(engine: Engine, database: str, order: Order, clock: Clock) -> Answer:
    """Do what can be done without an engine, for the run as it is now; somebody's answer stands."""
    run = queries.find_run(engine, order.run_id)
    given = _without_engine(engine, database, run, order, clock)
    return _given(engine, order, given, clock)


def _given(engine: Engine, order: Order, given: Answer, clock: Clock) -> Answer:
    """Answer with ``given``, unless somebody else was the one; return what stands."""
    if answer(engine, order, given, clock.wall_us()):
        return given
    return answer_to(engine, order) or given


def _without_engine(
    engine: Engine, database: str, run: queries.RunRecord, order: Order, clock: Clock
) -> Answer:
    state, verb = RunState(run.state), Verb(order.verb)
    died = (state, RECOVER) in TRANSITIONS and state not in _PUT_ASIDE
    if verb is Verb.SAFE or (verb is Verb.STOP and died):
        return _make_safe(
            engine, database, run, lambda words: _end(engine, run, state, words), order, clock=clock
        )
    if verb is Verb.STOP and state in _PUT_ASIDE:
        _end(engine, run, state, order.words)
        return Answer("done", "stopped; no process had it")
    return answer_by_table(state, order)


def answer_by_table(state: RunState, order: Order) -> Answer:
    """Answer for a run in this state that no process has, where nothing can be done for it."""
    if (state, order.verb) not in TRANSITIONS:
        possible = ", ".join(askable(state)) or "nothing"
        words = f"a run that is {state.value} cannot {order.verb}; possible: {possible}"
        return Answer("refused", words)
    if TRANSITIONS[state, order.verb] is state and Verb(order.verb) not in STEERING:
        return Answer("done", f"already {state.value}")
    go_on = f"rig run --resume {order.run_id[:8]}"
    return Answer("refused", f"no process has this run; go on with: {go_on}")


def _end(engine: Engine, run: queries.RunRecord, state: RunState, words: str) -> None:
    """Write the end of a run that was put aside, or whose process died; what is over stays so."""
    if (state, RECOVER) not in TRANSITIONS and state not in _PUT_ASIDE:
        return
    change = update(tables.run).where(tables.run.c.run_id == run.run_id)
    values = {"state": RunState.STOPPED.value, "reason": words, "ended_us": RealClock().wall_us()}
    with translated(engine), engine.begin() as connection:
        connection.execute(change.values(**values))


def _make_safe(
    engine: Engine,
    database: str,
    run: queries.RunRecord,
    end: Callable[[str], None],
    order: Order,
    *,
    clock: Clock,
) -> Answer:
    """Open the channel's instruments and disconnect the cell by each, confirmed, or raise the alarm."""
    where = f"run {run.run_id[:12]}"
    try:
        bench = load_bench(run.values["bench"]["file"])
        channel = bench.channels.get(run.channel)
        if channel is None:
            raise BadInput(
                Problem(where, f"its bench file has no channel {run.channel!r} any more")
            )
        lock = None if bench.simulated else _lock_patiently(bench, channel, database, clock)
    except BadInput as busy:  # another process has it, or it cannot be known what stands there
        return Answer("failed", f"NOT CONFIRMED: {busy}. Disconnect the cell by hand now.")
    if lock is None:
        end(order.words)
        return Answer("done", "its instruments were simulated, in a process that has ended")
    with lock:
        try:
            names = _disconnect(bench, channel, _identities(run))
        except RigError as fault:
            words = f"NOT CONFIRMED: {fault}. Disconnect the cell by hand now."
            _raise_alarm(engine, run, words)
            return Answer("failed", words)
    end(order.words)
    return Answer("done", f"{', '.join(names)} confirmed the cell disconnected")


def _lock_patiently(bench: BenchFile, channel: ChannelSpec, database: str, clock: Clock) -> Locks:
    """Take the channel's locks; a dead engine's watchdog, which makes its cells safe, goes first."""
    deadline = clock.now() + WATCHDOG_AT_WORK_SECOND
    while True:
        try:
            return lock_channels(bench, [channel], database)
        except BadInput:
            if clock.now() >= deadline:
                raise
        clock.wait_until(clock.now() + LOOK_SECOND)


def _identities(run: queries.RunRecord) -> dict[str, Identity]:
    """Return who answered on each port when the run had it."""
    known: dict[str, dict[str, str]] = run.values["bench"].get("identities", {})
    return {name: Identity(**who) for name, who in known.items()}


def _disconnect(
    bench: BenchFile, channel: ChannelSpec, before: Mapping[str, Identity]
) -> list[str]:
    """Return who confirmed; raises RigError with all that failed, when everybody's turn has been."""
    names, failures = driving(channel), []
    for name in names:
        try:
            make_same_safe(bench, name, before.get(name), RealClock())
        except RigError as failure:
            failures.append("; ".join(str(failure).splitlines()))
    if failures:
        raise RigError("; ".join(failures))
    return names


def _raise_alarm(engine: Engine, run: queries.RunRecord, words: str) -> None:
    alarm = raise_alarm(
        Severity.CRITICAL,
        "unconfirmed-safe-state",
        words,
        raised_us=RealClock().wall_us(),
        channel=run.channel,
        run_id=run.run_id,
    )
    raise_now(engine, alarm)
