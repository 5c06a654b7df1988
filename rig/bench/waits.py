"""What a run waits for: its turn at a chamber, the air, a soak, its sample, what surrounds its cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rig.bench.estimates import ChamberUse, Outlook, Point, ahead, roughly, slope_of, time_pair
from rig.core.units import duration
from rig.engine.cursor import Cursor
from rig.protocol.program import Suspend, TemperatureTarget
from rig.protocol.words import AUXILIARY_UNITS


def chamber_wait(
    target: TemperatureTarget,
    cursor: Cursor,
    points: Sequence[Point],
    others: Sequence[ChamberUse],
) -> Outlook:
    """A set_temperature step: waits for its turn, for the air, for the soak, for the sample."""
    soak, now = cursor.soak, cursor.progress.test_time_second
    to = f"{target.celsius:g} degC"
    waited = duration(max(0.0, now - cursor.place.counted_from_second))
    if math.isnan(soak.granted_second):
        whom = ", ".join(f"{use.channel} ({use.celsius:g} degC, {use.since})" for use in others)
        held = f": the chamber is held by {whom}" if whom else ""
        return Outlook(f"waits for {to} since {waited}{held}")
    if math.isnan(soak.in_band_since_second):
        left = soak.granted_second + target.timeout_second - now
        return _on_the_way(target, points, f"gives up in {duration(max(0.0, left))}")
    soaked = now - soak.in_band_since_second
    if soaked < target.soak_second:
        left = target.soak_second - soaked
        words = f"soaks at {to}: {time_pair(soaked, target.soak_second)}"
        return Outlook(f"{words}, {duration(left)} left", left)
    return Outlook(f"soaked at {to}; waits until the sample's |Z| is stable, since {waited}")


def _on_the_way(target: TemperatureTarget, points: Sequence[Point], patience: str) -> Outlook:
    known = [point for point in points if not math.isnan(point.temperature_celsius)]
    to = f"on the way to {target.celsius:g} degC"
    if not known:
        return Outlook(f"{to}; {patience}")
    celsius = known[-1].temperature_celsius
    slope = slope_of(
        [point.test_time_second for point in known], [point.temperature_celsius for point in known]
    )
    second = ahead(target.celsius - celsius, slope)
    about = "" if second is None else f", about {roughly(second)}"
    return Outlook(f"{to}: {celsius:.1f} degC now{about}; {patience}", second)


def suspension_wait(suspend: Suspend | None, cursor: Cursor, points: Sequence[Point]) -> Outlook:
    """For what it waits, since when, and what has to be true for how long before it goes on."""
    now, suspension = cursor.progress.test_time_second, cursor.suspension
    since = duration(max(0.0, now - suspension.since_second))
    words = f"waits, disconnected, since {since}"
    if suspend is None:
        return Outlook(words)
    what, settle_second = _needed(suspend, suspension.cause, cursor, points)
    words += f", for {what} for {duration(settle_second)}"
    if math.isnan(suspension.settled_second):
        return Outlook(words)
    left = max(0.0, settle_second - (now - suspension.settled_second))
    return Outlook(f"{words}; {duration(left)} left", left)


def _needed(
    suspend: Suspend, cause: str, cursor: Cursor, points: Sequence[Point]
) -> tuple[str, float]:
    newest = points[-1] if points else None
    for condition in suspend.conditions:
        if condition.quantity == cause:
            value = math.nan if newest is None else newest.surroundings(cause)
            there = "" if math.isnan(value) else f"{value:.4g} now, "
            side = "at most" if condition.operator == ">=" else "at least"
            unit = AUXILIARY_UNITS[condition.dimension]
            return f"{cause}: {there}{side} {condition.resume:g} {unit}", condition.settle_second
    celsius = math.nan if newest is None else newest.temperature_celsius
    air = "" if math.isnan(celsius) else f"{celsius:.1f} degC now, "
    band = f"within {suspend.resume_kelvin:g} K of {cursor.place.chamber_celsius:g} degC"
    return f"its temperature: {air}{band}", suspend.settle_second
