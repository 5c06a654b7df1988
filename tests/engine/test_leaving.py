"""Stop after cycle, finish gracefully: what goes on ends as programmed, then the run does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.cursor import from_json
from rig.engine.states import Verb
from rig.protocol.program import Step
from tests.engine.revising import with_limits
from tests.engine.rigs import ListKeeper, looped_program
from tests.engine.test_revisions import CHARGING, Somebody, asks, program, somebody


def cycles(keeper: ListKeeper) -> list[object]:
    return [values["cycle_count"] for table, values in keeper.rows if table == "cycle"]


def test_stop_after_cycle_lets_the_cycle_end_and_the_run_can_go_on_from_there() -> None:
    at = somebody((CHARGING, asks(1, Verb.STOP_AFTER_CYCLE))).works()
    assert at.answer(1) == ("done", "stops when this cycle has ended; it can be resumed")
    assert at.run.state is RunState.STOPPED
    assert at.run.reason == "stop after cycle, by maria: I say so"
    assert cycles(at.keeper) == [1]
    assert at.words_of_steps()[-1].startswith("discharge")
    assert not at.channel.connected
    place = at.run.cursor.place
    assert (place.step_open, place.cycle_count, place.leaving) == (False, 2, "")


def test_finish_gracefully_ends_it_for_good_after_the_cycle() -> None:
    at = somebody((CHARGING, asks(1, Verb.FINISH))).works()
    assert at.answer(1) == ("done", "finishes when this cycle has ended")
    assert (at.run.state, cycles(at.keeper)) == (RunState.FINISHED, [1])
    assert at.run.reason == "finish gracefully, by maria: I say so"


def test_outside_of_cycles_it_finishes_after_the_step_and_stop_after_cycle_is_refused() -> None:
    at = somebody((100.0, asks(1, Verb.STOP_AFTER_CYCLE)), (200.0, asks(2, Verb.FINISH))).works()
    outcome, words = at.answer(1)
    assert outcome == "refused"
    assert "no cycle is going on here; finish gracefully ends it after this step" in words
    assert at.answer(2) == ("done", "finishes when this step has ended")
    assert at.run.state is RunState.FINISHED
    assert at.words_of_steps() == ["rest for 10 min: for 10 min"]


@pytest.mark.parametrize("verb", [Verb.STOP_AFTER_CYCLE, Verb.FINISH])
def test_asking_twice_is_asking_once(verb: Verb) -> None:
    at = somebody((CHARGING, asks(1, verb)), (CHARGING + 60, asks(2, verb))).works()
    assert at.answer(2)[0] == "done"
    assert at.answer(2)[1].startswith("already so")
    assert len(at.keeper.events("order")) == 1


def test_the_later_word_counts_and_a_resume_takes_it_back() -> None:
    at = somebody(
        (CHARGING, asks(1, Verb.STOP_AFTER_CYCLE)),
        (CHARGING + 60, asks(2, Verb.FINISH)),
        (CHARGING + 120, asks(3, Verb.RESUME)),
        (CHARGING + 180, asks(4, Verb.RESUME)),
    ).works()
    assert at.answer(3) == ("done", "goes on: 'finish after cycle' is taken back")
    assert at.answer(4) == ("done", "already running")
    assert (at.run.state, cycles(at.keeper)) == (RunState.FINISHED, [1, 2, 3])
    assert at.run.reason == "protocol finished"


def test_the_wish_survives_a_pause_and_a_kill() -> None:
    at = somebody(
        (CHARGING, asks(1, Verb.STOP_AFTER_CYCLE)),
        (CHARGING + 60, asks(2, Verb.PAUSE)),
        (CHARGING + 120, asks(3, Verb.RESUME)),
    ).works()
    assert (at.run.state, cycles(at.keeper)) == (RunState.STOPPED, [1])
    killed = somebody((CHARGING, asks(1, Verb.FINISH)))
    stop_at(killed, CHARGING + 60)
    again = somebody()
    again.run.resume_from = from_json(killed.run.cursor_text())
    again.run.state = RunState.RUNNING
    again.works()
    assert (again.run.state, cycles(again.keeper)) == (RunState.FINISHED, [1])
    assert again.run.reason == "finish gracefully, by maria: I say so"


def stop_at(at: Somebody, second: float) -> None:
    def between() -> None:
        at.between()
        if at.run.clock.now() >= second:
            at.schedule.stop("the test kills it")

    at.schedule.between = between
    at.schedule.run(at.tasks)


def test_a_soak_that_begins_again_after_an_outage_has_not_ended() -> None:
    soak, *others = looped_program(2).instructions
    assert isinstance(soak, Step)
    begins_again = (replace(soak, restart_on_resume=True), *others)
    start = replace(looped_program(2), instructions=begins_again)
    at = somebody((100.0, asks(1, Verb.FINISH)), start=start)
    stop_at(at, 200.0)
    again = somebody(start=start)
    again.run.resume_from = from_json(at.run.cursor_text())
    again.run.state = RunState.RUNNING
    again.works()
    reasons = again.words_of_steps()
    assert again.run.state is RunState.FINISHED
    assert len(reasons) == 2
    assert reasons[0] == "set 25 degC: resumed: begun again"


def test_who_goes_elsewhere_does_not_want_it_to_end_here() -> None:
    go = asks(2, Verb.GO_TO)
    at = somebody((CHARGING, asks(1, Verb.FINISH)), (CHARGING + 60, _to(go, 6))).works()
    assert at.run.reason == "protocol finished"
    assert at.words_of_steps()[-1].startswith("EIS")


def _to(order: Order, address: int) -> Order:
    return replace(order, argument=str(address))


def test_a_trip_is_a_trip_whatever_was_wanted() -> None:
    start = with_limits(program(), voltage_max_volt=3.8)
    at = somebody((CHARGING, asks(1, Verb.STOP_AFTER_CYCLE)), start=start).works()
    assert at.run.state is RunState.TRIPPED
