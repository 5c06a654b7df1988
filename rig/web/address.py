"""Where the page is served, and whether only this computer can reach it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from rig.core.errors import BadInput, Problem


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is served."""

    host: str = "127.0.0.1"
    port: int = 8000
    encrypted: bool = False

    @property
    def is_loopback(self) -> bool:
        """Say whether only this computer can reach it."""
        return is_loopback_name(self.host)

    @property
    def url(self) -> str:
        scheme = "https" if self.encrypted else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def is_loopback_name(name: str) -> bool:
    """Say whether this host name or address can only mean this computer."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 is any free one. Raises BadInput where that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot(host, port, error) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _cannot(host, port, error) from error
    return listening


def _cannot(host: str, port: int, error: OSError) -> BadInput:
    message = f"cannot listen on {host} port {port}: {error.strerror or error}"
    return BadInput(Problem("rig serve", message, example="rig serve --port 8001"))
