"""The 2400's output stage: from settings to a drive on the cell, and what a reading costs in time.

Knows ranges, compliance and the off state; knows no SCPI spelling and nothing of the cell but its
terminals. What is shown of those is in keithley_2400_digitiser.py.

Simulator's choices where the sheet is silent: a measure range that is set raises a compliance below
0.1 % of it; the automatic delay takes no time; a range that does not hold the present level
is -221; the sheet's +809/+810 is +810 for an output that overtemperature blocks.
"""

from __future__ import annotations

from simulators.fronts.keithley_2400_digitiser import Digitiser
from simulators.fronts.keithley_2400_settings import (
    Ratings,
    Reading,
    Settings,
    holds,
    other,
)
from simulators.fronts.keithley_settings import OVER_RANGE, Function, OffState, range_for
from simulators.fronts.keithley_stage import OFF_LIMIT_AMPERE, RELAY_SECOND
from simulators.fronts.scpi import ScpiError
from simulators.interfaces import OPEN, Cell, Drive, DriveMode

_CONVERSION_SECOND = 185e-6  # on top of the integration; autozero measures three times
_SMALLEST_COMPLIANCE = 1e-3  # of the measure range


class Stage:
    """Source, compliance, relay and digitiser on one cell; time is handed in with every call.

    Every setter refuses with ScpiError and then changes nothing.
    """

    def __init__(
        self,
        name: str,
        cell: Cell,
        ratings: Ratings,
        *,
        seed: int,
        line_hertz: float,
        noise: bool,
    ) -> None:
        self.name = name
        self.ratings = ratings
        self.settings = Settings(ratings)
        self.line_hertz = line_hertz
        self.output_on = False
        self.interlock_closed = True
        self.overtemperature = False
        self._powered = False
        self._cell = cell
        self._digitiser = Digitiser(ratings, seed=seed, noise=noise)
        self._drive = OPEN

    # -- mains -------------------------------------------------------------------------------

    def power_down(self, now_second: float) -> None:
        """The mains go: the relay falls open."""
        self._powered = False
        self.switch_off(now_second)

    def power_up(self, saved: OffState, now_second: float) -> None:
        """The mains are there: output off, as the saved off state says."""
        self._powered = True
        self.overtemperature = False
        self.set_off_state(saved, now_second)

    def reset(self, now_second: float) -> None:
        """Put the defaults back, output off: NORMAL, so that the terminals become a 0 V source."""
        self.settings = Settings(self.ratings)
        self.switch_off(now_second)

    # -- source ------------------------------------------------------------------------------

    def select_source(self, function: Function, now_second: float) -> None:
        """Source this quantity from now on; with the output on, its level acts at once."""
        self.settings.source = function
        self._act(now_second)

    def set_level(self, function: Function, level: float, now_second: float) -> None:
        """Set the level in volt or ampere; raises -222 beyond range or ratings, +826 by power."""
        source = self.settings.sources[function]
        allowed = self.ratings.ranges(function) if source.auto_range else (source.range,)
        chosen = range_for(allowed, abs(level))
        self._check_power(function, chosen)
        source.level, source.range = level, chosen
        self._act(now_second)

    def set_source_range(self, function: Function, magnitude: float, now_second: float) -> None:
        """Fix the range; raises -222 beyond the last, -221 below the level, +826 by power."""
        source = self.settings.sources[function]
        chosen = range_for(self.ratings.ranges(function), abs(magnitude))
        if not holds(abs(source.level), chosen):
            raise ScpiError(-221, f"range {chosen:g} does not hold the present level")
        self._check_power(function, chosen)
        source.range, source.auto_range = chosen, False
        self._act(now_second)

    def set_source_auto_range(self, function: Function, on: bool, now_second: float) -> None:
        """Let the source range follow the level, or keep the present one."""
        source = self.settings.sources[function]
        source.auto_range = on
        if on:
            source.range = range_for(self.ratings.ranges(function), abs(source.level))
        self._act(now_second)

    def set_protection(self, volt: float, now_second: float) -> None:
        """Set the overvoltage protection; raises -222 unless it is positive."""
        if not volt > 0:
            raise ScpiError(-222, f"{volt:g}")
        self.settings.protection_volt = volt
        self._act(now_second)

    def _check_power(self, function: Function, source_range: float) -> None:
        compliance = self.settings.senses[other(function)].compliance
        if compliance > self.ratings.largest_limit(function, source_range):
            raise ScpiError(826, "Attempt to exceed power limit")

    # -- compliance --------------------------------------------------------------------------

    def set_compliance(self, function: Function, limit: float, now_second: float) -> None:
        """Limit this quantity while the other one is sourced.

        Raises -222 outside the ratings; +824 above a fixed measure range, +822 below 0.1 % of one,
        +826 where the present source range does not allow it.
        """
        sense = self.settings.senses[function]
        if not 0 < limit <= self.ratings.ranges(function)[-1] * OVER_RANGE:
            raise ScpiError(-222, f"{limit:g}")
        if not sense.auto_range and not holds(limit, sense.range):
            raise ScpiError(824, "Cannot exceed compliance range")
        if not sense.auto_range and limit < sense.range * _SMALLEST_COMPLIANCE:
            raise ScpiError(822, "Too small for sense range")
        sourced = other(function)
        if limit > self.ratings.largest_limit(sourced, self.settings.sources[sourced].range):
            raise ScpiError(826, "Attempt to exceed power limit")
        sense.compliance = limit
        self._act(now_second)

    def set_sense_range(self, function: Function, magnitude: float, now_second: float) -> None:
        """Fix the measure range; one below the compliance clamps the output: range compliance."""
        sense = self.settings.senses[function]
        sense.range = range_for(self.ratings.ranges(function), abs(magnitude))
        sense.auto_range = False
        sense.compliance = max(sense.compliance, sense.range * _SMALLEST_COMPLIANCE)
        self._act(now_second)

    def set_sense_auto_range(self, function: Function, on: bool, now_second: float) -> None:
        """Let the measure range follow the reading, or keep the present one."""
        self.settings.senses[function].auto_range = on
        self._act(now_second)

    def in_compliance(self, function: Function, now_second: float) -> bool:
        """Return whether this quantity is clamped at this moment: no latch."""
        if not self.output_on or self.settings.limited is not function:
            return False
        return self._cell.terminals(now_second).limited

    # -- output ------------------------------------------------------------------------------

    def switch_output(self, on: bool, now_second: float) -> float:
        """Switch the output and return the seconds it takes; raises +802, +810 for a fault."""
        if on and not self.interlock_closed:
            raise ScpiError(802, "OUTPUT blocked by output enable")
        if on and self.overtemperature:
            raise ScpiError(810, "OUTPUT blocked by over temperature")
        was_open = self._drive is OPEN
        self.output_on = on
        self._act(now_second)
        return RELAY_SECOND if was_open is not (self._drive is OPEN) else 0.0

    def switch_off(self, now_second: float) -> None:
        """Output off, as a fault or a change of wiring does it."""
        self.output_on = False
        self._act(now_second)

    def set_off_state(self, state: OffState, now_second: float) -> None:
        """Choose what the terminals do when off; acts at once."""
        self.settings.off_state = state
        self._act(now_second)

    def set_remote(self, on: bool, now_second: float) -> None:
        """2-wire or 4-wire; a change switches the output off."""
        if on is not self.settings.remote:
            self.settings.remote = on
            self.switch_off(now_second)

    def set_terminals(self, side: str, now_second: float) -> None:
        """Front or rear; a change switches the output off."""
        if side != self.settings.terminals:
            self.settings.terminals = side
            self.switch_off(now_second)

    def _act(self, now_second: float) -> None:
        drive = self._wanted_drive()
        if drive != self._drive:
            self._drive = drive
            self._cell.drive(self.name, drive, now_second)

    def _wanted_drive(self) -> Drive:
        if not self._powered or self.overtemperature or not self.interlock_closed:
            return OPEN
        if not self.output_on:
            return self._off_drive()
        settings = self.settings
        level, limit = settings.sources[settings.source].level, settings.compliance.limit
        protection = settings.protection_volt
        if settings.source is Function.VOLTAGE:
            return Drive(DriveMode.VOLTAGE, max(-protection, min(protection, level)), limit)
        return Drive(DriveMode.CURRENT, level, min(limit, protection))

    def _off_drive(self) -> Drive:
        settings = self.settings
        if settings.off_state is OffState.HIGH_IMPEDANCE:
            return OPEN
        if settings.off_state is OffState.GUARD:
            return Drive(DriveMode.CURRENT, 0.0, settings.senses[Function.VOLTAGE].limit)
        if settings.off_state is OffState.ZERO:
            return Drive(DriveMode.VOLTAGE, 0.0, settings.senses[Function.CURRENT].limit)
        if settings.source is Function.VOLTAGE:
            return Drive(DriveMode.VOLTAGE, 0.0, OFF_LIMIT_AMPERE)
        # The manual's warning: the voltage compliance becomes 0 V, and an excessive current flows.
        # How much is unknown; the most that the output carries bounds it here.
        return Drive(DriveMode.VOLTAGE, 0.0, self.ratings.largest_ampere)

    # -- measurement -------------------------------------------------------------------------

    def reading_seconds(self) -> float:
        """Return how long one reading takes, its source delay included."""
        settings = self.settings
        seconds = settings.nplc / self.line_hertz + _CONVERSION_SECOND
        seconds *= 3 if settings.auto_zero else 1
        if settings.filter_on and settings.filter_kind == "REP":
            seconds *= settings.filter_count
        return settings.delay_second + seconds * len(settings.digitised)

    def measure(self, now_second: float) -> Reading:
        """Take one reading: what is at the terminals at the end of its integration."""
        terminals = self._cell.terminals(now_second)
        return self._digitiser.read(self.settings, terminals, now_second)
