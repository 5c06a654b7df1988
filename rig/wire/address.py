"""The grammar of ``connect:`` addresses. Pure: opens nothing, imports neither pyserial nor pyvisa.

serial:///dev/ttyUSB0?baudrate=230400&xonxoff=1     a serial port or pty; also just /dev/ttyUSB0
serial://COM3                                       the same on Windows; also just COM3
rfc2217://host:port?baudrate=19200                  a serial port on a terminal server
socket://host:port                                  a raw TCP socket
TCPIP::host::port::SOCKET                           the same, in VISA's spelling
TCPIP::.., ASRL.., GPIB.., USB..                    any other VISA resource name
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from rig.core.errors import BadInput, Problem, did_you_mean

_EXAMPLES = (
    "serial:///dev/ttyUSB0?baudrate=230400",
    "socket://192.168.0.5:5025",
    "TCPIP::192.168.0.5::5025::SOCKET",
)
_SCHEMES = ("serial", "socket", "rfc2217")
_VISA_SOCKET = re.compile(r"TCPIP\d*::(.+)::(\d+)::SOCKET", re.IGNORECASE)
_VISA = re.compile(r"(TCPIP|ASRL|GPIB|USB)", re.IGNORECASE)
_BARE_PORT = re.compile(r"(/|COM\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """``url`` is what pyserial opens; ``baudrate`` None: it means nothing here (a pty, USB CDC)."""

    name: str
    url: str
    is_remote: bool
    baudrate: int | None
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1
    xonxoff: bool = False
    rtscts: bool = False


@dataclass(frozen=True, slots=True)
class SocketAddress:
    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class VisaAddress:
    name: str


Address = SerialAddress | SocketAddress | VisaAddress


def parse_address(address: str, baudrate: int | None = None) -> Address:
    """Read an address; ``baudrate`` is the sheet's, used where the address names none.

    Raises BadInput with every problem of the address.
    """
    if match := _VISA_SOCKET.fullmatch(address):
        return SocketAddress(address, match[1], _port(address, int(match[2])))
    if _VISA.match(address):
        return VisaAddress(address)
    if _BARE_PORT.match(address):
        address = f"serial://{address}"
    parts = urlsplit(address)
    if parts.scheme == "serial":
        return _serial(address, parts, parts.netloc + parts.path, baudrate)
    if parts.scheme == "rfc2217":
        host, port = _host_and_port(address, parts)
        return _serial(address, parts, f"rfc2217://{host}:{port}", baudrate)
    if parts.scheme == "socket":
        _settings(address, parts, known={})
        return SocketAddress(address, *_host_and_port(address, parts))
    raise _unknown(address, parts.scheme)


def _unknown(address: str, scheme: str) -> BadInput:
    nearest = did_you_mean(scheme, _SCHEMES)
    return BadInput(
        Problem(
            "connect",
            f"got {address!r}, expected the address of a port",
            example=" or ".join(_EXAMPLES),
            suggestion=f"{nearest}://" if nearest else "",
        )
    )


def _host_and_port(address: str, parts: SplitResult) -> tuple[str, int]:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        message = f"got {address!r}, expected {parts.scheme}://host:port"
        raise BadInput(Problem("connect", message, example=f"{parts.scheme}://192.168.0.5:5025"))
    return host, _port(address, port)


def _port(address: str, port: int) -> int:
    if not 0 < port < 65_536:
        raise BadInput(Problem("connect", f"port {port} in {address!r} is not within 1 to 65535"))
    return port


def _serial(
    address: str, parts: SplitResult, url: str, sheet_baudrate: int | None
) -> SerialAddress:
    if not url:
        raise BadInput(Problem("connect", f"{address!r} names no port", example=_EXAMPLES[0]))
    settings = _settings(address, parts, known=_SERIAL_SETTINGS)
    settings.setdefault("baudrate", sheet_baudrate)
    return SerialAddress(url, url, parts.scheme == "rfc2217", **settings)


def _baudrate(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d*", text) else None


_SERIAL_SETTINGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "baudrate": ("a positive whole number", _baudrate),
    "bytesize": ("7 or 8", {"7": 7, "8": 8}.get),
    "parity": ("N, E or O", {"N": "N", "E": "E", "O": "O"}.get),
    "stopbits": ("1, 1.5 or 2", {"1": 1, "1.5": 1.5, "2": 2}.get),
    "xonxoff": ("0 or 1", {"0": False, "1": True}.get),
    "rtscts": ("0 or 1", {"0": False, "1": True}.get),
}


def _settings(
    address: str, parts: SplitResult, known: dict[str, tuple[str, Callable[[str], object]]]
) -> dict[str, Any]:
    """Read the part after ``?``; a reader returns None for text it does not allow."""
    settings: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        if key not in known:
            expected = f"one of {', '.join(known)}" if known else "nothing after the port"
            message = f"unknown setting {key!r} in {address!r}, expected {expected}"
            problems.append(Problem("connect", message, suggestion=did_you_mean(key, known)))
            continue
        allowed, read = known[key]
        settings[key] = read(text)
        if settings[key] is None:
            message = f"{key} is {text!r} in {address!r}, expected {allowed}"
            problems.append(Problem("connect", message))
    if problems:
        raise BadInput(problems)
    return settings
