"""The press around a cell: what its pressure does after closing, when it warms, and after a restart."""

from __future__ import annotations

import json

import pytest

from simulators.models.stack import StackPressure, StackTraits

CREEPING = StackTraits(5e6, relaxation=0.2, relaxation_second=3600.0, pascal_per_kelvin=0.0)
STIFF = StackTraits(5e6, relaxation=0.0, pascal_per_kelvin=2e4)


def at_25(_second: float) -> float:
    return 25.0


def test_it_relaxes_fast_at_first_and_never_below_what_is_left_in_the_end():
    stack = StackPressure(CREEPING, at_25)
    assert stack.pressure_pascal(100.0) == 5e6
    at = [stack.pressure_pascal(100.0 + second) for second in (360.0, 3600.0, 36_000.0, 3.6e7)]
    assert at == sorted(at, reverse=True)
    assert at[1] == pytest.approx(5e6 * (1 - 0.2 * 0.63212), rel=1e-5)
    assert at[3] == pytest.approx(4e6)
    assert 5e6 - at[0] > 0.1 * (at[0] - at[1])


def test_the_past_keeps_its_answer():
    stack = StackPressure(CREEPING, at_25)
    stack.pressure_pascal(0.0)
    before = stack.pressure_pascal(500.0)
    stack.pressure_pascal(5000.0)
    assert stack.pressure_pascal(500.0) == before


def test_it_rises_by_what_a_rigid_press_adds_for_every_kelvin():
    warming = StackPressure(STIFF, lambda second: 25.0 + second / 100.0)
    warming.pressure_pascal(0.0)
    assert warming.pressure_pascal(3500.0) == pytest.approx(5e6 + 35 * 2e4)


def test_a_press_that_shrinks_away_pulls_at_nothing():
    cooling = StackPressure(STIFF, lambda second: 25.0 - second)
    cooling.pressure_pascal(0.0)
    assert cooling.pressure_pascal(1000.0) == 0.0


def test_a_saved_press_goes_on_where_it_was_and_no_time_has_passed():
    first = StackPressure(CREEPING, at_25)
    first.pressure_pascal(0.0)
    left = first.pressure_pascal(7200.0)
    saved = json.loads(json.dumps(first.state()))
    second = StackPressure(CREEPING, at_25)
    second.restore(saved)
    assert second.state() == saved
    assert second.pressure_pascal(1e6) == left
    assert second.pressure_pascal(1e6 + 3600.0) < left


def test_a_press_that_was_never_looked_at_can_be_saved_too():
    second = StackPressure(CREEPING, at_25)
    second.restore(StackPressure(CREEPING, at_25).state())
    assert second.pressure_pascal(50.0) == 5e6
