"""Ports that are opened and closed as runs come and go: who comes while one is being closed has it after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rig.bench.file import load_bench
from rig.bench.instruments import open_bench
from rig.bench.ports import Ports
from rig.core.clock import SimulatedClock
from rig.engine.schedule import Request, SimulatedSchedule, Task

CHAMBER = {"chamber": "chamber-c"}


@pytest.fixture
def ports() -> Iterator[Ports]:
    clock = SimulatedClock()
    bench = open_bench(load_bench("sim"), clock, [])
    yield Ports(bench, SimulatedSchedule(clock), lambda _name, link, _clock: link)
    bench.close()


def done(request: Request) -> Any:
    """Do what a task asks for, as its schedule would."""
    return request.call() if request.call is not None else None


def to_its_end(task: Task, request: Request | None = None) -> None:
    try:
        request = request or next(task)
        while True:
            request = task.send(done(request))
    except StopIteration:
        return


def test_a_run_that_comes_while_its_port_is_being_closed_has_it_open_afterwards(ports):
    to_its_end(ports.open("first", CHAMBER))
    closing = ports.close("first")
    on_the_wire = next(closing)
    coming = ports.open("second", CHAMBER)
    waits = next(coming)
    assert waits.call is None
    to_its_end(closing, on_the_wire)
    to_its_end(coming, waits)
    ports.share("chamber's own task", "chamber-c")
    assert ports.of_alone("second") == []
    to_its_end(ports.close("chamber's own task"))
    assert ports.of_alone("second") == ["chamber-c"]


def test_what_two_use_is_closed_with_the_second(ports):
    to_its_end(ports.open("first", CHAMBER))
    to_its_end(ports.open("second", CHAMBER))
    to_its_end(ports.close("first"))
    assert ports.of_alone("second") == ["chamber-c"]
    to_its_end(ports.close("second"))
    assert ports.of_alone("second") == []
