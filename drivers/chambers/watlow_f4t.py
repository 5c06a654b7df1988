"""Chambers with a Watlow F4T controller over Modbus TCP, in its own register map (data map 1).

Knows nothing of cells, ports or time. Two settings of the controller change what every number
means: the order of the two halves of a float, found here from values that make sense in one order
only, and the unit, which is asked for before a number is trusted. Register numbers are those of
the sheet's sources.
"""

from __future__ import annotations

import math
from enum import IntEnum
from pathlib import Path
from typing import ClassVar

from rig.core.errors import (
    BadInput,
    InstrumentError,
    LinkClosed,
    LinkError,
    OutOfRange,
    Problem,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import ChamberReading, Identity
from rig.core.link import Link
from rig.core.sheet import Sheet, load_sheet
from rig.wire.modbus import ModbusRefusal, ModbusTcp, WordOrder, float_of, words_of

SAFE_CELSIUS = 25.0
_SETPOINT_STEP_CELSIUS = (
    0.05  # a set point is written in tenths; one that is off by more is another
)
_ILLEGAL_ADDRESS = 2
_PART_NUMBER_LENGTH = 15
_EVENTS = range(1, 5)  # the addresses of events 5 to 8 are from memory only
_EVENT_STRIDE = 2
_MOST_ALARMS = 14  # beyond them lie the registers of control loop 1
_ALARM_STRIDE = 100
# A temperature in degrees, or zero: what two swapped halves of a float hardly ever give.
_SMALLEST_SENSIBLE, _LARGEST_SENSIBLE = 1e-3, 2000.0


class Register(IntEnum):
    """Control loop 1 and what stands around it; floats take this register and the next."""

    PART_NUMBER = 16  # to 30, one character each
    DEVICE_STATUS = 90
    DISPLAY_UNITS = 1328
    ALARM_STATE = 1356  # of alarm 1
    CONTROL_MODE = 2730
    LOW_LIMIT = 2774
    HIGH_LIMIT = 2776
    SETPOINT = 2782
    ACTUAL_MODE = 2814
    PROCESS_VALUE = 2820
    PROFILE_END = 16566
    PROFILE_STATE = 16568
    EVENT = 16594  # of event output 1; the next ones are two further each


class Code(IntEnum):
    """What the controller's enumerated registers hold; one number means one word everywhere."""

    AUTO = 10
    ALARM_OFF = 12
    CELSIUS = 15
    FAHRENHEIT = 30
    FAIL = 32
    MANUAL = 54
    NONE = 61
    OFF = 62
    ON = 63
    STARTUP = 88
    OK = 138
    PAUSED = 146
    TERMINATE = 148
    RUNNING = 149
    NOT_STARTED = 251
    COMPLETE = 252
    TERMINATED = 253
    CALENDAR_START = 1783


_MODES = (Code.AUTO, Code.MANUAL, Code.OFF)
_SWITCH = (Code.ON, Code.OFF)
_PROFILE_ACTIVE = (Code.RUNNING, Code.PAUSED, Code.CALENDAR_START)
_PROFILE_STATES = (
    *_PROFILE_ACTIVE,
    Code.OFF,
    Code.NOT_STARTED,
    Code.COMPLETE,
    Code.TERMINATED,
)
_ALARM_INACTIVE = (Code.STARTUP, Code.NONE, Code.ALARM_OFF)


class WatlowF4T:
    """A chamber on control loop 1, in degree Celsius, set to 0.1 K.

    ``chamber_event`` is the event output (1 to 4) that switches the conditioning: the chamber's
    builder decides which, see the chamber's own manual.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str, chamber_event: int = 1) -> None:
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        if chamber_event not in _EVENTS:
            raise BadInput(
                Problem(self._who, f"chamber event {chamber_event} is not within 1 to 4")
            )
        self._modbus = ModbusTcp(link, self._who, self.sheet.timeout_second)
        self._event = Register.EVENT + _EVENT_STRIDE * (chamber_event - 1)
        self._order: WordOrder | None = None
        self._alarms = 0

    def identify(self) -> Identity:
        """Read the part number, and find the word order and how many alarms there are."""
        part = self._read_part_number()
        if not part.startswith("F4T"):
            raise WrongInstrument(
                f"{self._who}: part number {part!r}, expected one that starts with F4T",
                remedy="choose the driver of this controller in the bench file, and data map 1",
            )
        self._require_celsius()
        self._order = self._find_word_order()
        self._alarms = self._count_alarms()
        return Identity(self.sheet.maker, self.sheet.models[0].name, serial="", firmware="")

    def set_temperature(self, temperature_celsius: float) -> None:
        """Command the set point, switch loop and chamber on, and read all three back.

        Raises OutOfRange beyond the sheet or the loop's own limits, InstrumentError while a
        profile runs: nothing was written then.
        """
        self._refuse_outside(temperature_celsius, self.sheet.models[0].temperature_celsius, "F4T")
        order = self._prepare()
        own = (
            self._read_float(Register.LOW_LIMIT, order),
            self._read_float(Register.HIGH_LIMIT, order),
        )
        self._refuse_outside(temperature_celsius, own, "the limits of control loop 1")
        self._refuse_while_a_profile_runs()
        # + 0.0 turns the -0.0 that rounding can leave into 0.0
        wanted = round(temperature_celsius, 1) + 0.0
        self._modbus.write_many(Register.SETPOINT, words_of(wanted, order))
        self._modbus.write(Register.CONTROL_MODE, Code.AUTO)
        self._modbus.write(self._event, Code.ON)
        self._confirm(wanted, order, Code.AUTO, Code.ON)

    def read_temperature(self) -> ChamberReading:
        """Read air, set point, mode, event and alarms.

        ``alarms`` are the numbers of the active alarms, and 32 where the device status is "fail".
        """
        order = self._prepare()
        air = self._read_float(Register.PROCESS_VALUE, order)
        setpoint = self._read_float(Register.SETPOINT, order)
        mode, event = self._read_mode(), self._read_code(self._event, _SWITCH)
        running = mode is not Code.OFF and event is Code.ON
        return ChamberReading(air, setpoint, running, self._read_alarms())

    def make_safe(self) -> None:
        """End a profile, leave 25 degC behind, switch chamber and loop off; read back."""
        try:
            try:
                self._end_profile_in_step()
                order = self._prepare()
                self._modbus.write_many(Register.SETPOINT, words_of(SAFE_CELSIUS, order))
            finally:  # a wrong unit or a lost reply is no reason to go on heating
                self._switch_off()
            self._confirm(SAFE_CELSIUS, order, Code.OFF, Code.OFF)
            self._refuse_while_a_profile_runs()
        except (LinkError, InstrumentError) as problem:
            raise UnconfirmedSafeState(
                f"{self._who}: off state not confirmed: {problem}",
                remedy="switch the chamber off at its panel",
            ) from problem

    def _switch_off(self) -> None:
        try:
            self._modbus.write(self._event, Code.OFF)
        finally:
            self._modbus.write(Register.CONTROL_MODE, Code.OFF)

    def _end_profile_in_step(self) -> None:
        """End a profile; asked a second time where the first answer was none.

        What is left over from a broken exchange must not keep a chamber from being declared safe.
        """
        try:
            self._end_profile()
        except LinkClosed:
            raise
        except (LinkError, UnreadableReply):
            self._end_profile()

    def _end_profile(self) -> None:
        if self._read_code(Register.PROFILE_STATE, _PROFILE_STATES) in _PROFILE_ACTIVE:
            self._modbus.write(Register.PROFILE_END, Code.TERMINATE)

    # --- refusing and confirming -----------------------------------------------------------------

    def _refuse_outside(
        self, celsius: float, bounds: tuple[float, float] | None, whose: str
    ) -> None:
        if bounds is not None and bounds[0] <= celsius <= bounds[1]:
            return
        allowed = "unknown" if bounds is None else f"{bounds[0]:g} to {bounds[1]:g} degC"
        raise OutOfRange(f"{self._who}: {celsius:g} degC is outside {whose}: {allowed}")

    def _refuse_while_a_profile_runs(self) -> None:
        state = self._read_code(Register.PROFILE_STATE, _PROFILE_STATES)
        if state in _PROFILE_ACTIVE:
            raise InstrumentError(
                f"{self._who}: a profile has the chamber: register {Register.PROFILE_STATE:d} "
                f"says {state:d} ({state.name.lower()})",
                remedy="ask whoever uses the chamber, then end the profile at its panel",
            )

    def _confirm(self, celsius: float, order: WordOrder, mode: Code, event: Code) -> None:
        kept = self._read_float(Register.SETPOINT, order)
        got_mode, got_event = self._read_mode(), self._read_code(self._event, _SWITCH)
        near = abs(kept - celsius) < _SETPOINT_STEP_CELSIUS
        if not near or (got_mode, got_event) != (mode, event):
            raise InstrumentError(
                f"{self._who}: set {celsius:.1f} degC, loop {mode.name}, event {event.name}; "
                f"read back {kept:.1f} degC, loop {got_mode.name}, event {got_event.name}",
                remedy="look for a profile or a person at the chamber's panel",
            )

    # --- settings that change what numbers mean --------------------------------------------------

    def _prepare(self) -> WordOrder:
        """Return the word order, after asking for the unit: a person may change it at any time."""
        if self._order is None:
            self.identify()
        else:
            self._require_celsius()
        assert self._order is not None
        return self._order

    def _require_celsius(self) -> None:
        unit = self._read_code(Register.DISPLAY_UNITS, (Code.CELSIUS, Code.FAHRENHEIT))
        if unit is not Code.CELSIUS:
            raise InstrumentError(
                f"{self._who}: register {Register.DISPLAY_UNITS:d} says {unit:d} (Fahrenheit), "
                f"expected {Code.CELSIUS:d} (Celsius)",
                remedy="set the display unit and the unit of Modbus to Celsius at the panel",
            )

    def _find_word_order(self) -> WordOrder:
        """Return the one order in which limits, set point and air are all temperatures."""
        values = {
            register.name: self._modbus.read(register, 2)
            for register in (
                Register.LOW_LIMIT,
                Register.HIGH_LIMIT,
                Register.SETPOINT,
                Register.PROCESS_VALUE,
            )
        }
        orders = [
            order
            for order in WordOrder
            if all(_is_sensible(float_of(words, order)) for words in values.values())
        ]
        if len(orders) != 1:
            shown = ", ".join(f"{name} {a:04x} {b:04x}" for name, (a, b) in values.items())
            raise UnreadableReply(
                f"{self._who}: the word order of floats cannot be told from {shown}: "
                f"{len(orders)} orders make sense, expected one"
            )
        return orders[0]

    # --- registers -------------------------------------------------------------------------------

    def _read_part_number(self) -> str:
        try:
            registers = self._modbus.read(Register.PART_NUMBER, _PART_NUMBER_LENGTH)
        except ModbusRefusal as refusal:
            raise WrongInstrument(
                f"{self._who}: has no part number: {refusal}",
                remedy="check this instrument's connect: and that the controller is in data map 1",
            ) from refusal
        return "".join(map(chr, registers)).strip(" \0")

    def _read_float(self, register: int, order: WordOrder) -> float:
        value = float_of(self._modbus.read(register, 2), order)
        if not math.isfinite(value) or abs(value) > _LARGEST_SENSIBLE:
            raise UnreadableReply(
                f"{self._who}: register {register:d}: got {value}, no temperature"
            )
        return value

    def _read_mode(self) -> Code:
        return self._read_code(Register.ACTUAL_MODE, _MODES)

    def _read_code(self, register: int, allowed: tuple[Code, ...]) -> Code:
        (number,) = self._modbus.read(register)
        code = next((code for code in allowed if code == number), None)
        if code is None:
            words = ", ".join(f"{code:d} ({code.name.lower()})" for code in allowed)
            raise UnreadableReply(
                f"{self._who}: register {register:d}: got {number}, expected {words}"
            )
        return code

    def _count_alarms(self) -> int:
        """Return how many alarms this controller has: the first that is none is no address."""
        for index in range(_MOST_ALARMS):
            try:
                self._modbus.read(Register.ALARM_STATE + _ALARM_STRIDE * index)
            except ModbusRefusal as refusal:
                if refusal.code != _ILLEGAL_ADDRESS:
                    raise
                return index
        return _MOST_ALARMS

    def _read_alarms(self) -> tuple[int, ...]:
        status = self._read_code(Register.DEVICE_STATUS, (Code.OK, Code.FAIL))
        states = [
            self._modbus.read(Register.ALARM_STATE + _ALARM_STRIDE * index)[0]
            for index in range(self._alarms)
        ]
        active = [
            number for number, state in enumerate(states, 1) if state not in set(_ALARM_INACTIVE)
        ]
        return (*active, *((int(Code.FAIL),) if status is Code.FAIL else ()))


def _is_sensible(celsius: float) -> bool:
    return celsius == 0 or _SMALLEST_SENSIBLE <= abs(celsius) <= _LARGEST_SENSIBLE
