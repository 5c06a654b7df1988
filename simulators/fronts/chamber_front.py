"""What a chamber is on any wire: one controller, and replies that take a moment.

Knows no bytes and no controller: a subclass turns the one into what the other does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class ChamberController(Protocol):
    """The machine behind the wire."""

    def advance(self, now_second: float) -> None: ...

    def inject(self, kind: str, value: int | None, now_second: float) -> None: ...


C = TypeVar("C", bound=ChamberController)


class ChamberFront(ABC, Generic[C]):
    """A chamber as a Front: simulators.interfaces says what the four calls mean.

    ``reply_second``: from a request, which is done at once, to its reply.
    """

    def __init__(self, controller: C, reply_second: float) -> None:
        self.controller = controller
        self._reply_second = reply_second
        self._replies: deque[tuple[float, bytes]] = deque()

    @abstractmethod
    def replies(self, data: bytes, now_second: float) -> Iterable[bytes]:
        """Do what the bytes ask, in order, and give what is answered, terminators included."""

    @abstractmethod
    def forget(self) -> None:
        """Lose what has come of an unfinished request."""

    def receive(self, data: bytes, now_second: float) -> None:
        """Take requests, whole or in pieces."""
        self.controller.advance(now_second)
        for reply in self.replies(data, now_second):
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
        """The chamber goes on with what it was told last: nobody watches the link."""
        self.controller.advance(now_second)
        self.forget()
        self._replies.clear()

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let a fault of the machine happen; see the controller's own ``inject``."""
        self.controller.inject(kind, value, now_second)
