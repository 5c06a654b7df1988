"""Quantities as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.core.units import DIMENSIONS, quantity, rate_per_hour, show


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("4.2 V", "voltage", 4.2),
        ("4.2V", "voltage", 4.2),
        ("0 V", "voltage", 0.0),
        ("-50 mV", "voltage", -0.05),
        ("1.5 mA", "current", 0.0015),
        ("1 µA", "current", 1e-6),
        ("0.5 mA/cm^2", "current_density", 0.0005),
        ("1 mA/cm²", "current_density", 0.001),
        ("30 min", "time", 1800.0),
        ("2 h", "time", 7200.0),
        ("1 MHz", "frequency", 1e6),
        ("10 mHz", "frequency", 0.01),
        ("50 Ω", "resistance", 50.0),
        ("25 degC", "temperature", 25.0),
        ("-20 °C", "temperature", -20.0),
        ("298.15 K", "temperature", 25.0),
        ("0.3 K", "temperature_difference", 0.3),
        ("0.5 mm", "length", 0.05),
        ("78.5 mm^2", "area", 0.785),
        ("0.785 cm2", "area", 0.785),
        ("0.5 mA/cm2", "current_density", 0.0005),
        ("80 mg", "mass", 0.08),
        ("2 mAh", "capacity", 0.002),
        ("7.2 A s", "capacity", 0.002),
        ("80 %", "fraction", 0.8),
        ("2 K/min", "temperature_rate", 2.0),
    ],
)
def test_a_quantity_becomes_a_float_in_its_base_unit(text: str, dimension: str, value: float):
    assert quantity(text, dimension) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("dimension", sorted(DIMENSIONS))
def test_the_example_of_every_dimension_is_valid(dimension: str):
    assert quantity(DIMENSIONS[dimension][1], dimension)


@pytest.mark.parametrize(
    ("text", "dimension", "message"),
    [
        ("4.2", "voltage", "without a unit, expected a voltage"),
        (4.2, "voltage", "without a unit"),
        ("4.2 v", "voltage", "unknown unit 'v'"),
        ("4.2 A", "voltage", "which is a current, expected a voltage"),
        ("3 mm", "area", "which is a length, expected an area"),
        ("C/2", "current", "expected a current with its unit"),
        ("5 C", "temperature", "got the C-rate '5 C', expected a temperature"),
        ("0.3 degC", "temperature_difference", "which is a temperature"),
        ("1 degF", "temperature_difference", "which is a temperature"),
        ("1e999 V", "voltage", "too large"),
        ("nan V", "voltage", "expected a voltage with its unit"),
        ("0,5 mm", "length", "with a decimal comma (0,5), expected '0.5 mm'"),
        ("2,8", "voltage", "with a decimal comma"),
        ("3 dB", "fraction", "unknown unit"),
        ("1 V**99999", "voltage", "unknown unit"),
        ("1 (", "voltage", "unknown unit"),
        (None, "voltage", "got None"),
        ("", "time", "expected a time with its unit"),
    ],
)
def test_what_is_no_such_quantity_is_refused_with_an_example(text, dimension, message):
    with pytest.raises(BadInput) as refusal:
        quantity(text, dimension, "limit")
    (problem,) = refusal.value.problems
    assert message in problem.message
    assert problem.where == "limit"
    assert problem.example == DIMENSIONS[dimension][1]


@pytest.mark.parametrize(
    ("text", "dimension", "meant"),
    [("100 khz", "frequency", "kHz"), ("10 mv", "voltage", "mV"), ("3 quux", "length", "")],
)
def test_another_case_is_another_unit_so_the_usual_one_is_asked(text, dimension, meant):
    with pytest.raises(BadInput) as refusal:
        quantity(text, dimension)
    assert refusal.value.problems[0].suggestion == meant


@given(st.text(max_size=30), st.sampled_from(sorted(DIMENSIONS)))
def test_any_text_is_a_finite_number_or_bad_input(text: str, dimension: str):
    with contextlib.suppress(BadInput):
        assert abs(quantity(text, dimension)) < float("inf")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("C/10", 0.1),
        ("C / 2", 0.5),
        ("2C", 2.0),
        ("0.5 C", 0.5),
        ("2C/4", 0.5),
        ("C", 1.0),
        ("-C/5", -0.2),
    ],
)
def test_a_c_rate_is_multiples_of_the_capacity_per_hour(text: str, rate: float):
    assert rate_per_hour(text) == rate


@pytest.mark.parametrize("text", ["C/0", "1 mA", "25 degC", "", "CC", None])
def test_what_is_no_c_rate_is_none(text):
    assert rate_per_hour(text) is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.0015, "A", "1.5 mA"), (0.0, "V", "0 V"), (-2e4, "Hz", "-20 kHz"), (999.99, "V", "1 kV")],
)
def test_floats_are_shown_with_a_prefix(value: float, unit: str, text: str):
    assert show(value, unit) == text
