"""One sweep of an analyser under way: what has come of it, and whether it still makes progress."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rig.core.errors import InstrumentError, LinkTimeout
from rig.core.instruments import ImpedancePoint, SweepProgress
from rig.engine.action import BeginSweep, Purpose

# How long an analyser may be silent between two points: periods of the lowest frequency (settling,
# averaging), a margin, and some real time where a rehearsal runs fast.
POINT_PERIODS = 20.0
POINT_SECOND = 60.0
POINT_REAL_SECOND = 3.0


@dataclass
class Sweeping:
    """Counts the points of ``command`` as they come. Seconds are the clock's."""

    channel: str
    command: BeginSweep
    point_second: float  # when the last point came, or the sweep began
    speed: float = 1.0  # of the clock
    points: int = 0
    probe_ohm: float = field(default=math.nan)

    @property
    def is_probe(self) -> bool:
        return self.command.purpose is Purpose.PROBE

    def take(self, progress: SweepProgress, now_second: float) -> None:
        """Count what has come.

        Raises LinkTimeout when nothing comes any more, InstrumentError when the sweep ended with
        another number of points than it was asked for.
        """
        if progress.points:
            self.point_second = now_second
            self.probe_ohm = _modulus(progress.points[-1])
        self.points += len(progress.points)
        wanted = self.command.sweep.points
        if progress.done and self.points != wanted:
            message = f"sweep ended after {self.points} of {wanted} points"
            raise InstrumentError(f"channel {self.channel}: {message}")
        silence = now_second - self.point_second
        if not progress.done and silence > self._patience_second:
            message = f"no impedance point for {silence:.0f} s, {self.points} of {wanted} have come"
            raise LinkTimeout(f"channel {self.channel}: {message}")

    @property
    def _patience_second(self) -> float:
        """An analyser that sends nothing more, and never says that it is done, has lost its way."""
        lowest = min(self.command.sweep.start_hertz, self.command.sweep.stop_hertz)
        return POINT_PERIODS / lowest + POINT_SECOND + POINT_REAL_SECOND * self.speed


def _modulus(point: ImpedancePoint) -> float:
    return math.hypot(point.real_impedance_ohm, point.imaginary_impedance_ohm)
