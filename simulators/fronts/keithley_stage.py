"""The 2450's output stage and digitiser: from settings to a drive on the cell, and to readings.

Knows ranges, limits, the off state and what a reading costs in time; knows no SCPI spelling and
nothing of the cell but its terminals. Written from the instrument sheet; what the sheet leaves
open is marked "simulator's choice" where it is decided.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from simulators.fronts.keithley_settings import (
    OVER_RANGE,
    OVERFLOW,
    RANGES,
    Function,
    OffState,
    Reading,
    SenseSettings,
    SourceSettings,
    StageSettings,
    Status,
    range_for,
)
from simulators.fronts.scpi import WARNING, ScpiError
from simulators.interfaces import OPEN, Cell, Drive, DriveMode

# ±21 V at 1.05 A, ±210 V at 105 mA: above one range, the other quantity stops a range lower.
_HIGH_VOLTAGE_RANGE, _CURRENT_AT_HIGH_VOLTAGE = 200.0, 0.105
_HIGH_CURRENT_RANGE, _VOLTAGE_AT_HIGH_CURRENT = 1.0, 21.0
# The sheet: off state NORMAL is a 0 V source "with a small current limit". Simulator's choice:
# the limit that *RST gives.
OFF_LIMIT_AMPERE = 105e-6
RELAY_SECOND = 0.03  # leaving high impedance moves a relay: "tens of ms"
# Simulator's choices: 6½ digits, and white noise of two counts at 1 NPLC.
_COUNTS_PER_RANGE = 1_000_000
_NOISE_COUNTS = 2.0
_RANGE_WARNING = 5076  # the sheet names it for range warnings, to be verified


class Stage:
    """Source, limits, relay and digitiser on one cell; time is handed in with every call.

    Every setter refuses with ScpiError and then changes nothing.
    """

    def __init__(self, name: str, cell: Cell, *, seed: int, line_hertz: float, noise: bool) -> None:
        self.name = name
        self.settings = StageSettings()
        self.output_on = False
        self.interlock_closed = True
        self.overtemperature = False
        self.line_hertz = line_hertz
        self._cell = cell
        self._gauss: Callable[[float, float], float] = random.Random(seed).gauss
        self._noise_counts = _NOISE_COUNTS if noise else 0.0
        self._drive = OPEN

    # -- source ------------------------------------------------------------------------------

    @property
    def active(self) -> SourceSettings:
        """The settings of the present source function."""
        return self.settings.sources[self.settings.source]

    def select_source(self, function: Function, now_second: float) -> None:
        """Source this quantity from now on; with the output on, its level acts at once."""
        self.settings.source = function
        self._act(now_second)

    def set_level(self, function: Function, level: float, now_second: float) -> None:
        """Set the level in volt or ampere; raises -222 beyond the fixed range or the ratings."""
        source = self.settings.sources[function]
        source.range = self.check_level(function, abs(level))
        source.level = level
        self._act(now_second)

    def check_level(self, function: Function, magnitude: float) -> float:
        """Return the range that a level takes; raises -222 beyond it, -221 against the limit."""
        source = self.settings.sources[function]
        chosen = range_for(RANGES[function] if source.auto_range else (source.range,), magnitude)
        if source.limit > self._largest_limit(function, chosen):
            raise ScpiError(-221, "the present limit does not fit the range this level needs")
        return chosen

    def set_source_range(self, function: Function, magnitude: float, now_second: float) -> None:
        """Fix the range; raises -222 beyond the last, -221 when level or limit do not fit it."""
        source = self.settings.sources[function]
        chosen = range_for(RANGES[function], abs(magnitude))
        too_small = abs(source.level) > chosen * OVER_RANGE
        if too_small or source.limit > self._largest_limit(function, chosen):
            raise ScpiError(-221, f"range {chosen:g} does not fit the present level or limit")
        source.range, source.auto_range = chosen, False
        self._act(now_second)

    def set_source_auto_range(self, function: Function, on: bool) -> None:
        """Let the source range follow the level."""
        source = self.settings.sources[function]
        source.auto_range = on
        if on:
            source.range = range_for(RANGES[function], abs(source.level))

    def set_limit(self, function: Function, limit: float, now_second: float) -> None:
        """Set the limit that goes with sourcing ``function``: ampere for VOLTAGE, else volt.

        Raises -222 outside the ratings, -221 when not below the overvoltage protection, and a
        warning when it does not fit the present ranges; the old limit then stays.
        """
        source = self.settings.sources[function]
        limited = _other(function)
        if not 0 < limit <= RANGES[limited][-1] * OVER_RANGE:
            raise ScpiError(-222, f"{limit:g}")
        if limited is Function.VOLTAGE and limit >= self.settings.protection_volt:
            raise ScpiError(-221, "limit is not below the overvoltage protection")
        sense = self.settings.senses[limited]
        smallest = 0.0 if sense.auto_range else sense.range * 1e-3
        if not smallest <= limit <= self._largest_limit(function, source.range):
            raise ScpiError(_RANGE_WARNING, "limit does not fit the present range", kind=WARNING)
        source.limit = limit
        self._act(now_second)

    @staticmethod
    def _largest_limit(function: Function, source_range: float) -> float:
        if function is Function.VOLTAGE:
            return _CURRENT_AT_HIGH_VOLTAGE if source_range >= _HIGH_VOLTAGE_RANGE else 1.05
        return _VOLTAGE_AT_HIGH_CURRENT if source_range >= _HIGH_CURRENT_RANGE else 210.0

    def set_protection(self, volt: float, now_second: float) -> None:
        """Set the overvoltage protection; infinity is none."""
        self.settings.protection_volt = volt
        self._act(now_second)

    def set_off_state(self, function: Function, state: OffState, now_second: float) -> None:
        """Choose what the terminals do when off; acts at once for the present source function."""
        self.settings.sources[function].off_state = state
        self._act(now_second)

    # -- output ------------------------------------------------------------------------------

    def switch_output(self, on: bool, now_second: float) -> float:
        """Switch the output and return the seconds it takes; raises -200 while a fault forbids it.

        The refusal's number on a 2450 is unknown; -200 is the simulator's choice.
        """
        if on and not self.interlock_closed:
            raise ScpiError(-200, "interlock open")
        if on and self.overtemperature:
            raise ScpiError(-200, "overtemperature")
        was_open = self._drive.mode is DriveMode.OPEN
        self.output_on = on
        self._act(now_second)
        moved = was_open is not (self._drive.mode is DriveMode.OPEN)
        return RELAY_SECOND if moved else 0.0

    def power_up(self, saved: OffState, now_second: float) -> None:
        """The mains come: output off, defaults but for the saved off state."""
        self.settings = StageSettings()
        for source in self.settings.sources.values():
            source.off_state = saved
        self.overtemperature = False
        self.switch_off(now_second)

    def power_down(self, now_second: float) -> None:
        """The mains go: the relay falls open."""
        self.output_on = False
        self._drive = OPEN
        self._cell.drive(self.name, OPEN, now_second)

    def reset(self, now_second: float) -> None:
        """Put the defaults back, output off: NORMAL, so that the terminals become a 0 V source."""
        self.settings = StageSettings()
        self.switch_off(now_second)

    def switch_off(self, now_second: float) -> None:
        """Output off: after a fault high impedance, else the off state that is set.

        A change of wiring (4-wire, terminals) does this, too.
        """
        self.output_on = False
        self._act(now_second)

    @property
    def faulty(self) -> bool:
        """Whether a fault holds the output in high impedance."""
        return self.overtemperature or not self.interlock_closed

    def _act(self, now_second: float) -> None:
        drive = self._wanted_drive()
        if drive != self._drive:
            self._drive = drive
            self._cell.drive(self.name, drive, now_second)

    def _wanted_drive(self) -> Drive:
        if self.faulty:
            return OPEN
        source = self.active
        protection = self.settings.protection_volt
        if not self.output_on:
            return self._off_drive(source)
        if self.settings.source is Function.VOLTAGE:
            level = max(-protection, min(protection, source.level))
            return Drive(DriveMode.VOLTAGE, level, source.limit)
        return Drive(DriveMode.CURRENT, source.level, min(source.limit, protection))

    def _off_drive(self, source: SourceSettings) -> Drive:
        if source.off_state is OffState.HIGH_IMPEDANCE:
            return OPEN
        if source.off_state is OffState.GUARD:
            return Drive(DriveMode.CURRENT, 0.0, self.settings.sources[Function.CURRENT].limit)
        if source.off_state is OffState.ZERO:
            return Drive(DriveMode.VOLTAGE, 0.0, self.settings.sources[Function.VOLTAGE].limit)
        return Drive(DriveMode.VOLTAGE, 0.0, OFF_LIMIT_AMPERE)

    # -- measurement -------------------------------------------------------------------------

    @property
    def sense(self) -> SenseSettings:
        """The settings of the present measure function."""
        return self.settings.senses[self.settings.sense]

    def set_sense_range(self, function: Function, magnitude: float) -> None:
        """Fix a measure range; a limit below 0.1 % of it is raised to that, as the sheet says."""
        sense = self.settings.senses[function]
        sense.range = range_for(RANGES[function], abs(magnitude))
        sense.auto_range = False
        if function is not Function.RESISTANCE:
            source = self.settings.sources[_other(function)]
            source.limit = max(source.limit, sense.range * 1e-3)

    def set_remote_sense(self, function: Function, on: bool, now_second: float) -> None:
        """2-wire or 4-wire; a change for the present function switches the output off."""
        changed = self.settings.senses[function].remote is not on
        self.settings.senses[function].remote = on
        if changed and function is self.settings.sense:
            self.switch_off(now_second)

    def reading_seconds(self) -> float:
        """Return how long one reading takes: NPLC, twice for autozero, twice for readback."""
        sense = self.sense
        seconds = sense.nplc / self.line_hertz
        if sense.auto_zero:
            seconds *= 2
        if self.active.readback:
            seconds *= 2
        if sense.filter_on and sense.filter_kind == "REP":
            seconds *= sense.filter_count
        return seconds

    def limit_trips(self, function: Function, now_second: float) -> bool:
        """Return whether the limit of sourcing ``function`` clamps at this moment: no latch."""
        if not self.output_on or self.settings.source is not function:
            return False
        return self._cell.terminals(now_second).limited

    def protection_trips(self, now_second: float) -> bool:
        """Return whether the overvoltage protection holds the output back at this moment."""
        return self._protection_acts(self._cell.terminals(now_second).limited)

    def measure(self, now_second: float) -> Reading:
        """Take one reading: the mean over the integration, shown at its end."""
        settings = self.settings
        source, sense = settings.sources[settings.source], settings.senses[settings.sense]
        voltage, current, limited = self._at_terminals(now_second)
        if source.readback:
            sourced = voltage if settings.source is Function.VOLTAGE else current
            sourced = self._digitise(sourced, RANGES[settings.source], source.range, sense)
        else:
            sourced = source.level
        value = self._sensed(voltage, current, sense)
        status = self._status(limited, source, sense)
        return Reading(now_second, sourced, value, status, settings.source, settings.sense)

    def _at_terminals(self, now_second: float) -> tuple[float, float, bool]:
        if self._drive is OPEN:
            # Relay open: the terminals are not connected. What a 2450 shows is unknown ([?]).
            return 0.0, 0.0, False
        return self._cell.terminals(now_second)

    def _sensed(self, voltage: float, current: float, sense: SenseSettings) -> float:
        function = self.settings.sense
        if function is Function.CURRENT:
            value = current
        elif function is Function.VOLTAGE:
            value = voltage
        else:
            value = voltage / current if current else OVERFLOW
        if sense.auto_range:
            return self._digitise(value, RANGES[function], sense.lowest_range, sense)
        if abs(value) > sense.range * OVER_RANGE:
            return math.copysign(OVERFLOW, value)
        return self._digitise(value, RANGES[function], sense.range, sense)

    def _digitise(
        self, value: float, ranges: tuple[float, ...], lowest: float, sense: SenseSettings
    ) -> float:
        """Return ``value`` with noise, in whole counts of the smallest range from ``lowest`` on."""
        magnitude = abs(value)
        if magnitude <= lowest * OVER_RANGE:
            chosen = lowest
        else:
            for chosen in ranges:
                if magnitude <= chosen * OVER_RANGE and chosen >= lowest:
                    break
            else:
                return math.copysign(OVERFLOW, value)
        count = chosen / _COUNTS_PER_RANGE
        counts = value / count
        if self._noise_counts:
            averaged = sense.nplc * (sense.filter_count if sense.filter_on else 1)
            counts += self._gauss(0.0, self._noise_counts) / math.sqrt(averaged)
        return round(counts) * count

    def _status(self, limited: bool, source: SourceSettings, sense: SenseSettings) -> int:
        status = Status.OUTPUT_ON if self.output_on else 0
        if sense.remote:
            status |= Status.REMOTE_SENSE
        if source.readback:
            status |= Status.READBACK
        if limited and self.output_on:
            status |= Status.LIMIT
        if self.overtemperature:
            status |= Status.OVERTEMPERATURE
        if self.settings.protection_volt < math.inf and self._protection_acts(limited):
            status |= Status.PROTECTION
        return status

    def _protection_acts(self, limited: bool) -> bool:
        protection = self.settings.protection_volt
        if not self.output_on:
            return False
        if self.settings.source is Function.VOLTAGE:
            return abs(self.active.level) > protection
        return limited and protection < self.active.limit


def _other(function: Function) -> Function:
    return Function.CURRENT if function is Function.VOLTAGE else Function.VOLTAGE
