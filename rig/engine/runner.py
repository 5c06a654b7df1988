"""One run on one channel: does what the fold decides, and tells the keeper.

Everything that touches an instrument is a Request to its port; everything that decides is in
``advance``. This file only carries messages between the two, hands the cell over between
instruments, and sees to it that however a run ends, its cell is disconnected and confirmed so.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rig.core.clock import Clock
from rig.core.errors import (
    InstrumentError,
    LinkError,
    RigError,
    UnconfirmedSafeState,
    UnreadableReply,
)
from rig.core.instruments import (
    CellReading,
    Limits,
    OpenCircuit,
    Regulation,
    ResistanceReading,
    SweepProgress,
)
from rig.core.records import Keeper, RunState
from rig.engine.action import (
    Action,
    Apply,
    BeginSweep,
    Command,
    MakeSafe,
    Purpose,
    Reading,
    ReadResistance,
    SetTemperature,
)
from rig.engine.advance import advance, begin, resume
from rig.engine.channel import Channel, Disconnecting, OnLinkLoss
from rig.engine.cursor import Cursor, Halt, to_json
from rig.engine.log import RunLog, StepAt
from rig.engine.scanner import LOOK_SECOND
from rig.engine.schedule import Interrupted, Request, Task
from rig.engine.states import EVENT_OF_HALT, after
from rig.engine.sweeping import Sweeping
from rig.protocol.program import Program, Step

Outcome = Generator[Request, Any, Any]

# Disconnecting a cell is the one thing that is tried again: a reply that got lost must not leave
# a cell connected, nor raise the loudest alarm for nothing.
SAFE_TRIES = 3
SAFE_PAUSE_SECOND = 1.0
# A step whose link is lost so often, without the cell being seen in between, is given up.
MOST_LOSSES_IN_A_STEP = 5
# A cable that came out is looked for again after these pauses; then the run goes safe.
RECONNECT_PAUSES_SECOND = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass
class Run:
    """A program on a channel, from the first set point to the last confirmed disconnection."""

    run_id: str
    program: Program
    channel: Channel
    keeper: Keeper
    clock: Clock
    state: RunState = RunState.QUEUED
    resume_from: Cursor | None = None
    cursor: Cursor = field(default_factory=Cursor)
    reading: Reading = field(default_factory=lambda: Reading(0.0))
    alarm: str = ""
    reason: str = ""
    log: RunLog = field(init=False)
    _order: str = ""  # to stop, heard while the cell was being disconnected
    _sweeping: Sweeping | None = None
    _resistance: ResistanceReading | None = None  # read, and not yet looked at
    _losses: tuple[object, int] = (None, 0)  # where in the program, how often the link was lost

    def __post_init__(self) -> None:
        self.log = RunLog(self.run_id, self.program, self.keeper, self.clock, self.channel.fixture)

    # --- the life of a run ----------------------------------------------------------------------

    def task(self) -> Task:
        """Return the generator that a schedule runs; it never ends with the cell connected."""
        try:
            yield from self._live()
        except Interrupted as order:
            yield from self._close("pause", str(order))
        except UnconfirmedSafeState:  # the last word is that of the tries which _close makes
            yield from self._close("fail", "the cell was not confirmed disconnected at once")
        except (LinkError, InstrumentError) as fault:
            yield from self._close("fail", str(fault))
        except (Exception, KeyboardInterrupt) as bug:  # a fault in the watcher is itself a trip
            self.log.note("bug", traceback.format_exc())
            yield from self._close("fail", f"internal error: {bug!r}")

    def refuse(self, alarm: str) -> None:
        """End the run before it has begun, with the alarm up: nothing was switched on by it."""
        self.cursor = self.resume_from or self.cursor
        self.log.origin_second = self.clock.now() - self.cursor.progress.test_time_second
        self._enter("resume" if self.resume_from else "start")
        self.alarm = self.reason = alarm
        self.log.note("alarm", alarm)
        self._enter("fail", alarm)
        self.keeper.cursor(self.run_id, self._cursor_text)

    def _live(self) -> Task:
        action = self._begin()
        # Whatever was left switched on, by us or by anybody, is disconnected before we begin.
        yield from self._perform(MakeSafe("before the first set point"))
        if self._order:
            raise Interrupted(self._order)
        self._enter("armed")
        while True:
            try:
                if action.command is not None:
                    yield from self._perform(action.command)
                if self.cursor.halt is not Halt.NONE:
                    break
                reading = yield from self._look(action.due_second)
            except (LinkError, UnreadableReply) as fault:
                action = yield from self._reconnect(fault)
                continue
            step_before, self.reading = self._step(), reading
            if self._losses[1] and _sees_its_cell(step_before.step, reading):
                self._losses = None, 0  # a month's glitches do not add up
            self.cursor, action = advance(self.program, self.cursor, reading)
            if action.record:
                self.log.sample(reading, step_before, self.cursor.progress)
            if action.events:
                self.log.events(action.events)
            self.keeper.cursor(self.run_id, self._cursor_text)
            if reading.sweep_done and not isinstance(action.command, BeginSweep):
                # Only now: a late answer of the scanner repeats no spectrum.
                yield from self._give_scanner_back()
        yield from self._close(EVENT_OF_HALT[self.cursor.halt], self.cursor.reason, safe=True)

    def _reconnect(self, fault: RigError) -> Generator[Request, Any, Action]:
        """Get the instruments back, disconnect the cell, and return the action that goes on.

        The longer it lasts the longer the pauses. What the cell did meanwhile under the
        instrument's own limits is unknown and recorded as a gap. Raises ``fault`` again when they
        do not come back, or at once where the channel would rather be safe.
        """
        self.log.note("link lost", str(fault))
        if self.channel.on_link_loss is OnLinkLoss.SAFE:
            raise fault
        place = self.cursor.place  # not its step_count: a step that begins again is the same step
        where, times = self._losses
        times = times + 1 if where == (place.pc, place.loops) else 1
        self._losses = (place.pc, place.loops), times
        if times > MOST_LOSSES_IN_A_STEP:
            raise fault
        for pause in RECONNECT_PAUSES_SECOND:
            due = self.clock.now() + pause
            try:
                for port, _ in self.channel.instruments_of(self.run_id):
                    yield Request(due, port, partial(self.channel.reopen, port))
            except (LinkError, InstrumentError):
                continue
            break
        else:
            raise fault
        yield from self._perform(MakeSafe("the link was lost"))
        if self._order:
            raise Interrupted(self._order)
        self.log.note("link back", "the same instruments answer; the cell was disconnected")
        self.cursor, action = resume(self.program, self.cursor, "link was lost")
        self.log.events(action.events)
        self.keeper.cursor(self.run_id, self._cursor_text)
        return action

    def _begin(self) -> Action:
        before = self.resume_from
        if before is not None:  # whatever fails from here on, the run's place is not lost
            self.cursor = before
        start_second = self.cursor.progress.test_time_second
        self.log.origin_second = self.clock.now() - start_second
        self._enter("resume" if before else "start")
        if self.channel.chamber is not None:
            self.channel.chamber.join(self.run_id)
        if before is None:
            self.cursor, action = begin(self.program)
        else:
            self.cursor, action = resume(self.program, before)
            self._hold_temperature_again()
        self.log.events(action.events)
        self.keeper.cursor(self.run_id, self._cursor_text)
        return action

    def _hold_temperature_again(self) -> None:
        """Ask for the temperature that was in force: the chamber may have lost its power, too."""
        chamber, celsius = self.channel.chamber, self.cursor.place.chamber_celsius
        if chamber is not None and not math.isnan(celsius):
            chamber.ask(self.run_id, celsius)

    def _close(self, event: str, reason: str, *, safe: bool = False) -> Task:
        """End the run: disconnect unless that was just confirmed, and say how it ended."""
        if not safe:
            yield from self._make_safe()
        if self.channel.chamber is not None:
            self.channel.chamber.leave(self.run_id)
        if self.alarm:
            event, reason = "fail", f"{reason}; ALARM: {self.alarm}"
        self.reason = reason
        self._enter(event, reason)
        self.keeper.cursor(self.run_id, self._cursor_text)

    def _enter(self, event: str, reason: str = "") -> None:
        self.state = after(self.state, event)
        self.keeper.state(self.run_id, self.state, self.clock.wall_us(), reason)
        self.log.note("state", f"{self.state.value}{': ' + reason if reason else ''}")

    # --- doing ----------------------------------------------------------------------------------

    def _perform(self, command: Command) -> Task:
        match command:
            case Apply():
                yield from self._apply(command)
            case BeginSweep():
                yield from self._begin_sweep(command)
            case ReadResistance():
                yield from self._read_resistance()
            case SetTemperature(celsius):
                assert self.channel.chamber is not None
                self.channel.chamber.ask(self.run_id, celsius)
                yield from self._apply(Apply(OpenCircuit(), 86_400.0))
            case MakeSafe():
                yield from self._make_safe()
                if self.alarm:
                    raise UnconfirmedSafeState(self.alarm)

    def _apply(self, command: Apply) -> Task:
        cell = self.channel.cell
        if cell is None:
            return
        limits = self._limits(command.longest_second)
        yield from self._on_cell_port(lambda: cell.apply(command.setpoint, limits))

    def _begin_sweep(self, command: BeginSweep) -> Task:
        """Only one source drives the cell: open it, confirmed, then the analyser takes it."""
        analyser = self.channel.analyser
        assert analyser is not None
        if not self.channel.one_instrument:
            yield from self._open_cell()
        yield from self._take_scanner()
        begin = partial(analyser.begin, command.sweep, self._limits(86_400.0))
        yield Request(self.clock.now(), self.channel.analyser_port, begin)
        now = self.clock.now()
        self._sweeping = Sweeping(self.channel.name, command, now, self.clock.speed)
        if command.purpose is Purpose.SPECTRUM:
            self.log.begin_spectrum(self._step(), self.cursor.place, command.sweep, self.reading)

    def _read_resistance(self) -> Task:
        """Only one source drives the cell, here too; the meter's reading is the next look."""
        meter = self.channel.meter
        assert meter is not None
        yield from self._open_cell()
        read = yield Request(self.clock.now(), self.channel.meter_port, meter.read_resistance)
        self._resistance = read
        self.log.resistance(self._step(), read, self._temperature()[0])

    def _open_cell(self) -> Task:
        cell = self.channel.cell
        if cell is not None:
            yield from self._on_cell_port(cell.make_safe)

    def _take_scanner(self) -> Task:
        """Wait for our turn at open circuit, then close the path to this cell, confirmed."""
        scanner = self.channel.scanner
        if scanner is None:
            return
        scanner.ask(self.run_id)
        while not scanner.granted(self.run_id):
            yield Request(self.clock.now() + LOOK_SECOND)
        if scanner.fault:
            raise InstrumentError(f"scanner {scanner.name} is not used any more: {scanner.fault}")
        connect = partial(scanner.driver.connect, self.channel.path)
        yield Request(self.clock.now(), scanner.port, connect)

    def _give_scanner_back(self) -> Task:
        """Open the path, confirmed with all the patience that disconnecting a cell has."""
        scanner = self.channel.scanner
        if scanner is not None and scanner.granted(self.run_id):
            self.alarm = ""
            yield from self._disconnect(scanner.port, scanner.driver)
            if self.alarm:
                raise UnconfirmedSafeState(self.alarm)
            scanner.leave(self.run_id)

    def _on_cell_port(self, call: Callable[[], Any]) -> Outcome:
        return (yield Request(self.clock.now(), self.channel.cell_port, call))

    def _limits(self, longest_second: float) -> Limits:
        return self.channel.limits_with(self.program.safety, longest_second)

    def _make_safe(self) -> Task:
        """Disconnect by every instrument that can drive the cell; raise the alarm, not an exception."""
        self._sweeping, self._resistance, self.alarm = None, None, ""
        for port, instrument in self.channel.instruments_of(self.run_id):
            yield from self._disconnect(port, instrument)
        scanner = self.channel.scanner
        if scanner is not None:
            if self.alarm and scanner.granted(self.run_id):
                scanner.fault = self.alarm  # the next cell must not be put on it
            scanner.leave(self.run_id)

    def _disconnect(self, port: str, instrument: Disconnecting) -> Task:
        failure, tries = "", 0
        while tries < SAFE_TRIES:
            due = self.clock.now() + (SAFE_PAUSE_SECOND if tries else 0.0)
            try:
                if tries:  # perhaps only the link is gone
                    yield Request(due, port, lambda: self.channel.reopen(port))
                yield Request(due, port, instrument.make_safe)
            except Interrupted as order:  # first make safe, then obey; it is no failed try, either
                self._order = str(order)
            except Exception as error:  # whatever it is, the other instruments' turn must come
                failure = str(error) if isinstance(error, RigError) else repr(error)
                tries += 1
            else:
                return
        alarm = (
            f"channel {self.channel.name}, {port}: nobody could confirm that the cell is "
            f"disconnected ({failure}). Disconnect it by hand now."
        )
        self.alarm = f"{self.alarm} {alarm}".strip()
        self.log.note("alarm", alarm)

    # --- looking --------------------------------------------------------------------------------

    def _look(self, due_test_second: float) -> Generator[Request, Any, Reading]:
        """Return one reading at the due time: of the cell, or of the analyser that has it."""
        due = self.log.origin_second + due_test_second
        if self._sweeping is not None:
            return (yield from self._look_at_sweep(due, self._sweeping))
        if self._resistance is not None:
            return self._look_at_resistance(self._resistance)
        cell = self.channel.cell
        measured: CellReading | None = yield Request(
            due, self.channel.cell_port if cell else "", cell.measure if cell else None
        )
        now = self.clock.now() - self.log.origin_second
        if measured is None:
            celsius, granted = self._temperature()
            return Reading(now, temperature_celsius=celsius, granted=granted)
        volt, ampere, regulation, flags = measured
        return Reading(now, volt, ampere, regulation, flags, *self._temperature())

    def _temperature(self) -> tuple[float, bool]:
        """Return what the chamber reads in degC, and whether it works for this run's set point."""
        chamber = self.channel.chamber
        if chamber is None:
            return math.nan, False
        return chamber.temperature_celsius(self.clock.now()), chamber.granted(self.run_id)

    def _look_at_resistance(self, read: ResistanceReading) -> Reading:
        self._resistance = None
        now = self.clock.now() - self.log.origin_second
        return Reading(
            now, read.voltage_volt, 0.0, Regulation.OPEN, read.flags, *self._temperature()
        )

    def _look_at_sweep(
        self, due_second: float, sweeping: Sweeping
    ) -> Generator[Request, Any, Reading]:
        analyser = self.channel.analyser
        assert analyser is not None
        progress: SweepProgress = yield Request(
            due_second, self.channel.analyser_port, analyser.poll
        )
        celsius, granted = self._temperature()
        if not sweeping.is_probe:
            repeated = sweeping.command.purpose is Purpose.REPETITION
            wall_us = self.clock.wall_us()
            self.log.spectrum.points(progress.points, wall_us, celsius, repeated=repeated)
        sweeping.take(progress, self.clock.now())
        if progress.done:
            self._sweeping = None
        return Reading(
            self.clock.now() - self.log.origin_second,
            temperature_celsius=celsius,
            granted=granted,
            sweep_done=progress.done,
            probe_ohm=sweeping.probe_ohm if sweeping.is_probe else math.nan,
        )

    # --- telling --------------------------------------------------------------------------------

    def _step(self) -> StepAt:
        return StepAt.of(self.program, self.cursor.place)

    def _cursor_text(self) -> str:
        return to_json(self.cursor)


def _sees_its_cell(step: Step, reading: Reading) -> bool:
    """Say whether all that the step needs has answered: where an analyser must, the cell is not all."""
    probed = step.temperature is not None and step.temperature.stability is not None
    return step.sweep is None and not probed and not math.isnan(reading.voltage_volt)
