"""Rigs, channels and the bench: what there is, and how it is now."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select

from rig.bench.status import ChannelStatus
from rig.store import tables
from rig.store.database import translated
from rig.store.presence import read_presences
from rig.web.access import TheHouse, Viewer
from rig.web.answers import ChannelName
from rig.web.problems import Refusal

router = APIRouter(tags=["channels"])


@router.get("/rigs")
def rigs(house: TheHouse, _: Viewer) -> dict[str, Any]:
    """Every rig that has runs in this database, with when it was heard of last and its clock's offset.

    `silent` and `news` say that a rig which ought to be heard of is not.
    """
    engine = house.history()
    statement = select(tables.rig).order_by(tables.rig.c.created_us)
    with translated(engine), engine.connect() as connection:
        found = [dict(row) for row in connection.execute(statement).mappings()]
    heard = {rig.rig_id: rig.plain() for rig in read_presences(engine)}
    return {"rigs": [heard.get(row["rig_id"], {}) | row for row in found]}


@router.get("/channels")
def channels(house: TheHouse, _: Viewer) -> dict[str, Any]:
    """Every channel with its state, newest values, why it does what it does and what comes next."""
    snapshot = house.live.newest()
    return snapshot.wall.plain() | {"failure": snapshot.failure}


@router.get("/channels/{name}")
def channel(house: TheHouse, _: Viewer, name: ChannelName, rig: str = "") -> dict[str, Any]:
    """One channel; `rig` (name or id) says whose where several rigs have one of this name."""
    return one_channel(house.live.newest().wall.channels, name, rig).plain()


@router.get("/bench")
def bench(house: TheHouse, _: Viewer) -> dict[str, Any]:
    """The bench that is served: instruments, channels, limits as in its file, without secrets."""
    served = house.bench
    return {
        "file": None if served is None else served.file,
        "content": None if served is None else served.plain,
        "simulated": served is not None and served.simulated,
        "database": house.shown_database,
        "observe": house.observe,
        "engine": house.engine_state(),
    }


def one_channel(statuses: tuple[ChannelStatus, ...], name: str, rig: str) -> ChannelStatus:
    """Return the channel of this name, or refuse: 404 for none, 409 for one of several rigs."""
    found = [
        status
        for status in statuses
        if status.channel == name and rig in ("", status.rig, status.rig_id)
    ]
    if not found:
        known = ", ".join(sorted({status.channel for status in statuses})) or "none"
        raise Refusal(404, f"channel {name!r}: there is none of this name; there are: {known}")
    if len(found) > 1:
        ids = ", ".join(status.rig_id for status in found)
        raise Refusal(409, f"channel {name!r}: several rigs have one", remedy=f"rig= one of {ids}")
    return found[0]
