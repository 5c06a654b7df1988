"""Limits over time: lasting, self-heating, soft ones; and waiting for a temperature that was lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.records import RunState
from rig.engine.action import Action, Apply, Breach, MakeSafe, Note, Reading, StepEnded
from rig.engine.advance import advance, begin
from rig.engine.cursor import Cursor, Halt, from_json, to_json
from rig.protocol.program import (
    End,
    Galvanostat,
    Program,
    Safety,
    Step,
    StepKind,
    Suspend,
    TemperatureTarget,
)
from tests.engine.rigs import IdealChamber, looped_program, run_on_ideal

SAFETY = Safety(2.5, 4.3, 1.0, -30.0, 80.0, 2.0, check_every_second=10.0)
SUSPEND = Suspend(2.0, 1.0, 600.0, 7200.0)
SOAK = Step(
    StepKind.SET_TEMPERATURE, "set 25 degC", temperature=TemperatureTarget(25.0, 0.3, 0.0, 3600.0)
)
REST = Step(StepKind.REST, "rest 1 h", ends=(End("time", ">=", 3600.0, words="1 h"),))
CHARGE = Step(
    StepKind.CHARGE,
    "charge",
    ends=(End("voltage", ">=", 4.2, words="voltage >= 4.2 V"),),
    drive=Galvanostat(0.5, 4.2),
)


def look(second: float, volt: float = 3.7, celsius: float = 25.0, ampere: float = 0.5) -> Reading:
    return Reading(second, volt, ampere, temperature_celsius=celsius, granted=True)


def fold(program: Program, *readings: Reading) -> tuple[Cursor, list[Action]]:
    cursor, action = begin(program)
    actions = [action]
    for reading in readings:
        cursor, action = advance(program, cursor, reading)
        actions.append(action)
        assert to_json(from_json(to_json(cursor))) == to_json(cursor)
    return cursor, actions


def driving(step: Step = CHARGE, **changes: object) -> Program:
    safety = replace(SAFETY, **changes)  # type: ignore[arg-type]
    return Program("one", (step,), safety)


# --- lasting -------------------------------------------------------------------------------------


def test_a_limit_that_has_to_last_is_looked_at_again_when_it_has() -> None:
    program = driving(lasting_second=5.0)
    cursor, actions = fold(program, look(10.0), look(20.0, volt=2.4))
    assert cursor.halt is Halt.NONE
    assert actions[-1].due_second == 25.0
    cursor, actions = fold(program, look(10.0), look(20.0, volt=2.4), look(25.0, volt=2.4))
    assert cursor.halt is Halt.TRIPPED
    assert any(isinstance(event, Breach) for event in actions[-1].events)


def test_a_glitch_that_does_not_last_is_none() -> None:
    program = driving(lasting_second=5.0)
    glitch = (look(20.0, volt=2.4), look(25.0), look(30.0, volt=2.4), look(34.0))
    cursor, _ = fold(program, look(10.0), *glitch)
    assert cursor.halt is Halt.NONE
    assert cursor.watch.kind == ""


def test_a_cell_that_is_not_seen_waits_for_nothing() -> None:
    nan = float("nan")
    blind = [Reading(10.0 + n, nan, nan, flags=1, temperature_celsius=25.0) for n in range(3)]
    cursor, _ = fold(driving(lasting_second=3600.0), *blind)
    assert cursor.halt is Halt.TRIPPED


# --- heating -------------------------------------------------------------------------------------


def test_self_heating_shows_in_two_readings_a_minute_apart() -> None:
    program = driving(heating_max_kelvin_per_minute=2.0)
    slow = [look(30.0 * n, celsius=25.0 + 0.9 * n) for n in range(1, 6)]
    assert fold(program, *slow)[0].halt is Halt.NONE
    fast = [look(30.0 * n, celsius=25.0 + 1.2 * n) for n in range(1, 6)]
    cursor, actions = fold(program, *fast)
    assert cursor.halt is Halt.TRIPPED
    (broken,) = [e for action in actions for e in action.events if isinstance(e, Breach)]
    assert (broken.kind, broken.unit, broken.limit) == ("safety-heating", "K/min", 2.0)
    assert broken.value == pytest.approx(2.4)


def test_a_chamber_on_its_way_is_no_self_heating() -> None:
    program = Program("soak", (SOAK, REST), replace(SAFETY, heating_max_kelvin_per_minute=0.5))
    way = [look(60.0 * n, celsius=10.0 + 3.0 * n, ampere=0.0) for n in range(1, 5)]
    assert fold(program, *way)[0].halt is Halt.NONE


# --- soft limits ---------------------------------------------------------------------------------


def test_a_soft_voltage_ends_the_step_and_the_next_begins() -> None:
    program = replace(Program("two", (CHARGE, REST), SAFETY), soft=Safety(voltage_max_volt=4.1))
    cursor, actions = fold(program, look(10.0), look(20.0, volt=4.15))
    assert cursor.place.pc == 1
    (ended,) = [e for e in actions[-1].events if isinstance(e, StepEnded)]
    assert ended.reason == "soft limit: voltage 4.15 V above the limit of 4.1 V"


def test_a_soft_temperature_pauses_the_run_in_its_step() -> None:
    program = replace(driving(), soft=Safety(temperature_max_celsius=40.0))
    cursor, actions = fold(program, look(10.0), look(20.0, celsius=41.0))
    assert cursor.halt is Halt.PAUSED
    assert cursor.place.pc == 0
    assert cursor.place.step_open
    assert isinstance(actions[-1].command, MakeSafe)


# --- suspend -------------------------------------------------------------------------------------


def held(*readings: Reading) -> tuple[Cursor, list[Action]]:
    """A rest of an hour at 25 degC, the soak over at 10 s."""
    program = replace(Program("held", (SOAK, REST), SAFETY), suspend=SUSPEND)
    return fold(program, look(5.0, ampere=0.0), look(10.0, ampere=0.0), *readings)


def air(second: float, celsius: float) -> Reading:
    return Reading(second, temperature_celsius=celsius, granted=True)


def test_beyond_the_band_the_cell_is_disconnected_and_the_step_stands_still() -> None:
    cursor, actions = held(look(100.0, celsius=27.5, ampere=0.0))
    assert cursor.suspension.on
    assert isinstance(actions[-1].command, MakeSafe)
    assert actions[-1].record
    assert cursor.place.pc == 1
    (note,) = [event for event in actions[-1].events if isinstance(event, Note)]
    assert note.kind == "suspended"
    assert "2.5 K off 25 degC" in note.message


def test_it_goes_on_when_the_air_has_been_back_within_the_narrower_band_for_a_while() -> None:
    off = look(100.0, celsius=27.5, ampere=0.0)
    back = [air(1000.0, 26.5), air(1100.0, 25.9), air(1300.0, 26.2), air(1400.0, 25.5)]
    cursor, _ = held(off, *back, air(1999.0, 25.1))
    assert cursor.suspension.on
    cursor, actions = held(off, *back, air(1999.0, 25.1), air(2000.0, 25.1))
    assert not cursor.suspension.on
    assert isinstance(actions[-1].command, Apply)
    assert cursor.place.suspended_second == 1900.0
    # The rest of an hour began at 10 s: it now ends 1,900 s later, not at 3,610 s.
    cursor, actions = advance(
        replace(Program("held", (SOAK, REST), SAFETY), suspend=SUSPEND),
        cursor,
        look(3700.0, ampere=0.0),
    )
    assert cursor.halt is Halt.NONE
    assert cursor.place.step_open


def test_air_that_does_not_come_back_is_for_a_person() -> None:
    cursor, actions = held(look(100.0, celsius=28.0, ampere=0.0), air(7300.0, 28.0))
    assert cursor.halt is Halt.PAUSED
    assert "suspended for 2 h" in cursor.reason
    assert isinstance(actions[-1].command, MakeSafe)


def test_absolute_limits_hold_while_it_waits() -> None:
    cursor, _ = held(look(100.0, celsius=28.0, ampere=0.0), air(200.0, 85.0))
    assert cursor.halt is Halt.TRIPPED


def test_neither_on_the_way_there_nor_without_a_set_point_of_its_own() -> None:
    on_the_way = replace(Program("held", (SOAK, REST), SAFETY), suspend=SUSPEND)
    assert not fold(on_the_way, look(5.0, celsius=10.0, ampere=0.0))[0].suspension.on
    without = replace(Program("rest", (REST,), SAFETY), suspend=SUSPEND)
    assert not fold(without, look(5.0, celsius=60.0, ampere=0.0))[0].suspension.on


def test_a_whole_run_waits_while_the_door_is_open_and_loses_nothing() -> None:
    program = replace(looped_program(1), suspend=Suspend(2.0, 1.0, 600.0))
    run, channel, keeper, schedule, chamber = run_on_ideal(program)
    driver = chamber.driver
    assert isinstance(driver, IdealChamber)
    driven_while_open = []

    def door() -> None:
        now = run.clock.now()
        is_open = 3000.0 < now < 9000.0
        driver.celsius = 32.0 if is_open else 25.0
        if 3100.0 < now < 9000.0:
            driven_while_open.append(channel.connected)

    schedule.between = door
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FINISHED, run.reason
    states = [state for state, _ in keeper.states]
    assert states == ["starting", "running", "suspended", "running", "finished"]
    assert not any(driven_while_open)
    cycle = next(values for table, values in keeper.rows if table == "cycle")
    undisturbed, _, before, schedule, chamber = run_on_ideal(replace(program, suspend=None))
    schedule.run([undisturbed.task(), chamber.task()])
    expected = next(values for table, values in before.rows if table == "cycle")
    assert cycle["charging_capacity_ah"] == pytest.approx(
        expected["charging_capacity_ah"], rel=2e-3
    )


@given(st.lists(st.tuples(st.floats(1.0, 600.0), st.floats(20.0, 30.0)), max_size=40))
def test_while_suspended_nothing_is_commanded_and_nothing_kept(
    looks: list[tuple[float, float]],
) -> None:
    program = replace(Program("held", (SOAK, REST), SAFETY), suspend=SUSPEND)
    cursor, _ = held(look(100.0, celsius=28.0, ampere=0.0))
    now = 100.0
    for elapsed, celsius in looks:
        now += elapsed
        cursor, action = advance(program, cursor, air(now, celsius))
        if not cursor.suspension.on:
            break
        if cursor.halt is Halt.NONE:
            assert action.command is None
        assert not action.record
