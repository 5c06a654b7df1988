"""What every Rohde & Schwarz NGU and NGM refuses and how its overvoltage protection is placed. Pure."""

from __future__ import annotations

from rig.core.instruments import ConstantCurrent, ConstantVoltage, Limits, OpenCircuit, Setpoint
from rig.core.sheet import Model

# Above the highest voltage allowed, as in the maker's way of charging: room for the voltage that
# the current leads drop, since the protection watches the terminals and not the sense leads.
_PROTECTION_MARGIN_VOLT = 0.1


def refusals(
    setpoint: Setpoint, limits: Limits, model: Model, least_ampere: float = 0.0
) -> list[str]:
    """Return everything about a set point that the limits or the model cannot hold.

    Comparisons are negated, so that nan is refused too.
    """
    lowest, highest, largest = in_force(limits, model)
    refused = []
    if not lowest < highest:
        refused.append(f"the limits leave no voltage: {lowest:g} to {highest:g} V")
    if isinstance(setpoint, OpenCircuit):
        return refused
    voltage, current = voltage_and_current(setpoint)
    if not lowest <= voltage <= highest:
        refused.append(f"voltage {voltage:g} V is outside {lowest:g} to {highest:g} V")
    if not (0 < abs(current) <= largest and abs(current) >= least_ampere):
        least = f"at least {least_ampere:g} A" if least_ampere else "above 0"
        refused.append(f"current {abs(current):g} A is not {least} and up to {largest:g} A")
    if isinstance(setpoint, ConstantVoltage) and current < 0:
        refused.append(f"a current limit is a magnitude: {current:g} A is negative")
    return refused


def in_force(limits: Limits, model: Model) -> tuple[float, float, float]:
    """Return lowest and highest voltage and largest current: the tighter of limits and model."""
    assert model.voltage_volt is not None
    assert model.current_ampere is not None
    return (
        max(limits.voltage_min_volt, model.voltage_volt[0]),
        min(limits.voltage_max_volt, model.voltage_volt[1]),
        min(limits.current_max_ampere, model.current_ampere),
    )


def voltage_and_current(setpoint: ConstantCurrent | ConstantVoltage) -> tuple[float, float]:
    """Return the voltage that ends or is held, and the current with its sign or its limit."""
    if isinstance(setpoint, ConstantCurrent):
        return setpoint.voltage_limit_volt, setpoint.current_ampere
    return setpoint.voltage_volt, setpoint.current_limit_ampere


def protection(highest_volt: float, model: Model) -> tuple[str, ...]:
    """Return the commands that open the output above ``highest_volt`` and leave the fuse out.

    The fuse trips where the current limit acts, and that is how a constant current is held.
    """
    assert model.voltage_volt is not None
    level = min(highest_volt + _PROTECTION_MARGIN_VOLT, model.voltage_volt[1])
    return (f"SOUR:VOLT:PROT:LEV {level:.6g}", "SOUR:VOLT:PROT:STAT 1", "FUSE 0")
