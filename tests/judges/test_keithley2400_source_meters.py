"""keithley2400 0.2, written by others, drives the simulated 2400 and 2450 by one and the same calls.

Not judged: resistance on a 2450, for which it sends commands of the 2400, its search for
instruments, and a 2400's serial port at the factory's line end CR, which the front does not have. It
leaves the off state alone; the fixture opens the terminals as its user would have to.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ideal_cell import IdealCell
from keithley2400 import Keithley2400

from rig.core.clock import RealClock
from simulators.fronts.keithley_2400 import Keithley2400Front
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.interfaces import DriveMode
from simulators.server import serve

FRONTS = {"2400": Keithley2400Front, "2450": Keithley2450Front}


@pytest.fixture
def cell() -> IdealCell:
    return IdealCell(volt=0.5, ohm=100.0)


@pytest.fixture(params=FRONTS)
def model(request) -> str:
    return request.param


@pytest.fixture
def smu(cell, model) -> Iterator[Keithley2400]:
    front = FRONTS[model]("smu-1", cell, seed=5)
    with serve({"smu-1": (front, "tcp")}, RealClock(speed=100.0)) as server:
        instrument = Keithley2400(server.addresses["smu-1"], auto_discover=False)
        for off_state in ("OUTP:SMOD HIMP", "SOUR:FUNC CURR", "OUTP:SMOD HIMP"):
            instrument.write(off_state)
        yield instrument
        instrument.output_off()
        assert instrument.get_error().startswith('0,"No error')
        instrument.close()
    assert cell.drives["smu-1"].mode is DriveMode.OPEN


def test_it_finds_out_which_of_the_two_it_is(smu, model):
    assert smu.model == model
    assert f"MODEL {model}" in smu.idn()


def test_it_sources_voltage_within_the_limit(smu):
    smu.set_source_v(0.6)
    smu.set_current_compliance(5e-3)
    smu.configure_measure_vi()
    smu.output_on()
    assert smu.read_v_i() == pytest.approx((0.6, 1e-3), rel=2e-2)
    smu.set_source_v(2.0)
    assert smu.read_v_i() == pytest.approx((1.0, 5e-3), rel=2e-2)


def test_it_sources_current(smu):
    smu.set_source_i(2e-3)
    smu.set_voltage_compliance(10.0)
    smu.configure_measure_vi()
    smu.output_on()
    assert smu.read_v_i() == pytest.approx((0.7, 2e-3), rel=1e-3)
    assert smu.read_r() == pytest.approx(350.0, rel=1e-3)


def test_its_second_reading_on_a_2450_takes_the_voltage_for_a_current(smu, model):
    """``MEAS:VOLT?`` selects the voltage for good (2450 manual, page 6-4): the package is wrong."""
    smu.set_source_v(0.6)
    smu.set_current_compliance(5e-3)
    smu.configure_measure_vi()
    smu.output_on()
    smu.read_v_i()
    _, second_current = smu.read_v_i()
    assert second_current == pytest.approx(0.6 if model == "2450" else 1e-3, rel=2e-2)
