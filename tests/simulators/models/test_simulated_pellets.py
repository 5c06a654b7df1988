"""Pellets: spectrum, direct current and truth are three views of the same parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulators.interfaces import Drive, DriveMode
from simulators.models.cell import CircuitCell
from simulators.models.materials import MATERIALS
from simulators.models.pellet import BlockingPellet, Pellet, SymmetricPellet

MakeCell = Callable[..., CircuitCell]

PELLET = Pellet(MATERIALS["Li6PS5Cl"], 0.785, 0.08)
SYMMETRIC = SymmetricPellet(PELLET, 10.0, 0.50)


@pytest.mark.parametrize("celsius", [-20.0, 25.0, 70.0])
def test_direct_current_and_low_frequency_agree_for_the_symmetric_pellet(
    make_cell: MakeCell, celsius: float
) -> None:
    cell = make_cell(SYMMETRIC, celsius)
    cell.drive("smu", Drive(DriveMode.CURRENT, 1e-4, 5.0), 0.0)
    pulse_ohm = cell.terminals(10.0).voltage_volt / 1e-4
    assert pulse_ohm == pytest.approx(cell.impedance(0.01, 10.0).real, rel=0.02)


def test_the_symmetric_pellet_holds_its_truth_as_a_spectrum_shows_it(make_cell: MakeCell) -> None:
    cell = make_cell(SYMMETRIC)
    truth = cell.truth()
    separator_ohm = 0.08 / (0.785 * truth["conductivity_25_celsius_siemens_per_centimetre"])
    total_ohm = cell.impedance(0.01, 0.0).real
    specific_ohm = 0.785 * (total_ohm - separator_ohm) / 2
    assert specific_ohm == pytest.approx(
        truth["area_specific_resistance_ohm_square_centimetre"], rel=2e-3
    )
    assert truth["interface_activation_energy_electronvolt"] == 0.50


def test_case_s4_comes_back_from_the_direct_current_resistance(make_cell: MakeCell) -> None:
    # science S4: L .080, s 1.5e-3, d 1.0, R_tot 85.0 -> ASR 6.71276 per interface.
    area = 0.7853981634
    material = MATERIALS["LBPSI"]
    thickness = 0.080 * material.bulk.conductivity_siemens_per_centimetre / 1.5e-3
    pellet = Pellet(material, area, thickness)
    cell = make_cell(SymmetricPellet(pellet, 6.71276, 0.5))
    cell.drive("smu", Drive(DriveMode.CURRENT, 1e-4, 5.0), 0.0)
    assert cell.terminals(60.0).voltage_volt / 1e-4 == pytest.approx(85.0, rel=1e-5)


def test_a_blocking_pellet_passes_no_lasting_direct_current(make_cell: MakeCell) -> None:
    cell = make_cell(BlockingPellet(PELLET))
    cell.drive("smu", Drive(DriveMode.VOLTAGE, 0.1, 0.1), 0.0)
    currents = [cell.terminals(second).current_ampere for second in (1e-4, 1.0, 3600.0, 2e5)]
    assert currents == sorted(currents, reverse=True)
    assert currents[0] > 1e-4
    assert 0 <= currents[-1] < 1e-12


def test_a_blocking_pellet_shows_its_electrolyte_between_arcs_and_tail(
    make_cell: MakeCell,
) -> None:
    cell = make_cell(BlockingPellet(PELLET), 0.0)
    plateau = cell.impedance(1e5, 0.0)
    expected_ohm = 0.08 / (0.785 * PELLET.conductivity(0.0))
    assert plateau.real == pytest.approx(expected_ohm, rel=0.01)
    tail = cell.impedance(0.1, 0.0)
    assert tail.imag < -1e5


def test_lithium_interfaces_lie_apart_from_the_electrolyte_in_frequency(
    make_cell: MakeCell,
) -> None:
    cell = make_cell(SYMMETRIC)
    assert cell.impedance(5e5, 0.0).imag > cell.impedance(1.6e4, 0.0).imag
    assert cell.impedance(1.6e4, 0.0).imag < cell.impedance(1.0, 0.0).imag < 0
