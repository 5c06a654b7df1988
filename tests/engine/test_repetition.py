"""A spectrum that something speaks against: kept, told, and measured again as often as the step says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.instruments import OpenCircuit, Sweep
from rig.core.records import RunState
from rig.engine.action import Action, Apply, BeginSweep, Note, Purpose, Reading, SpectrumEnded
from rig.engine.advance import advance, begin, resume
from rig.engine.cursor import Cursor, Halt, from_json, to_json
from rig.engine.spectrum import OPEN_SECOND
from rig.engine.steer import skip
from rig.protocol.program import Program, Safety, Step, StepKind
from tests.engine.rigs import ListKeeper, run_on_ideal

SWEEP = Sweep(1e5, 1.0, 20, amplitude_volt=0.01)
LOOK = Apply(OpenCircuit(), OPEN_SECOND)
BAD = "residual 3 %"


def program(most: int, repeat: Sweep | None = None) -> Program:
    step = Step(StepKind.EIS, "eis", sweep=SWEEP, repeat=repeat, repeat_if_invalid=most)
    return Program("again", (step,), Safety(2.5, 4.3, 1.0))


def measured(what: Program, cursor: Cursor, objection: str) -> tuple[Cursor, Action]:
    """Take the three readings of one spectrum from its look at open circuit on."""
    now = cursor.progress.test_time_second + 1.0
    cursor, action = advance(what, cursor, Reading(now, 3.7, 0.0))
    assert action.command == BeginSweep(SWEEP)
    cursor, _ = advance(what, cursor, Reading(now + 1.0, sweep_done=True, objection=objection))
    return advance(what, cursor, Reading(now + 2.0, 3.69, 0.0))


def test_a_spectrum_that_is_objected_to_begins_again_and_the_last_one_stands() -> None:
    what = program(2)
    cursor, _ = begin(what)
    for repeats in (1, 2):
        cursor, action = measured(what, cursor, BAD)
        assert action.command == LOOK
        assert action.events[0] == SpectrumEnded(3.69, BAD)
        assert action.events[1] == Note(
            "invalid spectrum", f"spectrum {repeats}: {BAD}; measured again, {repeats} of 2"
        )
        assert cursor.place.spectrum_count == repeats + 1
        assert cursor.place.repeat_of == repeats
        assert cursor.place.step_count == 1
    cursor, action = measured(what, cursor, BAD)
    assert cursor.halt is Halt.FINISHED
    assert action.events[:2] == (
        SpectrumEnded(3.69, BAD),
        Note("invalid spectrum", f"spectrum 3: {BAD}; it was measured 3 times and stands as it is"),
    )


def test_a_spectrum_that_nothing_speaks_against_ends_its_step() -> None:
    what = program(2)
    cursor, _ = measured(what, begin(what)[0], BAD)
    cursor, action = measured(what, cursor, "")
    assert cursor.halt is Halt.FINISHED
    assert action.events[0] == SpectrumEnded(3.69)


def test_without_a_word_in_the_protocol_it_is_told_and_nothing_is_repeated() -> None:
    what = program(0)
    cursor, action = measured(what, begin(what)[0], BAD)
    assert cursor.halt is Halt.FINISHED
    assert Note("invalid spectrum", f"spectrum 1: {BAD}") in action.events


def test_what_speaks_against_it_is_not_forgotten_while_its_lowest_points_are_measured_again() -> (
    None
):
    lowest = replace(SWEEP, start_hertz=1.5, points=2)
    what = program(1, lowest)
    cursor, _ = begin(what)
    cursor, _ = advance(what, cursor, Reading(1.0, 3.7, 0.0))
    cursor, action = advance(what, cursor, Reading(2.0, sweep_done=True, objection=BAD))
    assert action.command == BeginSweep(lowest, Purpose.REPETITION)
    cursor, _ = advance(what, from_json(to_json(cursor)), Reading(3.0, sweep_done=True))
    cursor, action = advance(what, cursor, Reading(4.0, 3.7, 0.0))
    assert action.events[0] == SpectrumEnded(3.7, BAD)
    assert cursor.place.spectrum_repeats == 1


@given(st.lists(st.sampled_from(["bad", "kill", "kill in the sweep"]), max_size=12))
def test_a_kill_uses_up_no_repetition_and_gives_none_back(fates: Sequence[str]) -> None:
    most = 3
    what = program(most)
    cursor, _ = begin(what)
    refused = 0
    for fate in fates:
        if cursor.halt is not Halt.NONE:
            break
        if fate == "bad":
            cursor, _ = measured(what, cursor, BAD)
            refused += 1
            continue
        if fate == "kill in the sweep":
            now = cursor.progress.test_time_second + 1.0
            cursor, _ = advance(what, cursor, Reading(now, 3.7, 0.0))
        cursor, action = resume(what, from_json(to_json(cursor)))
        assert action.command == LOOK
        assert cursor.place.spectrum_repeats == refused
        assert bool(cursor.place.repeat_of) is bool(refused)
    assert (cursor.halt is Halt.FINISHED) is (refused == most + 1)


def test_a_step_that_a_person_lets_begin_again_or_skips_has_all_its_repetitions() -> None:
    what = program(2)
    what = replace(what, instructions=what.instructions * 2)
    cursor, _ = measured(what, begin(what)[0], BAD)
    for anew, _ in (resume(what, cursor, restart=True), skip(what, cursor, "skipped")):
        assert (anew.place.spectrum_repeats, anew.place.repeat_of) == (0, 0)


def heads(keeper: ListKeeper) -> list[tuple[object, ...]]:
    names = ("spectrum_count", "complete", "objection", "repeat_of")
    return [tuple(row[name] for name in names) for table, row in keeper.rows if table == "spectrum"]


@pytest.mark.parametrize("most", [0, 2])
def test_the_runs_judge_sees_the_spectrums_own_points_and_its_word_is_kept(most: int) -> None:
    run, _, keeper, schedule, chamber = run_on_ideal(program(most, replace(SWEEP, points=3)))
    asked: list[int] = []

    def judge(points: Sequence[tuple[float, float, float]]) -> str:
        asked.append(len(points))
        assert points[0] == (1e5, 10.0, -1.0)
        return BAD if len(asked) == 1 else ""

    run.channel = replace(run.channel, judge=judge)
    run.hands.channel = run.channel
    schedule.run([run.task(), chamber.task()])
    assert run.state is RunState.FINISHED
    assert asked == [SWEEP.points] * (2 if most else 1)
    first = [(1, False, None, None), (1, True, BAD, None)]
    assert heads(keeper) == [*first, *([(2, False, None, 1), (2, True, None, 1)] if most else [])]
    assert len(keeper.events("invalid spectrum")) == 1
