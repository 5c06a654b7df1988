"""Area-specific resistance of interfaces: halving, upper limits, rows over temperature."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rig.analysis.flags import SYM_SMALL
from rig.analysis.interface import (
    interface_from_difference,
    interface_resistance,
    interface_series,
)
from rig.core.errors import BadInput

BOLTZMANN = 8.617333262e-5  # eV/K


def test_s4_a_symmetric_cell_is_halved_and_multiplied_by_its_area() -> None:
    area = math.pi / 4
    electrolyte = 0.080 / (1.5e-3 * area)
    found = interface_from_difference(
        85.0,
        electrolyte,
        area,
        total_standard_error_ohm=0.85,
        electrolyte_standard_error_ohm=0.05 * electrolyte,
    )
    assert electrolyte == pytest.approx(67.9061, abs=1e-4)
    assert found.area_specific_resistance_ohm_square_centimetre == pytest.approx(6.71276, abs=1e-5)
    assert found.standard_error_ohm_square_centimetre == pytest.approx(1.38, abs=0.01)
    assert found.resolved
    assert not found.flags


def test_a_single_interface_is_not_halved() -> None:
    found = interface_resistance(20.0, 0.1, 0.5, symmetric=False)
    assert found.area_specific_resistance_ohm_square_centimetre == pytest.approx(10.0)
    assert found.interfaces == 1


@pytest.mark.parametrize("resistance", [-1.0, 0.0, 0.5])
def test_an_interface_below_two_standard_errors_has_an_upper_limit_and_no_value(
    resistance: float,
) -> None:
    found = interface_resistance(resistance, 1.0, 2.0)
    assert found.upper_limit_ohm_square_centimetre == pytest.approx(max(resistance, 0) + 2.0)
    assert found.to_dict()["area_specific_resistance_ohm_square_centimetre"] is None
    assert [note.code for note in found.flags] == [SYM_SMALL]


def test_the_areas_uncertainty_is_kept_apart_from_the_measurements() -> None:
    found = interface_resistance(20.0, 0.6, 1.0, area_relative_uncertainty=0.04)
    assert found.standard_error_ohm_square_centimetre == pytest.approx(0.3)
    assert found.combined_standard_error_ohm_square_centimetre == pytest.approx(0.5)


def test_bad_geometry_and_errors_come_in_one_refusal() -> None:
    with pytest.raises(BadInput) as refusal:
        interface_resistance(10.0, -1.0, 0.0, area_relative_uncertainty=math.nan)
    assert len(refusal.value.problems) == 3


def test_s16_rows_over_temperature_carry_each_activation_energy() -> None:
    celsius = np.array([0.0, 20.0, 40.0, 60.0])
    inverse = 1 / (celsius + 273.15) - 1 / 298.15
    separator = 1.5 * np.exp(0.35 / BOLTZMANN * inverse)
    one_interface = 10.0 * np.exp(0.55 / BOLTZMANN * inverse)
    rows = interface_series(
        celsius,
        [
            interface_from_difference(s + 2 * i, s, 1.0)
            for s, i in zip(separator, one_interface, strict=True)
        ],
    )
    values = np.array(rows.area_specific_resistance_ohm_square_centimetre)
    assert values[[0, -1]] == pytest.approx([70.941, 1.0551], rel=1e-4)
    slope = np.polyfit(inverse, np.log(1 / values), 1)[0]
    assert -slope * BOLTZMANN == pytest.approx(0.55, abs=1e-6)


def test_upper_limits_do_not_enter_a_regression() -> None:
    rows = interface_series(
        [25.0, 70.0], [interface_resistance(20.0, 0.2, 1.0), interface_resistance(0.1, 0.2, 1.0)]
    )
    assert rows.resolved().temperature_celsius == (25.0,)
    assert rows.resolved().relative_uncertainty == pytest.approx([0.01])
    assert rows.to_dict()["area_specific_resistance_ohm_square_centimetre"] == [10.0, None]


def test_as_many_results_as_temperatures_are_needed() -> None:
    with pytest.raises(BadInput, match="2 temperatures for 0 results"):
        interface_series([25.0, 30.0], [])
