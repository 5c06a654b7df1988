"""Cutting a stream of bytes into replies, once for every kind of port. Knows no kind of port.

A port delivers bytes in pieces of its own choosing: half a line, three lines in one packet. What
has come and was not asked for yet waits in the buffer; a timeout leaves it there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from rig.core.clock import RealClock
from rig.core.errors import LinkClosed, LinkTimeout

# Timeouts of real ports are real seconds, whatever clock the engine runs on.
_CLOCK = RealClock()
# A port that does not take a command within this time is stuck: flow control, or a dead peer.
WRITE_TIMEOUT_SECOND = 5.0


class BufferedLink(ABC):
    """A Link over a port that can only say "these bytes have come"; kinds of port fill in three verbs."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._unread = bytearray()

    @property
    def name(self) -> str:
        return self._name

    @abstractmethod
    def write(self, data: bytes) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _receive(self, timeout_second: float) -> bytes:
        """Return as soon as any bytes are there, or empty-handed: after the timeout, or earlier.

        With 0, never wait. Raises LinkClosed.
        """

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        deadline = _CLOCK.now() + timeout_second
        in_time, searched = True, 0
        while (end := self._unread.find(terminator, searched)) < 0:
            if not in_time:
                raise self._timed_out(f"{terminator!r}", timeout_second)
            # The terminator may be cut in two: its first bytes may be the last that came.
            searched = max(0, len(self._unread) - len(terminator) + 1)
            in_time = self._receive_more(deadline)
        line = bytes(self._unread[:end])
        del self._unread[: end + len(terminator)]
        return line

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        deadline = _CLOCK.now() + timeout_second
        in_time = True
        while len(self._unread) < count:
            if not in_time:
                raise self._timed_out(f"{count} bytes", timeout_second)
            in_time = self._receive_more(deadline)
        block = bytes(self._unread[:count])
        del self._unread[:count]
        return block

    def _receive_more(self, deadline_second: float) -> bool:
        """Take what comes; False when time was up before: one last look, even at a babbling port."""
        remaining = deadline_second - _CLOCK.now()
        self._unread += self._receive(max(remaining, 0.0))
        return remaining > 0

    def _timed_out(self, awaited: str, timeout_second: float) -> LinkTimeout:
        received = bytes(self._unread)
        return LinkTimeout(
            f"{self._name}: waited {timeout_second:g} s for {awaited}, got {received!r}",
            received=received,
            remedy="check that the instrument is on, its cable, and its interface settings",
        )

    def _closed(self, doing: str, reason: object) -> LinkClosed:
        return LinkClosed(
            f"{self._name}: the port went away while {doing}: {reason}",
            remedy="check the cable and the instrument's power, then resume the run",
        )

    def _stuck(self, data: bytes) -> LinkTimeout:
        return LinkTimeout(
            f"{self._name}: not all of {data!r} was taken within {WRITE_TIMEOUT_SECOND:g} s",
            remedy="check flow control settings, and that the instrument is not waiting for its reply "
            "to be read",
        )
