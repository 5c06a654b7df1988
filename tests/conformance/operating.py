"""What the tests do with any instrument, by its role, and how they see that it worked.

Whether it worked is asked of the simulated cell, air and relays wherever they can be asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from rig.core.errors import OutOfRange
from rig.core.instruments import (
    CellReading,
    ChamberReading,
    ImpedancePoint,
    Limits,
    ResistanceReading,
    SensorReading,
    Sweep,
)
from rig.core.sheet import Model, Role
from tests.conformance.families import LIMITS, SETPOINTS
from tests.conformance.stands import CHANNEL, Damage, Stand, drives_on


def command(stand: Stand) -> None:
    """Make the instrument do its work: drive, sweep, condition, connect, scan."""
    match stand.family.role:
        case Role.CELL:
            stand.driver.apply(SETPOINTS[stand.family.usual], LIMITS)
        case Role.IMPEDANCE:
            stand.driver.begin(stand.family.sweep, LIMITS)
        case Role.CHAMBER:
            stand.driver.set_temperature(40.0)
        case Role.MULTIPLEXER:
            stand.driver.connect("101")
        case Role.TEMPERATURE | Role.PRESSURE:
            stand.driver.read(stand.family.path)


def look(stand: Stand) -> Any:
    """Take one reading of whatever the instrument shows; a switch shows nothing."""
    match stand.family.role:
        case Role.CELL:
            return stand.driver.measure()
        case Role.IMPEDANCE:
            return stand.driver.poll()
        case Role.CHAMBER:
            return stand.driver.read_temperature()
        case Role.RESISTANCE:
            return stand.driver.read_resistance()
        case Role.TEMPERATURE | Role.PRESSURE:
            return stand.driver.read(stand.family.path)
    return None


def command_and_look(stand: Stand) -> None:
    """For a damaged wire: a meter that has nothing to be commanded is looked at."""
    command(stand)
    look(stand)


def look_for_two_minutes(stand: Stand) -> None:
    """For a damaged wire: a stream may go on for a while with what had arrived before."""
    for _ in range(60):
        look(stand)
        stand.pass_second(2.0)


def spectrum(stand: Stand, limits: Limits = LIMITS) -> list[ImpedancePoint]:
    """Run one spectrum to its end."""
    stand.driver.begin(stand.family.sweep, limits)
    points: list[ImpedancePoint] = []
    for _ in range(200):
        progress = stand.driver.poll()
        points += progress.points
        if progress.done:
            return points
        stand.pass_second(2.0)
    raise AssertionError("the spectrum does not end")


def is_safe(stand: Stand) -> bool:
    """Ask the simulated cell or relays, not the driver; of a chamber only its own word is to be had."""
    match stand.family.role:
        case Role.CHAMBER:
            reading = stand.driver.read_temperature()
            return not reading.running and reading.setpoint_celsius == 25.0
        case Role.MULTIPLEXER:
            return not stand.paths_closed
        case Role.TEMPERATURE | Role.PRESSURE:
            return not stand.scans and not drives_on(stand.cell)
    return not drives_on(stand.cell) and stand.cell.terminals(stand.clock.now())[1] == 0.0


def assert_works(stand: Stand) -> None:
    """Put it to work once more, and see that the cell, the chamber or the relays follow."""
    if stand.family.role is Role.IMPEDANCE:
        assert len(spectrum(stand)) == stand.family.sweep.points
        return
    command(stand)
    stand.pass_second(10.0)
    match look(stand):
        case CellReading() as reading:
            truth = stand.cell.terminals(stand.clock.now())
            assert reading.current_ampere == pytest.approx(
                truth.current_ampere, abs=stand.family.ampere
            )
            assert abs(truth.current_ampere) > 50e-6
        case ChamberReading() as reading:
            assert reading.running
            assert reading.setpoint_celsius == 40.0
        case ResistanceReading() as reading:
            assert math.isfinite(reading.resistance_ohm)
        case SensorReading() as reading:
            assert is_what_is_there(stand, reading)
        case None:
            assert stand.paths_closed == ["101"]


def is_what_is_there(stand: Stand, reading: SensorReading) -> bool:
    """Compare a sensor with the simulated cell and press."""
    now, family = stand.clock.now(), stand.family
    if family.role is Role.TEMPERATURE:
        truth, allowed = stand.cell.sample_temperature_celsius(now), family.kelvin
    else:
        truth = stand.world.stack(CHANNEL).pressure_pascal(now)
        allowed = family.pressure_relative * truth
    return reading.flags == 0 and abs(reading.value - truth) < allowed


def assert_recovers(stand: Stand) -> None:
    stand.wire.damage = Damage.NONE
    stand.driver.make_safe()
    assert is_safe(stand)
    assert_works(stand)


# --- the sheet's ranges ---------------------------------------------------------------------------


def window_of(stand: Stand) -> tuple[float, float, float]:
    """Return lowest and highest volt and the largest ampere of the very model."""
    if stand.family.window is not None:
        return stand.family.window
    model = model_of(stand)
    assert model.voltage_volt is not None
    assert model.current_ampere is not None
    return *model.voltage_volt, model.current_ampere


def model_of(stand: Stand) -> Model:
    model = stand.driver.sheet.model(stand.driver.identify().model)
    assert isinstance(model, Model)
    return model


def assert_refused(stand: Stand, calls: Iterable[Callable[[], None]]) -> None:
    before = list(stand.wire.sent)
    for call in calls:
        with pytest.raises(OutOfRange):
            call()
    assert stand.wire.sent == before


def too_large(sweep: Sweep, model: Model) -> list[Sweep]:
    volt, ampere = model.amplitude_volt, model.amplitude_ampere
    return [
        replace(sweep, amplitude_volt=volt and 1.001 * volt, amplitude_ampere=None),
        replace(sweep, amplitude_volt=None, amplitude_ampere=ampere and 1.001 * ampere),
    ]
