"""Episodes of a series: what is in a row, what is passed over, what a group says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.analysis.alert_episodes import Episode, compared, episodes, group_medians
from rig.core.alarms import Severity
from rig.core.alert_rules import AlertRule, Comparison, Statistic, kind_of, rule_of

LOW = AlertRule(
    rule_id="r" * 32,
    name="Low efficiency",
    runs_where="",
    quantity="coulombic_efficiency",
    statistic=Statistic.VALUE,
    reference_cycle=None,
    first_cycle=1,
    comparison=Comparison.BELOW,
    threshold=0.99,
    consecutive=2,
    severity=Severity.WARNING,
    recipients=(),
    enabled=True,
    made_by="maria",
    made_us=1,
    changed_us=1,
)


def series(*values: float) -> dict[int, float]:
    return dict(enumerate(values, start=1))


def test_a_rule_fires_at_the_nth_cycle_in_a_row_and_lasts_as_long_as_it_is_broken() -> None:
    found = episodes(series(1.0, 0.98, 0.97, 0.96, 1.0, 0.98, 1.0, 0.9, 0.9), LOW)
    assert found == [Episode(2, 3, 4, 0.97, False), Episode(8, 9, 9, 0.9, True)]


def test_a_cycle_without_a_value_neither_breaks_the_row_nor_counts_in_it() -> None:
    nan = math.nan
    found = episodes(series(0.98, nan, nan, 0.97, nan), LOW)
    assert found == [Episode(1, 4, 4, 0.97, True)]


def test_cycles_before_the_first_that_counts_are_not_looked_at() -> None:
    assert episodes(series(0.9, 0.9, 0.9), replace(LOW, first_cycle=3)) == []


def test_at_the_threshold_itself_nothing_is_broken() -> None:
    for comparison in Comparison:
        assert episodes(series(0.99, 0.99), replace(LOW, comparison=comparison)) == []


VALUES = st.lists(st.sampled_from([0.9, 0.98, 0.99, 1.0, math.nan]), max_size=30)


@given(VALUES, st.integers(1, 4), st.integers(0, 30))
def test_what_has_fired_stays_where_it_was_when_more_cycles_come(values, consecutive, cut) -> None:
    """Or a rule would fire again for an episode that it has told of."""
    rule = replace(LOW, consecutive=consecutive)
    early, late = episodes(series(*values[:cut]), rule), episodes(series(*values), rule)
    assert [one.fired_cycle for one in late][: len(early)] == [one.fired_cycle for one in early]


@given(VALUES, st.integers(1, 4))
def test_episodes_hold_every_row_that_is_long_enough_and_no_other(values, consecutive) -> None:
    rule = replace(LOW, consecutive=consecutive)
    known = [value for value in values if not math.isnan(value)]
    broken = "".join("x" if value < 0.99 else "." for value in known)
    rows = [row for row in broken.split(".") if len(row) >= consecutive]
    assert len(episodes(series(*values), rule)) == len(rows)


def test_a_ratio_and_a_difference_are_to_the_cycle_that_the_rule_names() -> None:
    ratio = replace(LOW, statistic=Statistic.RATIO_TO_CYCLE, reference_cycle=2)
    assert compared(series(1.0, 2.0, 1.0), ratio, {}) == {1: 0.5, 2: 1.0, 3: 0.5}
    difference = replace(ratio, statistic=Statistic.DIFFERENCE_TO_CYCLE)
    assert compared(series(1.0, 2.0, 1.0), difference, {}) == {1: -1.0, 2: 0.0, 3: -1.0}


def test_without_the_cycle_to_compare_with_nothing_is_compared() -> None:
    ratio = replace(LOW, statistic=Statistic.RATIO_TO_CYCLE, reference_cycle=9)
    assert all(math.isnan(value) for value in compared(series(1.0, 2.0), ratio, {}).values())
    zero = replace(ratio, reference_cycle=1)
    assert all(math.isnan(value) for value in compared(series(0.0, 2.0), zero, {}).values())


def test_a_median_needs_three_cells_that_have_come_so_far() -> None:
    medians = group_medians([series(1.0, 5.0), series(2.0, 6.0), series(9.0)])
    assert medians[1] == 2.0
    assert math.isnan(medians[2])
    rule = replace(LOW, statistic=Statistic.DIFFERENCE_TO_MEDIAN)
    assert compared(series(9.0, 1.0), rule, medians)[1] == 7.0
    assert math.isnan(compared(series(9.0, 1.0), rule, medians)[2])


# --- the words of a rule -------------------------------------------------------------------------


def test_a_rule_is_its_row_and_back() -> None:
    rule = replace(LOW, recipients=("maria", "lab"), reference_cycle=5)
    assert rule_of(rule.plain()) == rule


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "coulombic efficiency below 99 % in 2 cycles in a row"),
        (
            {"consecutive": 1, "first_cycle": 4},
            "coulombic efficiency below 99 %, from cycle 4 on",
        ),
        (
            {
                "quantity": "discharging_capacity_ah",
                "statistic": Statistic.RATIO_TO_CYCLE,
                "reference_cycle": 5,
                "threshold": 0.8,
                "consecutive": 1,
            },
            "discharge capacity relative to cycle 5 below 80 %",
        ),
        (
            {
                "quantity": "dc_resistance_ohm",
                "statistic": Statistic.DIFFERENCE_TO_MEDIAN,
                "comparison": Comparison.ABOVE,
                "threshold": 12.5,
                "consecutive": 1,
            },
            "dc resistance (10 s pulse) minus the median of its group above 12.5 ohm",
        ),
        (
            {"quantity": "silence", "comparison": Comparison.ABOVE, "threshold": 600.0},
            "no data for 10 min 00 s",
        ),
    ],
)
def test_a_rule_says_in_words_what_it_means(changed, words) -> None:
    assert replace(LOW, **changed).words == words


def test_names_that_differ_in_signs_alone_make_one_kind_of_alarm() -> None:
    assert kind_of("Low efficiency (NMC)") == kind_of("low-efficiency  NMC") == LOW.kind + "-nmc"
    assert kind_of("dead man", silence=True) == "silence-dead-man"
