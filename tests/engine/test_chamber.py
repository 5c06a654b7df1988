"""One chamber, several runs: who gets the set point, what the air is, and how it is left."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.clock import SimulatedClock
from rig.core.errors import InstrumentError, LinkTimeout, Refused
from rig.core.instruments import ChamberReading
from rig.engine.chamber import OLDEST_SECOND, READ_EVERY_SECOND, SharedChamber
from rig.engine.schedule import Interrupted, Request, SimulatedSchedule, Task
from tests.engine.rigs import IdealChamber


@dataclass
class MoodyChamber(IdealChamber):
    """Does not answer between two moments, and refuses what is too hot for it."""

    clock: SimulatedClock | None = None
    mute_from: float = float("inf")
    mute_until: float = float("inf")
    hottest: float = 100.0

    def read_temperature(self) -> ChamberReading:
        assert self.clock is not None
        if self.mute_from <= self.clock.now() < self.mute_until:
            raise LinkTimeout("oven: no answer")
        return super().read_temperature()

    def set_temperature(self, temperature_celsius: float) -> None:
        if temperature_celsius > self.hottest:
            raise Refused(f"oven: {temperature_celsius:g} degC refused")
        super().set_temperature(temperature_celsius)


def chamber(**moods: float) -> tuple[SharedChamber, MoodyChamber, SimulatedSchedule]:
    clock = SimulatedClock()
    oven = MoodyChamber(clock=clock, **moods)
    return (
        SharedChamber("oven", oven, "oven", clock, lambda _port: None),
        oven,
        SimulatedSchedule(clock),
    )


def at(*moments: tuple[float, object]) -> Task:
    """Do these things at these seconds."""
    for second, thing in moments:
        yield Request(second)
        thing()  # type: ignore[operator]


def test_a_temperature_is_granted_when_it_has_been_commanded():
    shared, oven, schedule = chamber()
    granted: list[bool] = []
    shared.join("a")
    shared.ask("a", 40.0)
    assert not shared.granted("a")
    schedule.run(
        [
            shared.task(),
            at(
                (60.0, lambda: granted.append(shared.granted("a"))),
                (61.0, lambda: shared.leave("a")),
            ),
        ]
    )
    assert granted == [True]
    assert oven.commands == [40.0]
    assert oven.safe


def test_two_runs_that_ask_for_the_same_share_it():
    shared, oven, schedule = chamber()
    seen: list[bool] = []
    for run in "ab":
        shared.join(run)
        shared.ask(run, 40.0)
    schedule.run(
        [
            shared.task(),
            at(
                (60.0, lambda: seen.extend(shared.granted(run) for run in "ab")),
                (61.0, lambda: [shared.leave(run) for run in "ab"]),
            ),
        ]
    )
    assert seen == [True, True]
    assert oven.commands == [40.0]


def test_who_asks_for_another_waits_until_the_last_holder_has_gone():
    shared, oven, schedule = chamber()
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        seen.append((shared.granted("a"), shared.granted("b")))

    for run in "ab":
        shared.join(run)
    shared.ask("a", 40.0)
    shared.ask("b", 60.0)
    schedule.run(
        [
            shared.task(),
            at(
                (60.0, look),
                (61.0, lambda: shared.leave("a")),
                (120.0, look),
                (121.0, lambda: shared.leave("b")),
            ),
        ]
    )
    assert seen == [(True, False), (False, True)]
    assert oven.commands == [40.0, 60.0]


def test_asking_again_gives_up_what_was_held():
    """Two pellets on one protocol go from 25 to 40 degC together: the slower one decides when."""
    shared, _, _ = chamber()
    shared.ask("a", 25.0)
    shared.ask("b", 25.0)
    shared.ask("a", 40.0)
    assert shared._holding == {"b": 25.0}
    shared.ask("b", 40.0)
    assert shared._holding == {"a": 40.0, "b": 40.0}


Verbs = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([25.0, 40.0, 60.0, None])), max_size=30
)


@given(Verbs)
def test_never_do_two_runs_hold_different_temperatures_and_nobody_waits_for_nobody(verbs):
    shared, _, _ = chamber()
    for run, celsius in verbs:
        if celsius is None:
            shared.leave(run)
        else:
            shared.ask(run, celsius)
        assert len(set(shared._holding.values())) <= 1
        if shared._asking:
            assert shared._holding, "somebody waits although nobody holds the chamber"


def test_an_air_that_nobody_has_read_is_no_temperature():
    shared, _, _ = chamber(mute_from=0.0)
    shared.join("a")
    next(shared.task())
    assert math.isnan(shared.temperature_celsius(1.0)), "the first reading is on its way"
    with pytest.raises(InstrumentError, match="oven: its temperature could not be read"):
        shared.temperature_celsius(40.0)


def test_one_missed_reading_is_nothing_and_silence_is_an_error_that_says_why():
    shared, _, schedule = chamber(mute_from=100.0)
    said: list[object] = []

    def look() -> None:
        try:
            said.append(shared.temperature_celsius(schedule.clock.now()))
        except InstrumentError as error:
            said.append(str(error))

    shared.join("a")
    schedule.run(
        [
            shared.task(),
            at(
                (100.0 + READ_EVERY_SECOND, look),
                (105.0 + OLDEST_SECOND, look),
                (200.0, lambda: shared.leave("a")),
            ),
        ]
    )
    assert said[0] == 20.0
    assert "ago; oven: no answer" in str(said[1])


def test_a_chamber_that_answers_again_is_good_again():
    shared, _, schedule = chamber(mute_from=100.0, mute_until=200.0)
    read: list[float] = []
    shared.join("a")
    schedule.run(
        [
            shared.task(),
            at(
                (250.0, lambda: read.append(shared.temperature_celsius(250.0))),
                (251.0, lambda: shared.leave("a")),
            ),
        ]
    )
    assert read == [20.0]
    assert shared.fault == ""


def test_an_alarm_of_the_chamber_makes_its_temperature_unusable():
    shared, _, _ = chamber()
    shared.latest = ChamberReading(25.0, 25.0, True, (46, 2))
    with pytest.raises(InstrumentError, match="reports alarm 46, 2"):
        shared.temperature_celsius(0.0)


def test_a_refused_set_point_is_never_granted_and_the_reason_is_kept():
    shared, oven, schedule = chamber(hottest=80.0)
    seen: list[bool] = []
    shared.join("a")
    shared.ask("a", 90.0)
    schedule.run(
        [
            shared.task(),
            at((60.0, lambda: seen.append(shared.granted("a"))), (61.0, lambda: shared.leave("a"))),
        ]
    )
    assert seen == [False]
    assert oven.commands == []
    assert oven.safe


def test_a_stop_leaves_the_chamber_safe():
    shared, oven, schedule = chamber()
    shared.join("a")
    shared.ask("a", 60.0)
    count = iter(range(1000))

    def between() -> None:
        if next(count) == 5:
            schedule.stop("Ctrl-C")

    schedule.between = between
    schedule.run([shared.task()])
    assert oven.commands == [60.0]
    assert oven.safe


def test_however_often_it_is_stopped_the_chamber_goes_on_being_left_safe():
    """The impatient press Ctrl-C again; what escaped from here would end the loop of all runs."""
    shared, oven, _ = chamber()
    shared.join("a")
    task = shared.task()
    request = next(task)
    for _ in range(5):
        request = task.throw(Interrupted("Ctrl-C"))
        assert request.call == oven.make_safe
