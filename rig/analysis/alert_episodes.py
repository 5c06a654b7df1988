"""When a quantity of cycles broke a rule: episodes in a series. Pure: knows no run, no alarm, no clock.

A cycle without a value (no pulse, no discharge) is passed over: it neither breaks a rule nor ends an
episode, or a check at every fiftieth cycle could never be two in a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rig.core.alert_rules import AlertRule, Statistic

FEWEST_OF_A_GROUP = 3  # below, a median says nothing of who is odd

Series = Mapping[int, float]  # cycle number -> value; NaN where the cycle has none


@dataclass(frozen=True, slots=True)
class Episode:
    """Cycles in a row that break a rule: the first, the one at which it fires, the newest.

    ``value`` is that of the cycle at which it fires. ``is_open``: the newest cycle breaks it still.
    """

    first_cycle: int
    fired_cycle: int
    last_cycle: int
    value: float
    is_open: bool


def episodes(series: Series, rule: AlertRule) -> list[Episode]:
    """Return where what is compared (see ``compared``) breaks the rule, oldest first."""
    found: list[Episode] = []
    streak: list[int] = []
    for cycle in sorted(series):
        value = series[cycle]
        if cycle < rule.first_cycle or math.isnan(value):
            continue
        if rule.comparison.holds(value, rule.threshold):
            streak.append(cycle)
            continue
        found += _episode(series, streak, rule.consecutive, is_open=False)
        streak = []
    return found + _episode(series, streak, rule.consecutive, is_open=True)


def _episode(series: Series, streak: list[int], count: int, *, is_open: bool) -> list[Episode]:
    if len(streak) < count:
        return []
    fired = streak[count - 1]
    return [Episode(streak[0], fired, streak[-1], series[fired], is_open)]


def compared(series: Series, rule: AlertRule, medians: Series) -> Series:
    """Return what the rule compares with its threshold, by cycle; NaN where there is nothing to compare.

    ``medians`` are those of the group (``group_medians``); only a statistic of the group uses them.
    """
    reference = math.nan
    if rule.reference_cycle is not None:
        reference = series.get(rule.reference_cycle, math.nan)
    group = rule.statistic.needs_group
    return {
        cycle: _compared(value, medians.get(cycle, math.nan) if group else reference, rule)
        for cycle, value in series.items()
    }


def _compared(value: float, other: float, rule: AlertRule) -> float:
    if rule.statistic is Statistic.VALUE:
        return value
    if not rule.statistic.is_ratio:
        return value - other
    return value / other if other else math.nan


def group_medians(group: Iterable[Series]) -> Series:
    """Return the median of a group at each cycle; none where fewer than three of it have a value."""
    values: dict[int, list[float]] = {}
    for series in group:
        for cycle, value in series.items():
            if not math.isnan(value):
                values.setdefault(cycle, []).append(value)
    return {cycle: _median(found) for cycle, found in values.items()}


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) >= FEWEST_OF_A_GROUP else math.nan
