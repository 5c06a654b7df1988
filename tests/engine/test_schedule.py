"""Two schedules, one contract: order, outcomes, and a stop that every task survives to make safe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rig.core.clock import Clock, PacedClock, RealClock, SimulatedClock
from rig.core.errors import LinkTimeout, RigError
from rig.engine.schedule import (
    Interrupted,
    Request,
    Schedule,
    SimulatedSchedule,
    Task,
    ThreadedSchedule,
)
from tests.engine.rigs import looped_program, run_on_ideal

SPEED = 1000.0


def simulated() -> Schedule:
    return SimulatedSchedule(SimulatedClock())


def paced() -> Schedule:
    return SimulatedSchedule(PacedClock(SPEED))


def threaded() -> Schedule:
    return ThreadedSchedule(RealClock(SPEED))


@pytest.fixture(params=[simulated, paced, threaded], ids=lambda make: make.__name__)
def schedule(request: pytest.FixtureRequest) -> Schedule:
    make: Callable[[], Schedule] = request.param
    return make()


class Notes:
    """What happened, in order, and in which thread; a list's append is safe from any thread."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []

    def call(self, name: str) -> Callable[[], str]:
        def note() -> str:
            self.entries.append((name, threading.current_thread().name))
            return name

        return note

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.entries]


def ask(clock: Clock, notes: Notes, port: str, *names: str) -> Task:
    """Ask one thing after the other, ten seconds apart."""
    due = clock.now()
    for number, name in enumerate(names):
        answer = yield Request(due + 10.0 * number, port, notes.call(name))
        assert answer == name


def test_every_task_is_run_to_its_end_and_given_its_answers(schedule):
    notes = Notes()
    tasks = [ask(schedule.clock, notes, port, f"{port}0", f"{port}1") for port in "abc"]
    schedule.run(tasks)
    assert sorted(notes.names) == ["a0", "a1", "b0", "b1", "c0", "c1"]


def test_requests_on_one_port_are_done_in_order_of_their_due_times(schedule):
    notes = Notes()
    begin = schedule.clock.now()

    def later(second: float) -> Task:
        yield Request(begin + second, "a", notes.call(f"{second:g}"))

    schedule.run([later(second) for second in (40.0, 10.0, 30.0, 20.0)])
    assert notes.names == ["10", "20", "30", "40"]


def test_nothing_is_done_before_it_is_due(schedule):
    seen: list[float] = []
    begin = schedule.clock.now()

    def task() -> Task:
        yield Request(begin + 50.0, "a", lambda: seen.append(schedule.clock.now()))
        yield Request(begin + 80.0)  # only waits
        seen.append(schedule.clock.now())

    schedule.run([task()])
    assert seen[0] >= begin + 50.0
    assert seen[1] >= begin + 80.0


def test_an_exception_goes_to_the_task_that_asked_and_to_no_other(schedule):
    caught: list[str] = []
    notes = Notes()

    def broken() -> str:
        raise LinkTimeout("no answer")

    def asks() -> Task:
        try:
            yield Request(schedule.clock.now(), "a", broken)
        except LinkTimeout as error:
            caught.append(str(error))
        yield Request(schedule.clock.now(), "a", notes.call("goes on"))

    schedule.run([asks(), ask(schedule.clock, notes, "b", "other")])
    assert caught == ["no answer"]
    assert sorted(notes.names) == ["goes on", "other"]


def stopped_soon(schedule: Schedule, steps: int = 3) -> None:
    """Let ``between`` give the order to stop after so many steps of work."""
    count = iter(range(1_000_000))

    def between() -> None:
        if next(count) == steps:
            schedule.stop("Ctrl-C")

    schedule.between = between


def test_a_stop_withdraws_what_is_not_due_and_every_task_makes_safe(schedule):
    notes = Notes()
    reasons: list[str] = []
    begin = schedule.clock.now()

    def cycling(port: str) -> Task:
        try:
            for second in range(1_000_000):
                yield Request(begin + second, port, notes.call("measure"))
        except Interrupted as order:
            reasons.append(str(order))
            yield Request(schedule.clock.now(), port, notes.call(f"safe {port}"))

    def resting() -> Task:
        try:
            yield Request(begin + 1e7, "c", notes.call("in a month"))
        except Interrupted:
            yield Request(schedule.clock.now(), "c", notes.call("safe c"))

    stopped_soon(schedule)
    schedule.run([cycling("a"), cycling("b"), resting()])
    assert reasons == ["Ctrl-C", "Ctrl-C"]
    assert "in a month" not in notes.names
    assert sorted(notes.names[-3:]) == ["safe a", "safe b", "safe c"]


def test_a_failure_between_steps_stops_all_and_is_raised_when_all_are_safe(schedule):
    notes = Notes()
    reasons: list[str] = []
    begin = schedule.clock.now()

    def cycling(port: str) -> Task:
        try:
            for second in range(1_000_000):
                yield Request(begin + second, port, notes.call("measure"))
        except Interrupted as order:
            reasons.append(str(order))
            yield Request(schedule.clock.now(), port, notes.call(f"safe {port}"))

    def fails() -> None:
        if len(notes.entries) > 5:
            raise RigError("disk full")

    schedule.between = fails
    with pytest.raises(RigError, match="disk full"):
        schedule.run([cycling("a"), cycling("b")])
    assert sorted(notes.names[-2:]) == ["safe a", "safe b"]
    assert reasons == ["data cannot be stored: disk full"] * 2


def test_a_task_that_breaks_is_raised_only_when_all_others_are_safe(schedule):
    """A bug in one chamber's driver must not leave twenty cells connected."""
    notes = Notes()
    begin = schedule.clock.now()

    def broken() -> Task:
        yield Request(begin + 5.0, "oven", notes.call("read"))
        raise ZeroDivisionError("a bug")

    def cycling() -> Task:
        try:
            for second in range(1_000_000):
                yield Request(begin + second, "a", notes.call("measure"))
        except Interrupted:
            yield Request(schedule.clock.now(), "a", notes.call("safe"))

    with pytest.raises(ZeroDivisionError):
        schedule.run([cycling(), broken()])
    assert notes.names[-1] == "safe"


def test_a_second_stop_reaches_a_task_that_is_making_safe(schedule):
    """An impatient person presses Ctrl-C twice; the task decides, the schedule only tells it."""
    notes = Notes()
    begin = schedule.clock.now()
    orders: list[str] = []

    def patient() -> Task:
        while len(orders) < 2:
            try:
                yield Request(begin + 1e7, "a", notes.call("never"))
            except Interrupted as order:
                orders.append(str(order))
                schedule.stop("again") if len(orders) == 1 else None

    def ticking() -> Task:
        for second in range(1_000_000):
            if len(orders) == 2:
                return
            try:
                yield Request(begin + second, "b", notes.call("tick"))
            except Interrupted:
                continue

    stopped_soon(schedule)
    schedule.run([patient(), ticking()])
    assert orders == ["Ctrl-C", "again"]
    assert "never" not in notes.names


# --- threads -------------------------------------------------------------------------------------


def test_each_port_has_one_thread_of_its_own_and_tasks_live_in_the_callers():
    schedule, notes = threaded(), Notes()
    homes: set[str] = set()

    def task(port: str) -> Task:
        for _ in range(5):
            homes.add(threading.current_thread().name)
            yield Request(schedule.clock.now(), port, notes.call(port))

    before = set(threading.enumerate())
    schedule.run([task("a"), task("b"), task("a")])
    assert set(threading.enumerate()) == before
    assert homes == {threading.current_thread().name}
    threads = {(name, thread) for name, thread in notes.entries}
    assert threads == {("a", "port a"), ("b", "port b")}


def test_a_port_that_hangs_does_not_hold_up_another():
    """Port a waits for something that only port b's later answer sets off."""
    schedule, answered = threaded(), threading.Event()

    def slow() -> Task:
        assert (yield Request(schedule.clock.now(), "a", lambda: answered.wait(10.0)))

    def quick() -> Task:
        yield Request(schedule.clock.now() + 20.0, "b", answered.set)

    schedule.run([slow(), quick()])


def test_a_stop_is_heard_while_a_call_is_on_the_wire_and_its_late_answer_is_dropped():
    schedule, hung_up = threaded(), threading.Event()
    notes = Notes()

    def on_the_wire() -> str:
        schedule.stop("Ctrl-C")  # as from a signal handler, in the middle of the call
        hung_up.wait(10.0)
        return "late"

    def task() -> Iterator[Any]:
        try:
            yield Request(schedule.clock.now(), "a", on_the_wire)
        except Interrupted:
            hung_up.set()
            answer = yield Request(schedule.clock.now(), "a", notes.call("safe"))
            notes.call(f"answered {answer}")()

    schedule.run([task()])
    assert notes.names == ["safe", "answered safe"]


def test_no_thread_is_left_when_a_task_breaks():
    schedule = threaded()

    def broken() -> Task:
        yield Request(schedule.clock.now(), "a", lambda: None)
        raise ZeroDivisionError

    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError):
        schedule.run([broken()])
    assert set(threading.enumerate()) == before


# --- order on the simulated clock ----------------------------------------------------------------


def test_the_simulated_schedule_repeats_to_the_step():
    def trace() -> list[str]:
        schedule, notes = simulated(), Notes()
        tasks = [
            ask(schedule.clock, notes, port, *(f"{port}{n}" for n in range(9))) for port in "abc"
        ]
        schedule.run(tasks)
        return notes.names

    assert trace() == trace()
    assert trace()[:4] == ["a0", "b0", "c0", "a1"]


def test_each_task_sees_its_own_time():
    """Two ports may each spend 40 s of one instant, as two real ports would."""
    schedule = simulated()
    seen: list[float] = []

    def task() -> Task:
        yield Request(100.0, "p", lambda: schedule.clock.wait_until(140.0))
        seen.append(schedule.clock.now())

    schedule.run([task(), task()])
    assert seen == [140.0, 140.0]


# --- a run as a task -----------------------------------------------------------------------------


def test_however_often_a_run_is_stopped_it_goes_on_disconnecting_and_raises_no_false_alarm():
    """Every press of Ctrl-C takes the request back; the run must ask again each time."""
    run, channel, *_ = run_on_ideal(looped_program())
    task = run.task()
    request = next(task)
    for _ in range(10):
        request = task.throw(Interrupted("Ctrl-C"))
        assert request.call == channel.make_safe
    assert run.alarm == ""


def test_a_real_time_schedule_says_what_is_on_a_wire_and_what_waits_for_one():
    """Also after a failure, when ``between`` is called no more: the watchdog goes on hearing."""
    schedule = threaded()
    release, seen = threading.Event(), []

    def broken() -> None:
        raise RigError("the disk is full")

    def look() -> None:
        pending = sorted(request.due_second for request in schedule.pending())
        if pending == [1.0, 2.0]:
            seen.append(pending)
            release.set()

    def task(second: float) -> Task:
        try:
            yield Request(second, "p", release.wait)
        except Interrupted:
            yield Request(second, "p", release.wait)

    schedule.between, schedule.alive = broken, look
    with pytest.raises(RigError, match="disk"):
        schedule.run([task(1.0), task(2.0)])
    assert seen
    assert schedule.pending() == []


# --- tasks that come later -----------------------------------------------------------------------


def test_a_task_that_is_added_lives_among_the_others_and_begins_now(schedule):
    notes = Notes()
    began: list[float] = []

    def late() -> Task:
        began.append(schedule.clock.now())
        yield Request(schedule.clock.now(), "b", notes.call("late"))

    def between() -> None:
        if notes.names == ["a0", "a1"] and not began:
            schedule.add(late())

    schedule.between = between
    first = schedule.clock.now()
    schedule.run([ask(schedule.clock, notes, "a", "a0", "a1", "a2")])
    assert sorted(notes.names) == ["a0", "a1", "a2", "late"]
    assert began[0] >= first + 10.0


def test_a_schedule_that_stays_waits_for_tasks_until_it_is_stopped(schedule):
    notes = Notes()
    turns = iter(range(1_000_000))

    def between() -> None:
        turn = next(turns)
        if turn == 2:
            schedule.add(ask(schedule.clock, notes, "a", "a0"))
        if notes.names:
            schedule.stop("enough")

    schedule.between, schedule.stays = between, True
    schedule.run([])
    assert notes.names == ["a0"]
    assert schedule.ending


def test_what_comes_when_all_is_to_end_does_not_begin(schedule):
    began: list[str] = []

    def late() -> Task:
        began.append("late")
        yield Request(schedule.clock.now())

    def between() -> None:
        schedule.stop("Ctrl-C")
        schedule.add(late())

    schedule.between, schedule.stays = between, True
    schedule.run([])
    assert began == []


def test_a_port_that_is_retired_has_no_thread_and_may_come_back():
    schedule, notes = threaded(), Notes()
    seen: list[set[str]] = []

    def task() -> Task:
        yield Request(schedule.clock.now(), "a", notes.call("one"))
        schedule.retire("a")
        seen.append({thread.name for thread in threading.enumerate()})
        yield Request(schedule.clock.now(), "a", notes.call("two"))

    schedule.run([task()])
    assert "port a" not in seen[0]
    assert notes.names == ["one", "two"]
