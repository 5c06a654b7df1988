"""Open and short correction against the circuit that it undoes."""

from __future__ import annotations

import cmath
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.fixture import Fixture, FixtureSpectrum

FREQUENCIES = [10.0 ** (n / 3.0) for n in range(19)]  # 1 Hz to 1 MHz, 3 points a decade


def leads(hertz: float, ohm: float = 0.4, henry: float = 3e-7) -> complex:
    return complex(ohm, 2 * math.pi * hertz * henry)


def stray(hertz: float, farad: float = 8e-12) -> complex:
    return complex(0.0, 2 * math.pi * hertz * farad)


def measured(hertz: float, cell_ohm: complex) -> complex:
    """The circuit of science.md 2.1: leads in series, a stray capacitance across the cell."""
    return leads(hertz) + 1.0 / (stray(hertz) + 1.0 / cell_ohm)


SHORT = FixtureSpectrum.of([(f, leads(f)) for f in FREQUENCIES])
OPEN = FixtureSpectrum.of([(f, leads(f) + 1.0 / stray(f)) for f in FREQUENCIES])
FIXTURE = Fixture(OPEN, SHORT)


@given(
    st.floats(1.0, 1e6),
    st.floats(1e-2, 1e7),
    st.floats(-math.pi / 2, 0.0),
)
def test_correction_undoes_the_fixture_at_any_frequency_between_the_measured_ones(
    hertz: float, ohm: float, phase: float
) -> None:
    cell = cmath.rect(ohm, phase)
    corrected = FIXTURE.corrected(hertz, measured(hertz, cell))
    # A cell that is large against the stray impedance is a small difference of large numbers.
    loss = 1.0 + abs(cell * stray(hertz)) + abs(leads(hertz) / cell)
    assert abs(corrected - cell) <= 1e-9 * loss**2 * abs(cell)


def test_a_short_alone_takes_the_leads_away() -> None:
    assert Fixture(short=SHORT).corrected(1e3, 10.0 + leads(1e3)) == pytest.approx(10.0)


def test_an_open_alone_takes_the_stray_capacitance_away() -> None:
    only = FixtureSpectrum.of([(f, 1.0 / stray(f)) for f in FREQUENCIES])
    seen = 1.0 / (stray(1e6) + 1.0 / 5000.0)
    assert Fixture(open=only).corrected(1e6, seen) == pytest.approx(5000.0)
    assert abs(seen) < 4900.0


def test_no_fixture_changes_nothing() -> None:
    assert Fixture().corrected(123.0, 3 - 4j) == 3 - 4j
    assert Fixture().span == (0.0, math.inf)


def test_beyond_the_measured_frequencies_there_is_no_number() -> None:
    assert cmath.isnan(FIXTURE.corrected(0.5, 10 + 0j))
    assert cmath.isnan(FIXTURE.corrected(2e6, 10 + 0j))
    assert not cmath.isnan(FIXTURE.corrected(1.005e6, 10 + 0j))  # an instrument's rounding


def test_the_span_is_what_both_parts_cover() -> None:
    wide = FixtureSpectrum.of([(0.1, 1j), (1e7, 1j)])
    assert Fixture(wide, SHORT).span == SHORT.span


def test_an_open_that_equals_the_short_is_no_number_and_no_exception() -> None:
    assert cmath.isnan(Fixture(SHORT, SHORT).corrected(10.0, 5 + 0j))


def test_one_point_is_enough_for_its_own_frequency() -> None:
    assert Fixture(short=FixtureSpectrum((1000.0,), (0.5 + 0j,))).corrected(1000.0, 2 + 0j) == 1.5
