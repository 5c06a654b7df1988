"""A conversation written down byte by byte, and a Link that plays it back. Opens no port.

A transcript is a list of exchanges ``(sent, reply)``, in order:

    (b"*IDN?\\n", b"ESPEC,...\\n")   after exactly these bytes are sent, those arrive
    (b":OUTP ON\\n", None)          sent; nothing comes back
    (None, b"half a li")           bytes that arrive without being asked, or later than the rest
    (None, None)                   silence: a read waits for more in vain and times out

As text, one line each, with Python's escapes for all that is not printable ASCII:

    # a comment
    > *IDN?\\n
    < ESPEC,...\\n
    ~
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rig.core.errors import BadInput, LinkTimeout, Problem

Exchange = tuple[bytes | None, bytes | None]
SENT, RECEIVED, SILENCE, COMMENT = ">", "<", "~", "#"
_ESCAPED_BYTES = re.compile(
    r"""(?: [\x20-\x5b\x5d-\x7e] | \\[\\nrt] | \\x[0-9a-f]{2} )*""", re.VERBOSE
)


class TranscriptMismatch(AssertionError):
    """Something else was sent than the transcript says; not a RigError, so that nobody mends it."""


class TranscriptLink:
    """Plays a transcript back: every write must be the very next one, every read gets its bytes.

    Time does not exist here: what the transcript has not got times out at once.
    """

    def __init__(self, exchanges: Sequence[Exchange], name: str = "transcript") -> None:
        self._name = name
        self._exchanges = tuple(exchanges)
        self._next = 0
        self._unread = bytearray()

    @property
    def name(self) -> str:
        return self._name

    def write(self, data: bytes) -> None:
        while self._unasked() is not None:
            self._arrive()
        if self._next == len(self._exchanges):
            raise self._mismatch("nothing more", data)
        sent, reply = self._exchanges[self._next]
        if sent != data:
            raise self._mismatch("a read in vain" if sent is None else repr(sent), data)
        self._next += 1
        self._unread += reply or b""

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        while (end := self._unread.find(terminator)) < 0:
            self._wait(f"{terminator!r}", timeout_second)
        line = bytes(self._unread[:end])
        del self._unread[: end + len(terminator)]
        return line

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        while len(self._unread) < count:
            self._wait(f"{count} bytes", timeout_second)
        block = bytes(self._unread[:count])
        del self._unread[:count]
        return block

    def close(self) -> None:
        return  # nothing is held

    def assert_used_up(self) -> None:
        """Raise TranscriptMismatch unless every exchange took place and every byte was read."""
        left = self._exchanges[self._next :]
        if left or self._unread:
            raise TranscriptMismatch(
                f"{self._name}: ended early; exchanges left: {list(left)!r}, "
                f"bytes unread: {bytes(self._unread)!r}"
            )

    def _unasked(self) -> bytes | None:
        """Return the next bytes if they come without being asked for, else None."""
        if self._next < len(self._exchanges):
            sent, reply = self._exchanges[self._next]
            if sent is None:
                return reply
        return None

    def _arrive(self) -> None:
        self._unread += self._unasked() or b""
        self._next += 1

    def _wait(self, awaited: str, timeout_second: float) -> None:
        if self._unasked() is not None:
            self._arrive()
            return
        if self._exchanges[self._next : self._next + 1] == ((None, None),):
            self._next += 1
        raise LinkTimeout(
            f"{self._name}: waited {timeout_second:g} s for {awaited}, got {bytes(self._unread)!r}",
            received=bytes(self._unread),
        )

    def _mismatch(self, expected: str, data: bytes) -> TranscriptMismatch:
        return TranscriptMismatch(
            f"{self._name}: exchange {self._next + 1}: expected {expected}, got {data!r}"
        )


def escape(data: bytes) -> str:
    """Write bytes as readable text on one line; a final blank would not survive an editor."""
    text = data.decode("latin-1").encode("unicode_escape").decode("ascii")
    return text[:-1] + r"\x20" if text.endswith(" ") else text


def load_transcript(path: Path) -> list[Exchange]:
    """Read a transcript file. Raises BadInput with every line that cannot be read."""
    exchanges: list[Exchange] = []
    problems: list[Problem] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        mark, text = line[:1], line[1:].removeprefix(" ")
        if mark in ("", COMMENT):
            continue
        if mark in (SENT, RECEIVED, SILENCE) and _ESCAPED_BYTES.fullmatch(text):
            data = text.encode("ascii").decode("unicode_escape").encode("latin-1")
            _append(exchanges, mark, data)
        else:
            message = f"got {line!r}, expected '>', '<', '~' or '#' and escaped bytes"
            problems.append(Problem(f"{path}:{number}:1", message, example=r"> *IDN?\n"))
    if problems:
        raise BadInput(problems)
    return exchanges


def _append(exchanges: list[Exchange], mark: str, data: bytes) -> None:
    if mark == SENT:
        exchanges.append((data, None))
    elif mark == SILENCE:
        exchanges.append((None, None))
    elif exchanges and exchanges[-1] != (None, None):
        # Pieces that came one after the other are one reply: only silence parts them.
        sent, reply = exchanges[-1]
        exchanges[-1] = (sent, (reply or b"") + data)
    else:
        exchanges.append((None, data))
