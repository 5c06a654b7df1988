"""An instrument that answers lines with lines, after a moment. Knows no instrument.

For what is too simple for a command table: a subclass says what each line does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque

_LONGEST_LINE = 4096


class LineFront(ABC):
    """A Front whose lines end in ``end``; simulators.interfaces says what the four calls mean.

    Every reply is sent ``reply_second`` after its line has come.
    """

    def __init__(self, end: bytes, reply_second: float) -> None:
        self._end = end
        self._reply_second = reply_second
        self._unread = b""
        self._replies: deque[tuple[float, bytes]] = deque()

    @abstractmethod
    def answer(self, line: bytes, now_second: float) -> bytes:
        """Do what one line says and return the whole reply; empty where there is none."""

    def receive(self, data: bytes, now_second: float) -> None:
        """Take lines, whole or in pieces."""
        *lines, self._unread = (self._unread + data).split(self._end)
        self._unread = self._unread[-_LONGEST_LINE:]
        for line in lines:
            reply = self.answer(line, now_second)
            if reply:
                self._replies.append((now_second + self._reply_second, reply))

    def transmit(self, now_second: float) -> bytes:
        """Return the replies that are due."""
        due = b""
        while self._replies and self._replies[0][0] <= now_second:
            due += self._replies.popleft()[1]
        return due

    def next_output_second(self) -> float | None:
        """Return when the oldest reply is sent."""
        return self._replies[0][0] if self._replies else None

    def disconnected(self, now_second: float) -> None:
        """Bytes are lost, settings stay: nobody watches the link."""
        self._unread = b""
        self._replies.clear()
