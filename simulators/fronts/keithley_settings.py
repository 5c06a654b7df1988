"""The 2450's settings, ranges and words, as plain data: what stage and commands both speak of.

Knows no cell and no bytes. The defaults are those that ``*RST`` gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from simulators.fronts.scpi import ScpiError

VOLTAGE_RANGES = (0.02, 0.2, 2.0, 20.0, 200.0)
CURRENT_RANGES = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
RESISTANCE_RANGES = (2.0, 20.0, 200.0, 2e3, 2e4, 2e5, 2e6, 2e7, 2e8)
OVER_RANGE = 1.05  # settings and readings go up to 105 % of a range
OVERFLOW = 9.9e37


class Function(Enum):
    """What is sourced or measured; the values are the instrument's own words."""

    VOLTAGE = "VOLT"
    CURRENT = "CURR"
    RESISTANCE = "RES"

    # Members are single: their identity is hash enough, and Enum's own costs a call per look-up.
    __hash__ = object.__hash__


class OffState(Enum):
    """What the terminals do while the output is off."""

    NORMAL = "NORM"
    HIGH_IMPEDANCE = "HIMP"
    ZERO = "ZERO"
    GUARD = "GUAR"


class Status:
    """Bits of the source status; the two low ones are to be verified."""

    PROTECTION = 4
    READBACK = 8
    OVERTEMPERATURE = 16
    LIMIT = 32
    REMOTE_SENSE = 64
    OUTPUT_ON = 128


RANGES = {
    Function.VOLTAGE: VOLTAGE_RANGES,
    Function.CURRENT: CURRENT_RANGES,
    Function.RESISTANCE: RESISTANCE_RANGES,
}
UNITS = {
    Function.VOLTAGE: "Volt DC",
    Function.CURRENT: "Amp DC",
    Function.RESISTANCE: "Ohm",
}


@dataclass(slots=True)
class SourceSettings:
    """One source function's settings; ``limit`` is that of the other quantity, a magnitude."""

    range: float
    limit: float
    level: float = 0.0
    auto_range: bool = True
    readback: bool = True
    delay_second: float = 0.0
    auto_delay: bool = True
    off_state: OffState = OffState.NORMAL


@dataclass(slots=True)
class SenseSettings:
    """One measure function's settings."""

    range: float
    lowest_range: float
    auto_range: bool = True
    nplc: float = 1.0
    auto_zero: bool = True
    remote: bool = False
    filter_on: bool = False
    filter_count: int = 10
    filter_kind: str = "REP"


class Reading(NamedTuple):
    """One entry of a reading buffer; ``source`` is measured when readback is on."""

    second: float
    source: float
    value: float
    status: int
    source_function: Function
    function: Function


def _default_sources() -> dict[Function, SourceSettings]:
    return {
        Function.VOLTAGE: SourceSettings(range=0.02, limit=105e-6),
        Function.CURRENT: SourceSettings(range=1e-8, limit=21.0),
    }


def _default_senses() -> dict[Function, SenseSettings]:
    return {
        function: SenseSettings(range=ranges[0], lowest_range=ranges[0])
        for function, ranges in RANGES.items()
    }


@dataclass(slots=True)
class StageSettings:
    """Everything that ``*RST`` puts back; the defaults are the sheet's."""

    source: Function = Function.VOLTAGE
    sense: Function = Function.CURRENT
    sources: dict[Function, SourceSettings] = field(default_factory=_default_sources)
    senses: dict[Function, SenseSettings] = field(default_factory=_default_senses)
    protection_volt: float = math.inf
    terminals: str = "FRON"
    count: int = 1


def range_for(ranges: tuple[float, ...], magnitude: float) -> float:
    """Return the smallest range that holds ``magnitude``; raises ScpiError -222 beyond the last."""
    for candidate in ranges:
        if magnitude <= candidate * OVER_RANGE * (1 + 1e-12):
            return candidate
    raise ScpiError(-222, f"{magnitude:g}")
