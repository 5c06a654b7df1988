"""Rows flow to PostgreSQL while it is stopped and the forwarder killed: ``python benchmarks/deliveries.py``.

Two journals get the same rows at the same time, each with a forwarder process and a real, synced
PostgreSQL of its own. One is left alone. Of the other the server is stopped immediately and the
forwarder killed -9, at random moments. Afterwards count, distinct count and checksum of what the servers have
are compared, with each other and with what was written. Asserts no time; ends with 1 where they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import packages_first  # noqa: F401
from sqlalchemy import Engine, text
from this_machine import machine

from rig.core.clock import RealClock, SimulatedClock
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.journal import open_store
from rig.store.recorder import Recorder
from rig.store.waiting import waiting_in
from tests.postgres import PostgresServer, own_database, wait_until
from tests.store.deliveries import checksum, nothing_waits
from tests.store.stores import add_runs, event, sample

RUNS = ("a", "b", "c", "d")
COMMIT_ROWS = 1_000  # of all runs together, as the recorder commits at most
LONGEST_WAIT_SECOND = 0.15  # after a commit, until a strike: the forwarder looks each 0.05 s
CLOCK = RealClock()
FORWARDER = """
import sys
from rig.store.forwarding import Forwarder
forwarder = Forwarder(sys.argv[1], every_second=0.05, longest_pause_second=0.5)
forwarder.start()
sys.stdin.read()
forwarder.close()
forwarder.dispose()
"""
_SERVER_HAS = text("SELECT run_id, seq_next FROM ingest_cursor")
_JOURNAL_HAS = text("SELECT run_id, min(seq) AS seq FROM spool GROUP BY run_id")


@dataclass
class Lane:
    """One way from a journal to a server, and the process that delivers on it."""

    folder: Path
    server: PostgresServer
    database: str
    journal: Engine = field(init=False)
    recorder: Recorder = field(init=False)
    _forwarder: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        os.environ["RIG_JOURNAL"] = str(self._journal_file)
        self.journal = open_store(self.database)
        add_runs(self.journal, *RUNS)
        self.recorder = Recorder(self.journal, SimulatedClock(), commit_second=None)

    @property
    def _journal_file(self) -> Path:
        return self.folder / "journal.db"

    def write(self, first: int, count: int) -> None:
        """Commit so many samples of every run, and an event of each run."""
        for run_id in RUNS:
            for seq in range(first, first + count):
                self.recorder.sample(sample(run_id, seq))
            self.recorder.row("event", event(run_id, first))
        self.recorder.commit()

    def begin(self) -> None:
        environment = os.environ | {"RIG_JOURNAL": str(self._journal_file)}
        command = [sys.executable, "-c", FORWARDER, self.database]
        self._forwarder = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)

    def kill_forwarder(self) -> None:
        assert self._forwarder is not None
        self._forwarder.kill()
        self._forwarder.communicate()

    def close(self) -> None:
        if self._forwarder is not None:
            self._forwarder.communicate(timeout=60)
        self.journal.dispose()

    def has_twice(self) -> bool:
        """Say whether the server has committed what the journal has not taken out yet."""
        server = open_database(self.database)
        try:
            with server.connect() as there, self.journal.connect() as here:
                has = {row.run_id: row.seq_next for row in there.execute(_SERVER_HAS)}
                return any(row.seq < has.get(row.run_id, 0) for row in here.execute(_JOURNAL_HAS))
        finally:
            server.dispose()

    def found(self) -> tuple[int, int, str]:
        """Return count, distinct count and checksum of what the server has."""
        server = open_database(self.database)
        try:
            return checksum(server)
        finally:
            server.dispose()


@dataclass
class Outcome:
    """What happened, and what both servers have in the end."""

    rows: int
    stops: int = 0
    kills: int = 0
    waiting_at_strike: list[int] = field(default_factory=list)
    had_twice: int = 0  # strikes after which rows were on the server and in the journal
    second: float = 0.0
    disturbed: tuple[int, int, str] = (0, 0, "")
    control: tuple[int, int, str] = (0, 0, "")
    written: tuple[int, int, str] = (0, 0, "")

    @property
    def wrong(self) -> list[str]:
        found = {"disturbed": self.disturbed, "control": self.control}
        return [
            f"{name}: {it}, written {self.written}"
            for name, it in found.items()
            if it != self.written
        ]

    def plain(self) -> dict[str, object]:
        waiting = sorted(self.waiting_at_strike)
        return {
            "rows": self.rows,
            "server_stopped_immediately": self.stops,
            "forwarder_killed": self.kills,
            "second": round(self.second, 1),
            "samples_waiting_at_a_strike": [waiting[0], waiting[len(waiting) // 2], waiting[-1]],
            "strikes_with_rows_on_both_sides": self.had_twice,
            "disturbed": self.disturbed,
            "control": self.control,
            "written": self.written,
            "wrong": self.wrong,
        }


def disturb(options: argparse.Namespace, disturbed: Lane, control: Lane) -> Outcome:
    """Write, strike at random moments, and wait until nothing waits."""
    chance, pause = random.Random(options.seed), Event()
    commits = options.rows // COMMIT_ROWS
    strikes = [*["stop"] * options.stops, *["kill"] * options.kills]
    chance.shuffle(strikes)
    at = dict(zip(sorted(chance.sample(range(1, commits), len(strikes))), strikes, strict=True))
    outcome, each, begun = Outcome(commits * COMMIT_ROWS), COMMIT_ROWS // len(RUNS), CLOCK.now()
    away = False
    for commit in range(commits):
        for lane in (disturbed, control):
            lane.write(commit * each, each)
        if away:
            disturbed.server.start()
            away = False
        if commit in at:
            pause.wait(chance.uniform(0.0, LONGEST_WAIT_SECOND))
            outcome.waiting_at_strike.append(waiting_in(disturbed.journal).samples)
            away = _strike(at[commit], disturbed, outcome)
            print(f"{commit + 1} of {commits}: {at[commit]}", file=sys.stderr, flush=True)
        pause.wait(chance.uniform(0.0, 2.0) * options.pause)
    if away:
        disturbed.server.start()
    for lane in (disturbed, control):
        wait_until(lambda lane=lane: nothing_waits(lane.journal), second=120.0)
    outcome.second = CLOCK.now() - begun
    return outcome


def _strike(kind: str, lane: Lane, outcome: Outcome) -> bool:
    """Do it; say whether the server is away now, until after the next commit."""
    if kind == "stop":
        outcome.stops += 1
        lane.server.stop_immediately()
        return True
    outcome.kills += 1
    lane.kill_forwarder()
    outcome.had_twice += lane.has_twice()
    lane.begin()
    return False


@contextmanager
def lane(folder: Path) -> Iterator[Lane]:
    server = PostgresServer(synced=True)
    try:
        with own_database(server.url) as url:
            folder.mkdir()
            one = Lane(folder, server, url)
            one.begin()
            try:
                yield one
            finally:
                one.close()
    finally:
        server.close()


def written(rows: int, folder: Path) -> tuple[int, int, str]:
    """Return count, distinct count and checksum of the same rows in a file that nobody touches."""
    engine = open_database(f"sqlite:///{folder / 'written.db'}")
    add_runs(engine, *RUNS)
    recorder = Recorder(engine, SimulatedClock(), commit_second=None)
    for run_id in RUNS:
        for seq in range(rows // len(RUNS)):
            recorder.sample(sample(run_id, seq))
    recorder.commit()
    try:
        forward(engine)
        return checksum(engine)
    finally:
        engine.dispose()


def measure(options: argparse.Namespace, folder: Path) -> Outcome:
    with ExitStack() as lanes:
        disturbed, control = (
            lanes.enter_context(lane(folder / name)) for name in ("disturbed", "control")
        )
        outcome = disturb(options, disturbed, control)
        outcome.disturbed, outcome.control = disturbed.found(), control.found()
    outcome.written = written(outcome.rows, folder)
    return outcome


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--stops", type=int, default=10, help="of the server, immediately")
    parser.add_argument("--kills", type=int, default=20, help="of the forwarder, with -9")
    parser.add_argument(
        "--pause", type=float, default=0.2, help="seconds between commits, on average"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print plain data")
    return parser.parse_args()


def main() -> int:
    """Deliver in a temporary folder, print, and return 1 where anything is missing or doubled."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="rig-deliveries-") as folder:
        outcome = measure(options, Path(folder))
    if options.json:
        print(json.dumps({"machine": machine(), **outcome.plain()}, indent=2))
    else:
        print(", ".join(f"{name} {value}" for name, value in machine().items()))
        for name, value in outcome.plain().items():
            print(f"  {name.replace('_', ' '):34}{value}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
