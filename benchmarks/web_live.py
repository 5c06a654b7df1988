"""What web.py measures of the live stream: latency, processor time, jitter of the engine, slow clients."""

from __future__ import annotations

import itertools
import json
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select
from web_rig import Lab, process

from rig.store import tables
from rig.store.database import open_database

HERE = Path(__file__).resolve().parent
LOOK_SECOND = 0.002  # how often the watcher asks whether something was committed
DUE_SECOND = 1.0  # between the samples of a channel, by the protocol


@dataclass
class Phase:
    """A stretch of time with so many clients, and what it cost; times are UTC microseconds."""

    clients: int
    begin_us: int = 0
    end_us: int = 0
    processor_fraction: float = 0.0
    memory_byte: list[int] = field(default_factory=list)
    heard: dict[str, Any] = field(default_factory=dict)


def clients_of(port: int, second: float, path: str = "/api/live", **count: int) -> Any:
    """Let so many clients listen from a process of their own; return what they heard."""
    options = [word for name, number in count.items() for word in (f"--{name}", str(number))]
    command = [sys.executable, str(HERE / "web_clients.py"), str(port), "--path", path]
    done = subprocess.run(
        [*command, "--second", str(second), *options], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def phase(lab: Lab, second: float, clients: int, **odd: int) -> Phase:
    """Let so many clients listen, or nobody, and see what it costs the server."""
    result, over = Phase(clients), threading.Event()
    thread = threading.Thread(target=_see_memory, args=(lab.server, result, over))
    thread.start()
    before, began = lab.server.cpu_times(), time.monotonic()
    result.begin_us = time.time_ns() // 1000
    try:
        if clients or odd:
            result.heard = clients_of(lab.port, second, "/api/live", clients=clients, **odd)
        else:
            over.wait(second)
        result.end_us = time.time_ns() // 1000
        after, took = lab.server.cpu_times(), time.monotonic() - began
        spent = after.user - before.user + after.system - before.system
        result.processor_fraction = spent / took
    finally:
        over.set()
        thread.join()
    return result


def _see_memory(server: psutil.Process, result: Phase, over: threading.Event) -> None:
    while not over.wait(1.0):
        result.memory_byte.append(server.memory_info().rss)


# --- latency -------------------------------------------------------------------------------------


@contextmanager
def commits(file: Path) -> Iterator[dict[tuple[str, int], int]]:
    """Note, while the block lasts, when each run's newest sample of a commit was there to be read."""
    seen: dict[tuple[str, int], int] = {}
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(file, seen, over))
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _watch(file: Path, seen: dict[tuple[str, int], int], over: threading.Event) -> None:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    newest = "SELECT run_id, max(ts_us), max(arrival) FROM spool WHERE arrival > ? GROUP BY run_id"
    version = arrival = 0
    while not over.wait(LOOK_SECOND):
        now = connection.execute("PRAGMA data_version").fetchone()[0]
        if now == version:
            continue
        version, seen_us = now, time.time_ns() // 1000
        for run_id, ts_us, last in connection.execute(newest, (arrival,)).fetchall():
            seen[run_id, ts_us] = seen_us
            arrival = max(arrival, last)
    connection.close()


def latencies(
    phases: Sequence[Phase], committed: Mapping[tuple[str, int], int]
) -> tuple[list[float], list[float]]:
    """Return milliseconds from the commit, and from the measurement, to each client that heard of it."""
    since_commit, since_sample = [], []
    for one in phases:
        for heard in one.heard["samples"]:
            known: set[tuple[str, int]] = set()
            for run_id, sampled_us, arrived_us in heard:
                key = (run_id, sampled_us)
                if arrived_us and key in committed and key not in known:
                    since_commit.append((arrived_us - committed[key]) / 1e3)
                    since_sample.append((arrived_us - sampled_us) / 1e3)
                known.add(key)
    return since_commit, since_sample


def alone(folder: Path, size: int, every_second: float, clients: int, second: float) -> list[float]:
    """Return the milliseconds of the reference: the same bytes as often, and nothing else."""
    words = (str(HERE / "web_alone.py"), str(size), str(every_second))
    with process(folder, sys.executable, *words) as server:
        assert server.stderr is not None
        port = int(server.stderr.readline().rsplit(":", 1)[1])
        heard = clients_of(port, second, "/", clients=clients)
    return [
        (arrived_us - sent_us) / 1e3
        for client in heard["samples"]
        for _, sent_us, arrived_us in client
        if arrived_us
    ]


# --- jitter --------------------------------------------------------------------------------------


def jitter(lab: Lab, one: Phase) -> list[float]:
    """Return by how many milliseconds samples of a phase came too early or late after their predecessor."""
    engine = open_database(lab.database)
    times = defaultdict(list)
    try:
        for table in (tables.sample, tables.spool):
            wanted = select(table.c.run_id, table.c.seq, table.c.test_time_second).where(
                table.c.ts_us.between(one.begin_us, one.end_us)
            )
            with engine.connect() as connection:
                for run_id, seq, second in connection.execute(wanted):
                    times[run_id].append((seq, second))
    finally:
        engine.dispose()
    late = []
    for rows in times.values():
        rows.sort()
        pairs = itertools.pairwise(rows)
        late += [1e3 * abs(b - a - DUE_SECOND) for (n, a), (m, b) in pairs if m == n + 1]
    return late


def quantile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that this part of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "p50_millisecond": statistics.median(values),
        "p99_millisecond": quantile(values, 0.99),
        "largest_millisecond": max(values),
    }
