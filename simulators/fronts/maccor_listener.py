"""What the tester program's listeners share: one tester, and replies that take a moment.

Simulator's choice: 20 ms from a request to its reply.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable

from rig.core.errors import BadInput, Problem
from simulators.fronts.maccor_tester import MaccorTester

_REPLY_SECOND = 0.02
_LARGEST_CODE = 255


class Listener(ABC):
    """One port of the tester; a subclass turns bytes into replies and forgets half a request."""

    def __init__(self, name: str, tester: MaccorTester) -> None:
        self.tester = tester
        self._name = name
        self._replies: deque[tuple[float, bytes]] = deque()

    @abstractmethod
    def replies(self, data: bytes) -> Iterable[bytes]:
        """Do what the bytes ask, in order, and give what is answered."""

    @abstractmethod
    def forget(self) -> None:
        """Lose what has come of an unfinished request."""

    def receive(self, data: bytes, now_second: float) -> None:
        """Take requests, whole or in pieces; each is done at once and answered after a moment."""
        self.tester.advance(now_second)
        for reply in self.replies(data):
            self._replies.append((now_second + _REPLY_SECOND, reply))

    def transmit(self, now_second: float) -> bytes:
        """Return the replies that are due."""
        self.tester.advance(now_second)
        due = b""
        while self._replies and self._replies[0][0] <= now_second:
            due += self._replies.popleft()[1]
        return due

    def next_output_second(self) -> float | None:
        """Return when to look again: a reply is due, or the tester has a check of its own to make.

        The second is what lets safeties and the watchdog act in time while nobody is connected.
        """
        reply = self._replies[0][0] if self._replies else math.inf
        soonest = min(reply, self.tester.next_event_second())
        return None if soonest == math.inf else soonest

    def disconnected(self, now_second: float) -> None:
        """Tests go on: only the watchdog, if it is configured, notices a host that has gone."""
        self.tester.advance(now_second)
        self.forget()
        self._replies.clear()

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let ``alarm`` stop every channel under test, with ``value`` as its RF2 (252 to 255).

        Raises BadInput for other kinds.
        """
        if kind != "alarm" or value is None or not 0 <= value <= _LARGEST_CODE:
            message = f"a Maccor tester has no fault {kind!r} of code {value}"
            raise BadInput(Problem(self._name, message))
        self.tester.advance(now_second)
        for channel in self.tester.channels:
            if channel.under_test:
                channel.fail(value)
