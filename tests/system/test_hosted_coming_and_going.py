"""Twenty starts and stops at random moments over real sockets: nothing is left behind."""

from __future__ import annotations

import random
import sys
import threading
from pathlib import Path

import psutil
import pytest

from rig.bench.file import BenchFile, load_bench
from rig.bench.locks import lock_channels
from rig.bench.serving import bench_for, serve_simulated
from rig.core.errors import BadInput
from rig.engine.states import Verb
from tests.bench.hosts import CYCLE, Wishes, hosted, work

LONG = CYCLE.replace("rest: {for: 2 min}", "rest: {for: 300 h}")
SPEED, TIMES = 200.0, 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="open files are counted as Linux does"),
    pytest.mark.timeout(240),
]


def left_behind() -> tuple[int, int]:
    """Return how many files and connections are open, and how many threads there are."""
    return psutil.Process().num_fds(), threading.active_count()


def is_unlocked(bench: BenchFile) -> bool:
    """Say whether another process could have every instrument of the bench."""
    try:
        lock_channels(bench, bench.channels.values(), "sqlite://").close()
    except BadInput:
        return False
    return True


def test_twenty_random_starts_and_stops_leave_no_thread_file_lock_or_port(tmp_path: Path) -> None:
    sim, chance = load_bench("sim"), random.Random(5)
    with serve_simulated(sim, speed=SPEED, faults=[], seed=1) as addresses:
        path = tmp_path / "bench.yaml"
        path.write_text(bench_for(sim, addresses, SPEED), encoding="utf-8")
        with hosted(tmp_path, load_bench(str(path)), speed=None) as (host, desk):
            seen: list[tuple[int, int]] = []

            def wishes() -> Wishes:
                yield lambda: not host.session.schedule.ending
                for _ in range(TIMES):
                    channel = chance.choice(["C1", "C2"])
                    (run_id,) = desk.start(channel, text=LONG)
                    if chance.random() < 0.7:
                        yield lambda run_id=run_id: desk.state(run_id) == "running"
                    desk.asks(run_id, chance.choice([Verb.STOP, Verb.SAFE]))
                    yield lambda run_id=run_id: desk.are_over(run_id) and not host.lives
                    yield lambda: not host.session.bench.drivers and is_unlocked(desk.bench)
                    seen.append(left_behind())

            work(host, wishes())
            assert len(seen) == TIMES
            # The first brought what stays: the watchdog's pipes, the timer's thread.
            assert max(one[0] for one in seen[10:]) <= seen[1][0] + 1
            assert max(one[1] for one in seen[1:]) <= seen[1][1]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("port ")]
