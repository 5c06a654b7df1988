"""Is this end reached, is this limit broken? Pure questions about numbers."""

from __future__ import annotations

from collections.abc import Callable

from rig.core.instruments import Regulation
from rig.engine.action import Reading
from rig.engine.cursor import Progress
from rig.protocol.program import End, Galvanostat, Safety, Step

# A reading that is no measurement (overload, NaN) may be a passing range change; this many in a
# row is an instrument that cannot see the cell, and a cell that nobody sees is not driven.
MOST_BAD_READINGS = 3


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
        if _holds(_VALUES[quantity](progress, reading), end.operator, end.value):
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
    "temperature": lambda progress, reading: reading.temperature_celsius,
}


def _holds(value: float, comparison: str, bound: float) -> bool:
    return value >= bound if comparison == ">=" else value <= bound  # NaN holds nothing


def breach(safety: Safety, progress: Progress, reading: Reading) -> str:
    """Return the words of the first safety limit that this reading breaks, or the empty string."""
    if progress.bad_readings >= MOST_BAD_READINGS:
        return f"{progress.bad_readings} readings in a row are no measurement (overload): cell not seen"
    volt = reading.voltage_volt
    if safety.voltage_max_volt is not None and volt > safety.voltage_max_volt:
        return f"voltage {volt:.6g} V above the limit of {safety.voltage_max_volt:g} V"
    if safety.voltage_min_volt is not None and volt < safety.voltage_min_volt:
        return f"voltage {volt:.6g} V below the limit of {safety.voltage_min_volt:g} V"
    ampere = abs(reading.current_ampere)
    if safety.current_max_ampere is not None and ampere > safety.current_max_ampere:
        return f"current {ampere:.6g} A above the limit of {safety.current_max_ampere:g} A"
    celsius = reading.temperature_celsius
    if safety.temperature_max_celsius is not None and celsius > safety.temperature_max_celsius:
        return f"temperature {celsius:.4g} degC above the limit of {safety.temperature_max_celsius:g} degC"
    if safety.temperature_min_celsius is not None and celsius < safety.temperature_min_celsius:
        return f"temperature {celsius:.4g} degC below the limit of {safety.temperature_min_celsius:g} degC"
    capacity = abs(progress.step_capacity_ah)
    if safety.capacity_max_ah is not None and capacity > safety.capacity_max_ah:
        return f"capacity {capacity:.6g} Ah in one step above the limit of {safety.capacity_max_ah:g} Ah"
    return ""
