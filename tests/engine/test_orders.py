"""What people ask of a run: carried out at once, answered once, illegal ones change nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import RigError
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.channel import OnLinkLoss
from rig.engine.runner import Run
from rig.engine.schedule import SimulatedSchedule, Task
from rig.engine.states import TRANSITIONS, Verb, after
from rig.protocol.program import Step
from tests.engine.rigs import IdealChannel, ListKeeper, looped_program, run_on_ideal

CHARGE, REST, DISCHARGE, SPECTRUM = 2, 3, 4, 6  # addresses in looped_program


@dataclass
class Desk:
    """Somebody who gives orders at test times; the run keeps its channel when it is paused."""

    orders: list[tuple[float, Order]]
    run: Run
    channel: IdealChannel
    keeper: ListKeeper
    schedule: SimulatedSchedule
    tasks: list[Task]
    connected_when: dict[int, bool] = field(default_factory=dict)
    when: Callable[[], object] = lambda: True

    def between(self) -> None:
        now = self.run.clock.now()
        while self.orders and self.orders[0][0] <= now and self.when():
            _, order = self.orders.pop(0)
            ordered = self.run.consider(order)
            if ordered is not None:
                self.schedule.interrupt(self.tasks[0], ordered)
        for order_id in self.keeper.answers.keys() - self.connected_when.keys():
            self.connected_when[order_id] = self.channel.connected

    def work(self) -> None:
        self.schedule.between = self.between
        self.schedule.run(self.tasks)

    def answer(self, order_id: int) -> tuple[str, str]:
        return self.keeper.answers[order_id]

    def step_reasons(self) -> list[tuple[int, str]]:
        rows = [values for table, values in self.keeper.rows if table == "step"]
        return [(int(str(row["step_id"])), str(row["reason"])) for row in rows]


def desk(*orders: tuple[float, str], argument: str = "", cycles: int = 2) -> Desk:
    """Return a run at which these verbs are given at these times; numbered from 1."""
    run, channel, keeper, schedule, chamber = run_on_ideal(looped_program(cycles))
    run.holds = True
    numbered = [
        (second, Order(number, run.run_id, verb, argument, "maria@labpc3", "I say so"))
        for number, (second, verb) in enumerate(orders, 1)
    ]
    return Desk(numbered, run, channel, keeper, schedule, [run.task(), chamber.task()])


def test_pause_disconnects_at_once_and_resume_goes_on_with_what_remains() -> None:
    undisturbed = desk()
    undisturbed.work()
    at = desk((3000.0, "pause"), (90_000.0, "resume"))
    at.work()
    assert at.answer(1) == ("done", "paused; the cell is disconnected")
    assert at.connected_when[1] is False
    assert at.answer(2) == ("done", "running")
    assert at.run.state is RunState.FINISHED, at.run.reason
    states = [state for state, _ in at.keeper.states]
    assert states == [
        *("starting", "running", "pausing", "paused"),
        *("starting", "running", "finished"),
    ]
    # The pause is no part of the test, and the charge that has passed stays counted.
    progress, before = at.run.cursor.progress, undisturbed.run.cursor.progress
    assert progress.test_time_second == pytest.approx(before.test_time_second, abs=30.0)
    assert progress.charging_capacity_ah == pytest.approx(before.charging_capacity_ah, rel=2e-3)
    assert [row[1] for row in at.keeper.samples] == list(range(len(at.keeper.samples)))


def test_the_wall_time_of_samples_shows_the_pause() -> None:
    at = desk((3000.0, "pause"), (90_000.0, "resume"))
    at.work()
    steps = [
        (int(str(b[2])) - int(str(a[2]))) / 1e6 for a, b in itertools.pairwise(at.keeper.samples)
    ]
    assert max(steps) == pytest.approx(87_000.0, abs=100.0)


def test_pause_after_step_lets_the_step_end_first() -> None:
    at = desk((3000.0, "pause after step"), (90_000.0, "resume"))
    at.work()
    assert at.answer(1)[0] == "done"
    assert at.step_reasons()[1] == (CHARGE, "current <= 50 mA")
    assert "paused" in [state for state, _ in at.keeper.states]
    assert at.run.state is RunState.FINISHED


def test_skip_ends_the_step_here_and_its_cycle_tells_nothing_of_the_cell() -> None:
    at = desk((3000.0, "skip"))
    at.work()
    assert at.answer(1) == ("done", "the run goes on")
    assert at.step_reasons()[1] == (CHARGE, "skip, by maria@labpc3: I say so")
    assert at.run.state is RunState.FINISHED
    results = at.run.cursor.place.results
    # Retention refers to the second cycle: the first was disturbed.
    assert results["capacity_retention"] == pytest.approx(1.0)


def test_restart_step_begins_it_again_under_a_number_of_its_own() -> None:
    at = desk((3000.0, "restart step"))
    at.work()
    charges = [reason for address, reason in at.step_reasons() if address == CHARGE]
    assert len(charges) == 3
    assert charges[0].startswith("restart step, by maria")
    assert at.run.state is RunState.FINISHED


def test_go_to_leaves_the_loop_and_closes_its_cycle() -> None:
    at = desk((3000.0, "go to"), argument=str(SPECTRUM))
    at.work()
    assert at.run.state is RunState.FINISHED
    assert [address for address, _ in at.step_reasons()] == [0, CHARGE, SPECTRUM]
    cycles = [values for table, values in at.keeper.rows if table == "cycle"]
    assert [cycle["cycle_count"] for cycle in cycles] == [1]


def test_go_to_within_the_loop_keeps_its_pass_and_into_it_begins_with_the_first() -> None:
    at = desk((3000.0, "go to"), argument=str(DISCHARGE))
    at.work()
    assert [address for address, _ in at.step_reasons()][:3] == [0, CHARGE, DISCHARGE]
    assert at.run.cursor.place.cycle_count == 2
    soaking = desk((100.0, "go to"), argument=str(REST))
    soaking.work()
    assert [address for address, _ in soaking.step_reasons()][:3] == [0, REST, DISCHARGE]
    assert soaking.run.cursor.place.cycle_count == 2


@pytest.mark.parametrize("argument", ["1", "7", "-1", "x", ""])
def test_go_to_where_no_step_is_changes_nothing(argument: str) -> None:
    at = desk((3000.0, "go to"), argument=argument)
    at.work()
    assert at.answer(1)[0] == "refused"
    assert "step" in at.answer(1)[1]
    assert at.run.state is RunState.FINISHED
    assert not at.keeper.events("order")


@pytest.mark.parametrize("verb", ["stop", "safe"])
def test_stop_disconnects_and_ends(verb: str) -> None:
    at = desk((3000.0, verb))
    at.work()
    assert at.answer(1) == ("done", "the run is stopped; the cell is disconnected")
    assert at.run.state is RunState.STOPPED
    assert at.run.reason == f"{verb}, by maria@labpc3: I say so"
    assert not at.channel.connected


def test_stop_ends_a_run_that_is_paused() -> None:
    at = desk((3000.0, "pause"), (4000.0, "skip"), (5000.0, "stop"))
    at.work()
    assert [at.answer(n)[0] for n in (1, 2, 3)] == ["done"] * 3
    assert at.run.state is RunState.STOPPED
    assert at.run.cursor.place.pc == REST


def test_what_has_happened_already_is_done_and_does_nothing() -> None:
    at = desk((2000.0, "resume"), (3000.0, "pause"), (4000.0, "pause"), (5000.0, "resume"))
    at.work()
    assert at.answer(1) == ("done", "already running")
    assert at.answer(3) == ("done", "already paused")
    assert at.run.state is RunState.FINISHED


def test_a_second_order_waits_for_the_first_but_stop_overtakes_it() -> None:
    at = desk((3000.0, "pause"), (3000.0, "skip"), (3000.0, "stop"))
    at.work()
    assert at.answer(2) == ("refused", "'pause' is being carried out")
    assert at.answer(1) == ("refused", "overtaken by 'stop'")
    assert at.answer(3)[0] == "done"
    assert at.run.state is RunState.STOPPED
    assert not at.channel.connected


def test_an_order_during_a_spectrum_hands_the_cell_back_first() -> None:
    at = desk((0.0, "pause"), (5000.0, "resume"), cycles=0)
    # When the analyser has the cell, whenever that is.
    at.when = lambda: at.channel.calls[-1] == "poll" or at.keeper.answers
    at.work()
    assert at.answer(1)[0] == "done"
    assert at.connected_when[1] is False
    assert at.run.state is RunState.FINISHED, at.run.reason


def test_ctrl_c_ends_a_paused_run_that_stays_paused() -> None:
    at = desk((3000.0, "pause"))
    count = itertools.count()

    def between() -> None:
        at.between()
        if at.run.state is RunState.PAUSED and next(count) == 3:
            at.schedule.stop("Ctrl-C")

    at.schedule.between = between
    at.schedule.run(at.tasks)
    assert at.run.state is RunState.PAUSED


def test_an_order_that_cannot_be_confirmed_says_so() -> None:
    at = desk((3000.0, "pause"))
    at.run.channel = at.run.hands.channel
    assert at.run.channel.on_link_loss is OnLinkLoss.CONTINUE

    def between() -> None:
        if at.orders and at.run.clock.now() >= 3000.0:
            at.channel.fail_at, at.channel.fail_for = len(at.channel.calls), 1000
        at.between()

    at.schedule.between = between
    at.schedule.run(at.tasks)
    outcome, words = at.answer(1)
    assert outcome == "failed"
    assert "Disconnect it by hand now" in words
    assert at.run.state is RunState.FAILED


MANY = st.lists(
    st.tuples(st.floats(0.0, 60_000.0), st.sampled_from([verb.value for verb in Verb])),
    max_size=6,
)


@given(MANY, st.sampled_from(["0", "2", "3", "4", "6", "1"]))
def test_whatever_is_asked_each_order_is_answered_once_and_the_cell_ends_disconnected(
    wishes: list[tuple[float, str]], argument: str
) -> None:
    wishes = sorted(wishes)
    at = desk(*wishes, (200_000.0, "stop"), argument=argument, cycles=1)
    at.work()
    # Who asks after the end is answered by who asks: see rig/bench/asking.py.
    given_to_it = len(wishes) + 1 - len(at.orders)
    assert at.keeper.answers.keys() == set(range(1, given_to_it + 1))
    assert not at.channel.connected
    assert at.run.state in {RunState.FINISHED, RunState.STOPPED}, at.run.reason
    assert [row[1] for row in at.keeper.samples] == list(range(len(at.keeper.samples)))


def test_every_verb_is_possible_somewhere_and_none_where_the_table_does_not_say_so() -> None:
    for verb in Verb:
        states = [state for state in RunState if (state, verb.value) in TRANSITIONS]
        assert states, verb
    assert (RunState.FINISHED, "resume") not in TRANSITIONS
    assert isinstance(looped_program().instructions[CHARGE], Step)


# --- the table and the journal -------------------------------------------------------------------

EVENTS = sorted({event for _, event in TRANSITIONS} | {verb.value for verb in Verb} | {"nonsense"})


@given(st.lists(st.sampled_from(EVENTS), max_size=40))
def test_an_illegal_event_changes_nothing_and_a_legal_one_leads_where_the_table_says(
    events: list[str],
) -> None:
    state = RunState.QUEUED
    for event in events:
        try:
            following = after(state, event)
        except RigError:
            assert (state, event) not in TRANSITIONS
            continue
        assert following is TRANSITIONS[state, event]
        state = following


@given(st.lists(st.sampled_from([verb.value for verb in Verb]), max_size=20))
def test_asking_twice_in_a_row_is_asking_once(verbs: list[str]) -> None:
    """What was asked leads to a state in which it has happened, or in which it is refused."""
    state = RunState.QUEUED
    for verb in verbs:
        once = TRANSITIONS.get((state, verb), state)
        assert TRANSITIONS.get((once, verb), once) in {once, RunState.STOPPED, RunState.STOPPING}
        state = once


@given(MANY)
def test_the_events_of_a_run_replayed_through_the_table_give_the_state_it_ended_in(
    wishes: list[tuple[float, str]],
) -> None:
    """A run goes from state to state by the table's arrows alone, whatever is asked of it."""
    at = desk(*sorted(wishes), (200_000.0, "stop"), argument="2", cycles=1)
    at.work()
    state = RunState.QUEUED
    for word, _ in at.keeper.states:
        arrows = {following for (before, _), following in TRANSITIONS.items() if before is state}
        assert RunState(word) in arrows
        state = RunState(word)
    assert state is at.run.state


def test_a_start_of_a_run_that_has_begun_is_done_already() -> None:
    at = desk((3000.0, "start"))
    at.work()
    assert at.answer(1) == ("done", "already running")
    assert at.run.state is RunState.FINISHED
