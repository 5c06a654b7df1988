"""What everybody is shown of a channel that somebody has by hand: who, and for how long yet.

One text for wall, pages, REST and command line. Read from the store; no engine is asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from rig.bench.leases import LEASE_SECOND, Lease, in_force, leases_text, renewals
from rig.store.database import translated

# Whoever is there renews every ten seconds: in steps this large the words stand still meanwhile, and
# begin to count down when nothing more is heard of him.
STEP_SECOND = 30
LOCKS_SECOND = 2.0  # how often it is asked whether the engine that gave the leases is still there


def held_words(lease: Lease, channel: str, renewed_us: int, now_us: int) -> str:
    """Return who has this channel, or the chamber that it is in: ``by hand: anna, 90 s left``."""
    who = f"by hand: {lease.owner}"
    if channel != lease.channel:
        who = f"chamber {who}, {lease.temperature_celsius:g} degC"
    left_second = LEASE_SECOND - (now_us - max(renewed_us, lease.taken_us)) / 1e6
    if left_second <= 0:
        return f"{who}, about to be taken back"
    step = STEP_SECOND * math.ceil(min(left_second, LEASE_SECOND) / STEP_SECOND)
    return f"{who}, {step} s left"


@dataclass
class HeldByHand:
    """Kept by who looks again and again; ``now_second`` is any monotonic clock's."""

    engine: Engine
    _text: str | None = None
    _leases: list[Lease] = field(default_factory=list)
    _due_second: float = -math.inf

    def words(self, now_second: float, now_us: int) -> dict[str, str]:
        """Return channel -> words, of all that are somebody's, also by their chamber."""
        with translated(self.engine), self.engine.connect() as connection:
            text = leases_text(connection)
            leases = self._in_force(text, now_second)
            renewed = renewals(connection, [lease.channel for lease in leases])
        shown: dict[str, str] = {}
        for lease in leases:
            renewed_us = _renewed_us(lease, renewed)
            for name in (*lease.chamber_channels, lease.channel):
                shown[name] = held_words(lease, name, renewed_us, now_us)
        return shown

    def _in_force(self, text: str | None, now_second: float) -> list[Lease]:
        if text != self._text or now_second >= self._due_second:
            self._leases = in_force(text, str(self.engine.url))
            self._text, self._due_second = text, now_second + LOCKS_SECOND
        return self._leases


def _renewed_us(lease: Lease, renewed: Mapping[str, str]) -> int:
    """A renewal is the lease's id and when it was said; another lease's is none of ours."""
    lease_id, _, wall_us = renewed.get(lease.channel, "").partition(" ")
    return int(wall_us) if lease_id == lease.lease_id else 0
