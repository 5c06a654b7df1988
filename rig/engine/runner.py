"""One run on one channel: does what the fold decides and what people ask, and tells the keeper.

Everything that decides is in ``advance`` and in the table of states; everything that touches an
instrument is in ``hands``. This file carries messages between them, and sees to it that however a
run ends, its cell is disconnected and confirmed so.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rig.core.alarms import Severity
from rig.core.clock import Clock
from rig.core.errors import (
    InstrumentError,
    LinkError,
    RigError,
    UnconfirmedSafeState,
    UnreadableReply,
)
from rig.core.orders import Order
from rig.core.records import Keeper, RunState
from rig.engine.action import (
    Action,
    BeginSweep,
    MakeSafe,
    Purpose,
    Reading,
    ReadResistance,
    Sensed,
    StepEnded,
)
from rig.engine.advance import advance, begin, resume
from rig.engine.channel import Channel
from rig.engine.cursor import Cursor, Halt, to_json
from rig.engine.desk import Desk, Ordered, address_of
from rig.engine.hands import Hands
from rig.engine.leaving import leaving, staying
from rig.engine.log import RunLog, StepAt
from rig.engine.relinking import Relinking
from rig.engine.revising import put_in_force
from rig.engine.revision import Proposed
from rig.engine.schedule import Interrupted, Request, Task
from rig.engine.spectrum_log import Around
from rig.engine.states import (
    ARMED,
    EVENTS_OF_HALT,
    FAIL,
    PAUSED,
    SETTLED,
    STOPPED,
    SUSPEND,
    Verb,
    after,
    resuming_event,
)
from rig.engine.steer import go_to, skip
from rig.protocol.program import OnGap, Program, Step

# How often a run that is paused looks up; an order reaches it at once all the same.
HOLD_SECOND = 60.0

# A piece of a run's life; it returns the next one, None when the run is over.
Work = Callable[[], Generator[Request, Any, Any]]


@dataclass
class Run:
    """A program on a channel, from the first set point to the last confirmed disconnection.

    ``holds``: once paused it keeps its channel and waits for a word; else its task ends. After an
    outage ``last_us`` is when its last sample was taken, and ``on_gap`` what it does by itself.
    """

    run_id: str
    program: Program
    channel: Channel
    keeper: Keeper
    clock: Clock
    state: RunState = RunState.QUEUED
    resume_from: Cursor | None = None
    cursor: Cursor = field(default_factory=Cursor)
    reading: Reading = field(default_factory=lambda: Reading(0.0))
    holds: bool = False
    last_us: int | None = None
    on_gap: OnGap = OnGap.CONTINUE
    reason: str = ""
    log: RunLog = field(init=False)
    hands: Hands = field(init=False)
    desk: Desk = field(init=False)
    links: Relinking = field(init=False)
    _silent: frozenset[str] = frozenset()  # sensors that are overdue, and were told so
    _closing: bool = False

    def __post_init__(self) -> None:
        name, fixture = self.channel.name, self.channel.fixture
        self.log = RunLog(
            self.run_id, self.program, self.keeper, self.clock, channel=name, fixture=fixture
        )
        safety = self.program.safety
        self.hands = Hands(self.run_id, self.channel, safety, self.clock, self.log)
        self.links = Relinking(self.run_id, self.clock)
        self.desk = Desk(self.program, self._tell, self._leave)

    @property
    def alarm(self) -> str:
        """What nobody could confirm about the cell, for people; empty when all is well."""
        return self.hands.alarm

    # --- the life of a run ----------------------------------------------------------------------

    def task(self) -> Task:
        """Return the generator that a schedule runs; it never ends with the cell connected."""
        work: Work | None = self._start
        while work is not None:
            try:
                work = yield from work()
            except Exception as fault:
                if self._closing:  # a fault in the closing itself is the schedule's
                    raise
                work = self._after(fault)
            except KeyboardInterrupt as bug:
                work = self._bug(bug)

    def _after(self, fault: Exception) -> Work:
        match fault:
            case Ordered():
                return partial(self._obey, fault.order)
            case Interrupted():
                return partial(self._close, (Verb.PAUSE.value, PAUSED), str(fault))
            case UnconfirmedSafeState():  # the last word is that of the tries which _close makes
                message = "the cell was not confirmed disconnected at once"
                return partial(self._close, (FAIL,), message)
            case LinkError() | InstrumentError():
                self.log.alarm(Severity.ALARM, "run-failed", str(fault))
                return partial(self._close, (FAIL,), str(fault))
        return self._bug(fault)

    def _bug(self, bug: BaseException) -> Work:
        """A fault in the watcher is itself a trip."""
        trace = "".join(traceback.format_exception(bug))
        self.log.note("bug", trace)
        return partial(self._close, (FAIL,), f"internal error: {bug!r}")

    def refuse(self, alarm: str) -> None:
        """End the run before it has begun, with the alarm up: nothing was switched on by it."""
        self.cursor = self.resume_from or self.cursor
        self.log.begin_at(self.cursor.progress.test_time_second)
        self._enter(resuming_event(self.state) if self.resume_from else Verb.START.value)
        self.hands.alarm = self.reason = alarm
        self.log.unconfirmed(alarm)
        self._enter(FAIL, alarm)
        self.keeper.cursor(self.run_id, self.cursor_text)

    def _start(self) -> Generator[Request, Any, Work]:
        before = self.resume_from
        if before is not None:  # whatever fails from here on, the run's place is not lost
            self.cursor = before
        self.log.begin_at(self.cursor.progress.test_time_second)
        self._enter(resuming_event(self.state) if before else Verb.START.value)
        self.channel.join(self.run_id)
        if before is None:
            self.cursor, action = begin(self.program)
        else:
            self._tell_gap()
            restart = self.on_gap is OnGap.RESTART_STEP
            self.cursor, action = resume(self.program, before, restart=restart)
            self._hold_temperature_again()
        self._keep(action)
        work = yield from self._arm(action)
        return work if before is None else self._after_gap(work)

    def _tell_gap(self) -> None:
        """Nobody looked meanwhile: no charge is counted across it, and it is on record as a gap."""
        if self.last_us is not None:
            second = (self.clock.wall_us() - self.last_us) / 1e6
            self.log.note("gap", f"{second:.1f} s without a sample: nobody looked at the cell")

    def _after_gap(self, work: Work) -> Work:
        """What the protocol wants of a run that is taken up by itself."""
        words = f"on_gap: {self.on_gap.value}"
        if self.on_gap is OnGap.PAUSE:
            return partial(self._pause, words)
        if self.on_gap is OnGap.STOP:
            return partial(self._close, (Verb.STOP.value, STOPPED), words)
        return work

    def _arm(self, action: Action) -> Generator[Request, Any, Work]:
        """Whatever was left switched on, by us or by anybody, is disconnected before we begin."""
        yield from self.hands.perform(MakeSafe("before the first set point"))
        self.hands.obey_late()
        self._enter(ARMED)
        return partial(self._go_on, action)

    def _go_on(self, action: Action) -> Generator[Request, Any, Work]:
        """Do what the fold says, look, and ask it again, until it halts."""
        while True:
            try:
                if action.command is not None:
                    yield from self._perform(action)
                if self.cursor.halt is not Halt.NONE:
                    break
                # While the run is suspended only the air is looked at: the cell is not connected.
                suspended = self.cursor.suspension.on
                look = self.hands.look_at_air if suspended else self.hands.look
                reading = yield from look(action.due_second)
            except (LinkError, UnreadableReply) as fault:
                action = yield from self._reconnect(fault)
                continue
            action = self._take(reading)
            if reading.sweep_done and not isinstance(action.command, BeginSweep):
                # Only now: a late answer of the scanner repeats no spectrum.
                yield from self.hands.give_scanner_back()
            if action.events and any(isinstance(event, StepEnded) for event in action.events):
                order = self.desk.pause_after_step()
                if order is not None:
                    return partial(self._pause, order.words)
            if self.desk.proposed is not None and self.cursor.halt is Halt.NONE:
                action = put_in_force(self, action) or action
        return self._halted

    def _take(self, reading: Reading) -> Action:
        """Let the fold decide on a reading, and keep what follows from it."""
        step_before, self.reading = self._step(), reading
        if self.links.counts and _sees_its_cell(step_before.step, reading):
            self.links.forget()
        self.cursor, action = advance(self.program, self.cursor, reading)
        if action.record:
            self.log.sample(reading, step_before, self.cursor.progress)
        self._keep(action)
        self._tell_suspension()
        if reading.sensed is not None and self.cursor.halt is Halt.NONE:
            self._tell_silence(reading.sensed)
        return action

    def _tell_suspension(self) -> None:
        on = self.cursor.suspension.on
        if on is not (self.state is RunState.SUSPENDED):
            self._enter(SUSPEND if on else SETTLED)

    def _tell_silence(self, sensed: Sensed) -> None:
        """Put on record, once each, that a sensor has gone silent, and that it speaks again."""
        silent = frozenset(sensed.overdue)
        for name in sorted(silent - self._silent):
            self.log.note("sensor silent", f"{name}: {sensed.overdue[name].words}")
        for name in sorted(self._silent - silent):
            self.log.note("sensor back", f"{name} is read again")
        self._silent = silent

    def _keep(self, action: Action) -> None:
        if action.events:
            self.log.events(action.events)
        self.keeper.cursor(self.run_id, self.cursor_text)

    def _perform(self, action: Action) -> Task:
        """Do the command, and keep the head of what it begins."""
        command = action.command
        assert command is not None
        yield from self.hands.perform(command)
        if isinstance(command, BeginSweep) and command.purpose is Purpose.SPECTRUM:
            place = self.cursor.place
            self.log.begin_spectrum(self._step(), place, command.sweep, self.reading)
        elif isinstance(command, ReadResistance) and self.hands.resistance is not None:
            celsius, _ = self.hands.temperature()
            around = Around.of(celsius, self.hands.sensed())
            self.log.resistance(self._step(), self.hands.resistance, around)

    def _halted(self) -> Generator[Request, Any, Work | None]:
        """The fold has come to an end, and the cell is disconnected already."""
        events, reason = EVENTS_OF_HALT[self.cursor.halt], self.cursor.reason
        if self.cursor.halt is Halt.PAUSED and self.holds and not self.alarm:
            for event in events:
                self._enter(event, reason)
            return self._hold
        yield from self._close(events, reason, safe=True)
        return None

    def _reconnect(self, fault: RigError) -> Generator[Request, Any, Action]:
        """Get the instruments back, disconnect the cell, and return the action that goes on.

        What the cell did meanwhile under the instrument's own limits is unknown and recorded as a
        gap. Raises ``fault`` again when they do not come back.
        """
        self.log.note("link lost", str(fault))
        yield from self.links.reopen(self.channel, fault, self.cursor.place)
        yield from self.hands.perform(MakeSafe("the link was lost"))
        self.hands.obey_late()
        self.log.note("link back", "the same instruments answer; the cell was disconnected")
        self.cursor, action = resume(self.program, self.cursor, "link was lost")
        self._keep(action)
        return action

    def _hold_temperature_again(self) -> None:
        """Ask for the temperature that was in force: the chamber may have lost its power, too."""
        chamber, celsius = self.channel.chamber, self.cursor.place.chamber_celsius
        if chamber is not None and not math.isnan(celsius):
            chamber.ask(self.run_id, celsius)

    def _close(
        self, events: tuple[str, ...], reason: str, *, safe: bool = False
    ) -> Generator[Request, Any, None]:
        """End the run: disconnect unless that was just confirmed, and say how it ended."""
        self._closing = True
        if not safe:
            yield from self.hands.make_safe()
        self.channel.leave(self.run_id)
        if self.alarm:
            events, reason = (FAIL,), f"{reason}; ALARM: {self.alarm}"
        for event in events:
            self._enter(event, reason)
        self.keeper.cursor(self.run_id, self.cursor_text)
        self.desk.answer_at_the_end(self.state, self.alarm)

    def _enter(self, event: str, reason: str = "") -> None:
        before, self.state = self.state, after(self.state, event)
        self.reason = reason
        if self.state is not before:
            self.keeper.state(self.run_id, self.state, self.clock.wall_us(), reason)
            self.log.note("state", f"{self.state.value}{': ' + reason if reason else ''}")

    # --- what people ask ------------------------------------------------------------------------

    def consider(self, order: Order, proposed: Proposed | None = None) -> Ordered | None:
        """Take an order: return what is to be thrown into the task, None when it is answered, or waits.

        A run that is paused does nothing that another text of its protocol could disturb.
        """
        ordered = self.desk.take(order, self.state, proposed)
        if self.state is RunState.PAUSED and self.desk.proposed is not None:
            put_in_force(self, None)
        return ordered

    def _leave(self, order: Order) -> str:
        """Put in the cursor how the run is to end, or, for a resume, that it goes on after all."""
        place, verb = self.cursor.place, Verb(order.verb)
        if verb is Verb.RESUME:
            wish, place = place.leaving, staying(place)
            words = f"goes on: '{wish}' is taken back" if wish else ""
        else:
            place, words = leaving(place, verb, order.words)
        if place is not self.cursor.place and words:
            self.log.note("order", order.words)
            self.cursor = self.cursor._replace(place=place)
            self.keeper.cursor(self.run_id, self.cursor_text)
        return words

    def _obey(self, order: Order) -> Generator[Request, Any, Work | None]:
        verb = Verb(order.verb)
        self.log.note("order", order.words)
        if verb is Verb.PAUSE:
            return (yield from self._pause(order.words))
        if verb in {Verb.STOP, Verb.SAFE}:
            self._enter(order.verb, order.words)
            return partial(self._close, (STOPPED,), order.words)
        yield from self.hands.perform(MakeSafe(order.words))
        self.hands.obey_late()
        self.cursor, action = self._steered(order)
        self._keep(action)
        self.desk.answer("done", "the run goes on")
        return partial(self._go_on, action)

    def _pause(self, words: str) -> Generator[Request, Any, Work]:
        """Disconnect, confirmed; then wait where the channel is ours to keep."""
        self._enter(Verb.PAUSE.value, words)
        yield from self.hands.perform(MakeSafe(words))
        self.hands.obey_late()
        if not self.holds:
            return partial(self._close, (PAUSED,), words, safe=True)
        self._enter(PAUSED, words)
        self.keeper.cursor(self.run_id, self.cursor_text)
        self.desk.answer("done", "paused; the cell is disconnected")
        return self._hold

    def _hold(self) -> Generator[Request, Any, Work | None]:
        """Wait for a word, the cell disconnected; the chamber is kept as it is."""
        if self.desk.proposed is not None:
            put_in_force(self, None)
        while True:
            try:
                yield Request(self.clock.now() + HOLD_SECOND)
            except Ordered as ordered:
                order = ordered.order
                verb = Verb(order.verb)
                self.log.note("order", order.words)
                if verb in {Verb.STOP, Verb.SAFE}:
                    return partial(self._close, (order.verb,), order.words)
                if verb in {Verb.RESUME, Verb.RESTART_STEP}:
                    return partial(self._take_up, order)
                self.cursor, action = self._steered(order)
                self._keep(action)
                self.desk.answer("done", "still paused; it goes on from there")
            except Interrupted as stop:
                return partial(self._close, (Verb.PAUSE.value,), str(stop))

    def _take_up(self, order: Order) -> Generator[Request, Any, Work]:
        self.log.begin_at(self.cursor.progress.test_time_second)
        self._enter(order.verb, order.words)
        restart = order.verb == Verb.RESTART_STEP.value
        self.cursor, action = resume(self.program, self.cursor, order.words, restart=restart)
        self._keep(action)
        work = yield from self._arm(action)
        self.desk.answer("done", "running")
        return work

    def _steered(self, order: Order) -> tuple[Cursor, Action]:
        match Verb(order.verb):
            case Verb.SKIP:
                return skip(self.program, self.cursor, order.words)
            case Verb.GO_TO:
                return go_to(self.program, self.cursor, address_of(order), order.words)
        return resume(self.program, self.cursor, order.words, restart=True)

    def _tell(self, order: Order, outcome: str, words: str) -> None:
        self.keeper.answer(order.order_id, outcome, words, self.clock.wall_us())

    # --- telling --------------------------------------------------------------------------------

    def _step(self) -> StepAt:
        return StepAt.of(self.program, self.cursor.place)

    def cursor_text(self) -> str:
        """Return where the run stands now, as it is kept."""
        return to_json(self.cursor)


def _sees_its_cell(step: Step, reading: Reading) -> bool:
    """Say whether all that the step needs has answered: where an analyser must, the cell is not all."""
    probed = step.temperature is not None and step.temperature.stability is not None
    return step.sweep is None and not probed and not math.isnan(reading.voltage_volt)
