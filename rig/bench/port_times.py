"""How long each port has been busy beyond what its driver allowed: what a hang is, in numbers.

Asked by the watchdog's beat. Knows links by their timeouts and requests by their due times only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

from rig.bench.instruments import WrapLink
from rig.core.clock import Clock, RealClock
from rig.core.link import Link
from rig.engine.schedule import Request
from rig.wire.buffered import WRITE_TIMEOUT_SECOND

# A TCP connection may take 5 s; a name that has to be looked up, or a VISA session, longer.
OPENING_SECOND = 15.0


class PortTimes:
    """Until when each port may be busy: as long as its driver told the link to wait, no longer.

    A driver neither sleeps nor computes, so a call that takes minutes (an abort that waits for a
    point at 1 mHz) is a chain of reads, each with its own timeout. A port hangs when one of them
    outstays it. Written by port threads, read by the engine's: one float each, no lock.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or RealClock()
        self._until_second: dict[str, float] = {}

    def noting(self, wrap: WrapLink) -> WrapLink:
        """Return ``wrap`` with a look at every operation on its links."""

        def noted(name: str, link: Link, clock: Clock) -> Link:
            return _NotedLink(wrap(name, link, clock), partial(self.may_take, name))

        return noted

    def may_take(self, port: str, second: float) -> None:
        self._until_second[port] = self._clock.now() + second

    def may_open(self, port: str) -> None:
        """A port is about to be opened anew: that has no link yet that could say how long."""
        self.may_take(port, OPENING_SECOND)

    def latest(self, pending: Iterable[Request], clock: Clock) -> tuple[float, str]:
        """Return by how many real seconds the latest request is overdue, and its port.

        Overdue counts from its due time on ``clock``, or from the moment until which its port had
        leave to be busy, whichever is later: waiting in a queue that moves is no hang.
        """
        now, real_now = clock.now(), self._clock.now()
        late = [
            (
                min(
                    (now - request.due_second) / clock.speed,
                    real_now - self._until_second.get(request.port, -math.inf),
                ),
                request.port,
            )
            for request in pending
        ]
        return max(late, default=(0.0, ""))


class _NotedLink:
    """Passes everything on, and says beforehand how long it may take."""

    def __init__(self, inner: Link, may_take: Callable[[float], None]) -> None:
        self._inner, self._may_take = inner, may_take

    @property
    def name(self) -> str:
        return self._inner.name

    def write(self, data: bytes) -> None:
        self._may_take(WRITE_TIMEOUT_SECOND)
        self._inner.write(data)
        self._may_take(0.0)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        self._may_take(timeout_second)
        reply = self._inner.read_until(terminator, timeout_second)
        self._may_take(0.0)
        return reply

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        self._may_take(timeout_second)
        block = self._inner.read_exactly(count, timeout_second)
        self._may_take(0.0)
        return block

    def close(self) -> None:
        self._inner.close()
