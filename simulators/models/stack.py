"""The pressure on a cell in its press: it relaxes after closing, and rises when the cell warms up.

A closed function of the time since the press was closed, which is the first time anybody asks.
Knows no bytes and no sensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Creep is fast at first and never quite ends: a stretched exponential (Kohlrausch) of this power.
_STRETCH = 0.5


@dataclass(frozen=True, slots=True)
class StackTraits:
    """What a press does: ``relaxation`` is the part of the pressure that is lost in the end.

    ``relaxation_second`` is when 63 % of that is gone; ``pascal_per_kelvin`` is what a rigid press
    adds when everything in it expands.
    """

    pressure_pascal: float = 5e6
    relaxation: float = 0.1
    relaxation_second: float = 7200.0
    pascal_per_kelvin: float = 2e4


class StackPressure:
    """One press; ``temperature_celsius`` gives that of the cell in it at a time."""

    def __init__(self, traits: StackTraits, temperature_celsius: Callable[[float], float]) -> None:
        self._traits = traits
        self._temperature_celsius = temperature_celsius
        self._closed_second: float | None = None
        self._closed_celsius = math.nan
        self._elapsed_second = 0.0  # at the latest time asked for

    def pressure_pascal(self, now_second: float) -> float:
        """Return the pressure above that of the air; a press that shrinks away from its cell has none."""
        celsius = self._temperature_celsius(now_second)
        if self._closed_second is None:
            self._closed_second = now_second - self._elapsed_second
            if math.isnan(self._closed_celsius):
                self._closed_celsius = celsius
        elapsed = max(0.0, now_second - self._closed_second)
        self._elapsed_second = max(self._elapsed_second, elapsed)
        relaxed = self._traits.pressure_pascal * (1.0 - self._lost(elapsed))
        warmer_kelvin = celsius - self._closed_celsius
        return max(0.0, relaxed + self._traits.pascal_per_kelvin * warmer_kelvin)

    def _lost(self, elapsed_second: float) -> float:
        times = elapsed_second / self._traits.relaxation_second
        return self._traits.relaxation * -math.expm1(-(times**_STRETCH))

    def state(self) -> dict[str, Any]:
        """Return the press as of the latest time it was asked for."""
        celsius = None if math.isnan(self._closed_celsius) else self._closed_celsius
        return {"elapsed_second": self._elapsed_second, "closed_celsius": celsius}

    def restore(self, state: dict[str, Any]) -> None:
        """Put it back; no time passes until it is asked again."""
        celsius = state["closed_celsius"]
        self._closed_celsius = math.nan if celsius is None else float(celsius)
        self._elapsed_second = float(state["elapsed_second"])
        self._closed_second = None
