"""PyMeasure's Keithley2400, written by others from the same manual, drives the simulated 2400.

Not judged: statistics of the buffer, display and beeper, which the sheet does not have, and the
properties that PyMeasure itself calls deprecated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from ideal_cell import IdealCell

from rig.core.clock import RealClock
from simulators.fronts.keithley_2400 import Keithley2400Front
from simulators.server import Transport, serve

if TYPE_CHECKING:
    from pymeasure.instruments.keithley import Keithley2400


@pytest.fixture
def cell() -> IdealCell:
    return IdealCell(volt=0.5, ohm=100.0)


def visa_address(served: str) -> str:
    """Return a served address as VISA spells it."""
    port = served.removeprefix("serial://")
    return served if port == served else f"ASRL{port}::INSTR"


@pytest.fixture(params=list(Transport))
def smu(cell, request) -> Iterator[Keithley2400]:
    from pymeasure.instruments.keithley import Keithley2400  # slow, and used here alone

    front = Keithley2400Front("smu-1", cell, seed=5)
    with serve({"smu-1": (front, request.param)}, RealClock(speed=100.0)) as server:
        instrument = Keithley2400(
            visa_address(server.addresses["smu-1"]),
            visa_library="@py",
            read_termination="\n",
            write_termination="\n",
            timeout=5000,
        )
        yield instrument
        instrument.adapter.close()
        instrument.adapter.manager.close()


def test_it_identifies_and_resets(smu):
    assert "MODEL 2400" in smu.id
    smu.reset()
    assert smu.check_errors() == []
    assert not smu.source_enabled
    assert smu.line_frequency == 50


def test_it_sources_current_and_measures_voltage(smu):
    smu.reset()
    smu.source_mode = "current"
    smu.source_current_range = 10e-3
    smu.compliance_voltage = 10
    smu.source_current = 2e-3
    smu.enable_source()
    assert smu.source_enabled
    assert smu.voltage == pytest.approx(0.5 + 2e-3 * 100, rel=1e-3)
    assert smu.source_current == pytest.approx(2e-3)
    assert smu.compliance_voltage == pytest.approx(10)
    assert smu.check_errors() == []


def test_it_sources_voltage_within_compliance_and_measures_current(smu):
    smu.reset()
    smu.source_mode = "voltage"
    smu.source_voltage_range = 2
    smu.compliance_current = 5e-3
    smu.source_voltage = 0.6
    smu.current_nplc = 0.1
    smu.enable_source()
    assert smu.current == pytest.approx(1e-3, rel=2e-2)
    smu.source_voltage = 2.0
    assert smu.current == pytest.approx(5e-3, rel=2e-2)
    smu.disable_source()
    assert not smu.source_enabled
    assert smu.check_errors() == []


def test_it_measures_everything_in_one_reading(smu):
    smu.reset()
    smu.compliance_current = 5e-3
    smu.source_voltage_range = 2
    smu.source_voltage = 2.0
    smu.wires = 4
    smu.enable_source()
    reading = smu.measure_all()
    assert reading["voltage"] == pytest.approx(1.0, rel=1e-3)
    assert reading["current"] == pytest.approx(5e-3, rel=1e-3)
    assert reading["resistance"] == pytest.approx(200.0, rel=1e-3)
    assert reading["status"] == sum(1 << bit for bit in (2, 3, 11, 12, 13, 14, 22))


def test_settings_read_back_as_they_were_set(smu):
    smu.reset()
    smu.current_range = 0.1
    smu.voltage_nplc = 0.5
    smu.wires = 4
    smu.output_off_state = "HIMP"
    smu.source_delay = 0.25
    smu.auto_zero_enabled = False
    smu.arm_source = "timer"
    smu.arm_timer = 2.5
    smu.front_terminals_enabled = False
    smu.trigger_output_event = "sense"
    assert smu.current_range == pytest.approx(0.1)
    assert smu.current_range_auto_enabled is False
    assert smu.current_nplc == pytest.approx(0.5)
    assert smu.wires == 4
    assert smu.output_off_state == "disconnected"
    assert smu.source_delay == pytest.approx(0.25)
    assert smu.source_delay_auto_enabled is False
    assert smu.auto_zero_enabled is False
    assert smu.arm_source == "timer"
    assert smu.arm_timer == pytest.approx(2.5)
    assert smu.front_terminals_enabled is False
    assert smu.trigger_output_event == "sense"
    assert smu.check_errors() == []


def test_it_fills_the_buffer_and_reads_it(smu):
    smu.reset()
    smu.compliance_current = 5e-3
    smu.source_voltage_range = 2
    smu.source_voltage = 2.0
    smu.enable_source()
    smu.config_buffer(points=10, delay=0.01)
    smu.start_buffer()
    smu.wait_for_buffer(timeout=10, interval=0.01)
    data = smu.buffer_data.reshape(10, 5)
    assert data[:, 1] == pytest.approx([5e-3] * 10, rel=1e-3)
    assert all(data[1:, 3] > data[:-1, 3])
    assert smu.check_errors() == []


def test_it_sees_the_instruments_errors(smu):
    smu.reset()
    smu.compliance_current = 0.5
    smu.source_voltage = 200
    assert [int(error[0]) for error in smu.check_errors()] == [826]
