"""Questions and answers with one SCPI instrument, kept in step. Knows no instrument.

A reply that comes too late would answer the next question, and every reading after it would be one
sample old without anybody seeing it. So whenever a reply was late, cut or unreadable, the next
question is preceded by one whose answer cannot be mistaken, and all that comes before it is
dropped. That repeats nothing and hides nothing: the failure itself was raised when it happened.
"""

from __future__ import annotations

from rig.core.errors import UnreadableReply
from rig.core.link import Link
from rig.wire import scpi

_MOST_STALE_LINES = 10


class Conversation:
    """What a SCPI driver speaks through; ``who`` opens every message.

    ``marker`` is a query and the one answer to it that no other query has, both without
    terminator: ``("*LANG?", "SCPI")``.
    """

    def __init__(
        self, link: Link, who: str, timeout_second: float, marker: tuple[str, str]
    ) -> None:
        self._link = link
        self._who = who
        self._timeout_second = timeout_second
        self._marker_query, answer = marker
        self._marker_answer = answer.encode("ascii")
        self._astray = False

    def send(self, *commands: str) -> None:
        """Send commands that have no reply, one line each."""
        for command in commands:
            scpi.send(self._link, command)

    def query(self, command: str) -> str:
        """Return the one line that answers ``command``."""
        line = command.encode("ascii") + scpi.TERMINATOR
        self._begin()
        reply = scpi.ask(self._link, line, self._timeout_second)
        text = scpi.decode(reply, f"{self._who}: sent {command!r}")
        self._astray = False
        return text

    def numbers(self, line: bytes, count: int) -> list[float]:
        """Return the ``count`` numbers that answer ``line``, terminator included."""
        self._begin()
        reply = scpi.ask(self._link, line, self._timeout_second)
        values = scpi.parse_floats(reply, count, f"{self._who}: sent {line!r}")
        self._astray = False
        return values

    def switch(self, command: str) -> bool:
        """Return the answer to a query that allows 0 and 1 only."""
        answer = self.query(command)
        if answer not in ("0", "1"):
            self._astray = True
            raise UnreadableReply(f"{self._who}: sent {command!r}, got {answer!r}, expected 0 or 1")
        return answer == "1"

    def errors(self) -> list[scpi.ScpiError]:
        """Empty the instrument's error queue and return what was in it."""
        self._begin()
        errors = scpi.read_errors(self._link, self._timeout_second)
        self._astray = False
        return errors

    def _begin(self) -> None:
        """Get into step where that is in doubt; in doubt again until a whole reply was read."""
        if self._astray:
            self._fall_into_step()
        self._astray = True

    def _fall_into_step(self) -> None:
        scpi.discard_received(self._link)
        scpi.send(self._link, self._marker_query)
        for _ in range(_MOST_STALE_LINES):
            reply = self._link.read_until(scpi.TERMINATOR, self._timeout_second)
            # What was left of a cut reply may stand before the marker on the same line.
            if reply.endswith(self._marker_answer):
                return
        raise UnreadableReply(
            f"{self._who}: sent {self._marker_query!r}, got {_MOST_STALE_LINES} other lines, "
            f"expected {self._marker_answer!r}"
        )
