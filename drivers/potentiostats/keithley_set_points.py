"""Set points in the terms of a Keithley source-measure unit: what is sourced, limited and on which range.

Pure: decides and translates, sends nothing. A cell is driven as "source voltage, limit current"
both ways, so that the instrument passes from CC to CV by itself; rest is 0 A with the voltmeter.
Knows no command set: ``keithley_source_meter.py`` carries out what is planned here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.core.instruments import (
    ConstantCurrent,
    ConstantVoltage,
    Flag,
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
)
from rig.core.sheet import Model

AUTO = None  # in place of a range: the instrument finds its own
# A rest must never clamp the cell, not even a wrong one put in: the voltage limit is well above.
_REST_LIMIT_VOLT = 10.0


class Source(Enum):
    """What is sourced, in the instruments' own word; the other quantity is measured and limited."""

    VOLTAGE = "VOLT"
    CURRENT = "CURR"

    @property
    def measured(self) -> str:
        return "CURR" if self is Source.VOLTAGE else "VOLT"


# What the channel does, by what it sources and by whether its limit is reached, and its flags.
REGULATION = {
    (Source.VOLTAGE, True): (Regulation.CURRENT, 0),
    (Source.VOLTAGE, False): (Regulation.VOLTAGE, int(Flag.VOLTAGE_HELD)),
    (Source.CURRENT, False): (Regulation.OPEN, 0),
    (Source.CURRENT, True): (Regulation.VOLTAGE, int(Flag.VOLTAGE_HELD | Flag.COMPLIANCE)),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What may only change while the output is off; ranges as numbers, or AUTO.

    ``protection_volt`` is None where the sheet knows no overvoltage protection to set.
    """

    source: Source
    protection_volt: float | None
    source_range: float | None
    measure_range: float | None


@dataclass(frozen=True, slots=True)
class Setup:
    """A set point; level and limit, of opposite units, may change while the output is on."""

    frame: Frame
    level: float
    limit: float

    def __str__(self) -> str:
        return f"source {self.frame.source.value} {self.level:.6g}, limit {self.limit:.6g}"


def refusals(setpoint: Setpoint, limits: Limits, model: Model) -> list[str]:
    """Return everything about a set point that the limits or the model cannot hold.

    Comparisons are negated, so that nan is refused too.
    """
    lowest, highest, largest = _in_force(limits, model)
    problems = []
    if not lowest < highest:
        problems.append(f"the limits leave no voltage: {lowest:g} to {highest:g} V")
    bound = max(abs(lowest), abs(highest))
    if model.protection_volt and not bound < model.protection_volt[-1]:
        problems.append(f"no overvoltage protection step above {bound:g} V is known")
    if isinstance(setpoint, OpenCircuit):
        if not bound < _rest_limit(bound, model):
            problems.append(f"model {model.name} has no voltage limit above {bound:g} V")
        return problems
    voltage, current = _voltage_and_current(setpoint)
    if not lowest <= voltage <= highest:
        problems.append(f"voltage {voltage:g} V is outside {lowest:g} to {highest:g} V")
    if not 0 < current <= largest:
        problems.append(f"current {current:g} A is not above 0 and up to {largest:g} A")
    return problems


def plan(setpoint: Setpoint, limits: Limits, model: Model) -> Setup:
    """Translate a set point that was not refused.

    Voltage range and protection follow the limits, not the level: steps of one run then share
    them, and the relay stays closed from step to step.
    """
    lowest, highest, _ = _in_force(limits, model)
    bound = max(abs(lowest), abs(highest))
    if isinstance(setpoint, OpenCircuit):
        limit = _rest_limit(bound, model)
        measure_range = _smallest(model.voltage_ranges_volt, limit)
        frame = Frame(Source.CURRENT, _protection(limit, model), AUTO, measure_range)
        return Setup(frame, 0.0, limit)
    voltage, current = _voltage_and_current(setpoint)
    source_range = _smallest(model.voltage_ranges_volt, bound)
    measure_range = _smallest(model.current_ranges_ampere, current)
    frame = Frame(Source.VOLTAGE, _protection(bound, model), source_range, measure_range)
    return Setup(frame, voltage, current)


def _in_force(limits: Limits, model: Model) -> tuple[float, float, float]:
    """Return lowest and highest voltage and largest current: the tighter of limits and model."""
    assert model.voltage_volt is not None
    assert model.current_ampere is not None
    return (
        max(limits.voltage_min_volt, model.voltage_volt[0]),
        min(limits.voltage_max_volt, model.voltage_volt[1]),
        min(limits.current_max_ampere, model.current_ampere),
    )


def _voltage_and_current(setpoint: ConstantCurrent | ConstantVoltage) -> tuple[float, float]:
    """Return the voltage to source and the magnitude of the current to limit to."""
    if isinstance(setpoint, ConstantCurrent):
        return setpoint.voltage_limit_volt, abs(setpoint.current_ampere)
    return setpoint.voltage_volt, setpoint.current_limit_ampere


def _rest_limit(bound_volt: float, model: Model) -> float:
    """Return the voltage limit of a rest: far above the cell, within what model and OVP can do."""
    assert model.voltage_volt is not None
    highest = model.voltage_volt[1]
    if model.protection_volt:
        highest = min(highest, model.protection_volt[-1] - 1)
    return min(max(_REST_LIMIT_VOLT, 2 * bound_volt), highest)


def _protection(voltage_volt: float, model: Model) -> float | None:
    """Return the lowest overvoltage protection above a voltage, which was not refused."""
    if not model.protection_volt:
        return None
    return next(step for step in model.protection_volt if step > voltage_volt)


def _smallest(ranges: tuple[float, ...], value: float) -> float | None:
    """Return the smallest range that holds ``value``; the last holds 105 % of itself."""
    if not ranges:
        return AUTO
    return next((full_scale for full_scale in ranges if full_scale >= value), ranges[-1])
