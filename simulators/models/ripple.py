"""Slow regulated noise: an Ornstein-Uhlenbeck process on a fixed grid, straight between points.

Each grid point has its own random draw, taken from the seed and the point's number. The value at
a time is the same however often, and in whatever order, the process was asked.
"""

from __future__ import annotations

import math
import random
from typing import Any

GRID_SECOND = 60.0
CORRELATION_SECOND = 1800.0
# A day is remembered at least: ports and tasks have local times, but none is a day behind another.
KEPT_POINTS = 1440


class Ripple:
    """Noise of standard deviation ``sigma_kelvin``, correlated over half an hour."""

    def __init__(self, seed: int, sigma_kelvin: float) -> None:
        self._seed = seed
        self._sigma_kelvin = sigma_kelvin
        self._keep = math.exp(-GRID_SECOND / CORRELATION_SECOND)
        self._first = 0  # the number of the grid point that _values begins with
        self._values = [sigma_kelvin * self._draw(0)]

    def at(self, elapsed_second: float) -> float:
        """Return the ripple in K; a time before the first known point has that point's value."""
        place = max(self._first, elapsed_second / GRID_SECOND)
        index, values = int(place), self._values
        while self._first + len(values) < index + 2:
            self._extend()
        before, after = values[index - self._first], values[index - self._first + 1]
        return before + (after - before) * (place - index)

    def state(self, elapsed_second: float) -> dict[str, Any]:
        """Return the last grid point up to ``elapsed_second``: all that the future depends on."""
        self.at(elapsed_second)
        index = max(0, int(elapsed_second / GRID_SECOND) - self._first)
        return {"point": self._first + index, "kelvin": self._values[index]}

    def restore(self, state: dict[str, Any]) -> None:
        self._first = int(state["point"])
        self._values = [float(state["kelvin"])]

    def _extend(self) -> None:
        draw = self._draw(self._first + len(self._values))
        scatter_kelvin = self._sigma_kelvin * math.sqrt(1.0 - self._keep**2)
        self._values.append(self._keep * self._values[-1] + scatter_kelvin * draw)
        if len(self._values) > 2 * KEPT_POINTS:
            del self._values[:KEPT_POINTS]
            self._first += KEPT_POINTS

    def _draw(self, point: int) -> float:
        return random.Random((self._seed << 40) + point).gauss(0.0, 1.0)
