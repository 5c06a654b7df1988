"""Conditions: text -> tree -> truth -> text."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.protocol.conditions import parse_condition
from rig.protocol.expressions import evaluate, is_true, names_in, write
from rig.protocol.program import NAMES, Name, Number, Operation


def test_a_remainder_binds_tighter_than_a_comparison():
    remainder = Operation("%", (Name("cycle"), Number(50.0)))
    assert parse_condition("cycle % 50 == 0") == Operation("==", (remainder, Number(0.0)))


def test_per_cent_and_remainder_are_told_apart_by_what_follows():
    condition = parse_condition("capacity_retention < 80 % and cycle % 2 == 1")
    assert is_true(condition, {"capacity_retention": 0.79, "cycle": 3})
    assert not is_true(condition, {"capacity_retention": 0.8, "cycle": 3})
    assert not is_true(condition, {"capacity_retention": 0.79, "cycle": 4})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not cycle == 1 or pass == 2", True),
        ("not (cycle == 1 or pass == 2)", False),
        ("cycle - 1 - 1 == 1", True),
        ("2 * (cycle + 1) >= 8", True),
        ("-cycle < -2", True),
        ("test_time > 1 h", True),
        ("last.discharge.capacity < 1.5 mAh", True),
        ("last.discharge.capacity / last.charge.capacity < 95 %", True),
    ],
)
def test_conditions_are_evaluated_by_the_usual_precedence(text: str, expected: bool):
    values = {"cycle": 3.0, "pass": 2.0, "test_time": 3601.0}
    values |= {"last.discharge.capacity": 0.0014, "last.charge.capacity": 0.002}
    assert is_true(parse_condition(text), values) is expected


def test_what_is_missing_never_triggers_anything():
    for text in ("capacity_retention < 80 %", "not capacity_retention < 80 %"):
        assert evaluate(parse_condition(text), {}) is None
        assert not is_true(parse_condition(text), {})


def test_what_is_known_decides_even_beside_what_is_missing():
    either = parse_condition("cycle == 1 or capacity_retention < 80 %")
    assert is_true(either, {"cycle": 1})
    both = parse_condition("cycle == 1 and capacity_retention < 80 %")
    assert evaluate(both, {"cycle": 2}) == 0.0


def test_a_division_by_zero_is_missing():
    assert evaluate(parse_condition("cycle / (pass - 1) > 1"), {"cycle": 1, "pass": 1}) is None


def test_names_are_found_wherever_they_stand():
    assert names_in(parse_condition("not cycle > 1 or -pass < 2")) == {"cycle", "pass"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cycel == 1", "unknown name 'cycel'"),
        ("cycle", "a number, not a condition"),
        ("cycle == ", "the end at character"),
        ("cycle = 1", "'=' at character 7"),
        ("(cycle == 1", "never closed"),
        ("cycle == 1 == 1", "compares twice"),
        ("cycle == 1 2", "'2' at character"),
        ("capacity_retention < 80", "a fraction < a number means nothing"),
        ("last.discharge.capacity < 1.5", "a capacity < a number means nothing"),
        ("last.discharge.capacity < 3 V", "expected a time, a capacity"),
        ("cycle and pass == 1", "a number beside 'and'"),
        ("-(cycle == 1) == 2", "minus before a condition"),
        ("cycle * 2 mAh < last.charge.capacity", "write a plain number"),
        ("__import__('os').system('true')", "does not fit there"),
        ("cycle < 1e999", "too large"),
        ("(" * 150, "never closed|the end"),
        ("cycle == " + "1" * 300, "longer than"),
        (5, "expected a condition"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_reason(text, message):
    with pytest.raises(BadInput, match=message):
        parse_condition(text)


def test_a_misspelt_name_brings_the_nearest_one():
    with pytest.raises(BadInput) as refusal:
        parse_condition("capacity_retension < 80 %")
    assert refusal.value.problems[0].suggestion == "capacity_retention"


# --- properties ----------------------------------------------------------------------------------

_numbers = st.integers(0, 10_000).map(str)
_counts = st.sampled_from(["cycle", "pass"]) | _numbers
_sums = st.tuples(_counts, st.sampled_from("+-*/%"), _counts).map(lambda p: f"({' '.join(p)})")
_capacities = st.sampled_from(["last.charge.capacity", "last.discharge.capacity"]) | _numbers.map(
    lambda number: f"{number} mAh"
)
_fractions = st.sampled_from(["capacity_retention", "last.coulombic_efficiency"]) | _numbers.map(
    lambda number: f"{number} %"
)
_signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
_comparisons = st.one_of(
    *(
        st.tuples(kind, _signs, kind).map(" ".join)
        for kind in (_counts | _sums, _capacities, _fractions)
    )
)
_conditions = st.recursive(
    _comparisons,
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda p: f"({p[0]}) {p[1]} {p[2]}"
        ),
    ),
    max_leaves=3,
).filter(lambda text: len(text) <= 150)


@given(_conditions)
def test_every_condition_can_be_written_and_read_back(text: str):
    expression = parse_condition(text)
    assert parse_condition(write(expression)) == expression


@given(_conditions)
def test_without_any_value_only_bare_numbers_decide(text: str):
    expression = parse_condition(text)
    if evaluate(expression, {}) is not None:
        # Constants, or an and/or that one constant side decides: more knowledge changes nothing.
        assert evaluate(expression, {}) == evaluate(expression, dict.fromkeys(NAMES, 1.0))


@given(st.text(max_size=60) | st.text("cycle passnotandor0123456789.()<>=%+-*/ ", max_size=60))
def test_any_text_is_a_condition_or_bad_input(text: str):
    with contextlib.suppress(BadInput):
        parse_condition(text)
