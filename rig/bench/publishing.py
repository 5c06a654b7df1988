"""``rig publish``: new samples and live values to those who ask a broker, beside the engine.

A process of its own that reads the store and writes nowhere in it: no run waits for it, and none knows
that it is there. A broker that is away is tried again, later each time; what it has missed is still in
the store. Knows no broker: those are outlets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rig.core.clock import Clock, RealClock
from rig.core.errors import RigError

EVERY_SECOND = 0.5
FIRST_PAUSE_SECOND, LONGEST_PAUSE_SECOND = 0.5, 30.0


class Outlet(Protocol):
    """A place where values go."""

    @property
    def name(self) -> str:
        """What it is called, without passwords."""
        ...

    def look(self) -> None:
        """Publish what is new; raises RigError where that did not work, and begins anew next time."""
        ...

    def close(self) -> None:
        """Take leave; never raises for a broker that is away."""
        ...


@dataclass
class _Attempts:
    """When an outlet is tried again, and what has been told of it."""

    outlet: Outlet
    failures: int = 0
    due_second: float = 0.0
    away_since: float = 0.0


@dataclass
class Publisher:
    """Looks at the store twice a second for all outlets; ``say`` is told once when one goes or returns."""

    outlets: Sequence[Outlet]
    say: Callable[[str], None]
    clock: Clock = field(default_factory=RealClock)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._attempts = [_Attempts(outlet) for outlet in self.outlets]

    def run(self) -> None:
        """Publish until ``stopped``; every outlet has taken leave then."""
        try:
            while not self.stopped.is_set():
                self.look()
                self.stopped.wait(EVERY_SECOND)
        finally:
            for outlet in self.outlets:
                outlet.close()

    def look(self) -> None:
        """Let every outlet publish what is new, if it is its time."""
        for attempt in self._attempts:
            if self.clock.now() >= attempt.due_second:
                self._try(attempt)

    def _try(self, attempt: _Attempts) -> None:
        try:
            attempt.outlet.look()
        except RigError as failure:
            self._failed(attempt, failure)
        else:
            self._worked(attempt)

    def _failed(self, attempt: _Attempts, failure: RigError) -> None:
        now = self.clock.now()
        if not attempt.failures:
            attempt.away_since = now
            self.say(f"{attempt.outlet.name} is away: {failure}; it is tried again")
        pause = FIRST_PAUSE_SECOND * 2.0 ** min(attempt.failures, 30)
        attempt.due_second = now + min(pause, LONGEST_PAUSE_SECOND)
        attempt.failures += 1

    def _worked(self, attempt: _Attempts) -> None:
        if attempt.failures:
            second = self.clock.now() - attempt.away_since
            self.say(f"{attempt.outlet.name} is back after {second:.0f} s")
        attempt.failures = 0
