"""Every instrument on fixtures with leads and stray, empty and shorted, over its own wire and driver."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from rig.core.instruments import ConstantVoltage, Flag, ImpedancePoint, Limits
from rig.core.sheet import Role
from simulators.models.fixture import Fixture, FixtureState
from tests.conformance import operating
from tests.conformance.families import FAMILIES, Family
from tests.conformance.stands import Stand, stand_of

LEADS = "resistance: 5 mohm, inductance: 300 nH"
STRAY = "capacitance: 8 pF"
# Bare terminals are at 0 V.
LIMITS = Limits(-1.0, 5.0, 1.0, longest_second=600.0)
ANALYSERS = [row for row, family in FAMILIES.items() if family.role is Role.IMPEDANCE]
DRIVERS = [row for row, family in FAMILIES.items() if family.role is Role.CELL]


def in_fixture(row: str, fixture: str) -> Family:
    """Return the family with another fixture around its cell."""
    family = FAMILIES[row]
    channel = family.channel.replace(", lead_resistance: 5 mohm", "")
    return replace(family, channel=channel.replace("}", f", fixture: {{{fixture}}}}}"))


def spectrum(stand: Stand) -> list[ImpedancePoint]:
    return operating.spectrum(stand, LIMITS)


def assert_close(family: Family, point: ImpedancePoint, expected: complex) -> None:
    seen = complex(point.real_impedance_ohm, point.imaginary_impedance_ohm)
    allowed = family.impedance_ohm + 0.01 + 5 * family.impedance_relative * abs(expected)
    assert abs(seen - expected) < allowed


@pytest.mark.parametrize("row", ANALYSERS)
def test_a_short_shows_its_leads_to_every_analyser(row: str) -> None:
    stand = stand_of(in_fixture(row, f"{LEADS}, state: short"))
    fixture = Fixture(5e-3, 300e-9, state=FixtureState.SHORT)
    points = spectrum(stand)
    assert len(points) == stand.family.sweep.points
    for point in points:
        assert_close(stand.family, point, fixture.impedance(point.frequency_hertz, 0j))


@pytest.mark.parametrize("row", ANALYSERS)
@pytest.mark.parametrize("stray", [STRAY, "capacitance: 0 pF"])
def test_an_empty_fixture_is_its_stray_or_a_point_with_a_flag(row: str, stray: str) -> None:
    stand = stand_of(in_fixture(row, f"{LEADS}, {stray}, state: open"))
    fixture = Fixture(5e-3, 300e-9, 8e-12, state=FixtureState.OPEN)
    points = spectrum(stand)
    assert len(points) == stand.family.sweep.points
    for point in points:
        if point.flags & Flag.OVERLOAD:
            assert math.isnan(point.real_impedance_ohm)
        elif stray == STRAY:
            assert_close(stand.family, point, fixture.impedance(point.frequency_hertz, 0j))
        else:
            assert point.flags & Flag.UNDERLOAD


def test_an_lcr_meter_measures_the_stray_that_a_battery_meter_cannot() -> None:
    flags = {}
    for row in ("keysight.e4980a as impedance", "hioki.bt4560 as impedance"):
        points = spectrum(stand_of(in_fixture(row, f"{STRAY}, state: open")))
        flags[row.split(".")[0]] = {point.flags for point in points}
    assert flags == {"keysight": {0}, "hioki": {int(Flag.OVERLOAD)}}


def test_a_resistance_meter_tells_the_leads_from_an_open_circuit() -> None:
    row = "hioki.bt3562 as resistance"
    shorted = stand_of(in_fixture(row, f"{LEADS}, state: short")).driver.read_resistance()
    assert shorted.resistance_ohm == pytest.approx(5e-3, abs=5e-5)
    for stray in (STRAY, "capacitance: 0 pF"):
        empty = stand_of(in_fixture(row, f"{LEADS}, {stray}, state: open"))
        reading = empty.driver.read_resistance()
        assert reading.flags & Flag.OVERLOAD
        assert math.isnan(reading.resistance_ohm)


@pytest.mark.parametrize("row", DRIVERS)
def test_an_empty_fixture_takes_no_current_from_any_instrument(row: str) -> None:
    stand = stand_of(in_fixture(row, f"{LEADS}, {STRAY}, state: open"))
    stand.driver.apply(ConstantVoltage(0.5, 1e-3), LIMITS)
    for _ in range(4):
        stand.pass_second(2.0)
        reading = stand.driver.measure()
        assert reading.voltage_volt == pytest.approx(0.5, abs=1e-3)
        assert reading.current_ampere == pytest.approx(0.0, abs=1e-6)
        assert stand.cell.terminals(stand.clock.now()) == pytest.approx((0.5, 0.0, False))
    stand.driver.make_safe()


@pytest.mark.parametrize("row", DRIVERS)
def test_a_short_obeys_ohm_and_can_be_let_go_of(row: str) -> None:
    stand = stand_of(in_fixture(row, "resistance: 500 ohm, state: short"))
    stand.driver.apply(ConstantVoltage(0.4, 1e-3), LIMITS)
    stand.pass_second(2.0)
    assert stand.driver.measure().current_ampere == pytest.approx(0.8e-3, abs=2e-6)
    assert stand.cell.terminals(stand.clock.now()) == pytest.approx((0.4, 0.8e-3, False))
    stand.driver.make_safe()
    assert stand.cell.terminals(stand.clock.now()) == (0.0, 0.0, False)


def test_open_short_and_cell_measured_in_turn_give_the_cell_without_its_fixture() -> None:
    row = "keysight.e4980a as impedance"
    leads = "resistance: 2 ohm, inductance: 1 uH, capacitance: 2 nF"
    cell, empty, short = (
        spectrum(stand_of(in_fixture(row, f"{leads}, state: {state}")))
        for state in ("cell", "open", "short")
    )
    alone = stand_of(in_fixture(row, "resistance: 0 ohm, inductance: 0 nH")).cell
    for at, o, s in zip(cell, empty, short, strict=True):
        behind = ohm(at) - ohm(s)
        corrected = behind / (1.0 - behind / (ohm(o) - ohm(s)))
        true = alone.impedance(at.frequency_hertz, 0.0)
        assert abs(corrected - true) < 0.01 * abs(true)
        assert abs(ohm(at) - true) > 0.03 * abs(true)


def ohm(point: ImpedancePoint) -> complex:
    return complex(point.real_impedance_ohm, point.imaginary_impedance_ohm)
