"""ESPEC temperature chambers with a P300 controller: text commands, each answered by one line.

Knows nothing of cells, ports or time. The silence that the controller needs between commands is
the sheet's ``spacing`` and kept by the wire. Section numbers are those of the command reference
that the sheet names: 2 replies, 3 queries, 4 sets, 7 safe shutdown.
"""

from __future__ import annotations

import re
from pathlib import Path

from rig.core.errors import (
    InstrumentError,
    LinkError,
    LinkTimeout,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import ChamberReading, Identity
from rig.core.link import Link
from rig.core.sheet import load_sheet

SAFE_CELSIUS = 25.0
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_FOUR_NUMBERS = re.compile(",".join([f"({_NUMBER.pattern})"] * 4))  # TEMP?, read day and night

# Section 3: what MODE? and MON? may answer, and whether the chamber conditions its air then.
RUNNING = {
    "OFF": False,
    "STANDBY": False,
    "CONSTANT": True,
    "RUN": True,
    "RUN PAUSE": True,
    "RUN END HOLD": True,
    "RMT RUN": True,
    "RMT RUN PAUSE": True,
    "RMT RUN END HOLD": True,
}
PROGRAM_MODES = frozenset({"RUN", "RUN PAUSE", "RUN END HOLD"})


class EspecP300:
    """A chamber behind a P300 controller; temperatures in degree Celsius, set to 0.1 K."""

    sheet = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._name = name
        self._largest_celsius: float | None = None
        # True until an exchange ends well: a reply that came too late would answer the next query.
        self._may_hold_stale_bytes = True

    def identify(self) -> Identity:
        """Ask for the ROM version (starts with ``P3``) and the largest temperature."""
        rom = self._query("ROM?")
        if not rom.startswith("P3"):
            raise WrongInstrument(
                f"{self._where}: sent b'ROM?', got {rom!r}, expected a version that starts with P3",
                remedy="choose the driver of this controller in the bench file",
            )
        self._largest_celsius = self._read_largest_celsius()
        return Identity(self.sheet.maker, self.sheet.models[0].name, serial="", firmware=rom)

    def set_temperature(self, temperature_celsius: float) -> None:
        """Command the set point, start constant operation, and read both back.

        Raises OutOfRange for a value that the sheet or the chamber's own limits exclude.
        """
        self._refuse_outside(temperature_celsius, self.sheet.models[0].temperature_celsius, "P300")
        if self._largest_celsius is None:
            self._largest_celsius = self._read_largest_celsius()
        _, _, high, low = self._read_temperatures()
        own = (low, min(high, self._largest_celsius))
        self._refuse_outside(temperature_celsius, own, "the chamber's own limits")
        # + 0.0 turns the -0.0 that rounding can leave into 0.0
        wanted = round(temperature_celsius, 1) + 0.0
        self._set(f"TEMP, S{wanted:.1f}")
        self._set("POWER,ON")
        self._set("MODE,CONSTANT")
        self._confirm_conditioning(wanted)

    def read_temperature(self) -> ChamberReading:
        """Read air, set point and mode; the alarm codes only when there are any."""
        air, setpoint, _, _ = self._read_temperatures()
        mode, alarm_count = self._read_monitor()
        alarms = self._read_alarms() if alarm_count else ()
        return ChamberReading(air, setpoint, RUNNING[mode], alarms)

    def make_safe(self) -> None:
        """Leave the set point at 25 degC and the chamber in standby (section 7), read back."""
        try:
            try:
                self._end_program()
                self._set(f"TEMP, S{SAFE_CELSIUS:.1f}")
            finally:  # a refusal or a lost reply is no reason to go on heating
                self._set("MODE,STANDBY")
            mode = self._read_mode()
        except (LinkError, InstrumentError) as problem:
            raise UnconfirmedSafeState(
                f"{self._where}: standby not confirmed: {problem}",
                remedy="switch the chamber off at its panel",
            ) from problem
        if mode != "STANDBY":
            raise UnconfirmedSafeState(
                f"{self._where}: sent b'MODE,STANDBY', then b'MODE?', got {mode!r}",
                remedy="switch the chamber off at its panel",
            )

    def _end_program(self) -> None:
        if self._read_mode() in PROGRAM_MODES:
            self._set("PRGM,END,STANDBY")

    def _confirm_conditioning(self, wanted_celsius: float) -> None:
        _, setpoint, _, _ = self._read_temperatures()
        mode = self._read_mode()
        if setpoint != wanted_celsius or mode != "CONSTANT":
            raise InstrumentError(
                f"{self._where}: set {wanted_celsius:.1f} degC in mode CONSTANT, "
                f"read back {setpoint:.1f} degC in mode {mode}",
                remedy="look for a program or a person at the chamber's panel",
            )

    def _refuse_outside(
        self, celsius: float, bounds: tuple[float, float] | None, whose: str
    ) -> None:
        if bounds is not None and bounds[0] <= celsius <= bounds[1]:
            return
        allowed = "unknown" if bounds is None else f"{bounds[0]:g} to {bounds[1]:g} degC"
        raise OutOfRange(f"{self._where}: {celsius:g} degC is outside {whose}: {allowed}")

    # --- queries, section 3 ----------------------------------------------------------------------

    def _read_temperatures(self) -> tuple[float, float, float, float]:
        """Return air, set point, high limit, low limit."""
        reply = self._query("TEMP?")
        match = _FOUR_NUMBERS.fullmatch(reply)
        if match is None:
            raise self._unreadable("TEMP?", reply, "pv,sp,high,low in decimal numbers")
        air, setpoint, high, low = match.groups()
        return float(air), float(setpoint), float(high), float(low)

    def _read_largest_celsius(self) -> float:
        """Return the last field of ``drybulb[,wetbulb],controller,max``."""
        reply = self._query("TYPE?")
        fields = reply.split(",")
        if len(fields) not in (3, 4):
            raise self._unreadable("TYPE?", reply, "drybulb[,wetbulb],controller,max temperature")
        return self._number(fields[-1], "TYPE?", reply)

    def _read_mode(self) -> str:
        mode = self._query("MODE?")
        if mode not in RUNNING:
            raise self._unreadable("MODE?", mode, "one of " + ", ".join(RUNNING))
        return mode

    def _read_monitor(self) -> tuple[str, int]:
        """Return mode and number of alarms of ``temp,[humi],mode,alarms``."""
        reply = self._query("MON?")
        fields = reply.split(",")
        if len(fields) not in (3, 4) or fields[-2] not in RUNNING or not _is_count(fields[-1]):
            raise self._unreadable("MON?", reply, "temp,[humi],mode,number of alarms")
        return fields[-2], int(fields[-1])

    def _read_alarms(self) -> tuple[int, ...]:
        """Return the codes of ``n,code,code,..``; ``0`` alone is none."""
        reply = self._query("ALARM?")
        fields = reply.split(",")
        if not all(_is_count(field) for field in fields) or int(fields[0]) != len(fields) - 1:
            raise self._unreadable("ALARM?", reply, "n followed by n alarm codes")
        return tuple(int(code) for code in fields[1:])

    def _number(self, field: str, sent: str, reply: str) -> float:
        if _NUMBER.fullmatch(field) is None:
            raise self._unreadable(sent, reply, "decimal numbers")
        return float(field)

    # --- one exchange, section 2 -----------------------------------------------------------------

    def _query(self, command: str) -> str:
        reply = self._exchange(command)
        if reply.startswith("OK:"):
            raise self._unreadable(command, reply, "data")
        return reply

    def _set(self, command: str) -> None:
        """Send a setting; it is taken when it comes back behind ``OK:``, blanks aside."""
        reply = self._exchange(command)
        if reply.replace(" ", "") != f"OK:{command}".replace(" ", ""):
            raise self._unreadable(command, reply, f"OK:{command}")

    def _exchange(self, command: str) -> str:
        if self._may_hold_stale_bytes:
            self._discard_stale_bytes()
        self._may_hold_stale_bytes = True
        self._link.write(command.encode("ascii") + self.sheet.terminator)
        raw = self._link.read_until(self.sheet.terminator, self.sheet.timeout_second)
        self._may_hold_stale_bytes = False
        reply = raw.decode("ascii", errors="backslashreplace").strip(" ")
        if reply.startswith("NA:"):
            raise self._refused(command, reply)
        return reply

    def _discard_stale_bytes(self) -> None:
        try:
            while True:
                self._link.read_exactly(1, 0.0)
        except LinkTimeout:
            return

    def _refused(self, command: str, reply: str) -> Refused:
        reason = reply.removeprefix("NA:").strip()
        meaning = self.sheet.refusals.get(reason, "reason not in the sheet")
        return Refused(f"{self._where}: sent {command!r}, got {reply!r}: {meaning}")

    def _unreadable(self, command: str, reply: str, expected: str) -> UnreadableReply:
        # the next exchange starts from a clean line: this reply may have belonged to another query
        self._may_hold_stale_bytes = True
        return UnreadableReply(
            f"{self._where}: sent {command!r}, got {reply!r}, expected {expected}"
        )

    @property
    def _where(self) -> str:
        return f"{self._name} ({self.sheet.family}, {self._link.name})"


def _is_count(field: str) -> bool:
    return field.isascii() and field.isdigit()
