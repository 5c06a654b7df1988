"""When something will be reached: a straight line through the newest samples, or nothing at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rig.core.units import duration

LONGEST_SECOND = 60 * 86_400.0  # beyond that a straight line says nothing
_LEAST_POINTS = 4
_LINE_POINTS = 40
_LEAST_SIGNAL = 3.0  # a slope counts when it is that many standard errors


@dataclass(frozen=True, slots=True)
class Point:
    """One sample of the present step; NaN where nothing was measured.

    ``temperature_celsius`` is the chamber's air, ``cell_celsius`` the cell's own where a sensor reads
    it; ``sensed`` has pressure (pascal) and auxiliaries by name, in their base units.
    """

    test_time_second: float
    voltage_volt: float
    current_ampere: float
    temperature_celsius: float
    cell_celsius: float = math.nan
    sensed: Mapping[str, float] = field(default_factory=dict)

    def surroundings(self, name: str) -> float:
        """Return what was sensed under this name, NaN for nothing."""
        return self.sensed.get(name, math.nan)


@dataclass(frozen=True, slots=True)
class Outlook:
    """``words``: the nearest end with margin and time; ``second`` until then, None where unknown.

    ``then`` is what follows when that end is reached.
    """

    words: str
    second: float | None = None
    then: str = ""


@dataclass(frozen=True, slots=True)
class ChamberUse:
    """Another run's hold on this run's chamber: its channel, what it holds, since when in words."""

    channel: str
    celsius: float
    since: str


def ahead(margin: float, rate: float | None) -> float | None:
    """Return the seconds until ``margin`` is used up at this rate; None where it never is, or nobody knows."""
    if rate is None or not math.isfinite(rate) or rate == 0 or margin / rate < 0:
        return None
    second = margin / rate
    return second if second <= LONGEST_SECOND else None


def slope_of(times: Sequence[float], values: Sequence[float]) -> float | None:
    """Return the slope of a line through the newest points, or None where it drowns in their scatter."""
    pairs = [(t, v) for t, v in zip(times, values, strict=True) if not math.isnan(v)]
    pairs = pairs[-_LINE_POINTS:]
    if len(pairs) < _LEAST_POINTS:
        return None
    mean_t = sum(t for t, _ in pairs) / len(pairs)
    mean_v = sum(v for _, v in pairs) / len(pairs)
    spread = sum((t - mean_t) ** 2 for t, _ in pairs)
    if spread == 0:
        return None
    slope = sum((t - mean_t) * (v - mean_v) for t, v in pairs) / spread
    rest = sum((v - mean_v - slope * (t - mean_t)) ** 2 for t, v in pairs)
    error = math.sqrt(rest / (len(pairs) - 2) / spread)
    return slope if abs(slope) >= _LEAST_SIGNAL * error else None


def roughly(second: float) -> str:
    """Write an estimate as one: no seconds in an hour."""
    if second < 120:
        return f"{second:.0f} s"
    if second < 3600:
        return f"{second / 60:.0f} min"
    return duration(60.0 * round(second / 60.0))


def time_pair(elapsed: float, whole: float) -> str:
    """Write how much of a time is over."""
    return f"{duration(elapsed)} of {duration(whole)}"
