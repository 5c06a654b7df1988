"""Is the cell still within what is allowed? The limits of conditions.py, over time.

A limit may have to be broken for a while (``lasting``) before it counts, and self-heating shows only
in two readings some time apart. Pure: what was seen before comes in with the cursor.
"""

from __future__ import annotations

from math import isnan

from rig.engine.action import Breach, Reading
from rig.engine.conditions import breach
from rig.engine.cursor import NAN, Progress, Watch
from rig.engine.surroundings import SENSOR_AGE, TEMPERATURE, cell_celsius
from rig.protocol.program import Safety

# Long enough that a thermometer of 0.1 K resolves a tenth of the default limit of 2 K/min.
HEATING_WINDOW_SECOND = 60.0
_AT_ONCE = frozenset({"safety-blind", SENSOR_AGE})


def watched(
    safety: Safety, before: Watch, progress: Progress, reading: Reading, *, conditioning: bool
) -> tuple[Watch, Breach | None]:
    """Return what is to be remembered, and the limit that is broken for as long as it has to be.

    ``conditioning``: the chamber is on its way, so a change of temperature is nobody's fault.
    A cell that is not seen is never debounced, nor is a sensor that has been silent for long.
    """
    broken = breach(safety, progress, reading)
    if broken is None and safety.heating_max_kelvin_per_minute is None and not before.kind:
        return before, None  # as nearly always
    now = reading.test_time_second
    heated, heating = _heating(safety, before, reading, conditioning=conditioning)
    broken = broken or heating
    if broken is None:
        return heated._replace(kind="", since_second=NAN), None
    since = before.since_second if before.kind == broken.kind else now
    if broken.kind in _AT_ONCE or now - since >= safety.lasting_second - 1e-6:
        return heated, broken
    return heated._replace(kind=broken.kind, since_second=since), None


def look_again_second(safety: Safety, watch: Watch, due_second: float) -> float:
    """Return when to look next while a limit is broken that has not lasted yet: when it will have."""
    return min(due_second, watch.since_second + safety.lasting_second)


def _heating(
    safety: Safety, before: Watch, reading: Reading, *, conditioning: bool
) -> tuple[Watch, Breach | None]:
    limit, now, celsius = (
        safety.heating_max_kelvin_per_minute,
        reading.test_time_second,
        cell_celsius(reading),
    )
    if limit is None or isnan(celsius):
        return before, None
    fresh = before._replace(reference_second=now, reference_celsius=celsius)
    if conditioning or isnan(before.reference_second):
        return fresh, None
    elapsed = now - before.reference_second
    if elapsed < HEATING_WINDOW_SECOND:
        return before, None
    rate = (celsius - before.reference_celsius) / elapsed * 60.0
    if rate <= limit or _is_warmed(reading, celsius):
        return fresh, None
    words = f"heating {rate:.2g} K/min above the limit of {limit:g} K/min"
    return fresh, Breach("safety-heating", words, rate, limit, "K/min")


def _is_warmed(reading: Reading, celsius: float) -> bool:
    """Say whether the air warms the cell: one that lags a chamber on its way up heats nothing itself."""
    sensed = reading.sensed
    return (
        sensed is not None
        and TEMPERATURE in sensed.values
        and celsius <= reading.temperature_celsius
    )
