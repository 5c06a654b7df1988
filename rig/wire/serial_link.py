"""A serial port as a Link, through pyserial: a local port, a pty, or RFC 2217 on a terminal server."""

from __future__ import annotations

import serial

from rig.core.errors import LinkClosed
from rig.wire.address import SerialAddress
from rig.wire.buffered import WRITE_TIMEOUT_SECOND, BufferedLink

# pyserial reconfigures the whole port whenever its timeout changes (over RFC 2217: a negotiation
# on the network), so it is set once and a wait is made of slices. A byte that comes ends a slice
# at once; only a wait in vain may last up to one slice longer than it was told.
_SLICE_SECOND = 0.02


class SerialLink(BufferedLink):
    """An open serial port that no other program may use at the same time."""

    def __init__(self, address: SerialAddress) -> None:
        super().__init__(address.name)
        try:
            self._port = _open(address)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise LinkClosed(
                f"{address.name}: cannot open the port: {error}", remedy=_remedy(error)
            ) from error

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise self._stuck(data) from error
        except OSError as error:
            raise self._closed(f"sending {data!r}", error) from error

    def _receive(self, timeout_second: float) -> bytes:
        try:
            first = b""
            if timeout_second > 0 and not self._port.in_waiting:
                first = self._port.read(1)
            waiting = self._port.in_waiting
            return first + self._port.read(waiting) if waiting else first
        except OSError as error:
            raise self._closed("reading", error) from error

    def close(self) -> None:
        self._port.close()


def _open(address: SerialAddress) -> serial.Serial:
    port = serial.serial_for_url(
        address.url,
        do_not_open=True,
        timeout=_SLICE_SECOND,
        bytesize=address.bytesize,
        parity=address.parity,
        stopbits=address.stopbits,
        xonxoff=address.xonxoff,
        rtscts=address.rtscts,
        exclusive=True,
    )
    if address.baudrate is not None:
        port.baudrate = address.baudrate
    if not address.is_remote:  # RFC 2217 in pyserial refuses a write timeout
        port.write_timeout = WRITE_TIMEOUT_SECOND
    port.open()
    return port


def _remedy(error: Exception) -> str:
    text = str(error).lower()
    if "permission" in text or "access is denied" in text:
        return "let this user use serial ports (Linux: group dialout), or close the other program"
    if "lock" in text or "busy" in text:
        return "another program holds this port: close it"
    return "check that the adapter is plugged in and the port is spelled as the system names it"
