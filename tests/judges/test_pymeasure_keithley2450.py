"""PyMeasure's Keithley2450, written by others from the same manual, drives the simulated 2450.

Not judged: its buffer methods (``config_buffer``, ``means``, ...) speak the 2400's commands, which
its own documentation says a 2450 in SCPI mode does not take.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from ideal_cell import IdealCell

from rig.core.clock import RealClock
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.server import serve

if TYPE_CHECKING:
    from pymeasure.instruments.keithley import Keithley2450


@pytest.fixture
def cell() -> IdealCell:
    return IdealCell(volt=0.5, ohm=100.0)


@pytest.fixture
def smu(cell) -> Iterator[Keithley2450]:
    from pymeasure.instruments.keithley import Keithley2450  # slow, and used here alone

    front = Keithley2450Front("smu-1", cell, seed=5)
    with serve({"smu-1": (front, "tcp")}, RealClock(speed=100.0)) as server:
        instrument = Keithley2450(
            server.addresses["smu-1"],
            visa_library="@py",
            read_termination="\n",
            write_termination="\n",
            timeout=5000,
        )
        yield instrument
        instrument.adapter.close()
        instrument.adapter.manager.close()


def test_it_identifies_and_resets(smu):
    assert "MODEL 2450" in smu.id
    smu.reset()
    assert smu.check_errors() == []
    assert not smu.source_enabled


def test_it_sources_current_and_measures_voltage(smu):
    smu.reset()
    smu.apply_current(current_range=10e-3, compliance_voltage=10)
    smu.source_current = 2e-3
    smu.measure_voltage(nplc=1)
    smu.enable_source()
    assert smu.source_enabled
    assert smu.voltage == pytest.approx(0.5 + 2e-3 * 100, rel=1e-4)
    assert smu.source_current == pytest.approx(2e-3)
    assert smu.compliance_voltage == pytest.approx(10)
    assert smu.check_errors() == []


def test_it_sources_voltage_within_the_limit_and_measures_current(smu):
    smu.reset()
    smu.apply_voltage(voltage_range=2, compliance_current=5e-3)
    smu.source_voltage = 0.6
    smu.measure_current(nplc=0.1)
    smu.enable_source()
    assert smu.current == pytest.approx(1e-3, rel=1e-3)
    smu.source_voltage = 2.0
    assert smu.current == pytest.approx(5e-3, rel=1e-3)
    smu.disable_source()
    assert not smu.source_enabled
    assert smu.check_errors() == []


def test_settings_read_back_as_they_were_set(smu):
    smu.reset()
    smu.current_range = 0.1
    smu.voltage_nplc = 0.5
    smu.wires = 4
    smu.current_filter_count = 25
    smu.current_filter_state = "ON"
    smu.current_output_off_state = "HIMP"
    smu.source_voltage_delay = 0.25
    assert smu.current_range == pytest.approx(0.1)
    assert smu.voltage_nplc == pytest.approx(0.5)
    assert smu.wires == 4
    assert smu.current_filter_count == 25
    assert smu.current_output_off_state == "HIMP"
    assert smu.source_voltage_delay == pytest.approx(0.25)
    assert smu.source_voltage_delay_auto is False
    assert smu.check_errors() == []


def test_it_sees_the_instruments_errors(smu):
    smu.reset()
    smu.source_voltage = 500
    assert [int(error[0]) for error in smu.check_errors()] == [-222]
