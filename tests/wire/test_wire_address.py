"""The grammar of ``connect:`` addresses: pure tables, no port is opened."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rig.core.errors import BadInput
from rig.wire.address import SerialAddress, SocketAddress, VisaAddress, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "serial:///dev/ttyUSB0?baudrate=230400&xonxoff=1&rtscts=1",
            SerialAddress(
                "/dev/ttyUSB0", "/dev/ttyUSB0", False, 230_400, xonxoff=True, rtscts=True
            ),
        ),
        (
            "serial:///dev/ttyS0?bytesize=7&parity=E&stopbits=2",
            SerialAddress("/dev/ttyS0", "/dev/ttyS0", False, 9600, 7, "E", 2),
        ),
        ("/dev/pts/3", SerialAddress("/dev/pts/3", "/dev/pts/3", False, 9600)),
        ("COM3", SerialAddress("COM3", "COM3", False, 9600)),
        ("serial://COM12", SerialAddress("COM12", "COM12", False, 9600)),
        (
            "rfc2217://10.0.0.9:4001?baudrate=19200",
            SerialAddress("rfc2217://10.0.0.9:4001", "rfc2217://10.0.0.9:4001", True, 19_200),
        ),
        ("socket://10.0.0.9:5025", SocketAddress("socket://10.0.0.9:5025", "10.0.0.9", 5025)),
        ("socket://[::1]:5025", SocketAddress("socket://[::1]:5025", "::1", 5025)),
        (
            "TCPIP0::192.168.0.5::5025::SOCKET",
            SocketAddress("TCPIP0::192.168.0.5::5025::SOCKET", "192.168.0.5", 5025),
        ),
        ("TCPIP::192.168.0.5::INSTR", VisaAddress("TCPIP::192.168.0.5::INSTR")),
        ("GPIB0::18::INSTR", VisaAddress("GPIB0::18::INSTR")),
        ("USB0::0x05E6::0x2450::04096331::INSTR", VisaAddress("USB0::0x05E6::0x2450::04096331::INSTR")),
        ("ASRL/dev/ttyS0::INSTR", VisaAddress("ASRL/dev/ttyS0::INSTR")),
    ],
)  # fmt: skip
def test_every_kind_of_address_is_read(text: str, expected: object) -> None:
    assert parse_address(text, baudrate=9600) == expected


@pytest.mark.parametrize(
    ("text", "part_of_message"),
    [
        ("seriel:///dev/ttyUSB0", "did you mean 'serial://'"),
        ("192.168.0.5", "socket://192.168.0.5:5025"),
        ("", "expected the address of a port"),
        ("serial://", "names no port"),
        ("socket://host", "expected socket://host:port"),
        ("socket://host:70000", "expected socket://host:port"),
        ("socket://host:0", "not within 1 to 65535"),
        ("TCPIP::host::99999::SOCKET", "not within 1 to 65535"),
        ("socket://host:5025?baudrate=9600", "expected nothing after the port"),
        ("serial:///dev/ttyUSB0?baudrte=9600", "did you mean 'baudrate'"),
        ("serial:///dev/ttyUSB0?baudrate=fast", "expected a positive whole number"),
        ("serial:///dev/ttyUSB0?baudrate=", "expected a positive whole number"),
        ("serial:///dev/ttyUSB0?parity=even", "expected N, E or O"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_with_its_reason(
    text: str, part_of_message: str
) -> None:
    with pytest.raises(BadInput) as caught:
        parse_address(text)
    assert part_of_message in str(caught.value)


def test_all_problems_of_an_address_are_reported_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        parse_address("serial:///dev/ttyUSB0?baudrate=x&speed=1&rtscts=2")
    assert len(caught.value.problems) == 3


def test_a_baud_rate_in_the_address_wins_over_the_sheet() -> None:
    address = parse_address("serial:///dev/ttyUSB0?baudrate=115200", baudrate=9600)
    assert isinstance(address, SerialAddress)
    assert address.baudrate == 115_200


def test_importing_the_wire_loads_neither_pyserial_nor_pyvisa() -> None:
    code = "import sys, rig.wire; sys.exit('serial' in sys.modules or 'pyvisa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
