"""Open-circuit voltage of NMC811 against lithium, as a fine table. Knows no capacity.

Half-cell fit of Chen et al., J. Electrochem. Soc. 167, 080534 (2020), 10.1149/1945-7111/ab9050,
over the stoichiometry window 0.9084 (discharged) to 0.2661 (charged). Beyond both ends our own
exponential takes over, with the same value and slope: a discharge falls below 2.5 V within 2 % of
the capacity, an overcharge passes 5 V within 10 %.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

DISCHARGED_STOICHIOMETRY = 0.9084
CHARGED_STOICHIOMETRY = 0.2661
LOWEST, HIGHEST, POINTS = -0.03, 1.15, 2361  # state of charge; a point every 0.0005


@dataclass(frozen=True, slots=True)
class OpenCircuitTable:
    """Equidistant voltages over the state of charge; straight between and beyond the points."""

    first: float
    points_per_unit: float
    voltages_volt: tuple[float, ...]

    def at(self, state_of_charge: float) -> tuple[float, float]:
        """Return (voltage in V, slope in V per unit of state of charge)."""
        voltages = self.voltages_volt
        place = (state_of_charge - self.first) * self.points_per_unit
        index = int(place)
        if index < 0:
            index = 0
        elif index > len(voltages) - 2:
            index = len(voltages) - 2
        below = voltages[index]
        step = voltages[index + 1] - below
        return below + step * (place - index), step * self.points_per_unit


@functools.cache
def nmc811_against_lithium() -> OpenCircuitTable:
    spacing = (HIGHEST - LOWEST) / (POINTS - 1)
    voltages = tuple(_voltage(LOWEST + k * spacing) for k in range(POINTS))
    return OpenCircuitTable(LOWEST, 1.0 / spacing, voltages)


def _voltage(state_of_charge: float) -> float:
    inside = min(1.0, max(0.0, state_of_charge))
    beyond = state_of_charge - inside
    voltage, slope = _chen(inside), (_chen(inside + 1e-6) - _chen(inside - 1e-6)) / 2e-6
    return voltage + slope * beyond + _wall(beyond)


def _wall(beyond: float) -> float:
    """Return the extra voltage outside the window: exponential, flat where it begins."""
    height_volt, width = (-0.0212, 0.005) if beyond < 0 else (0.01, 0.02)
    steps = abs(beyond) / width
    return height_volt * (math.expm1(steps) - steps)


def _chen(state_of_charge: float) -> float:
    x = DISCHARGED_STOICHIOMETRY + state_of_charge * (
        CHARGED_STOICHIOMETRY - DISCHARGED_STOICHIOMETRY
    )
    return (
        4.4875
        - 0.8090 * x
        - 0.0428 * math.tanh(18.5138 * (x - 0.5542))
        - 17.7326 * math.tanh(15.7890 * (x - 0.3117))
        + 17.5842 * math.tanh(15.9308 * (x - 0.3120))
    )
