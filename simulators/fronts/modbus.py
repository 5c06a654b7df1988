"""Modbus TCP as a server speaks it: frames by the byte, and the register functions 3, 4, 6 and 16.

Written by hand from the MODBUS Application Protocol Specification V1.1b3 and the Messaging on TCP/IP
Implementation Guide V1.0b, because drivers use a library: two readings of one text. Knows no
instrument; what a register means is a RegisterBank's business.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

_HEADER = struct.Struct(">HHHB")  # transaction, protocol, bytes that follow, unit
_LENGTH_COVERS = 1  # the length counts the unit byte, which stands in the header
_LARGEST_PDU = 253
_MOST_READ, _MOST_WRITTEN = 125, 123
_ERROR_BIT = 0x80
_LAST_ADDRESS = 0xFFFF


class ExceptionCode(IntEnum):
    """Why a request is refused: V1.1b3 section 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3


class ModbusRefusal(Exception):
    """A request that is answered with an exception response."""

    def __init__(self, code: ExceptionCode) -> None:
        super().__init__(code.name)
        self.code = code


class RegisterBank(Protocol):
    """The holding registers of a device; both methods raise ModbusRefusal."""

    def read(self, address: int, count: int) -> list[int]: ...

    def write(self, address: int, words: Sequence[int]) -> None: ...


class Frame(NamedTuple):
    """One request or response without its length: ``pdu`` begins with the function code."""

    transaction: int
    unit: int
    pdu: bytes

    def encode(self) -> bytes:
        """Return the bytes on the wire.

        >>> Frame(1, 1, bytes.fromhex("030B040002")).encode().hex(" ")
        '00 01 00 00 00 06 01 03 0b 04 00 02'
        """
        length = len(self.pdu) + _LENGTH_COVERS
        return _HEADER.pack(self.transaction, 0, length, self.unit) + self.pdu


class FrameReader:
    """Cuts a byte stream into frames, wherever the network cut it before."""

    def __init__(self) -> None:
        self._unread = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are complete now; those of another protocol are discarded."""
        self._unread += data
        frames = []
        while len(self._unread) >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(self._unread)
            size = length - _LENGTH_COVERS
            if not 1 <= size <= _LARGEST_PDU:
                self.clear()  # a stream out of step has no mark to find the next frame by
                break
            end = _HEADER.size + size
            if len(self._unread) < end:
                break
            if protocol == 0:
                frames.append(Frame(transaction, unit, self._unread[_HEADER.size : end]))
            self._unread = self._unread[end:]
        return frames

    def clear(self) -> None:
        """Forget what has come of an unfinished frame."""
        self._unread = b""


def answer(pdu: bytes, bank: RegisterBank) -> bytes:
    """Do what a request says and return the response's PDU; a refusal is one, too."""
    function = pdu[0]
    try:
        if function not in _FUNCTIONS:
            raise ModbusRefusal(ExceptionCode.ILLEGAL_FUNCTION)
        return bytes([function]) + _FUNCTIONS[function](pdu[1:], bank)
    except ModbusRefusal as refusal:
        return bytes([function | _ERROR_BIT, refusal.code])


def _read(data: bytes, bank: RegisterBank) -> bytes:
    address, count = _two_words(data)
    _check_span(address, count, _MOST_READ)
    words = bank.read(address, count)
    return struct.pack(f">B{count}H", 2 * count, *words)


def _write_one(data: bytes, bank: RegisterBank) -> bytes:
    address, word = _two_words(data)
    bank.write(address, [word])
    return data


def _write_several(data: bytes, bank: RegisterBank) -> bytes:
    address, count = _two_words(data[:4])
    _check_span(address, count, _MOST_WRITTEN)
    if data[4:5] != bytes([2 * count]) or len(data) != 5 + 2 * count:
        raise ModbusRefusal(ExceptionCode.ILLEGAL_VALUE)
    bank.write(address, struct.unpack_from(f">{count}H", data, 5))
    return data[:4]


def _two_words(data: bytes) -> tuple[int, int]:
    if len(data) != 4:
        raise ModbusRefusal(ExceptionCode.ILLEGAL_VALUE)
    first, second = struct.unpack(">HH", data)
    return first, second


def _check_span(address: int, count: int, most: int) -> None:
    """The specification's order: first the quantity (03), then the addresses (02)."""
    if not 1 <= count <= most:
        raise ModbusRefusal(ExceptionCode.ILLEGAL_VALUE)
    if address + count - 1 > _LAST_ADDRESS:
        raise ModbusRefusal(ExceptionCode.ILLEGAL_ADDRESS)


_FUNCTIONS: dict[int, Callable[[bytes, RegisterBank], bytes]] = {
    3: _read,
    4: _read,
    6: _write_one,
    16: _write_several,
}
