"""Is everything well: for people, for Prometheus, for whoever restarts servers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from rig import __version__
from rig.bench.data_health import data_health
from rig.web.access import TheHouse, Viewer
from rig.web.metrics import exposition

router = APIRouter(tags=["health"])
outside = APIRouter(tags=["health"])  # not under /api


@router.get("/data-health")
def health_of_data(house: TheHouse, _: Viewer) -> dict[str, Any]:
    """Did we lose anything: missing samples, gaps, lost links, what waits for a server, alarms."""
    wall = house.live.newest().wall
    return data_health(house.store, house.database, wall).plain()


@outside.get("/metrics", response_class=PlainTextResponse)
def metrics(house: TheHouse, _: Viewer) -> Response:
    """For Prometheus; with accounts it needs a token: `authorization: {credentials: rig_...}`."""
    return Response(exposition(house), media_type=CONTENT_TYPE_LATEST)


@outside.get("/healthz")
def healthz(house: TheHouse) -> dict[str, str]:
    """Whether this server answers and can read its database; says nothing else to strangers."""
    failure = house.live.newest().failure
    return {"status": "database away" if failure else "ok", "version": __version__}
