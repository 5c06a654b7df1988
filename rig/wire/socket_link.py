"""A raw TCP socket as a Link: ``socket://host:port`` and VISA's ``TCPIP::host::port::SOCKET``.

Neither pyserial nor pyvisa-py carries these, on purpose. pyvisa-py 0.8 takes a refused connection
for an open one, spins on a closed one until the timeout, and drops half a reply when time is up;
pyserial 3.5 reports at most one waiting byte and spends 0.3 s in close. None of that can be mended
from outside, and what is left of a socket is these few lines.
"""

from __future__ import annotations

import socket

from rig.core.errors import LinkClosed
from rig.wire.buffered import WRITE_TIMEOUT_SECOND, BufferedLink

_CONNECT_TIMEOUT_SECOND = 5.0
_LARGEST_PIECE = 65_536


class SocketLink(BufferedLink):
    """An open TCP connection; commands leave at once (no Nagle delay)."""

    def __init__(self, name: str, host: str, port: int) -> None:
        super().__init__(name)
        try:
            self._socket = socket.create_connection((host, port), _CONNECT_TIMEOUT_SECOND)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise LinkClosed(
                f"{name}: cannot connect to {host} port {port}: {error}",
                remedy="check the address, the network cable, and that no other program holds "
                "the instrument's only connection",
            ) from error

    def write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(WRITE_TIMEOUT_SECOND)
            self._socket.sendall(data)
        except TimeoutError as error:
            raise self._stuck(data) from error
        except OSError as error:
            raise self._closed(f"sending {data!r}", error) from error

    def _receive(self, timeout_second: float) -> bytes:
        try:
            self._socket.settimeout(timeout_second)
            piece = self._socket.recv(_LARGEST_PIECE)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise self._closed("reading", error) from error
        if not piece:
            raise self._closed("reading", "the other side closed the connection")
        return piece

    def close(self) -> None:
        self._socket.close()
