"""A microcontroller that streams the force on a stack as lines of text, as sketches for the HX711 do.

There is no standard: pattern and calibration come from the bench's options, the baud rate from the
address. What has arrived is old, so a reading is always the next whole line. Knows no port and no
time; facts stand in ``serial_load_cell.toml``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from drivers.sensors.force import Stack, read_stack
from rig.core.errors import (
    BadInput,
    LinkTimeout,
    OutOfRange,
    Problem,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, Quantity, SensorReading
from rig.core.link import Link
from rig.core.scale import Scale, read_scale
from rig.core.sheet import Sheet, load_sheet

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
# A line that is a number and nothing else.
_BARE = rf"(?P<value>{_NUMBER})"
# A signed converter of 24 bits that stands at its end (HX711 data sheet: 0x7FFFFF, 0x800000).
_SATURATED = (8_388_607.0, -8_388_608.0)
# No line holds it, so that waiting for it shows all that has come.
_NEVER = b"\0"
_MOST_PIECES = 50
# Three periods of the slowest rate in the sheet are 0.3 s; a slower sketch gets its time, too.
_READ_SECOND = 2.0
_MOST_BANNER_LINES = 40
_PATTERN_EXAMPLE = r"pattern: 'Reading: (?P<value>\S+) g'"
_SCALE_EXAMPLE = "scale: {8412: 0 N, 152034: 100 N}"


class SerialLoadCell:
    """One stream. ``pattern`` finds the number in a line, ``scale`` makes force or pressure of it.

    ``pattern`` is a regular expression for the whole line with one group named ``value``, and
    perhaps one named ``raw`` that holds the converter's own number; ``scale`` has two points, each
    a number and the force (then ``area`` may make a pressure of it) or the pressure that was on
    the cell. Raises BadInput with everything wrong with its options.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(
        self,
        link: Link,
        name: str,
        *,
        scale: Mapping[str, str] | None = None,
        pattern: str = _BARE,
        area: str | None = None,
        capacity: str | None = None,
    ) -> None:
        self._link = link
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._pattern, self._scale, self._stack = _read_options(
            scale, pattern, area, capacity, f"{name}, options"
        )

    def identify(self) -> Identity:
        """Wait for a line that fits the pattern, past what a board says when it starts.

        A stream has no name: whatever fits is taken for it. Raises WrongInstrument, LinkTimeout.
        """
        self._discard()
        line = ""
        for _ in range(_MOST_BANNER_LINES):
            line = self._line(self.sheet.timeout_second)
            if self._pattern.fullmatch(line):
                return Identity(self.sheet.maker, self.sheet.models[0].name, "", "")
        raise WrongInstrument(
            f"{self._who}: {_MOST_BANNER_LINES} lines and none fits {self._pattern.pattern!r}, "
            f"the last was {line!r}",
            remedy="check the baud rate in the address (?baudrate=...) and the option pattern",
        )

    def quantity(self, path: str = "") -> Quantity:
        """Say force or pressure, as the options have it; it has one path, named ""."""
        if path:
            message = f"got path {path!r}, a load cell has none; nothing was sent"
            raise OutOfRange(f"{self._who}: {message}")
        return Quantity.PRESSURE if self._stack is None else self._stack.quantity

    def read(self, path: str = "") -> SensorReading:
        """Return the next line's force, or pressure; a saturated converter is NaN and OVERLOAD.

        Waits for one line and what is left of the one before. Raises LinkTimeout when the stream
        is silent, UnreadableReply for a line that does not fit.
        """
        self.quantity(path)
        self._discard()
        self._line(_READ_SECOND)  # its beginning may have been thrown away
        line = self._line(_READ_SECOND)
        match = self._pattern.fullmatch(line)
        if match is None:
            raise self._unreadable(line)
        try:
            number, raw = float(match["value"]), float(match.groupdict().get("raw") or "nan")
        except ValueError:
            raise self._unreadable(line) from None
        if number in _SATURATED or raw in _SATURATED or not math.isfinite(number):
            return SensorReading(math.nan, int(Flag.OVERLOAD))
        value = self._scale.value(number)
        return SensorReading(value) if self._stack is None else self._stack.reading(value)

    def make_safe(self) -> None:
        """Nothing to end: it streams whether anybody listens or not. Sends nothing."""

    def _discard(self) -> None:
        """Drop all that has arrived: of a port that was not read for long, the oldest is kept."""
        for _ in range(_MOST_PIECES):
            try:
                self._link.read_until(_NEVER, 0.0)
            except LinkTimeout as error:
                if not error.received:
                    return
                self._link.read_exactly(len(error.received), 0.0)

    def _line(self, timeout_second: float) -> str:
        raw = self._link.read_until(self.sheet.terminator, timeout_second)
        return raw.decode("ascii", errors="backslashreplace").strip()

    def _unreadable(self, line: str) -> UnreadableReply:
        return UnreadableReply(
            f"{self._who}: got {line!r}, expected a line that fits {self._pattern.pattern!r}"
        )


def _read_options(
    scale: object, pattern: object, area: str | None, capacity: str | None, where: str
) -> tuple[re.Pattern[str], Scale, Stack | None]:
    """Return pattern, scale, and what force means; None: the scale leads to a pressure already."""
    problems: list[Problem] = []
    compiled, line, stack = re.compile(_BARE), Scale(0.0, 0.0, 1.0, 1.0), Stack()
    is_pressure = False
    try:
        compiled = _read_pattern(pattern, f"{where}, pattern")
    except BadInput as bad:
        problems.extend(bad.problems)
    try:
        line, is_pressure = _read_points(scale, f"{where}, scale")
    except BadInput as bad:
        problems.extend(bad.problems)
    try:
        stack = read_stack(area, capacity, where)
    except BadInput as bad:
        problems.extend(bad.problems)
    if is_pressure and not (area is None and capacity is None):
        message = "the scale leads to a pressure already: area and capacity have no meaning"
        problems.append(Problem(where, message, example=_SCALE_EXAMPLE))
    if problems:
        raise BadInput(problems)
    return compiled, line, None if is_pressure else stack


def _read_pattern(text: object, where: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(str(text))
    except re.error as error:
        message = f"got {text!r}, no regular expression: {error}"
        raise BadInput(Problem(where, message, example=_PATTERN_EXAMPLE)) from error
    if "value" not in pattern.groupindex:
        message = f"got {text!r}, expected a group named value"
        raise BadInput(Problem(where, message, example=_PATTERN_EXAMPLE))
    return pattern


def _read_points(points: object, where: str) -> tuple[Scale, bool]:
    """Return the scale and whether it leads to pascal; else it leads to newton."""
    try:
        return read_scale(points, "", "pressure", where, _SCALE_EXAMPLE), True
    except BadInput:
        return read_scale(points, "", "force", where, _SCALE_EXAMPLE), False
