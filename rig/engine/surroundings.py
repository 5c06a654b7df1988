"""What sensors beside a cell mean to its run: its own temperature, its pressure, limits, a silent one.

Pure: what was read, and how old it is, comes in with the reading.
"""

from __future__ import annotations

from math import isnan

from rig.engine.action import Breach, Reading, Sensed
from rig.engine.cursor import NAN
from rig.protocol.program import AuxiliaryLimit, Safety
from rig.protocol.words import AUXILIARY_UNITS

TEMPERATURE, PRESSURE = "temperature", "pressure"
SENSOR_AGE = "safety-sensor-age"


def cell_celsius(reading: Reading) -> float:
    """Return the cell's own temperature where a sensor reads it, NaN while it does not; else the chamber's."""
    sensed = reading.sensed
    if sensed is None:
        return reading.temperature_celsius
    return sensed.values.get(TEMPERATURE, reading.temperature_celsius)


def watched_temperature(reading: Reading) -> tuple[float, str]:
    """Return the temperature that limits are held against, and whose it is.

    The cell's own, or the chamber's where there is none; so it is, too, for the moments in which
    the cell's has no value, until that is overdue.
    """
    own = reading.sensed.values.get(TEMPERATURE, NAN) if reading.sensed is not None else NAN
    return (reading.temperature_celsius, "chamber") if isnan(own) else (own, "cell")


def sensed_value(reading: Reading, name: str) -> float:
    """Return a pressure or auxiliary; NaN where nothing reads it now."""
    return reading.sensed.values.get(name, NAN) if reading.sensed is not None else NAN


def sensed_breach(safety: Safety, sensed: Sensed) -> Breach | None:
    """Return the first limit that a sensor shows to be broken, or can no longer show."""
    if sensed.overdue:
        for name, overdue in sensed.overdue.items():
            if depends_on(safety, name):
                age, oldest = overdue.age_second, overdue.oldest_second
                return Breach(SENSOR_AGE, f"{name}: {overdue.words}", age, oldest, "s")
    low, high = safety.pressure_min_pascal, safety.pressure_max_pascal
    if low is not None or high is not None:
        value = sensed.values.get(PRESSURE, NAN)
        if broken := _beyond(AuxiliaryLimit(PRESSURE, PRESSURE, low, high), value):
            return broken
    for limit in safety.auxiliaries:
        if broken := _beyond(limit, sensed.values.get(limit.name, NAN)):
            return broken
    return None


def depends_on(safety: Safety, name: str) -> bool:
    """Say whether a limit needs what this sensor reads."""
    if name == TEMPERATURE:
        return safety.limits_temperature
    if name == PRESSURE:
        return safety.limits_pressure
    return any(limit.name == name for limit in safety.auxiliaries)


def _beyond(limit: AuxiliaryLimit, value: float) -> Breach | None:
    unit = AUXILIARY_UNITS[limit.dimension]
    for where, bound, broken in (
        ("above", limit.high, limit.high is not None and value > limit.high),
        ("below", limit.low, limit.low is not None and value < limit.low),
    ):
        if broken and bound is not None:
            words = f"{limit.name} {value:.4g} {unit} {where} the limit of {bound:g} {unit}"
            return Breach(f"safety-{limit.name}", words, value, bound, unit)
    return None
