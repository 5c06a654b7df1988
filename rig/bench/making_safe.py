"""Making a channel safe together with what somebody has there by hand: the lease ends, its chamber rests.

Cells come first: what runs is made safe, then its lease ends. Where nothing runs the lease holds the
channel's lock, and has to go before anybody can ask the instruments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from rig.bench.asking import Asked, ask_run, find_target
from rig.bench.leases import END_LEASE, Lease, end_lease, lease_on
from rig.core.clock import Clock
from rig.core.records import ENDED, RunState
from rig.engine.states import Verb
from rig.store import queries
from rig.store.orders import Answer

# In none of these a run under a lease has the cell.
_AT_REST = ENDED | {RunState.PAUSED}


@dataclass(frozen=True, slots=True)
class Ended:
    """A lease that somebody else has ended, and what its engine says of that."""

    lease: Lease
    answer: Answer

    @property
    def words(self) -> str:
        return f"{END_LEASE} of {self.lease.owner}: {self.answer.outcome}: {self.answer.words}"

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return {
            "lease_id": self.lease.lease_id,
            "channel": self.lease.channel,
            "owner": self.lease.owner,
            "outcome": self.answer.outcome,
            "answer": self.answer.words,
        }


@dataclass(frozen=True, slots=True)
class MadeSafe:
    """What became of a channel's run and of its lease; None for what was not there."""

    asked: Asked | None
    ended: Ended | None

    @property
    def done(self) -> bool:
        return all(one.answer.done for one in (self.asked, self.ended) if one is not None)

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object: an order's, and the lease beside it."""
        lease = None if self.ended is None else self.ended.plain()
        if self.asked is not None:
            return self.asked.plain() | {"lease": lease}
        of_lease = {key: (lease or {}).get(key) for key in ("channel", "outcome", "answer")}
        return {"run_id": None, "verb": Verb.SAFE.value} | of_lease | {"lease": lease}

    @property
    def refusal(self) -> str:
        """Say what was not done, in words; "" where all was."""
        told = (one.answer for one in (self.asked, self.ended) if one is not None)
        return "; ".join(one.words for one in told if not one.done)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it, and why."""

    who: str
    reason: str = ""


def what_is_there(engine: Engine, wanted: str) -> tuple[str, Lease | None]:
    """Return the run that somebody means ("" for none), and the lease of its channel.

    ``wanted`` is a run or a channel. Raises BadInput where it is neither. A channel that somebody has
    by hand goes before an id that begins like it, also where nothing has ever run.
    """
    lease = lease_on(engine, wanted)
    if lease is None:
        run = find_target(engine, wanted)
        return run.run_id, lease_on(engine, run.channel)
    runs = (run.run_id for run in queries.list_runs(engine) if run.channel == wanted)
    return next(runs, ""), lease


def make_safe(
    engine: Engine,
    database: str,
    run_id: str,
    lease: Lease | None,
    wish: Wish,
    *,
    clock: Clock | None = None,
) -> MadeSafe:
    """Disconnect the cell of a run by every instrument, confirmed, and end the lease of its channel."""

    def ask() -> Asked | None:
        if not run_id:
            return None
        who, why = wish.who, wish.reason
        return ask_run(engine, database, run_id, Verb.SAFE, who=who, reason=why, clock=clock)

    def end() -> Ended | None:
        if lease is None:
            return None
        answer = end_lease(engine, lease, who=wish.who, reason=wish.reason, clock=clock)
        return Ended(lease, answer)

    if not run_id or RunState(queries.find_run(engine, run_id).state) in _AT_REST:
        ended = end()
        return MadeSafe(ask(), ended)
    asked = ask()
    return MadeSafe(asked, end())
