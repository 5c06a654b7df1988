"""pymodbus's TCP client, written by others, drives the simulated F4T over a real socket.

The simulator's framing is written from the Modbus specification without it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ideal_cell import IdealAir
from pymodbus.client import ModbusTcpClient

from rig.core.clock import RealClock
from simulators.fronts.watlow_f4t import WatlowF4TFront
from simulators.server import serve

FLOAT = ModbusTcpClient.DATATYPE.FLOAT32
SET_POINT, PROCESS_VALUE, MODE, EVENT_1 = 2782, 2820, 2730, 16594
AUTO, OFF, ON = 10, 62, 63
UNIT = 1


@pytest.fixture
def air() -> IdealAir:
    return IdealAir()


@pytest.fixture
def client(air) -> Iterator[ModbusTcpClient]:
    front = WatlowF4TFront("chamber-1", air, seed=5)
    with serve({"chamber-1": (front, "tcp")}, RealClock(speed=100.0)) as server:
        _, host, port, _ = server.addresses["chamber-1"].split("::")
        modbus = ModbusTcpClient(host, port=int(port), timeout=5, retries=0)
        assert modbus.connect()
        yield modbus
        modbus.close()


def read_float(client: ModbusTcpClient, address: int) -> float:
    response = client.read_holding_registers(address, count=2, device_id=UNIT)
    assert not response.isError()
    value = client.convert_from_registers(response.registers, FLOAT, word_order="little")
    assert isinstance(value, float)
    return value


def test_it_sets_the_temperature_and_reads_it_back(client, air):
    words = client.convert_to_registers(60.0, FLOAT, word_order="little")
    assert words == [0x0000, 0x4270]
    assert not client.write_registers(SET_POINT, words, device_id=UNIT).isError()
    assert read_float(client, SET_POINT) == 60.0
    for register, word in ((MODE, AUTO), (EVENT_1, ON)):
        assert not client.write_register(register, word, device_id=UNIT).isError()
    assert air.celsius == 60.0
    assert read_float(client, PROCESS_VALUE) == pytest.approx(60.0, abs=0.2)
    client.write_register(MODE, OFF, device_id=UNIT)
    assert air.celsius is None


def test_both_read_functions_give_the_same(client):
    holding = client.read_holding_registers(SET_POINT, count=2, device_id=UNIT).registers
    assert client.read_input_registers(SET_POINT, count=2, device_id=UNIT).registers == holding


def test_it_understands_every_exception(client):
    assert client.read_holding_registers(1, count=1, device_id=UNIT).exception_code == 2
    assert client.write_register(MODE, 99, device_id=UNIT).exception_code == 3
    assert client.read_coils(1, count=1, device_id=UNIT).exception_code == 1
    too_hot = client.convert_to_registers(500.0, FLOAT, word_order="little")
    assert client.write_registers(SET_POINT, too_hot, device_id=UNIT).exception_code == 3
    assert read_float(client, SET_POINT) == 25.0
