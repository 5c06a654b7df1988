"""Numbers are printed as far as their standard error goes, and no further."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.report import drawing, numbers
from rig.report.numbers import beside, between, concise, duration, exact, places, plus_minus


def test_the_examples_in_the_docstrings_are_true() -> None:
    for module in (numbers, drawing):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("value", "error", "printed"),
    [
        (0.0019783, 0.0000447, "1.98(4)×10⁻³"),
        (10.0123, 0.1151, "10.01(12)"),
        (-0.5, 0.021, "−0.500(21)"),
        (101.8, 0.0963, "101.80(10)"),
        (12_345.0, 321.0, "1.23(3)×10⁴"),
        (3.21, 1.4, "3.2(1.4)"),
        (0.0, 0.2, "0.00(20)"),
        (2.0, 0.0, "2"),
        (math.nan, 0.1, "not determined"),
        (1.0, math.inf, "not determined"),
    ],
)
def test_a_value_ends_where_its_error_begins(value: float, error: float, printed: str) -> None:
    assert concise(value, error) == printed


@given(
    st.floats(1e-12, 1e12),
    st.floats(1e-6, 10.0),
    st.sampled_from([-1.0, 1.0]),
)
def test_the_last_digit_is_worth_between_a_thirtieth_and_the_whole_of_the_error(
    size: float, relative: float, sign: float
) -> None:
    error = size * relative
    how = places(sign * size, error)
    last = 10.0 ** (how.power - how.decimals)
    assert last <= 1.1 * error
    assert last >= error / 30.0 or how.decimals == 0


def test_value_and_error_stand_side_by_side_with_one_power_of_ten() -> None:
    assert plus_minus(4.9917e-4, 4.2e-7) == "(4.992 ± 0.004)×10⁻⁴"
    assert plus_minus(0.3476, 0.00099) == "0.3476 ± 0.0010"


def test_a_value_without_uncertainty_says_so() -> None:
    assert plus_minus(0.35, 0.0) == "0.35 (no uncertainty given)"
    assert between(0.35, 0.35, 0.35, 0.0) == "–"


def test_a_truth_is_printed_to_the_places_of_the_value() -> None:
    assert beside(5e-4, 4.9917e-4, 4.2e-7) == "5.000×10⁻⁴"
    assert beside(0.35, math.nan, 1.0) == "0.35"


@pytest.mark.parametrize(
    ("second", "text"),
    [(42.0, "42 s"), (3600.0, "1 h 00 min"), (59_208.0, "16 h 27 min"), (3_286_564.0, "38.0 d")],
)
def test_durations_are_written_for_people(second: float, text: str) -> None:
    assert duration(second) == text


def test_small_numbers_without_uncertainty_get_a_power_of_ten() -> None:
    assert exact(2.5e-7) == "2.5×10⁻⁷"
    assert exact(-12.0) == "−12"
