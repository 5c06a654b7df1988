"""The grammar that SCPI instruments share (IEEE 488.2, SCPI-1999). Knows no instrument.

Lines end in LF both ways. Replies are read strictly: what the grammar does not allow raises
UnreadableReply with the bytes, and is never taken for a number.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass

from rig.core.errors import LinkTimeout, UnreadableReply
from rig.core.link import Link

TERMINATOR = b"\n"
# NR1, NR2 and NR3 of IEEE 488.2 sections 8.7.2 to 8.7.4.
_NUMBER = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_ERROR = re.compile(r"""([+-]?\d+),\s*(".*"|'.*')""", re.DOTALL)
# SCPI-1999 section 7.2.1.4 and .5: how an instrument spells infinity and "not a number".
_INFINITY, _NOT_A_NUMBER = 9.9e37, 9.91e37
# More errors than any one command makes; an instrument that always reports one must not hold us.
_MOST_ERRORS = 50


@dataclass(frozen=True, slots=True)
class ScpiError:
    """One entry of the instrument's error queue; standard codes are negative."""

    code: int
    text: str

    def __str__(self) -> str:
        return f'{self.code},"{self.text}"'


def send(link: Link, command: str) -> None:
    """Send one command that has no reply."""
    link.write(command.encode("ascii") + TERMINATOR)


def ask(link: Link, line: bytes, timeout_second: float) -> bytes:
    """Send ``line``, terminator included, and return the reply's bytes: the way for what is hot.

    Raises LinkTimeout that names the query.
    """
    link.write(line)
    try:
        return link.read_until(TERMINATOR, timeout_second)
    except LinkTimeout as error:
        raise LinkTimeout(
            f"{error}, after sending {line!r}", received=error.received, remedy=error.remedy
        ) from error


def query(link: Link, command: str, timeout_second: float) -> str:
    """Send one query and return its line. Raises LinkTimeout, UnreadableReply; both name the query."""
    reply = ask(link, command.encode("ascii") + TERMINATOR, timeout_second)
    return decode(reply, f"{link.name}: sent {command!r}")


def decode(reply: bytes, where: str) -> str:
    """Return a reply as text. Raises UnreadableReply where it is not ASCII."""
    try:
        return reply.decode("ascii")
    except UnicodeDecodeError as error:
        raise UnreadableReply(f"{where}, got {reply!r}, expected ASCII text") from error


def read_errors(link: Link, timeout_second: float) -> list[ScpiError]:
    """Empty the error queue: ask until the code is 0, and at most 50 times."""
    errors: list[ScpiError] = []
    while len(errors) < _MOST_ERRORS:
        reply = query(link, ":SYST:ERR?", timeout_second)
        match = _ERROR.fullmatch(reply)
        where = f"{link.name}: sent ':SYST:ERR?'"
        if match is None:
            raise UnreadableReply(f'{where}, got {reply!r}, expected <code>,"<message>"')
        if int(match[1]) == 0:
            break
        errors.append(ScpiError(int(match[1]), parse_quoted(match[2], where)))
    return errors


def parse_float(reply: bytes, where: str) -> float:
    """Read one number; 9.9E37 is returned as infinity and 9.91E37 as nan.

    ``where`` opens the message: who was asked, and what was sent. Raises UnreadableReply.

    >>> parse_float(b"-1.050000E-03", "smu-1: sent ':READ?'")
    -0.00105
    """
    if _NUMBER.fullmatch(reply) is None:
        raise UnreadableReply(f"{where}, got {reply!r}, expected a number")
    return _value(reply)


def parse_floats(reply: bytes, count: int, where: str) -> list[float]:
    """Read exactly ``count`` numbers parted by commas, each as ``parse_float`` does."""
    match = _numbers(count).fullmatch(reply)
    if match is not None:  # one match for the whole reply: this is read for every sample
        return [_value(number) for number in match.groups()]
    fields = reply.split(b",")
    if len(fields) != count:
        raise UnreadableReply(f"{where}, got {reply!r}, expected {count} numbers parted by commas")
    return [parse_float(field, where) for field in fields]  # raises at the one that is none


@functools.cache
def _numbers(count: int) -> re.Pattern[bytes]:
    return re.compile(b",".join([b"(" + _NUMBER.pattern + b")"] * count))


def _value(number: bytes) -> float:
    value = float(number)
    if -_INFINITY < value < _INFINITY:
        return value
    return math.nan if abs(value) == _NOT_A_NUMBER else math.copysign(math.inf, value)


def parse_quoted(text: str, where: str) -> str:
    """Return the content of a string in single or double quotes; a doubled quote stands for one."""
    quote = text[:1]
    if len(text) < 2 or quote not in "\"'" or text[-1] != quote:
        raise UnreadableReply(f"{where}, got {text!r}, expected a quoted string")
    content = text[1:-1]
    if quote in content.replace(quote * 2, ""):
        raise UnreadableReply(f"{where}, got {text!r}, expected one quoted string")
    return content.replace(quote * 2, quote)


def discard_received(link: Link) -> bytes:
    """Take and return all that has already arrived, whole lines or not; never waits.

    For the one place where the past does not matter: before a safe state is confirmed.
    """
    discarded = b""
    for _ in range(_MOST_ERRORS):
        try:
            discarded += link.read_until(TERMINATOR, 0.0) + TERMINATOR
        except LinkTimeout as error:
            return discarded + link.read_exactly(len(error.received), 0.0)
    return discarded
