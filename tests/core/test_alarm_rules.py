"""Latch and acknowledge: one thing wrong is one alarm, the worst of it is shown, a person ends it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.alarms import (
    Alarm,
    Severity,
    acknowledge,
    alarm_of,
    blocking,
    latch,
    raise_alarm,
)

NUMBERS = st.none() | st.floats(allow_infinity=False)
RAISED = st.builds(
    lambda severity, value, second: raise_alarm(
        severity,
        "safety-voltage",
        f"voltage {value}",
        raised_us=second,
        channel="A1",
        run_id="r1",
        value=value,
        limit=4.3,
        unit="V",
    ),
    st.sampled_from(Severity),
    NUMBERS,
    st.integers(0, 2**50),
)


def raised(severity: Severity = Severity.ALARM, kind: str = "safety-voltage") -> Alarm:
    return raise_alarm(
        severity, kind, "words", raised_us=5, channel="A1", value=4.31, limit=4.3, unit="V"
    )


def test_severities_are_ordered_from_least_to_worst() -> None:
    words = ["critical", "notice", "alarm", "warning"]
    assert sorted(map(Severity, words)) == list(Severity)
    assert max(Severity) is Severity.CRITICAL
    assert Severity.NOTICE < Severity.WARNING <= Severity.ALARM < Severity.CRITICAL


@given(st.lists(RAISED, min_size=1, max_size=20))
def test_however_often_it_is_raised_one_alarm_stands_with_the_worst_of_it(
    alarms: list[Alarm],
) -> None:
    stands: Alarm | None = None
    for alarm in alarms:
        stands = latch(stands, alarm)
    assert stands is not None
    assert stands.alarm_id == alarms[0].alarm_id
    assert stands.times == len(alarms)
    assert stands.last_us == max(alarm.raised_us for alarm in alarms)
    assert stands.raised_us == alarms[0].raised_us
    worst = max(alarm.severity for alarm in alarms)
    first_of_the_worst = next(alarm for alarm in alarms if alarm.severity is worst)
    assert stands.severity is worst
    assert (stands.value, stands.message) == (first_of_the_worst.value, first_of_the_worst.message)


@given(RAISED, RAISED)
def test_after_a_person_has_seen_to_it_the_same_is_a_new_alarm(first: Alarm, again: Alarm) -> None:
    seen = acknowledge(first, 7, "maria@labpc3", "loose clip")
    assert not seen.latched
    assert latch(seen, again) is again
    assert latch(None, again) is again


@given(RAISED)
def test_the_first_acknowledgement_stands(alarm: Alarm) -> None:
    once = acknowledge(alarm, 7, "maria@labpc3", "loose clip")
    assert acknowledge(once, 8, "jo@labpc3", "me too") is once
    assert (once.acknowledged_us, once.acknowledged_by) == (7, "maria@labpc3")
    unacknowledged = replace(once, acknowledged_us=None, acknowledged_by="", acknowledge_reason="")
    assert unacknowledged == alarm


@given(RAISED)
def test_an_alarm_survives_the_way_through_a_row(alarm: Alarm) -> None:
    assert alarm_of(alarm.plain()) == alarm
    assert all(not isinstance(value, Severity) for value in alarm.plain().values())


def test_what_is_no_number_is_no_value() -> None:
    alarm = raise_alarm(Severity.ALARM, "bug", "words", raised_us=0, value=math.nan, limit=None)
    assert (alarm.value, alarm.limit_value, alarm.measured) == (None, None, "")


def test_another_kind_or_channel_is_another_alarm() -> None:
    with pytest.raises(ValueError, match="is another alarm"):
        latch(raised(), raised(kind="link-lost"))
    with pytest.raises(ValueError, match="is another alarm"):
        latch(raised(), replace(raised(), channel="A2"))


@pytest.mark.parametrize(
    ("severity", "channel", "acknowledged", "blocks"),
    [
        (Severity.CRITICAL, "A1", False, True),
        (Severity.CRITICAL, "", False, True),  # the whole bench's
        (Severity.CRITICAL, "A2", False, False),
        (Severity.CRITICAL, "A1", True, False),
        (Severity.ALARM, "A1", False, False),
        (Severity.WARNING, "", False, False),
    ],
)
def test_only_a_critical_alarm_that_nobody_acknowledged_keeps_its_channel_from_starting(
    severity: Severity, channel: str, acknowledged: bool, blocks: bool
) -> None:
    alarm = replace(raised(severity), channel=channel)
    if acknowledged:
        alarm = acknowledge(alarm, 9, "maria@labpc3", "")
    assert blocking([alarm], "A1") == ((alarm,) if blocks else ())


def test_value_and_limit_are_shown_with_their_unit() -> None:
    assert raised().measured == "value 4.31 V, limit 4.3 V"
    warm = replace(raised(), value=60.25, limit_value=60.0, unit="degC")
    assert warm.measured == "value 60.25 degC, limit 60 degC"
    assert replace(raised(), value=0.0123, limit_value=0.01, unit="A").measured == (
        "value 12.3 mA, limit 10 mA"
    )


@pytest.mark.parametrize("kind", ["safety-current", "link-lost", "run-failed", "never heard of"])
def test_every_alarm_says_what_to_do(kind: str) -> None:
    assert raised(kind=kind).remedy.endswith(".")
