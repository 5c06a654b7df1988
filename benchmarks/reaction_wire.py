"""What ``reaction.py`` puts at the instruments' end of the wire: an ear, and a link that only echoes."""

from __future__ import annotations

import re
import socket
import threading
import time
from dataclasses import dataclass

from simulators.interfaces import Front

PINGS_SECOND = 0.1
TOO_HIGH = b"4.500000E+00"  # the protocol's limit is 4.3 V
SAFE = b":ABOR"  # what the driver's make_safe begins with
# A reading while charging: the driver sources the voltage, so that comes first.
_VOLTAGE = re.compile(rb"^[-+.\dE]+")


@dataclass
class Tap:
    """A front with an ear on its wire; on command its next reading is beyond the limit.

    ``receive`` is called with the bytes just read from the socket, ``transmit`` gives those that
    are written next: what lies between is a few microseconds of simulators/server.py.
    """

    front: Front
    breaks_at_ns: int | None = None
    broken_ns: int = 0
    safe_ns: int = 0
    readings: int = 0
    _asked: bool = False

    def receive(self, data: bytes, now_second: float) -> None:
        now_ns = time.monotonic_ns()
        if self.broken_ns and not self.safe_ns and SAFE in data:
            self.safe_ns = now_ns
        self._asked = data.startswith(b":READ?")
        self.front.receive(data, now_second)

    def transmit(self, now_second: float) -> bytes:
        data = self.front.transmit(now_second)
        if not data or not self._asked:
            return data
        self._asked = False
        self.readings += 1
        if self.breaks_at_ns is None or self.broken_ns or time.monotonic_ns() < self.breaks_at_ns:
            return data
        self.broken_ns = time.monotonic_ns()
        return _VOLTAGE.sub(TOO_HIGH, data)

    def next_output_second(self) -> float | None:
        return self.front.next_output_second()

    def disconnected(self, now_second: float) -> None:
        self.front.disconnected(now_second)

    @property
    def reaction_second(self) -> float:
        return (self.safe_ns - self.broken_ns) / 1e9


class Echo:
    """The least instrument there is: it answers at once with what it got. For the link's round trip."""

    def __init__(self) -> None:
        self._unsent = b""

    def receive(self, data: bytes, now_second: float) -> None:
        self._unsent += data

    def transmit(self, now_second: float) -> bytes:
        data, self._unsent = self._unsent, b""
        return data

    def next_output_second(self) -> float | None:
        return None

    def disconnected(self, now_second: float) -> None:
        self._unsent = b""


class Pings(threading.Thread):
    """Measures the round trip on a link to the same server while everything else goes on."""

    def __init__(self, address: str) -> None:
        super().__init__(name="pings")
        self.second: list[float] = []
        self._address = address
        self._over = threading.Event()

    def run(self) -> None:
        _, host, port, _ = self._address.split("::")
        with socket.create_connection((host, int(port)), timeout=10.0) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._over.wait(PINGS_SECOND):
                began = time.perf_counter()
                link.sendall(b"ping\n")
                if link.recv(100):
                    self.second.append(time.perf_counter() - began)

    def __enter__(self) -> Pings:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
