"""What cannot work, said before a cell is connected: unreachable ends, values beyond safety.

Pure functions over steps in base units. The tables say which end makes sense in which step; a
step never has an end that can trigger only by accident.
"""

from __future__ import annotations

import math

from rig.core.errors import Problem
from rig.core.units import show
from rig.protocol.program import (
    End,
    Galvanostat,
    Potentiostat,
    Safety,
    Step,
    StepKind,
    TemperatureTarget,
)
from rig.protocol.source import Node
from rig.protocol.words import AUXILIARY_UNITS

_GROWING = {"time": ">=", "capacity": ">=", "energy": ">="}
_FALLING = {"current": "<=", "power": "<="}
# The direction that goes without saying; where there is none, the operator must be written.
_OBVIOUS: dict[StepKind, dict[str, str]] = {
    StepKind.REST: {"time": ">="},
    StepKind.CHARGE: {"voltage": ">="} | _GROWING,
    StepKind.DISCHARGE: {"voltage": "<="} | _GROWING,
    StepKind.HOLD: _FALLING | _GROWING,
    StepKind.CCCV: _FALLING | _GROWING,
}
_AT_REST = "no current flows in a rest, so this can never happen"
_HELD_CURRENT = "the current is held in this step and never falls; use hold or cccv"
_HELD_VOLTAGE = "the voltage is held in this step, so this can never happen"
_NEVER: dict[StepKind, dict[str, str]] = {
    StepKind.REST: dict.fromkeys(("current", "power", "capacity", "energy"), _AT_REST),
    StepKind.CHARGE: {"current": _HELD_CURRENT},
    StepKind.DISCHARGE: {"current": _HELD_CURRENT},
    StepKind.HOLD: {"voltage": _HELD_VOLTAGE},
    StepKind.CCCV: {"voltage": "'to' is the voltage of this step"},
}


def end_problem(kind: StepKind, quantity: str, operator: str) -> tuple[str, str] | None:
    """Return (what is wrong, example) with an end of this kind of step; None when it is fine."""
    if quantity in _NEVER[kind]:
        return _NEVER[kind][quantity], ""
    if not operator and quantity not in _OBVIOUS[kind]:
        message = f"needs an explicit operator, the direction is not obvious in a {kind.value}"
        return message, f'until: "{quantity} > ..."'
    if operator.startswith("<") and quantity in _GROWING:
        return f"is true at once: {quantity} only grows", f"until: {quantity} > ..."
    return None


def operator_for(kind: StepKind, quantity: str, operator: str) -> str:
    """Return ``>=`` or ``<=``; of measured values, ``>`` and ``>=`` cannot be told apart."""
    if not operator:
        return _OBVIOUS[kind][quantity]
    return ">=" if operator.startswith(">") else "<="


def check_step(step: Step, safety: Safety, node: Node, problems: list[Problem]) -> None:
    """Add everything about one step that cannot work within ``safety``."""
    messages: list[tuple[str, str]] = []  # (key that the message is about, message)
    match step.drive:
        case Galvanostat():
            messages += _galvanostat_messages(step.kind, step.drive, step.ends, safety)
        case Potentiostat():
            messages += _potentiostat_messages(step.drive, step.ends, safety)
    if step.temperature is not None:
        messages += _temperature_messages(step.temperature, safety)
    messages += _sweep_messages(step, safety)
    problems.extend(Problem(node.child(key).where, message) for key, message in messages)


def outside(value: float, low: float | None, high: float | None, unit: str) -> str | None:
    """Return ``above 4.3 V`` or ``below 2 V``; None when inside or not limited."""
    if high is not None and value > high:
        return f"above {show(high, unit)}"
    if low is not None and value < low:
        return f"below {show(low, unit)}"
    return None


def _beyond_voltage(value: float, safety: Safety) -> str | None:
    return outside(value, safety.voltage_min_volt, safety.voltage_max_volt, "V")


def _beyond_temperature(value: float, safety: Safety) -> str | None:
    return outside(value, safety.temperature_min_celsius, safety.temperature_max_celsius, "degC")


def _beyond_auxiliary(name: str, value: float, safety: Safety) -> str | None:
    for limit in safety.auxiliaries:
        if limit.name == name:
            return outside(value, limit.low, limit.high, AUXILIARY_UNITS[limit.dimension])
    return None


def end_message(end: End, safety: Safety) -> str | None:
    """Return why ``end`` can never be reached within ``safety``; None when it can."""
    beyond = beyond_limit(end, safety)
    if beyond is None:
        return None
    return f"until {end.words} can never be reached: it lies {beyond}, the safety limit"


def beyond_limit(end: End, safety: Safety) -> str | None:
    """Return on which side of a limit ``end`` lies, ``above 4.3 V``; None when it is within."""
    if end.quantity == "voltage":
        return _beyond_voltage(end.value, safety)
    if end.quantity == "temperature":
        return _beyond_temperature(end.value, safety)
    if end.quantity == "capacity":
        return outside(end.value, None, safety.capacity_max_ah, "Ah")
    if end.quantity == "pressure":
        low, high = safety.pressure_min_pascal, safety.pressure_max_pascal
        return outside(end.value, low, high, "Pa")
    return _beyond_auxiliary(end.quantity, end.value, safety)


def _galvanostat_messages(
    kind: StepKind, drive: Galvanostat, ends: tuple[End, ...], safety: Safety
) -> list[tuple[str, str]]:
    messages = []
    magnitude = abs(drive.current_ampere)
    if beyond := outside(magnitude, None, safety.current_max_ampere, "A"):
        messages.append(("at", f"{show(magnitude, 'A')} lies {beyond}, the safety limit"))
    if kind is StepKind.CCCV:
        if beyond := _beyond_voltage(drive.voltage_limit_volt, safety):
            volt = show(drive.voltage_limit_volt, "V")
            messages.append(
                ("to", f"to {volt} can never be reached: it lies {beyond}, the safety limit")
            )
        messages += _ends_at_once(ends, magnitude, "the current of the step")
    return messages


def _potentiostat_messages(
    drive: Potentiostat, ends: tuple[End, ...], safety: Safety
) -> list[tuple[str, str]]:
    messages = _ends_at_once(ends, drive.current_limit_ampere, "the largest current allowed")
    if beyond := _beyond_voltage(drive.voltage_volt, safety):
        volt = show(drive.voltage_volt, "V")
        messages.append(("at", f"a hold at {volt} lies {beyond}, the safety limit"))
    if beyond := outside(drive.current_limit_ampere, None, safety.current_max_ampere, "A"):
        limit = show(drive.current_limit_ampere, "A")
        messages.append(("limit", f"{limit} lies {beyond}, the safety limit"))
    return messages


def _ends_at_once(ends: tuple[End, ...], largest: float, what: str) -> list[tuple[str, str]]:
    return [
        (
            "until",
            f"until {end.words} is true at once: {show(end.value, 'A')} is not below"
            f" {what}, {show(largest, 'A')}",
        )
        for end in ends
        if end.quantity == "current" and end.operator == "<=" and end.value >= largest
    ]


def _temperature_messages(target: TemperatureTarget, safety: Safety) -> list[tuple[str, str]]:
    messages = []
    if beyond := _beyond_temperature(target.celsius, safety):
        messages.append(("to", f"{target.celsius:g} degC lies {beyond}, the safety limit"))
    # Two impedances must be measured, so stability costs at least one interval after the soak.
    needed = target.soak_second + (target.stability.every_second if target.stability else 0.0)
    if target.timeout_second <= needed:
        message = f"timeout: {target.timeout_second:g} s is over before soak and stability can be"
        messages.append(("timeout", f"{message} ({needed:g} s)"))
    return messages


def _sweep_messages(step: Step, safety: Safety) -> list[tuple[str, str]]:
    sweep = step.sweep
    messages = []
    if sweep is not None and sweep.start_hertz == sweep.stop_hertz:
        messages.append(("to", "'from' and 'to' are the same frequency"))
    beyond = sweep_beyond(step, safety)
    return messages + [(key, f"{words}, the safety limit") for key, words in beyond]


def sweep_beyond(step: Step, safety: Safety) -> list[tuple[str, str]]:
    """Return (key, words) for each limit that a spectrum's peaks would break."""
    sweep, found = step.sweep, []
    if sweep is None:
        return []
    peak_ampere = math.sqrt(2) * (sweep.amplitude_ampere or 0.0)
    if beyond := outside(peak_ampere, None, safety.current_max_ampere, "A"):
        found.append(("amplitude", f"peak {show(peak_ampere, 'A')} lies {beyond}"))
    if sweep.bias_volt is not None:
        peak_volt = math.sqrt(2) * (sweep.amplitude_volt or 0.0)
        reached = (sweep.bias_volt - peak_volt, sweep.bias_volt + peak_volt)
        found += [
            ("bias", f"bias and amplitude reach {beyond}")
            for beyond in (_beyond_voltage(volt, safety) for volt in reached)
            if beyond
        ]
    return found
