"""Talking to a Rodeostat: one JSON object a line, replies that name their command, a stream of samples.

Knows lines and keys; knows no electrode and no set point. Samples come without being asked while a
test runs, between the replies too. Source: the maker's "JSON Serial Commands" and firmware.
"""

from __future__ import annotations

import json
import math
from typing import TypeAlias

from rig.core.errors import LinkTimeout, Refused, UnreadableReply
from rig.core.link import Link
from rig.core.sheet import Sheet
from rig.wire import scpi

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Message: TypeAlias = dict[str, Json]

LINES_AT_MOST = 100_000  # a day of unread samples
STRANGE_LINES_AT_MOST = 100  # no object: what is cut, or what something else streams for ever
_USB_PACKET = 64


class Conversation:
    """One device on one link; ``where`` names both in every message."""

    def __init__(self, link: Link, name: str, sheet: Sheet) -> None:
        self._link = link
        self._timeout_second = sheet.timeout_second
        self.where = f"{name} ({sheet.family}, {link.name})"
        # False until a reply was read: what lies in the buffer may be half a line, or too late.
        self._in_step = False

    def ask(self, command: str, **arguments: Json) -> Message:
        """Send a command and return its response; samples that come meanwhile are dropped."""
        self._write({"command": command, **arguments})
        in_step, self._in_step = self._in_step, False
        for _ in range(LINES_AT_MOST):
            message = self._read(self._timeout_second, command, strictly=in_step)
            if "success" not in message:
                continue
            response = message.get("response")
            if message["success"] is not True:
                self._in_step = True
                raise self._refused(command, arguments, message.get("message"))
            if isinstance(response, dict) and response.get("command") == command:
                self._in_step = True
                return response
        raise UnreadableReply(f"{self.where}: sent {command!r}, {LINES_AT_MOST} lines are no reply")

    def next_sample(self, timeout_second: float) -> Message:
        """Return the next sample of a running test; an empty one is its end. Raises LinkTimeout."""
        try:
            return self._read(timeout_second, "runTest", strictly=True)
        except LinkTimeout:
            # Half a line is whole at the next look; one that stayed half when waited for never is.
            self._in_step = self._in_step and timeout_second == 0.0
            raise

    def number(self, message: Message, key: str, sent: str) -> float:
        """Return a finite number: Python's JSON takes NaN and numbers beyond all bounds for some."""
        value = message.get(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise self.unreadable(sent, message, f"a number as {key!r}")
        return float(value)

    def text(self, message: Message, key: str, sent: str) -> str:
        value = message.get(key)
        if not isinstance(value, str):
            raise self.unreadable(sent, message, f"a text as {key!r}")
        return value

    def unreadable(self, sent: str, got: object, expected: str) -> UnreadableReply:
        self._in_step = False
        return UnreadableReply(f"{self.where}: sent {sent!r}, got {got!r}, expected {expected}")

    def _write(self, message: Message) -> None:
        if not self._in_step:
            scpi.discard_received(self._link)
        line = json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"
        # The maker's own package never fills a USB packet to the brim: a blank is no JSON.
        self._link.write(b" " + line if len(line) % _USB_PACKET == 0 else line)

    def _read(self, timeout_second: float, sent: str, *, strictly: bool) -> Message:
        """Return the next object; a line that is none is skipped unless read strictly."""
        for _ in range(STRANGE_LINES_AT_MOST):
            line = self._link.read_until(b"\n", timeout_second)
            try:
                message: Json = json.loads(line)
            except ValueError:  # not UTF-8 is one, too
                message = None
            if isinstance(message, dict):
                return message
            if strictly:
                break
        raise self.unreadable(sent, line, "a JSON object")

    def _refused(self, command: str, arguments: Message, reason: Json) -> Refused:
        return Refused(f"{self.where}: sent {command!r} {arguments or ''}, got {reason!r}")
