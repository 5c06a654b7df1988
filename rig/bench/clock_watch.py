"""Steps of the computer's wall clock, told to every run: NTP, a hand, a battery that was empty.

Timing never sees them: it comes from a clock that only goes on. A run's wall times stay those of its
beginning, so they neither jump nor repeat; what is told here says how to convert them.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.core.clock import Clock

LEAST_STEP_SECOND = 1.0  # smaller is drift, which NTP takes out bit by bit
LOOK_SECOND = 5.0


class ClockWatch:
    """Compares the wall clock with the one that only goes on; looks every few seconds."""

    def __init__(self, clock: Clock, tell: Callable[[str, str], None]) -> None:
        self._clock, self._tell = clock, tell
        self._origin_second = self._wall_origin_second()
        self._next_second = clock.now() + LOOK_SECOND

    def look(self) -> None:
        now = self._clock.now()
        if now < self._next_second:
            return
        self._next_second = now + LOOK_SECOND
        origin = self._wall_origin_second()
        step = origin - self._origin_second
        if abs(step) >= LEAST_STEP_SECOND:
            self._tell("clock step", f"the computer's clock was set {_words(step)}")
        self._origin_second = origin

    def _wall_origin_second(self) -> float:
        return self._clock.wall_us() / 1e6 - self._clock.now()


def _words(step_second: float) -> str:
    where = "forward" if step_second > 0 else "back"
    return f"{where} by {abs(step_second):.1f} s; wall times of this run keep to the old one"
