"""What people are told of an alarm, and when: nothing twice, nothing that matters too late."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.notices import REMIND_EVERY_SECOND, Occasion, Told, message_of, messages_of
from rig.core.alarms import Alarm, Severity, acknowledge, raise_alarm

ALARM = replace(
    raise_alarm(
        Severity.ALARM,
        "safety-voltage",
        "voltage 4.31 V above the limit of 4.3 V",
        raised_us=1_767_225_600_000_000,
        channel="A1",
        run_id="c0ffee" * 5,
        value=4.31,
        limit=4.3,
        unit="V",
        test_time_second=12.5,
    ),
    alarm_id="ab" * 16,
)
CRITICAL = replace(ALARM, severity=Severity.CRITICAL, kind="unconfirmed-safe-state")
SEEN = acknowledge(ALARM, 1_767_225_660_000_000, "maria@labpc3", "loose clip")
HOUR = REMIND_EVERY_SECOND


def counted(alarm: Alarm, times: int) -> Alarm:
    return replace(alarm, times=times)


def test_a_message_says_who_where_what_how_much_when_and_what_to_do() -> None:
    message = message_of([ALARM], Occasion.RAISED, "bench.yaml on labpc3")
    assert message.title == "[cellrig] ALARM, channel A1: safety-voltage"
    assert message.body.splitlines() == [
        "ALARM on channel A1: voltage 4.31 V above the limit of 4.3 V",
        "value 4.31 V, limit 4.3 V",
        "raised 2026-01-01 00:00:00 UTC, test time 12.5 s",
        "run c0ffeec0ffee",
        'once seen to: rig alarms acknowledge abababab --reason "..."',
        "What to do: The cell was disconnected. Find out why before the run is resumed.",
        "bench bench.yaml on labpc3",
    ]


def test_what_happens_to_many_cells_at_once_is_one_message_with_each_in_it() -> None:
    many = [replace(ALARM, channel=f"A{n}", alarm_id=f"{n:032x}") for n in range(1, 11)]
    other = replace(ALARM, kind="link-lost")
    news = [(alarm, Occasion.RAISED) for alarm in (*many[:5], other, *many[5:])]
    one, two = messages_of(news, "b")
    assert one.title == (
        "[cellrig] ALARM, channels A1, A2, A3, A4, A5, A6, A7, A8 and 2 more: safety-voltage"
    )
    assert all(f"ALARM on channel {alarm.channel}: " in one.body for alarm in many)
    assert one.body.count("rig alarms acknowledge") == 10
    assert one.body.count("What to do") == 1
    assert two.title == "[cellrig] ALARM, channel A1: link-lost"
    assert len(messages_of([(ALARM, Occasion.RAISED), (CRITICAL, Occasion.RAISED)], "b")) == 2


def test_an_acknowledgement_says_whose_it_was_and_asks_for_nothing() -> None:
    message = message_of([SEEN], Occasion.ACKNOWLEDGED, "bench.yaml on labpc3")
    assert message.title.startswith("[cellrig] acknowledged: ALARM")
    assert "acknowledged by maria@labpc3, 2026-01-01 00:01:00 UTC: loose clip" in message.body
    assert "What to do" not in message.body


@pytest.mark.parametrize(
    ("then", "after_second", "occasion"),
    [
        (ALARM, 1.0, None),
        (ALARM, 2 * HOUR, None),  # only what is critical is worth repeating by itself
        (counted(ALARM, 2), 1.0, None),
        (counted(ALARM, 2), HOUR, Occasion.AGAIN),
        (replace(ALARM, severity=Severity.CRITICAL, times=2), 1.0, Occasion.RAISED),
        (SEEN, 1.0, Occasion.ACKNOWLEDGED),
    ],
)
def test_what_is_said_of_an_alarm_that_was_told(
    then: Alarm, after_second: float, occasion: Occasion | None
) -> None:
    told = Told([], 0.0)
    assert told.news([ALARM], 0.0) == [(ALARM, Occasion.RAISED)]
    assert told.news([then], after_second) == ([(then, occasion)] if occasion else [])
    assert told.news([then], after_second) == []


def test_what_is_critical_is_said_again_every_hour_until_somebody_acknowledges_it() -> None:
    told = Told([], 0.0)
    said = [
        (hour, occasion)
        for hour in (0.0, 0.5, 1.0, 1.5, 2.0, 2.4)
        for _, occasion in told.news([CRITICAL], hour * HOUR)
    ]
    assert said == [
        (0.0, Occasion.RAISED),
        (1.0, Occasion.REMINDER),
        (2.0, Occasion.REMINDER),
    ]
    seen = acknowledge(CRITICAL, 5, "maria@labpc3", "")
    assert told.news([seen], 2.5 * HOUR) == [(seen, Occasion.ACKNOWLEDGED)]
    assert told.news([seen], 9.0 * HOUR) == []


def test_what_was_open_before_is_old_news_until_it_comes_again() -> None:
    told = Told([ALARM], 0.0)
    assert told.news([ALARM], 1.0) == []
    again = counted(ALARM, 2)
    assert told.news([again], 2.0) == [(again, Occasion.AGAIN)]
    assert told.news([counted(ALARM, 3)], 3.0) == []


def test_what_comes_by_two_ways_at_once_is_said_once() -> None:
    told = Told([], 0.0)
    assert told.news([ALARM, ALARM], 0.0) == [(ALARM, Occasion.RAISED)]
    assert told.news([SEEN, SEEN], 1.0) == [(SEEN, Occasion.ACKNOWLEDGED)]


Look = st.tuples(
    st.floats(0.0, 2 * HOUR), st.sampled_from([ALARM, CRITICAL, SEEN]), st.integers(1, 9)
)


@given(st.lists(Look, max_size=30))
def test_nothing_but_what_is_worse_is_said_twice_within_an_hour(looks) -> None:
    told, now, last = Told([], 0.0), 0.0, {}
    for passed, alarm, times in looks:
        now += passed
        for said, occasion in told.news([counted(alarm, times)], now):
            if occasion in {Occasion.AGAIN, Occasion.REMINDER}:
                assert now - last[said.alarm_id] >= HOUR - 1e-6
            last[said.alarm_id] = now
