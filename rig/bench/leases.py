"""A channel taken by hand: who has it, why, and for how long yet. The asker's side, and what all read.

A lease is asked for through the journal, as every order, and given by the engine alone, which then
holds the channel's locks like a run does (rig/bench/hand_desk.py). Whoever has it renews it; nobody
who renews it no longer has it. Opens no port.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from rig.bench.chamber_limits import require_temperature
from rig.bench.file import BenchFile
from rig.bench.hand_operations import require_channel
from rig.bench.locks import has_engine, owner_of_channel
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem
from rig.store.alarms import require_unblocked
from rig.store.database import translated
from rig.store.journal import recall, remember
from rig.store.orders import Answer, answer, answer_to, ask

# Who says nothing for so long has lost it. A browser lets a page that nobody looks at do something
# once a minute; one that is closed says so at once.
LEASE_SECOND = 90.0
RENEW_SECOND = 10.0
PATIENCE_SECOND = 60.0  # a cell may have to be disconnected first: three tries over a dead link
_LOOK_SECOND = 0.1

TAKE, GIVE_BACK, HOLD_TEMPERATURE = "take by hand", "give back", "hold temperature"
END_LEASE = "end lease"  # of whoever has it, by somebody else
WHO = "engine"  # who takes back a lease that nobody renews
HAND_VERBS = frozenset({TAKE, GIVE_BACK, HOLD_TEMPERATURE, END_LEASE})
_KEY, _RENEWED = "leases", "lease renewed "  # the second is followed by the channel


class NotGiven(BadInput):
    """The channel is somebody else's now, or nobody could give it."""


class LeaseOver(BadInput):
    """It was given back, or nobody renewed it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A channel that is somebody's; ``taken_us`` is UTC microseconds, ``pid`` the engine that gave it.

    ``chamber`` is held at ``temperature_celsius`` by hand; None: it is not. ``chamber_channels`` are
    in it: nothing begins there meanwhile.
    """

    lease_id: str
    channel: str
    owner: str
    reason: str
    taken_us: int
    pid: int
    chamber: str = ""
    temperature_celsius: float | None = None
    chamber_channels: tuple[str, ...] = ()

    @property
    def holder(self) -> str:
        """Return who it is among those that hold locks, ports and chambers."""
        return f"hand {self.lease_id}"

    @property
    def words(self) -> str:
        return f"{self.owner} has it by hand" + (f" ({self.reason})" if self.reason else "")

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self) | {"renew_every_second": RENEW_SECOND, "lease_second": LEASE_SECOND}


# --- what an engine writes and everybody reads ----------------------------------------------------


def leases_row(leases: Sequence[Lease]) -> dict[str, object]:
    """Return the row of ``meta`` that says who has what."""
    return {"key": _KEY, "value": json.dumps([asdict(lease) for lease in leases])}


def lease_over_row(lease: Lease, why: str, given: Answer, wall_us: int) -> dict[str, object]:
    """Return the row of ``journal`` of a lease that ended though nobody gave it back."""
    return {
        "run_id": lease.lease_id,
        "ts_us": wall_us,
        "verb": "lease over",
        "argument": lease.channel,
        "who": WHO,
        "reason": why,
        "outcome": given.outcome,
        "answer": given.words,
        "answered_us": wall_us,
    }


def read_leases(engine: Engine) -> list[Lease]:
    """Return the leases that are in force: those whose engine still holds the channel."""
    with translated(engine), engine.connect() as connection:
        text = leases_text(connection)
    return in_force(text, str(engine.url))


def leases_text(connection: Connection) -> str | None:
    """Return what the engine has written of its leases, as it stands; None: never anything."""
    return recall(connection, _KEY)


def in_force(text: str | None, url: str) -> list[Lease]:
    """Return the leases of such a text whose engine still holds the channel; ``url`` has the locks."""
    leases = [] if text is None else [_lease(one) for one in json.loads(text)]
    return [one for one in leases if has_engine(one.channel, url) and _is_its(one, url)]


def _lease(plain: dict[str, Any]) -> Lease:
    return Lease(**plain | {"chamber_channels": tuple(plain["chamber_channels"])})


def lease_on(engine: Engine, channel: str) -> Lease | None:
    """Return the lease of a channel, or None where nobody has it by hand."""
    return next((one for one in read_leases(engine) if one.channel == channel), None)


def is_its_lease(engine: Engine, channel: str, lease_id: str) -> bool:
    """Say whether this very lease has the channel."""
    lease = lease_on(engine, channel) if lease_id else None
    return lease is not None and lease.lease_id == lease_id


def by_hand_words(engine: Engine, bench: BenchFile, channel: str) -> str:
    """Return who has a channel, or the chamber that it is in, by hand; "" where nobody has."""
    chamber = bench.channels[channel].instruments.get("chamber")
    for lease in read_leases(engine):
        if lease.channel == channel:
            return lease.words
        if chamber and lease.chamber == chamber:
            return f"{lease.owner} holds chamber {chamber} at {lease.temperature_celsius:g} degC"
    return ""


def renewals(connection: Connection, channels: Sequence[str]) -> dict[str, str]:
    """Return channel -> the last renewal, a text that differs from the one before it."""
    found = {name: recall(connection, _RENEWED + name) for name in channels}
    return {name: text for name, text in found.items() if text is not None}


def _is_its(lease: Lease, url: str) -> bool:
    return owner_of_channel(lease.channel, url).startswith(f"process {lease.pid} ")


# --- asking ---------------------------------------------------------------------------------------


def take_channel(
    engine: Engine,
    bench: BenchFile,
    channel: str,
    *,
    who: str,
    reason: str = "",
    clock: Clock | None = None,
) -> Lease:
    """Take a channel that runs nothing, by hand, from the engine that is at work.

    Raises NotGiven where it is busy or no engine answers, BadInput for no such channel and for one
    with a critical alarm.
    """
    require_channel(bench, channel)
    require_unblocked(engine, [channel])
    lease_id = uuid.uuid4().hex
    given = _asked(engine, lease_id, TAKE, channel, who=who, reason=reason, clock=clock)
    lease = next((one for one in read_leases(engine) if one.lease_id == lease_id), None)
    if not given.done or lease is None:
        raise NotGiven(Problem(f"channel {channel}", given.words), remedy="nothing was switched on")
    return lease


def own_lease(engine: Engine, lease_id: str, who: str) -> Lease:
    """Return the lease with this id; raises LeaseOver, and NotGiven where it is another's."""
    lease = next((one for one in read_leases(engine) if one.lease_id == lease_id), None)
    if lease is None:
        message = f"is over: it was given back, or not renewed for {LEASE_SECOND:g} s"
        raise LeaseOver(Problem(f"lease {lease_id:.8}", message), remedy="take the channel again")
    if lease.owner != who:
        message = f"channel {lease.channel} is {lease.owner}'s, not {who}'s"
        raise NotGiven(Problem(f"lease {lease_id:.8}", message))
    return lease


def renew(engine: Engine, lease: Lease, *, clock: Clock | None = None) -> None:
    """Say that somebody is still there; what is said so every ``RENEW_SECOND`` keeps the lease."""
    wall_us = (clock or RealClock()).wall_us()
    with translated(engine), engine.begin() as connection:
        remember(connection, _RENEWED + lease.channel, f"{lease.lease_id} {wall_us}")


def give_back(
    engine: Engine, lease: Lease, *, who: str, reason: str = "", clock: Clock | None = None
) -> Answer:
    """End a lease: what runs under it is stopped, its cell disconnected, its chamber let go."""
    return _asked(engine, lease.lease_id, GIVE_BACK, "", who=who, reason=reason, clock=clock)


def end_lease(
    engine: Engine, lease: Lease, *, who: str, reason: str = "", clock: Clock | None = None
) -> Answer:
    """Do the same to somebody else's lease; answered when the channel is free, and its chamber let go."""
    return _asked(engine, lease.lease_id, END_LEASE, "", who=who, reason=reason, clock=clock)


def hold_temperature(
    engine: Engine,
    bench: BenchFile,
    lease: Lease,
    celsius: float,
    *,
    cell: str = "",
    who: str,
    reason: str = "",
    clock: Clock | None = None,
) -> Answer:
    """Ask for the channel's chamber at a temperature, as long as the lease lasts.

    ``cell`` is the one on the channel, where it is not that of the last run. Raises BadInput where the
    channel has no chamber, or it, or a cell in it, may not go there.
    """
    require_temperature(engine, bench, lease.channel, celsius, cell)
    argument = f"{celsius:g}"
    return _asked(
        engine, lease.lease_id, HOLD_TEMPERATURE, argument, who=who, reason=reason, clock=clock
    )


def _asked(
    engine: Engine,
    lease_id: str,
    verb: str,
    argument: str,
    *,
    who: str,
    reason: str,
    clock: Clock | None,
) -> Answer:
    """Ask and wait for the engine's answer; what nobody has answered by then is taken back."""
    clock = clock or RealClock()
    order = ask(
        engine, lease_id, verb, who=who, reason=reason, argument=argument, wall_us=clock.wall_us()
    )
    deadline = clock.now() + PATIENCE_SECOND
    while clock.now() < deadline:
        given = answer_to(engine, order)
        if given is not None:
            return given
        clock.wait_until(clock.now() + _LOOK_SECOND)
    late = Answer("failed", "no engine answered; begin one with: rig engine, or rig serve")
    return (
        late if answer(engine, order, late, clock.wall_us()) else answer_to(engine, order) or late
    )
