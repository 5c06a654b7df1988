"""A run that waits, disconnected, until what surrounds its cell is right again. Pure, as soak.py.

A step at another temperature than the protocol's is not the step that was asked for; a chamber whose
door was opened, or a glove box that is being used, is no reason to lose the run. So beyond a band the
cell is disconnected, and the step goes on when the air has been back for a while: with a band of its
own, narrower than the first.
"""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

from rig.engine.action import Reading
from rig.engine.cursor import NAN, Place, Suspension
from rig.engine.surroundings import sensed_value
from rig.protocol.program import Step, StepKind, Suspend, SuspendCondition
from rig.protocol.words import AUXILIARY_UNITS

LOOK_SECOND = 15.0  # how often the chamber is read, too


class Reason(NamedTuple):
    """Why a run must wait, and for what: empty for its temperature."""

    words: str
    cause: str = ""


class Verdict(NamedTuple):
    """What a reading means to a run that is suspended: go on, give up, or neither yet."""

    suspension: Suspension
    over: str = ""  # it goes on, for these words
    failed: str = ""


class _Rule(NamedTuple):
    """How a wait ends: whether it is right again now, for how long it has to be, the longest wait."""

    back: bool
    settle_second: float
    timeout_second: float
    what: str


def reason_to_suspend(
    suspend: Suspend | None, place: Place, step: Step, reading: Reading
) -> Reason | None:
    """Return why the run must wait; None while everything is as it asked for.

    Only a run that holds a temperature can lose it: not on the way there, and not where another
    run's set point is in force.
    """
    if suspend is None:
        return None
    if suspend.conditions:
        reason = _broken_condition(suspend, reading)
        if reason is not None:
            return reason
    if step.kind is StepKind.SET_TEMPERATURE or not reading.granted:
        return None
    off = _off_kelvin(place, reading)
    if isnan(off) or off <= suspend.beyond_kelvin:
        return None
    return Reason(
        f"temperature {reading.temperature_celsius:.4g} degC is {off:.2g} K off "
        f"{place.chamber_celsius:g} degC, more than {suspend.beyond_kelvin:g} K"
    )


def _broken_condition(suspend: Suspend, reading: Reading) -> Reason | None:
    """A condition whose sensor has been silent for too long is broken: nobody knows that it holds."""
    for condition in suspend.conditions:
        name = condition.quantity
        overdue = reading.sensed.overdue.get(name) if reading.sensed is not None else None
        if overdue is not None:
            return Reason(f"{name}: {overdue.words}", name)
        value = sensed_value(reading, name)
        if _holds(value, condition.operator, condition.beyond):
            unit = AUXILIARY_UNITS[condition.dimension]
            where = "above" if condition.operator == ">=" else "below"
            return Reason(f"{name} {value:.4g} {unit} is {where} {condition.words}", name)
    return None


def suspension_begins(now_second: float, cause: str = "") -> Suspension:
    return Suspension(now_second, cause=cause)


def suspension_goes_on(
    suspend: Suspend, before: Suspension, place: Place, reading: Reading
) -> Verdict:
    """Judge one reading of the air; the settling time begins again with every look outside."""
    now = reading.test_time_second
    rule = _rule(suspend, before.cause, place, reading)
    if now - before.since_second >= rule.timeout_second:
        hours = rule.timeout_second / 3600.0
        return Verdict(before, failed=f"suspended for {hours:g} h: the {rule.what} did not return")
    if not rule.back:
        return Verdict(before._replace(settled_second=NAN))
    settled = now if isnan(before.settled_second) else before.settled_second
    if now - settled < rule.settle_second - 1e-6:
        return Verdict(before._replace(settled_second=settled))
    minutes = (now - before.since_second) / 60.0
    return Verdict(before, over=f"{rule.what} is back after {minutes:.0f} min")


def _rule(suspend: Suspend, cause: str, place: Place, reading: Reading) -> _Rule:
    """Return how the wait for ``cause`` ends; nothing else may be wrong then, either."""
    for condition in suspend.conditions:
        if condition.quantity == cause:
            back = _is_back(condition, reading) and _broken_condition(suspend, reading) is None
            return _Rule(back, condition.settle_second, condition.timeout_second, cause)
    off = _off_kelvin(place, reading)
    back = off <= suspend.resume_kelvin and reading.granted
    back = back and _broken_condition(suspend, reading) is None
    return _Rule(back, suspend.settle_second, suspend.timeout_second, "temperature")


def _is_back(condition: SuspendCondition, reading: Reading) -> bool:
    inward = "<=" if condition.operator == ">=" else ">="
    return _holds(sensed_value(reading, condition.quantity), inward, condition.resume)


def _holds(value: float, comparison: str, bound: float) -> bool:
    return value >= bound if comparison == ">=" else value <= bound  # NaN holds nothing


def _off_kelvin(place: Place, reading: Reading) -> float:
    return abs(reading.temperature_celsius - place.chamber_celsius)
