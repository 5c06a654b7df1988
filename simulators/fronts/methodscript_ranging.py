"""Which measuring range shows a signal, and what status that range gives it.

Knows ranges only. The factors are EmStat4's; the sheet gives none for the Pico and the Nexus, so
all models behave alike here.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulators.fronts.methodscript_errors import Code, ScriptError
from simulators.fronts.methodscript_models import Range
from simulators.fronts.methodscript_packages import Status

# EmStat4 manual, tables 34 and 36: factors on a range's nominal value.
FULL_SCALE = 3.0
_OVERLOAD = 2.92
_WARNING = 2.46
_UNDERLOAD = 0.123


class Ranging:
    """The ranges one signal may use now, in rising order: fixed when there is only one."""

    def __init__(self, table: Sequence[Range]) -> None:
        self.allowed = tuple(table)

    def narrow(self, table: Sequence[Range], low: float, high: float) -> None:
        """Allow the ranges that suit signals from ``low`` to ``high``."""
        if not 0 < low <= high:
            raise ScriptError(Code.ARGUMENT_OUT_OF_RANGE)
        first, last = suitable(table, low), suitable(table, high)
        self.allowed = tuple(table[first : last + 1])

    def pick(self, magnitude: float) -> Range:
        """Return the finest allowed range that shows ``magnitude`` without a warning."""
        for candidate in self.allowed:
            if magnitude <= _WARNING * candidate.nominal:
                return candidate
        return self.allowed[-1]


def suitable(table: Sequence[Range], value: float) -> int:
    """Return the place of the finest range that holds ``value``, else the largest."""
    for place, candidate in enumerate(table):
        # Ranges are written as 100m and computed: 1 ppm apart is the same range.
        if value <= candidate.nominal * (1 + 1e-6):
            return place
    return len(table) - 1


def range_status(magnitude: float, used: Range) -> int:
    """Return the status bits of a signal of that size in the range that is used."""
    ratio = magnitude / used.nominal
    if ratio < _UNDERLOAD:
        return Status.UNDERLOAD.value
    if ratio > _OVERLOAD:
        return Status.OVERLOAD.value
    return Status.OVERLOAD_WARNING.value if ratio > _WARNING else 0
