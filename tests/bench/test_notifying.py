"""The notifier, by hand on a simulated clock: a target that fails is tried again, and delays nobody."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.file import parse_bench
from rig.bench.notifying import (
    FIRST_PAUSE_SECOND,
    LONGEST_PAUSE_SECOND,
    MOST_WAITING,
    PATIENCE_SECOND,
    READ_EVERY_SECOND,
    Notifier,
    notifier_of,
)
from rig.bench.targets import send_to_all
from rig.core.alarms import Alarm, Severity, acknowledge, raise_alarm
from rig.core.clock import RealClock, SimulatedClock
from rig.core.errors import StoreError
from rig.store.alarms import raise_now
from tests.bench.post_office import web_server
from tests.bench.test_notify_file import BENCH
from tests.store.stores import store_at


@dataclass
class Mailbox:
    """A target that takes everything, or fails as long as ``reason`` says why."""

    label: str = "mailbox"
    lowest: Severity = Severity.WARNING
    reason: str = ""
    titles: list[str] = field(default_factory=list)
    tries: list[float] = field(default_factory=list)
    clock: SimulatedClock | None = None

    def send(self, title: str, body: str, severity: Severity) -> str:
        self.tries.append(self.clock.now() if self.clock else 0.0)
        if not self.reason:
            self.titles.append(title)
        return self.reason


@dataclass
class Alarms:
    """What the database would say."""

    latched: list[Alarm] = field(default_factory=list)
    done: list[Alarm] = field(default_factory=list)
    away: bool = False

    def __call__(self, also: Collection[str]) -> list[Alarm]:
        if self.away:
            raise StoreError("database is locked")
        return self.latched + [alarm for alarm in self.done if alarm.alarm_id in also]

    def add(self, severity: Severity = Severity.ALARM, kind: str = "safety-voltage") -> Alarm:
        alarm = raise_alarm(severity, kind, "words", raised_us=1, channel="A1", run_id="r1")
        self.latched.append(alarm)
        return alarm

    def acknowledge(self, alarm: Alarm) -> None:
        self.latched.remove(alarm)
        self.done.append(acknowledge(alarm, 9, "maria@labpc3", "loose clip"))


@dataclass
class Desk:
    """A notifier to be turned by hand, with all that it touches."""

    mailboxes: list[Mailbox]
    alarms: Alarms = field(default_factory=Alarms)
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    lost: list[str] = field(default_factory=list)
    notifier: Notifier = field(init=False)

    def __post_init__(self) -> None:
        for mailbox in self.mailboxes:
            mailbox.clock = self.clock
        self.notifier = Notifier(
            self.mailboxes, self.alarms, self.clock, sender="b.yaml on labpc3", lost=self._lost
        )

    def _lost(self, alarm: Alarm, message: str) -> None:
        self.lost.append(f"{alarm.kind}: {message}")

    def turn_until(self, second: float) -> None:
        """Let the notifier work whenever it says that something is due."""
        due = self.notifier.turn()
        while due <= second:
            self.clock.wait_until(due)
            due = self.notifier.turn()
        self.clock.wait_until(second)


def test_everybody_is_told_within_the_reading_interval_of_what_concerns_him() -> None:
    everything, worst = Mailbox("all", Severity.NOTICE), Mailbox("worst", Severity.CRITICAL)
    desk = Desk([everything, worst])
    desk.turn_until(10.0)
    desk.alarms.add(Severity.WARNING, "link-lost")
    desk.alarms.add(Severity.CRITICAL, "unconfirmed-safe-state")
    desk.turn_until(10.0 + READ_EVERY_SECOND)
    assert worst.titles == ["[cellrig] CRITICAL, channel A1: unconfirmed-safe-state"]
    assert everything.titles == ["[cellrig] WARNING, channel A1: link-lost", *worst.titles]
    desk.turn_until(60.0)
    assert len(everything.titles) == 2


def test_an_acknowledgement_is_told_to_those_who_were_told_of_the_alarm() -> None:
    desk = Desk([Mailbox()])
    alarm = desk.alarms.add()
    desk.turn_until(5.0)
    desk.alarms.acknowledge(alarm)
    desk.turn_until(20.0)
    assert len(desk.mailboxes[0].titles) == 2
    assert "acknowledged" in desk.mailboxes[0].titles[-1]


def test_a_target_that_fails_is_tried_again_after_growing_pauses_and_then_has_everything() -> None:
    broken = Mailbox(reason="connection refused")
    desk = Desk([broken])
    desk.alarms.add()
    desk.turn_until(3600.0)
    waits = [late - early for early, late in zip(broken.tries, broken.tries[1:], strict=False)]
    assert waits[:4] == [FIRST_PAUSE_SECOND * 2**n for n in range(4)]
    assert max(waits) == LONGEST_PAUSE_SECOND
    broken.reason = ""
    desk.turn_until(3600.0 + LONGEST_PAUSE_SECOND)
    assert len(broken.titles) == 1
    assert (desk.notifier.delivered, desk.notifier.undelivered, desk.lost) == (1, 0, [])


def test_a_target_that_fails_delays_no_other() -> None:
    broken, well = Mailbox("broken", reason="no route"), Mailbox("well")
    desk = Desk([broken, well])
    for number in range(5):
        desk.alarms.add(kind=f"kind-{number}")
        desk.turn_until(10.0 * (number + 1))
        assert len(well.titles) == number + 1
    assert broken.titles == []


def test_a_message_that_a_target_does_not_like_does_not_block_those_behind_it() -> None:
    @dataclass
    class Choosy(Mailbox):
        def send(self, title: str, body: str, severity: Severity) -> str:
            self.reason = "too rude" if "rude" in title else ""
            return super().send(title, body, severity)

    choosy = Choosy()
    desk = Desk([choosy])
    desk.alarms.add(kind="rude")
    desk.alarms.add(kind="polite")
    desk.turn_until(60.0)
    assert choosy.titles == ["[cellrig] ALARM, channel A1: polite"]


def test_what_nobody_could_be_told_for_a_day_is_given_up_and_recorded_once() -> None:
    broken = Mailbox("mailto (b.yaml:9:12)", reason="authentication failed")
    desk = Desk([broken])
    desk.alarms.add()
    desk.alarms.add(kind="link-lost")
    desk.turn_until(PATIENCE_SECOND + 700.0)
    words = "mailto (b.yaml:9:12) could not be told: authentication failed"
    assert len(desk.lost) == 1
    assert desk.lost[0].endswith(words)
    assert desk.notifier.undelivered == 2


def test_a_target_that_is_away_for_long_keeps_the_worst_messages() -> None:
    broken = Mailbox(reason="no route")
    desk = Desk([broken])
    worst = desk.alarms.add(Severity.CRITICAL, "unconfirmed-safe-state")
    for number in range(2 * MOST_WAITING):
        desk.alarms.add(Severity.WARNING, f"kind-{number}")
    desk.turn_until(10.0)
    assert desk.notifier.undelivered == MOST_WAITING + 1
    broken.reason = ""
    desk.turn_until(700.0)
    assert len(broken.titles) == MOST_WAITING
    assert any(worst.kind in title for title in broken.titles)


def test_a_database_that_is_away_is_read_when_it_is_back() -> None:
    desk = Desk([Mailbox()])
    desk.alarms.add()
    desk.alarms.away = True
    desk.turn_until(30.0)
    assert desk.mailboxes[0].titles == []
    desk.alarms.away = False
    desk.turn_until(30.0 + READ_EVERY_SECOND)
    assert len(desk.mailboxes[0].titles) == 1


def test_what_the_database_does_not_have_can_be_said_and_is_not_said_again_from_there() -> None:
    desk = Desk([Mailbox()])
    alarm = raise_alarm(Severity.ALARM, "disk-full", "the disk is full", raised_us=1)
    desk.notifier.tell(alarm)
    desk.turn_until(0.5)
    assert desk.mailboxes[0].titles == ["[cellrig] ALARM, the bench: disk-full"]
    desk.alarms.latched.append(alarm)
    desk.turn_until(30.0)
    assert len(desk.mailboxes[0].titles) == 1


def test_whoever_tells_is_never_held_up_however_much_there_is_to_say() -> None:
    desk = Desk([Mailbox()])  # nobody turns it
    for number in range(3 * MOST_WAITING):
        desk.notifier.tell(raise_alarm(Severity.ALARM, f"kind-{number}", "words", raised_us=1))
    assert desk.notifier.undelivered == 2 * MOST_WAITING


def test_at_the_end_everything_is_tried_once_more_without_pauses() -> None:
    well, broken = Mailbox("well"), Mailbox("broken", reason="no route")
    desk = Desk([broken, well])
    desk.turn_until(1.0)
    for number in range(4):
        desk.alarms.add(kind=f"kind-{number}")
    desk.notifier.finish()
    assert len(well.titles) == 4
    assert len(broken.tries) == 2
    assert desk.notifier.undelivered == 4
    assert desk.lost == ["kind-2: broken could not be told: no route"]


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 10))
def test_however_a_target_fails_nothing_is_lost_nor_said_twice(
    fails: list[bool], many: int
) -> None:
    @dataclass
    class Moody(Mailbox):
        def send(self, title: str, body: str, severity: Severity) -> str:
            self.reason = "not now" if fails and fails.pop() else ""
            return super().send(title, body, severity)

    moody = Moody()
    desk = Desk([moody])
    for number in range(many):
        desk.alarms.add(kind=f"kind-{number}")
    desk.turn_until(12 * LONGEST_PAUSE_SECOND)
    assert len(moody.titles) == len(set(moody.titles)) == many


def test_the_thread_tells_what_it_is_told_and_ends_when_it_is_closed() -> None:
    arrived = threading.Event()

    @dataclass
    class Bell(Mailbox):
        def send(self, title: str, body: str, severity: Severity) -> str:
            arrived.set()
            return super().send(title, body, severity)

    bell, alarms = Bell(), Alarms()
    notifier = Notifier([bell], alarms, RealClock(), sender="b", lost=lambda _alarm, _why: None)
    notifier.start()
    notifier.tell(raise_alarm(Severity.ALARM, "disk-full", "words", raised_us=1))
    assert arrived.wait(10.0)
    alarms.add(kind="the last word")
    notifier.close()
    assert len(bell.titles) == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "notifier"]


def test_a_target_that_hangs_holds_up_nobody_who_has_something_to_say() -> None:
    hangs, let_go = threading.Event(), threading.Event()

    @dataclass
    class Deaf(Mailbox):
        def send(self, title: str, body: str, severity: Severity) -> str:
            hangs.set()
            assert let_go.wait(30.0)
            return super().send(title, body, severity)

    deaf, alarms = Deaf(), Alarms()
    notifier = Notifier([deaf], alarms, RealClock(), sender="b", lost=lambda _alarm, _why: None)
    notifier.start()
    for number in range(5):
        notifier.tell(raise_alarm(Severity.ALARM, f"kind-{number}", "words", raised_us=1))
        assert hangs.wait(10.0)
    assert deaf.titles == []
    let_go.set()
    notifier.close()
    assert len(deaf.titles) == 5


def test_a_test_message_goes_to_all_whom_its_severity_concerns_and_says_who_failed() -> None:
    well, broken = Mailbox("well"), Mailbox("broken", reason="no route")
    above = replace(well, label="above", lowest=Severity.CRITICAL)
    told = send_to_all([well, broken, above], "title", "body", Severity.ALARM)
    assert told == {"well": "", "broken": "no route"}


@pytest.mark.parametrize("severity", list(Severity))
def test_a_target_is_told_from_its_own_severity_on(severity: Severity) -> None:
    mailbox = Mailbox(lowest=severity)
    desk = Desk([mailbox])
    for each in Severity:
        desk.alarms.add(each, each.value)
    desk.turn_until(10.0)
    assert len(mailbox.titles) == len([each for each in Severity if each >= severity])


def test_the_engine_leaves_what_a_rule_raised_to_who_judges_rules(tmp_path) -> None:
    engine = store_at(tmp_path / "rig.db", "a")
    with web_server() as web:
        bench = parse_bench(f"{BENCH}  - {{url: {web.web_url()}}}\n", "b.yaml")
        notifier = notifier_of(bench, engine, ["A1"])
        for kind in ("rule-low-efficiency", "silence-dead-man", "safety-voltage"):
            raised = raise_alarm(Severity.ALARM, kind, "w", raised_us=1, channel="A1", run_id="a")
            raise_now(engine, raised)
        notifier.finish()
        assert [one["title"] for one in web.posted] == [
            "[cellrig] ALARM, channel A1: safety-voltage"
        ]
    engine.dispose()
