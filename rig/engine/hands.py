"""What a run does at its channel: hands the cell from one instrument to another, looks at it, lets go.

Everything here is a Request to a port. Nothing here decides: what to do comes from the fold, by way
of runner.py. Only one source drives the cell at any time; a hand-over is open circuit, confirmed,
then the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

from rig.core.clock import Clock
from rig.core.errors import InstrumentError, RigError, UnconfirmedSafeState
from rig.core.instruments import (
    CellReading,
    Limits,
    OpenCircuit,
    Regulation,
    ResistanceReading,
    SweepProgress,
)
from rig.engine.action import (
    Apply,
    BeginSweep,
    Command,
    MakeSafe,
    Purpose,
    Reading,
    ReadResistance,
    Sensed,
    SetTemperature,
)
from rig.engine.channel import Channel, Disconnecting
from rig.engine.log import RunLog
from rig.engine.scanner import LOOK_SECOND
from rig.engine.schedule import Interrupted, Request, Task
from rig.engine.sensors import look_around
from rig.engine.spectrum_log import Around
from rig.engine.sweeping import Sweeping
from rig.protocol.program import Safety

Outcome = Generator[Request, Any, Any]

# Disconnecting a cell is the one thing that is tried again: a reply that got lost must not leave
# a cell connected, nor raise the loudest alarm for nothing.
SAFE_TRIES = 3
SAFE_PAUSE_SECOND = 1.0
LONGEST_SECOND = 86_400.0


@dataclass
class Hands:
    """One run's instruments.

    ``alarm`` is up when nobody confirmed that the cell is disconnected. ``late`` is an order that
    came while it was being disconnected: to be obeyed after.
    """

    run_id: str
    channel: Channel
    safety: Safety
    clock: Clock
    log: RunLog
    alarm: str = ""
    late: Interrupted | None = None
    resistance: ResistanceReading | None = None  # read, and not yet looked at
    _sweeping: Sweeping | None = None

    # --- doing ----------------------------------------------------------------------------------

    def perform(self, command: Command) -> Task:
        """Do what the fold commands. Raises UnconfirmedSafeState, LinkError, InstrumentError."""
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
                yield from self._apply(Apply(OpenCircuit(), LONGEST_SECOND))
            case MakeSafe():
                yield from self.make_safe()
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
        begin = partial(analyser.begin, command.sweep, self._limits(LONGEST_SECOND))
        yield Request(self.clock.now(), self.channel.analyser_port, begin)
        now = self.clock.now()
        self._sweeping = Sweeping(self.channel.name, command, now, self.clock.speed)

    def _read_resistance(self) -> Task:
        """Only one source drives the cell, here too; the meter's reading is the next look."""
        meter = self.channel.meter
        assert meter is not None
        yield from self._open_cell()
        port = self.channel.meter_port
        self.resistance = yield Request(self.clock.now(), port, meter.read_resistance)

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

    def give_scanner_back(self) -> Task:
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
        return self.channel.limits_with(self.safety, longest_second)

    # --- letting go -----------------------------------------------------------------------------

    def make_safe(self) -> Task:
        """Disconnect by every instrument that can drive the cell; raise the alarm, not an exception."""
        self._sweeping, self.resistance, self.alarm = None, None, ""
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
                self.late = order
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
        self.log.unconfirmed(alarm)

    def obey_late(self) -> None:
        """Raise the order that came while the cell was being disconnected, once."""
        if self.late is not None:
            late, self.late = self.late, None
            raise late

    # --- looking --------------------------------------------------------------------------------

    def look(self, due_test_second: float) -> Generator[Request, Any, Reading]:
        """Return one reading at the due time: of the cell, or of the analyser that has it."""
        due = self.log.origin_second + due_test_second
        if self._sweeping is not None:
            return (yield from self._look_at_sweep(due, self._sweeping))
        if self.resistance is not None:
            return self._look_at_resistance(self.resistance)
        cell = self.channel.cell
        measured: CellReading | None = yield Request(
            due, self.channel.cell_port if cell else "", cell.measure if cell else None
        )
        now = self.log.clock_second()
        if measured is None:
            return self._air(now)
        volt, ampere, regulation, flags = measured
        if not self.channel.sensors:
            return Reading(now, volt, ampere, regulation, flags, *self.temperature())
        where, sensed = self.temperature(), self.sensed()
        return Reading(now, volt, ampere, regulation, flags, *where, sensed=sensed)

    def look_at_air(self, due_test_second: float) -> Generator[Request, Any, Reading]:
        """Return what surrounds the cell and nothing of itself, at the due time."""
        yield Request(self.log.origin_second + due_test_second)
        return self._air(self.log.clock_second())

    def _air(self, test_time_second: float) -> Reading:
        celsius, granted = self.temperature()
        sensed = self.sensed()
        return Reading(
            test_time_second, temperature_celsius=celsius, granted=granted, sensed=sensed
        )

    def sensed(self) -> Sensed | None:
        """Return what the channel's sensors said last; None where it has none."""
        sensors = self.channel.sensors
        return look_around(sensors, self.clock.now()) if sensors else None

    def temperature(self) -> tuple[float, bool]:
        """Return what the chamber reads in degC, and whether it works for this run's set point."""
        chamber = self.channel.chamber
        if chamber is None:
            return math.nan, False
        return chamber.temperature_celsius(self.clock.now()), chamber.granted(self.run_id)

    def _look_at_resistance(self, read: ResistanceReading) -> Reading:
        self.resistance = None
        now, where = self.log.clock_second(), self.temperature()
        opened = Reading(now, read.voltage_volt, 0.0, Regulation.OPEN, read.flags, *where)
        return opened._replace(sensed=self.sensed())

    def _look_at_sweep(
        self, due_second: float, sweeping: Sweeping
    ) -> Generator[Request, Any, Reading]:
        analyser = self.channel.analyser
        assert analyser is not None
        progress: SweepProgress = yield Request(
            due_second, self.channel.analyser_port, analyser.poll
        )
        celsius, granted = self.temperature()
        sensed = self.sensed()
        if not sweeping.is_probe:
            repeated = sweeping.command.purpose is Purpose.REPETITION
            wall_us = self.clock.wall_us()
            self.log.spectrum.points(
                progress.points, wall_us, Around.of(celsius, sensed), repeated=repeated
            )
        sweeping.take(progress, self.clock.now())
        objection = ""
        if progress.done:
            self._sweeping = None
            if sweeping.command.purpose is Purpose.SPECTRUM:
                objection = yield from self._judge()
        return Reading(
            self.log.clock_second(),
            temperature_celsius=celsius,
            granted=granted,
            sweep_done=progress.done,
            probe_ohm=sweeping.probe_ohm if sweeping.is_probe else math.nan,
            sensed=sensed,
            objection=objection,
        )

    def _judge(self) -> Generator[Request, Any, str]:
        """Ask what speaks against the spectrum that has come in; its port's thread is free now."""
        judge = partial(self.channel.judge, self.log.spectrum.own_points)
        objection: str = yield Request(self.clock.now(), self.channel.analyser_port, judge)
        return objection
