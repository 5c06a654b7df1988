"""Whole runs on the simulated clock, and the fault ladder over every operation on the instrument."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import LinkTimeout, RigError
from rig.core.records import RunState
from rig.engine.channel import OnLinkLoss
from rig.engine.cursor import from_json
from rig.engine.states import TRANSITIONS, after, resumable
from tests.engine.rigs import IdealChamber, looped_program, run_on_ideal


def test_a_run_cycles_and_measures_and_ends_with_the_cell_disconnected() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(2))
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FINISHED, keeper.events("bug") or run.reason
    assert not channel.connected
    assert [state for state, _ in keeper.states] == ["starting", "running", "finished"]
    cycles = [values for table, values in keeper.rows if table == "cycle"]
    assert [cycle["cycle_count"] for cycle in cycles] == [1, 2]
    assert cycles[1]["discharging_capacity_ah"] == pytest.approx(1.145, rel=0.005)
    points = [values for table, values in keeper.rows if table == "impedance_point"]
    assert len(points) == 20
    assert isinstance(chamber.driver, IdealChamber)
    assert chamber.driver.safe


def test_samples_are_numbered_without_gaps_and_steps_point_at_them() -> None:
    run, _, keeper, schedule, chamber = run_on_ideal(looped_program(2))
    schedule.run([run.task(), chamber.task()])
    assert [row[1] for row in keeper.samples] == list(range(len(keeper.samples)))
    steps = [values for table, values in keeper.rows if table == "step"]
    for step in steps:
        of_step = [row[1] for row in keeper.samples if row[4] == step["step_count"]]
        assert (of_step[:1] or [step["seq_first"]]) == [step["seq_first"]]
        assert (of_step[-1:] or [step["seq_last"]]) == [step["seq_last"]]


def test_ctrl_c_disconnects_and_the_run_resumes_to_the_same_end() -> None:
    whole, _, _, schedule, chamber = run_on_ideal(looped_program(2))
    schedule.run([whole.task(), chamber.task()])
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(2))
    calls = iter(range(1000))

    def interrupt_later() -> None:
        if next(calls) == 400:
            schedule.stop("Ctrl-C")

    schedule.between = interrupt_later
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.PAUSED
    assert not channel.connected
    stored = from_json(keeper.cursors["r1"]())
    again, channel_again, later, schedule, chamber = run_on_ideal(
        looped_program(2), cursor=stored, state=RunState.PAUSED
    )
    channel_again.charge_ah = channel.charge_ah
    schedule.run([again.task(), chamber.task()])
    assert again.state is RunState.FINISHED
    numbers = [row[1] for row in (*keeper.samples, *later.samples)]
    assert numbers == list(range(len(numbers)))
    assert again.cursor.progress.discharging_capacity_ah == pytest.approx(
        whole.cursor.progress.discharging_capacity_ah, rel=0.01
    )


def short_program_calls() -> list[str]:
    run, channel, _, schedule, chamber = run_on_ideal(looped_program(1, 600.0))
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FINISHED
    return channel.calls


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for ever"])
def test_whatever_operation_fails_the_cell_is_open_or_the_alarm_is_up(
    lasting: bool, stride: int
) -> None:
    """The ladder: fail the first operation, then the second, ... to the last."""
    for rung in range(0, len(short_program_calls()), stride):
        run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(1, 600.0))
        channel.fail_at, channel.fail_for = rung, 10**9 if lasting else 1
        schedule.run([run.task(), chamber.task()])
        assert run.state in {RunState.FAILED, RunState.FINISHED}, rung
        if lasting:
            assert run.alarm, f"rung {rung}: nobody confirmed, nobody was told"
            assert keeper.events("alarm")
        else:
            assert not channel.connected, rung
            assert not run.alarm, rung
        if run.state is RunState.FAILED:
            assert run.reason, rung
        stored = from_json(keeper.cursors["r1"]())
        assert stored.progress.seq == len(keeper.samples), f"rung {rung}: data and cursor disagree"


def test_a_fault_in_the_engine_itself_makes_the_cell_safe_and_is_told() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(1))
    channel.measure = lambda: "no reading at all"  # type: ignore[assignment, method-assign, return-value]
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FAILED
    assert "internal error" in run.reason
    assert keeper.events("bug")
    assert not channel.connected


def test_a_chamber_alarm_or_silence_ends_the_run_safely() -> None:
    run, channel, _, schedule, chamber = run_on_ideal(looped_program(5))
    assert isinstance(chamber.driver, IdealChamber)
    chamber.driver.alarms = (46,)
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FAILED
    assert "alarm 46" in run.reason
    assert not channel.connected


def test_an_analyser_that_falls_silent_is_asked_again_a_few_times_and_then_ends_the_run() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(0))
    channel.stalled = True
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FAILED
    assert "no impedance point for" in run.reason
    assert 1 < len(keeper.events("link back")) < 10
    assert not channel.connected


def test_a_lost_reply_is_a_gap_and_not_the_end_of_a_run() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(2))
    channel.fail_at, channel.fail_for = 300, 2
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FINISHED, run.reason
    assert len(keeper.events("link lost")) == 1
    assert "link was lost" in keeper.events("resumed")[0]
    assert [row[1] for row in keeper.samples] == list(range(len(keeper.samples)))
    assert not channel.connected


def test_a_channel_that_wants_to_be_safe_ends_its_run_at_the_first_lost_reply() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(2))
    run.channel = replace(run.channel, on_link_loss=OnLinkLoss.SAFE)
    channel.fail_at, channel.fail_for = 300, 2
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FAILED
    assert len(keeper.events("link lost")) == 1
    assert keeper.events("link back") == []
    assert not channel.connected


def test_a_store_that_fails_makes_the_cells_safe_before_it_is_reported() -> None:
    run, channel, _, schedule, chamber = run_on_ideal(looped_program(5))
    count = iter(range(10_000))

    def fails_later() -> None:
        if next(count) == 100:
            raise RigError("disk full")

    schedule.between = fails_later
    with pytest.raises(RigError, match="disk full"):
        schedule.run([run.task(), chamber.task()])
    assert not channel.connected
    assert run.state is RunState.PAUSED


EVENTS = sorted({event for _, event in TRANSITIONS})


@given(st.sampled_from(list(RunState)), st.sampled_from(EVENTS))
def test_an_illegal_event_raises_and_names_the_legal_ones(state: RunState, event: str) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(RigError, match=state.value):
            after(state, event)


def test_only_a_finished_run_cannot_be_resumed() -> None:
    assert {s for s in RunState if not resumable(s)} == {RunState.FINISHED}


def test_a_spectrum_that_stalls_for_ever_is_given_up_although_its_step_begins_again() -> None:
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(0))
    channel.stalled = True
    schedule.run([run.task(), chamber.task()])
    assert len(keeper.events("link lost")) == 6
    assert run.state is RunState.FAILED


def test_a_broken_pipe_out_of_a_signal_handler_leaves_no_cell_connected() -> None:
    run, channel, _, schedule, chamber = run_on_ideal(looped_program(3))
    count = iter(range(10_000))

    def breaks() -> None:
        if next(count) == 200:
            raise KeyboardInterrupt

    schedule.between = breaks
    with pytest.raises(KeyboardInterrupt):
        schedule.run([run.task(), chamber.task()])
    assert not channel.connected
    assert run.state is RunState.PAUSED


def test_a_chamber_that_cannot_be_left_in_standby_raises_its_alarm() -> None:
    run, _, _, schedule, chamber = run_on_ideal(looped_program(0))

    def refuses() -> None:
        raise LinkTimeout("no answer")

    chamber.driver.make_safe = refuses  # type: ignore[method-assign]
    schedule.run([run.task(), chamber.task()])
    assert "Look after it now" in chamber.alarm
