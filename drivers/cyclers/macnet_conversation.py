"""MacNet in JSON: requests and replies over one TCP connection, kept in step by their numbers.

Knows JSON-RPC and how the tester writes it; knows no channel, no set point and no safety. A
request goes out without a terminator, as the known client sends it. A reply is an object over
several lines that ends with CR LF, and what is inside it ends with line breaks, too: it is complete
when it parses. Section numbers: the MacNet reference that the sheet names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rig.core.errors import LinkTimeout, Refused, UnreadableReply
from rig.core.link import Link

_LINE_END = b"\n"
_MOST_LINES = 1000  # the longest replies list 128 channels on a few lines each


class Function(NamedTuple):
    """A function of MacNet, as section 4 numbers it."""

    f_class: int
    number: int

    def __str__(self) -> str:
        return f"{self.f_class},{self.number}"


@dataclass(frozen=True, slots=True)
class Reply:
    """The ``result`` of a reply; ``where`` opens messages about it. All methods raise UnreadableReply."""

    fields: Mapping[str, object]
    where: str

    def number(self, key: str) -> float:
        """Return a finite number; the tester's are 32-bit floats with about 15 digits."""
        value = self.fields.get(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise self._unreadable(key, value, "a number")
        return float(value)

    def whole(self, key: str) -> int:
        value = self.number(key)
        if not value.is_integer():
            raise self._unreadable(key, value, "a whole number")
        return int(value)

    def _unreadable(self, key: str, value: object, expected: str) -> UnreadableReply:
        got = repr(value) if key in self.fields else "no such key"
        return UnreadableReply(f"{self.where}, {key!r}: got {got}, expected {expected}")


class Conversation:
    """Requests and replies of one client; ``who`` opens every message.

    Each request has its own number, which the reply repeats: a reply that comes too late is
    dropped and never answers the next request.
    """

    def __init__(self, link: Link, who: str, timeout_second: float) -> None:
        self._link = link
        self._who = who
        self._timeout_second = timeout_second
        self._number = 0
        self._unread = b""  # the beginning of a reply whose rest has not come yet
        self._astray = False

    def ask(self, function: Function, channel: int | None = None, **extras: float | str) -> Reply:
        """Return the result of one function; ``channel`` is 0-based, None where it has none.

        Raises Refused for a JSON-RPC error, UnreadableReply, LinkTimeout.
        """
        self._number += 1
        params: dict[str, float | str] = {"FClass": function.f_class, "FNum": function.number}
        if channel is not None:
            params["Chan"] = channel
        sent = _request(self._number, {**params, **extras})
        self._link.write(sent)
        reply = self._receive_own(sent)
        if "error" in reply:
            raise Refused(f"{self._who}: sent {sent!r}, got error {reply['error']!r}")
        result = reply.get("result")
        if not isinstance(result, dict) or any(result.get(key) != params[key] for key in params):
            raise self._unreadable(sent, repr(reply), f"a result with {params}")
        return Reply(result, f"{self._who}: sent {sent!r}, in the reply")

    def _receive_own(self, sent: bytes) -> dict[str, object]:
        """Return the reply to the newest request, past those to requests that were given up.

        An error may come without a number: the tester could not read ours.
        """
        for _ in range(_MOST_LINES):
            reply = self._receive(sent)
            number = reply.get("id")
            if number == self._number or (number is None and "error" in reply):
                return reply
            if not isinstance(number, int) or number > self._number:
                break
        raise self._unreadable(sent, repr(reply), f"a reply with id {self._number}")

    def _receive(self, sent: bytes) -> dict[str, object]:
        """Return the next whole object. After a timeout in the middle of one, go on there.

        Its rest may never come: then, the next line that begins an object begins another one.
        """
        for _ in range(_MOST_LINES):
            line = self._read_line(sent)
            if self._astray and line.startswith(b"{"):
                self._unread = b""
            self._unread += line + _LINE_END
            text = self._unread.strip()
            if not text.startswith(b"{"):
                self._unread = b""
                if text and not self._astray:
                    raise self._gone_astray(sent, text)
            elif text.endswith(b"}") and (reply := _complete(text)) is not None:
                self._unread, self._astray = b"", False
                return reply
        raise self._gone_astray(sent, self._unread)

    def _read_line(self, sent: bytes) -> bytes:
        try:
            return self._link.read_until(_LINE_END, self._timeout_second)
        except LinkTimeout as error:
            self._astray = True
            raise LinkTimeout(
                f"{error}, after sending {sent!r} and reading {self._unread!r}",
                received=self._unread + error.received,
                remedy=error.remedy or "check that the tester program runs on the tester's PC",
            ) from error

    def _gone_astray(self, sent: bytes, got: bytes) -> UnreadableReply:
        """From here on, lines are skipped until one begins an object."""
        self._unread, self._astray = b"", True
        return self._unreadable(sent, repr(got), "a JSON object")

    def _unreadable(self, sent: bytes, got: str, expected: str) -> UnreadableReply:
        return UnreadableReply(f"{self._who}: sent {sent!r}, got {got}, expected {expected}")


def _request(number: int, params: Mapping[str, float | str]) -> bytes:
    request = {"jsonrpc": "2.0", "method": "MacNet", "params": params, "id": number}
    return json.dumps(request, separators=(",", ":"), allow_nan=False).encode("ascii")


def _complete(text: bytes) -> dict[str, object] | None:
    """Return the object if ``text`` is one, whole; None where more lines may make it one."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
