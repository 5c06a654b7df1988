"""What a run tells its keeper: samples, steps, cycles, spectra and notes, in the store's words.

Decides nothing. Times are the run's own test time; the wall time beside it is for people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import NamedTuple

from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import Clock
from rig.core.fixture import Fixture
from rig.core.instruments import Flag, Regulation, ResistanceReading, Sweep
from rig.core.records import Keeper
from rig.engine.action import (
    Breach,
    CycleEnded,
    Event,
    Note,
    Reading,
    Sensed,
    SpectrumEnded,
    StepEnded,
)
from rig.engine.cursor import Place, Progress
from rig.engine.spectrum_log import Around, SpectrumLog
from rig.engine.surroundings import PRESSURE, TEMPERATURE
from rig.protocol.program import Program, Step

# Lines of the event log that are alarms as well, whoever writes them.
_ALARMS = {
    "bug": (Severity.ALARM, "internal-error"),
    "store late": (Severity.WARNING, "store-late"),
    "soft limit": (Severity.WARNING, "soft-limit"),
    "link lost": (Severity.WARNING, "link-lost"),
    "sensor silent": (Severity.WARNING, "sensor-silent"),
}


class StepAt(NamedTuple):
    """The step that a reading was taken in; by the time it is kept the next may have begun."""

    step_count: int
    step_id: int
    cycle_count: int
    step: Step

    @staticmethod
    def of(program: Program, place: Place) -> StepAt:
        """Return the step at ``place``, which must be one."""
        step = program.instructions[place.pc]
        assert isinstance(step, Step)
        cycle_count = place.cycle_count if place.cycle_open else 0
        return StepAt(place.step_count, place.pc, cycle_count, step)


class RunLog:
    """One run's way to its keeper.

    ``origin_second`` is the clock's time at test time 0, NaN before the run has begun.
    """

    def __init__(
        self,
        run_id: str,
        program: Program,
        keeper: Keeper,
        clock: Clock,
        *,
        channel: str = "",
        fixture: Fixture | None = None,
    ) -> None:
        self._run_id, self._program, self._fixture = run_id, program, fixture
        self._channel = channel
        self._keeper, self._clock = keeper, clock
        self.spectrum = SpectrumLog(self._row)
        self.origin_second = math.nan
        self._wall_origin_us = 0

    def follow(self, program: Program) -> None:
        """Name steps as this program does, from here on."""
        self._program = program

    def begin_at(self, test_time_second: float) -> None:
        """Let this be the moment of that test time, on the clock and on the wall."""
        self.origin_second = self._clock.now() - test_time_second
        self._wall_origin_us = 0

    def clock_second(self) -> float:
        """Return the test time now; 0 before the run has begun."""
        begun = not math.isnan(self.origin_second)
        return self._clock.now() - self.origin_second if begun else 0.0

    def sample(self, reading: Reading, at: StepAt, progress: Progress) -> None:
        """Keep a reading as a sample, in the order of rig.core.records.SAMPLE_COLUMNS."""
        step_count, step_id, cycle_count, step = at
        flags, sensed = reading.flags, reading.sensed
        surface = pressure = aux = None
        if sensed is not None:
            surface, pressure, aux = _sensor_columns(sensed)
            if sensed.overdue:
                flags |= _STALE
        if reading.regulation is Regulation.VOLTAGE:
            flags |= _VOLTAGE_HELD
        self._keeper.sample(
            (
                self._run_id,
                progress.seq - 1,
                self._wall_us(reading.test_time_second),
                reading.test_time_second,
                step_count,
                step_id,
                cycle_count,
                step.phase,
                step.tag,
                reading.voltage_volt,
                reading.current_ampere,
                reading.temperature_celsius,
                surface,
                progress.charging_capacity_ah,
                progress.discharging_capacity_ah,
                progress.charging_energy_wh,
                progress.discharging_energy_wh,
                pressure,
                flags,
                aux,
            )
        )

    def events(self, events: Sequence[Event]) -> None:
        """Keep what the fold has told."""
        for event in events:
            match event:
                case StepEnded():
                    step = self._program.instructions[event.step_id]
                    assert isinstance(step, Step)
                    labels = {"kind": step.kind.value, "words": step.words, "phase": step.phase}
                    names = {"tag": step.tag, "name": step.name}
                    self._row("step", event._asdict() | labels | names)
                case CycleEnded():
                    self._row("cycle", event._asdict())
                case SpectrumEnded(volt, objection):
                    self.spectrum.end(volt, objection)
                case Note(kind, message):
                    self.note(kind, message)
                case Breach(kind, words, value, limit, unit):
                    self.alarm(Severity.ALARM, kind, words, value=value, limit=limit, unit=unit)

    def begin_spectrum(self, at: StepAt, place: Place, sweep: Sweep, before: Reading) -> None:
        """Keep a spectrum's head; ``before`` is the look at open circuit that came before it."""
        now = self.clock_second()
        self.spectrum.begin(
            {
                "spectrum_count": place.spectrum_count,
                "step_count": at.step_count,
                "cycle_count": at.cycle_count,
                "phase": at.step.phase,
                "tag": at.step.tag,
                "name": at.step.name,
                "test_time_second": now,
                "ts_us": self._wall_us(now),
                "repeat_of": place.repeat_of or None,
                "open_circuit_before_volt": before.voltage_volt,
            },
            sweep,
            self._fixture,
        )

    def resistance(self, at: StepAt, reading: ResistanceReading, around: Around) -> None:
        """Keep what the resistance meter said."""
        now = self.clock_second()
        self._row(
            "resistance",
            {
                "step_count": at.step_count,
                "cycle_count": at.cycle_count,
                "phase": at.step.phase,
                "tag": at.step.tag,
                "name": at.step.name,
                "test_time_second": now,
                "ts_us": self._wall_us(now),
                "resistance_ohm": reading.resistance_ohm,
                "voltage_volt": reading.voltage_volt,
                "ambient_temperature_celsius": around.ambient_celsius,
                "surface_temperature_celsius": around.surface_celsius,
                "flags": reading.flags,
            },
        )

    def note(self, kind: str, message: str) -> None:
        """Keep a line in the run's event log, and raise the warning or alarm that it also is."""
        second = self.clock_second()
        when: dict[str, object] = {"ts_us": self._clock.wall_us(), "test_time_second": second}
        self._row("event", when | {"kind": kind, "message": message})
        if kind in _ALARMS:  # of a traceback, the last line says what happened
            severity, of_kind = _ALARMS[kind]
            self.alarm(severity, of_kind, message.strip().rpartition("\n")[2])

    def unconfirmed(self, message: str) -> None:
        """Keep the loudest alarm: nobody could confirm that the cell is disconnected."""
        self.note("alarm", message)
        self.alarm(Severity.CRITICAL, "unconfirmed-safe-state", message)

    def alarm(
        self,
        severity: Severity,
        kind: str,
        message: str,
        *,
        value: float = math.nan,
        limit: float = math.nan,
        unit: str = "",
    ) -> None:
        """Raise an alarm on this run's channel, with the value that tripped where there is one."""
        self._keeper.alarm(
            raise_alarm(
                severity,
                kind,
                message,
                raised_us=self._clock.wall_us(),
                channel=self._channel,
                run_id=self._run_id,
                value=value,
                limit=limit,
                unit=unit,
                test_time_second=self.clock_second(),
            )
        )

    def _row(self, table: str, values: dict[str, object]) -> None:
        self._keeper.row(table, {"run_id": self._run_id, **values})

    def _wall_us(self, test_time_second: float) -> int:
        if not self._wall_origin_us:
            elapsed = self._clock.now() - self.origin_second
            self._wall_origin_us = self._clock.wall_us() - round(elapsed * 1e6)
        return self._wall_origin_us + round(test_time_second * 1e6)


_VOLTAGE_HELD, _STALE = Flag.VOLTAGE_HELD.value, Flag.STALE.value


def _sensor_columns(sensed: Sensed) -> tuple[float | None, float | None, str | None]:
    """Return temperature and pressure of the cell, and what else is read beside it as JSON text."""
    known = {name: value for name, value in sensed.values.items() if not math.isnan(value)}
    surface, pressure = known.pop(TEMPERATURE, None), known.pop(PRESSURE, None)
    return surface, pressure, json.dumps(known) if known else None
