"""Reads the ``simulate:`` blocks of a bench file into recipes and traits.

The only place of the models that reads text. Quantities go through rig.core.units, except three
that have no dimension there: ohm cm^2, eV and their growth. Every problem of a block is collected;
nothing is raised here, and what was built while there were problems is thrown away by the caller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity
from simulators.models.cell import Recipe
from simulators.models.chamber import ChamberTraits
from simulators.models.dummy import Dummy
from simulators.models.full_cell import AS_ASSEMBLED, FullCell
from simulators.models.materials import MATERIALS, Material
from simulators.models.pellet import BlockingPellet, Pellet, SymmetricPellet

Choice = TypeVar("Choice")

ELECTRONVOLT_PER_KILOJOULE_PER_MOLE = 1.0 / 96.48533

_NUMBER_AND_UNIT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)\s*")
# Ways to write the same unit, before the tables below are consulted.
_SPELLINGS = (("Ω", "ohm"), ("²", "^2"), ("·", "*"), ("⋅", "*"), (" ", "*"))


@dataclass(frozen=True, slots=True)
class Scale:
    """A dimension of our own: factors of its units to the base unit, and an example."""

    spoken: str
    factors: Mapping[str, float]
    example: str


AREA_SPECIFIC_RESISTANCE = Scale(
    "area-specific resistance",
    {"ohm*cm^2": 1.0, "mohm*cm^2": 1e-3, "kohm*cm^2": 1e3, "ohm*m^2": 1e4},
    "10 ohm*cm^2",
)
ACTIVATION_ENERGY = Scale(
    "activation energy",
    {"eV": 1.0, "meV": 1e-3, "kJ/mol": ELECTRONVOLT_PER_KILOJOULE_PER_MOLE},
    "0.50 eV",
)
INTERFACE_GROWTH = Scale(
    "interface growth", {"ohm*cm^2/h^0.5": 1.0, "ohm*cm^2/h^(1/2)": 1.0}, "1 ohm*cm^2/h^0.5"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a value must be, in words and as a test."""

    spoken: str
    holds: Callable[[float], bool]


ABOVE_ZERO = Bound("above zero", lambda value: value > 0)
NOT_NEGATIVE = Bound("zero or more", lambda value: value >= 0)
FRACTION = Bound("from 0 to 1", lambda value: 0 <= value <= 1)
EFFICIENCY = Bound("above 0 and at most 1", lambda value: 0 < value <= 1)
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
                self._refuse(key, f"missing, expected one of {', '.join(options)}")
            return first if default is None else default
        name = str(self._content[key])
        if name not in options:
            suggestion = did_you_mean(name, options)
            self._refuse(key, f"got {name!r}, expected one of {', '.join(options)}", suggestion)
        return options.get(name, first)

    def finish(self) -> None:
        """Report every key that nobody asked for."""
        for key in self._content:
            if key not in self._known:
                expected = ", ".join(self._known) or "nothing"
                message = f"unknown key, expected {expected}"
                self._refuse(str(key), message, did_you_mean(str(key), self._known))

    def _read(
        self, key: str, read: Callable[[object], float], default: float | None, bound: Bound
    ) -> float:
        self._known.append(key)
        if key not in self._content:
            if default is None:
                self._refuse(key, "missing")
            return math.nan if default is None else default
        try:
            value = read(self._content[key])
        except BadInput as bad:
            self._problems.extend(bad.problems)
            return math.nan
        if not bound.holds(value):
            self._refuse(key, f"got {self._content[key]!r}, must be {bound.spoken}")
        return value

    def _place(self, key: str) -> str:
        return f"{self._where}.{key}"

    def _refuse(self, key: str, message: str, suggestion: str = "") -> None:
        self._problems.append(Problem(self._place(key), message, suggestion=suggestion))


def _scaled(text: object, scale: Scale, where: str) -> float:
    match = _NUMBER_AND_UNIT.fullmatch(str(text))
    unit = match[2] if match else ""
    for written, meant in _SPELLINGS:
        unit = unit.replace(written, meant)
    if match is None or unit not in scale.factors:
        units = ", ".join(scale.factors)
        message = f"got {text!r}, expected a {scale.spoken} in one of {units}"
        raise BadInput(Problem(where, message, example=scale.example))
    return float(match[1]) * scale.factors[unit]


def _number(text: object, where: str) -> float:
    try:
        # YAML 1.1 readers leave 5e-4 as text.
        value = math.nan if isinstance(text, bool) else float(str(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(Problem(where, f"got {text!r}, expected a plain number", example="5e-4"))
    return value


# --- what can be simulated -----------------------------------------------------------------------


def _pellet(block: Block) -> Pellet:
    materials: Mapping[str, Material] = MATERIALS
    return Pellet(
        block.choice("material", materials),
        block.quantity("area", "area"),
        block.quantity("thickness", "length"),
        block.quantity("lead_resistance", "resistance", 0.2, NOT_NEGATIVE),
    )


def _blocking_pellet(block: Block) -> Recipe:
    return BlockingPellet(_pellet(block))


def _symmetric_pellet(block: Block) -> Recipe:
    return SymmetricPellet(
        _pellet(block),
        block.scaled("interface_resistance", AREA_SPECIFIC_RESISTANCE),
        block.scaled("interface_activation_energy", ACTIVATION_ENERGY, bound=NOT_NEGATIVE),
        block.scaled("interface_growth", INTERFACE_GROWTH, 0.0, NOT_NEGATIVE),
    )


def _full_cell(block: Block) -> Recipe:
    area = block.quantity("area", "area")
    capacity = block.quantity("capacity", "capacity", math.nan)
    return FullCell(
        area,
        capacity_ah=None if math.isnan(capacity) else capacity,
        separator_thickness_centimetre=block.quantity("thickness", "length", 30e-4),
        alpha_per_cycle=block.number("alpha_per_cycle", 5e-4, NOT_NEGATIVE),
        coulombic_efficiency=block.number("coulombic_efficiency", 0.9995, EFFICIENCY),
        state_of_charge=block.quantity("state_of_charge", "fraction", AS_ASSEMBLED, FRACTION),
        lead_resistance_ohm=block.quantity("lead_resistance", "resistance", 0.2, NOT_NEGATIVE),
        anode_growth_ohm_square_centimetre_per_root_hour=block.scaled(
            "anode_growth", INTERFACE_GROWTH, 0.0, NOT_NEGATIVE
        ),
    )


def _dummy(block: Block) -> Recipe:
    return Dummy(block.quantity("resistance", "resistance"))


CELL_KINDS: dict[str, Callable[[Block], Recipe]] = {
    "blocking_pellet": _blocking_pellet,
    "symmetric_pellet": _symmetric_pellet,
    "full_cell": _full_cell,
    "dummy": _dummy,
}


def read_cell(
    content: Mapping[str, object], where: str, problems: list[Problem]
) -> tuple[Recipe, float]:
    """Return (recipe, thermal lag in s) of a channel's ``simulate:`` block."""
    before = len(problems)
    block = Block(content, where, problems)
    make = block.choice("cell", CELL_KINDS)
    if len(problems) > before:  # of what kind the other keys are nobody can know
        return Dummy(math.nan), math.nan
    lag_second = block.quantity("thermal_lag", "time", 900.0)
    recipe = make(block)
    block.finish()
    return recipe, lag_second


def read_chamber(
    content: Mapping[str, object], where: str, problems: list[Problem]
) -> ChamberTraits:
    """Return the traits of a chamber's ``simulate:`` block."""
    block = Block(content, where, problems)
    usual = ChamberTraits()
    traits = ChamberTraits(
        ambient_celsius=block.quantity("ambient", "temperature", usual.ambient_celsius, ANY),
        heating_kelvin_per_minute=block.quantity(
            "heating_rate", "temperature_rate", usual.heating_kelvin_per_minute
        ),
        cooling_kelvin_per_minute=block.quantity(
            "cooling_rate", "temperature_rate", usual.cooling_kelvin_per_minute
        ),
        ripple_kelvin=block.quantity(
            "ripple", "temperature_difference", usual.ripple_kelvin, NOT_NEGATIVE
        ),
    )
    block.finish()
    return traits


def read_choices(
    content: Mapping[str, object],
    choices: Mapping[str, Sequence[str]],
    where: str,
    problems: list[Problem],
) -> dict[str, str]:
    """Return what an instrument's ``simulate:`` block chooses; the first of each is the default."""
    block = Block(content, where, problems)
    chosen = {
        key: block.choice(key, {word: word for word in words}, words[0])
        for key, words in choices.items()
    }
    block.finish()
    return chosen
