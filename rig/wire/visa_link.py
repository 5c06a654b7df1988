"""A VISA session as a Link, through pyvisa: USB, GPIB, VXI-11, HiSLIP, and ASRL serial ports.

The backend is pyvisa-py, or the system's VISA library that RIG_VISA_LIBRARY names. No VISA
terminator is used: replies are cut in BufferedLink, as on every other port.
"""

from __future__ import annotations

import os

import pyvisa
from pyvisa.constants import SerialTermination, StatusCode
from pyvisa.resources import MessageBasedResource, SerialInstrument
from pyvisa.rname import InvalidResourceName, ResourceName

from rig.core.errors import BadInput, LinkClosed, Problem
from rig.wire.buffered import WRITE_TIMEOUT_SECOND, BufferedLink

_LARGEST_PIECE = 65_536
_MESSAGE_AVAILABLE = 0x10  # bit 4 of the status byte, IEEE 488.2 section 11.2.1.2
# pyvisa-py lets its transports' own exceptions through: a lost VXI-11 session is an EOFError, a
# lost HiSLIP session a RuntimeError.
_FOREIGN = (pyvisa.Error, OSError, EOFError, RuntimeError)


class VisaLink(BufferedLink):
    """An open VISA session.

    A message-based instrument ends each reply itself, so one read is one reply; a serial session
    is read as far as bytes have come.
    """

    def __init__(self, resource_name: str, baudrate: int | None) -> None:
        super().__init__(resource_name)
        self._resource = _open(resource_name)
        if isinstance(self._resource, SerialInstrument):
            self._resource.end_input = SerialTermination.none
            if baudrate is not None:
                self._resource.baud_rate = baudrate

    def write(self, data: bytes) -> None:
        try:
            self._resource.timeout = 1000 * WRITE_TIMEOUT_SECOND
            self._resource.write_raw(data)
        except _FOREIGN as error:
            if _is_timeout(error):
                raise self._stuck(data) from error
            raise self._closed(f"sending {data!r}", error) from error

    def _receive(self, timeout_second: float) -> bytes:
        try:
            count = self._readable(timeout_second)
            if not count:
                return b""
            # VISA counts whole milliseconds.
            self._resource.timeout = max(1, round(1000 * timeout_second))
            with self._resource.ignore_warning(StatusCode.success_max_count_read):
                piece, _ = self._resource.visalib.read(self._resource.session, count)
            return bytes(piece)
        except _FOREIGN as error:
            if _is_timeout(error):
                return b""
            raise self._closed("reading", error) from error

    def _readable(self, timeout_second: float) -> int:
        """Return how many bytes to ask for so that nothing is waited for in vain; 0: do not ask."""
        if isinstance(self._resource, SerialInstrument):
            return self._resource.bytes_in_buffer or (1 if timeout_second > 0 else 0)
        # Asking a message-based instrument that has nothing to say puts a query error into its
        # queue (-420), so without time to wait the status byte is asked first.
        if timeout_second > 0 or self._resource.read_stb() & _MESSAGE_AVAILABLE:
            return _LARGEST_PIECE
        return 0

    def close(self) -> None:
        try:
            self._resource.close()
        except _FOREIGN:
            return  # already gone: there is nothing left to give back


def _open(resource_name: str) -> MessageBasedResource:
    library = os.environ.get("RIG_VISA_LIBRARY", "@py")
    try:
        ResourceName.from_string(resource_name)
    except InvalidResourceName as error:
        raise BadInput(
            Problem("connect", f"not a VISA resource name: {error}", "GPIB0::18::INSTR")
        ) from error
    try:
        # Never kept: pyvisa has one manager per library, and another user of it may have closed it.
        resource = pyvisa.ResourceManager(library).open_resource(resource_name)
    except Exception as error:  # pyvisa-py raises bare Exception and ValueError here
        raise LinkClosed(
            f"{resource_name}: cannot open the VISA session ({library}): {error}",
            remedy="check the address and the cable; GPIB and some USB devices need the maker's VISA "
            "library: install it and name it in RIG_VISA_LIBRARY",
        ) from error
    if not isinstance(resource, MessageBasedResource):
        resource.close()
        raise BadInput(Problem("connect", f"{resource_name!r} carries no messages"))
    return resource


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or (
        isinstance(error, pyvisa.VisaIOError) and error.error_code == StatusCode.error_timeout
    )
