"""Reads the ``simulate:`` blocks of a bench file into recipes, fixtures and traits.

How one value is read stands in block.py; which keys there are, what they are for and what they are
unless given, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rig.core.errors import Problem
from simulators.models.block import (
    ANY,
    DRIFTING,
    EFFICIENCY,
    FRACTION,
    NOT_NEGATIVE,
    Block,
    Scale,
)
from simulators.models.cell import Recipe
from simulators.models.chamber import ChamberTraits
from simulators.models.dummy import Dummy
from simulators.models.fixture import NO_FIXTURE, USUAL_FIXTURE, Fixture, FixtureState
from simulators.models.full_cell import AS_ASSEMBLED, FullCell
from simulators.models.materials import MATERIALS, Material
from simulators.models.pellet import BlockingPellet, Pellet, SymmetricPellet
from simulators.models.stack import StackTraits

ELECTRONVOLT_PER_KILOJOULE_PER_MOLE = 1.0 / 96.48533
THERMAL_LAG_SECOND = 900.0
FIXTURE_EXAMPLE = "fixture: {resistance: 0.5 ohm, inductance: 300 nH, capacitance: 8 pF}"

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
INDUCTANCE = Scale("inductance", {"nH": 1e-9, "uH": 1e-6, "mH": 1e-3, "H": 1.0}, "300 nH")
CAPACITANCE = Scale("capacitance", {"pF": 1e-12, "nF": 1e-9, "uF": 1e-6, "F": 1.0}, "8 pF")
STIFFNESS = Scale(
    "pressure per temperature", {"MPa/K": 1e6, "kPa/K": 1e3, "Pa/K": 1.0}, "0.02 MPa/K"
)
STACK_EXAMPLE = "stack: {pressure: 5 MPa, relaxation: 10 %, relaxation_time: 2 h}"
DRIFT = Scale("drift of resistance", {"%/h": 0.01, "1/h": 1.0}, "0.5 %/h")


@dataclass(frozen=True, slots=True)
class CellSetup:
    """All that a channel's ``simulate:`` block says of its cell; lag in s, drift in parts per hour."""

    recipe: Recipe
    thermal_lag_second: float
    fixture: Fixture
    drift_per_hour: float
    press: StackTraits


def _pellet(block: Block) -> Pellet:
    materials: Mapping[str, Material] = MATERIALS
    return Pellet(
        block.choice("material", materials),
        block.quantity("area", "area"),
        block.quantity("thickness", "length"),
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
        anode_growth_ohm_square_centimetre_per_root_hour=block.scaled(
            "anode_growth", INTERFACE_GROWTH, 0.0, NOT_NEGATIVE
        ),
    )


def _dummy(block: Block) -> Recipe:
    return Dummy(block.quantity("resistance", "resistance"))


@dataclass(frozen=True, slots=True)
class CellKind:
    """How a kind of cell is read, and the fixture that it is in unless the block says otherwise."""

    read: Callable[[Block], Recipe]
    fixture: Fixture = USUAL_FIXTURE


CELL_KINDS: dict[str, CellKind] = {
    "blocking_pellet": CellKind(_blocking_pellet),
    "symmetric_pellet": CellKind(_symmetric_pellet),
    "full_cell": CellKind(_full_cell),
    "dummy": CellKind(_dummy, NO_FIXTURE),
}


def read_cell(
    content: Mapping[str, object], where: str, problems: list[Problem]
) -> CellSetup | None:
    """Return what a channel's ``simulate:`` block says, None when there are problems."""
    before = len(problems)
    block = Block(content, where, problems)
    kind = block.choice("cell", CELL_KINDS)
    if len(problems) > before:  # of what kind the other keys are nobody can know
        return None
    setup = CellSetup(
        kind.read(block),
        block.quantity("thermal_lag", "time", THERMAL_LAG_SECOND),
        _fixture(block, kind.fixture),
        block.scaled("drift", DRIFT, 0.0, DRIFTING),
        _press(block),
    )
    block.finish()
    return setup if len(problems) == before else None


def _fixture(block: Block, usual: Fixture) -> Fixture:
    """Read ``fixture:``; ``lead_resistance:`` is a short way to say its resistance alone."""
    lead_ohm = block.quantity("lead_resistance", "resistance", usual.resistance_ohm, NOT_NEGATIVE)
    inner = block.inner("fixture", FIXTURE_EXAMPLE)
    if block.has("lead_resistance") and inner.has("resistance"):
        block.refuse("lead_resistance", "given twice: it is the same as fixture.resistance")
    fixture = Fixture(
        inner.quantity("resistance", "resistance", lead_ohm, NOT_NEGATIVE),
        inner.scaled("inductance", INDUCTANCE, usual.inductance_henry, NOT_NEGATIVE),
        inner.scaled("capacitance", CAPACITANCE, usual.capacitance_farad, NOT_NEGATIVE),
        inner.choice("state", {state.value: state for state in FixtureState}, usual.state),
    )
    if fixture.state is FixtureState.SHORT and fixture.resistance_ohm == 0.0:
        message = "a short needs leads with some resistance, got 0 ohm"
        inner.refuse("state", message, example="fixture: {resistance: 0.2 ohm, state: short}")
    inner.finish()
    return fixture


def read_press(content: Mapping[str, object], where: str, problems: list[Problem]) -> StackTraits:
    """Return the press of a ``simulate:`` block that names no cell."""
    block = Block(content, where, problems)
    press = _press(block)
    block.finish()
    return press


def _press(block: Block) -> StackTraits:
    inner, usual = block.inner("stack", STACK_EXAMPLE), StackTraits()
    press = StackTraits(
        inner.quantity("pressure", "pressure", usual.pressure_pascal, NOT_NEGATIVE),
        inner.quantity("relaxation", "fraction", usual.relaxation, FRACTION),
        inner.quantity("relaxation_time", "time", usual.relaxation_second),
        inner.scaled("per_kelvin", STIFFNESS, usual.pascal_per_kelvin, ANY),
    )
    inner.finish()
    return press


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
