"""Instruments as they are now, and channels taken by hand: leases, what is done under them, what it gave."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from rig.bench import leases
from rig.bench.bench_now import look_at_bench
from rig.bench.by_hand import begin_by_hand
from rig.bench.file import BenchFile
from rig.bench.hand_operations import ByHand, Operation
from rig.bench.hand_outcome import outcome_by_hand
from rig.bench.hosting import host_of
from rig.bench.identifying import identify
from rig.core.errors import BadInput
from rig.web.access import Operator, TheHouse, Viewer
from rig.web.answers import Line, RunId, run_of
from rig.web.house import House
from rig.web.problems import Refusal

router = APIRouter(tags=["by hand"])

LeaseId = Annotated[str, Path(description="A lease's id.", max_length=64)]
InstrumentName = Annotated[str, Path(description="An instrument's name.", max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line = ""


class TakeBody(_Body):
    """Which channel is taken, and why."""

    channel: Line


class OperationBody(_Body):
    """What is done, with quantities as people write them: `{"for": "10 s"}`, `{"pulse": "1 mA"}`."""

    operation: Operation
    settings: Annotated[dict[Line, Line], Field(max_length=20)] = {}
    cell: Line = ""

    @property
    def by_hand(self) -> ByHand:
        return ByHand(self.operation, self.settings)


class TemperatureBody(_Body):
    """The temperature that the channel's chamber is held at, as long as the lease lasts."""

    temperature_celsius: Annotated[float, Field(ge=-200, le=1000, allow_inf_nan=False)]
    cell: Line = ""


# --- instruments ----------------------------------------------------------------------------------


@router.get("/instruments")
def instruments(house: TheHouse, _: Viewer) -> dict[str, Any]:
    """Every instrument with who answered last, how its link is, and every chamber with its queue.

    `link.round_trip_*_second` are of the last ten to twenty minutes; `asking` begins with those that
    hold the chamber, then who waits, first come first.
    """
    looked = {"looked_us": house.clock.wall_us()}
    if house.bench is None or house.is_central:
        return looked | {"instruments": [], "chambers": []}
    return looked | look_at_bench(house.store, house.bench, house.store_url).plain()


@router.post("/instruments/{name}/identify")
def identify_one(
    house: TheHouse, visitor: Operator, name: InstrumentName, body: _Body
) -> dict[str, Any]:
    """Ask an instrument that nobody has who it is; of one in use, who answered its engine."""
    bench = _bench_here(house)
    if name not in bench.instruments:
        raise Refusal(404, f"there is no instrument {name!r} on this bench")
    who, reason = visitor.name, body.reason
    store, url = house.store, house.store_url
    return identify(store, bench, url, name, who=who, reason=reason, clock=house.clock).plain()


# --- leases ---------------------------------------------------------------------------------------


@router.get("/hand")
def in_force(house: TheHouse, _: Viewer) -> dict[str, Any]:
    """Channels that somebody has by hand now."""
    return {"leases": [one.plain() for one in leases.read_leases(house.store)]}


@router.post("/hand", status_code=201)
def take(house: TheHouse, visitor: Operator, body: TakeBody) -> dict[str, Any]:
    """Take a channel that runs nothing; 409 where it is busy. Renew it, or it is taken back."""
    bench = _bench_here(house)
    _require_engine(house)
    try:
        lease = leases.take_channel(
            house.store,
            bench,
            body.channel,
            who=visitor.name,
            reason=body.reason,
            clock=house.clock,
        )
    except leases.NotGiven as refused:
        raise Refusal(409, str(refused), remedy=refused.remedy) from None
    house.live.expire()
    return lease.plain()


@router.post("/hand/{lease_id}/renew")
def renew(house: TheHouse, visitor: Operator, lease_id: LeaseId) -> dict[str, Any]:
    """Say that somebody is still there; 404 when the lease is over."""
    lease = _own(house, visitor.name, lease_id)
    leases.renew(house.store, lease, clock=house.clock)
    return lease.plain()


@router.delete("/hand/{lease_id}")
def give_back(
    house: TheHouse, visitor: Operator, lease_id: LeaseId, reason: Line = ""
) -> dict[str, Any]:
    """End a lease: what runs is stopped, its cell disconnected and confirmed; 409 where it is not."""
    lease = _own(house, visitor.name, lease_id)
    who = visitor.name
    given = leases.give_back(house.store, lease, who=who, reason=reason, clock=house.clock)
    if not given.done:
        raise Refusal(409, given.words, outcome=given.outcome)
    house.live.expire()
    return {"lease_id": lease.lease_id, "outcome": given.outcome, "answer": given.words}


@router.post("/hand/{lease_id}/temperature")
def hold_temperature(
    house: TheHouse, visitor: Operator, lease_id: LeaseId, body: TemperatureBody
) -> dict[str, Any]:
    """Hold the channel's chamber at a temperature; 409 where a run is in it.

    422 beyond what the chamber, a channel in it or a cell on one may see; `cell` is the one on this
    channel, where it is not that of its last run.
    """
    lease = _own(house, visitor.name, lease_id)
    given = leases.hold_temperature(
        house.store,
        _bench_here(house),
        lease,
        body.temperature_celsius,
        cell=body.cell,
        who=visitor.name,
        reason=body.reason,
        clock=house.clock,
    )
    if not given.done:
        raise Refusal(409, given.words, outcome=given.outcome)
    return {"lease_id": lease.lease_id, "outcome": given.outcome, "answer": given.words}


@router.post("/hand/{lease_id}/operations", status_code=201)
def operate(
    house: TheHouse, visitor: Operator, lease_id: LeaseId, body: OperationBody
) -> dict[str, Any]:
    """Do one thing at the channel: a run of its own, which has begun when this answers, or 409."""
    lease = _own(house, visitor.name, lease_id)
    asked = begin_by_hand(
        house.store,
        _bench_here(house),
        lease,
        body.by_hand,
        who=visitor.name,
        reason=body.reason,
        cell=body.cell,
        clock=house.clock,
    )
    house.live.expire()
    if not asked.answer.done:
        raise Refusal(409, asked.answer.words, **asked.plain())
    return asked.plain()


@router.get("/runs/{run_id}/by-hand")
def outcome(house: TheHouse, _: Viewer, run_id: RunId) -> dict[str, Any]:
    """What an operation by hand gave so far; 404 for a run that was none."""
    found = run_of(house, run_id)
    bench = _bench_here(house)
    try:
        return outcome_by_hand(found.rows, bench, found.run["run_id"])
    except BadInput as other:
        raise Refusal(404, str(other)) from None


# --- doors ----------------------------------------------------------------------------------------


def _bench_here(house: House) -> BenchFile:
    if house.bench is None or house.is_central:
        remedy = "ask the rig serve of the rig that the bench is on"
        raise Refusal(409, "this page has no bench of its own", remedy=remedy)
    return house.bench


def _require_engine(house: House) -> None:
    if host_of(house.store) is None:
        raise Refusal(409, "no engine is at work here", remedy="rig engine, or rig serve")


def _own(house: House, who: str, lease_id: str) -> leases.Lease:
    try:
        return leases.own_lease(house.store, lease_id, who)
    except leases.LeaseOver as over:
        raise Refusal(404, str(over), remedy=over.remedy) from None
    except leases.NotGiven as others:
        raise Refusal(409, str(others)) from None
