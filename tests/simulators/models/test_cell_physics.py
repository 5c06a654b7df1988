"""What is true of every simulated cell, whatever it is made of."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.interfaces import OPEN, ChamberAir, Drive, DriveMode
from simulators.models.cell import CircuitCell, Recipe
from simulators.models.dummy import Dummy
from simulators.models.full_cell import FullCell
from simulators.models.materials import MATERIALS
from simulators.models.pellet import BlockingPellet, Pellet, SymmetricPellet

MakeCell = Callable[..., CircuitCell]

PELLET = Pellet(MATERIALS["Li6PS5Cl"], 0.785, 0.08)
SYMMETRIC = SymmetricPellet(PELLET, 10.0, 0.50)
RECIPES: list[Recipe] = [
    BlockingPellet(PELLET),
    SYMMETRIC,
    FullCell(1.0, state_of_charge=0.5),
    Dummy(100.0),
]


def source(level: float, limit: float = math.inf) -> Drive:
    return Drive(DriveMode.CURRENT, level, limit)


def hold(level: float, limit: float = math.inf) -> Drive:
    return Drive(DriveMode.VOLTAGE, level, limit)


def test_a_dummy_obeys_ohm_in_every_mode(make_cell: MakeCell) -> None:
    cell = make_cell(Dummy(100.0))
    cell.drive("smu", source(1e-3, 5.0), 0.0)
    assert cell.terminals(1.0) == pytest.approx((0.1, 1e-3, False))
    cell.drive("smu", hold(1.0, 1.0), 2.0)
    assert cell.terminals(2.0) == pytest.approx((1.0, 1e-2, False))
    cell.drive("smu", OPEN, 3.0)
    assert cell.terminals(4.0) == pytest.approx((0.0, 0.0, False))


def test_a_current_source_clamps_at_its_voltage_limit_in_both_directions(
    make_cell: MakeCell,
) -> None:
    cell = make_cell(Dummy(100.0))
    for sign in (1.0, -1.0):
        cell.drive("smu", source(sign * 0.1, 5.0), 0.0)
        assert cell.terminals(1.0) == pytest.approx((sign * 5.0, sign * 0.05, True))


def test_a_voltage_source_limits_its_current_in_both_directions(make_cell: MakeCell) -> None:
    cell = make_cell(Dummy(100.0))
    for sign in (1.0, -1.0):
        cell.drive("smu", hold(sign * 5.0, 0.01), 0.0)
        assert cell.terminals(1.0) == pytest.approx((sign * 1.0, sign * 0.01, True))


def test_a_cell_outside_the_voltage_limit_is_pulled_to_it(make_cell: MakeCell) -> None:
    cell = make_cell(FullCell(1.0, state_of_charge=0.5))
    cell.drive("smu", source(1e-3, 3.0), 0.0)
    voltage, current, limited = cell.terminals(0.1)
    assert (voltage, limited) == (3.0, True)
    assert current < 0


@pytest.mark.parametrize("recipe", RECIPES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    level=st.floats(-5.0, 5.0),
    limit=st.floats(1e-6, 1.0),
    steps=st.lists(st.floats(1e-3, 3600.0), min_size=1, max_size=4),
)
def test_a_held_voltage_is_held_or_the_current_is_at_its_limit(
    make_cell: MakeCell, recipe: Recipe, level: float, limit: float, steps: list[float]
) -> None:
    cell = make_cell(recipe)
    cell.drive("smu", hold(level, limit), 0.0)
    now = 0.0
    for step in steps:
        now += step
        voltage, current, limited = cell.terminals(now)
        assert math.isfinite(voltage)
        assert abs(current) == limit if limited else voltage == level and abs(current) <= limit


@pytest.mark.parametrize("recipe", RECIPES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    level=st.floats(-0.01, 0.01),
    limit=st.floats(0.5, 5.0),
    steps=st.lists(st.floats(1e-3, 3600.0), min_size=1, max_size=4),
)
def test_a_sourced_current_flows_or_the_voltage_is_at_its_limit(
    make_cell: MakeCell, recipe: Recipe, level: float, limit: float, steps: list[float]
) -> None:
    cell = make_cell(recipe)
    cell.drive("smu", source(level, limit), 0.0)
    now = 0.0
    for step in steps:
        now += step
        voltage, current, limited = cell.terminals(now)
        assert math.isfinite(current)
        assert abs(voltage) == limit if limited else current == level and abs(voltage) <= limit


@pytest.mark.parametrize("recipe", RECIPES)
def test_relaxation_is_exact_however_the_time_is_cut(make_cell: MakeCell, recipe: Recipe) -> None:
    once, often = make_cell(recipe), make_cell(recipe)
    for cell in (once, often):
        cell.drive("smu", source(1e-4, 4.5), 0.0)
        cell.terminals(5.0)
        cell.drive("smu", OPEN, 5.0)
    for k in range(1, 500):
        often.terminals(5.0 + 0.2 * k)
    assert often.terminals(105.0).voltage_volt == pytest.approx(
        once.terminals(105.0).voltage_volt, abs=1e-9
    )


def test_time_that_lies_before_the_cell_s_own_changes_nothing(make_cell: MakeCell) -> None:
    cell = make_cell(FullCell(1.0, state_of_charge=0.5))
    cell.drive("smu", source(1e-3, 4.5), 0.0)
    reading = cell.terminals(10.0)
    assert cell.terminals(3.0) == reading
    assert cell.terminals(10.0) == reading


def test_two_instruments_that_drive_at_once_are_counted_and_the_newest_wins(
    make_cell: MakeCell,
) -> None:
    cell = make_cell(Dummy(100.0))
    cell.drive("smu", source(1e-3), 0.0)
    assert cell.conflicts == 0
    cell.drive("pstat", source(2e-3), 1.0)
    assert cell.conflicts == 1
    assert cell.terminals(1.0).current_ampere == 2e-3
    cell.drive("pstat", OPEN, 2.0)
    assert cell.terminals(2.0).current_ampere == 1e-3
    cell.drive("smu", OPEN, 3.0)
    assert (cell.terminals(3.0).current_ampere, cell.conflicts) == (0.0, 1)


def test_taking_turns_is_no_conflict(make_cell: MakeCell) -> None:
    cell = make_cell(Dummy(100.0))
    for now, name in enumerate(("smu", "pstat", "smu")):
        cell.drive(name, source(1e-3), float(now))
        cell.drive(name, OPEN, now + 0.5)
    assert cell.conflicts == 0


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_restored_cell_goes_on_where_the_saved_one_was(
    make_cell: MakeCell, recipe: Recipe
) -> None:
    first = make_cell(recipe)
    first.drive("smu", source(1e-4, 4.5), 0.0)
    first.terminals(1234.0)
    saved = json.loads(json.dumps(first.state()))
    first.drive("smu", OPEN, 1234.0)
    second = make_cell(recipe)
    second.restore(saved)
    second.terminals(777_000.0)  # another clock with another origin
    assert second.terminals(777_060.0).voltage_volt == pytest.approx(
        first.terminals(1294.0).voltage_volt, abs=1e-9
    )


def test_a_cell_that_was_never_asked_can_be_saved_and_restored(make_cell: MakeCell) -> None:
    saved = json.loads(json.dumps(make_cell(SYMMETRIC, 40.0).state()))
    cell = make_cell(SYMMETRIC, 40.0)
    cell.restore(saved)
    assert cell.sample_temperature_celsius(5e5) == pytest.approx(40.0)


def test_a_colder_sample_resists_more_in_both_domains(told_air: ChamberAir) -> None:
    cell = CircuitCell(SYMMETRIC, told_air, 900.0)
    cell.drive("smu", source(1e-4), 0.0)
    warm = cell.terminals(100.0).voltage_volt / 1e-4, cell.impedance(1e-3, 100.0).real
    told_air.set_point(0.0, 100.0)
    cold = cell.terminals(30_000.0).voltage_volt / 1e-4, cell.impedance(1e-3, 30_000.0).real
    assert cold[0] / warm[0] == pytest.approx(cold[1] / warm[1], rel=1e-3)
    assert cold[0] > 3 * warm[0]


def test_an_interphase_grows_while_nobody_looks(make_cell: MakeCell) -> None:
    cell = make_cell(SymmetricPellet(PELLET, 10.0, 0.50, 1.0))
    fresh = cell.impedance(1e-3, 0.0).real
    grown = cell.impedance(1e-3, 100 * 3600.0).real
    assert (grown - fresh) * 0.785 / 2 == pytest.approx(10.0, rel=1e-3)
