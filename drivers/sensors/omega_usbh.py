"""Omega USBH pressure transducers: absolute or gauge pressure over USB, in pascal.

Knows no port and no time; facts, and the 20 ms between two questions, stand in ``omega_usbh.toml``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rig.core.errors import (
    BadInput,
    OutOfRange,
    Problem,
    UnreadableReply,
    WrongInstrument,
    did_you_mean,
)
from rig.core.instruments import Flag, Identity, Quantity, SensorReading
from rig.core.link import Link
from rig.core.sheet import Sheet, load_sheet
from rig.wire import scpi

_PROMPT = b">"
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]*)?"
_SERIAL = re.compile(r"serial *= *(\S+)")
_RANGE = re.compile(rf"({_NUMBER}) +to +({_NUMBER}) +(\S+) +([AG])")
_PRESSURE = re.compile(rf"({_NUMBER}) +(\S+) +([AG])")
# 1 psi is 1 lbf on a square inch: exact by definition of pound, gravity and inch.
_PASCAL = {
    "Pa": 1.0,
    "kPa": 1e3,
    "MPa": 1e6,
    "mbar": 1e2,
    "bar": 1e5,
    "psi": 4.4482216152605 / 0.0254**2,
}
_REFERENCES = {"A": "absolute", "G": "gauge"}
# How far beyond its range, in parts of it, a value still passes for one: noise about zero.
_MARGIN_PART = 0.01
_MOST_STALE_REPLIES = 10


@dataclass(frozen=True, slots=True)
class _Range:
    """What the transducer says of itself: from ``low`` to ``high`` in ``unit``, ``letter`` A or G."""

    low: float
    high: float
    unit: str
    letter: str

    def holds(self, value: float) -> bool:
        margin = _MARGIN_PART * (self.high - self.low)
        return self.low - margin <= value <= self.high + margin


class OmegaUsbh:
    """One transducer. ``reference`` says what it must be, absolute or gauge; None takes either.

    Raises BadInput for any other reference.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str, *, reference: str | None = None) -> None:
        self._link = link
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._reference = reference
        self._range: _Range | None = None
        self._astray = False
        known = _REFERENCES.values()
        if reference is not None and reference not in known:
            message = f"got {reference!r}, expected {' or '.join(known)}"
            suggestion = did_you_mean(str(reference), known)
            where = f"{name}, options, reference"
            raise BadInput(Problem(where, message, "reference: absolute", suggestion))

    def identify(self) -> Identity:
        """Ask for the serial number and the range; raises WrongInstrument, for the other reference too."""
        reply = self._ask("SNR")
        match = _SERIAL.search(reply)
        if match is None:
            raise WrongInstrument(
                f"{self._who}: sent 'SNR', got {reply!r}, expected serial = ...",
                remedy="check this instrument's connect: in the bench file",
            )
        self._range = self._ask_range()
        found = _REFERENCES[self._range.letter]
        if self._reference not in (None, found):
            raise WrongInstrument(
                f"{self._who}: it measures {found} pressure, options say {self._reference}"
            )
        return Identity(self.sheet.maker, self.sheet.models[0].name, match[1], "")

    def quantity(self, path: str = "") -> Quantity:
        """Say pressure; it has one path, named ""."""
        if path:
            message = f"got path {path!r}, a transducer has none; nothing was sent"
            raise OutOfRange(f"{self._who}: {message}")
        return Quantity.PRESSURE

    def read(self, path: str = "") -> SensorReading:
        """Return the pressure in pascal, absolute or gauge as it measures; beyond its range NaN."""
        self.quantity(path)
        if self._range is None:
            self._range = self._ask_range()
        reply = self._ask("P")
        match = _PRESSURE.fullmatch(reply)
        if match is None or (match[2], match[3]) != (self._range.unit, self._range.letter):
            expected = f"a pressure in {self._range.unit} {self._range.letter}"
            raise self._unreadable("P", reply, expected)
        value = float(match[1])
        if not self._range.holds(value):
            return SensorReading(math.nan, int(Flag.OVERLOAD))
        return SensorReading(value * _PASCAL[self._range.unit])

    def make_safe(self) -> None:
        """Nothing to end: it measures when it is asked. Sends nothing."""

    # --- talking ---------------------------------------------------------------------------------

    def _ask_range(self) -> _Range:
        """Ask for the range, which stands on a line of its own among others."""
        reply = self._ask("ENQ")
        found = [_RANGE.fullmatch(line.strip()) for line in reply.split("\r\n")]
        match = next((match for match in found if match), None)
        if match is None or match[3] not in _PASCAL:
            raise self._unreadable("ENQ", reply, f"<min> to <max> {'|'.join(_PASCAL)} A|G")
        return _Range(float(match[1]), float(match[2]), match[3], match[4])

    def _ask(self, command: str) -> str:
        """Return what stands before the prompt that ends the answer."""
        if self._astray:
            self._fall_into_step()
        self._astray = True
        reply = self._exchange(command)
        self._astray = False
        return reply

    def _fall_into_step(self) -> None:
        """Ask for the serial number, whose answer nothing else has, and drop all before it."""
        scpi.discard_received(self._link)
        reply = self._exchange("SNR")
        for _ in range(_MOST_STALE_REPLIES):
            if _SERIAL.search(reply):
                return
            reply = self._receive("SNR")
        raise self._unreadable("SNR", reply, "serial = ...")

    def _exchange(self, command: str) -> str:
        self._link.write(command.encode("ascii") + b"\r\n")
        return self._receive(command)

    def _receive(self, command: str) -> str:
        raw = self._link.read_until(_PROMPT, self.sheet.timeout_second)
        try:
            return raw.decode("ascii").strip()
        except UnicodeDecodeError as error:
            raise self._unreadable(command, repr(raw), "ASCII text") from error

    def _unreadable(self, command: str, reply: str, expected: str) -> UnreadableReply:
        self._astray = True
        return UnreadableReply(f"{self._who}: sent {command!r}, got {reply!r}, expected {expected}")
