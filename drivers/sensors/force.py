"""From the force on a stack to its pressure: what force gauges and load cells have in common.

Knows no instrument. Signs: compression is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.core.errors import BadInput, Problem
from rig.core.instruments import Flag, Quantity, SensorReading
from rig.core.units import quantity

_SQUARE_METRE_PER_SQUARE_CENTIMETRE = 1e-4
AREA_EXAMPLE, CAPACITY_EXAMPLE = "area: 78.5 mm^2", "capacity: 500 N"


@dataclass(frozen=True, slots=True)
class Stack:
    """What a force means here: the pressure on ``area_square_metre``, or without one the force itself.

    Beyond ``capacity_newton`` of the sensor either way its number is no measurement.
    """

    area_square_metre: float | None = None
    capacity_newton: float = math.inf

    @property
    def quantity(self) -> Quantity:
        return Quantity.FORCE if self.area_square_metre is None else Quantity.PRESSURE

    def reading(self, force_newton: float) -> SensorReading:
        """Return the force or the pressure; NaN and OVERLOAD beyond the capacity."""
        if not abs(force_newton) <= self.capacity_newton:
            return SensorReading(math.nan, int(Flag.OVERLOAD))
        return SensorReading(force_newton / (self.area_square_metre or 1.0))


def read_stack(area: str | None, capacity: str | None, where: str) -> Stack:
    """Read the options ``area`` and ``capacity``; raises BadInput with everything wrong."""
    problems: list[Problem] = []
    square_centimetre = _positive(area, "area", f"{where}, area", AREA_EXAMPLE, problems)
    newton = _positive(capacity, "force", f"{where}, capacity", CAPACITY_EXAMPLE, problems)
    if problems:
        raise BadInput(problems)
    square_metre = square_centimetre and square_centimetre * _SQUARE_METRE_PER_SQUARE_CENTIMETRE
    return Stack(square_metre, math.inf if newton is None else newton)


def _positive(
    text: str | None, dimension: str, where: str, example: str, problems: list[Problem]
) -> float | None:
    if text is None:
        return None
    try:
        value = quantity(text, dimension, where)
    except BadInput as bad:
        problems.extend(bad.problems)
        return None
    if not value > 0:
        problems.append(Problem(where, f"got {text!r}, expected more than nothing", example))
        return None
    return value
