"""Serve simulated instruments where real software looks for them: TCP sockets and pseudo terminals.

One thread per port waits for bytes and for the instrument's own next output, on a clock that may
run faster than the wall's. Every call into a front is made under one lock of the server, because
two instruments may share a cell, and models have no locks. Knows no instrument.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from rig.core.clock import RealClock
from simulators.faults import HungUp
from simulators.interfaces import Front

_LOG = logging.getLogger(__name__)
_CHUNK = 65_536
# A host that does not read: what it leaves unread beyond this is lost, as on a serial port.
_MOST_UNSENT = 1 << 20


class Transport(StrEnum):
    """How an instrument is reached."""

    TCP = "tcp"  # a raw socket; one client at a time
    PTY = "pty"  # a serial port, as far as software can tell


class _Wire(Protocol):
    """The operating system's side of one port."""

    address: str

    def readable(self) -> list[int]:
        """Descriptors to wait for."""
        ...

    def writable(self) -> int | None:
        """The descriptor that replies go to; None while nobody is connected."""
        ...

    def take(self, ready: int) -> bytes | None:
        """Read what made ``ready`` readable; None: the host has gone."""
        ...

    def hang_up(self) -> None:
        """Close the connection, wait for the next."""
        ...

    def close(self) -> None: ...


class _Tcp:
    """A listener and at most one connection.

    A second client is accepted and closed at once, as a 2450 may refuse it: closing the listener
    meanwhile would let another program take the port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._listener = socket.create_server((host, port))
        self._listener.setblocking(False)
        self._connection: socket.socket | None = None
        bound_host, bound_port = self._listener.getsockname()[:2]
        self.address = f"TCPIP::{bound_host}::{bound_port}::SOCKET"

    def readable(self) -> list[int]:
        # The connection first: a host that closes and comes back at once must find it closed.
        open_now = [self._connection.fileno()] if self._connection else []
        return [*open_now, self._listener.fileno()]

    def writable(self) -> int | None:
        return self._connection.fileno() if self._connection else None

    def take(self, ready: int) -> bytes | None:
        if ready == self._listener.fileno():
            self._accept()
            return b""
        if self._connection is None:
            return b""
        try:
            return self._connection.recv(_CHUNK) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # gone again before we came
        if self._connection is not None:
            connection.close()
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._connection = connection

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self.hang_up()
        self._listener.close()


class _Pty:
    """A pseudo terminal in raw mode; we hold both ends, so a host may come and go."""

    def __init__(self) -> None:
        import tty  # noqa: PLC0415 (not on Windows, where the rest of this module still imports)

        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.address = f"serial://{os.ttyname(self._slave)}"

    def readable(self) -> list[int]:
        return [self._master]

    def writable(self) -> int | None:
        return self._master

    def take(self, ready: int) -> bytes | None:
        try:
            return os.read(ready, _CHUNK)
        except BlockingIOError:
            return b""

    def hang_up(self) -> None:
        """A pseudo terminal cannot be unplugged: the host only sees silence."""

    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)


class _Port(threading.Thread):
    """One instrument on one wire: moves bytes both ways until told to stop."""

    def __init__(
        self, name: str, front: Front, wire: _Wire, clock: RealClock, lock: threading.Lock
    ) -> None:
        super().__init__(name=f"simulated {name}", daemon=True)
        self.wire = wire
        self._front = front
        self._clock = clock
        self._lock = lock
        self._streams = getattr(front, "streams", False)
        self._unsent = bytearray()
        self._woken, self._wake = os.pipe()

    def finish(self) -> None:
        """Stop the thread, close its descriptors, and return when it has ended."""
        os.write(self._wake, b"\0")
        self.join()
        os.close(self._wake)
        os.close(self._woken)

    def run(self) -> None:
        try:
            while self._serve_once():
                pass
        finally:
            self.wire.close()

    def _serve_once(self) -> bool:
        """Wait for bytes or the next output, and deal with it; false when told to stop."""
        target = self.wire.writable()
        writing = [target] if self._unsent and target is not None else []
        reading = [self._woken, *self.wire.readable()]
        ready, _, _ = select.select(reading, writing, [], self._patience())
        if self._woken in ready:
            return False
        for descriptor in ready:
            self._receive(self.wire.take(descriptor))
        self._collect()
        self._send()
        return True

    def _patience(self) -> float | None:
        """Return the real seconds until the instrument sends by itself; None: not before it is asked."""
        with self._lock:
            due = self._front.next_output_second()
            if due is None:
                return None
            return max(0.0, (due - self._clock.now()) / self._clock.speed)

    def _receive(self, data: bytes | None) -> None:
        if data == b"":
            return
        try:
            with self._lock:
                if data is None:
                    raise HungUp
                self._front.receive(data, self._clock.now())
        except HungUp:
            self._hang_up()

    def _collect(self) -> None:
        try:
            with self._lock:
                data = self._front.transmit(self._clock.now())
        except HungUp:
            self._hang_up()
            return
        if len(self._unsent) + len(data) <= _MOST_UNSENT:
            self._unsent += data

    def _send(self) -> None:
        target = self.wire.writable()
        if target is None:
            self._unsent.clear()
        if not self._unsent or target is None:
            return
        try:
            sent = os.write(target, self._unsent)
        except BlockingIOError:
            # A stream that nobody reads is lost: kept, it would come later and pass for the present.
            if self._streams:
                self._unsent.clear()
            return
        except OSError:
            self._hang_up()
            return
        del self._unsent[:sent]

    def _hang_up(self) -> None:
        _LOG.info("%s: the host has gone", self.name)
        self.wire.hang_up()
        self._unsent.clear()
        with self._lock:
            self._front.disconnected(self._clock.now())


class Server:
    """Fronts on ports of this machine, from start to stop; also a context manager.

    ``ports`` gives TCP port numbers by instrument; the system chooses the others.
    """

    def __init__(
        self,
        fronts: Mapping[str, tuple[Front, Transport | str]],
        clock: RealClock,
        *,
        host: str = "127.0.0.1",
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self._fronts = fronts
        self._clock = clock
        self._host = host
        self._tcp_ports = ports or {}
        self._running: dict[str, _Port] = {}

    @property
    def addresses(self) -> dict[str, str]:
        """Where each instrument is, as the bench file's ``connect`` takes it; empty when stopped."""
        return {name: port.wire.address for name, port in self._running.items()}

    def start(self) -> Server:
        """Open all ports and begin to serve; raises OSError, with nothing left open."""
        lock = threading.Lock()
        with contextlib.ExitStack() as opened:
            wires = {}
            for name, (_, transport) in self._fronts.items():
                wires[name] = self._open(name, Transport(transport))
                opened.callback(wires[name].close)
            opened.pop_all()
        for name, (front, _) in self._fronts.items():
            port = self._running[name] = _Port(name, front, wires[name], self._clock, lock)
            port.start()
        return self

    def stop(self) -> None:
        """Close all ports and end their threads; safe to call twice."""
        while self._running:
            _, port = self._running.popitem()
            port.finish()

    def _open(self, name: str, transport: Transport) -> _Wire:
        if transport is Transport.TCP:
            return _Tcp(self._host, self._tcp_ports.get(name, 0))
        return _Pty()

    def __enter__(self) -> Server:
        return self if self._running else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    fronts: Mapping[str, tuple[Front, Transport | str]],
    clock: RealClock,
    *,
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
) -> Server:
    """Return a server that is already serving ``fronts``; use it in a ``with`` statement."""
    return Server(fronts, clock, host=host, ports=ports).start()
