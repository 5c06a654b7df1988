"""Runs: searched a page at a time, and one whole."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from rig.core.records import RunState
from rig.store.run_search import Wanted, run_texts, search_runs
from rig.web.access import TheHouse, Viewer
from rig.web.answers import Limit, Offset, RunId, WithoutNul, run_of

router = APIRouter(tags=["runs"])

Text = Annotated[str, Query(max_length=200), WithoutNul]
WallUs = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="UTC microseconds.")]


@router.get("/runs")
def runs(
    house: TheHouse,
    _: Viewer,
    q: Text = "",
    channel: Text = "",
    state: RunState | None = None,
    protocol: Text = "",
    cell: Text = "",
    since_us: WallUs = None,
    until_us: WallUs = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Runs, newest first. `q` is found in id, protocol, cell, channel and in why a run ended."""
    wanted = Wanted(q, channel, state.value if state else "", protocol, cell, since_us, until_us)
    page = search_runs(house.history(), wanted, limit=limit, offset=offset)
    return {"runs": list(page.runs), "total": page.total, "limit": limit, "offset": offset}


@router.get("/runs/{run_id}")
def run(house: TheHouse, _: Viewer, run_id: RunId) -> dict[str, Any]:
    """One run with its protocol, variables and bench; while it is alive, why and what next."""
    found = run_of(house, run_id)
    texts = run_texts(found.rows, found.run["run_id"])
    statuses = house.live.newest().wall.channels
    now = [status.plain() for status in statuses if status.run_id == found.run["run_id"]]
    return found.run | texts | {"now": now[0] if now else None}
