"""Server-sent events: the wall as it is, then what changes of it.

Event ``wall`` comes first and has every channel; ``changes`` has the channels that changed;
``trends`` the sparklines when they did. Who was away begins with a new ``wall``: nothing is kept
for a client, so a slow or lost one costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from rig.web.access import TheHouse, Viewer, Visitor, identify
from rig.web.live_view import Snapshot
from rig.web.pulse import Pulse

router = APIRouter(tags=["live"])

IDENTIFY_EVERY = 40  # looks: a session that has ended sees no more
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


@router.get("/live", response_class=StreamingResponse, responses=_STREAM)
async def live(request: Request, house: TheHouse, _: Viewer) -> StreamingResponse:
    """The wall as server-sent events: `wall`, `changes`, `trends`; a reconnecting client begins anew."""
    stream = watch(house.pulse, lambda: run_in_threadpool(identify, request))
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def watch(pulse: Pulse, who: Callable[[], Awaitable[Visitor | None]]) -> AsyncIterator[str]:
    """Yield events as text until the house closes or the visitor is known no longer."""
    sent: Snapshot | None = None
    looks = 0
    async with pulse.watched():
        while True:
            snapshot = await pulse.after(sent)
            looks += 1
            if looks % IDENTIFY_EVERY == 0 and await who() is None:
                return
            if pulse.view.closed.is_set():
                return
            if snapshot is None:  # away from the beginning: the client waits with us
                yield ": still here\n\n"
                continue
            for event in _events(sent, snapshot):
                yield event
            sent = snapshot


@lru_cache(maxsize=4)  # all who heard the look before are told the same: it is written once
def _events(before: Snapshot | None, now: Snapshot) -> tuple[str, ...]:
    """Return what is new since the look that was sent last, or everything."""
    texts = {} if before is None else before.texts
    changed = [text for key, text in now.texts.items() if texts.get(key) != text]
    failure, news = json.dumps(now.failure), json.dumps(_news(now))
    head = f'"looked_us":{now.wall.looked_us},"failure":{failure},"news":{news}'
    alarms = json.dumps(now.wall.bench_alarms)
    name = "wall" if before is None else "changes"
    first = _event(name, f'{{{head},"bench_alarms":{alarms},"channels":[{",".join(changed)}]}}')
    if before is not None and before.trends == now.trends:
        return (first,)
    trends = ",".join(f"{json.dumps(key)}:{text}" for key, text in now.trends.items())
    return (first, _event("trends", f"{{{trends}}}"))


def _news(snapshot: Snapshot) -> dict[str, str]:
    """Return what is to be said of rigs that ought to be heard of and are not, by their id."""
    return {rig.rig_id: rig.words for rig in snapshot.wall.rigs if rig.rig_id and rig.is_silent}


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
