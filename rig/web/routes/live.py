"""Server-sent events: the wall as it is, then what changes of it.

Event ``wall`` comes first and has every channel; ``changes`` has the channels that changed;
``trends`` the sparklines every few seconds. Who was away begins with a new ``wall``: nothing is kept
for a client, so a slow or lost one costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from rig.core.errors import StoreError
from rig.web.access import TheHouse, Viewer, Visitor, identify
from rig.web.live_view import LiveView, Snapshot

router = APIRouter(tags=["live"])

TRENDS_EVERY = 10  # looks
KEEP_ALIVE_EVERY = 30
IDENTIFY_EVERY = 60  # a session that has ended sees no more
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


@router.get("/live", response_class=StreamingResponse, responses=_STREAM)
async def live(request: Request, house: TheHouse, _: Viewer) -> StreamingResponse:
    """The wall as server-sent events: `wall`, `changes`, `trends`; a reconnecting client begins anew."""
    stream = watch(house.live, lambda: run_in_threadpool(identify, request))
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def watch(view: LiveView, who: Callable[[], Awaitable[Visitor | None]]) -> AsyncIterator[str]:
    """Yield events as text until the house closes or the visitor is known no longer."""
    sent: dict[str, str] = {}
    looks = number = 0
    while not view.closed.is_set():
        if looks % IDENTIFY_EVERY == IDENTIFY_EVERY - 1 and await who() is None:
            return
        snapshot = await _newest(view)
        if snapshot is not None and snapshot.number != number:
            number = snapshot.number
            for event in _events(snapshot, sent, with_trends=looks % TRENDS_EVERY == 0):
                yield event
            sent = snapshot.texts
        elif looks % KEEP_ALIVE_EVERY == 0:
            yield ": still here\n\n"
        looks += 1
        await anyio.sleep(view.every_second)


async def _newest(view: LiveView) -> Snapshot | None:
    try:
        return await run_in_threadpool(view.newest)
    except StoreError:  # away from the beginning: the client waits with us
        return None


def _events(snapshot: Snapshot, sent: dict[str, str], *, with_trends: bool) -> list[str]:
    changed = [text for key, text in snapshot.texts.items() if sent.get(key) != text]
    name = "changes" if sent else "wall"
    failure, news = json.dumps(snapshot.failure), json.dumps(_news(snapshot))
    head = f'"looked_us":{snapshot.wall.looked_us},"failure":{failure},"news":{news}'
    alarms = json.dumps(snapshot.wall.bench_alarms)
    events = [_event(name, f'{{{head},"bench_alarms":{alarms},"channels":[{",".join(changed)}]}}')]
    if with_trends:
        trends = ",".join(f"{json.dumps(key)}:{text}" for key, text in snapshot.trends.items())
        events.append(_event("trends", f"{{{trends}}}"))
    return events


def _news(snapshot: Snapshot) -> dict[str, str]:
    """Return what is to be said of rigs that ought to be heard of and are not, by their id."""
    return {rig.rig_id: rig.words for rig in snapshot.wall.rigs if rig.rig_id and rig.is_silent}


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
