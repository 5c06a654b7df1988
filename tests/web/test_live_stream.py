"""The live stream: first everything, then what changed; who is slow or gone holds nobody up."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from rig.bench.status import ChannelStatus, Wall
from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import RealClock
from rig.core.roles import Role
from rig.store.alarms import raise_now
from rig.store.database import open_database
from rig.web.access import Visitor
from rig.web.live_view import LiveView
from rig.web.pulse import Pulse
from rig.web.routes.live import watch
from tests.web.houses import HandClock, served


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


def pulse_of(bench: Bench, **options: Any) -> Pulse:
    view = LiveView(bench, lambda: None, RealClock(), every_second=0.001)  # type: ignore[arg-type]
    return Pulse(view, **{"calm_second": 0.001, "tick_second": 0.001} | options)


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
        pulse = pulse_of(bench)
        stream = watch(pulse, known)
        wall = await next_of(stream, "wall")
        assert [one["channel"] for one in wall["channels"]] == ["A0", "A1"]
        assert list(await next_of(stream, "trends")) == ["r/A0", "r/A1"]
        bench.volts[1] = 3.6
        while True:
            changes = await next_of(stream, "changes")
            if changes["channels"]:
                break
        assert [one["voltage_volt"] for one in changes["channels"]] == [3.6]
        pulse.view.close()
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


def test_a_commit_is_told_to_all_who_watch_by_one_look_and_a_calm_store_is_left_alone() -> None:
    async def story() -> None:
        bench, committed = Bench(), threading.Event()
        pulse = pulse_of(bench, changed=committed.is_set, calm_second=3600.0)
        streams = [watch(pulse, known) for _ in range(20)]
        for stream in streams:
            await next_of(stream, "wall")
        assert bench.looks == 1
        heard = [asyncio.create_task(next_of(stream, "changes")) for stream in streams]
        bench.volts[0] = 3.1
        committed.set()
        told = [(await one)["channels"][0]["voltage_volt"] for one in heard]
        assert told == [3.1] * 20
        committed.clear()
        pulse.view.close()
        for stream in streams:
            await stream.aclose()

    asyncio.run(story())


def test_who_was_slow_hears_of_the_newest_look_only() -> None:
    async def story() -> None:
        bench = Bench()
        pulse = pulse_of(bench)
        slow, quick = watch(pulse, known), watch(pulse, known)
        await next_of(slow, "trends")
        await next_of(quick, "wall")
        for volt in (3.1, 3.2, 3.3):
            bench.volts[0] = volt
            while not (await next_of(quick, "changes"))["channels"]:
                pass
        news = await next_of(slow, "changes")
        assert [one["voltage_volt"] for one in news["channels"]] == [3.3]
        pulse.view.close()
        for stream in (slow, quick):
            await stream.aclose()

    asyncio.run(story())


def test_nobody_looks_when_nobody_watches_and_a_fault_ends_the_streams() -> None:
    async def story() -> None:
        bench = Bench()
        pulse = pulse_of(bench)
        stream = watch(pulse, known)
        await next_of(stream, "wall")
        await stream.aclose()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others)  # the one that looked has been told to end
        bench.look = lambda: 1 / 0  # type: ignore[assignment, method-assign, return-value]
        with pytest.raises(RuntimeError, match="nobody looks"):
            async for _ in watch(pulse, known):
                pass

    asyncio.run(story())


def test_a_stream_ends_when_its_visitor_is_known_no_longer() -> None:
    async def story() -> None:
        pulse = pulse_of(Bench())

        async def nobody() -> Visitor | None:
            return None

        assert len([event async for event in watch(pulse, nobody)]) >= 2

    asyncio.run(story())


def asked(port: int) -> socket.socket:
    """Ask for the stream on a bare socket, and read nothing."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return client


def test_clients_that_never_read_or_vanish_hold_up_nobody(url: str) -> None:
    with served(url) as (address, _):
        port = int(address.rpartition(":")[2])
        silent = [asked(port) for _ in range(10)]
        for client in silent[:5]:
            client.close()  # gone without a word
        with httpx.stream("GET", f"{address}/api/live", timeout=10) as stream:
            lines = stream.iter_lines()
            seen = [line for _, line in zip(range(12), lines, strict=False)]
        assert "event: wall" in seen
        assert httpx.get(f"{address}/healthz").json()["status"] == "ok"
        for client in silent[5:]:
            client.close()


def test_a_client_that_comes_back_begins_with_the_whole_wall(url: str) -> None:
    with served(url) as (address, _):
        for _ in range(2):
            with httpx.stream("GET", f"{address}/api/live", timeout=10) as stream:
                assert next(stream.iter_lines()) == "event: wall"


def test_what_another_process_commits_is_told_without_waiting_for_the_next_look(url: str) -> None:
    with served(url) as (address, house):
        house.pulse.calm_second = 3600.0
        with httpx.stream("GET", f"{address}/api/live", timeout=60) as stream:
            lines = stream.iter_lines()
            next(line for line in lines if line.startswith("data: "))
            other = open_database(url)
            raise_now(
                other, raise_alarm(Severity.WARNING, "disk-full", "1 GB is left", raised_us=1)
            )
            other.dispose()
            told = next(line for line in lines if "1 GB is left" in line)
        assert json.loads(told.removeprefix("data: "))["bench_alarms"][0]["kind"] == "disk-full"
