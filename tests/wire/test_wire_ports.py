"""Every kind of port against a real one: TCP sockets on loopback and pseudo-terminals.

The test itself is the instrument at the other end, so nothing runs in the background and nothing
waits longer than a timeout that is being tested.
"""

from __future__ import annotations

import os
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import pyvisa

from rig.core.errors import BadInput, LinkClosed, LinkTimeout
from rig.core.link import Link
from rig.wire import open_link


@dataclass
class Line:
    """A link and the instrument's end of it."""

    link: Link
    say: Callable[[bytes], object]
    hear: Callable[[], bytes]
    vanish: Callable[[], None]


def _over_tcp(address: str) -> Iterator[Line]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = open_link(address.format(port=server.getsockname()[1]), b"\n", None)
        peer, _ = server.accept()
        yield Line(link, peer.sendall, lambda: peer.recv(4096), peer.close)
        link.close()
        peer.close()


def _over_pty(address: str) -> Iterator[Line]:
    master, slave = os.openpty()
    tty.setraw(slave)
    ends = [master, slave]

    def vanish() -> None:
        while ends:
            os.close(ends.pop())

    link = open_link(address.format(path=os.ttyname(slave)), b"\n", 9600)
    yield Line(link, lambda data: os.write(master, data), lambda: os.read(master, 4096), vanish)
    link.close()
    vanish()


PORTS: dict[str, Callable[[], Iterator[Line]]] = {
    "socket": lambda: _over_tcp("socket://127.0.0.1:{port}"),
    "VISA socket": lambda: _over_tcp("TCPIP0::127.0.0.1::{port}::SOCKET"),
    "pyserial": lambda: _over_pty("serial://{path}?baudrate=115200"),
    "bare path": lambda: _over_pty("{path}"),
    "pyvisa": lambda: _over_pty("ASRL{path}::INSTR"),
}


@pytest.fixture(params=PORTS)
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    yield from PORTS[request.param]()


def test_what_is_written_arrives_unchanged(line: Line) -> None:
    line.link.write(b"*IDN?\n")
    assert line.hear() == b"*IDN?\n"


def test_every_byte_value_passes_both_ways(line: Line) -> None:
    everything = bytes(range(256))
    line.link.write(everything)
    assert line.hear() == everything
    line.say(everything)
    assert line.link.read_exactly(256, 1.0) == everything


def test_a_reply_is_returned_without_its_terminator(line: Line) -> None:
    line.say(b"KEITHLEY\n")
    assert line.link.read_until(b"\n", 1.0) == b"KEITHLEY"


def test_lines_that_came_in_one_packet_are_returned_one_by_one(line: Line) -> None:
    line.say(b"one\ntwo\n\nfour\n")
    assert [line.link.read_until(b"\n", 1.0) for _ in range(4)] == [b"one", b"two", b"", b"four"]


def test_half_a_reply_stays_unread_and_is_shown_by_the_timeout(line: Line) -> None:
    line.say(b"3.65")
    with pytest.raises(LinkTimeout) as caught:
        line.link.read_until(b"\n", 0.03)
    assert caught.value.received == b"3.65"
    assert line.link.name in str(caught.value)
    line.say(b"1234\nnext\n")
    assert line.link.read_until(b"\n", 1.0) == b"3.651234"
    assert line.link.read_until(b"\n", 1.0) == b"next"


def test_a_terminator_cut_in_two_is_found(line: Line) -> None:
    line.say(b"23.4,25.0\r")
    with pytest.raises(LinkTimeout):
        line.link.read_until(b"\r\n", 0.03)
    line.say(b"\n")
    assert line.link.read_until(b"\r\n", 1.0) == b"23.4,25.0"


def test_a_binary_terminator_is_found_among_line_feeds(line: Line) -> None:
    line.say(b"\n\x00\xff\n\xffrest")
    assert line.link.read_until(b"\xff\n\xff", 1.0) == b"\n\x00"
    assert line.link.read_exactly(4, 1.0) == b"rest"


def test_exactly_so_many_bytes_are_read_and_the_rest_stays(line: Line) -> None:
    line.say(b"abcdef")
    assert line.link.read_exactly(4, 1.0) == b"abcd"
    with pytest.raises(LinkTimeout) as caught:
        line.link.read_exactly(3, 0.03)
    assert caught.value.received == b"ef"
    assert line.link.read_exactly(2, 0.0) == b"ef"


def test_without_time_to_wait_only_what_is_there_counts(line: Line) -> None:
    with pytest.raises(LinkTimeout) as caught:
        line.link.read_until(b"\n", 0.0)
    assert caught.value.received == b""
    line.say(b"here\n")
    assert line.link.read_until(b"\n", 1.0) == b"here"
    assert line.link.read_exactly(0, 0.0) == b""


def test_a_reply_that_comes_while_waiting_is_returned_at_once(line: Line) -> None:
    def answer() -> None:
        line.hear()
        line.say(b"4.2E+00\n")

    instrument = threading.Thread(target=answer)
    instrument.start()
    line.link.write(b":READ?\n")
    assert line.link.read_until(b"\n", 5.0) == b"4.2E+00"
    instrument.join()


def test_a_vanished_instrument_closes_the_link_and_does_not_time_out(line: Line) -> None:
    line.vanish()
    with pytest.raises(LinkClosed, match="went away"):
        line.link.read_until(b"\n", 30.0)


def test_a_closed_link_says_so_and_closes_twice(line: Line) -> None:
    line.link.close()
    line.link.close()
    with pytest.raises(LinkClosed):
        line.link.write(b"*IDN?\n")


def test_what_was_said_before_vanishing_can_still_be_read_from_a_socket() -> None:
    for line in _over_tcp("socket://127.0.0.1:{port}"):
        line.say(b"bye\nhalf")
        line.vanish()
        assert line.link.read_until(b"\n", 1.0) == b"bye"
        with pytest.raises(LinkClosed):
            line.link.read_until(b"\n", 1.0)


@pytest.mark.parametrize(
    "address", ["socket://127.0.0.1:{port}", "TCPIP::127.0.0.1::{port}::SOCKET"]
)
def test_a_refused_connection_is_reported_when_opening(address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(LinkClosed, match="refused") as caught:
        open_link(address.format(port=port), b"\n", None)
    assert caught.value.remedy


@pytest.mark.parametrize("address", ["serial:///dev/no-such-port", "ASRL/dev/no-such-port::INSTR"])
def test_a_missing_port_is_reported_with_the_systems_reason(address: str) -> None:
    with pytest.raises(LinkClosed, match=r"no-such-port.*No such file") as caught:
        open_link(address, b"\n", 9600)
    assert caught.value.remedy


def test_a_serial_port_is_not_shared_with_a_second_opener() -> None:
    for line in _over_pty("serial://{path}"):
        with pytest.raises(LinkClosed) as caught:
            open_link(f"serial://{line.link.name}", b"\n", 9600)
        assert "another program" in caught.value.remedy


def test_a_visa_session_opens_after_a_script_in_the_same_process_closed_the_manager() -> None:
    for _ in range(2):
        for line in _over_pty("ASRL{path}::INSTR"):
            line.say(b"here\n")
            assert line.link.read_until(b"\n", 1.0) == b"here"
        pyvisa.ResourceManager("@py").close()


def test_a_misspelled_visa_name_is_bad_input() -> None:
    with pytest.raises(BadInput, match="not a VISA resource name"):
        open_link("TCPIP::host::5025::SOKET", b"\n", None)
