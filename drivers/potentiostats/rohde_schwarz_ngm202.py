"""Rohde & Schwarz NGM202 supply as a charging channel, on its output 1.

It charges and holds a voltage from above, as a source that never sinks. How its sink limits the
current is not documented for certain, so a discharge is refused. Rest is the output off, and since
nobody has said what the instrument measures then, a rest has no voltage. Knows no port and no
engine; facts stand in ``rohde_schwarz_ngm202.toml``.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

from drivers.potentiostats.rohde_schwarz_ng import Output, Setup, Switch
from drivers.potentiostats.rohde_schwarz_set_points import (
    in_force,
    protection,
    refusals,
    voltage_and_current,
)
from rig.core.errors import InstrumentError, OutOfRange
from rig.core.instruments import (
    CellReading,
    ConstantCurrent,
    ConstantVoltage,
    Flag,
    Identity,
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
)
from rig.core.link import Link
from rig.core.sheet import Model, Sheet, load_sheet

_SWITCH = Switch(
    select=("INST:NSEL 1",),
    on=("OUTP:SEL 1", "OUTP:GEN 1"),
    off=("OUTP:SEL 0", "OUTP:GEN 0"),
    questions=("OUTP:SEL?", "OUTP:GEN?"),
)
_VOLTAGE, _CURRENT = b"MEAS:VOLT?\n", b"MEAS:CURR?\n"


class RohdeSchwarzNgm202:
    """Output 1 of one NGM202 with one cell in 4-wire connection; output 2 stays off.

    ``measure`` before ``apply``, or after ``make_safe``, raises InstrumentError.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str) -> None:
        self._model = self.sheet.models[0]
        self._output = Output(link, name, self.sheet, _SWITCH)
        self._resting = False

    def identify(self) -> Identity:
        return self._output.identify()

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        if refused := _refusals(setpoint, limits, self._model):
            raise OutOfRange(
                f"{self._output.who}: {setpoint}: {'; '.join(refused)}; nothing was sent"
            )
        if not self._output.identified:
            self._output.identify()
        self._resting = False
        if isinstance(setpoint, OpenCircuit):
            self._output.cut()
            self._resting = True
        else:
            self._output.put(_plan(setpoint, limits, self._model))

    def measure(self) -> CellReading:
        """Return voltage and current; at rest no voltage (NaN, not an overload) and no current."""
        if not self._resting:
            return self._output.measure(self._output.armed(), _VOLTAGE, _CURRENT)
        self._output.select()
        if self._output.is_on():
            raise InstrumentError(
                f"{self._output.who}: at rest, and {_SWITCH.questions[-1]!r} says 1: somebody switched it on",
                remedy="leave the instrument in remote control while a run uses it",
            )
        return CellReading(math.nan, 0.0, Regulation.OPEN)

    def make_safe(self) -> None:
        """Switch both outputs off, confirmed; what was read or sent before does not matter."""
        self._resting = False
        self._output.cut()


def _refusals(setpoint: Setpoint, limits: Limits, model: Model) -> list[str]:
    refused = refusals(setpoint, limits, model)
    if isinstance(setpoint, ConstantCurrent) and setpoint.current_ampere < 0:
        refused.append("how this model limits a discharge is not known for certain")
    return refused


def _plan(setpoint: ConstantCurrent | ConstantVoltage, limits: Limits, model: Model) -> Setup:
    """Translate a set point that was not refused; steps of one run share their frame."""
    _, highest, _ = in_force(limits, model)
    voltage, current = voltage_and_current(setpoint)
    return Setup(
        frame=(
            "OUTP:MODE SOUR",
            "SOUR:VOLT:SENS EXT",
            "SENS:CURR:RANG:AUTO 1",
            "SENS:VOLT:RANG:AUTO 1",
            *protection(highest, model),
        ),
        levels=(("SOUR:VOLT", voltage), ("SOUR:CURR", current)),
        in_current=(Regulation.CURRENT, Flag.NONE),
        in_voltage=(Regulation.VOLTAGE, Flag.VOLTAGE_HELD),
    )
