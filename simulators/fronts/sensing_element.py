"""What every simulated pressure sensor has between its load and its digits: noise, drift, an area.

Knows no bytes and no load's physics.
"""

from __future__ import annotations

import random

from simulators.interfaces import Load

_HOUR_SECOND = 3600.0


class SensingElement:
    """``area_square_metre`` turns pressure into force; noise is a part of the value, repeatable."""

    def __init__(
        self, load: Load, *, seed: int, noise_part: float, area_square_metre: float = 1.0
    ) -> None:
        self._load = load
        self._gauss = random.Random(seed).gauss
        self._noise_part = noise_part
        self._area_square_metre = area_square_metre
        self._drift_per_hour = 0.0
        self._drifts_since_second = 0.0

    def pressure_pascal(self, now_second: float) -> float:
        """Return what the element makes of the load at this moment."""
        hours = max(0.0, now_second - self._drifts_since_second) / _HOUR_SECOND
        scatter = self._noise_part * self._gauss(0.0, 1.0)
        truth = self._load.pressure_pascal(now_second)
        return truth * (1.0 + self._drift_per_hour * hours + scatter)

    def force_newton(self, now_second: float) -> float:
        return self.pressure_pascal(now_second) * self._area_square_metre

    def drift(self, per_cent_per_hour: float, now_second: float) -> None:
        """Let the element drift from now on; 0 ends it, back to the truth."""
        self._drift_per_hour = per_cent_per_hour / 100.0
        self._drifts_since_second = now_second
