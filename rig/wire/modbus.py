"""Modbus TCP over a Link: registers read and written, one request and one reply. Knows no instrument.

Frames and messages are pymodbus's. Its clients are not used: they open ports, try again by
themselves and keep their own time, and a driver's bytes must go through the link it was handed.
Numbers of registers are those sent on the wire (0-based). Source: MODBUS Application Protocol
V1.1b3, MODBUS Messaging on TCP/IP V1.0b.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import Enum

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from rig.core.errors import LinkTimeout, Refused, UnreadableReply
from rig.core.link import Link

_HEADER_BYTES = 6  # transaction, protocol and length; the unit number is counted by the length
_LENGTHS = range(3, 255)  # unit, function and at least one byte; a message has 253 bytes at most
_LAST_TRANSACTION = 0xFFFF
_MOST_STALE_REPLIES = 10


class WordOrder(Enum):
    """Which half of a 32-bit value stands in the first of its two registers."""

    LOW_FIRST = "low first"
    HIGH_FIRST = "high first"


class ModbusRefusal(Refused):
    """The device answered with an exception; ``code`` is its number."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class ModbusTcp:
    """One device behind one link; ``who`` opens every message.

    Every reply carries the number of its request, so one that comes too late is dropped and never
    answers the next request. All methods raise LinkTimeout, ModbusRefusal and UnreadableReply,
    which name the bytes that were sent.
    """

    def __init__(self, link: Link, who: str, timeout_second: float, unit: int = 1) -> None:
        self._link = link
        self._who = who
        self._timeout_second = timeout_second
        self._unit = unit
        self._framer = FramerSocket(DecodePDU(is_server=False))
        self._transaction = 0
        self._header = b""  # of a frame whose rest has not come yet

    def read(self, address: int, count: int = 1) -> tuple[int, ...]:
        """Return ``count`` holding registers from ``address`` (function 03)."""
        reply, sent = self._exchange(ReadHoldingRegistersRequest(address=address, count=count))
        if len(reply.registers) != count:
            raise self._unreadable(sent, list(reply.registers), f"{count} registers")
        return tuple(reply.registers)

    def write(self, address: int, value: int) -> None:
        """Write one register (function 06); the device repeats address and value."""
        request = WriteSingleRegisterRequest(address=address, registers=[value])
        reply, sent = self._exchange(request)
        if (reply.address, list(reply.registers)) != (address, [value]):
            raise self._unreadable(sent, f"{reply.address}: {reply.registers}", "the same again")

    def write_many(self, address: int, values: Sequence[int]) -> None:
        """Write registers from ``address`` on (function 16); the device repeats address and count."""
        request = WriteMultipleRegistersRequest(address=address, registers=list(values))
        reply, sent = self._exchange(request)
        if (reply.address, reply.count) != (address, len(values)):
            raise self._unreadable(
                sent,
                f"{reply.count} written at {reply.address}",
                f"{len(values)} written at {address}",
            )

    def _exchange(self, request: ModbusPDU) -> tuple[ModbusPDU, bytes]:
        """Return the reply, of the request's own kind, and the bytes that it answers."""
        self._transaction = self._transaction % _LAST_TRANSACTION + 1
        request.dev_id, request.transaction_id = self._unit, self._transaction
        sent = self._framer.buildFrame(request)
        self._link.write(sent)
        for _ in range(_MOST_STALE_REPLIES):
            frame = self._receive(sent)
            _, unit, transaction, message = self._framer.decode(frame)
            if transaction != self._transaction:
                continue  # answers a request that was given up
            reply = self._framer.decoder.decode(message)
            if isinstance(reply, ExceptionResponse):
                raise self._refused(request, sent, frame, reply)
            if reply is None or (unit, reply.function_code) != (self._unit, request.function_code):
                raise self._unreadable(sent, frame, f"a reply to function {request.function_code}")
            return reply, sent
        raise self._unreadable(
            sent, f"{_MOST_STALE_REPLIES} replies to others", f"transaction {self._transaction}"
        )

    def _receive(self, sent: bytes) -> bytes:
        """Return one whole frame. After a timeout in the middle of one, go on where it broke off."""
        try:
            if not self._header:
                self._header = self._link.read_exactly(_HEADER_BYTES, self._timeout_second)
            _, protocol, length = struct.unpack(">HHH", self._header)
            if protocol != 0 or length not in _LENGTHS:
                raise self._out_of_step(sent)
            body = self._link.read_exactly(length, self._timeout_second)
        except LinkTimeout as error:
            raise LinkTimeout(
                f"{error}, after sending {sent.hex(' ')}",
                received=error.received,
                remedy=error.remedy,
            ) from error
        frame, self._header = self._header + body, b""
        return frame

    def _out_of_step(self, sent: bytes) -> UnreadableReply:
        """Drop all that has arrived: nothing tells where the next frame begins."""
        got, self._header = self._header, b""
        try:
            while True:
                got += self._link.read_exactly(1, 0.0)
        except LinkTimeout:
            return self._unreadable(sent, got, "the header of a Modbus TCP frame")

    def _refused(
        self, request: ModbusPDU, sent: bytes, frame: bytes, reply: ExceptionResponse
    ) -> Refused | UnreadableReply:
        code = reply.exception_code
        if reply.function_code != request.function_code | 0x80 or code not in set(ExcCodes):
            return self._unreadable(sent, frame, "an exception of the standard")
        meaning = ExcCodes(code).name.replace("_", " ").lower()
        return ModbusRefusal(
            f"{self._who}: register {request.address}: sent {sent.hex(' ')}, "
            f"got {frame.hex(' ')}: exception {code}, {meaning}",
            code,
        )

    def _unreadable(self, sent: bytes, got: object, expected: str) -> UnreadableReply:
        shown = got.hex(" ") if isinstance(got, bytes) else got
        return UnreadableReply(
            f"{self._who}: sent {sent.hex(' ')}, got {shown}, expected {expected}"
        )


def float_of(words: tuple[int, ...], order: WordOrder) -> float:
    """Return the 32-bit float in two registers.

    >>> float_of((0x0000, 0x41C8), WordOrder.LOW_FIRST)
    25.0
    """
    low, high = words if order is WordOrder.LOW_FIRST else reversed(words)
    value: float
    (value,) = struct.unpack(">f", struct.pack(">HH", high, low))
    return value


def words_of(value: float, order: WordOrder) -> tuple[int, int]:
    """Return the two registers of ``value`` as a 32-bit float; the reverse of ``float_of``."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return (low, high) if order is WordOrder.LOW_FIRST else (high, low)
