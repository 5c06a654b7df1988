"""Chambers with a Watlow F4T controller on its SCPI port: set commands without reply, queries of one line.

Knows nothing of cells, ports or time. The SCPI port cannot be asked for limits, profile state or
alarms: where Modbus TCP (``watlow_f4t``) is free, take that.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import ClassVar

from rig.core.errors import (
    BadInput,
    InstrumentError,
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
from rig.wire.conversation import Conversation

SAFE_CELSIUS = 25.0
_SETPOINT_STEP_CELSIUS = (
    0.05  # a set point is written in tenths; one that is off by more is another
)
_IDENTITY = re.compile(r'"?Watlow Electric"?,"?(F4T)"?,([^,]*),(\d+):(\d+):(\d+)')
# Older firmware knows Fahrenheit only and not all of these commands.
_OLDEST_FIRMWARE = (4, 5, 7)
_LOOP_ALARM = 1
_OUTPUTS = range(1, 8)
_ASK_UNIT, _CELSIUS, _FAHRENHEIT = ":UNIT:TEMPERATURE?", "C", "F"


class WatlowF4TScpi:
    """A chamber on control loop 1, in degree Celsius, set to 0.1 K.

    ``chamber_output`` is the output (1 to 7) that switches the conditioning: the chamber's builder
    decides which, see the chamber's own manual.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str, chamber_output: int = 1) -> None:
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        if chamber_output not in _OUTPUTS:
            raise BadInput(
                Problem(self._who, f"chamber output {chamber_output} is not within 1 to 7")
            )
        self._output = f":OUTPUT{chamber_output}:STATE"
        # The marker is an answer that no other query has: "C" alone.
        marker = (_ASK_UNIT, _CELSIUS)
        self._talk = Conversation(link, self._who, self.sheet.timeout_second, marker)

    def identify(self) -> Identity:
        answer = self._talk.query("*IDN?")
        match = _IDENTITY.fullmatch(answer)
        if match is None:
            raise WrongInstrument(
                f"{self._who}: sent '*IDN?', got {answer!r}, expected \"Watlow Electric\",F4T,"
                "serial,firmware",
                remedy="check this instrument's connect: in the bench file",
            )
        _, serial, *firmware = match.groups()
        if tuple(map(int, firmware)) < _OLDEST_FIRMWARE:
            raise WrongInstrument(
                f"{self._who}: firmware {':'.join(firmware)}, expected 04:05:0007 or later",
                remedy="update the controller, or use the driver watlow.f4t (Modbus TCP)",
            )
        self._use_celsius()
        model = self.sheet.models[0].name
        return Identity(self.sheet.maker, model, serial.strip('"'), ":".join(firmware))

    def set_temperature(self, temperature_celsius: float) -> None:
        """Command the set point, switch the chamber on, and read both back."""
        self._refuse_outside(temperature_celsius)
        # + 0.0 turns the -0.0 that rounding can leave into 0.0
        wanted = round(temperature_celsius, 1) + 0.0
        self._use_celsius()
        self._talk.send(f":SOURCE:CLOOP1:SPOINT {wanted:.1f}", f"{self._output} ON")
        self._confirm(wanted, running=True)

    def read_temperature(self) -> ChamberReading:
        """Read air, set point, chamber output and the loop's error: alarm 1 stands for that."""
        self._use_celsius()
        air = self._number(b":SOURCE:CLOOP1:PVALUE?\n")
        setpoint = self._read_setpoint()
        running = self._read_running()
        failed = self._choice(":SOURCE:CLOOP1:ERROR?", "ERROR", "NONE")
        return ChamberReading(air, setpoint, running, (_LOOP_ALARM,) if failed else ())

    def make_safe(self) -> None:
        """End a profile, switch the chamber off, leave 25 degC behind; output and set point read back.

        Off first: nothing that fails after that can keep the chamber heating.
        """
        try:
            self._talk.send(
                ":PROGRAM:SELECTED:STATE STOP", f"{self._output} OFF", ":UNIT:TEMPERATURE C"
            )
            self._use_celsius()
            self._talk.send(f":SOURCE:CLOOP1:SPOINT {SAFE_CELSIUS:.1f}")
            self._confirm(SAFE_CELSIUS, running=False)
        except (LinkError, InstrumentError) as problem:
            raise UnconfirmedSafeState(
                f"{self._who}: off state not confirmed: {problem}",
                remedy="switch the chamber off at its panel",
            ) from problem

    def _refuse_outside(self, celsius: float) -> None:
        model = self.sheet.models[0]
        assert model.temperature_celsius is not None
        low, high = model.temperature_celsius
        if not low <= celsius <= high:
            raise OutOfRange(
                f"{self._who}: {celsius:g} degC is outside {model.name}: {low:g} to {high:g} degC"
            )

    def _confirm(self, celsius: float, *, running: bool) -> None:
        kept, on = self._read_setpoint(), self._read_running()
        if abs(kept - celsius) >= _SETPOINT_STEP_CELSIUS or on is not running:
            raise InstrumentError(
                f"{self._who}: set {celsius:.1f} degC, output {'ON' if running else 'OFF'}; "
                f"read back {kept:.1f} degC, output {'ON' if on else 'OFF'}",
                remedy="look for the controller's own limits, a profile or a person at the panel",
            )

    def _use_celsius(self) -> None:
        """Have all numbers in Celsius: set commands have no reply, so this is asked each time."""
        if self._choice(_ASK_UNIT, _CELSIUS, _FAHRENHEIT):
            return
        self._talk.send(":UNIT:TEMPERATURE C")
        if not self._choice(_ASK_UNIT, _CELSIUS, _FAHRENHEIT):
            raise InstrumentError(
                f"{self._who}: sent ':UNIT:TEMPERATURE C', still answers 'F'",
                remedy="set the unit of communication to Celsius at the panel",
            )

    def _read_setpoint(self) -> float:
        return self._number(b":SOURCE:CLOOP1:SPOINT?\n")

    def _read_running(self) -> bool:
        return self._choice(f"{self._output}?", "ON", "OFF")

    def _number(self, line: bytes) -> float:
        [value] = self._talk.numbers(line, 1)
        if not math.isfinite(value):
            raise UnreadableReply(f"{self._who}: sent {line!r}, got {value}, no temperature")
        return value

    def _choice(self, query: str, yes: str, no: str) -> bool:
        answer = self._talk.query(query)
        if answer not in (yes, no):
            raise UnreadableReply(
                f"{self._who}: sent {query!r}, got {answer!r}, expected {yes} or {no}"
            )
        return answer == yes
