"""Who is told of what a rule raised: those whom the rule names, else all whom it is bad enough for.

It is said by the process that judges rules, not by the engine: that one may be what is silent.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import Engine

from rig.bench.notify_file import NotifyEntry
from rig.bench.notifying import Notifier
from rig.bench.targets import Target, reaches, targets_of
from rig.core.alarms import Alarm
from rig.core.clock import Clock
from rig.store.alarms import open_alarms
from rig.store.rules import alert_rules

_LOG = logging.getLogger("rig.rules")


def rule_notifier(
    entries: Sequence[NotifyEntry], engine: Engine, clock: Clock, sender: str
) -> Notifier:
    """Return who tells these of alarms of rules in a database, not yet started."""
    targets = targets_of(entries)
    names = {target.label: entry.name for target, entry in zip(targets, entries, strict=True)}
    return notifier_to(targets, names, engine, clock, sender)


def notifier_to(
    targets: Sequence[Target], names: dict[str, str], engine: Engine, clock: Clock, sender: str
) -> Notifier:
    """Return the same for targets that are there already; ``names`` are by label."""
    wanted: dict[str, tuple[str, ...]] = {}  # the recipients of each rule, by its alarms' kind

    def read(also: Collection[str]) -> list[Alarm]:
        wanted.update({rule.kind: rule.recipients for rule in alert_rules(engine)})
        return [alarm for alarm in open_alarms(engine, also) if alarm.is_of_rule]

    def concerns(target: Target, alarm: Alarm) -> bool:
        recipients = wanted.get(alarm.kind, ())
        return names[target.label] in recipients if recipients else reaches(target, alarm)

    return Notifier(targets, read, clock, sender=sender, lost=_say_lost, concerns=concerns)


def _say_lost(alarm: Alarm, why: str) -> None:
    _LOG.warning("alarm %s on %s: %s", alarm.kind, alarm.place, why)
