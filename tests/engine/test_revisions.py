"""A run goes on by another text of its protocol: when, with what limits, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.core.instruments import ConstantCurrent, ConstantVoltage
from rig.core.orders import Order
from rig.core.records import RunState
from rig.engine.action import Action, Apply, Command, MakeSafe, Reading, SetTemperature
from rig.engine.advance import advance, begin
from rig.engine.conditions import breach
from rig.engine.cursor import Halt, Soak, Suspension, from_json, to_json
from rig.engine.revision import Proposed, revised
from rig.engine.runner import Run
from rig.engine.schedule import SimulatedSchedule, Task
from rig.engine.states import Verb
from rig.protocol.program import Program, Step
from tests.engine.revising import CYCLING, program, proposed, tightened, with_limits
from tests.engine.rigs import IdealChannel, ListKeeper, looped_program, run_on_ideal

CHARGING, RESTING = 2000.0, 5000.0  # test times within the first pass


@dataclass
class Somebody:
    """Gives orders at test times to a run on an ideal channel, which keeps it when it is paused."""

    wishes: list[tuple[float, Proposed | Order]]
    run: Run
    channel: IdealChannel
    keeper: ListKeeper
    schedule: SimulatedSchedule
    tasks: list[Task]
    connected_when: dict[int, bool] = field(default_factory=dict)

    def between(self) -> None:
        while self.wishes and self.wishes[0][0] <= self.run.clock.now():
            _, wish = self.wishes.pop(0)
            order, text = (wish.order, wish) if isinstance(wish, Proposed) else (wish, None)
            ordered = self.run.consider(order, text)
            if ordered is not None:
                self.schedule.interrupt(self.tasks[0], ordered)
        for number in self.keeper.answers.keys() - self.connected_when.keys():
            self.connected_when[number] = self.channel.connected

    def works(self) -> Somebody:
        self.schedule.between = self.between
        self.schedule.run(self.tasks)
        return self

    def answer(self, number: int) -> tuple[str, str]:
        return self.keeper.answers[number]

    def kept(self, table: str) -> list[dict[str, object]]:
        return [values for name, values in self.keeper.rows if name == table]

    def words_of_steps(self) -> list[str]:
        return [f"{row['words']}: {row['reason']}" for row in self.kept("step")]


def somebody(*wishes: tuple[float, Proposed | Order], start: Program | None = None) -> Somebody:
    run, channel, keeper, schedule, chamber = run_on_ideal(start or program())
    run.holds = True
    return Somebody(list(wishes), run, channel, keeper, schedule, [run.task(), chamber.task()])


def asks(number: int, verb: Verb) -> Order:
    return Order(number, "r1", verb.value, "", "maria", "I say so")


# --- how it is put in force ----------------------------------------------------------------------


def test_the_step_goes_on_to_its_new_end_without_the_cell_being_disconnected() -> None:
    text = tightened(CYCLING, "4.2 V").replace("4.0 V", "3.9 V").replace("repeat: 3", "repeat: 2")
    at = somebody((CHARGING, proposed(text))).works()
    outcome, words = at.answer(1)
    assert outcome == "done", words
    assert "safety.voltage upper: 4.4 V -> 4.2 V (tighter)" in words
    assert "loop 1: 3 -> 2 times" in words
    assert "until 4.0 V -> until 3.9 V" in words
    assert at.connected_when[1] is True
    assert at.run.state is RunState.FINISHED
    steps = at.words_of_steps()
    assert sum(line.startswith("charge") for line in steps) == 2
    assert all("3.9 V: 3.9 V" in line for line in steps if line.startswith("charge"))
    assert at.keeper.events("link lost") == []
    assert [row[1] for row in at.keeper.samples] == list(range(len(at.keeper.samples)))


def test_charge_and_time_of_the_step_in_progress_stay_counted() -> None:
    plain = somebody().works()
    at = somebody((CHARGING, proposed(CYCLING.replace("repeat: 3", "repeat: 4")))).works()
    ends = [s.kept("step")[1]["ended_second"] for s in (plain, at)]
    capacities = [s.kept("step")[1]["capacity_ah"] for s in (plain, at)]
    assert ends[0] == pytest.approx(ends[1], abs=10.0)
    assert capacities[0] == pytest.approx(capacities[1], rel=1e-6)
    assert len(at.kept("cycle")) == 4


def test_every_text_is_kept_with_who_why_and_from_which_sample_on() -> None:
    first, second = CYCLING.replace("repeat: 3", "repeat: 4"), tightened(CYCLING, "4.3 V")
    at = somebody((CHARGING, proposed(first)), (RESTING, proposed(second, 2))).works()
    rows = at.kept("revision")
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert rows[1]["difference"] == ["loop 1: 3 -> 4 times"]
    assert rows[1]["seq_first"] == at_sample(at, CHARGING)
    assert at.run.cursor.place.revision == 3
    assert at.keeper.protocols[-1]["protocol_text"] == second
    assert at.keeper.events("order")[0] == "revise, by maria: I say so"
    assert at.keeper.events("revised")[0].startswith("protocol revision 2: ")


def at_sample(at: Somebody, second: float) -> int:
    return next(n for n, row in enumerate(at.keeper.samples) if float(str(row[3])) > second)


def test_asking_for_what_is_in_force_is_done_and_changes_nothing() -> None:
    at = somebody(
        (CHARGING, proposed(CYCLING)), (RESTING, proposed(f"{CYCLING}# as agreed\n", 2))
    ).works()
    assert at.answer(1) == ("done", "already in force")
    assert at.answer(2) == ("done", "nothing changes for the run: not put on record")
    assert at.kept("revision") == []


def test_a_run_that_is_paused_is_revised_disconnected_and_goes_on_by_the_new_text() -> None:
    text = CYCLING.replace("4.0 V", "3.9 V")
    at = somebody(
        (CHARGING, asks(1, Verb.PAUSE)), (3000.0, proposed(text, 2)), (4000.0, asks(3, Verb.RESUME))
    ).works()
    assert at.answer(2)[0] == "done"
    assert at.connected_when[2] is False
    assert at.run.state is RunState.FINISHED
    assert "3.9 V: 3.9 V" in at.words_of_steps()[1]


# --- what is refused -----------------------------------------------------------------------------


def test_a_wider_limit_is_for_who_may_widen_it() -> None:
    text = tightened(CYCLING, "4.5 V")
    at = somebody(
        (CHARGING, proposed(text)), (CHARGING + 100, proposed(text, 2, may_widen=True))
    ).works()
    outcome, words = at.answer(1)
    assert outcome == "refused"
    assert "safety.voltage upper: 4.4 V -> 4.5 V (wider)" in words
    assert "an admin may" in words
    assert at.answer(2)[0] == "done"


def test_a_limit_that_the_cell_is_beyond_already_is_refused_for_the_run_would_trip() -> None:
    text = tightened(CYCLING, "3.6 V").replace("until: 4.0 V", "until: 3.5 V")
    at = somebody((4500.0, proposed(text))).works()
    outcome, words = at.answer(1)
    assert outcome == "refused"
    assert "would trip at once: voltage 3." in words
    assert at.run.state is RunState.FINISHED
    assert at.run.cursor.place.revision == 1


def test_a_text_that_was_written_for_another_one_is_refused() -> None:
    text = CYCLING.replace("repeat: 3", "repeat: 4")
    old = program().sha256
    at = somebody(
        (CHARGING, proposed(text, instead_of=old)),
        (RESTING, proposed(CYCLING.replace("repeat: 3", "repeat: 5"), 2, instead_of=old)),
    ).works()
    assert at.answer(1)[0] == "done"
    assert at.answer(2)[0] == "refused"
    assert "was revised since" in at.answer(2)[1]


def test_a_spectrum_that_is_being_measured_stays_what_it_is() -> None:
    start = looped_program(1)
    other = with_limits(start)
    at = somebody(start=start)
    spectrum = other.instructions[6]
    text = proposed(CYCLING)
    changed = Proposed(text.order, _other_sweep(other, spectrum), text.row, text.first)

    def in_the_spectrum() -> None:
        if at.run.cursor.place.pc == 6 and at.run.cursor.place.spectrum_part == 1 and at.wishes:
            at.run.consider(changed.order, changed)
            at.wishes.clear()

    at.wishes = [(float("inf"), changed)]
    at.schedule.between = in_the_spectrum
    at.schedule.run(at.tasks)
    outcome, words = at.answer(1)
    assert outcome == "refused"
    assert "a spectrum is being measured" in words
    assert at.run.state is RunState.FINISHED


def _other_sweep(start: Program, spectrum: object) -> Program:
    assert isinstance(spectrum, Step)
    assert spectrum.sweep is not None
    longer = replace(spectrum, sweep=replace(spectrum.sweep, points=30))
    return replace(start, instructions=(*start.instructions[:6], longer), sha256="other")


def test_one_that_found_no_moment_is_given_up_before_its_giver_gives_up() -> None:
    at = somebody()
    waiting = proposed(CYCLING.replace("repeat: 3", "repeat: 4"))
    at.run.state = RunState.RUNNING
    at.run.consider(waiting.order, waiting)
    at.run.desk.give_up_late(49_000_000)
    assert not at.keeper.answers
    at.run.desk.give_up_late(51_000_000)
    assert at.answer(1)[0] == "failed"
    assert at.run.desk.proposed is None


def test_the_end_of_the_run_answers_what_still_waits() -> None:
    at = somebody()
    waiting = proposed(CYCLING)
    at.run.state = RunState.RUNNING
    at.run.consider(waiting.order, waiting)
    at.run.desk.answer_at_the_end(RunState.TRIPPED, "")
    assert at.answer(1) == ("refused", "the run is tripped")


# --- a soak, a wait ------------------------------------------------------------------------------

SOAKING = CYCLING.replace(
    "  - rest: {for: 10 min}",
    "  - set_temperature: {to: 25 degC, within: 1 K, soak: 1 h, timeout: 9 h}",
)


def test_on_its_way_to_another_temperature_the_soak_begins_again_and_else_goes_on() -> None:
    old, longer = program(SOAKING), program(SOAKING.replace("soak: 1 h", "soak: 2 h"))
    warmer = program(SOAKING.replace("to: 25 degC", "to: 40 degC"))
    cursor, action = begin(old)
    for second in (0.0, 600.0):
        air = Reading(second, 3.5, 0.0, temperature_celsius=25.0, granted=True)
        cursor, action = advance(old, cursor, air)
    same, unchanged = revised(old, longer, cursor, action)
    assert same.soak == cursor.soak
    assert unchanged == action
    begun_again, heats = revised(old, warmer, cursor, action)
    assert heats is not None
    assert heats.command == SetTemperature(40.0)
    assert begun_again.place.chamber_celsius == 40.0
    assert begun_again.soak == Soak()
    waiting, nothing = revised(old, warmer, cursor, None)
    assert nothing is None, "a run that is paused commands nothing"
    assert waiting.place.chamber_celsius == 40.0


def test_a_run_that_waits_for_its_temperature_is_revised_and_stays_disconnected() -> None:
    old, new = program(BOUND), program(tightened(BOUND, "4.2 V"))
    cursor, _ = begin(old)
    suspended = cursor._replace(suspension=Suspension(10.0))
    moved, action = revised(old, new, suspended, Action(25.0))
    assert action == Action(25.0)
    assert moved.suspension.on


# --- properties ----------------------------------------------------------------------------------

LOWER = ("4.3 V", "4.2 V", "4.1 V", "4.05 V")
# The first step has no voltage of its own: its instrument is armed with the limit itself.
BOUND = CYCLING.replace("- rest: {for: 10 min}", "- charge: {at: 0.1 A, for: 2 h}", 1)


def _reading(second: float, volt: float) -> Reading:
    return Reading(second, volt, 0.5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(2.6, 4.39), min_size=1, max_size=60),
    st.integers(0, 59),
    st.sampled_from(LOWER),
)
def test_after_a_revision_at_any_moment_nothing_is_done_outside_its_limits(
    volts: list[float], moment: int, limit: str
) -> None:
    """What is armed is within the new limits, and every reading beyond them disconnects at once."""
    old, new = program(BOUND), program(tightened(BOUND, limit))
    highest = new.safety.voltage_max_volt
    assert highest is not None
    cursor, action = begin(old)
    now, used, revised_yet, armed = 0.0, old, False, action.command
    for index, volt in enumerate(volts):
        if index == moment and cursor.halt is Halt.NONE:
            cursor, changed = revised(old, new, cursor, action)
            assert changed is not None
            action, used, revised_yet = changed, new, True
        armed = action.command or armed
        if revised_yet:
            assert _within(armed, highest)
        now += 60.0
        reading = _reading(now, volt)
        cursor, action = advance(used, cursor, reading)
        if revised_yet and volt > highest:
            assert isinstance(action.command, MakeSafe)
            assert cursor.halt is Halt.TRIPPED
    if revised_yet and cursor.halt is Halt.NONE:
        assert breach(new.safety, cursor.progress, _reading(now, volts[-1])) is None


def _within(command: Command | None, highest_volt: float) -> bool:
    if not isinstance(command, Apply):
        return True
    match command.setpoint:
        case ConstantCurrent(_, limit, _):
            return limit <= highest_volt
        case ConstantVoltage(volt, _):
            return volt <= highest_volt
    return True


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(2.6, 4.0), min_size=2, max_size=40), st.data())
def test_a_replay_from_any_commit_gives_the_same_state(volts: list[float], data) -> None:
    """Killed anywhere, before or after: the cursor says by which text it goes on, and goes on the same."""
    moment = data.draw(st.integers(0, len(volts) - 1))
    killed = data.draw(st.integers(0, len(volts) - 1))
    whole = _replayed(volts, moment, None)
    assert _replayed(volts, moment, killed) == whole


def _replayed(volts: list[float], moment: int, killed: int | None) -> str:
    texts = {1: program(), 2: program(tightened(CYCLING, "4.2 V"))}
    cursor, action = begin(texts[1])
    for index, volt in enumerate(volts):
        if index == moment and cursor.halt is Halt.NONE:
            cursor, changed = revised(texts[1], texts[2], cursor, action)
            assert changed is not None
            action = changed
        if index == killed:
            cursor = from_json(to_json(cursor))
        used = texts[cursor.place.revision]
        cursor, action = advance(used, cursor, _reading(60.0 * (index + 1), volt))
    return to_json(cursor)
