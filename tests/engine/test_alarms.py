"""What a run raises: the limit with its value, the loudest when nobody confirms, all but once."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest

from rig.core.alarms import Alarm, Severity
from rig.core.records import RunState
from rig.engine.action import Breach, Note, Reading, StepEnded
from rig.engine.advance import advance, begin
from rig.engine.channel import OnLinkLoss
from rig.engine.conditions import breach
from rig.engine.cursor import Progress
from rig.protocol.program import Safety
from tests.engine.rigs import IdealChamber, ListKeeper, looped_program, run_on_ideal

SAFETY = Safety(2.5, 4.3, 1.0, -30.0, 80.0, 2.0)


@pytest.mark.parametrize(
    ("reading", "progress", "broken"),
    [
        (
            Reading(1.0, 4.31, 0.0),
            Progress(),
            Breach("safety-voltage", "voltage 4.31 V above the limit of 4.3 V", 4.31, 4.3, "V"),
        ),
        (
            Reading(1.0, 2.4, 0.0),
            Progress(),
            Breach("safety-voltage", "voltage 2.4 V below the limit of 2.5 V", 2.4, 2.5, "V"),
        ),
        (
            Reading(1.0, 3.7, -1.2),
            Progress(),
            Breach("safety-current", "current 1.2 A above the limit of 1 A", 1.2, 1.0, "A"),
        ),
        (
            Reading(1.0, 3.7, 0.0, temperature_celsius=81.5),
            Progress(),
            Breach(
                "safety-temperature",
                "temperature of the chamber 81.5 degC above the limit of 80 degC",
                81.5,
                80.0,
                "degC",
            ),
        ),
        (
            Reading(1.0, 3.7, 0.0, temperature_celsius=-31.0),
            Progress(),
            Breach(
                "safety-temperature",
                "temperature of the chamber -31 degC below the limit of -30 degC",
                -31.0,
                -30.0,
                "degC",
            ),
        ),
        (
            Reading(1.0, 3.7, 0.0),
            Progress(step_capacity_ah=-2.5),
            Breach(
                "safety-capacity",
                "capacity 2.5 Ah in one step above the limit of 2 Ah",
                2.5,
                2.0,
                "Ah",
            ),
        ),
    ],
    ids=["high", "low", "current", "hot", "cold", "capacity"],
)
def test_a_broken_limit_says_which_value_broke_which_limit(
    reading: Reading, progress: Progress, broken: Breach
) -> None:
    assert breach(SAFETY, progress, reading) == broken
    assert breach(Safety(), progress, reading) is None


def test_a_cell_that_nobody_sees_is_a_breach_without_a_value() -> None:
    broken = breach(SAFETY, Progress(bad_readings=3), Reading(1.0))
    assert broken is not None
    assert (broken.kind, broken.unit) == ("safety-blind", "")
    assert math.isnan(broken.value)


def test_a_trip_is_a_row_a_note_and_a_breach() -> None:
    what = replace(looped_program(), safety=SAFETY)
    cursor, _ = begin(what)
    cursor, action = advance(what, cursor, Reading(5.0, 4.5, 0.0))
    row, note, broken = action.events
    assert isinstance(row, StepEnded)
    assert isinstance(broken, Breach)
    assert note == Note("tripped", broken.words)
    assert (broken.value, broken.limit, cursor.reason) == (4.5, 4.3, broken.words)


def alarms_of(keeper: ListKeeper) -> list[tuple[str, Severity]]:
    return [(alarm.kind, alarm.severity) for alarm in keeper.alarms]


def only(keeper: ListKeeper) -> Alarm:
    (alarm,) = keeper.alarms
    return alarm


def test_a_run_that_goes_well_raises_nothing() -> None:
    run, _, keeper, schedule, chamber = run_on_ideal(looped_program(1))
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FINISHED
    assert keeper.alarms == []


def test_a_run_that_trips_raises_its_alarm_once_with_everything_in_it() -> None:
    program = looped_program(1)
    program = replace(program, safety=replace(program.safety, voltage_max_volt=3.6))
    run, channel, keeper, schedule, chamber = run_on_ideal(program)
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.TRIPPED
    assert not channel.connected
    alarm = only(keeper)
    assert (alarm.severity, alarm.kind) == (Severity.ALARM, "safety-voltage")
    assert (alarm.channel, alarm.run_id) == ("A1", "r1")
    last = keeper.samples[-1]
    assert alarm.value == last[9]
    assert alarm.value is not None
    assert alarm.value > 3.6
    assert (alarm.limit_value, alarm.unit) == (3.6, "V")
    assert alarm.test_time_second == pytest.approx(float(str(last[3])), abs=1.0)
    assert alarm.message == run.reason
    assert keeper.events("tripped") == [run.reason]


def test_a_link_that_came_back_was_a_warning() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(1))
    channel.fail_at = 20
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FINISHED
    assert alarms_of(keeper) == [("link-lost", Severity.WARNING)]
    assert only(keeper).message == keeper.events("link lost")[0]


def test_a_link_that_ends_the_run_is_an_alarm() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(1))
    run.channel = replace(run.channel, on_link_loss=OnLinkLoss.SAFE)
    run.__post_init__()
    channel.fail_at = 20
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FAILED
    assert alarms_of(keeper) == [
        ("link-lost", Severity.WARNING),
        ("run-failed", Severity.ALARM),
    ]


def test_a_cell_that_nobody_could_confirm_disconnected_is_critical() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(1))
    channel.fail_at, channel.fail_for = 20, 10**9
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FAILED
    critical = [alarm for alarm in keeper.alarms if alarm.severity is Severity.CRITICAL]
    assert {alarm.kind for alarm in critical} == {"unconfirmed-safe-state"}
    assert {alarm.message for alarm in critical} <= set(keeper.events("alarm"))
    assert "by hand now" in critical[0].remedy


def test_a_chamber_that_reports_an_alarm_ends_the_run_with_one() -> None:
    run, _, keeper, schedule, chamber = run_on_ideal(looped_program(5))
    assert isinstance(chamber.driver, IdealChamber)
    chamber.driver.alarms = (46,)
    schedule.run([run.task(), chamber.task()])
    assert alarms_of(keeper) == [("run-failed", Severity.ALARM)]
    assert "alarm 46" in only(keeper).message


def test_a_fault_in_the_engine_itself_is_an_alarm_in_one_line() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(1))
    channel.measure = partial(str, "no reading at all")  # type: ignore[assignment, method-assign]
    schedule.run([run.task(), chamber.task()])
    assert alarms_of(keeper) == [("internal-error", Severity.ALARM)]
    assert "\n" not in only(keeper).message
    assert "Error" in only(keeper).message


def test_a_run_that_is_refused_at_its_start_is_critical() -> None:
    run, _, keeper, _, _ = run_on_ideal(looped_program(1))
    run.refuse("an instrument behind a scanner is not confirmed off")
    assert alarms_of(keeper) == [("unconfirmed-safe-state", Severity.CRITICAL)]
    assert only(keeper).test_time_second == 0.0
