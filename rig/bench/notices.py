"""What people are told of an alarm, and when: the words, and the memory of what was said.

Pure: knows no mail, no thread and no clock.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from rig.core.alarms import Alarm, Severity

REMIND_EVERY_SECOND = 3600.0
MOST_NAMED = 8  # channels in a title


class Occasion(Enum):
    """Why somebody is told of an alarm."""

    RAISED = ""
    AGAIN = "again: "
    REMINDER = "still "
    ACKNOWLEDGED = "acknowledged: "


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, and what it is about; ``alarm`` is the first of those it tells of."""

    title: str
    body: str
    occasion: Occasion
    alarm: Alarm


def messages_of(news: Sequence[tuple[Alarm, Occasion]], sender: str) -> list[Message]:
    """Write one message for all that is the same: twenty cells on one chamber are not twenty mails."""
    groups: dict[tuple[Occasion, Severity, str], list[Alarm]] = {}
    for alarm, occasion in news:
        groups.setdefault((occasion, alarm.severity, alarm.kind), []).append(alarm)
    return [message_of(alarms, occasion, sender) for (occasion, _, _), alarms in groups.items()]


def message_of(alarms: Sequence[Alarm], occasion: Occasion, sender: str) -> Message:
    """Write who, where, which value, which limit, when, and what to do; ``sender`` is the bench.

    All of ``alarms`` are of one kind and severity.
    """
    first = alarms[0]
    severity = first.severity.value.upper()
    title = f"[cellrig] {occasion.value}{severity}, {_places(alarms)}: {first.kind}"
    parts = ["\n".join(_lines(alarm, occasion)) for alarm in alarms]
    last = [f"bench {sender}"]
    if occasion is not Occasion.ACKNOWLEDGED:
        last.insert(0, f"What to do: {first.remedy}")
    gap = "\n" if len(parts) == 1 else "\n\n"
    return Message(" ".join(title.split()), gap.join([*parts, "\n".join(last)]), occasion, first)


def _places(alarms: Sequence[Alarm]) -> str:
    if len(alarms) == 1:
        return alarms[0].place
    named = [alarm.channel for alarm in alarms[:MOST_NAMED]]
    more = f" and {len(alarms) - MOST_NAMED} more" if len(alarms) > MOST_NAMED else ""
    return f"channels {', '.join(named)}{more}"


def _lines(alarm: Alarm, occasion: Occasion) -> list[str]:
    lines = [f"{alarm.severity.value.upper()} on {alarm.place}: {alarm.message}"]
    if alarm.measured:
        lines.append(alarm.measured)
    lines.append(_when(alarm))
    if alarm.run_id:
        lines.append(f"run {alarm.run_id[:12]}")
    seen = occasion is Occasion.ACKNOWLEDGED
    acknowledge = f'once seen to: rig alarms acknowledge {alarm.alarm_id[:8]} --reason "..."'
    return [*lines, _acknowledgement(alarm) if seen else acknowledge]


def _when(alarm: Alarm) -> str:
    words = f"raised {_moment(alarm.raised_us)}"
    if alarm.test_time_second is not None:
        words += f", test time {alarm.test_time_second:.1f} s"
    if alarm.times > 1:
        words += f"; {alarm.times} times, last {_moment(alarm.last_us)}"
    return words


def _acknowledgement(alarm: Alarm) -> str:
    when = _moment(alarm.acknowledged_us or 0)
    return f"acknowledged by {alarm.acknowledged_by}, {when}: {alarm.acknowledge_reason or '-'}"


def _moment(wall_us: int) -> str:
    moment = datetime.datetime.fromtimestamp(wall_us / 1e6, tz=datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class _Said:
    severity: Severity
    times: int
    second: float
    by_us: bool = True


class Told:
    """What has been said of which alarm, so that nothing is said twice.

    Of each: when it is raised, when it gets worse, when it came again (once an hour, or a loose
    cable would fill a mailbox), hourly while it is critical and latched, and when it is
    acknowledged. Those that were open ``before`` are old news, until they come again.
    """

    def __init__(self, before: Iterable[Alarm], now_second: float) -> None:
        self._said = {
            alarm.alarm_id: _Said(alarm.severity, alarm.times, now_second, by_us=False)
            for alarm in before
        }

    @property
    def open(self) -> frozenset[str]:
        """The ids of the alarms whose acknowledgement is still to be told."""
        return frozenset(self._said)

    def news(self, alarms: Iterable[Alarm], now_second: float) -> list[tuple[Alarm, Occasion]]:
        """Return what has to be said now of these alarms, and take it as said."""
        news = []
        for alarm in alarms:  # one by one: the same may come by two ways at once
            occasion = self._occasion(alarm, now_second)
            if occasion is None:
                continue
            news.append((alarm, occasion))
            self._said[alarm.alarm_id] = _Said(alarm.severity, alarm.times, now_second)
            if occasion is Occasion.ACKNOWLEDGED:
                del self._said[alarm.alarm_id]
        return news

    def _occasion(self, alarm: Alarm, now_second: float) -> Occasion | None:
        said = self._said.get(alarm.alarm_id)
        if not alarm.latched:
            return Occasion.ACKNOWLEDGED if said else None
        if said is None or alarm.severity > said.severity:
            return Occasion.RAISED
        hour_is_over = now_second - said.second >= REMIND_EVERY_SECOND
        if alarm.times > said.times and (hour_is_over or not said.by_us):
            return Occasion.AGAIN
        critical = alarm.severity is Severity.CRITICAL
        return Occasion.REMINDER if critical and hour_is_over else None
