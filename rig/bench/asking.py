"""The other side of the door: asking something of a run that a process may be running just now.

An order for a run that no process has is answered here, where it needs none: a run that is put
aside can be stopped, and a cell that somebody left connected can be made safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, update

from rig.bench.file import BenchFile, ChannelSpec, load_bench
from rig.bench.instruments import open_bench
from rig.bench.locks import has_engine, lock_channels
from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem, RigError
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.states import RECOVER, TRANSITIONS, Verb, after
from rig.store import queries, tables
from rig.store.alarms import raise_now
from rig.store.database import translated
from rig.store.orders import Answer, answer, answer_to, ask

PATIENCE_SECOND = 60.0  # a make-safe that is tried three times over a dead link takes half of it
LOOK_SECOND = 0.1
_PUT_ASIDE = (RunState.QUEUED, RunState.PAUSED)


@dataclass(frozen=True, slots=True)
class Asked:
    """An order, the run it was for, and what became of it."""

    run: queries.RunRecord
    order: Order
    answer: Answer


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
    alive = has_engine(run.channel, database)
    order = ask(
        engine,
        run.run_id,
        verb.value,
        who=who,
        reason=reason,
        argument=argument,
        wall_us=clock.wall_us(),
    )
    if alive:
        given = _wait(engine, order, clock)
    else:
        given = _without_engine(engine, database, run, order)
        answer(engine, order, given, clock.wall_us())
    return Asked(run, order, given)


def _wait(engine: Engine, order: Order, clock: Clock) -> Answer:
    deadline = clock.now() + PATIENCE_SECOND
    while clock.now() < deadline:
        given = answer_to(engine, order)
        if given is not None:
            return given
        clock.wait_until(clock.now() + LOOK_SECOND)
    late = Answer("failed", f"no answer within {PATIENCE_SECOND:g} s; it is not obeyed later")
    if answer(engine, order, late, clock.wall_us()):
        return late
    return answer_to(engine, order) or late


def _without_engine(engine: Engine, database: str, run: queries.RunRecord, order: Order) -> Answer:
    state, verb = RunState(run.state), Verb(order.verb)
    died = (state, RECOVER) in TRANSITIONS and state not in _PUT_ASIDE
    if verb is Verb.SAFE or (verb is Verb.STOP and died):
        return _make_safe(
            engine, database, run, lambda words: _end(engine, run, state, words), order
        )
    if (state, order.verb) not in TRANSITIONS:
        return _refused(lambda: after(state, order.verb))
    if verb is Verb.STOP and state in _PUT_ASIDE:
        _end(engine, run, state, order.words)
        return Answer("done", "stopped; no process had it")
    if TRANSITIONS[state, order.verb] is state:
        return Answer("done", f"already {state.value}")
    return Answer(
        "refused", f"no process has this run; go on with: rig run --resume {run.run_id[:8]}"
    )


def _refused(try_it: Callable[[], object]) -> Answer:
    try:
        try_it()
    except RigError as refusal:
        return Answer("refused", f"{refusal}; {refusal.remedy}" if refusal.remedy else str(refusal))
    raise AssertionError("the table of states says that it is not possible")


def _end(engine: Engine, run: queries.RunRecord, state: RunState, words: str) -> None:
    """Write the end of a run that was put aside, or whose process died; what is over stays so."""
    if (state, RECOVER) not in TRANSITIONS and state not in _PUT_ASIDE:
        return
    change = update(tables.run).where(tables.run.c.run_id == run.run_id)
    values = {"state": RunState.STOPPED.value, "reason": words, "ended_us": RealClock().wall_us()}
    with translated(engine), engine.begin() as connection:
        connection.execute(change.values(**values))


def _make_safe(
    engine: Engine, database: str, run: queries.RunRecord, end: Callable[[str], None], order: Order
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
        lock = None if bench.simulated else lock_channels(bench, [channel], database)
    except BadInput as busy:  # another process has it, or it cannot be known what stands there
        return Answer("failed", f"NOT CONFIRMED: {busy}. Disconnect the cell by hand now.")
    if lock is None:
        end(order.words)
        return Answer("done", "its instruments were simulated, in a process that has ended")
    with lock:
        try:
            names = _disconnect(bench, channel)
        except RigError as fault:
            words = f"NOT CONFIRMED: {fault}. Disconnect the cell by hand now."
            _raise_alarm(engine, run, words)
            return Answer("failed", words)
    end(order.words)
    return Answer("done", f"{', '.join(names)} confirmed the cell disconnected")


def _disconnect(bench: BenchFile, channel: ChannelSpec) -> list[str]:
    """Return who confirmed; raises RigError with all that failed, when everybody's turn has been."""
    opened = open_bench(bench, RealClock(), list(channel.instruments.values()))
    names = [name for role, name in channel.instruments.items() if role != "chamber"]
    failures = []
    try:
        for name in names:
            try:
                opened.drivers[name].make_safe()
            except RigError as failure:
                failures.append(str(failure))
    finally:
        opened.close()
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
