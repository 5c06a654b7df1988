"""The fold, by tables and properties: no clock, no port, no database."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.instruments import ConstantCurrent, OpenCircuit, Regulation, Sweep
from rig.engine.action import (
    Apply,
    BeginSweep,
    MakeSafe,
    Note,
    Purpose,
    Reading,
    ReadResistance,
    SetTemperature,
    SpectrumEnded,
    StepEnded,
)
from rig.engine.advance import advance, begin, resume
from rig.engine.cursor import Cursor, Halt, from_json, to_json
from rig.engine.spectrum import OPEN_SECOND
from rig.engine.walk import step_results
from rig.protocol.program import (
    End,
    Galvanostat,
    LoopEnd,
    LoopStart,
    Program,
    RecordPhase,
    Safety,
    Step,
    StepKind,
    Target,
    TemperatureTarget,
)
from tests.engine.rigs import looped_program

SAFETY = Safety(2.5, 4.3, 1.0, -30.0, 80.0, 2.0, check_every_second=10.0)


def charge(**changes: object) -> Step:
    step = Step(
        StepKind.CHARGE,
        "charge",
        ends=(End("voltage", ">=", 4.2, words="voltage >= 4.2 V"),),
        drive=Galvanostat(0.5, 4.2),
    )
    return replace(step, **changes)  # type: ignore[arg-type]


REST = Step(StepKind.REST, "rest", ends=(End("time", ">=", 60.0, words="1 min"),))


def program(*instructions: object, safety: Safety = SAFETY) -> Program:
    return Program("p", instructions, safety)  # type: ignore[arg-type]


def seen(second: float, volt: float = 3.7, ampere: float = 0.5, **more: object) -> Reading:
    regulation = more.pop("regulation", Regulation.CURRENT)
    return Reading(second, volt, ampere, regulation, **more)  # type: ignore[arg-type]


def test_the_first_action_applies_the_first_set_point() -> None:
    cursor, action = begin(program(charge()))
    assert action.command == Apply(ConstantCurrent(0.5, 4.2, hold_at_limit=False), 86_400.0)
    assert cursor.place.step_count == 1


def test_charge_and_energy_are_the_trapezoid_over_real_times() -> None:
    what = program(charge())
    cursor, _ = begin(what)
    for second, volt, ampere in ((0.0, 3.0, 0.4), (3600.0, 3.2, 0.6)):
        cursor, _ = advance(what, cursor, seen(second, volt, ampere))
    assert cursor.progress.charging_capacity_ah == pytest.approx(0.5)
    assert cursor.progress.charging_energy_wh == pytest.approx(0.5 * 3.1)
    assert cursor.progress.discharging_capacity_ah == 0.0


def test_a_voltage_end_is_met_by_the_voltage_or_by_the_instrument_holding_it() -> None:
    what = program(charge(), REST)
    for reading in (seen(5.0, 4.2001), seen(5.0, 4.19999, regulation=Regulation.VOLTAGE)):
        cursor, _ = begin(what)
        cursor, action = advance(what, cursor, reading)
        assert action.command == Apply(OpenCircuit(), 120.0)
        assert action.record, "the last point of a step is kept"
        assert [type(event) for event in action.events] == [StepEnded]


def test_a_current_end_of_a_cccv_counts_only_once_the_voltage_is_held() -> None:
    step = charge(
        kind=StepKind.CCCV,
        ends=(End("current", "<=", 0.05),),
        drive=Galvanostat(0.5, 4.2, hold=True),
    )
    what = program(step, REST)
    cursor, _ = begin(what)
    cursor, _ = advance(what, cursor, seen(0.0, 3.7, 0.01))
    assert cursor.place.pc == 0, "the first instant after switching on is no taper"
    cursor, _ = advance(what, cursor, seen(10.0, 4.2, 0.04, regulation=Regulation.VOLTAGE))
    assert cursor.place.pc == 1


def test_looks_lie_on_a_grid_and_at_the_time_end() -> None:
    what = program(replace(REST, record=(RecordPhase(25.0),)))
    cursor, action = begin(what)
    due = []
    for second in (0.0, 10.0, 20.04, 50.0):
        cursor, action = advance(what, cursor, seen(second, regulation=Regulation.OPEN))
        due.append(action.due_second)
    assert due == [10.0, 20.0, 30.0, 60.0]
    cursor, action = advance(what, cursor, seen(60.0))
    assert cursor.halt is Halt.FINISHED


def test_first_point_interval_and_deltas_are_kept() -> None:
    phases = (RecordPhase(60.0, voltage_delta_volt=0.005, current_delta_fraction=0.01),)
    what = program(charge(record=phases))
    cursor, _ = begin(what)
    kept = []
    for second, volt, ampere in (
        (0, 3.7, 0.5),
        (10, 3.701, 0.5),
        (20, 3.706, 0.5),
        (30, 3.706, 0.51),
        (90, 3.706, 0.51),
    ):
        cursor, action = advance(what, cursor, seen(float(second), volt, ampere))
        kept.append(action.record)
    assert kept == [True, False, True, True, True]
    assert cursor.progress.seq == 4


@given(
    every=st.sampled_from([1.0, 10.0, 25.0, 60.0]),
    check_every=st.sampled_from([1.0, 5.0, 10.0]),
    late=st.lists(st.floats(0.0, 0.4), min_size=80, max_size=80),
)
def test_a_sample_is_kept_every_so_often_however_late_each_look_is(
    every: float, check_every: float, late: list[float]
) -> None:
    """A real clock: one look is 2 ms late, the next 1 ms, and between them is less than a second."""
    rest = replace(REST, record=(RecordPhase(every),), ends=(End("time", ">=", 1e6, words="long"),))
    what = program(rest, safety=replace(SAFETY, check_every_second=check_every))
    cursor, action = begin(what)
    period = min(every, check_every)
    kept, due = [], 0.0
    for fraction in late:
        second = due + fraction * period
        cursor, action = advance(what, cursor, seen(second, regulation=Regulation.OPEN))
        if action.record:
            kept.append(second)
        due = action.due_second
    assert len(kept) == math.floor(kept[-1] / every + 1e-9) + 1
    assert kept[-1] > (len(late) - 1) * period - every
    gaps = [after - before for before, after in itertools.pairwise(kept)]
    assert all(every - 1.4 * period <= gap <= every + 1.4 * period for gap in gaps)


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (seen(1.0, 4.31), "voltage 4.31 V above"),
        (seen(1.0, 2.4), "voltage 2.4 V below"),
        (seen(1.0, 3.7, -1.2), "current 1.2 A above"),
        (seen(1.0, 3.7, temperature_celsius=81.0), "temperature of the chamber 81 degC above"),
        (seen(1.0, 3.7, temperature_celsius=-31.0), "temperature of the chamber -31 degC below"),
    ],
)
def test_safety_comes_before_step_logic(reading: Reading, words: str) -> None:
    what = program(charge(ends=(End("time", ">=", 0.5),)), REST)
    cursor, _ = begin(what)
    cursor, action = advance(what, cursor, reading)
    assert cursor.halt is Halt.TRIPPED
    assert words in cursor.reason
    assert isinstance(action.command, MakeSafe)
    assert action.record, "the reading that shows the fault is kept"


def test_too_much_capacity_in_one_step_trips() -> None:
    what = program(charge(), safety=replace(SAFETY, capacity_max_ah=0.1))
    cursor, _ = begin(what)
    for second in (0.0, 700.0, 1400.0):
        cursor, _ = advance(what, cursor, seen(second))
    assert cursor.halt is Halt.TRIPPED
    assert "in one step above" in cursor.reason


def test_one_overload_passes_and_three_in_a_row_trip() -> None:
    what = program(charge())
    cursor, _ = begin(what)
    overload = seen(1.0, math.nan, math.nan, flags=1)
    cursor, _ = advance(what, cursor, overload)
    cursor, _ = advance(what, cursor, seen(2.0))
    assert cursor.progress.bad_readings == 0
    for _ in range(3):
        cursor, _ = advance(what, cursor, overload)
    assert cursor.halt is Halt.TRIPPED


@given(
    st.lists(
        st.builds(
            seen,
            st.floats(0, 1e6),
            st.floats(-10, 10) | st.just(math.nan),
            st.floats(-10, 10) | st.just(math.nan),
        ),
        max_size=20,
    )
)
def test_after_a_trip_no_action_but_safe(readings: list[Reading]) -> None:
    what = looped_program()
    cursor = Cursor(halt=Halt.TRIPPED, reason="why")
    for reading in readings:
        cursor, action = advance(what, cursor, reading)
        assert action.command == MakeSafe("why")
        assert cursor == Cursor(halt=Halt.TRIPPED, reason="why")


@given(st.integers(0, 400), st.lists(st.floats(2.6, 4.25), min_size=1, max_size=8))
def test_a_cursor_survives_the_trip_through_text_at_any_moment(
    count: int, volts: list[float]
) -> None:
    what = looped_program(3)
    cursor, _ = begin(what)
    second = 0.0
    for number in range(count):
        second += 60.0
        volt = volts[number % len(volts)]
        held = Regulation.VOLTAGE if number % 5 == 4 else Regulation.CURRENT
        reading = seen(
            second,
            volt,
            0.04,
            regulation=held,
            temperature_celsius=25.0,
            granted=True,
            sweep_done=True,
        )
        again, _ = advance(what, from_json(to_json(cursor)), reading)
        cursor, _ = advance(what, cursor, reading)
        assert to_json(again) == to_json(cursor)
    assert cursor.progress.seq >= 0


def test_cycles_are_counted_by_their_loop_and_retention_refers_to_the_first() -> None:
    loop = (LoopStart(2, 3, counts_cycles=True), replace(charge(), phase="ageing"), LoopEnd(0))
    what = program(*loop, REST)
    cursor, _ = begin(what)
    counts = [cursor.place.cycle_count]
    for second in (0.0, 360.0, 720.0):
        cursor, action = advance(what, cursor, seen(second, 4.2))
        counts.append(cursor.place.cycle_count)
    assert counts == [1, 2, 3, 3]
    assert not cursor.place.cycle_open
    assert [event.cycle_count for event in action.events[1:]] == [3]  # type: ignore[union-attr]


def test_break_leaves_the_repeat_and_stop_ends_the_run() -> None:
    leave = charge(ends=(End("voltage", ">=", 4.2, Target.BREAK), End("time", ">=", 9.0)))
    stop = charge(ends=(End("voltage", ">=", 4.2, Target.STOP, "voltage >= 4.2 V"),))
    what = program(LoopStart(2, 100), leave, LoopEnd(0), stop, REST)
    cursor, _ = begin(what)
    cursor, _ = advance(what, cursor, seen(1.0, 4.3))
    assert cursor.place.pc == 3
    cursor, action = advance(what, cursor, seen(2.0, 4.3))
    assert cursor.halt is Halt.STOPPED
    assert isinstance(action.command, MakeSafe)


def test_resume_continues_with_what_remains_and_counts_nothing_across_the_gap() -> None:
    what = program(REST, charge())
    cursor, _ = begin(what)
    cursor, _ = advance(what, cursor, seen(40.0, ampere=0.5))
    cursor, action = resume(what, from_json(to_json(cursor)))
    assert action.command == Apply(OpenCircuit(), 20.0 + 60.0)
    assert any(isinstance(event, Note) and event.kind == "resumed" for event in action.events)
    cursor, _ = advance(what, cursor, seen(59.0, ampere=0.5))
    assert cursor.place.pc == 0
    assert cursor.progress.charging_capacity_ah == 0.0
    cursor, _ = advance(what, cursor, seen(60.0))
    assert cursor.place.pc == 1


def test_resume_can_begin_the_step_again() -> None:
    what = program(replace(REST, restart_on_resume=True))
    cursor, _ = begin(what)
    cursor, _ = advance(what, cursor, seen(40.0))
    cursor, action = resume(what, cursor)
    assert action.command == Apply(OpenCircuit(), 120.0)
    assert cursor.place.step_began_second == 40.0


def test_an_instrument_that_ends_its_set_point_by_itself_trips_unless_its_dead_man_ran_out() -> (
    None
):
    what = program(charge())
    cursor, _ = begin(what)
    tripped, _ = advance(what, cursor, seen(100.0, regulation=Regulation.STOPPED, volt=3.9))
    assert tripped.halt is Halt.TRIPPED
    armed, action = advance(what, cursor, seen(86_400.0, regulation=Regulation.STOPPED, volt=3.9))
    assert isinstance(action.command, Apply)
    assert armed.halt is Halt.NONE


def soak_program(soak_second: float = 600.0, timeout_second: float = 7200.0) -> Program:
    target = TemperatureTarget(25.0, 0.3, soak_second, timeout_second)
    return program(Step(StepKind.SET_TEMPERATURE, "soak", temperature=target), REST)


def test_the_soak_clock_restarts_whenever_the_chamber_leaves_its_band() -> None:
    what = soak_program()
    cursor, action = begin(what)
    assert action.command == SetTemperature(25.0)
    for second, celsius in ((0, 24.9), (500, 25.1), (510, 25.4), (520, 25.1), (1100, 25.0)):
        cursor, _ = advance(
            what, cursor, seen(float(second), temperature_celsius=celsius, granted=True)
        )
        assert cursor.place.pc == 0
    cursor, _ = advance(what, cursor, seen(1120.0, temperature_celsius=25.0, granted=True))
    assert cursor.place.pc == 1


def test_a_temperature_that_is_not_reached_in_time_trips_and_says_what_the_chamber_reads() -> None:
    what = soak_program(timeout_second=1000.0)
    cursor, _ = begin(what)
    for second in (0.0, 500.0, 1001.0):
        cursor, _ = advance(what, cursor, seen(second, temperature_celsius=20.0, granted=True))
    assert cursor.halt is Halt.TRIPPED
    assert "20.00 degC" in cursor.reason


def test_waiting_for_a_chamber_that_others_use_does_not_count_against_the_timeout() -> None:
    what = soak_program(timeout_second=1000.0)
    cursor, _ = begin(what)
    cursor, _ = advance(what, cursor, seen(5000.0, temperature_celsius=60.0, granted=False))
    assert cursor.halt is Halt.NONE


def test_a_spectrum_is_waited_for_and_begins_again_after_a_gap() -> None:
    what = looped_program(0)
    what = replace(what, instructions=what.instructions[-1:])
    cursor, action = begin(what)
    assert action.command == Apply(OpenCircuit(), OPEN_SECOND)
    cursor, action = advance(what, cursor, Reading(9.0, 3.7, 0.0))
    assert isinstance(action.command, BeginSweep)
    assert action.record  # the open-circuit voltage before it is the step's first sample
    cursor, action = advance(what, cursor, Reading(10.0))
    assert action.command is None
    cursor, action = resume(what, cursor)
    assert action.command == Apply(OpenCircuit(), OPEN_SECOND)
    assert cursor.place.spectrum_count == 2
    assert cursor.place.spectrum_part == 0


def test_a_spectrum_ends_with_its_lowest_points_again_and_a_look_at_open_circuit() -> None:
    whole = Sweep(1e5, 1.0, 51, amplitude_volt=0.01)
    lowest = replace(whole, start_hertz=1.5, points=2)
    what = program(Step(StepKind.EIS, "eis", sweep=whole, repeat=lowest))
    cursor, _ = begin(what)
    cursor, action = advance(what, cursor, Reading(1.0, 3.7, 0.0))
    assert action.command == BeginSweep(whole)
    cursor, action = advance(what, cursor, Reading(20.0, sweep_done=True))
    assert action.command == BeginSweep(lowest, Purpose.REPETITION)
    cursor, action = advance(what, cursor, Reading(25.0))
    assert action.command is None
    cursor, action = advance(what, from_json(to_json(cursor)), Reading(30.0, sweep_done=True))
    assert action.command == Apply(OpenCircuit(), OPEN_SECOND)
    cursor, action = advance(what, cursor, Reading(31.0, 3.699, 0.0))
    assert cursor.halt is Halt.FINISHED
    assert action.events[0] == SpectrumEnded(3.699)
    assert action.record
    assert cursor.progress.seq == 2
    assert cursor.progress.charging_capacity_ah == 0.0  # nobody counts what the analyser drove


def test_a_spectrum_without_a_cell_instrument_keeps_no_sample() -> None:
    sweep = Sweep(1e5, 1.0, 51, amplitude_volt=0.01)
    what = program(Step(StepKind.EIS, "eis", sweep=sweep))
    cursor, _ = begin(what)
    for second, done in ((1.0, False), (2.0, True), (3.0, False)):
        cursor, action = advance(what, cursor, Reading(second, sweep_done=done))
        assert not action.record
    assert cursor.halt is Halt.FINISHED


def test_a_resistance_is_one_reading_and_a_sample() -> None:
    what = program(Step(StepKind.RESISTANCE, "AC resistance"))
    cursor, action = begin(what)
    assert action.command == ReadResistance()
    cursor, action = advance(what, cursor, Reading(2.0, 3.71, 0.0))
    assert cursor.halt is Halt.FINISHED
    assert action.record


def test_a_run_that_paused_at_the_end_of_a_step_goes_on_with_the_next_even_around_a_loop() -> None:
    pausing = charge(ends=(End("voltage", ">=", 4.2, Target.PAUSE, "voltage >= 4.2 V"),))
    what = program(LoopStart(2, 2, counts_cycles=True), pausing, LoopEnd(0), REST)
    cursor, _ = begin(what)
    cursor, _ = advance(what, cursor, seen(100.0, 4.3))
    assert cursor.halt is Halt.PAUSED
    cursor, action = resume(what, from_json(to_json(cursor)))
    assert (cursor.place.pc, cursor.place.step_count, cursor.place.cycle_count) == (1, 2, 2)
    assert cursor.place.step_began_second == 100.0
    assert cursor.progress.step_capacity_ah == 0.0
    assert isinstance(action.command, Apply)


def test_looks_close_in_on_a_voltage_end() -> None:
    what = program(charge())
    cursor, action = begin(what)
    dues: list[float] = [action.due_second]
    while cursor.halt is Halt.NONE:
        cursor, action = advance(what, cursor, seen(dues[-1], 4.1 + 0.004 * dues[-1]))
        dues.append(action.due_second)
    assert dues[:3] == pytest.approx([0.0, 10.0, 17.5])
    assert dues[-1] == pytest.approx(25.0, abs=1.01)
    assert min(late - early for late, early in zip(dues[1:-1], dues, strict=False)) >= 1.0


def test_charge_is_counted_across_a_reading_that_was_none() -> None:
    what = program(charge(), safety=replace(SAFETY, capacity_max_ah=None))
    cursor, _ = begin(what)
    for second, ampere, flags in ((0.0, 0.5, 0), (3600.0, math.nan, 1), (7200.0, 0.5, 0)):
        volt = 3.7 if flags == 0 else math.nan
        cursor, _ = advance(what, cursor, seen(second, volt, ampere, flags=flags))
    assert cursor.progress.charging_capacity_ah == pytest.approx(1.0)


def test_a_step_that_begins_again_leaves_a_row_of_what_was_done_of_it() -> None:
    what = looped_program(0)
    what = replace(what, instructions=what.instructions[-1:])
    cursor, _ = begin(what)
    cursor, action = resume(what, cursor, "link was lost")
    rows = [event for event in action.events if isinstance(event, StepEnded)]
    assert [(row.step_count, row.reason) for row in rows] == [(1, "link was lost: begun again")]
    assert (cursor.place.step_count, cursor.place.spectrum_count) == (2, 2)


def test_what_is_held_after_a_charge_belongs_to_the_charge() -> None:
    hold = Step(StepKind.HOLD, "hold", ends=(End("time", ">=", 3600.0),))
    after_charge = step_results(charge(), {}, 0.8)
    after_hold = step_results(hold, after_charge, 0.2)
    discharged = step_results(replace(charge(), kind=StepKind.DISCHARGE), after_hold, -1.0)
    assert after_hold["last.charge.capacity"] == pytest.approx(1.0)
    assert discharged["last.coulombic_efficiency"] == pytest.approx(1.0)
