"""Cells whose resistances rise: in both domains, from their own beginning, and across a restart."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from simulators.interfaces import OPEN, Drive, DriveMode
from simulators.models.cell import CircuitCell
from simulators.models.dummy import Dummy
from simulators.models.fixture import Fixture
from simulators.models.full_cell import FullCell
from simulators.models.materials import MATERIALS
from simulators.models.pellet import BlockingPellet, Pellet, SymmetricPellet

MakeCell = Callable[..., CircuitCell]

PELLET = Pellet(MATERIALS["Li6PS5Cl"], 0.785, 0.08)
SYMMETRIC = SymmetricPellet(PELLET, 10.0, 0.50)
HOUR = 3600.0
DRIFT = 0.005


@pytest.mark.parametrize(
    ("recipe", "hertz"), [(SYMMETRIC, 1e-3), (Dummy(100.0), 1e3), (BlockingPellet(PELLET), 1e5)]
)
def test_ten_hours_of_half_a_percent_are_five_percent(
    make_cell: MakeCell, recipe: SymmetricPellet, hertz: float
) -> None:
    steady, drifting = make_cell(recipe), make_cell(recipe, drift_per_hour=DRIFT)
    assert drifting.impedance(hertz, 0.0) == steady.impedance(hertz, 0.0)
    for hour in (1, 5, 10):
        ratio = drifting.impedance(hertz, hour * HOUR).real / steady.impedance(hertz, 0.0).real
        assert ratio == pytest.approx(1.0 + DRIFT * hour, rel=1e-3)


@pytest.mark.parametrize("drift", [DRIFT, 0.5])
def test_direct_current_drifts_as_the_spectrum_does(make_cell: MakeCell, drift: float) -> None:
    cell = make_cell(SYMMETRIC, drift_per_hour=drift)
    now = 0.0
    for hour in range(11):
        cell.drive("smu", Drive(DriveMode.CURRENT, 1e-4, 5.0), hour * HOUR)
        now = hour * HOUR + 60.0
        pulse_ohm = cell.terminals(now).voltage_volt / 1e-4
        cell.drive("smu", OPEN, now)
        assert pulse_ohm == pytest.approx(cell.impedance(1e-4, now).real, rel=2e-3)


def test_the_leads_do_not_drift(make_cell: MakeCell) -> None:
    cell = make_cell(Dummy(100.0), fixture=Fixture(10.0), drift_per_hour=DRIFT)
    assert cell.impedance(1.0, 0.0).real == pytest.approx(110.0)
    assert cell.impedance(1.0, 10 * HOUR).real == pytest.approx(115.0)


def test_a_drift_begins_when_the_cell_is_first_looked_at(make_cell: MakeCell) -> None:
    cell = make_cell(Dummy(100.0), drift_per_hour=DRIFT)
    assert cell.impedance(1.0, 1e6).real == pytest.approx(100.0)
    assert cell.impedance(1.0, 1e6 + HOUR).real == pytest.approx(100.5)


def test_the_drift_is_the_same_however_often_one_looks(make_cell: MakeCell) -> None:
    once, often = (make_cell(SYMMETRIC, drift_per_hour=DRIFT) for _ in range(2))
    for cell in (once, often):
        cell.terminals(0.0)
    for k in range(1, 3600):
        often.terminals(10.0 * k)
    assert often.impedance(1.0, 10 * HOUR) == pytest.approx(once.impedance(1.0, 10 * HOUR))


def test_a_drifting_cell_goes_on_after_a_restart_where_it_was(make_cell: MakeCell) -> None:
    first = make_cell(SYMMETRIC, drift_per_hour=DRIFT)
    first.terminals(0.0)
    first.terminals(6 * HOUR)
    second = make_cell(SYMMETRIC, drift_per_hour=DRIFT)
    second.restore(json.loads(json.dumps(first.state())))
    second.terminals(5e5)  # another clock with another origin
    assert second.impedance(1.0, 5e5 + 4 * HOUR) == pytest.approx(first.impedance(1.0, 10 * HOUR))


def test_a_full_cell_drifts_and_its_open_circuit_voltage_does_not(make_cell: MakeCell) -> None:
    steady, drifting = (
        make_cell(FullCell(1.0, state_of_charge=0.5), drift_per_hour=drift)
        for drift in (0.0, DRIFT)
    )
    for cell in (steady, drifting):
        cell.terminals(0.0)
    assert drifting.terminals(10 * HOUR) == steady.terminals(10 * HOUR)
    ratio = drifting.impedance(1e-6, 10 * HOUR).real / steady.impedance(1e-6, 10 * HOUR).real
    assert ratio == pytest.approx(1.05)
