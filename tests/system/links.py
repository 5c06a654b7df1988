"""The cable between a rig and its database server, to be cut and mended: real sockets, where possible
a network namespace of the rig's own.

A rig reaches the server through a listener of this process, which carries bytes to and from
PostgreSQL's own socket. With root and iproute2 the rig's processes live in a network namespace whose
one wire ends at that listener: cut, packets vanish without a word, as with a cable pulled out.
Elsewhere a cut closes every connection and refuses new ones.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Relay:
    """Listens on an address and carries each connection to a Unix socket."""

    def __init__(self, host: str, target: Path) -> None:
        self._target = str(target)
        self._listener = socket.create_server((host, 0))
        self.host, self.port = self._listener.getsockname()[:2]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._cut = False
        self._start(self._accept)

    def cut(self) -> None:
        """Close every connection and let nobody in."""
        self._cut = True
        for one in list(self._open):
            _close(one)

    def mend(self) -> None:
        self._cut = False

    def close(self) -> None:
        self.cut()
        _close(self._listener)
        for thread in self._threads:
            thread.join(5.0)

    def _start(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._cut:
                _close(near)
                continue
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            self._open |= {near, far}
            self._start(self._carry, near, far)
            self._start(self._carry, far, near)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for one in (source, sink):
            self._open.discard(one)
            _close(one)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for it in another thread
    one.close()


class Cable:
    """What a rig is connected by: ``command`` puts its processes at the other end."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    @property
    def address(self) -> str:
        return f"{self.relay.host}:{self.relay.port}"

    def command(self, *words: str) -> list[str]:
        return list(words)

    def cut(self) -> None:
        self.relay.cut()

    def mend(self) -> None:
        self.relay.mend()


class NamespaceCable(Cable):
    """A wire into a network namespace."""

    def __init__(self, relay: Relay, namespace: str, wire: str) -> None:
        super().__init__(relay)
        self._namespace, self._wire = namespace, wire

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self._namespace, *words]

    def cut(self) -> None:
        _ip("link", "set", self._wire, "down")

    def mend(self) -> None:
        _ip("link", "set", self._wire, "up")


@contextmanager
def cable(number: int, target: Path) -> Iterator[Cable]:
    """Lay the cable of one rig to PostgreSQL's socket; ``number`` tells rigs apart."""
    if can_have_namespaces():
        with _wired(number) as (namespace, wire, host), _relay(host, target) as relay:
            yield NamespaceCable(relay, namespace, wire)
    else:
        with _relay("127.0.0.1", target) as relay:
            yield Cable(relay)


@contextmanager
def _relay(host: str, target: Path) -> Iterator[Relay]:
    relay = Relay(host, target)
    try:
        yield relay
    finally:
        relay.close()


@contextmanager
def _wired(number: int) -> Iterator[tuple[str, str, str]]:
    """Make a namespace with a wire to here; yields its name, the wire's near end, our address on it."""
    own = f"{os.getpid() % 100_000}-{number}"
    namespace, near, far = f"rig-{own}", f"rn{own}", f"rf{own}"
    net = f"198.18.{os.getpid() % 250}"  # RFC 2544: for tests of networks
    here, there = f"{net}.{4 * number + 1}", f"{net}.{4 * number + 2}"
    _ip("netns", "add", namespace)
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", namespace)
        _ip("addr", "add", f"{here}/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("-n", namespace, "addr", "add", f"{there}/30", "dev", far)
        _ip("-n", namespace, "link", "set", far, "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        yield namespace, near, here
    finally:
        _ip("netns", "del", namespace)


def can_have_namespaces() -> bool:
    """Say whether this user may make one here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"rig-probe-{os.getpid()}"
    with contextlib.suppress(subprocess.CalledProcessError):
        _ip("netns", "add", name)
        try:
            probe = f"rp{os.getpid() % 100_000}"
            _ip("link", "add", probe, "type", "veth", "peer", "name", f"{probe}x")
            _ip("link", "del", probe)
            return True
        finally:
            _ip("netns", "del", name)
    return False


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)
