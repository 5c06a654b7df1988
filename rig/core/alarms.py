"""Alarms: raised once, latched until a person acknowledges them. Knows no clock and no database.

One alarm is one thing wrong at one place: a kind on a channel. While it is latched the same thing
raised again is counted in it and is no second alarm, or a limit broken at every reading would bury
the one that matters. A worse one takes over: a warning never hides what became critical.
"""

from __future__ import annotations

import functools
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from rig.core.units import show


@functools.total_ordering
class Severity(Enum):
    """How bad it is, from least to worst; a critical one keeps its channel from starting again."""

    NOTICE = "notice"
    WARNING = "warning"
    ALARM = "alarm"
    CRITICAL = "critical"

    def __lt__(self, other: Severity) -> bool:
        return _RANK[self] < _RANK[other]


_RANK = {severity: rank for rank, severity in enumerate(Severity)}

# What to do, by kind; an unknown one has the general answer. The message says what happened.
_REMEDIES = {
    "unconfirmed-safe-state": "Disconnect the cell by hand now.",
    "unconfirmed-chamber": "Look after the chamber now.",
    "disk-full": "Make room on the disk; the run can be resumed from its last commit.",
    "store": "See to the database; the run can be resumed from its last commit.",
    "engine-lost": "The cell is disconnected. Find out why the process ended, then resume the run.",
    "watchdog-lost": "Stay with the cells, or pause the runs: nothing stands in for this process.",
    "link-lost": "See to cable, power and network of the instrument.",
    "sensor-silent": "See to the sensor and its cable; the run goes on without it.",
    "server-away": "See to the database server and the network; data wait in the journal.",
}
# Alarms that somebody's rule raised (rig/core/alert_rules.py) begin with one of these.
RULE_KIND, SILENCE_KIND = "rule-", "silence-"
_FAMILIES = {
    "safety-": "The cell was disconnected. Find out why before the run is resumed.",
    RULE_KIND: "Look at the run's cycles; nothing was done to the cell.",
    SILENCE_KIND: "See whether the rig's computer, its engine and its network are alive.",
}
_UNSCALED = ("degC", "%", "")  # no "500 m%"
_GENERAL = "Look at the run's events (rig runs show), then at the cell."


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm, with the value that tripped it and the limit it broke, both in ``unit``.

    ``channel`` and ``run_id`` are empty where it is the whole bench's. ``kind`` is a short word such
    as ``safety-voltage`` or ``unconfirmed-safe-state``. ``times`` counts how often it was raised
    while latched, ``last_us`` when last; times ending in ``_us`` are UTC microseconds.
    """

    alarm_id: str
    run_id: str
    channel: str
    severity: Severity
    kind: str
    message: str
    value: float | None
    limit_value: float | None
    unit: str
    raised_us: int
    test_time_second: float | None
    times: int = 1
    last_us: int = 0
    acknowledged_us: int | None = None
    acknowledged_by: str = ""
    acknowledge_reason: str = ""

    @property
    def latched(self) -> bool:
        """Say whether nobody has acknowledged it yet."""
        return self.acknowledged_us is None

    @property
    def remedy(self) -> str:
        """What a person should do, in one sentence."""
        family = next((words for key, words in _FAMILIES.items() if self.kind.startswith(key)), "")
        return _REMEDIES.get(self.kind) or family or _GENERAL

    @property
    def is_of_rule(self) -> bool:
        """Say whether a rule of somebody's raised it, and not an engine."""
        return self.kind.startswith((RULE_KIND, SILENCE_KIND))

    @property
    def place(self) -> str:
        return f"channel {self.channel}" if self.channel else "the bench"

    @property
    def measured(self) -> str:
        """The value that tripped and its limit, for people; empty where there is neither."""
        words = [
            f"{what} {_shown(value, self.unit)}"
            for what, value in (("value", self.value), ("limit", self.limit_value))
            if value is not None
        ]
        return ", ".join(words)

    def plain(self) -> dict[str, Any]:
        """Return it as a row of the table ``alarm``; ``alarm_of`` is the way back."""
        return asdict(self) | {"severity": self.severity.value}


def alarm_of(row: Mapping[str, Any]) -> Alarm:
    """Return the alarm that ``Alarm.plain`` made this row of."""
    return Alarm(**{**row, "severity": Severity(row["severity"])})


def raise_alarm(
    severity: Severity,
    kind: str,
    message: str,
    *,
    raised_us: int,
    channel: str = "",
    run_id: str = "",
    value: float | None = None,
    limit: float | None = None,
    unit: str = "",
    test_time_second: float | None = None,
) -> Alarm:
    """Return a new alarm, not yet latched with any other; NaN is no value."""
    return Alarm(
        uuid.uuid4().hex,
        run_id,
        channel,
        severity,
        kind,
        message,
        _number(value),
        _number(limit),
        unit,
        raised_us,
        _number(test_time_second),
        last_us=raised_us,
    )


def latch(before: Alarm | None, raised: Alarm) -> Alarm:
    """Fold ``raised`` into what stands at its place: the alarm that stands there afterwards.

    It is ``raised`` itself where nothing is latched, else the latched one, counted up. Its value
    stays the one that tripped first, unless the new one is worse.
    """
    if before is None or not before.latched:
        return raised
    if (before.channel, before.kind) != (raised.channel, raised.kind):
        raise ValueError(f"{raised.kind} on {raised.place} is another alarm than {before.kind}")
    again = replace(
        before, times=before.times + raised.times, last_us=max(before.last_us, raised.last_us)
    )
    if raised.severity <= before.severity:
        return again
    return replace(
        again,
        severity=raised.severity,
        message=raised.message,
        value=raised.value,
        limit_value=raised.limit_value,
        unit=raised.unit,
    )


def acknowledge(alarm: Alarm, wall_us: int, who: str, reason: str) -> Alarm:
    """Return the alarm acknowledged; the first acknowledgement stands, a second changes nothing."""
    if not alarm.latched:
        return alarm
    return replace(alarm, acknowledged_us=wall_us, acknowledged_by=who, acknowledge_reason=reason)


def blocking(alarms: Iterable[Alarm], channel: str) -> tuple[Alarm, ...]:
    """Return the alarms that forbid a start on ``channel``: critical, latched, its or the bench's."""
    return tuple(
        alarm
        for alarm in alarms
        if alarm.latched and alarm.severity is Severity.CRITICAL and alarm.channel in ("", channel)
    )


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _shown(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip() if unit in _UNSCALED else show(value, unit, 6)
