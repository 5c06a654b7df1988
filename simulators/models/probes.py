"""What hangs at the end of a scanner's wires: a thermometer on a cell or in air, or a transmitter.

Implements simulators.interfaces.Probe. Knows no scanner and no bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.core.scale import Scale
from simulators.interfaces import Cell, ChamberAir
from simulators.models.ripple import Ripple

# NAMUR NE 43: what a transmitter says stays within 3.8 and 20.5 of its 4 to 20 mA.
_LEAST_PART, _MOST_PART = -0.0125, 1.03125
DRY_BOX_CELSIUS, _DRY_BOX_SIGMA_KELVIN = -60.0, 1.0


class OnCell:
    """Wires at a cell: a thermometer on it, and its terminals."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def temperature_celsius(self, now_second: float) -> float:
        return self._cell.sample_temperature_celsius(now_second)

    def voltage_volt(self, now_second: float) -> float:
        return self._cell.terminals(now_second).voltage_volt


class InAir:
    """A thermometer in the air of a chamber or a room; between its wires there is nothing."""

    def __init__(self, air: ChamberAir) -> None:
        self._air = air

    def temperature_celsius(self, now_second: float) -> float:
        return self._air.air_temperature_celsius(now_second)

    def voltage_volt(self, _now_second: float) -> float:
        return 0.0


class Transmitter:
    """A voltage that stands for ``value`` along ``scale``; no thermometer."""

    def __init__(self, value: Callable[[float], float], scale: Scale) -> None:
        self._value = value
        self._scale = scale

    def temperature_celsius(self, _now_second: float) -> float:
        return math.nan

    def voltage_volt(self, now_second: float) -> float:
        part = self._scale.part(self._scale.raw(self._value(now_second)))
        part = min(max(part, _LEAST_PART), _MOST_PART)
        return self._scale.raw_low + part * (self._scale.raw_high - self._scale.raw_low)


class DryBox:
    """The dew point of a glove box, which wanders a little; degree Celsius."""

    def __init__(self, seed: int, mean_celsius: float = DRY_BOX_CELSIUS) -> None:
        self._mean_celsius = mean_celsius
        self._ripple = Ripple(seed, _DRY_BOX_SIGMA_KELVIN)
        self._origin_second: float | None = None

    def dew_point_celsius(self, now_second: float) -> float:
        if self._origin_second is None:
            self._origin_second = now_second
        return self._mean_celsius + self._ripple.at(now_second - self._origin_second)
