"""Server-sent events alone, the reference of web.py: bare Starlette and uvicorn, a text that is there already.

``python benchmarks/web_alone.py BYTES SECOND [BOXES]``: so many bytes to everybody each so many seconds, and
a page of plain boxes at /boxes. Says where it is.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

BOX = "<div style='float:left;width:11%;height:11vh;border:1px solid'>C 3.7000 V</div>"
HEAD = 'event: changes\ndata: {"sent_us":%d,"rest":"%s"}\n\n'


class Speaker:
    """Makes one text each time, and wakes everybody."""

    def __init__(self, size: int, every_second: float) -> None:
        self.rest, self.every_second = "x" * max(0, size - 40), every_second
        self.text, self.spoken = b"", asyncio.Condition()

    async def speak(self) -> None:
        while True:
            await asyncio.sleep(self.every_second)
            async with self.spoken:
                self.text = (HEAD % (time.time_ns() // 1000, self.rest)).encode()
                self.spoken.notify_all()

    async def stream(self) -> AsyncIterator[bytes]:
        while True:
            async with self.spoken:
                await self.spoken.wait()
            yield self.text


async def serve(size: int, every_second: float, boxes: int) -> None:
    speaker = Speaker(size, every_second)

    async def live(_: Request) -> StreamingResponse:
        return StreamingResponse(speaker.stream(), media_type="text/event-stream")

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse(f"<!doctype html><title>boxes</title>{BOX * boxes}")

    app = Starlette(routes=[Route("/", live), Route("/boxes", page)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
    speaking = asyncio.create_task(speaker.speak())
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(f"at http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await serving
    speaking.cancel()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), int((*sys.argv, "64")[3])))
