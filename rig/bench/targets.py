"""Those who are told of alarms: what each is, the ones that a file names, and a test message to all."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Protocol

from rig.bench.file import BenchFile
from rig.bench.notify_file import NotifyEntry
from rig.core.alarms import Alarm, Severity


class Target(Protocol):
    """One who is told. ``send`` returns why it failed, or the empty string."""

    @property
    def label(self) -> str: ...

    @property
    def lowest(self) -> Severity: ...

    def send(self, title: str, body: str, severity: Severity) -> str: ...


def send_to_all(
    targets: Sequence[Target], title: str, body: str, severity: Severity
) -> dict[str, str]:
    """Send to each whom this severity concerns, once, now; returns label -> why not, or ''."""
    concerned = [target for target in targets if severity >= target.lowest]
    return {target.label: target.send(title, body, severity) for target in concerned}


def reaches(target: Target, alarm: Alarm) -> bool:
    """Say whether an alarm is bad enough for a target."""
    return alarm.severity >= target.lowest


def send_test(bench: BenchFile) -> dict[str, str]:
    """Send everybody a test message, now; returns label -> why it did not go out, or ''."""
    body = f"This is a test. Alarms of bench {sender_of(bench.file)} will come here."
    targets = targets_of(bench.notify)
    return send_to_all(targets, "[cellrig] test message", body, Severity.CRITICAL)


def targets_of(entries: Sequence[NotifyEntry]) -> list[Target]:
    """Return those who are told, in the order of their entries."""
    from rig.bench.apprise_target import AppriseTarget  # noqa: PLC0415 - slow to load

    return [AppriseTarget(entry.url, entry.label, entry.lowest) for entry in entries]


def sender_of(what: str) -> str:
    """Return who says it, for a message: which bench, on which computer."""
    return f"{what} on {socket.gethostname()}"
