"""The server: real sockets and pseudo terminals, a fast clock, a clean end."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ideal_cell import IdealAir, IdealCell

from rig.core.clock import RealClock
from simulators.faults import FaultyFront, parse_fault
from simulators.fronts.espec_p300 import EspecP300Front
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.server import Server, Transport, serve


def smu(name: str = "smu-1", cell: IdealCell | None = None) -> Keithley2450Front:
    return Keithley2450Front(name, cell or IdealCell(), seed=1)


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


@pytest.fixture
def server() -> Iterator[Server]:
    fronts = {
        "smu-1": (smu(), Transport.TCP),
        "chamber-1": (EspecP300Front("chamber-1", IdealAir(), seed=1), "pty"),
    }
    with serve(fronts, RealClock(speed=1000.0)) as running:
        yield running


@contextlib.contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    _, host, port, _ = address.split("::")
    with socket.create_connection((host, int(port)), timeout=5.0) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def ask(connection: socket.socket, message: str) -> str:
    connection.sendall(message.encode() + b"\n")
    reply = b""
    while not reply.endswith(b"\n"):
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionResetError
        reply += piece
    return reply.decode().strip()


def test_addresses_are_what_a_bench_file_takes(server):
    assert server.addresses["smu-1"].startswith("TCPIP::127.0.0.1::")
    assert server.addresses["smu-1"].endswith("::SOCKET")
    assert server.addresses["chamber-1"].startswith("serial:///dev/")


def test_a_query_over_tcp_is_answered(server):
    with connected(server.addresses["smu-1"]) as connection:
        assert "MODEL 2450" in ask(connection, "*IDN?")
        assert float(ask(connection, ":READ?")) == pytest.approx(0.0, abs=1e-3)


def test_a_query_over_a_pseudo_terminal_is_answered(server):
    terminal = os.open(
        server.addresses["chamber-1"].removeprefix("serial://"), os.O_RDWR | os.O_NOCTTY
    )
    try:
        os.write(terminal, b"MODE?\r\n")
        reply = b""
        while not reply.endswith(b"\r\n"):
            assert select.select([terminal], [], [], 5.0)[0]
            reply += os.read(terminal, 100)
        assert reply == b"STANDBY\r\n"
    finally:
        os.close(terminal)


def test_a_second_client_is_turned_away_and_the_first_goes_on(server):
    with connected(server.addresses["smu-1"]) as first:
        ask(first, "*LANG?")
        with (
            connected(server.addresses["smu-1"]) as second,
            contextlib.suppress(ConnectionResetError),
        ):
            assert second.recv(10) == b""
        assert ask(first, "*LANG?") == "SCPI"


def test_the_output_stays_on_over_a_disconnect(server):
    with connected(server.addresses["smu-1"]) as connection:
        assert ask(connection, ":OUTP ON;:OUTP?") == "1"
    with connected(server.addresses["smu-1"]) as connection:
        assert ask(connection, ":OUTP?") == "1"


def test_a_reading_of_seconds_is_there_at_once_on_a_fast_clock(server):
    with connected(server.addresses["smu-1"]) as connection:
        connection.sendall(b":SENS:CURR:NPLC 10;:SENS:COUN 10\n")  # 8 s a query
        seconds = [float(ask(connection, ':READ? "defbuffer1",REL')) for _ in range(3)]
    assert seconds[2] - seconds[1] >= 8.0


def test_stopping_leaves_no_thread_and_no_open_file_and_may_be_repeated():
    files, threads = descriptors(), threading.active_count()
    server = Server({"smu-1": (smu(), "tcp"), "smu-2": (smu("smu-2"), "pty")}, RealClock())
    assert server.addresses == {}
    server.start()
    with connected(server.addresses["smu-1"]) as connection:
        ask(connection, "*IDN?")
        server.stop()
    server.stop()
    assert descriptors() == files
    assert threading.active_count() == threads


def test_a_port_that_is_taken_leaves_nothing_open(server):
    port = int(server.addresses["smu-1"].split("::")[2])
    files = descriptors()
    fronts = {"a": (smu("a"), "pty"), "b": (smu("b"), "tcp")}
    with pytest.raises(OSError, match="in use"):
        Server(fronts, RealClock(), ports={"b": port}).start()
    assert descriptors() == files


def test_an_instrument_that_hangs_up_closes_the_connection():
    front = FaultyFront(smu(), parse_fault("smu-1:drop@2"))
    with serve({"smu-1": (front, "tcp")}, RealClock(speed=1000.0)) as server:
        with connected(server.addresses["smu-1"]) as connection:
            assert ask(connection, "*LANG?") == "SCPI"
            with pytest.raises(ConnectionResetError):
                ask(connection, "*LANG?")
        with connected(server.addresses["smu-1"]) as connection:
            assert ask(connection, "*LANG?") == "SCPI"


def test_two_instruments_on_one_cell_never_enter_it_at_the_same_time():
    class Guarded(IdealCell):
        """Notices a second caller while one is inside."""

        inside = 0
        most = 0

        def terminals(self, now_second: float):
            self.inside += 1
            self.most = max(self.most, self.inside)
            answer = super().terminals(now_second)
            self.inside -= 1
            return answer

    cell = Guarded()
    fronts = {name: (smu(name, cell), "tcp") for name in ("a", "b")}

    def poll(address: str) -> None:
        with connected(address) as connection:
            ask(connection, ":OUTP ON;:OUTP?")
            for _ in range(100):
                ask(connection, ":SOUR:VOLT:ILIM:TRIP?")

    with serve(fronts, RealClock(speed=1000.0)) as server:
        threads = [threading.Thread(target=poll, args=(a,)) for a in server.addresses.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert cell.most == 1
