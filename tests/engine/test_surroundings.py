"""The fold with what sensors say: a soak that waits for the sample, a run that waits for dry air."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.engine.action import Apply, MakeSafe, Note, Overdue, Reading, Sensed, SetTemperature
from rig.engine.advance import advance, begin
from rig.engine.cursor import Cursor, Halt, from_json, to_json
from rig.protocol.program import (
    AuxiliaryLimit,
    End,
    Galvanostat,
    Program,
    Safety,
    Step,
    StepKind,
    Suspend,
    SuspendCondition,
    TemperatureTarget,
)

SAFETY = Safety(2.5, 4.3, 1.0, check_every_second=10.0)
DRY = SuspendCondition("dew_point", "temperature", ">=", -40.0, -45.0, 600.0, 7200.0, "-40 degC")
SUSPEND = Suspend(conditions=(DRY,))
CHARGE = Step(
    StepKind.CHARGE,
    "charge",
    ends=(End("time", ">=", 7200.0, words="2 h"),),
    drive=Galvanostat(0.5, 4.2),
)


def go_on(program: Program, cursor: Cursor, *readings: Reading) -> tuple[Cursor, list[object]]:
    events: list[object] = []
    for reading in readings:
        cursor, action = advance(program, cursor, reading)
        assert to_json(from_json(to_json(cursor))) == to_json(cursor)
        events += [action.command, *action.events]
    return cursor, events


# --- soak ----------------------------------------------------------------------------------------


def soaking(soak_second: float = 600.0) -> tuple[Program, Cursor]:
    target = TemperatureTarget(60.0, 0.5, soak_second, 10_800.0)
    step = Step(StepKind.SET_TEMPERATURE, "set 60 degC", temperature=target)
    program = Program("soak", (step,), SAFETY)
    cursor, action = begin(program)
    assert isinstance(action.command, SetTemperature)
    return program, cursor


def soak_reading(second: float, sample: float | None) -> Reading:
    sensed = None if sample is None else Sensed({"temperature": sample})
    return Reading(second, 3.7, 0.0, temperature_celsius=60.0, granted=True, sensed=sensed)


def ended_at(program: Program, cursor: Cursor, sample_of: object, until: int = 10_000) -> float:
    for second in range(0, until, 10):
        sample = sample_of(float(second)) if callable(sample_of) else None
        cursor, _ = advance(program, cursor, soak_reading(float(second), sample))
        if cursor.halt is not Halt.NONE:
            assert cursor.halt is Halt.FINISHED, cursor.reason
            return float(second)
    return math.inf


def test_a_soak_waits_until_the_sample_itself_drifts_no_more() -> None:
    def lagging(second: float) -> float:  # 35 K behind, 15 min: the drift is 0.1 K/5 min at 71 min
        return 60.0 - 35.0 * math.exp(-second / 900.0)

    assert ended_at(*soaking(), None) == 600.0, "without a sensor the chamber decides"
    over = ended_at(*soaking(), lagging)
    assert 4200.0 < over < 5400.0
    assert 60.0 - lagging(over) < 0.35


def test_noise_of_a_thermometer_is_no_drift_and_an_offset_is_none_either() -> None:
    def noisy(second: float) -> float:
        return 58.7 + 0.4 * math.sin(2.1 * second)

    assert ended_at(*soaking(), noisy) == pytest.approx(600.0, abs=20.0)


def test_without_a_soak_nobody_waits_for_the_sample() -> None:
    assert ended_at(*soaking(0.0), lambda second: 25.0 + second) <= 10.0


def test_a_sensor_that_says_nothing_ends_the_soak_by_its_timeout_and_says_so() -> None:
    program, cursor = soaking()
    for second in range(0, 11_000, 10):
        cursor, _ = advance(program, cursor, soak_reading(float(second), math.nan))
    assert cursor.halt is Halt.TRIPPED
    assert "the drift of the cell's own temperature is not known yet" in cursor.reason


# --- waiting for dry air -------------------------------------------------------------------------


def look(second: float, dew_point: float, celsius: float = 25.0) -> Reading:
    sensed = Sensed({"dew_point": dew_point})
    return Reading(second, 3.7, 0.5, temperature_celsius=celsius, granted=True, sensed=sensed)


def charging(suspend: Suspend = SUSPEND) -> tuple[Program, Cursor]:
    program = replace(Program("one", (CHARGE,), SAFETY), suspend=suspend)
    return program, begin(program)[0]


def test_a_run_waits_disconnected_while_the_air_is_wet_and_goes_on_when_it_was_dry_for_a_while() -> (
    None
):
    program, cursor = charging()
    cursor, events = go_on(program, cursor, look(10.0, -60.0), look(20.0, -39.0))
    assert cursor.suspension.on
    assert cursor.suspension.cause == "dew_point"
    assert isinstance(events[-2], MakeSafe)
    assert events[-1] == Note("suspended", "dew_point -39 degC is above -40 degC")
    wet = [look(35.0, -42.0), look(50.0, -46.0), look(65.0, -44.0), look(80.0, -46.0)]
    cursor, events = go_on(program, cursor, *wet, look(600.0, -46.0))
    assert cursor.suspension.on, "it has to be dry for 10 min without a break"
    cursor, events = go_on(program, cursor, look(680.0, -46.0))
    assert not cursor.suspension.on
    assert isinstance(events[0], Apply)
    assert cursor.place.suspended_second == 660.0, "the step's time stood still"


def test_air_that_stays_wet_is_for_a_person() -> None:
    program, cursor = charging()
    cursor, _ = go_on(program, cursor, look(20.0, -39.0), look(7220.0, -39.0))
    assert cursor.halt is Halt.PAUSED
    assert cursor.reason == "suspended for 2 h: the dew_point did not return"


def test_a_silent_sensor_makes_the_run_wait_for_nobody_knows_that_the_air_is_dry() -> None:
    program, cursor = charging()
    sensed = Sensed({"dew_point": math.nan}, {"dew_point": Overdue(16.0, 15.0, "daq/103: no")})
    gone = Reading(20.0, 3.7, 0.5, temperature_celsius=25.0, granted=True, sensed=sensed)
    cursor, events = go_on(program, cursor, gone)
    assert cursor.suspension.on
    assert events[-1] == Note("suspended", "dew_point: no valid value for 16 s (daq/103: no)")


def test_a_run_that_waits_for_its_temperature_does_not_go_on_into_wet_air() -> None:
    program, cursor = charging()
    place = cursor.place._replace(chamber_celsius=25.0)
    cursor = cursor._replace(place=place)
    cursor, _ = go_on(program, cursor, look(20.0, -60.0, celsius=30.0), look(30.0, -60.0))
    assert cursor.suspension.cause == ""
    cursor, _ = go_on(program, cursor, look(630.0, -39.0), look(640.0, -39.0))
    assert cursor.suspension.on
    cursor, _ = go_on(program, cursor, look(650.0, -60.0), look(1250.0, -60.0))
    assert not cursor.suspension.on


def test_a_limit_holds_while_the_run_waits() -> None:
    limit = AuxiliaryLimit("dew_point", "temperature", None, -30.0)
    program, cursor = charging()
    program = replace(program, safety=replace(SAFETY, auxiliaries=(limit,)))
    cursor, _ = go_on(program, cursor, look(20.0, -39.0), look(35.0, -29.0))
    assert cursor.halt is Halt.TRIPPED


@given(st.lists(st.floats(-90.0, 20.0) | st.just(math.nan), min_size=1, max_size=30))
def test_the_cell_is_never_driven_in_air_wetter_than_the_limit_of_the_wait(
    dew_points: list[float],
) -> None:
    program, cursor = charging()
    for number, dew_point in enumerate(dew_points):
        cursor, action = advance(program, cursor, look(600.0 * number + 10.0, dew_point))
        if isinstance(action.command, Apply):
            assert dew_point <= -45.0
        if dew_point >= -40.0:
            assert cursor.suspension.on or cursor.halt is not Halt.NONE


def test_a_soft_pressure_pauses_the_run() -> None:
    soft = Safety(pressure_max_pascal=6e6)
    program = replace(Program("one", (CHARGE,), SAFETY), soft=soft)
    reading = look(10.0, -60.0)._replace(sensed=Sensed({"pressure": 7e6}))
    cursor, _ = go_on(program, begin(program)[0], reading)
    assert cursor.halt is Halt.PAUSED
    assert cursor.reason == "soft limit: pressure 7e+06 Pa above the limit of 6e+06 Pa"
