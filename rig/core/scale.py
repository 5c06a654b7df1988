"""The straight line between what a converter says and what it means: two points, as calibrated.

A transmitter's data sheet, and the two weights that a load cell was calibrated with, say the same
thing in the same way: ``{0 V: -100 degC, 10 V: 20 degC}``, ``{8412: 0 N, 152034: 100 N}``. Knows
no instrument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from rig.core.errors import BadInput, Problem
from rig.core.units import quantity


@dataclass(frozen=True, slots=True)
class Scale:
    """``value_low`` at ``raw_low``, ``value_high`` at ``raw_high``, straight between and beyond."""

    raw_low: float
    value_low: float
    raw_high: float
    value_high: float

    def value(self, raw: float) -> float:
        """Return what ``raw`` means, beyond the two points as well.

        >>> Scale(0.0, -100.0, 10.0, 20.0).value(5.0)
        -40.0
        """
        return self.value_low + self.part(raw) * (self.value_high - self.value_low)

    def part(self, raw: float) -> float:
        """Return where ``raw`` lies: 0 at the lower of the two points, 1 at the higher."""
        return (raw - self.raw_low) / (self.raw_high - self.raw_low)

    def raw(self, value: float) -> float:
        """Return what the converter says at ``value``."""
        part = (value - self.value_low) / (self.value_high - self.value_low)
        return self.raw_low + part * (self.raw_high - self.raw_low)


def read_scale(
    points: object, raw_dimension: str, dimension: str, where: str, example: str
) -> Scale:
    """Read two points ``{raw: value, raw: value}``; ``raw_dimension`` "" is for plain numbers.

    Raises BadInput with everything wrong: not two points, a value without its unit, two points at
    one place.
    """
    if not isinstance(points, Mapping) or len(points) != 2:
        message = f"got {points!r}, expected two points of a straight line"
        raise BadInput(Problem(where, message, example=example))
    problems: list[Problem] = []
    pairs = sorted(
        (
            _collect(partial(_raw, raw, raw_dimension, where), problems),
            _collect(partial(quantity, value, dimension, where), problems),
        )
        for raw, value in points.items()
    )
    if problems:
        raise BadInput(problems)
    (raw_low, value_low), (raw_high, value_high) = pairs
    if raw_low == raw_high or value_low == value_high:
        message = f"got {dict(points)!r}, expected two points that differ in both"
        raise BadInput(Problem(where, message, example=example))
    return Scale(raw_low, value_low, raw_high, value_high)


def _collect(read: Callable[[], float], problems: list[Problem]) -> float:
    try:
        return read()
    except BadInput as bad:
        problems.extend(bad.problems)
        return 0.0


def _raw(text: object, dimension: str, where: str) -> float:
    if dimension:
        return quantity(text, dimension, where)
    try:
        value = float(str(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(Problem(where, f"got {text!r}, expected a plain number", example="8412"))
    return value
