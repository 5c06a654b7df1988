"""The temperature of a sample in its holder, behind the air of the chamber.

First-order lag, advanced on a fixed grid of nodes: what a sample's temperature is at some time
does not depend on how often it was asked, and the electrical model need look only once a node.
"""

from __future__ import annotations

import math

from simulators.interfaces import ChamberAir

NODE_SECOND = 10.0


class ThermalLag:
    """A sample that follows ``air`` with the time constant ``lag_second``.

    ``next_node_second`` is the time before which ``advance`` would change nothing. The sample is
    taken to be in equilibrium at the first time it is asked, unless restored.
    """

    def __init__(self, air: ChamberAir, lag_second: float) -> None:
        self._air = air
        self._lag_second = lag_second
        self._decay = math.exp(-NODE_SECOND / lag_second)
        self._ramp = lag_second / NODE_SECOND * (1.0 - self._decay)
        self._air_celsius = math.nan
        self.celsius = math.nan
        self.next_node_second = -math.inf

    def advance(self, now_second: float) -> float:
        """Move to the last node before ``now_second`` and return the temperature there."""
        if math.isinf(self.next_node_second):
            self._begin(now_second)
        while now_second >= self.next_node_second:
            before = self._air_celsius
            air = self._air.air_temperature_celsius(self.next_node_second)
            # The exact answer of a first-order lag to air that moves in a straight line.
            behind = (self.celsius - before) * self._decay
            self.celsius = air - (air - before) * self._ramp + behind
            self._air_celsius = air
            self.next_node_second += NODE_SECOND
        return self.celsius

    def at(self, now_second: float) -> float:
        """Return the temperature at ``now_second``, between nodes along the tangent."""
        self.advance(now_second)
        since = max(0.0, now_second - (self.next_node_second - NODE_SECOND))
        return self.celsius + (self._air_celsius - self.celsius) * since / self._lag_second

    def _begin(self, now_second: float) -> None:
        self._air_celsius = self._air.air_temperature_celsius(now_second)
        if math.isnan(self.celsius):
            self.celsius = self._air_celsius
        self.next_node_second = now_second + NODE_SECOND

    def restore(self, celsius: float | None) -> None:
        """Put the sample at ``celsius``, None: at that of the air; time begins when next asked."""
        self.celsius = math.nan if celsius is None else celsius
        self.next_node_second = -math.inf
