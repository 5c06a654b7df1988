"""MacNet's JSON on the wire: objects cut out of a byte stream, numbers as a tester prints them.

Knows neither functions nor channels. A host sends no terminator, so an object ends where its braces
balance; braces inside strings do not count.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

# A request is a few hundred bytes; a longer one is somebody else's protocol.
_LONGEST_OBJECT = 65_536
_BLANK = b" \t\r\n"
END = b"\r\n"


class ObjectReader:
    """Cuts a byte stream into texts that each should be one JSON object.

    What stands outside braces comes out as a text of its own, to be answered as a parse error.
    """

    def __init__(self) -> None:
        self._text = bytearray()
        self._depth = 0
        self._in_string = self._escaped = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the texts that are complete now."""
        texts = []
        for byte in data:
            if self._depth == 0 and byte == ord("{") and self._text:
                texts.append(self._take())
            if self._depth or byte not in _BLANK:
                self._text.append(byte)
            self._track(byte)
            if self._depth == 0 and byte == ord("}"):
                texts.append(self._take())
        if self._text and (self._depth == 0 or len(self._text) > _LONGEST_OBJECT):
            texts.append(self._take())
        return texts

    def clear(self) -> None:
        """Forget what has come of an unfinished object."""
        self._take()

    def _track(self, byte: int) -> None:
        if self._escaped:
            self._escaped = False
        elif self._in_string:
            self._escaped = byte == ord("\\")
            self._in_string = byte != ord('"')
        elif byte == ord('"'):
            self._in_string = self._depth > 0
        elif byte == ord("{"):
            self._depth += 1
        elif byte == ord("}"):
            self._depth = max(0, self._depth - 1)

    def _take(self) -> bytes:
        text = bytes(self._text)
        self._text.clear()
        self._depth = 0
        self._in_string = self._escaped = False
        return text


def single(value: float) -> float:
    """Return ``value`` as a 32-bit float printed with 15 digits; whole numbers have no point.

    >>> single(0.1), single(15.0)
    (0.100000001490116, 15)
    """
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        rounded = float("inf") if value > 0 else float("-inf")
    printed = float(f"{rounded:.15g}")
    return int(printed) if printed.is_integer() else printed


def write(message: Mapping[str, object]) -> bytes:
    """Return the reply's bytes: indented text over several lines, finished with CR LF."""
    return json.dumps(message, indent=3).replace("\n", "\r\n").encode("utf-8") + END
