"""Elements in series, each with its own law of temperature and its own growth with age.

Knows no drive and no clock: temperature and age are handed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from simulators.models.elements import Element, Ladder
from simulators.models.laws import Constant, Law


@dataclass(frozen=True, slots=True)
class Part:
    """One element; its resistance grows by fractions of the first value per root hour and per hour.

    R(t) = R0 (1 + g sqrt(t) + d t). Parabolic growth is that of a diffusion-limited interphase;
    a drift in a straight line stands for whatever makes a spectrum's end disagree with its start.
    """

    element: Element
    law: Law = field(default_factory=Constant)
    growth_per_root_hour: float = 0.0
    drift_per_hour: float = 0.0

    def factor(self, temperature_celsius: float, age_second: float) -> float:
        age_hour = age_second / 3600.0
        growth = self.growth_per_root_hour * math.sqrt(age_hour)
        grown = 1.0 + growth + self.drift_per_hour * age_hour
        return self.law.factor(temperature_celsius) * grown


@dataclass(frozen=True, slots=True)
class Circuit:
    """Parts in series."""

    parts: tuple[Part, ...]

    @property
    def grows(self) -> bool:
        return any(part.growth_per_root_hour or part.drift_per_hour for part in self.parts)

    def drifting(self, per_hour: float) -> Circuit:
        """Return the same circuit with every resistance rising by that fraction an hour."""
        return Circuit(tuple(replace(part, drift_per_hour=per_hour) for part in self.parts))

    def impedance(
        self, frequency_hertz: float, temperature_celsius: float, age_second: float = 0.0
    ) -> complex:
        """Return the impedance in ohm, imaginary part as measured (capacitive negative)."""
        omega = 2.0 * math.pi * frequency_hertz
        return sum(
            (
                part.element.impedance(omega, part.factor(temperature_celsius, age_second))
                for part in self.parts
            ),
            0j,
        )

    def ladder(self, temperature_celsius: float, age_second: float = 0.0) -> Ladder:
        """Return the same circuit for the time domain."""
        total = Ladder()
        for part in self.parts:
            total += part.element.ladder(part.factor(temperature_celsius, age_second))
        return total
