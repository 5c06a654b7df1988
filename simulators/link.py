"""A link that ends in a simulated instrument, with time handed in: the same bytes, no port.

Waiting for a reply moves the clock to the moment the instrument sends it, and no further. Knows
fronts and clocks; knows no instrument.
"""

from __future__ import annotations

from rig.core.clock import Clock
from rig.core.errors import LinkClosed, LinkTimeout
from simulators.faults import HungUp
from simulators.interfaces import Front


class InMemoryLink:
    """A rig.core.link.Link over a front. On a simulated clock a timeout costs nothing."""

    __slots__ = ("_clock", "_front", "_is_open", "_name", "_unread")

    def __init__(self, front: Front, clock: Clock, name: str) -> None:
        self._front = front
        self._clock = clock
        self._name = name
        self._unread = bytearray()
        self._is_open = True

    @property
    def name(self) -> str:
        """How messages call this link."""
        return self._name

    def write(self, data: bytes) -> None:
        """Hand ``data`` to the instrument at this moment."""
        if not self._is_open:
            raise self._closed(f"write {data!r}")
        try:
            self._front.receive(data, self._clock.now())
        except HungUp:
            self.close()
            raise self._closed(f"write {data!r}") from None

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        """Return the bytes before ``terminator``; see rig.core.link.Link."""
        if not self._is_open:
            raise self._closed(f"read until {terminator!r}")
        unread = self._unread
        now = self._clock.now()
        deadline = now + timeout_second
        searched = 0
        while True:
            try:
                unread += self._front.transmit(now)
            except HungUp:
                self.close()
                raise self._closed(f"read until {terminator!r}") from None
            end = unread.find(terminator, searched)
            if end >= 0:
                line = bytes(unread[:end])
                del unread[: end + len(terminator)]
                return line
            searched = max(0, len(unread) - len(terminator) + 1)
            if now >= deadline:
                break
            now = self._wait(now, deadline)
        raise self._timeout(f"{terminator!r}", timeout_second)

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        """Return exactly ``count`` bytes; see rig.core.link.Link."""
        if not self._is_open:
            raise self._closed(f"read {count} bytes")
        unread = self._unread
        now = self._clock.now()
        deadline = now + timeout_second
        while True:
            try:
                unread += self._front.transmit(now)
            except HungUp:
                self.close()
                raise self._closed(f"read {count} bytes") from None
            if len(unread) >= count:
                data = bytes(unread[:count])
                del unread[:count]
                return data
            if now >= deadline:
                break
            now = self._wait(now, deadline)
        raise self._timeout(f"{count} bytes", timeout_second)

    def close(self) -> None:
        """Let go of the instrument, which notices; safe to call twice."""
        if self._is_open:
            self._is_open = False
            self._front.disconnected(self._clock.now())

    def _wait(self, now: float, deadline: float) -> float:
        """Move on to the next output, or to the deadline when none comes before; return that."""
        ready = self._front.next_output_second()
        # A front that names a moment already past and sends nothing would hold us here for ever.
        until = deadline if ready is None or not now < ready < deadline else ready
        self._clock.wait_until(until)
        return max(until, self._clock.now())

    def _closed(self, action: str) -> LinkClosed:
        return LinkClosed(f"{self._name}: {action}: the link is closed")

    def _timeout(self, expected: str, timeout_second: float) -> LinkTimeout:
        received = bytes(self._unread)
        return LinkTimeout(
            f"{self._name}: expected {expected} within {timeout_second:g} s, got {received!r}",
            received=received,
        )
