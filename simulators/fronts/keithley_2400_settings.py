"""The 2400 series' ratings, settings and readings, as plain data.

Knows no cell and no bytes. The defaults are those that ``*RST`` gives.

Simulator's choices where the sheet is silent: the ranges below those of the ratings stand one to a
decade, from 0.2 V and 1 uA on; concurrent measurement is on; measure ranges start where the default
compliance is 105 % of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

from simulators.fronts.keithley_settings import OVER_RANGE, Function, OffState, range_for

NOT_A_NUMBER = 9.91e37  # an element that is not measured
_COMPLIANCES = {Function.VOLTAGE: 21.0, Function.CURRENT: 105e-6}
_VOLTAGE_DECADES = (0.2, 2.0)
_CURRENT_DECADES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True, slots=True)
class Ratings:
    """The corners of what a model can source, as ranges in volt and ampere; 105 % can be set."""

    corners: tuple[tuple[float, float], ...]

    def ranges(self, function: Function) -> tuple[float, ...]:
        """Return the ranges of voltage or current, the smallest first."""
        if function is Function.VOLTAGE:
            return tuple(sorted({*_VOLTAGE_DECADES, *(volt for volt, _ in self.corners)}))
        return tuple(sorted({*_CURRENT_DECADES, *(ampere for _, ampere in self.corners)}))

    def largest_limit(self, sourced: Function, source_range: float) -> float:
        """Return the largest compliance, in the other quantity, while a range is sourced."""
        pairs = (
            self.corners if sourced is Function.VOLTAGE else [pair[::-1] for pair in self.corners]
        )
        return OVER_RANGE * max(other for own, other in pairs if own >= source_range)

    @property
    def largest_ampere(self) -> float:
        """The most that the output can carry."""
        return OVER_RANGE * max(ampere for _, ampere in self.corners)


_ONE_RANGE = Ratings(((20.0, 1.0),))
MODELS = {
    "2400": Ratings(((20.0, 1.0), (200.0, 0.1))),
    "2400-LV": _ONE_RANGE,
    "2401": _ONE_RANGE,
    "2420": Ratings(((20.0, 3.0), (60.0, 1.0))),
    "2425": Ratings(((20.0, 3.0),)),
    "2430": Ratings(((100.0, 1.0),)),
    "2440": Ratings(((10.0, 5.0), (40.0, 1.0))),
}


class Status(IntFlag):
    """Bits of the status word that goes with a reading; those that never come are left out."""

    OVERFLOW = 1 << 0
    FILTER = 1 << 1
    FRONT = 1 << 2
    REAL_COMPLIANCE = 1 << 3
    PROTECTION = 1 << 4
    VOLTAGE_MEASURED = 1 << 11
    CURRENT_MEASURED = 1 << 12
    RESISTANCE_MEASURED = 1 << 13
    VOLTAGE_SOURCED = 1 << 14
    CURRENT_SOURCED = 1 << 15
    RANGE_COMPLIANCE = 1 << 16
    REMOTE_SENSE = 1 << 22


class Reading(NamedTuple):
    """One reading, its elements in the order in which they are sent."""

    voltage_volt: float
    current_ampere: float
    resistance_ohm: float
    second: float
    status: Status


@dataclass(slots=True)
class SourceSettings:
    """One source function's settings."""

    range: float
    level: float = 0.0
    auto_range: bool = True


@dataclass(slots=True)
class SenseSettings:
    """One measure function's settings; ``compliance`` limits it while the other one is sourced."""

    range: float
    compliance: float
    auto_range: bool = True

    @property
    def limit(self) -> float:
        """Where the output clamps: real compliance or, if that is lower, range compliance."""
        if self.auto_range:
            return self.compliance
        return min(self.compliance, self.range * OVER_RANGE)


class Settings:
    """Everything about source and measurement that ``*RST`` puts back."""

    def __init__(self, ratings: Ratings) -> None:
        both = (Function.VOLTAGE, Function.CURRENT)
        self.source = Function.VOLTAGE
        self.sources = {function: SourceSettings(ratings.ranges(function)[0]) for function in both}
        self.senses = {
            function: SenseSettings(range_for(ratings.ranges(function), limit), limit)
            for function, limit in _COMPLIANCES.items()
        }
        self.measured = {Function.CURRENT}
        self.concurrent = True
        self.off_state = OffState.NORMAL
        self.auto_off = False
        self.terminals = "FRON"
        self.remote = False
        self.protection_volt = 40.0  # in the service documentation, says the sheet
        self.nplc = 1.0
        self.auto_zero = True
        self.delay_second = 0.0
        self.auto_delay = True
        self.filter_on = False
        self.filter_kind = "REP"
        self.filter_count = 10

    @property
    def limited(self) -> Function:
        """The quantity that compliance limits: the one that is not sourced."""
        return other(self.source)

    @property
    def compliance(self) -> SenseSettings:
        """What limits the output at present."""
        return self.senses[self.limited]

    @property
    def digitised(self) -> set[Function]:
        """Voltage or current or both: what a reading converts; the source is always read back."""
        if Function.RESISTANCE in self.measured:
            return {Function.VOLTAGE, Function.CURRENT}
        return self.measured | {self.source}

    @property
    def averages(self) -> float:
        """How many power line cycles one value is the mean of."""
        return self.nplc * (self.filter_count if self.filter_on else 1)


def other(function: Function) -> Function:
    """Return current for voltage, and voltage for current."""
    return Function.CURRENT if function is Function.VOLTAGE else Function.VOLTAGE


def holds(magnitude: float, chosen: float) -> bool:
    """Return whether a range shows this magnitude; clamped to its very end it does."""
    return magnitude <= chosen * OVER_RANGE or math.isclose(magnitude, chosen * OVER_RANGE)
