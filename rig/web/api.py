"""The REST API: every route under /api, taken up from its file in rig/web/routes."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter

from rig.web.answers import PROBLEMS, Plain
from rig.web.routes import (
    alarms,
    analyses,
    cells,
    channels,
    curves,
    data,
    exports,
    hand,
    health,
    live,
    looking,
    orders,
    people,
    rehearsals,
    revisions,
    rules,
    runs,
    samples,
    starting,
)


@cache  # a twentieth of a second to put together, and the same for every application of a process
def api() -> APIRouter:
    """Return every route under /api."""
    router = APIRouter(prefix="/api", responses=PROBLEMS, default_response_class=Plain)
    parts = (
        *(people, channels, runs, data, samples, orders, starting, alarms, live, health),
        *(looking, hand, curves, exports, analyses, cells, rehearsals, revisions, rules),
    )
    for part in parts:
        router.include_router(part.router)
    return router
