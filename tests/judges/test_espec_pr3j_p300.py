"""espec-pr3j 0.5, written by others for a PR-3J chamber, drives the simulated P300 over a real socket.

A PR-3J has humidity, the simulated chamber is dry: ``get_test_area_state`` and all that says
humidity is not judged. Nor is ``set_temperature_limits`` on a controller that insists on the pauses
of the sheet: it makes none between its two commands.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pyvisa
from espec_pr3j import EspecPr3j, OperationMode, SettingError
from espec_pr3j.exceptions import MonitorError
from ideal_cell import IdealAir

from rig.core.clock import RealClock
from simulators.fronts.espec_p300 import EspecP300Front
from simulators.server import serve

SPEED = 100.0


class FastEspecPr3j(EspecPr3j):
    """Its own pauses on a clock that runs faster."""

    MONITOR_COMMAND_DELAY = EspecPr3j.MONITOR_COMMAND_DELAY / SPEED
    SETTING_COMMAND_DELAY = EspecPr3j.SETTING_COMMAND_DELAY / SPEED


@pytest.fixture
def air() -> IdealAir:
    return IdealAir()


@pytest.fixture
def chamber(air) -> Iterator[EspecPr3j]:
    front = EspecP300Front("chamber-1", air, seed=5)
    with serve({"chamber-1": (front, "tcp")}, RealClock(speed=SPEED)) as server:
        manager = pyvisa.ResourceManager("@py")
        instrument = FastEspecPr3j(
            resource_path=server.addresses["chamber-1"], resource_manager=manager
        )
        yield instrument
        instrument.close()
        manager.close()


def test_it_conditions_and_switches_off(chamber, air):
    assert chamber.get_mode() is OperationMode.STANDBY
    chamber.set_temperature_limits(95.0, 5.0)
    chamber.set_target_temperature(60.0)
    assert air.celsius is None
    chamber.set_mode(OperationMode.CONSTANT)
    assert air.celsius == 60.0
    assert chamber.get_mode() is OperationMode.CONSTANT
    status = chamber.get_temperature_status()
    assert status.current_temperature == pytest.approx(60.0, abs=0.2)
    assert status.target_temperature == 60.0
    assert (status.upper_limit, status.lower_limit) == (95.0, 5.0)
    assert 0.0 <= chamber.get_heater_percentage().temperature_heater <= 100.0
    chamber.set_mode(OperationMode.STANDBY)
    assert air.celsius is None
    chamber.set_mode(OperationMode.OFF)
    assert chamber.get_mode() is OperationMode.OFF
    assert air.celsius is None


def test_it_sees_a_set_point_beyond_the_limits_refused(chamber, air):
    chamber.set_temperature_limits(80.0, 5.0)
    chamber.set_mode(OperationMode.CONSTANT)
    with pytest.raises(SettingError):
        chamber.set_target_temperature(85.0)
    assert air.celsius == 25.0


def test_it_knows_no_temperature_below_zero(chamber, air):
    """The sheet's own ``TEMP?`` ends in ``-60.0``, its ``TEMP, S`` takes a sign: the package is wrong."""
    with pytest.raises(MonitorError):
        chamber.get_temperature_status()
    chamber.set_mode(OperationMode.CONSTANT)
    with pytest.raises(SettingError):
        chamber.set_target_temperature(-10.0)
    assert air.celsius == -10.0
