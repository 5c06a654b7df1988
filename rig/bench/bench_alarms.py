"""Alarms that no run can raise by itself: the store fails, a chamber is not at rest, a bug ends all.

They are kept like any other; and they are said at once where the database may be what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import Clock
from rig.core.errors import StoreError
from rig.engine.chamber import SharedChamber
from rig.engine.runner import Run
from rig.store.recorder import Recorder

if TYPE_CHECKING:
    from rig.bench.notifying import Notifier

_DISK_IS_FULL = ("disk is full", "No space left")  # SQLite's words, the system's


class BenchAlarms:
    """Raises the alarms of one session; ``notifier`` is None where nobody is to be told."""

    def __init__(self, recorder: Recorder, clock: Clock, notifier: Notifier | None) -> None:
        self._recorder, self._clock, self._notifier = recorder, clock, notifier
        self._raised: set[tuple[Severity, str]] = set()  # what failed once fails at the last try

    def watch(self, work: Callable[[], None]) -> None:
        """Do ``work``; what it raises is an alarm, and is raised again."""
        try:
            work()
        except StoreError as failure:
            message = f"data cannot be stored: {failure}"
            self._raise(Severity.ALARM, _kind_of(message), message)
            raise
        except Exception as bug:
            self._raise(Severity.ALARM, "internal-error", f"internal error: {bug!r}")
            raise

    def store_is_late(self, message: str) -> None:
        """Warn while data are kept in memory: somebody may make room before cells have to go safe."""
        self._raise(Severity.WARNING, _kind_of(message), message)

    def server_is_away(self, severity: Severity, message: str) -> None:
        """Raise it each time; people are told from the journal, which is on this computer."""
        now_us = self._clock.wall_us()
        self._recorder.alarm(raise_alarm(severity, "server-away", message, raised_us=now_us))

    def look_at(self, chambers: Iterable[SharedChamber], runs: Iterable[Run]) -> None:
        """Raise the alarm on every channel whose chamber nobody could confirm to be at rest."""
        unconfirmed = {chamber.name: chamber.alarm for chamber in chambers if chamber.alarm}
        for run in runs:
            chamber = run.channel.chamber
            if chamber is not None and chamber.name in unconfirmed:
                run.log.alarm(Severity.CRITICAL, "unconfirmed-chamber", unconfirmed[chamber.name])

    def _raise(self, severity: Severity, kind: str, message: str) -> None:
        if (severity, kind) not in self._raised:
            self._raised.add((severity, kind))
            now_us = self._clock.wall_us()
            self._recorder.alarm(raise_alarm(severity, kind, message, raised_us=now_us))
        if self._notifier is not None:
            for alarm in self._recorder.waiting_alarms:
                self._notifier.tell(alarm)


def _kind_of(message: str) -> str:
    return "disk-full" if any(words in message for words in _DISK_IS_FULL) else "store"
