"""pymacnet, the published MacNet client, drives the simulated tester over both real sockets.

Not judged: its rest by binary frame reaches the next channel, because it adds one to a channel number
that is already one too high; the test below shows just that.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ideal_cell import IdealCell

from rig.core.clock import RealClock
from simulators.fronts.maccor_macnet import MacNetFront
from simulators.fronts.maccor_tester import MaccorSetup
from simulators.interfaces import DriveMode
from simulators.server import serve

pymacnet = pytest.importorskip("pymacnet", reason="pymacnet is not installed")

CHANNEL = 4  # 1-based: the fourth, 3 on the wire
SPEED = 100.0
CONFIGURATION = {
    "msg_buffer_size_bytes": 1024,
    "channel": CHANNEL,
    "test_name": "judged",
    "test_procedure": "CCCV_1A",
    "c_rate_ah": 1,
    "v_max_v": 4.2,
    "v_min_v": 3.0,
    "v_max_safety_limit_v": 4.25,
    "v_min_safety_limit_v": 2.9,
    "i_max_safety_limit_a": 3.0,
    "i_min_safety_limit_a": 3.0,
    "power_safety_limit_chg_w": 25,
    "power_safety_limit_dsg_w": 25,
    "data_record_time_s": 0.05,
    "data_record_voltage_delta_vbys": 0.0,
    "data_record_current_delta_abys": 0.0,
}


class Bench:
    """A served tester, the cell on its fourth channel, and pymacnet connected to it."""

    def __init__(
        self, client: pymacnet.ChannelInterface, cell: IdealCell, clock: RealClock
    ) -> None:
        self.client = client
        self.cell = cell
        self._clock = clock

    def wait(self, seconds: float) -> None:
        self._clock.wait_until(self._clock.now() + seconds)


@pytest.fixture
def bench() -> Iterator[Bench]:
    cell, clock = IdealCell(volt=3.7, ohm=0.1), RealClock(speed=SPEED)
    front = MacNetFront("m", cell, seed=5, channel=CHANNEL - 1, setup=MaccorSetup(noise=False))
    fronts = {"json": (front, "tcp"), "binary": (front.binary(), "tcp")}
    with serve(fronts, clock) as server:
        _, host, json_port, _ = server.addresses["json"].split("::")
        binary_port = server.addresses["binary"].split("::")[2]
        client = pymacnet.ChannelInterface(
            CONFIGURATION
            | {"server_ip": host, "json_msg_port": int(json_port), "bin_msg_port": int(binary_port)}
        )
        yield Bench(client, cell, clock)
        for listener in ("json", "bin"):  # pymacnet has no way to close
            getattr(client, f"_CyclerInterface__{listener}_msg_socket").close()


def test_it_reads_the_tester_and_the_channel(bench):
    assert bench.client.get_num_channels() == 8
    assert bench.client.read_system_info()["APIVersion"] == 1
    reading = bench.client.read_channel_status()
    assert (reading["Chan"], reading["Stat"]) == (CHANNEL, 0)
    assert reading["Voltage"] == pytest.approx(3.7)
    assert bench.client.read_aux() == []


def test_it_charges_and_discharges_in_direct_mode(bench):
    assert bench.client.start_test_with_direct_control()
    bench.wait(1.5)
    assert bench.client.set_direct_mode_output(0.2)
    reading = bench.client.read_channel_status()
    assert (reading["RF1"], reading["Current"]) == (1, pytest.approx(0.2))
    bench.wait(0.5)
    assert bench.client.set_direct_mode_output(-0.2)
    reading = bench.client.read_channel_status()
    assert (reading["RF1"], reading["Current"]) == (2, pytest.approx(0.2))
    assert bench.client.reset_channel()
    assert bench.cell.drives["m"].mode is DriveMode.OPEN


def test_its_rest_by_binary_frame_does_not_reach_its_channel(bench):
    assert bench.client.start_test_with_direct_control()
    bench.wait(1.5)
    assert bench.client.set_direct_mode_output(0.2)
    bench.wait(0.5)
    assert bench.client.set_direct_mode_output(0)
    assert bench.client.read_channel_status()["RF1"] == 1


def test_it_starts_a_procedure_and_sets_a_variable(bench):
    assert bench.client.start_test_with_procedure()
    bench.wait(1.5)
    assert bench.client.read_channel_status()["Stat"] == 2
    assert bench.client.set_channel_variable(var_num=1, var_value=0.01)
