"""A message-based VISA session against a real HiSLIP instrument on loopback, as small as one can be.

Messages as in IVI-6.1: prologue "HS", type, control code, parameter, payload length, payload.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from rig.core.errors import LinkClosed, LinkTimeout
from rig.core.link import Link
from rig.wire import open_link

_HEADER = struct.Struct("!2sBBIQ")
_INITIALIZE, _DATA_END, _MAX_MESSAGE_SIZE, _ASYNC_INITIALIZE, _STATUS_QUERY = 0, 7, 15, 17, 21


class HislipInstrument(threading.Thread):
    """Answers ``echo ...`` with the rest of the line, and says nothing to anything else."""

    def __init__(self) -> None:
        super().__init__()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def run(self) -> None:
        with self._server, selectors.DefaultSelector() as selector:
            channels = []
            for _ in ("synchronous", "asynchronous"):
                channel, _address = self._server.accept()
                channels.append(channel)
                self._take_message(channel)
            for channel in channels:
                selector.register(channel, selectors.EVENT_READ)
            while all(self._take_message(key.fileobj) for key, _ in selector.select()):  # type: ignore[arg-type]
                continue
            for channel in channels:
                channel.close()

    def _take_message(self, channel: socket.socket) -> bool:
        header = channel.recv(_HEADER.size, socket.MSG_WAITALL)
        if not header:
            return False
        _, kind, _, parameter, length = _HEADER.unpack(header)
        payload = channel.recv(length, socket.MSG_WAITALL) if length else b""
        if kind == _INITIALIZE:
            channel.sendall(_HEADER.pack(b"HS", 1, 0, 0x0100_0001, 0))
        elif kind == _ASYNC_INITIALIZE:
            channel.sendall(_HEADER.pack(b"HS", 18, 0, 0, 0))
        elif kind == _MAX_MESSAGE_SIZE:
            channel.sendall(_HEADER.pack(b"HS", 16, 0, 0, 8) + payload)
        elif kind == _STATUS_QUERY:
            channel.sendall(_HEADER.pack(b"HS", 22, 0, 0, 0))
        elif kind == _DATA_END:
            return self._answer(channel, parameter, payload)
        return True

    def _answer(self, channel: socket.socket, message_id: int, payload: bytes) -> bool:
        word, _, rest = payload.partition(b" ")
        if word == b"echo":
            channel.sendall(_HEADER.pack(b"HS", _DATA_END, 0, message_id, len(rest)) + rest)
        return word != b"vanish"


@pytest.fixture
def link() -> Iterator[Link]:
    instrument = HislipInstrument()
    instrument.start()
    link = open_link(f"TCPIP::127.0.0.1::hislip0,{instrument.port}::INSTR", b"\n", None)
    yield link
    link.close()
    instrument.join()


def test_a_message_is_one_reply(link: Link) -> None:
    for reply in (b"KEITHLEY\n", b"3.65,0.5,160\n"):
        link.write(b"echo " + reply)
        assert link.read_until(b"\n", 2.0) == reply[:-1]


def test_a_message_of_several_lines_is_cut_into_lines(link: Link) -> None:
    link.write(b"echo one\ntwo\n")
    assert link.read_until(b"\n", 2.0) == b"one"
    assert link.read_until(b"\n", 0.0) == b"two"


def test_silence_is_a_timeout(link: Link) -> None:
    link.write(b":OUTP OFF\n")
    with pytest.raises(LinkTimeout):
        link.read_until(b"\n", 0.05)


def test_without_time_to_wait_only_the_status_is_asked(link: Link) -> None:
    with pytest.raises(LinkTimeout):
        link.read_until(b"\n", 0.0)
    link.write(b"echo still in step\n")
    assert link.read_until(b"\n", 2.0) == b"still in step"


def test_a_vanished_instrument_closes_the_link(link: Link) -> None:
    link.write(b"vanish \n")
    with pytest.raises(LinkClosed, match="went away"):
        link.read_until(b"\n", 5.0)
