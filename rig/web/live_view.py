"""One look at the store for all who ask: however many there are, it is read twice a second at most.

Who watches is told by pulse.py when there is a new one. A client that is slow or gone costs nothing:
each gets what is newest, and nothing waits for it.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from rig.bench.live import Live
from rig.bench.status import ChannelStatus, Wall
from rig.core.clock import Clock
from rig.core.errors import StoreError

EVERY_SECOND = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A look, and what of it is sent: each channel as JSON text, and its trend.

    ``failure`` says why the database could not be read; the rest is then as it was before.
    """

    number: int
    wall: Wall
    texts: dict[str, str]
    trends: dict[str, str]
    failure: str = ""


@dataclass
class LiveView:
    """The newest look, at most ``EVERY_SECOND`` old. ``far`` gives the view of other rigs, or None."""

    near: Live
    far: Callable[[], Live | None]
    clock: Clock
    every_second: float = EVERY_SECOND
    closed: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _snapshot: Snapshot | None = None
    _due_second: float = -math.inf

    def newest(self) -> Snapshot:
        """Return the newest look; raises StoreError where the very first one fails."""
        with self._lock:  # one looks, the others wait for it and find it done
            if self._snapshot is None or self.clock.now() >= self._due_second:
                self._snapshot = self._look(self._snapshot)
                self._due_second = self.clock.now() + self.every_second
            return self._snapshot

    def expire(self) -> None:
        """Let the next one who asks see what has just been done, or what must not be missed."""
        self._due_second = -math.inf

    @property
    def is_expired(self) -> bool:
        """Say whether somebody wants the next look now."""
        return self._due_second == -math.inf

    def close(self) -> None:
        """Let everybody who watches go."""
        self.closed.set()

    def _look(self, before: Snapshot | None) -> Snapshot:
        number = 1 if before is None else before.number + 1
        try:
            wall = self.near.look()
        except StoreError as failure:
            if before is None:
                raise
            return replace(before, number=number, failure=str(failure))
        far, failure_words = self._look_far()
        return _snapshot(number, _together(wall, far), failure_words, before)

    def _look_far(self) -> tuple[Wall | None, str]:
        try:
            view = self.far()
            return (None if view is None else view.look()), ""
        except StoreError as failure:  # the server is away: what is near goes on being shown
            return None, str(failure)


def _snapshot(number: int, wall: Wall, failure: str, before: Snapshot | None) -> Snapshot:
    known = {} if before is None else {key_of(one): one.trend for one in before.wall.channels}
    texts, trends = {}, {}
    for status in wall.channels:
        key, plain = key_of(status), status.plain()
        trend = plain.pop("trend")
        if before is not None and known.get(key) is status.trend:  # read every few seconds only
            trends[key] = before.trends[key]
        else:
            trends[key] = _json(trend)
        texts[key] = _json(plain)
    return Snapshot(number, wall, texts, trends, failure)


def key_of(status: ChannelStatus) -> str:
    """Return what tells a channel from all others: rigs may have channels of the same name."""
    return f"{status.rig_id}/{status.channel}"


def _together(near: Wall, far: Wall | None) -> Wall:
    """Add the other rigs' channels, and what a journal that was delivered has no longer."""
    if far is None:
        return near
    there = {status.run_id: status for status in far.channels if status.run_id}
    own_runs = {status.run_id for status in near.channels}
    own_rigs = {status.rig_id for status in near.channels}
    own = tuple(_filled(status, there.get(status.run_id or "")) for status in near.channels)
    others = tuple(
        status
        for status in far.channels
        if status.run_id not in own_runs and status.rig_id not in own_rigs
    )
    return replace(near, channels=(*own, *others), rigs=far.rigs)


def _filled(near: ChannelStatus, far: ChannelStatus | None) -> ChannelStatus:
    if far is None or near.sampled_us is not None:
        return near
    return replace(
        near,
        trend=far.trend,
        sampled_us=far.sampled_us,
        voltage_volt=far.voltage_volt,
        current_ampere=far.current_ampere,
        ambient_temperature_celsius=far.ambient_temperature_celsius,
        surface_temperature_celsius=far.surface_temperature_celsius,
        applied_pressure_pa=far.applied_pressure_pa,
    )


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
