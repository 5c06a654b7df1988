"""iorodeo-potentiostat 0.0.9, the maker's own package, drives the simulated Rodeostat over a real pty.

Not judged: the multiplexer and tests other than ``constant``, which the front leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ideal_cell import IdealCell
from potentiostat import Potentiostat

from rig.core.clock import RealClock
from simulators.fronts.rodeostat import RodeostatFront
from simulators.interfaces import DriveMode
from simulators.server import serve

MICROAMPERE = 1e6
TEST = {"quietValue": 0.3, "quietTime": 200, "value": 0.5, "duration": 800}


@pytest.fixture
def cell() -> IdealCell:
    return IdealCell(volt=0.3, ohm=1000.0)


def driven(cell: IdealCell, hardware: str) -> Iterator[Potentiostat]:
    front = RodeostatFront("pstat-1", cell, seed=5, noise=False, hardware=hardware)
    with serve({"pstat-1": (front, "pty")}, RealClock(speed=100.0)) as server:
        device = Potentiostat(server.addresses["pstat-1"].removeprefix("serial://"))
        yield device
        device.close()


@pytest.fixture
def switched(cell) -> Iterator[Potentiostat]:
    yield from driven(cell, "V0.2")


@pytest.fixture
def plain(cell) -> Iterator[Potentiostat]:
    yield from driven(cell, "V0.1")


def test_it_identifies_either_hardware(switched, plain):
    assert switched.hardware_variant == "10V_microAmpV0.2"
    assert switched.get_all_curr_range() == ["1uA", "10uA", "100uA", "1000uA"]
    assert switched.firmware_version.startswith("FW")
    assert plain.hardware_variant == "microAmpV0.1"
    assert plain.hardware_version == "HW0.1 (default)"  # what it takes a refusal for


def test_settings_read_back_as_they_were_set(switched):
    for volt_range in switched.get_all_volt_range():
        assert switched.set_volt_range(volt_range) == volt_range == switched.get_volt_range()
    for current_range in switched.get_all_curr_range():
        assert switched.set_curr_range(current_range) == current_range
        assert switched.get_curr_range() == current_range
    assert switched.set_sample_rate(50.0) == 20
    assert switched.get_sample_rate() == 50.0
    assert switched.set_device_id(7) == 7 == switched.get_device_id()
    assert "constant" in switched.get_test_names()
    assert switched.set_param("constant", TEST) == TEST == switched.get_param("constant")
    assert switched.get_test_done_time("constant", timeunit="s") == 1.0


def test_it_holds_a_voltage_and_lets_go_of_the_cell(switched, cell):
    assert cell.drives["pstat-1"].mode is DriveMode.OPEN
    switched.set_curr_range("1000uA")
    switched.set_volt_range("1V")
    assert switched.set_volt(0.8) == 0.8
    assert switched.set_all_elect_connected(True)
    assert switched.get_all_elect_connected()
    assert switched.get_volt() == 0.8
    assert switched.get_curr() == pytest.approx(0.5e-3 * MICROAMPERE)
    assert switched.get_ref_volt() == pytest.approx(0.8)
    assert switched.set_all_elect_connected(False) is False
    assert cell.drives["pstat-1"].mode is DriveMode.OPEN


@pytest.mark.parametrize("display", ["pbar", "data", None])
def test_it_runs_a_test_whose_end_opens_the_electrodes(switched, cell, display):
    switched.set_curr_range("1000uA")
    switched.set_sample_period(100)
    assert switched.get_auto_connect()
    seconds, volts, microamperes = switched.run_test("constant", param=TEST, display=display)
    assert seconds == pytest.approx([0.1 * (index + 1) for index in range(10)])
    assert volts == [0.3] * 2 + [0.5] * 8
    assert microamperes == pytest.approx([0.0] * 2 + [0.2e-3 * MICROAMPERE] * 8)
    assert cell.drives["pstat-1"].mode is DriveMode.OPEN
    assert not switched.get_all_elect_connected()


def test_hardware_without_switches_runs_the_same_test_and_keeps_the_cell(plain, cell):
    plain.set_curr_range("1000uA")
    plain.set_sample_period(100)
    _, _, microamperes = plain.run_test("constant", param=TEST, display=None)
    assert microamperes[-1] == pytest.approx(0.2e-3 * MICROAMPERE)
    with pytest.raises(RuntimeError, match="hardware version"):
        plain.set_all_elect_connected(False)
    assert plain.set_volt(0.0) == 0.0
    assert cell.drives["pstat-1"].mode is DriveMode.VOLTAGE


def test_it_sees_refusals(switched):
    with pytest.raises(OSError, match="samplePeriod"):
        switched.set_sample_period(1001)
    with pytest.raises(OSError, match="fantasy"):
        switched.get_param("fantasy")
    assert switched.get_sample_period() == 10
