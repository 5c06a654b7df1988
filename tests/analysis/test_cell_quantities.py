"""From a fit to conductivity and interfaces: science.md's numbers, and errors counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.capacitance import Geometry
from rig.analysis.cell_quantities import CellQuantities, Sample, cell_quantities
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.impedance_fit import CircuitFit, fit_circuit
from rig.analysis.spectrum import Spectrum

HERTZ = np.geomspace(7e6, 0.1, 40)
DISC = Geometry(0.080, math.pi / 4)  # 0.8 mm, 1 cm in diameter


def known(
    circuit: str,
    values: list[float],
    errors: dict[str, float] | None = None,
    correlation: dict[tuple[str, str], float] | None = None,
    geometry: Geometry = DISC,
) -> CircuitFit:
    """A fit whose values and covariance are given, so that what follows can be counted by hand."""
    parsed = parse_circuit(circuit)
    exact = parsed.impedance(HERTZ, np.array(values))
    fixed = dict(zip(parsed.names, values, strict=True))
    fit = fit_circuit(Spectrum(HERTZ, exact), circuit, fixed=fixed, geometry=geometry)
    spread = np.diag([(errors or {}).get(name, 0.0) for name in parsed.names])
    related = np.eye(len(values))
    for (one, other), share in (correlation or {}).items():
        i, j = parsed.position(one), parsed.position(other)
        related[i, j] = related[j, i] = share
    return replace(fit, covariance=spread @ related @ spread)


S4 = [67.9061, 17.0939, 1e-6, 1.0]  # R_tot 85 ohm, of it the electrolyte's, and an interface's arc
ERRORS_S4 = {"R0": 0.05 * 67.9061, "R1": 0.9}


def conductivity(found: CellQuantities) -> tuple[float, float]:
    value, error = found.conductivity
    assert value is not None
    assert error is not None
    return value, error


def test_s4_a_symmetric_cell_gives_its_conductivity_and_half_its_interface() -> None:
    found = cell_quantities(known("R0-p(R1,CPE1)", S4, ERRORS_S4), Sample(DISC, symmetric=True))
    value, error = conductivity(found)
    assert value == pytest.approx(1.5e-3, rel=1e-5)
    assert error == pytest.approx(0.05 * 1.5e-3, rel=1e-5)
    one = found.interfaces["R1"]
    assert one.area_specific_resistance_ohm_square_centimetre == pytest.approx(6.71276, abs=1e-4)
    assert one.standard_error_ohm_square_centimetre == pytest.approx(math.pi / 4 * 0.9 / 2)
    assert (found.like_interfaces, found.electrolyte_resistors) == (2, ("R0",))


def test_s4_a_single_interface_is_not_halved() -> None:
    found = cell_quantities(known("R0-p(R1,CPE1)", S4, ERRORS_S4), Sample(DISC))
    one = found.interfaces["R1"]
    assert one.area_specific_resistance_ohm_square_centimetre == pytest.approx(13.4255, abs=1e-4)
    assert one.standard_error_ohm_square_centimetre == pytest.approx(math.pi / 4 * 0.9)
    assert found.like_interfaces == 1


def test_the_uncertainties_of_thickness_and_area_are_in_the_errors() -> None:
    fit = known("R0-p(R1,CPE1)", S4, {"R0": 0.03 * 67.9061, "R1": 0.06 * 17.0939})
    found = cell_quantities(fit, Sample(DISC, True, 0.05, 0.02))
    value, error = conductivity(found)
    assert error / value == pytest.approx(math.sqrt(0.03**2 + 0.05**2 + 0.02**2))
    one = found.interfaces["R1"]
    relative = (
        one.combined_standard_error_ohm_square_centimetre
        / one.area_specific_resistance_ohm_square_centimetre
    )
    assert relative == pytest.approx(math.hypot(0.06, 0.02))  # no thickness in it


S5 = [276.8, 6e-11, 0.98, 106.1, 2e-8, 0.90, 50.0, 3e-6, 0.85]
S5_CIRCUIT = "p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)"
UNIT = Geometry(1.0, 1.0)  # what the table of Irvine et al. is made for


def test_s5_bulk_and_grain_boundary_make_the_conductivity_and_their_errors_cancel() -> None:
    errors = {"R1": 19.4, "R2": 18.0, "R3": 3.0}
    fit = known(S5_CIRCUIT, S5, errors, {("R1", "R2"): -0.97}, UNIT)
    found = cell_quantities(fit, Sample(UNIT))
    assert found.electrolyte_resistors == ("R1", "R2")
    assert list(found.interfaces) == ["R3"]
    value, error = conductivity(found)
    assert value == pytest.approx(1 / 382.9, rel=1e-9)
    by_hand = math.sqrt(19.4**2 + 18.0**2 - 2 * 0.97 * 19.4 * 18.0)  # 4.8 ohm, not 26
    assert error == pytest.approx(value * by_hand / 382.9, rel=1e-9)


def test_two_arcs_of_one_interface_are_better_known_together() -> None:
    values = [100.0, 40.0, 1e-6, 1.0, 30.0, 2e-5, 1.0]
    fit = known(
        "R0-p(R1,CPE1)-p(R2,CPE2)", values, {"R1": 8.0, "R2": 7.0}, {("R1", "R2"): -0.98}, UNIT
    )
    found = cell_quantities(fit, Sample(UNIT, symmetric=True))
    assert list(found.interfaces) == ["R1", "R2"]
    assert found.all_interfaces is not None
    assert found.all_interfaces.area_specific_resistance_ohm_square_centimetre == pytest.approx(35)
    by_hand = math.sqrt(64 + 49 - 2 * 0.98 * 56) / 2
    assert found.all_interfaces.standard_error_ohm_square_centimetre == pytest.approx(by_hand)
    said = found.to_dict()
    assert said["interface_resistance_ohm_square_centimetre"] == pytest.approx(35)
    assert said["area_specific_resistance_ohm_square_centimetre"] == pytest.approx(
        {"R1": 20.0, "R2": 15.0}
    )


def test_an_interface_below_twice_its_error_has_a_limit_and_no_value() -> None:
    fit = known("R0-p(R1,CPE1)", [100.0, 2.0, 1e-6, 1.0], {"R0": 1.0, "R1": 1.5}, geometry=UNIT)
    found = cell_quantities(fit, Sample(UNIT, symmetric=True))
    said = found.to_dict()
    assert said["area_specific_resistance_ohm_square_centimetre"] == {"R1": None}
    assert said["area_specific_resistance_upper_limit_ohm_square_centimetre"] == {
        "R1": pytest.approx((2.0 + 2 * 1.5) / 2)
    }
    assert said["interface_resistance_ohm_square_centimetre"] is None
    assert [note.code for note in found.flags] == ["SYM-SMALL"]


def test_a_resistance_that_is_not_determined_gives_no_conductivity() -> None:
    fit = known("R0-p(R1,CPE1)", S4, {"R0": 70.0})
    assert cell_quantities(fit, Sample(DISC)).conductivity == (None, None)


def test_what_may_be_an_interface_is_named_and_the_other_conductivity_stands_beside() -> None:
    # 3e-8 F on 1 cm2 in a 1 mm pellet: grain boundary or interface
    thin = Geometry(0.1, 1.0)
    fit = known("R0-p(R1,CPE1)", [50.0, 25.0, 3e-8, 1.0], {"R0": 1.0, "R1": 2.0}, geometry=thin)
    assert fit.assignment == {"CPE1": "ambiguous"}
    found = cell_quantities(fit, Sample(thin))
    assert (found.electrolyte_resistors, found.doubtful_resistors) == (("R0", "R1"), ("R1",))
    assert found.interfaces == {}
    assert found.all_interfaces is None
    assert found.conductivity[0] == pytest.approx(0.1 / 75.0)
    assert found.conductivity_without_doubtful == pytest.approx((0.1 / 50.0, 0.1 / 50.0 / 50.0))


def test_a_better_known_electrolyte_replaces_the_circuits_own() -> None:
    found = cell_quantities(known("R0-p(R1,CPE1)", S4), Sample(DISC), electrolyte=(80.0, 4.0))
    value, error = conductivity(found)
    assert value == pytest.approx(0.08 / (80.0 * math.pi / 4))
    assert error == pytest.approx(0.05 * value)


def test_an_element_that_is_an_arc_by_itself_counts_like_one() -> None:
    # ZARC: R, tau, alpha; tau/R = 1e-6 F is an interface's
    fit = known("R0-ZARC1", [100.0, 20.0, 2e-5, 0.9], {"ZARC1_R": 1.0}, geometry=UNIT)
    found = cell_quantities(fit, Sample(UNIT, symmetric=True))
    assert list(found.interfaces) == ["ZARC1_R"]
    assert found.all_interfaces is not None
    assert found.all_interfaces.area_specific_resistance_ohm_square_centimetre == pytest.approx(10)


# --- how everything scales -----------------------------------------------------------------------

FIT = known("R0-p(R1,CPE1)", S4, ERRORS_S4, {("R0", "R1"): -0.4})
sizes = st.floats(1e-2, 1e2)


@given(sizes, sizes, st.booleans())
def test_conductivity_goes_with_length_over_area_and_an_interface_with_area(
    length: float, area: float, symmetric: bool
) -> None:
    scaled = Geometry(length * DISC.thickness_centimetre, area * DISC.area_square_centimetre)
    before, after = (
        cell_quantities(FIT, Sample(one, symmetric, 0.03, 0.02)) for one in (DISC, scaled)
    )
    for old, new in zip(conductivity(before), conductivity(after), strict=True):
        assert new == pytest.approx(old * length / area, rel=1e-9)
    one, other = before.interfaces["R1"], after.interfaces["R1"]
    for name in (
        "area_specific_resistance_ohm_square_centimetre",
        "combined_standard_error_ohm_square_centimetre",
    ):
        assert getattr(other, name) == pytest.approx(getattr(one, name) * area, rel=1e-9)


@given(st.floats(0.0, 0.4), st.floats(0.0, 0.4), st.floats(-0.99, 0.99))
def test_errors_follow_the_covariance_and_never_fall_below_the_geometrys(
    first: float, second: float, share: float
) -> None:
    values = np.array(S4)
    spread = np.diag([first * values[0], second * values[1], 0.0, 0.0])
    related = np.eye(4)
    related[0, 1] = related[1, 0] = share
    fit = replace(FIT, covariance=spread @ related @ spread)
    found = cell_quantities(fit, Sample(DISC, True, 0.03, 0.02))
    value, error = conductivity(found)
    assert error / value == pytest.approx(math.sqrt(first**2 + 0.03**2 + 0.02**2), rel=1e-6)
    total, total_error = fit.total_resistance
    by_hand = spread[0, 0] ** 2 + spread[1, 1] ** 2 + 2 * share * spread[0, 0] * spread[1, 1]
    assert total == pytest.approx(85.0)
    assert total_error == pytest.approx(math.sqrt(max(by_hand, 0.0)), rel=1e-6, abs=1e-9)
