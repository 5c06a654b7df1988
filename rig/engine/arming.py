"""What an instrument is told when a step begins, goes on or is armed again. Pure."""

from __future__ import annotations

from rig.core.instruments import ConstantCurrent, ConstantVoltage, OpenCircuit
from rig.engine.action import Apply, Command, ReadResistance, SetTemperature
from rig.engine.cursor import Place
from rig.engine.spectrum import spectrum_begins
from rig.protocol.program import Galvanostat, Potentiostat, Step, StepKind

LONGEST_SECOND = 86_400.0  # the dead-man of a set point that has no time end of its own
MARGIN_SECOND = 60.0


def command_of(step: Step, place: Place, now_second: float) -> Command:
    """Return the command of a step, with what is left of its time as the instrument's dead-man."""
    if step.sweep is not None:
        return spectrum_begins()
    if step.kind is StepKind.RESISTANCE:
        return ReadResistance()
    if step.temperature is not None:
        return SetTemperature(step.temperature.celsius)
    longest = longest_second(step, place, now_second)
    match step.drive:
        case Galvanostat(ampere, limit, hold):
            return Apply(ConstantCurrent(ampere, limit, hold), longest)
        case Potentiostat(volt, limit):
            return Apply(ConstantVoltage(volt, limit), longest)
    return Apply(OpenCircuit(), longest)


def longest_second(step: Step, place: Place, now_second: float) -> float:
    """Return how long the instrument may go on by itself: what is left of the step, and a margin."""
    times = [end.value for end in step.ends if end.quantity == "time"]
    if not times:
        return LONGEST_SECOND
    return max(0.0, place.counted_from_second + min(times) - now_second) + MARGIN_SECOND
