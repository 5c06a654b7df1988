"""Rohde & Schwarz NGU401 four-quadrant source-measure unit as a cell channel.

A cell is driven in voltage priority: the level is the voltage the cell may reach, and two limits
hold the current, one for each direction, so the instrument passes from CC to CV by itself and
hardly any current can flow the wrong way. Rest is 0 A in current priority, the maker's own
voltmeter. Knows no port and no engine; facts stand in ``rohde_schwarz_ngu401.toml``.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from drivers.potentiostats.rohde_schwarz_ng import Output, Setup, Switch
from drivers.potentiostats.rohde_schwarz_set_points import (
    in_force,
    protection,
    refusals,
    voltage_and_current,
)
from rig.core.errors import OutOfRange
from rig.core.instruments import (
    CellReading,
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

_SWITCH = Switch(select=(), on=("OUTP 1",), off=("OUTP 0",), questions=("OUTP?",))
_READ = b"READ?\n"

# SOUR:CURR MIN of an NGU401.
_LEAST_AMPERE = 1e-6
# What a charge allows the other way, and a discharge: as in the maker's transcript, and never more
# than the step's own current.
_BLOCKING_AMPERE = 1e-3
# A rest must never clamp the cell, not even a wrong one put in: the voltage limits are well away.
_REST_LIMIT_VOLT = 10.0


class RohdeSchwarzNgu401:
    """One NGU401 with one cell in 4-wire connection.

    ``measure`` before ``apply``, or after ``make_safe``, raises InstrumentError: nobody has said
    whether the instrument sees the cell with its output off.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str) -> None:
        self._model = self.sheet.models[0]
        self._output = Output(link, name, self.sheet, _SWITCH)

    def identify(self) -> Identity:
        return self._output.identify()

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        if refused := refusals(setpoint, limits, self._model, _LEAST_AMPERE):
            raise OutOfRange(
                f"{self._output.who}: {setpoint}: {'; '.join(refused)}; nothing was sent"
            )
        if not self._output.identified:
            self._output.identify()
        self._output.put(_plan(setpoint, limits, self._model))

    def measure(self) -> CellReading:
        return self._output.measure(self._output.armed(), _READ)

    def make_safe(self) -> None:
        """Switch the output off, confirmed; what was read or sent before does not matter."""
        self._output.cut()


def _plan(setpoint: Setpoint, limits: Limits, model: Model) -> Setup:
    """Translate a set point that was not refused.

    The protection follows the limits and not the level: steps of one run then share their frame,
    and the output stays on from step to step.
    """
    lowest, highest, _ = in_force(limits, model)
    bound = max(abs(lowest), abs(highest))
    if isinstance(setpoint, OpenCircuit):
        return _rest(bound, model)
    voltage, current = voltage_and_current(setpoint)
    charging, discharging = _current_limits(setpoint, current)
    return Setup(
        frame=_frame("VOLT", bound, model),
        levels=(
            ("SOUR:VOLT", voltage),
            ("SOUR:CURR", charging),
            ("SOUR:CURR:NEG", -discharging),
        ),
        in_current=(Regulation.CURRENT, Flag.NONE),
        in_voltage=(Regulation.VOLTAGE, Flag.VOLTAGE_HELD),
    )


def _current_limits(setpoint: Setpoint, current: float) -> tuple[float, float]:
    """Return the largest charging and discharging current, as magnitudes."""
    largest = abs(current)
    if isinstance(setpoint, ConstantVoltage):
        return largest, largest
    blocked = min(largest, _BLOCKING_AMPERE)
    return (largest, blocked) if current > 0 else (blocked, largest)


def _rest(bound_volt: float, model: Model) -> Setup:
    """No current; where a voltage limit acts, the cell is clamped, and the reading says so."""
    assert model.voltage_volt is not None
    limit = min(max(_REST_LIMIT_VOLT, 2 * bound_volt), model.voltage_volt[1])
    return Setup(
        frame=_frame("CURR", limit, model),
        levels=(("SOUR:CURR", 0.0), ("SOUR:VOLT", limit), ("SOUR:VOLT:NEG", -limit)),
        in_current=(Regulation.OPEN, Flag.NONE),
        in_voltage=(Regulation.VOLTAGE, Flag.VOLTAGE_HELD | Flag.COMPLIANCE),
    )


def _frame(priority: str, bound_volt: float, model: Model) -> tuple[str, ...]:
    return (
        f"SOUR:PRI {priority}",
        "SOUR:VOLT:SENS EXT",
        "SENS:CURR:RANG:AUTO 1",
        "SENS:VOLT:RANG:AUTO 1",
        "SENS:NPLC 1",
        *protection(bound_volt, model),
    )
