"""Faults on purpose: what can go wrong on a wire and in an instrument, at a chosen moment.

One table names all kinds. FaultyLink breaks an in-memory link, operation by operation; FaultyFront
breaks any served or in-memory instrument, message by message. Knows no instrument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rig.core.clock import Clock
from rig.core.errors import BadInput, LinkClosed, LinkTimeout, Problem, did_you_mean
from rig.core.link import Link
from simulators.interfaces import Front


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault; ``on_wire``: a link can have it, else only an instrument."""

    meaning: str
    on_wire: bool
    takes_value: bool = False


KINDS: dict[str, Kind] = {
    "mute": Kind("no bytes come through: LinkTimeout", on_wire=True),
    "drop": Kind("the cable is pulled: LinkClosed", on_wire=True),
    "garble": Kind("the bytes come through damaged", on_wire=True),
    "half": Kind("the second half of the bytes is lost", on_wire=True),
    "late": Kind("the reply comes after the host has given up", on_wire=True),
    "overtemperature": Kind("source meter: output off, high impedance", on_wire=False),
    "interlock": Kind("source meter: interlock opens, output off", on_wire=False),
    "alarm": Kind("chamber: alarm of the given code, conditioning stops", False, takes_value=True),
    "open": Kind("scanner: the wires of the given channel break", False, takes_value=True),
    "stall": Kind("scanner: the scan stops, what was read stays", on_wire=False),
    "drift": Kind(
        "sensor: drifts by the given amount an hour, kelvin or per cent", False, takes_value=True
    ),
    "saturate": Kind("load cell: the converter stands at its end", on_wire=False),
}
EXAMPLES = ("smu-1:drop@100", "pstat-1:mute@20+", "chamber-1:alarm=46@5", "daq-1:open=101@5")
_SPEC = re.compile(
    r"(?P<name>[^:@]+):(?P<kind>[^:@=]+)(?:=(?P<value>[^@]*))?@(?P<at>\d+)(?P<on>\+?)"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """``kind`` at the ``operation``-th operation (from 1), from then on when ``lasting``."""

    instrument: str
    kind: str
    operation: int
    lasting: bool = False
    value: int | None = None

    def hits(self, operation: int) -> bool:
        """Return whether this operation fails."""
        return operation == self.operation or (self.lasting and operation > self.operation)


def parse_fault(spec: str) -> Fault:
    """Read ``NAME:KIND[=CODE]@N[+]``; ``+`` makes it lasting. Raises BadInput with all problems.

    >>> parse_fault("smu-1:drop@100+")
    Fault(instrument='smu-1', kind='drop', operation=100, lasting=True, value=None)
    """
    match = _SPEC.fullmatch(spec.strip())
    if match is None:
        message = f"got {spec!r}, expected NAME:KIND[=CODE]@N[+]"
        raise BadInput(Problem("fault", message, example=", ".join(EXAMPLES)))
    problems = _problems(match)
    if problems:
        raise BadInput(problems, remedy=f"kinds: {', '.join(KINDS)}")
    return Fault(
        instrument=match["name"],
        kind=match["kind"],
        operation=int(match["at"]),
        lasting=bool(match["on"]),
        value=int(match["value"]) if match["value"] else None,
    )


def _problems(match: re.Match[str]) -> list[Problem]:
    problems = []
    name, value, kind = match["kind"], match["value"], KINDS.get(match["kind"])
    if kind is None:
        near = did_you_mean(name, KINDS)
        message = f"unknown kind of fault {name!r}"
        problems.append(Problem("fault", message, example=EXAMPLES[0], suggestion=near))
    elif kind.takes_value and not (value or "").isdecimal():
        message = f"{name} needs its code as a number, got {value!r}"
        problems.append(Problem("fault", message, example=EXAMPLES[2]))
    elif not kind.takes_value and value is not None:
        message = f"{name} takes no code, got {value!r}"
        problems.append(Problem("fault", message, example=EXAMPLES[0]))
    if int(match["at"]) < 1:
        problems.append(Problem("fault", "operations count from 1", example=EXAMPLES[0]))
    return problems


def garble(data: bytes) -> bytes:
    """Return bytes of the same length, none as it was, line ends kept so that a line still ends.

    >>> garble(b"OK\\n")
    b'\\xb0\\xb4\\n'
    """
    return bytes(byte if byte in b"\r\n" else byte ^ 0xFF for byte in data)


class FaultyLink:
    """A link that fails at the ``fault``'s operation; each write and each read counts one.

    ``mute``: a write is lost unnoticed, a read finds its reply lost. ``drop`` raises LinkClosed; a
    lasting one stays so. ``garble`` and ``half`` damage what is written or read. ``late``: a read
    times out and its reply meets the next one.
    """

    def __init__(self, link: Link, fault: Fault, clock: Clock) -> None:
        if not KINDS[fault.kind].on_wire:
            message = f"a link cannot have {fault.kind!r}, only an instrument can"
            raise BadInput(Problem("fault", message, example=EXAMPLES[0]))
        self.operations = 0
        self._link = link
        self._fault = fault
        self._clock = clock

    @property
    def name(self) -> str:
        """The name of the link underneath."""
        return self._link.name

    def write(self, data: bytes) -> None:
        """Send ``data``, or what the fault leaves of it."""
        kind = self._kind_now()
        if kind == "drop":
            raise self._dropped(f"write {data!r}")
        if kind == "mute":
            return
        if kind == "garble":
            data = garble(data)
        elif kind == "half":
            data = data[: len(data) // 2]
        self._link.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        """Return the line, or what the fault makes of it."""
        return self._read(
            lambda: self._link.read_until(terminator, timeout_second),
            repr(terminator),
            timeout_second,
        )

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        """Return the bytes, or what the fault makes of them."""
        return self._read(
            lambda: self._link.read_exactly(count, timeout_second),
            f"{count} bytes",
            timeout_second,
        )

    def close(self) -> None:
        """Close the link underneath; never fails."""
        self._link.close()

    def _kind_now(self) -> str:
        self.operations += 1
        return self._fault.kind if self._fault.hits(self.operations) else ""

    def _read(self, read: Callable[[], bytes], expected: str, timeout_second: float) -> bytes:
        kind = self._kind_now()
        if kind == "drop":
            raise self._dropped(f"read {expected}")
        deadline = self._clock.now() + timeout_second
        if kind == "late":
            self._clock.wait_until(deadline)
            raise self._timeout(expected, b"")
        data = read()
        if kind == "garble":
            return garble(data)
        if kind in ("mute", "half"):
            self._clock.wait_until(deadline)
            raise self._timeout(expected, b"" if kind == "mute" else data[: len(data) // 2])
        return data

    def _dropped(self, action: str) -> LinkClosed:
        return LinkClosed(f"{self.name}: {action}: the port is gone (operation {self.operations})")

    def _timeout(self, expected: str, received: bytes) -> LinkTimeout:
        message = f"{self.name}: expected {expected}, got {received!r}"
        return LinkTimeout(f"{message} (operation {self.operations})", received=received)


class HungUp(Exception):
    """The instrument's side of the link is gone: whoever serves it closes the connection."""


class Breakable(Front, Protocol):
    """A front whose instrument can be made to fail."""

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let an instrument fault happen; raises BadInput for a kind it cannot have."""
        ...


class FaultyFront:
    """A front that fails at the ``fault``'s message; each packet of bytes from the host counts one.

    ``mute`` loses message and reply, ``garble`` and ``half`` damage the reply, ``late`` holds it back
    until the next message, ``drop`` raises HungUp; other kinds happen in the instrument itself. Of a
    front that ``streams`` each packet that it sends counts instead, and ``late`` loses it.
    """

    def __init__(self, front: Breakable, fault: Fault) -> None:
        self.messages = 0
        self._front = front
        self._fault = fault
        self._acting = ""
        self.streams: bool = getattr(front, "streams", False)

    def receive(self, data: bytes, now_second: float) -> None:
        """Pass ``data`` on, or what the fault leaves of it."""
        if not self.streams:
            self._count(now_second)
        if self._acting != "mute":
            self._front.receive(data, now_second)

    def transmit(self, now_second: float) -> bytes:
        """Return the reply, or what the fault makes of it."""
        if self._acting == "late" and not self.streams:
            return b""
        data = self._front.transmit(now_second)
        if data and self.streams:
            self._count(now_second)
        if self._acting in ("mute", "late"):
            return b""
        if self._acting == "garble":
            return garble(data)
        if self._acting == "half":
            return data[: len(data) // 2]
        return data

    def next_output_second(self) -> float | None:
        """Return when to ask again; None while a reply is held back."""
        held_back = self._acting == "late" and not self.streams
        return None if held_back else self._front.next_output_second()

    def disconnected(self, now_second: float) -> None:
        """Tell the instrument."""
        self._front.disconnected(now_second)

    def _count(self, now_second: float) -> None:
        """Count one message, and let happen what happens at it."""
        self.messages += 1
        self._acting = self._fault.kind if self._fault.hits(self.messages) else ""
        if self._acting == "drop":
            raise HungUp
        if self._acting and not KINDS[self._acting].on_wire:
            self._front.inject(self._acting, self._fault.value, now_second)
