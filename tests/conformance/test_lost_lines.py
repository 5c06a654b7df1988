"""A line that never arrives raises no error by itself: the driver notices it, or it changes nothing.

Serial lines lose bytes without a word, and an instrument knows nothing of a command that it never
got. So every line of every command is lost once. Where the driver is content, the cell is driven,
measured and connected as was meant: asked of the simulated cell, air and relays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

import pytest

from rig.core.errors import OutOfRange, RigError
from rig.core.instruments import CellReading, ImpedancePoint, SensorReading
from rig.core.sheet import Role
from simulators.interfaces import Drive
from tests.conformance.exceptions import each
from tests.conformance.families import LIMITS, SETPOINTS, Family
from tests.conformance.operating import assert_works, is_what_is_there, spectrum
from tests.conformance.stands import Stand, drives_on, stand_of

SETTLED_SECOND = 30.0

Seen = TypeVar("Seen")
Driven = tuple[list[Drive], CellReading]


class Trial(NamedTuple, Generic[Seen]):
    """The line that was lost, and what came of it; nothing where the driver noticed, the best result."""

    line: bytes
    stand: Stand
    seen: Seen | None


def each_line_lost(
    family: Family, before: Callable[[Stand], object], work: Callable[[Stand], Seen]
) -> Iterator[Trial[Seen]]:
    """Lose the first line of ``work``, then the second, ...; ``work`` raises, or returns something."""
    stand = stand_of(family)
    before(stand)
    first = len(stand.wire.sent) + 1
    work(stand)
    for lost in range(first, len(stand.wire.sent) + 1):
        stand = stand_of(family)
        before(stand)
        stand.wire.lost = lost
        try:
            seen = work(stand)
        except RigError:
            seen = None
        yield Trial(stand.wire.sent[lost - 1], stand, seen)


def nothing(_stand: Stand) -> None:
    """What comes before the first command."""


def apply_and_measure(setpoint: str) -> Callable[[Stand], Driven]:
    def work(stand: Stand) -> Driven:
        stand.driver.apply(SETPOINTS[setpoint], LIMITS)
        stand.pass_second(SETTLED_SECOND)
        return drives_on(stand.cell), stand.driver.measure()

    return work


def works_of(family: Family) -> dict[str, Callable[[Stand], Driven]]:
    """Return the set points that this family takes."""
    works = {name: apply_and_measure(name) for name in SETPOINTS}
    for name in SETPOINTS:
        try:
            works[name](stand_of(family))
        except OutOfRange:
            del works[name]
    return works


def same(one: Driven, other: Driven, family: Family) -> bool:
    """Say whether two readings differ by their noise only, and the drives not at all."""
    (drives, reading), (other_drives, other_reading) = one, other
    volt = pytest.approx(reading.voltage_volt, abs=2 * family.volt, nan_ok=True)
    ampere = pytest.approx(reading.current_ampere, abs=2 * family.ampere, nan_ok=True)
    return (
        drives == other_drives
        and other_reading.regulation is reading.regulation
        and other_reading.voltage_volt == volt
        and other_reading.current_ampere == ampere
    )


@each(Role.CELL)
def test_a_lost_line_never_makes_another_set_point_than_the_one_that_was_meant(
    family: Family, case: str
) -> None:
    works = works_of(family)
    wrong = []
    for before in (nothing, *works.values()):
        for name, work in works.items():
            stand = stand_of(family)
            before(stand)
            meant = work(stand)
            wrong += [
                f"{name} without {line!r}: {got}"
                for line, _, got in each_line_lost(family, before, work)
                if got is not None and not same(meant, got, family)
            ]
    assert works, "no set point was tried"
    assert wrong == []


@each(Role.IMPEDANCE)
def test_a_lost_line_never_makes_another_spectrum_than_the_one_that_was_meant(
    family: Family, case: str
) -> None:
    wrong = []
    for before in (nothing, spectrum):
        for line, stand, points in each_line_lost(family, before, spectrum):
            if points is None:
                continue
            assert len(points) == family.sweep.points
            wrong += [f"{point} without {line!r}" for point in points if not is_true(stand, point)]
    assert wrong == []


def is_true(stand: Stand, point: ImpedancePoint) -> bool:
    truth = stand.cell.impedance(point.frequency_hertz, stand.clock.now())
    allowed = stand.family.impedance_relative * abs(truth) + stand.family.impedance_ohm
    measured = complex(point.real_impedance_ohm, point.imaginary_impedance_ohm)
    return abs(measured - truth) < allowed


@each(Role.CHAMBER, Role.MULTIPLEXER, Role.RESISTANCE)
def test_a_lost_line_leaves_chambers_switches_and_meters_working_as_was_meant(
    family: Family, case: str
) -> None:
    """``assert_works`` asks for itself, and fails where a lost line was not noticed and mattered."""
    lines = [line for line, _, _ in each_line_lost(family, nothing, assert_works)]
    assert lines, "no line was lost: then this test saw nothing"


@each(Role.TEMPERATURE, Role.PRESSURE)
def test_a_lost_line_makes_a_sensor_say_nothing_rather_than_something_else(
    family: Family, case: str
) -> None:
    """A value that is flagged, as one that never came, is what a lost line may make; no other number."""
    wrong = [
        f"{reading} without {line!r}"
        for line, stand, reading in each_line_lost(family, nothing, begin_and_read)
        if reading is not None and not reading.flags and not is_what_is_there(stand, reading)
    ]
    assert wrong == []


def begin_and_read(stand: Stand) -> SensorReading:
    stand.driver.read(stand.family.path)
    stand.pass_second(SETTLED_SECOND)
    reading = stand.driver.read(stand.family.path)
    assert isinstance(reading, SensorReading)
    return reading
