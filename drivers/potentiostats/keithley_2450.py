"""Keithley 2450, 2460 and 2461 source-measure units as cell channels, SCPI command set.

A cell is driven as "source voltage, limit current", both ways (the maker's own battery method):
the level is the voltage the cell may reach, the limit is the current, so the instrument passes
from CC to CV by itself and can neither overcharge nor overdischarge. Rest is 0 A with the
voltmeter. Knows no port and no engine; facts stand in ``keithley_2450.toml``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rig.core.errors import (
    InstrumentError,
    LinkClosed,
    LinkError,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
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
from rig.wire import scpi
from rig.wire.conversation import Conversation

_READ = b':READ? "defbuffer1",SOUR,READ,SOURSTAT\n'
# Source status bits (2450 reference, buffer element SOURSTAT).
_OVERTEMPERATURE, _LIMIT_REACHED, _OUTPUT_ON = 1 << 4, 1 << 5, 1 << 7

# What the channel does, by source function and by whether its limit is reached, and its flags.
_REGULATION = {
    ("VOLT", _LIMIT_REACHED): (Regulation.CURRENT, 0),
    ("VOLT", 0): (Regulation.VOLTAGE, int(Flag.VOLTAGE_HELD)),
    ("CURR", 0): (Regulation.OPEN, 0),
    ("CURR", _LIMIT_REACHED): (Regulation.VOLTAGE, int(Flag.VOLTAGE_HELD | Flag.COMPLIANCE)),
}

# OVP settings that the sheet's source names, volt. Limits must lie below the setting.
_PROTECTION_VOLT = (2, 5, 10, 20, 40)
# Fixed ranges by model, up to the largest that serves a cell; other models are left to autorange.
_VOLTAGE_RANGES = {"2450": (0.02, 0.2, 2.0, 20.0)}
_CURRENT_RANGES = {"2450": tuple(10.0**exponent for exponent in range(-8, 1))}
_AUTO = None
_HIGH_IMPEDANCE = (":OUTP:VOLT:SMOD HIMP", ":OUTP:CURR:SMOD HIMP")

# A rest must never clamp the cell, not even a wrong one put in: the voltage limit is well above.
_REST_LIMIT_VOLT = 10.0
# The instrument rounds to its resolution; a value that it did not take is further off. A level
# near zero may be off by a step of its range.
_READBACK_TOLERANCE = 1e-3
_LEVEL_STEP = 1e-4
_INFORMATION = "4"  # type of an event that is neither an error (1) nor a warning (2)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What may only change while the output is off; ranges as numbers, None for autorange."""

    source: str  # VOLT or CURR
    protection_volt: int
    source_range: float | None
    measure_range: float | None

    @property
    def measured(self) -> str:
        return "CURR" if self.source == "VOLT" else "VOLT"

    @property
    def limited(self) -> str:
        return "ILIM" if self.source == "VOLT" else "VLIM"


@dataclass(frozen=True, slots=True)
class _Setup:
    """A set point in the instrument's own terms; level and limit may change while the output is on."""

    frame: _Frame
    level: float
    limit: float

    @property
    def level_command(self) -> str:
        return f":SOUR:{self.frame.source}"

    @property
    def limit_command(self) -> str:
        return f":SOUR:{self.frame.source}:{self.frame.limited}"


class Keithley2450:
    """One source-measure unit, four-quadrant, with one cell in 4-wire connection.

    ``measure`` before ``apply``, or after ``make_safe``, raises InstrumentError: behind the open
    relay the instrument does not see the cell.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str) -> None:
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._talk = Conversation(link, self._who, self.sheet.timeout_second, ("*LANG?", "SCPI"))
        self._model: Model | None = None
        self._armed: _Setup | None = None

    def identify(self) -> Identity:
        answer = self._talk.query("*IDN?")
        fields = [field.strip() for field in answer.split(",")]
        if len(fields) != 4 or not fields[0].upper().startswith("KEITHLEY"):
            raise self._wrong(f"sent '*IDN?', got {answer!r}, expected a Keithley instrument")
        name = fields[1].upper().removeprefix("MODEL ")
        model = self.sheet.model(name)
        if model is None:
            known = ", ".join(model.name for model in self.sheet.models)
            raise self._wrong(f"sent '*IDN?', got {answer!r}, expected one of {known}")
        language = self._talk.query("*LANG?")
        if language != "SCPI":
            raise WrongInstrument(
                f"{self._who}: sent '*LANG?', got {language!r}, expected 'SCPI'",
                remedy="send *LANG SCPI (or choose it in the instrument's menu) and switch it off and on",
            )
        self._model = model
        return Identity(self.sheet.maker, model.name, fields[2], fields[3])

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        self._refuse_beyond(setpoint, limits)
        if self._model is None:
            self.identify()
            self._refuse_beyond(setpoint, limits)
        assert self._model is not None
        setup = _plan(setpoint, limits, self._model)
        # Forgotten until confirmed: after a failure half way, the next apply starts from the off state.
        armed, self._armed = self._armed, None
        if armed is not None and armed.frame == setup.frame and self._talk.switch(":OUTP?"):
            self._change(armed, setup)
        else:
            self._set_up(setup)
        self._armed = setup

    def measure(self) -> CellReading:
        armed = self._armed
        if armed is None:
            raise InstrumentError(
                f"{self._who}: asked to measure with no set point applied",
                remedy="apply a set point first: the relay is open and the cell is not seen",
            )
        return _reading(armed.frame.source, *self._read())

    def make_safe(self) -> None:
        """Open the output relay and have it confirmed; what was read or sent before does not matter.

        The off state is set again each time: after a power dip it is NORMAL, a 0 V source.
        """
        self._armed = None
        try:
            self._talk.send(":ABOR", *_HIGH_IMPEDANCE, ":OUTP OFF")
            self._confirm_off()
            self._errors()
        except (LinkError, InstrumentError) as error:
            raise UnconfirmedSafeState(
                f"{self._who}: the output is not confirmed off: {error}",
                remedy="switch the output off at the instrument (OUTPUT key) and disconnect the cell",
            ) from error

    # --- refusing and planning -----------------------------------------------------------------

    def _refuse_beyond(self, setpoint: Setpoint, limits: Limits) -> None:
        """Raise OutOfRange when no model that this can be is able to do it; sends nothing."""
        models = (self._model,) if self._model else self.sheet.models
        refusals = [_refusals(setpoint, limits, model) for model in models]
        if all(refusals):
            raise OutOfRange(f"{self._who}: {setpoint}: {'; '.join(refusals[0])}; nothing was sent")

    def _wrong(self, message: str) -> WrongInstrument:
        return WrongInstrument(
            f"{self._who}: {message}", remedy="check this instrument's connect: in the bench file"
        )

    # --- setting up ----------------------------------------------------------------------------

    def _set_up(self, setup: _Setup) -> None:
        """From any state: output off, everything set, confirmed, output on, confirmed."""
        self._talk.send(*_commands(setup))
        self._confirm(setup)
        self._talk.send(":OUTP ON")
        if not self._talk.switch(":OUTP?"):
            errors = "; ".join(self._errors()) or "no error reported"
            raise Refused(
                f"{self._who}: sent ':OUTP ON', output is still off: {errors}",
                remedy="check the interlock and that no protection has tripped",
            )
        # The relay needs about 50 ms. A reading at NPLC 1 takes longer, so one that nobody uses
        # waits for it: the first reading of a step must not be of an open relay.
        self._read()

    def _change(self, armed: _Setup, setup: _Setup) -> None:
        """With the output on: the smaller of the two limits is in force while the level moves."""
        limit = f"{setup.limit_command} {setup.limit:.6g}"
        level = f"{setup.level_command} {setup.level:.6g}"
        self._talk.send(*((limit, level) if setup.limit < armed.limit else (level, limit)))
        self._confirm(setup)

    def _confirm(self, setup: _Setup) -> None:
        """Raise Refused unless the error queue is empty and limit and level read back as sent."""
        if errors := self._errors():
            raise Refused(f"{self._who}: {setup} was refused: {'; '.join(errors)}")
        step = _LEVEL_STEP * (setup.frame.source_range or 0.0)
        for command, wanted, tolerance in (
            (setup.limit_command, setup.limit, 0.0),
            (setup.level_command, setup.level, step),
        ):
            [kept] = self._talk.numbers(f"{command}?\n".encode("ascii"), 1)
            if not math.isclose(kept, wanted, rel_tol=_READBACK_TOLERANCE, abs_tol=tolerance):
                raise Refused(
                    f"{self._who}: sent '{command} {wanted:.6g}', reads back {kept:.6g}: "
                    "the instrument kept another value without an error"
                )

    def _confirm_off(self) -> None:
        """Ask whether the output is off; a second time, in step, where the first answer was none.

        What is left over from a broken exchange must not keep a cell from being declared safe.
        """
        try:
            still_on = self._talk.switch(":OUTP?")
        except LinkClosed:
            raise
        except (LinkError, UnreadableReply):
            self._talk.send(":OUTP OFF")
            still_on = self._talk.switch(":OUTP?")
        if still_on:
            raise Refused(f"{self._who}: sent ':OUTP OFF', ':OUTP?' says 1")

    def _read(self) -> tuple[float, float, int]:
        """Return source value, measured value and source status of one fresh reading."""
        source, measured, status = self._talk.numbers(_READ, 3)
        if not (status.is_integer() and status >= 0):
            raise UnreadableReply(f"{self._who}: sent {_READ!r}, got source status {status}")
        return source, measured, int(status)

    def _errors(self) -> list[str]:
        """Empty the error queue; return its errors and warnings in words."""
        return [self._explain(error) for error in self._talk.errors() if not _is_information(error)]

    def _explain(self, error: scpi.ScpiError) -> str:
        meaning = self.sheet.refusals.get(str(error.code), "")
        return f"{error} ({meaning})" if meaning else str(error)


def _refusals(setpoint: Setpoint, limits: Limits, model: Model) -> list[str]:
    """Return everything about a set point that the limits or the model cannot hold.

    Comparisons are negated, so that nan is refused too.
    """
    lowest, highest, largest = _in_force(limits, model)
    refusals = []
    if not lowest < highest:
        refusals.append(f"the limits leave no voltage: {lowest:g} to {highest:g} V")
    bound = max(abs(lowest), abs(highest))
    if not bound < _PROTECTION_VOLT[-1]:
        refusals.append(f"no overvoltage protection step above {bound:g} V is known")
    if isinstance(setpoint, OpenCircuit):
        if not bound < _rest_limit(bound, model):
            refusals.append(f"model {model.name} has no voltage limit above {bound:g} V")
        return refusals
    voltage, current = _voltage_and_current(setpoint)
    if not lowest <= voltage <= highest:
        refusals.append(f"voltage {voltage:g} V is outside {lowest:g} to {highest:g} V")
    if not 0 < current <= largest:
        refusals.append(f"current {current:g} A is not above 0 and up to {largest:g} A")
    return refusals


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


def _plan(setpoint: Setpoint, limits: Limits, model: Model) -> _Setup:
    """Translate a set point that was not refused.

    Voltage range and OVP follow the limits, not the level: steps of one run then share them, and
    the relay stays closed from step to step.
    """
    lowest, highest, _ = _in_force(limits, model)
    bound = max(abs(lowest), abs(highest))
    voltage_ranges = _VOLTAGE_RANGES.get(model.name)
    if isinstance(setpoint, OpenCircuit):
        limit = _rest_limit(bound, model)
        frame = _Frame("CURR", _protection(limit), _AUTO, _smallest(voltage_ranges, limit))
        return _Setup(frame, 0.0, limit)
    voltage, current = _voltage_and_current(setpoint)
    current_range = _smallest(_CURRENT_RANGES.get(model.name), current)
    frame = _Frame("VOLT", _protection(bound), _smallest(voltage_ranges, bound), current_range)
    return _Setup(frame, voltage, current)


def _rest_limit(bound_volt: float, model: Model) -> float:
    """Return the voltage limit of a rest: far above the cell, within what model and OVP can do."""
    assert model.voltage_volt is not None
    return min(
        max(_REST_LIMIT_VOLT, 2 * bound_volt), model.voltage_volt[1], _PROTECTION_VOLT[-1] - 1
    )


def _protection(voltage_volt: float) -> int:
    return next(step for step in _PROTECTION_VOLT if step > voltage_volt)


def _smallest(ranges: tuple[float, ...] | None, value: float) -> float | None:
    """Return the smallest range that holds ``value``; the last holds 105 % of itself."""
    if ranges is None:
        return _AUTO
    return next((full_scale for full_scale in ranges if full_scale >= value), ranges[-1])


def _commands(setup: _Setup) -> tuple[str, ...]:
    """Return the set-up in the order that no command meets a setting it conflicts with.

    Off state before output off, so that the cell never sees the 0 V source of NORMAL. OVP while
    the level is 0 V and the source is VOLT, where neither a stale level nor a stale voltage limit
    stands against it. The limit after the source range and under autorange: a fixed range forces
    the limit to 0.1 % of itself or more.
    """
    frame = setup.frame
    source, sense = f":SOUR:{frame.source}", f":SENS:{frame.measured}"
    select = () if frame.source == "VOLT" else (f":SOUR:FUNC {frame.source}",)
    return (
        ":ABOR",
        "*CLS",
        *_HIGH_IMPEDANCE,
        ":OUTP OFF",
        ":SOUR:FUNC VOLT",
        ":SOUR:VOLT 0",
        f":SOUR:VOLT:PROT PROT{frame.protection_volt}",
        *select,
        f':SENS:FUNC "{frame.measured}"',
        f"{sense}:RANG:AUTO ON",
        _range_command(source, frame.source_range),
        f"{setup.limit_command} {setup.limit:.6g}",
        f"{setup.level_command} {setup.level:.6g}",
        f"{source}:READ:BACK ON",
        _range_command(sense, frame.measure_range),
        f"{sense}:RSEN ON",
        f"{sense}:NPLC 1",
        ":SENS:COUN 1",
        ':TRAC:CLE "defbuffer1"',
    )


def _range_command(prefix: str, full_scale: float | None) -> str:
    return f"{prefix}:RANG:AUTO ON" if full_scale is _AUTO else f"{prefix}:RANG {full_scale:.6g}"


def _reading(source: str, source_value: float, measured: float, status: int) -> CellReading:
    """Put one reading into the contract's words; with readback on, the source value is measured."""
    voltage, current = (source_value, measured) if source == "VOLT" else (measured, source_value)
    regulation, flags = _REGULATION[source, status & _LIMIT_REACHED]
    if not status & _OUTPUT_ON:
        regulation, flags = Regulation.STOPPED, 0
    if status & _OVERTEMPERATURE:
        flags |= int(Flag.OVERTEMPERATURE)
    if not (math.isfinite(voltage) and math.isfinite(current)):
        flags |= int(Flag.OVERLOAD)
        voltage, current = _number_or_nan(voltage), _number_or_nan(current)
    return CellReading(voltage, current, regulation, flags)


def _is_information(error: scpi.ScpiError) -> bool:
    """Tell by the type of ``<message>;<type>;<time>``; what has no type counts as an error."""
    fields = error.text.rsplit(";", 2)
    return len(fields) == 3 and fields[1] == _INFORMATION


def _number_or_nan(value: float) -> float:
    return value if math.isfinite(value) else math.nan
