"""What is shown of a channel: one frozen record, the same for page, command line and REST.

Times ending in ``_us`` are UTC microseconds. What nobody has measured is None, never a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any

from rig.core.records import ENDED, RunState
from rig.engine.states import Verb, legal_verbs
from rig.store.presence import Presence

FREE = "free"  # no run was ever on this channel


@dataclass(frozen=True, slots=True)
class Trend:
    """The newest samples for a sparkline, oldest first."""

    test_time_second: tuple[float, ...] = ()
    voltage_volt: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One channel of one rig, as it is now.

    ``doing`` is the present step's words; ``next`` the nearest end with margin and time, or what it
    waits for, and ``then`` what follows. ``driven``: a process has this run; None where that cannot
    be known here (another computer's). ``protocol_revision`` counts the texts of the protocol that were
    in force, ``leaving`` says how somebody wants the run to end. ``step_address`` is the step as
    rig check numbers it and rig goto takes it; ``step_number`` of ``step_total`` counts the
    protocol's steps, ``step_count`` those that have begun. ``verbs`` are what may be asked
    of it in this state. ``by_hand``: who has the channel, or its chamber, by hand, and for how long yet.
    """

    rig_id: str
    rig: str
    channel: str
    state: str
    state_since_us: int | None = None
    run_id: str | None = None
    reason: str = ""
    cell: str = ""
    protocol: str = ""
    simulated: bool = False
    driven: bool | None = None
    doing: str = ""
    next: str = ""
    then: str = ""
    next_second: float | None = None
    protocol_revision: int | None = None
    leaving: str = ""
    step_count: int | None = None
    step_number: int | None = None
    step_total: int | None = None
    cycle_count: int | None = None
    cycle_total: int | None = None
    progress_fraction: float | None = None
    left_second: float | None = None
    test_time_second: float | None = None
    voltage_volt: float | None = None
    current_ampere: float | None = None
    ambient_temperature_celsius: float | None = None
    surface_temperature_celsius: float | None = None
    applied_pressure_pa: float | None = None
    capacity_retention: float | None = None
    sampled_us: int | None = None
    started_us: int | None = None
    ended_us: int | None = None
    step_address: int | None = None
    verbs: tuple[str, ...] = ()
    by_hand: str = ""
    alarms: tuple[dict[str, Any], ...] = ()
    trend: Trend = field(default_factory=Trend)

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        values = {name: getattr(self, name) for name in _FIELDS}  # asdict copies for milliseconds
        trend = {
            "test_time_second": self.trend.test_time_second,
            "voltage_volt": self.trend.voltage_volt,
        }
        return values | {"trend": trend}


def askable(state: RunState) -> tuple[str, ...]:
    """Return the verbs that would do something in this state: what is over has nothing to stop."""
    verbs = tuple(legal_verbs(state))
    return tuple(verb for verb in verbs if verb != Verb.STOP.value) if state in ENDED else verbs


def in_order(status: ChannelStatus) -> tuple[str, list[tuple[str, int]], str]:
    """Return the key that sorts channels as people count: by rig, then A2 before A10."""
    parts = re.findall(r"(\D*)(\d*)", status.channel)
    counted = [(letters, int(digits or -1)) for letters, digits in parts]
    return status.rig, counted, status.channel


_FIELDS = tuple(field.name for field in fields(ChannelStatus))


@dataclass(frozen=True, slots=True)
class Wall:
    """All channels that a database or a bench has, and the alarms of no channel."""

    looked_us: int
    channels: tuple[ChannelStatus, ...]
    bench_alarms: tuple[dict[str, Any], ...] = ()
    rigs: tuple[Presence, ...] = ()  # those that deliver to a server

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object: what ``/api/live`` sends."""
        return {
            "looked_us": self.looked_us,
            "channels": [channel.plain() for channel in self.channels],
            "bench_alarms": list(self.bench_alarms),
            "rigs": [rig.plain() for rig in self.rigs],
        }
