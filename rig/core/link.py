"""What a driver sees of the world: three operations on bytes, whatever lies behind them.

A driver cannot tell a serial port from a VISA session, a recorded transcript or a simulator.
"""

from __future__ import annotations

from typing import Protocol


class Link(Protocol):
    """An open connection to one instrument. Owned by one thread at a time; never shared.

    Every operation raises LinkClosed when the port is gone, with the name of the port and what
    was being done in the message.
    """

    @property
    def name(self) -> str:
        """How messages call this port: ``/dev/ttyUSB2``, ``TCPIP::192.168.0.5::5025::SOCKET``."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of ``data``, terminator included; return when the system has taken it."""
        ...

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        """Return the bytes before the next ``terminator``, which is consumed and not returned.

        Bytes after it stay for the next read. With a timeout of 0 only what has already arrived
        counts. Raises LinkTimeout when no terminator came in time: what did come stays unread
        and is shown in the error's ``received``.
        """
        ...

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        """Return exactly ``count`` bytes. Raises LinkTimeout; what did come stays unread."""
        ...

    def close(self) -> None:
        """Give the port back; safe to call twice."""
        ...
