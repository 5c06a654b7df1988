"""The air of a temperature chamber: limited rates, a regulated ripple, an ambient that drifts.

A closed function of the time since the last set point, so it may be asked for any time, in any
order, as often as wanted, and past times keep their answer: samples that were left alone for
hours catch up through it. Knows no bytes and no sample.
"""

from __future__ import annotations

import bisect
import math
import random
from dataclasses import dataclass
from typing import Any

from simulators.models.ripple import Ripple

# How fast the ripple comes and goes with the regulation, so that switching makes no step.
REGULATION_SETTLES_SECOND = 300.0
# After this many time constants an exponential is below the last digit of a float.
SETTLED_TIME_CONSTANTS = 40.0
DAY_SECOND = 86_400.0


@dataclass(frozen=True, slots=True)
class ChamberTraits:
    """What kind of chamber in what kind of room; rates in K/min, time constants in s."""

    ambient_celsius: float = 23.0
    ambient_swing_kelvin: float = 1.0
    heating_kelvin_per_minute: float = 3.0
    cooling_kelvin_per_minute: float = 1.5
    approach_second: float = 120.0
    off_second: float = 3600.0
    ripple_kelvin: float = 0.1


@dataclass(frozen=True, slots=True)
class _Segment:
    """From ``start_second`` on: from ``celsius`` towards ``target_celsius``; None is off.

    From ``settled_second`` on nothing is left but the target and the ripple; it never comes for a
    machine that is off.
    """

    start_second: float
    celsius: float
    target_celsius: float | None
    ripple_weight: float
    settled_second: float = math.inf


class SimulatedChamber:
    """Implements ChamberAir. Time has its origin at the first call, so any clock will do."""

    def __init__(self, traits: ChamberTraits, *, seed: int) -> None:
        self._traits = traits
        self._phase = random.Random(seed).uniform(0.0, 2.0 * math.pi)
        self._ripple = Ripple(seed, traits.ripple_kelvin)
        self._segments = [_Segment(0.0, self._ambient(0.0), None, 0.0)]
        self._origin_second: float | None = None
        self._latest_second = 0.0  # the latest time asked for, since the origin

    def set_point(self, celsius: float | None, now_second: float) -> None:
        # A time before the last set point counts as that one's: the past is never rewritten.
        elapsed = max(self._elapsed(now_second), self._segments[-1].start_second)
        if celsius != self._segments[-1].target_celsius:
            self._segments.append(self._segment(elapsed, celsius))

    def air_temperature_celsius(self, now_second: float) -> float:
        elapsed = self._elapsed(now_second)
        segment = self._segments[-1]
        if elapsed < segment.start_second:
            later = bisect.bisect_right(self._segments, elapsed, key=lambda s: s.start_second)
            segment = self._segments[max(0, later - 1)]
        ripple_kelvin = self._ripple.at(elapsed)
        if segment.target_celsius is not None and elapsed > segment.settled_second:
            return segment.target_celsius + ripple_kelvin
        return self._mean(segment, elapsed) + self._weight(segment, elapsed) * ripple_kelvin

    def state(self) -> dict[str, Any]:
        """Return the air as of the latest time it was asked for."""
        last = self._segment(self._latest_second, None)
        return {
            "elapsed_second": last.start_second,
            "mean_celsius": last.celsius,
            "ripple_weight": last.ripple_weight,
            "ripple": self._ripple.state(last.start_second),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put the air back; the machine is off, as after a mains failure."""
        elapsed = float(state["elapsed_second"])
        mean, weight = float(state["mean_celsius"]), float(state["ripple_weight"])
        self._segments = [_Segment(elapsed, mean, None, weight)]
        self._ripple.restore(state["ripple"])
        self._origin_second, self._latest_second = None, elapsed

    def _elapsed(self, now_second: float) -> float:
        if self._origin_second is None:
            self._origin_second = now_second - self._latest_second
        elapsed = now_second - self._origin_second
        self._latest_second = max(self._latest_second, elapsed)
        return elapsed

    def _segment(self, elapsed: float, target: float | None) -> _Segment:
        """Return what begins at ``elapsed`` without a step in temperature or ripple."""
        last = self._segments[-1]
        mean, weight = self._mean(last, elapsed), self._weight(last, elapsed)
        if target is None:
            return _Segment(elapsed, mean, None, weight)
        ramp_second = abs(target - mean) / self._rate(target - mean)
        slowest_second = max(self._traits.approach_second, REGULATION_SETTLES_SECOND)
        settled = elapsed + ramp_second + SETTLED_TIME_CONSTANTS * slowest_second
        return _Segment(elapsed, mean, target, weight, settled)

    def _rate(self, gap_kelvin: float) -> float:
        """Return how fast the air crosses a gap, kelvin per second."""
        if gap_kelvin > 0:
            return self._traits.heating_kelvin_per_minute / 60.0
        return self._traits.cooling_kelvin_per_minute / 60.0

    def _mean(self, segment: _Segment, elapsed: float) -> float:
        """Return the temperature without ripple."""
        since = max(0.0, elapsed - segment.start_second)
        if segment.target_celsius is None:
            above = segment.celsius - self._ambient(segment.start_second)
            return self._ambient(elapsed) + above * math.exp(-since / self._traits.off_second)
        gap = segment.target_celsius - segment.celsius
        left = remaining_gap(abs(gap), self._rate(gap), self._traits.approach_second, since)
        return segment.target_celsius - math.copysign(left, gap)

    def _weight(self, segment: _Segment, elapsed: float) -> float:
        goal = 0.0 if segment.target_celsius is None else 1.0
        since = max(0.0, elapsed - segment.start_second)
        away = segment.ripple_weight - goal
        return goal + away * math.exp(-since / REGULATION_SETTLES_SECOND)

    def _ambient(self, elapsed: float) -> float:
        day = math.sin(2.0 * math.pi * elapsed / DAY_SECOND + self._phase)
        return self._traits.ambient_celsius + self._traits.ambient_swing_kelvin * day


def remaining_gap(
    gap_kelvin: float, rate_kelvin_per_second: float, approach_second: float, since_second: float
) -> float:
    """Return what is left of ``gap_kelvin`` (positive): full rate first, then exponential.

    The change-over is where both have the same slope; the target is never passed.

    >>> remaining_gap(10.0, 0.05, 120.0, 60.0)
    7.0
    """
    knee_kelvin = rate_kelvin_per_second * approach_second
    ramp_second = max(0.0, (gap_kelvin - knee_kelvin) / rate_kelvin_per_second)
    if since_second < ramp_second:
        return gap_kelvin - rate_kelvin_per_second * since_second
    start_kelvin = min(gap_kelvin, knee_kelvin)
    return start_kelvin * math.exp(-(since_second - ramp_second) / approach_second)
