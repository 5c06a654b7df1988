"""Effective capacitances and what process they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from rig.analysis.capacitance import (
    Geometry,
    assign,
    brug_capacitance,
    effective_capacitances,
    hsu_mansfeld_capacitance,
    relative_permittivity,
)
from rig.analysis.circuit_text import parse_circuit
from rig.core.errors import BadInput

# R5: thesis data at 195 K; R1, Q1, a1, R2, Q2, a2, C1, C2, C2/C1, L/A
R5 = [
    (909.19, 2.5e-10, 1.00, 6050.5, 1.12e-8, 0.798, 2.500e-10, 9.861e-10, 3.94, 6.655, 0.264),
    (1138.3, 1.0e-9, 0.91, 10066.0, 1.12e-8, 0.817, 2.583e-10, 1.462e-9, 5.66, 8.843, 0.239),
]


@pytest.mark.parametrize("row", R5)
def test_r5_compares_capacitances_and_never_q(row: tuple[float, ...]) -> None:
    r1, q1, a1, r2, q2, a2, c1, c2, c_ratio, r_ratio, _ = row
    found = effective_capacitances(
        parse_circuit("p(R1,CPE1)-p(R2,CPE2)"), np.array([r1, q1, a1, r2, q2, a2])
    )
    assert found["CPE1"] == pytest.approx(c1, rel=0.01)
    assert found["CPE2"] == pytest.approx(c2, rel=0.01)
    assert found["CPE2"] / found["CPE1"] == pytest.approx(c_ratio, rel=0.005)
    assert r2 / r1 == pytest.approx(r_ratio, rel=0.005)


@pytest.mark.parametrize("row", R5)
def test_r5_arcs_are_bulk_and_grain_boundary(row: tuple[float, ...]) -> None:
    geometry = Geometry(row[-1], 1.0)
    assert assign({"CPE1": row[6], "CPE2": row[7]}, geometry) == {
        "CPE1": "bulk",
        "CPE2": "grain boundary",
    }


def test_s5_arcs_have_their_capacitances_and_processes() -> None:
    values = np.array([276.8, 6e-11, 0.98, 106.1, 2e-8, 0.90, 50, 3e-6, 0.85])
    found = effective_capacitances(parse_circuit("p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)"), values)
    assert list(found.values()) == pytest.approx([4.1628e-11, 4.6846e-9, 6.3433e-7], rel=1e-4)
    assert list(assign(found, None).values()) == ["bulk", "grain boundary", "interface"]


def test_an_arc_may_be_written_capacitor_first() -> None:
    found = effective_capacitances(parse_circuit("p(CPE1,R1)"), np.array([2e-8, 0.9, 106.1]))
    assert found["CPE1"] == pytest.approx(4.6846e-9, rel=1e-4)


def test_brugs_formula_sees_both_resistances() -> None:
    assert brug_capacitance(3e-6, 0.85, 10.0, 50.0) == pytest.approx(4.6237e-7, rel=1e-4)


def test_both_formulas_return_the_capacitance_of_an_ideal_capacitor() -> None:
    assert hsu_mansfeld_capacitance(1e-6, 1.0, 37.0) == pytest.approx(1e-6)
    assert brug_capacitance(1e-6, 1.0, 37.0) == pytest.approx(1e-6)


def test_a_blocking_tails_capacitance_is_brugs_with_all_series_resistance() -> None:
    circuit = parse_circuit("R0-p(R1,CPE1)-CPE2")
    found = effective_capacitances(circuit, np.array([20.0, 30.0, 2e-8, 0.9, 4e-6, 0.9]))
    assert found["CPE2"] == pytest.approx(brug_capacitance(4e-6, 0.9, 50.0))


def test_one_capacitance_between_two_classes_is_ambiguous() -> None:
    assert assign({"C1": 3e-11}, Geometry(1.0, 1.0)) == {"C1": "ambiguous"}


def test_a_capacitance_of_no_class_is_unknown() -> None:
    assert assign({"C1": 1e-15}, Geometry(1.0, 1.0)) == {"C1": "unknown"}


def test_geometry_decides_between_grain_boundary_and_interface() -> None:
    # 3e-8 F on 1 cm2: a grain boundary in a 1 mm pellet, never in a 1 cm one
    assert assign({"C1": 3e-8}, Geometry(1.0, 1.0)) == {"C1": "interface"}
    assert assign({"C1": 3e-8}, Geometry(0.1, 1.0)) == {"C1": "ambiguous"}


def test_permittivity_follows_from_geometry() -> None:
    argyrodite = 30 * 8.8541878128e-14 * 0.785 / 0.08
    assert relative_permittivity(argyrodite, Geometry(0.08, 0.785)) == pytest.approx(30)


def test_a_geometry_without_size_is_refused() -> None:
    with pytest.raises(BadInput) as refusal:
        Geometry(0.0, float("nan"))
    assert len(refusal.value.problems) == 2
