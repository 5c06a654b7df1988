"""A lab for ``web.py``: simulators, an engine on 64 channels and ``rig serve``, each a process of its own.

Real sockets and real time: on a rehearsal's clock a sample has the time it was due, and no jitter shows.
"""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE_SECOND = 120.0
PROTOCOL = """
protocol: 1
name: web
cell: {area: 1 cm^2, capacity: 5 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 20 mA}
record: {every: 1 s, on_change: {voltage: 1 nV, current: 0.00001 %}}
steps:
  - charge: {at: C/5, until: 4.2 V, for: 3 h}
"""
RIG = (sys.executable, "-P", "-m", "rig")


@dataclass(frozen=True)
class Lab:
    """What is running: where its samples are, and how the page is reached."""

    folder: Path
    database: str
    port: int
    server: psutil.Process

    @property
    def file(self) -> Path:
        """The database's file, or the journal of a server: what the engine commits to."""
        return self.folder / "rig.db"


@contextmanager
def lab(folder: Path, channels: int, database: str = "") -> Iterator[Lab]:
    """Run so many channels, and serve them, as long as the block lasts."""
    url = database or f"sqlite:///{folder / 'rig.db'}"
    _write_files(folder, channels)
    with ExitStack() as closing:
        simulators = closing.enter_context(
            process(folder, *RIG, "simulate", "--bench", "sim.yaml", "--write-bench", "bench.yaml")
        )
        wait_for(lambda: (folder / "bench.yaml").exists() or _ended(simulators))
        options = ("--bench", "bench.yaml", "--channel", "all", "--db", url, "--json")
        closing.enter_context(process(folder, *RIG, "run", "web.yaml", *options))
        wait_for(lambda: _running(folder / "rig.db") == channels)
        server, port = closing.enter_context(serving(folder, url))
        yield Lab(folder, url, port, server)


@contextmanager
def serving(folder: Path, database: str) -> Iterator[tuple[psutil.Process, int]]:
    """``rig serve --observe`` on any free port; yields its process and the port."""
    words = ("serve", "--observe", "--db", database, "--port", "0")
    with process(folder, *RIG, *words) as served:
        said = ""
        assert served.stderr is not None
        for line in served.stderr:
            said += line
            found = re.search(r" at http://\S+:(\d+)", line)
            if found is not None:
                yield psutil.Process(served.pid), int(found[1])
                return
    raise RuntimeError(f"rig serve has ended: {said}")


@contextmanager
def process(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program as long as the block lasts, then ask it politely to end."""
    with (folder / "said.txt").open("a", encoding="utf-8") as said:
        running = subprocess.Popen(
            command, cwd=folder, stdout=said, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        try:
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                running.communicate(timeout=60)
            running.kill()
            running.wait()


def wait_for(true: Callable[[], bool]) -> None:
    """Return when it is true; raises RuntimeError when all patience is over."""
    deadline = time.monotonic() + PATIENCE_SECOND
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("nothing happened: see said.txt in the benchmark's folder")
        time.sleep(0.05)


def _ended(running: subprocess.Popen[str]) -> bool:
    if running.poll() is not None:
        raise RuntimeError(f"ended at once: {running.stderr.read() if running.stderr else ''}")
    return False


def _running(file: Path) -> int:
    """Return how many runs of a database or journal have begun; 0 where there is none yet."""
    with suppress(sqlite3.OperationalError):
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            count = connection.execute("SELECT count(*) FROM cursor").fetchone()
            return int(count[0])
        finally:
            connection.close()
    return 0


def _write_files(folder: Path, channels: int) -> None:
    numbers = range(1, channels + 1)
    high = {"saved_off_state": "high_impedance"}
    smu = {"driver": "keithley.smu2450", "connect": "sim", "simulate": high}
    cell = {"cell": "full_cell", "area": "1 cm^2", "state_of_charge": "30 %"}
    bench = {
        "bench": 1,
        "instruments": {f"smu-{n}": smu for n in numbers},
        "channels": {f"C{n}": {"cell": f"smu-{n}", "simulate": cell} for n in numbers},
    }
    (folder / "sim.yaml").write_text(json.dumps(bench), encoding="utf-8")  # JSON is YAML
    (folder / "web.yaml").write_text(PROTOCOL, encoding="utf-8")
