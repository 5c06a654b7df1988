"""A host that lives for months: what was a run is nothing once it has left, whatever goes on beside it."""

from __future__ import annotations

import gc
import sys
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest

from rig.bench.hosted_run import HostedRun
from rig.bench.hosting import free_channels
from rig.engine.runner import Run
from rig.engine.states import Verb
from tests.bench.hosts import Desk, Wishes, hosted, work

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="open files are counted as Linux does"
)

REST = """protocol: 1
name: a short rest
safety: {{voltage: [-1 V, 5 V], current: 10 mA, check_every: 10 s}}
steps:
  - rest: {{for: {}}}
"""
SHORT, LONG = REST.format("1 s"), REST.format("300 h")
SPEED = "1000"
OTHERS = ("C2", "P1", "P2")


def alive() -> Counter[str]:
    """Return how many objects there are of what a run consists of."""
    gc.collect()
    kinds = (Run, HostedRun)
    return Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, kinds))


def held() -> tuple[int, int]:
    return psutil.Process().num_fds(), threading.active_count()


class Months:
    """Run after run, on three channels, while a long one has the chamber of the first."""

    def __init__(self, desk: Desk, rounds: int) -> None:
        self.desk, self.rounds = desk, rounds
        self.objects: list[Counter[str]] = []
        self.held: list[tuple[int, int]] = []

    def wishes(self) -> Wishes:
        desk = self.desk
        (long,) = desk.start("C1", text=LONG)
        yield lambda: desk.state(long) == "running"
        for number in range(self.rounds):
            run_ids = desk.start(*OTHERS, text=SHORT)
            yield lambda ids=run_ids: desk.are_over(*ids) and self._are_free()
            if number % 5 == 1:
                self.objects.append(alive())
                self.held.append(held())
        order = desk.asks(long, Verb.STOP)
        yield lambda: desk.answer(order) and desk.are_over(long)

    def _are_free(self) -> bool:
        return set(OTHERS) <= set(free_channels(self.desk.engine, self.desk.bench))


@pytest.mark.parametrize("rounds", [7, pytest.param(34, marks=pytest.mark.slow)])
@pytest.mark.timeout(200)
def test_runs_that_are_over_leave_nothing_in_memory(tmp_path: Path, rounds: int) -> None:
    before = alive()
    with hosted(tmp_path, speed=SPEED) as (host, desk):
        months = Months(desk, rounds)
        work(host, months.wishes())
        assert {run.channel.name for run in host.session.runs} <= {"C1"}
    most = 1 + len(OTHERS)  # the long one, and those that are just leaving
    for objects in months.objects:
        new = objects - before
        assert max(new["Run"], new["HostedRun"]) <= most, months.objects
    files, threads = months.held[0]
    assert all(now[0] <= files + 1 and now[1] <= threads for now in months.held)
