"""Mark-10 Series 5 force gauges, read on request: the force on a stack, or its pressure.

Knows no port and no time; facts stand in ``mark10_series5.toml``. Compression is positive,
whatever sign the gauge shows it with.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from drivers.sensors.force import read_stack
from rig.core.errors import (
    BadInput,
    OutOfRange,
    Problem,
    Refused,
    UnreadableReply,
    WrongInstrument,
    did_you_mean,
)
from rig.core.instruments import Identity, Quantity, SensorReading
from rig.core.link import Link
from rig.core.sheet import Sheet, load_sheet
from rig.wire import scpi

_UNIT = "N"
_READING = re.compile(r" *([+-]?[0-9]+(?:\.[0-9]*)?) +([A-Za-z]+)")
# V1.00;LBF;CUR;FLTC8;FLTP1;AOUT00;AOFF5;FULL;MIT;POL;B0
_STATUS = re.compile(r"V([0-9.]+);([A-Z]+);(?:[^;]*;)*?AOFF([0-9]+)(?:;[^;]*)*")
_ERROR = re.compile(r"\*[0-9]+")
_SIGNS = {"positive": 1.0, "negative": -1.0}
# Late answers that may stand before the one that was asked for.
_MOST_STALE_LINES = 10


class Mark10Series5:
    """One gauge. ``area`` makes a pressure of its force, ``capacity`` says what it can bear.

    ``compression`` is the sign that its display shows when it is pushed. Raises BadInput with
    everything wrong with its options.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(
        self,
        link: Link,
        name: str,
        *,
        area: str | None = None,
        compression: str = "positive",
        capacity: str | None = None,
    ) -> None:
        self._link = link
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._stack = read_stack(area, capacity, f"{name}, options")
        self._sign = _read_sign(compression, f"{name}, options, compression")
        self._ready = False

    def identify(self) -> Identity:
        """Ask for the gauge's status: what asks for model and serial number is not known for certain."""
        self._ready = False
        try:
            version, _, _ = self._status()
        except (UnreadableReply, Refused) as error:
            raise WrongInstrument(
                f"{error}; expected a Mark-10 gauge of Series 5",
                remedy="check this instrument's connect: in the bench file, and the baud rate in its menu",
            ) from error
        return Identity(self.sheet.maker, self.sheet.models[0].name, "", version)

    def quantity(self, path: str = "") -> Quantity:
        """Say pressure where the options give an area, else force; it has one path, named ""."""
        if path:
            message = f"got path {path!r}, a gauge has none; nothing was sent"
            raise OutOfRange(f"{self._who}: {message}")
        return self._stack.quantity

    def read(self, path: str = "") -> SensorReading:
        """Return the present force, or pressure, compression positive.

        Sets the gauge up first, or again: one that was switched off has forgotten, and would
        switch itself off. Raises Refused when its unit is no longer newton.
        """
        self.quantity(path)
        if not self._ready:
            self._set_up()
        # Until this reading has come: then the gauge is set up again by the next.
        self._ready = False
        reply = self._ask("?")
        match = _READING.fullmatch(reply)
        if match is None:
            raise self._unreadable("?", reply, "a number and its unit")
        if match[2] != _UNIT:
            raise Refused(
                f"{self._who}: sent '?', got {reply!r}, expected {_UNIT}: its UNIT key was pressed, "
                "or it was switched on anew; it is set up again with the next reading"
            )
        self._ready = True
        return self._stack.reading(self._sign * float(match[1]))

    def make_safe(self) -> None:
        """Nothing to end: it measures when it is asked. Sends nothing."""
        self._ready = False

    # --- setting up and talking ------------------------------------------------------------------

    def _set_up(self) -> None:
        """Newton, and never off by itself; both read back."""
        scpi.discard_received(self._link)
        self._send(_UNIT)
        self._send("AOFF0")
        _, unit, minutes = self._status()
        if (unit, minutes) != (_UNIT, "0"):
            raise Refused(
                f"{self._who}: sent {_UNIT!r} and 'AOFF0', 'LIST' says {unit} and AOFF{minutes}"
            )

    def _status(self) -> tuple[str, str, str]:
        """Return version, unit and minutes to auto-off. What is left over from before is a reading."""
        self._send("LIST")
        for _ in range(_MOST_STALE_LINES):
            reply = self._reply("LIST")
            if match := _STATUS.fullmatch(reply):
                return match[1], match[2], match[3]
            if _READING.fullmatch(reply) is None:
                raise self._unreadable("LIST", reply, "the gauge's status, V1.00;N;...")
        raise UnreadableReply(f"{self._who}: sent 'LIST', got {_MOST_STALE_LINES} readings")

    def _ask(self, command: str) -> str:
        self._send(command)
        return self._reply(command)

    def _send(self, command: str) -> None:
        self._link.write(command.encode("ascii") + b"\r")

    def _reply(self, command: str) -> str:
        raw = self._link.read_until(self.sheet.terminator, self.sheet.timeout_second)
        reply = raw.decode("ascii", errors="backslashreplace")
        if _ERROR.fullmatch(reply):
            meaning = self.sheet.refusals.get(reply, "not in the sheet")
            raise Refused(f"{self._who}: sent {command!r}, got {reply!r}: {meaning}")
        return reply

    def _unreadable(self, command: str, reply: str, expected: str) -> UnreadableReply:
        return UnreadableReply(f"{self._who}: sent {command!r}, got {reply!r}, expected {expected}")


def _read_sign(word: object, where: str) -> float:
    if str(word) not in _SIGNS:
        message = f"got {word!r}, expected the sign that its display shows when it is pushed"
        example = "compression: negative"
        raise BadInput(Problem(where, message, example, did_you_mean(str(word), _SIGNS)))
    return _SIGNS[str(word)]
