"""One mapping of a bench file's ``simulate:`` blocks being read, value by value.

Quantities go through rig.core.units, except those of a ``Scale``, whose dimension it does not have.
Every problem of a block is collected; nothing is raised here, and what was built while there were
problems is thrown away by the caller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity

Choice = TypeVar("Choice")

_NUMBER_AND_UNIT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)\s*")
# Ways to write the same unit, before a scale's table is consulted.
_SPELLINGS = (
    ("Ω", "ohm"),
    ("²", "^2"),
    ("·", "*"),
    ("⋅", "*"),
    ("µ", "u"),
    ("μ", "u"),
    (" ", "*"),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A dimension of our own: factors of its units to the base unit, and an example."""

    spoken: str
    factors: Mapping[str, float]
    example: str


@dataclass(frozen=True, slots=True)
class Bound:
    """What a value must be, in words and as a test."""

    spoken: str
    holds: Callable[[float], bool]


ABOVE_ZERO = Bound("above zero", lambda value: value > 0)
NOT_NEGATIVE = Bound("zero or more", lambda value: value >= 0)
FRACTION = Bound("from 0 to 1", lambda value: 0 <= value <= 1)
EFFICIENCY = Bound("above 0 and at most 1", lambda value: 0 < value <= 1)
DRIFTING = Bound("from 0 to 1000 %/h", lambda value: 0 <= value <= 10)
ANY = Bound("any", lambda _: True)


class Block:
    """One mapping being read: hands out values, remembers which keys exist, collects problems.

    A value that cannot be read becomes NaN, so that one mistake does not hide the next.
    """

    def __init__(self, content: Mapping[str, object], where: str, problems: list[Problem]) -> None:
        self._content = content
        self._where = where
        self._problems = problems
        self._known: list[str] = []

    def quantity(
        self, key: str, dimension: str, default: float | None = None, bound: Bound = ABOVE_ZERO
    ) -> float:
        """Read a quantity of one of rig's dimensions; base unit. No default: must be given."""
        return self._read(
            key, lambda text: quantity(text, dimension, self._place(key)), default, bound
        )

    def scaled(
        self, key: str, scale: Scale, default: float | None = None, bound: Bound = ABOVE_ZERO
    ) -> float:
        """Read a quantity of one of our own dimensions."""
        return self._read(key, lambda text: _scaled(text, scale, self._place(key)), default, bound)

    def number(self, key: str, default: float, bound: Bound) -> float:
        """Read a plain number: the quantity has no unit."""
        return self._read(key, lambda text: _number(text, self._place(key)), default, bound)

    def choice(
        self, key: str, options: Mapping[str, Choice], default: Choice | None = None
    ) -> Choice:
        """Read one of the names in ``options``."""
        self._known.append(key)
        first = next(iter(options.values()))
        if key not in self._content:
            if default is None:
                self.refuse(key, f"missing, expected one of {', '.join(options)}")
            return first if default is None else default
        name = str(self._content[key])
        if name not in options:
            suggestion = did_you_mean(name, options)
            self.refuse(key, f"got {name!r}, expected one of {', '.join(options)}", suggestion)
        return options.get(name, first)

    def has(self, key: str) -> bool:
        """Return whether ``key`` is given."""
        return key in self._content

    def inner(self, key: str, example: str) -> Block:
        """Return the mapping under ``key`` as a block of its own; an empty one when not given."""
        self._known.append(key)
        content = self._content.get(key, {})
        if not isinstance(content, Mapping):
            self.refuse(key, f"got {content!r}, expected a mapping", example=example)
            content = {}
        return Block(content, self._place(key), self._problems)

    def finish(self) -> None:
        """Report every key that nobody asked for."""
        for key in self._content:
            if key not in self._known:
                expected = ", ".join(self._known) or "nothing"
                message = f"unknown key, expected {expected}"
                self.refuse(str(key), message, did_you_mean(str(key), self._known))

    def _read(
        self, key: str, read: Callable[[object], float], default: float | None, bound: Bound
    ) -> float:
        self._known.append(key)
        if key not in self._content:
            if default is None:
                self.refuse(key, "missing")
            return math.nan if default is None else default
        try:
            value = read(self._content[key])
        except BadInput as bad:
            self._problems.extend(bad.problems)
            return math.nan
        if not bound.holds(value):
            self.refuse(key, f"got {self._content[key]!r}, must be {bound.spoken}")
        return value

    def _place(self, key: str) -> str:
        return f"{self._where}.{key}"

    def refuse(self, key: str, message: str, suggestion: str = "", example: str = "") -> None:
        """Collect a problem with the value of ``key``."""
        problem = Problem(self._place(key), message, example=example, suggestion=suggestion)
        self._problems.append(problem)


def _scaled(text: object, scale: Scale, where: str) -> float:
    match = _NUMBER_AND_UNIT.fullmatch(str(text))
    unit = match[2] if match else ""
    for written, meant in _SPELLINGS:
        unit = unit.replace(written, meant)
    if match is None or unit not in scale.factors:
        units = ", ".join(scale.factors)
        message = f"got {text!r}, expected a {scale.spoken} in one of {units}"
        raise BadInput(Problem(where, message, example=scale.example))
    value = float(match[1]) * scale.factors[unit]
    if not math.isfinite(value):
        raise BadInput(Problem(where, f"got {text!r}, which is too large", example=scale.example))
    return value


def _number(text: object, where: str) -> float:
    try:
        # YAML 1.1 readers leave 5e-4 as text.
        value = math.nan if isinstance(text, bool) else float(str(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(Problem(where, f"got {text!r}, expected a plain number", example="5e-4"))
    return value
