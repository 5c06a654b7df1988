"""A fixture between instrument and cell: formula, direct current, and what is left without a cell."""

from __future__ import annotations

import cmath
import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.interfaces import OPEN, Drive, DriveMode, Terminals
from simulators.models.cell import CircuitCell, Recipe
from simulators.models.dummy import Dummy
from simulators.models.fixture import OPEN_CIRCUIT_OHM, Fixture, FixtureState
from simulators.models.full_cell import FullCell
from simulators.models.materials import MATERIALS
from simulators.models.pellet import BlockingPellet, Pellet, SymmetricPellet

MakeCell = Callable[..., CircuitCell]

PELLET = Pellet(MATERIALS["Li6PS5Cl"], 0.785, 0.08)
RECIPES: dict[str, Recipe] = {
    "blocking": BlockingPellet(PELLET),
    "symmetric": SymmetricPellet(PELLET, 10.0, 0.50),
    "full": FullCell(1.0, state_of_charge=0.5),
    "dummy": Dummy(100.0),
}
R, L, C = 0.5, 300e-9, 8e-12
FIXTURE = Fixture(R, L, C)
EMPTY = Fixture(R, L, C, FixtureState.OPEN)
SHORTED = Fixture(R, L, C, FixtureState.SHORT)
FREQUENCIES = [10.0 ** (k / 2) for k in range(-4, 15)]


def series(hertz: float) -> complex:
    return R + 2j * math.pi * hertz * L


def stray(hertz: float) -> complex:
    return 2j * math.pi * hertz * C


def source(level: float, limit: float) -> Drive:
    return Drive(DriveMode.CURRENT, level, limit)


def hold(level: float, limit: float) -> Drive:
    return Drive(DriveMode.VOLTAGE, level, limit)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("hertz", FREQUENCIES)
def test_every_cell_is_seen_through_the_fixture_as_the_formula_says(
    make_cell: MakeCell, name: str, hertz: float
) -> None:
    bare = make_cell(RECIPES[name]).impedance(hertz, 0.0)
    seen = make_cell(RECIPES[name], fixture=FIXTURE).impedance(hertz, 0.0)
    expected = series(hertz) + 1.0 / (stray(hertz) + 1.0 / bare)
    assert abs(seen - expected) <= 1e-12 * abs(expected)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("hertz", [1e3, 1e5, 1e7])
def test_open_and_short_correction_gives_the_cell_back(
    make_cell: MakeCell, name: str, hertz: float
) -> None:
    seen, empty, shorted = (
        make_cell(RECIPES[name], fixture=fixture).impedance(hertz, 0.0)
        for fixture in (FIXTURE, EMPTY, SHORTED)
    )
    behind = seen - shorted
    corrected = behind / (1.0 - behind / (empty - shorted))
    assert corrected == pytest.approx(make_cell(RECIPES[name]).impedance(hertz, 0.0), rel=1e-9)


@given(hertz=st.floats(1e-3, 1e7))
def test_an_empty_and_a_shorted_fixture_are_what_their_formulas_say(hertz: float) -> None:
    for cell_ohm in (0j, 100 + 0j, complex(1e12)):
        assert SHORTED.impedance(hertz, cell_ohm) == series(hertz)
        open_ohm = EMPTY.impedance(hertz, cell_ohm)
        assert abs(open_ohm - series(hertz) - 1.0 / stray(hertz)) <= 1e-12 * abs(open_ohm)


def test_an_empty_fixture_without_stray_is_an_open_circuit_and_still_a_number() -> None:
    seen = Fixture(state=FixtureState.OPEN).impedance(1e3, 0j)
    assert seen == OPEN_CIRCUIT_OHM
    assert cmath.isfinite(seen)


@pytest.mark.parametrize("name", ["symmetric", "full", "dummy"])
def test_direct_current_sees_the_resistance_of_the_leads_and_no_more(
    make_cell: MakeCell, name: str
) -> None:
    volts = []
    for fixture in (Fixture(), FIXTURE):
        cell = make_cell(RECIPES[name], fixture=fixture)
        cell.drive("smu", source(1e-3, 10.0), 0.0)
        volts.append(cell.terminals(10.0).voltage_volt)
    assert volts[1] - volts[0] == pytest.approx(1e-3 * R, rel=1e-9)


def test_two_cells_in_unlike_fixtures_store_the_same_charge(make_cell: MakeCell) -> None:
    cells = [make_cell(RECIPES["full"], fixture=fixture) for fixture in (Fixture(), FIXTURE)]
    for cell in cells:
        cell.drive("smu", source(1e-3, 10.0), 0.0)
        cell.terminals(600.0)
    assert cells[0].state()["store"] == cells[1].state()["store"]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    ("drive", "seen"),
    [
        (OPEN, Terminals(0.0, 0.0, False)),
        (hold(4.2, 0.01), Terminals(4.2, 0.0, False)),
        (source(0.0, 5.0), Terminals(0.0, 0.0, False)),
        (source(-1e-3, 5.0), Terminals(-5.0, 0.0, True)),
    ],
)
def test_no_current_flows_through_an_empty_fixture(
    make_cell: MakeCell, name: str, drive: Drive, seen: Terminals
) -> None:
    cell = make_cell(RECIPES[name], fixture=EMPTY)
    cell.drive("smu", drive, 0.0)
    assert [cell.terminals(second) for second in (0.0, 0.1, 5000.0)] == [seen] * 3


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    ("drive", "seen"),
    [
        (OPEN, Terminals(0.0, 0.0, False)),
        (hold(-4e-3, 0.01), Terminals(-4e-3, -8e-3, False)),
        (hold(4.2, 0.01), Terminals(5e-3, 0.01, True)),
        (hold(4.2, math.inf), Terminals(4.2, 8.4, False)),
        (source(-1e-3, 5.0), Terminals(-5e-4, -1e-3, False)),
        (source(20.0, 5.0), Terminals(5.0, 10.0, True)),
    ],
)
def test_a_shorted_fixture_is_the_resistance_of_its_leads(
    make_cell: MakeCell, name: str, drive: Drive, seen: Terminals
) -> None:
    cell = make_cell(RECIPES[name], fixture=SHORTED)
    cell.drive("smu", drive, 0.0)
    assert cell.terminals(10.0) == pytest.approx(seen)


def test_the_limit_of_a_source_holds_on_a_short_whatever_it_wants() -> None:
    for drive in (hold(1e9, 0.5), hold(-1e9, 0.5)):
        assert abs(SHORTED.terminals(drive).current_ampere) == 0.5
    for drive in (source(1e9, 0.5), source(-1e9, 0.5)):
        assert abs(SHORTED.terminals(drive).voltage_volt) == 0.5


@pytest.mark.parametrize("fixture", [EMPTY, SHORTED])
def test_a_cell_beside_its_fixture_keeps_its_charge_and_relaxes(
    make_cell: MakeCell, fixture: Fixture
) -> None:
    worked = make_cell(RECIPES["full"], fixture=FIXTURE)
    worked.drive("smu", source(2e-3, 5.0), 0.0)
    worked.terminals(600.0)
    saved = json.loads(json.dumps(worked.state()))
    beside, rested = make_cell(RECIPES["full"], fixture=fixture), make_cell(RECIPES["full"])
    for cell in (beside, rested):
        cell.restore(saved)
        cell.terminals(0.0)
    beside.drive("smu", source(-0.1, 1.0), 0.0)
    for cell in (beside, rested):
        cell.terminals(3600.0)
    assert beside.state()["store"] == saved["store"]
    assert beside.state()["branch_volts"] == pytest.approx(rested.state()["branch_volts"])


def test_instruments_that_fight_over_an_empty_fixture_are_counted_too(make_cell: MakeCell) -> None:
    cell = make_cell(RECIPES["dummy"], fixture=EMPTY)
    cell.drive("smu", hold(1.0, 0.1), 0.0)
    cell.drive("pstat", hold(2.0, 0.1), 0.0)
    assert cell.conflicts == 1
    assert cell.terminals(1.0).voltage_volt == 2.0


def test_the_truth_tells_the_fixture_and_of_a_bare_one_nothing_else(make_cell: MakeCell) -> None:
    told = {
        "fixture_resistance_ohm": R,
        "fixture_inductance_henry": L,
        "fixture_capacitance_farad": C,
    }
    in_it = make_cell(RECIPES["dummy"], fixture=FIXTURE, drift_per_hour=0.005).truth()
    assert in_it == told | {
        "resistance_25_celsius_ohm": 100.0,
        "resistance_drift_per_hour": 0.005,
    }
    assert make_cell(RECIPES["dummy"], fixture=EMPTY).truth() == told
