"""Elements against closed formulas, tabulated spectra, and their own other domain."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.models.circuit import Circuit, Part
from simulators.models.elements import (
    BlockingCpe,
    FiniteWarburg,
    Ladder,
    Resistor,
    Zarc,
)


def ladder_impedance(ladder: Ladder, omega: float) -> complex:
    """The spectrum that the time domain has, from its branches."""
    total = complex(ladder.series_ohm)
    for elastance, tau in ladder.branches:
        total += elastance / (1j * omega + (0.0 if math.isinf(tau) else 1.0 / tau))
    return total


def effective_capacitance(resistance: float, q: float, exponent: float) -> float:
    return float(q ** (1 / exponent) * resistance ** ((1 - exponent) / exponent))


@pytest.mark.parametrize(
    ("hertz", "expected"),
    [
        (1e6, 290.49138 - 51.72535j),
        (1e5, 368.67268 - 35.69539j),
        (1e4, 395.97117 - 22.02651j),
        (1e3, 427.57595 - 11.03826j),
        (1e2, 432.41402 - 1.78821j),
        (10, 432.83827 - 0.25515j),
    ],
)
def test_three_arcs_reproduce_the_spectrum_of_case_s5(hertz: float, expected: complex) -> None:
    arcs = [(276.8, 6e-11, 0.98), (106.1, 2e-8, 0.90), (50.0, 3e-6, 0.85)]
    circuit = Circuit(tuple(Part(Zarc(r, effective_capacitance(r, q, a), a)) for r, q, a in arcs))
    assert circuit.impedance(hertz, 25.0) == pytest.approx(expected, rel=1e-5)


@given(
    exponent=st.floats(0.6, 1.0),
    branches=st.integers(1, 8),
    factor=st.floats(0.01, 100.0),
)
def test_an_arc_keeps_its_direct_current_resistance_in_the_time_domain(
    exponent: float, branches: int, factor: float
) -> None:
    ladder = Zarc(12.0, 5e-4, exponent, branches).ladder(factor)
    assert ladder.direct_current_ohm == pytest.approx(12.0 * factor, rel=1e-9)


def test_the_branches_of_an_arc_are_quantiles_of_its_own_distribution() -> None:
    # Integrate g(x) = sin((1-a)pi)/2pi / (cosh(a x) - cos((1-a)pi)) up to each branch.
    exponent, count = 0.85, 5
    angle = (1 - exponent) * math.pi
    branches = Zarc(1.0, 1.0, exponent, count).ladder(1.0).branches
    for k, (_, tau) in enumerate(branches):
        edges = [-60.0 + i * (math.log(tau) + 60.0) / 60_000 for i in range(60_001)]
        density = [math.sin(angle) / (math.cosh(exponent * x) - math.cos(angle)) for x in edges]
        area = (sum(density) - (density[0] + density[-1]) / 2) * (edges[1] - edges[0])
        assert area / (2 * math.pi) == pytest.approx((k + 0.5) / count, abs=1e-4)


def test_many_branches_come_close_to_the_arc_itself() -> None:
    arc = Zarc(10.0, 1e-3, 0.85, branch_count=60)
    ladder = arc.ladder(1.0)
    for decade in range(-2, 3):
        omega = 100.0 * 10.0**decade
        exact = arc.impedance(omega, 1.0)
        assert abs(ladder_impedance(ladder, omega) - exact) < 0.02 * 10.0


@pytest.mark.parametrize("branches", [2, 3, 6])
def test_diffusion_is_right_to_second_order_at_low_frequency(branches: int) -> None:
    warburg = FiniteWarburg(8.0, 60.0, branches)
    ladder = warburg.ladder(2.0)
    assert ladder.direct_current_ohm == pytest.approx(16.0)
    omega = 1e-4
    assert ladder_impedance(ladder, omega) == pytest.approx(warburg.impedance(omega, 2.0), rel=1e-6)


def test_diffusion_has_its_45_degree_line_and_no_overflow_at_high_frequency() -> None:
    for omega in (1e2, 1e6, 1e12):
        value = FiniteWarburg(8.0, 60.0).impedance(omega, 1.0)
        assert value.imag == pytest.approx(-value.real, rel=1e-3)


def test_a_blocking_element_is_the_same_in_both_domains_over_eight_decades() -> None:
    cpe = BlockingCpe(2e-6, 0.92)
    ladder = cpe.ladder(1.0)
    for decade in range(-3, 6):
        omega = 10.0**decade
        exact = cpe.impedance(omega, 1.0)
        assert abs(ladder_impedance(ladder, omega) - exact) < 0.02 * abs(exact)
    assert math.isinf(ladder.direct_current_ohm)


def test_growth_follows_the_square_root_of_time() -> None:
    circuit = Circuit((Part(Resistor(10.0), growth_per_root_hour=0.1),))
    assert circuit.impedance(1.0, 25.0, 4 * 3600.0).real == pytest.approx(12.0)
    assert circuit.grows


def test_a_drift_is_a_straight_line_on_top_of_growth() -> None:
    part = Part(Resistor(10.0), growth_per_root_hour=0.1)
    circuit = Circuit((part,)).drifting(0.005)
    assert circuit.impedance(1.0, 25.0, 4 * 3600.0).real == pytest.approx(12.2)
    assert circuit.grows


def test_a_drift_raises_resistances_and_leaves_capacitances_alone() -> None:
    circuit = Circuit((Part(Resistor(10.0)), Part(BlockingCpe(2e-6)))).drifting(0.5)
    fresh, later = (circuit.impedance(0.1, 25.0, hour * 3600.0) for hour in (0, 2))
    assert later - fresh == pytest.approx(10.0)
    branches = [circuit.ladder(25.0, hour * 3600.0).branches for hour in (0, 2)]
    assert branches[0] == branches[1]


def test_without_growth_or_drift_nothing_grows() -> None:
    assert not Circuit((Part(Resistor(10.0)),)).drifting(0.0).grows
