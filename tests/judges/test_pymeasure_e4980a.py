"""PyMeasure's AgilentE4980, written by others from the same manual, drives the simulated E4980A."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from ideal_cell import IdealCell

from rig.core.clock import RealClock
from simulators.fronts.keysight_e4980a import KeysightE4980AFront
from simulators.server import serve

if TYPE_CHECKING:
    from pymeasure.instruments.agilent import AgilentE4980

# PyMeasure asks its readers whether this one speaks SCPI; it does.
pytestmark = pytest.mark.filterwarnings("ignore:It is not known:FutureWarning")


@pytest.fixture
def lcr() -> Iterator[AgilentE4980]:
    from pymeasure.instruments.agilent import AgilentE4980  # slow, and used here alone

    front = KeysightE4980AFront("lcr-1", IdealCell(volt=0.0, ohm=50.0), seed=5, noise=False)
    with serve({"lcr-1": (front, "tcp")}, RealClock(speed=20.0)) as server:
        instrument = AgilentE4980(
            server.addresses["lcr-1"],
            visa_library="@py",
            read_termination="\n",
            write_termination="\n",
            timeout=5000,
        )
        yield instrument
        assert instrument.ask("SYST:ERR?").startswith("+0,")
        instrument.adapter.close()
        instrument.adapter.manager.close()


def test_it_identifies(lcr):
    assert "E4980A" in lcr.id


def test_its_settings_come_back(lcr):
    lcr.frequency = 2500
    lcr.ac_current = 0.005
    lcr.trigger_source = "BUS"
    lcr.aperture("LONG", 4)
    assert (lcr.frequency, lcr.ac_current, lcr.trigger_source) == (2500, 0.005, "BUS")
    assert lcr.aperture() == ("LONG", 4)
    lcr.ac_voltage = 0.01
    assert lcr.ac_voltage == 0.01


@pytest.mark.parametrize(("mode", "shown"), [("RX", [50.0, 0.0]), ("ZTD", [50.0, 0.0])])
def test_it_measures_when_internally_triggered(lcr, mode, shown):
    lcr.mode = mode
    assert lcr.mode == mode
    assert lcr.impedance == pytest.approx(shown)


def test_it_sweeps_a_list(lcr):
    lcr.mode = "RX"
    real, imaginary, frequencies = lcr.freq_sweep([1e5, 1e3, 1e2], return_freq=True)
    assert real == pytest.approx([50.0] * 3)
    assert imaginary == pytest.approx([0.0] * 3)
    assert frequencies == [1e5, 1e3, 1e2]
