"""A stored profile of an F4T and its run: set points as a function of time, and where it stands.

Knows neither bytes nor the air. Not simulated: wait steps, jumps, guaranteed soaks, end actions
other than holding the last set point; the sheet gives their numbers, not what they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class StepKind(IntEnum):
    """Register 16592: what kind of step is running."""

    SOAK = 87
    INSTANT = 1927
    RAMP_TIME = 1928
    RAMP_RATE = 81
    END = 27


@dataclass(frozen=True, slots=True)
class ProfileStep:
    """One step as it is stored; SOAK keeps the temperature, END has neither time nor target.

    ``kelvin_per_minute`` is RAMP_RATE's, ``duration_second`` that of SOAK and RAMP_TIME.
    """

    kind: StepKind
    celsius: float = 25.0
    duration_second: float = 0.0
    kelvin_per_minute: float = 1.0


@dataclass(frozen=True, slots=True)
class Leg:
    """A step put on the time axis of its run; seconds count from the run's start."""

    step: int
    kind: StepKind
    from_celsius: float
    to_celsius: float
    begin_second: float
    end_second: float

    def celsius(self, elapsed_second: float) -> float:
        """Return the set point, a straight line from one temperature to the other."""
        length = self.end_second - self.begin_second
        share = (elapsed_second - self.begin_second) / length if length else 1.0
        return self.from_celsius + (self.to_celsius - self.from_celsius) * share


class ProfileRun:
    """A profile on its way from step ``first`` (from 1) on; time stands still while it is paused."""

    def __init__(
        self,
        number: int,
        steps: Sequence[ProfileStep],
        first: int,
        from_celsius: float,
        start_second: float,
    ) -> None:
        self.number = number
        self._legs = _legs(steps, first, from_celsius)
        self._start_second = start_second
        self._paused_second: float | None = None

    @property
    def end_second(self) -> float:
        """When the last step ends, if nobody pauses the profile; on the clock of the caller."""
        return self._start_second + self._legs[-1].end_second

    @property
    def last_celsius(self) -> float:
        """The set point that the profile ends with."""
        return self._legs[-1].to_celsius

    def leg(self, now_second: float) -> Leg:
        """Return the leg that is running."""
        elapsed = self._elapsed(now_second)
        return next((leg for leg in self._legs if elapsed < leg.end_second), self._legs[-1])

    def celsius(self, now_second: float) -> float:
        """Return the set point of this moment."""
        elapsed = min(self._elapsed(now_second), self._legs[-1].end_second)
        return self.leg(now_second).celsius(elapsed)

    def left_second(self, now_second: float) -> float:
        """Return how long the whole profile still takes."""
        return max(0.0, self._legs[-1].end_second - self._elapsed(now_second))

    def pause(self, now_second: float) -> None:
        """Let time stand still."""
        self._paused_second = now_second

    def resume(self, now_second: float) -> None:
        """Let time go on from where it stood."""
        if self._paused_second is not None:
            self._start_second += now_second - self._paused_second
            self._paused_second = None

    def _elapsed(self, now_second: float) -> float:
        moment = now_second if self._paused_second is None else self._paused_second
        return moment - self._start_second


def _legs(steps: Sequence[ProfileStep], first: int, from_celsius: float) -> tuple[Leg, ...]:
    legs = []
    celsius, second = from_celsius, 0.0
    for number, step in enumerate(steps[first - 1 :], start=first):
        target = celsius if step.kind in (StepKind.SOAK, StepKind.END) else step.celsius
        start = target if step.kind is StepKind.INSTANT else celsius
        end = second + _duration_second(step, target - celsius)
        legs.append(Leg(number, step.kind, start, target, second, end))
        celsius, second = target, end
    return tuple(legs)


def _duration_second(step: ProfileStep, change_kelvin: float) -> float:
    if step.kind is StepKind.RAMP_RATE:
        return abs(change_kelvin) / step.kelvin_per_minute * 60.0
    return step.duration_second if step.kind in (StepKind.SOAK, StepKind.RAMP_TIME) else 0.0
