"""What a PalmSens model cannot do: every objection to a set point or a sweep, before a byte is sent.

Pure; the numbers come from the sheet's model and from the limits of the cell. Each function
returns all objections as sentences, none when there is nothing wrong. NaN is inside no range.
"""

from __future__ import annotations

import math

from drivers.potentiostats.methodscript_scripts import INTERVAL_SECOND
from rig.core.instruments import (
    ConstantCurrent,
    ConstantVoltage,
    Limits,
    OpenCircuit,
    Setpoint,
    Sweep,
)
from rig.core.sheet import Model
from rig.core.units import show

LONGEST_SECOND = 1e9  # thirty years: beyond it, a number is a mistake

NO_GALVANOSTAT = "this model has no galvanostat: it can hold a voltage, not a current"


def objections_to_setpoint(setpoint: Setpoint, limits: Limits, model: Model) -> list[str]:
    """Return what is wrong with a set point within ``limits`` on ``model``."""
    wrong = _objections_to_limits(limits)
    match setpoint:
        case OpenCircuit():
            return wrong
        case ConstantCurrent(current, voltage_limit):
            if model.amplitude_ampere is None:
                wrong.append(NO_GALVANOSTAT)
            if current == 0:
                wrong.append("a constant current of 0 A has no direction: use an open circuit")
            wrong += _objections_to_current("current", abs(current), limits, model)
            return wrong + _objections_to_voltage("voltage limit", voltage_limit, limits, model)
        case ConstantVoltage(voltage, current_limit):
            if current_limit == 0:
                wrong.append("a current limit of 0 A allows no current: use an open circuit")
            wrong += _objections_to_current("current limit", current_limit, limits, model)
            return wrong + _objections_to_voltage("voltage", voltage, limits, model)


def objections_to_sweep(sweep: Sweep, limits: Limits, model: Model) -> list[str]:
    """Return what is wrong with a sweep, its bias apart from a given one."""
    wrong = _objections_to_limits(limits)
    for what, frequency in (("start", sweep.start_hertz), ("stop", sweep.stop_hertz)):
        if frequency <= 0:
            wrong.append(f"the {what} frequency {frequency:g} Hz is not above zero")
        wrong += _outside(f"{what} frequency", frequency, model.frequency_hertz, "Hz", model.name)
    if sweep.points < 1:
        wrong.append(f"{sweep.points} points: at least one is needed")
    if (sweep.amplitude_volt is None) == (sweep.amplitude_ampere is None):
        wrong.append("exactly one amplitude is needed: in volt or in ampere")
    if sweep.amplitude_ampere is not None:
        return wrong + _objections_to_galvanostatic(sweep, sweep.amplitude_ampere, limits, model)
    wrong += _objections_to_amplitude(sweep.amplitude_volt or 0.0, model.amplitude_volt, "V", model)
    if sweep.bias_volt is not None:
        wrong += objections_to_bias(sweep, sweep.bias_volt, limits, model)
    return wrong


def objections_to_bias(sweep: Sweep, bias_volt: float, limits: Limits, model: Model) -> list[str]:
    """Return what is wrong with a spectrum around ``bias_volt``, its peaks included."""
    peak = math.sqrt(2) * (sweep.amplitude_volt or 0.0)
    return [
        objection
        for what, voltage in (("bias - peak", bias_volt - peak), ("bias + peak", bias_volt + peak))
        for objection in _objections_to_voltage(what, voltage, limits, model)
    ]


def _objections_to_galvanostatic(
    sweep: Sweep, amplitude_ampere: float, limits: Limits, model: Model
) -> list[str]:
    if model.amplitude_ampere is None:
        return [NO_GALVANOSTAT]
    wrong = _objections_to_amplitude(amplitude_ampere, model.amplitude_ampere, "A", model)
    if sweep.bias_volt is not None:
        wrong.append("a galvanostatic spectrum runs around zero current and holds no bias voltage")
    peak = math.sqrt(2) * amplitude_ampere
    return wrong + _outside("peak current", peak, (0.0, limits.current_max_ampere), "A", "limits")


def _objections_to_amplitude(
    amplitude: float, largest: float | None, unit: str, model: Model
) -> list[str]:
    if amplitude == 0:
        return [f"an amplitude of 0 {unit} measures nothing"]
    bounds = None if largest is None else (0.0, largest)
    return _outside("amplitude (rms)", amplitude, bounds, unit, model.name)


def _objections_to_limits(limits: Limits) -> list[str]:
    wrong = []
    voltages = (limits.voltage_min_volt, limits.voltage_max_volt)
    if not (all(math.isfinite(voltage) for voltage in voltages) and voltages[0] < voltages[1]):
        wrong.append(f"voltage limits {voltages[0]:g} to {voltages[1]:g} V are no range")
    if not 0 < limits.current_max_ampere < math.inf:
        wrong.append(f"current limit {limits.current_max_ampere:g} A is not above zero")
    longest = (INTERVAL_SECOND, LONGEST_SECOND)
    return wrong + _outside("longest time", limits.longest_second, longest, "s", "a script")


def _objections_to_voltage(what: str, volt: float, limits: Limits, model: Model) -> list[str]:
    allowed = (limits.voltage_min_volt, limits.voltage_max_volt)
    return [
        *_outside(what, volt, model.voltage_volt, "V", model.name),
        *_outside(what, volt, allowed, "V", "limits"),
    ]


def _objections_to_current(what: str, ampere: float, limits: Limits, model: Model) -> list[str]:
    largest = model.current_ampere
    return [
        *_outside(what, ampere, None if largest is None else (0.0, largest), "A", model.name),
        *_outside(what, ampere, (0.0, limits.current_max_ampere), "A", "limits"),
    ]


def _outside(
    what: str, value: float, bounds: tuple[float, float] | None, unit: str, whose: str
) -> list[str]:
    if bounds is not None and bounds[0] <= value <= bounds[1]:
        return []
    allowed = "none" if bounds is None else f"{show(bounds[0], unit)} to {show(bounds[1], unit)}"
    return [f"{what} {show(value, unit)} is outside {whose}: {allowed}"]
