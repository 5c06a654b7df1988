"""Is this end reached, is this limit broken? Pure questions about numbers."""

from __future__ import annotations

from collections.abc import Callable

from rig.core.instruments import Regulation
from rig.engine.action import Breach, Reading
from rig.engine.cursor import Progress
from rig.engine.surroundings import (
    cell_celsius,
    sensed_breach,
    sensed_value,
    watched_temperature,
)
from rig.protocol.program import End, Galvanostat, Safety, Step

# A reading that is no measurement (overload, NaN) may be a passing range change; this many in a
# row is an instrument that cannot see the cell, and a cell that nobody sees is not driven.
MOST_BAD_READINGS = 3
# Soft limits beyond which more of the step would only lead further; any other pauses the run, for a
# person has to look at it (science 2.14).
ENDING_ITS_STEP = frozenset({"safety-voltage", "safety-capacity"})


def reached(step: Step, began_second: float, progress: Progress, reading: Reading) -> End | None:
    """Return the first of the step's ends that this reading meets, or None.

    A voltage end is also met when the instrument itself regulates at it: an SMU that sources
    4.2 V with a current limit reads 4.19999 V for ever (the sheet's two-way CC-CV).
    """
    for end in step.ends:
        quantity = end.quantity
        if quantity == "voltage":
            if _at_voltage(step, end, reading):
                return end
            continue
        if quantity == "time":
            # Due times are computed in floating point: a microsecond early is on time.
            if reading.test_time_second - began_second >= end.value - 1e-6:
                return end
            continue
        if quantity == "current" and not _tapering(step, reading):
            continue
        if _holds(_value(quantity, progress, reading), end.operator, end.value):
            return end
    return None


def _at_voltage(step: Step, end: End, reading: Reading) -> bool:
    if _holds(reading.voltage_volt, end.operator, end.value):
        return True
    drive = step.drive
    return (
        isinstance(drive, Galvanostat)
        and not drive.hold
        and reading.regulation is Regulation.VOLTAGE
        and drive.voltage_limit_volt == end.value
    )


def _tapering(step: Step, reading: Reading) -> bool:
    """Say whether a current end may count: in a CC-CV only once the voltage is held."""
    drive = step.drive
    if isinstance(drive, Galvanostat) and drive.hold:
        return reading.regulation is Regulation.VOLTAGE
    return True


_VALUES: dict[str, Callable[[Progress, Reading], float]] = {
    "current": lambda progress, reading: abs(reading.current_ampere),
    "power": lambda progress, reading: abs(reading.voltage_volt * reading.current_ampere),
    "capacity": lambda progress, reading: abs(progress.step_capacity_ah),
    "energy": lambda progress, reading: abs(progress.step_energy_wh),
    "temperature": lambda progress, reading: cell_celsius(reading),
}


def _value(quantity: str, progress: Progress, reading: Reading) -> float:
    read = _VALUES.get(quantity)
    return read(progress, reading) if read is not None else sensed_value(reading, quantity)


def _holds(value: float, comparison: str, bound: float) -> bool:
    return value >= bound if comparison == ">=" else value <= bound  # NaN holds nothing


def breach(safety: Safety, progress: Progress, reading: Reading) -> Breach | None:
    """Return the first safety limit that this reading breaks, or None."""
    if progress.bad_readings >= MOST_BAD_READINGS:
        words = f"{progress.bad_readings} readings in a row are no measurement (overload)"
        return Breach("safety-blind", f"{words}: cell not seen")
    sensed = reading.sensed
    ampere, celsius, whose = abs(reading.current_ampere), reading.temperature_celsius, "chamber"
    if sensed is not None:
        celsius, whose = watched_temperature(reading)
    capacity = abs(progress.step_capacity_ah)
    high, low = safety.voltage_max_volt, safety.voltage_min_volt
    if high is not None and reading.voltage_volt > high:
        return _beyond("voltage", reading.voltage_volt, "above", high, "V")
    if low is not None and reading.voltage_volt < low:
        return _beyond("voltage", reading.voltage_volt, "below", low, "V")
    if safety.current_max_ampere is not None and ampere > safety.current_max_ampere:
        return _beyond("current", ampere, "above", safety.current_max_ampere, "A")
    high, low = safety.temperature_max_celsius, safety.temperature_min_celsius
    if high is not None and celsius > high:
        return _beyond(f"temperature of the {whose}", celsius, "above", high, "degC")
    if low is not None and celsius < low:
        return _beyond(f"temperature of the {whose}", celsius, "below", low, "degC")
    if safety.capacity_max_ah is not None and capacity > safety.capacity_max_ah:
        return _beyond("capacity", capacity, "in one step above", safety.capacity_max_ah, "Ah")
    return sensed_breach(safety, sensed) if sensed is not None else None


def soft_breach(soft: Safety | None, progress: Progress, reading: Reading) -> Breach | None:
    """Return the first soft limit that this reading breaks; a cell not seen breaks none."""
    broken = breach(soft, progress, reading) if soft is not None else None
    return None if broken is None or broken.kind == "safety-blind" else broken


def _beyond(what: str, value: float, where: str, limit: float, unit: str) -> Breach:
    """Return the breach of ``what``, whose first word is the quantity: ``temperature of the cell``."""
    shown = f"{value:.4g}" if unit == "degC" else f"{value:.6g}"
    words = f"{what} {shown} {unit} {where} the limit of {limit:g} {unit}"
    return Breach(f"safety-{what.partition(' ')[0]}", words, value, limit, unit)
