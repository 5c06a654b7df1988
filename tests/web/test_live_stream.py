"""The live stream: first everything, then what changed; who is slow or gone holds nobody up."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from rig.bench.status import ChannelStatus, Wall
from rig.core.clock import RealClock
from rig.core.roles import Role
from rig.web.access import Visitor
from rig.web.address import listen
from rig.web.application import create_app
from rig.web.house import open_house
from rig.web.live_view import LiveView
from rig.web.routes.live import watch
from tests.web.houses import BENCH, HandClock


class Bench:
    """Two channels whose voltage is what somebody sets; counts how often it is looked at."""

    def __init__(self) -> None:
        self.volts, self.looks = [3.0, 3.5], 0

    def look(self) -> Wall:
        self.looks += 1
        return Wall(
            self.looks,
            tuple(
                ChannelStatus("r", "rig", f"A{number}", "running", voltage_volt=volt)
                for number, volt in enumerate(self.volts)
            ),
        )


def view_of(bench: Bench, clock: Any) -> LiveView:
    return LiveView(bench, lambda: None, clock, every_second=0.001)  # type: ignore[arg-type]


def parsed(event: str) -> tuple[str, Any]:
    name, data = event.strip().split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def known() -> Visitor | None:
    return Visitor("olaf", Role.VIEWER)


async def next_of(stream: AsyncIterator[str], name: str) -> Any:
    async for event in stream:
        if event.startswith(f"event: {name}\n"):
            return parsed(event)[1]
    raise AssertionError("the stream has ended")


def test_the_wall_comes_first_and_then_only_the_channels_that_changed() -> None:
    async def story() -> None:
        bench = Bench()
        view = view_of(bench, RealClock())
        stream = watch(view, known)
        wall = await next_of(stream, "wall")
        assert [one["channel"] for one in wall["channels"]] == ["A0", "A1"]
        assert list(await next_of(stream, "trends")) == ["r/A0", "r/A1"]
        bench.volts[1] = 3.6
        while True:
            changes = await next_of(stream, "changes")
            if changes["channels"]:
                break
        assert [one["voltage_volt"] for one in changes["channels"]] == [3.6]
        view.close()
        assert [event async for event in stream if event.startswith("event: wall")] == []

    asyncio.run(story())


def test_however_many_watch_the_store_is_read_as_often_as_for_one() -> None:
    bench, clock = Bench(), HandClock()
    view = LiveView(bench, lambda: None, clock)  # type: ignore[arg-type]
    for _ in range(10):
        for _ in range(20):
            view.newest()
        clock.pass_by(0.5)
    assert bench.looks == 10


def test_a_stream_ends_when_its_visitor_is_known_no_longer() -> None:
    async def story() -> None:
        view = view_of(Bench(), RealClock())

        async def nobody() -> Visitor | None:
            return None

        assert len([event async for event in watch(view, nobody)]) >= 2

    asyncio.run(story())


@contextmanager
def serving(url: str) -> Iterator[tuple[int, Any]]:
    """The application on a real port, in another thread."""
    house = open_house(url, BENCH)
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(house), log_level="critical", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1], house
    finally:
        house.live.close()
        server.should_exit = True
        thread.join()
        house.close()
        listening.close()


def asked(port: int) -> socket.socket:
    """Ask for the stream on a bare socket, and read nothing."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return client


def test_clients_that_never_read_or_vanish_hold_up_nobody(url: str) -> None:
    with serving(url) as (port, _):
        silent = [asked(port) for _ in range(10)]
        for client in silent[:5]:
            client.close()  # gone without a word
        with httpx.stream("GET", f"http://127.0.0.1:{port}/api/live", timeout=10) as stream:
            lines = stream.iter_lines()
            seen = [line for _, line in zip(range(12), lines, strict=False)]
        assert "event: wall" in seen
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").json()["status"] == "ok"
        for client in silent[5:]:
            client.close()


def test_a_client_that_comes_back_begins_with_the_whole_wall(url: str) -> None:
    with serving(url) as (port, _):
        for _ in range(2):
            with httpx.stream("GET", f"http://127.0.0.1:{port}/api/live", timeout=10) as stream:
                assert next(stream.iter_lines()) == "event: wall"
