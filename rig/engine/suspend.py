"""A run that waits, disconnected, until its temperature is right again. Pure, as soak.py.

A step at another temperature than the protocol's is not the step that was asked for; a chamber whose
door was opened is no reason to lose the run. So beyond a band the cell is disconnected, and the step
goes on when the air has been back for a while: with a band of its own, narrower than the first.
"""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

from rig.engine.action import Reading
from rig.engine.cursor import NAN, Place, Suspension
from rig.protocol.program import Step, StepKind, Suspend

LOOK_SECOND = 15.0  # how often the chamber is read, too


class Verdict(NamedTuple):
    """What a reading means to a run that is suspended: go on, give up, or neither yet."""

    suspension: Suspension
    over: str = ""  # it goes on, for these words
    failed: str = ""


def reason_to_suspend(suspend: Suspend | None, place: Place, step: Step, reading: Reading) -> str:
    """Return why the run must wait; empty while its temperature is the one it asked for.

    Only a run that holds a temperature can lose it: not on the way there, and not where another
    run's set point is in force.
    """
    if suspend is None or step.kind is StepKind.SET_TEMPERATURE or not reading.granted:
        return ""
    off = _off_kelvin(place, reading)
    if isnan(off) or off <= suspend.beyond_kelvin:
        return ""
    return (
        f"temperature {reading.temperature_celsius:.4g} degC is {off:.2g} K off "
        f"{place.chamber_celsius:g} degC, more than {suspend.beyond_kelvin:g} K"
    )


def suspension_begins(now_second: float) -> Suspension:
    return Suspension(now_second)


def suspension_goes_on(
    suspend: Suspend, before: Suspension, place: Place, reading: Reading
) -> Verdict:
    """Judge one reading of the air; the settling time begins again with every look outside."""
    now = reading.test_time_second
    off = _off_kelvin(place, reading)
    if now - before.since_second >= suspend.timeout_second:
        hours = suspend.timeout_second / 3600.0
        return Verdict(before, failed=f"suspended for {hours:g} h: the temperature did not return")
    if isnan(off) or off > suspend.resume_kelvin or not reading.granted:
        return Verdict(before._replace(settled_second=NAN))
    settled = now if isnan(before.settled_second) else before.settled_second
    if now - settled < suspend.settle_second - 1e-6:
        return Verdict(before._replace(settled_second=settled))
    minutes = (now - before.since_second) / 60.0
    return Verdict(before, over=f"temperature is back after {minutes:.0f} min")


def _off_kelvin(place: Place, reading: Reading) -> float:
    return abs(reading.temperature_celsius - place.chamber_celsius)
