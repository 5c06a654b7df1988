"""Nothing hidden: events replayed through the table give the run's states, readings its cursor."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from rig.core.records import RunState
from rig.engine.action import Action, MakeSafe, Reading
from rig.engine.advance import advance, begin
from rig.engine.cursor import Cursor, Halt, from_json, to_json
from rig.engine.runner import Run
from rig.engine.states import after
from tests.engine.rigs import looped_program
from tests.engine.test_orders import MANY, desk


@dataclass
class Witness(Run):
    """A run that remembers what it was told, in order."""

    events: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def _enter(self, event: str, reason: str = "") -> None:
        self.events.append(event)
        super()._enter(event, reason)

    def _take(self, reading: Reading) -> Action:
        self.readings.append(reading)
        return super()._take(reading)


def witnessed(*orders: tuple[float, str], argument: str = "") -> tuple[Witness, list[str]]:
    """Return a run with these orders, over, and the states that its keeper was told."""
    at = desk(*orders, argument=argument, cycles=1)
    run = at.run
    at.run = Witness(run.run_id, run.program, run.channel, run.keeper, run.clock, holds=True)
    at.tasks[0] = at.run.task()
    at.work()
    return at.run, [state for state, _ in at.keeper.states]


@given(MANY, st.sampled_from(["2", "4", "6"]))
def test_the_events_of_a_run_replayed_give_its_states(
    wishes: list[tuple[float, str]], argument: str
) -> None:
    run, told = witnessed(*sorted(wishes), (200_000.0, "stop"), argument=argument)
    state, replayed = RunState.QUEUED, []
    for event in run.events:
        before, state = state, after(state, event)
        if state is not before:
            replayed.append(state.value)
    assert state is run.state
    assert replayed == told


def test_the_readings_of_a_run_replayed_give_its_cursor_to_the_bit() -> None:
    run, _ = witnessed()
    cursor, _ = begin(run.program)
    for reading in run.readings:
        cursor, _ = advance(run.program, cursor, reading)
    assert to_json(cursor) == to_json(run.cursor)


READINGS = st.lists(
    st.builds(
        Reading,
        test_time_second=st.just(0.0),
        voltage_volt=st.floats(2.0, 5.0),
        current_ampere=st.floats(-2.0, 2.0),
        temperature_celsius=st.floats(-40.0, 100.0),
        granted=st.booleans(),
    ),
    max_size=60,
)


@given(READINGS, st.integers(0, 60))
def test_a_cursor_that_was_written_and_read_back_decides_the_same(
    readings: list[Reading], cut: int
) -> None:
    program = looped_program(1)
    straight, _ = begin(program)
    restored, _ = begin(program)
    for number, reading in enumerate(readings):
        at = reading._replace(test_time_second=30.0 * (number + 1))
        if number == cut:
            restored = from_json(to_json(restored))
        straight, action = advance(program, straight, at)
        restored, same = advance(program, restored, at)
        assert repr(action) == repr(same)
    assert to_json(straight) == to_json(restored)


@given(READINGS)
def test_after_a_halt_no_action_but_safe(readings: list[Reading]) -> None:
    program = looped_program(1)
    cursor: Cursor
    cursor, _ = begin(program)
    for number, reading in enumerate(readings):
        halted = cursor.halt is not Halt.NONE
        before = cursor
        cursor, action = advance(
            program, cursor, reading._replace(test_time_second=30.0 * (number + 1))
        )
        if halted:
            assert cursor is before
            assert isinstance(action.command, MakeSafe)
            assert not action.record
            assert not action.events
