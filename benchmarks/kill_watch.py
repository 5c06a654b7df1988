"""What ``kill.py`` sees of a run from outside: its database, its process, its source meter. Linux only.

A process is stopped before it is looked at and killed, so that what is seen is what the kill met;
a killed process does not notice that it was stopped before.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.core.records import SAMPLE_COLUMNS
from rig.engine.spectrum import OPEN_BEFORE

Process = subprocess.Popen[str]
Row = tuple[object, ...]

# SQLite's lock for the one who writes to the log is byte 120 of the wal-index file (its file
# format, "WAL locks"); byte 121 is that of a checkpoint.
WRITING, CHECKPOINT = 120, 121
_SAMPLES = (
    "SELECT {0} FROM (SELECT {0} FROM sample UNION ALL SELECT {0} FROM spool) ORDER BY seq".format(
        ", ".join(SAMPLE_COLUMNS)
    )
)
_STATES = "SELECT message FROM event WHERE kind = 'state' ORDER BY event_id"
_LIVES = "SELECT count(*) FROM event WHERE kind = 'state' AND message LIKE 'starting%'"
_RUNNING = (
    "SELECT count(*) FROM event WHERE kind = 'state' AND message LIKE 'running%' AND event_id > "
    "(SELECT max(event_id) FROM event WHERE kind = 'state' AND message LIKE 'starting%')"
)
_CURSOR = "SELECT cursor FROM cursor"


@dataclass(frozen=True, slots=True)
class Look:
    """What one reader saw at one moment: all of it was acknowledged."""

    rows: tuple[Row, ...] = ()
    states: tuple[str, ...] = ()  # through which the run has gone, over all its lives
    cycle: int = 0
    in_spectrum: bool = False
    is_locked: bool = False  # by SQLite itself: the process was stopped as it opened or closed it

    @property
    def lives(self) -> int:
        return sum(state.startswith("starting") for state in self.states)


def look(database: Path) -> Look:
    """Read everything in one transaction; an empty look while there is nothing to read."""
    try:
        with _reading(database) as connection:
            return _look(connection)
    except sqlite3.OperationalError as error:
        return Look(is_locked=error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY)


def _look(connection: sqlite3.Connection) -> Look:
    states = tuple(row[0] for row in connection.execute(_STATES))
    cursor = connection.execute(_CURSOR).fetchone()
    rows = tuple(connection.execute(_SAMPLES))
    place = json.loads(cursor[0])["place"] if cursor else {}
    part = place.get("spectrum_part", OPEN_BEFORE)
    return Look(rows, states, place.get("cycle_count", 0), part != OPEN_BEFORE)


def lives_in(database: Path) -> int:
    """Count how often the run began or went on."""
    return _number(database, _LIVES)


def is_running(database: Path, lives: int) -> bool:
    """Say whether the run was armed again in a life after so many.

    A new sample would not show it: after a kill in a commit, SQLite's recovery brings one to light.
    """
    return lives_in(database) > lives and bool(_number(database, _RUNNING))


def runs_in(database: Path) -> int:
    """Count the runs that the database knows."""
    return _number(database, "SELECT count(*) FROM run")


def _number(database: Path, query: str) -> int:
    with contextlib.suppress(sqlite3.OperationalError), _reading(database) as connection:
        return int(connection.execute(query).fetchone()[0])
    return 0


@contextlib.contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    """Give a reader of one moment that leaves no trace; raises where there is nothing yet."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("BEGIN")
        yield connection


# --- the process ---------------------------------------------------------------------------------


def rig(folder: Path, words: Sequence[str]) -> Process:
    """Start a command of rig; what it says goes to a file, so that no pipe fills up."""
    with (folder / "said.txt").open("a", encoding="utf-8") as said:
        command = [sys.executable, "-m", "rig", *words]
        return subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, text=True)


def freeze(process: Process) -> bool:
    """Stop the process between two of its instructions; False when it has ended before."""
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGSTOP)
    kinds = os.WSTOPPED | os.WEXITED | os.WNOWAIT
    seen = os.waitid(os.P_PID, process.pid, kinds)
    return seen is not None and seen.si_code == os.CLD_STOPPED


def kill(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def holds_lock(process: Process, database: Path, byte: int) -> bool:
    """Say whether the process holds one of SQLite's locks; only true of a frozen one for long."""
    index = Path(f"{database}-shm")
    if not index.exists():
        return False
    file = f":{index.stat().st_ino}"
    lines = (line.split() for line in Path("/proc/locks").read_text("ascii").splitlines())
    return any(
        words[3] == "WRITE"
        and words[4] == str(process.pid)
        and words[5].endswith(file)
        and int(words[6]) <= byte <= int(words[7])
        for words in lines
        if len(words) == 8 and words[1] == "POSIX"
    )


# --- waiting -------------------------------------------------------------------------------------


def wait_for(condition: Callable[[], bool], second: float, pause_second: float = 0.02) -> bool:
    """Say whether the condition came true before so many seconds were over."""
    pause, deadline = threading.Event(), time.monotonic() + second
    while time.monotonic() < deadline:
        if condition():
            return True
        pause.wait(pause_second)
    return condition()


def next_write(database: Path, process: Process, second: float) -> bool:
    """Return as soon as the log of the database changes: a commit or a checkpoint is on its way."""
    log = Path(f"{database}-wal")

    def mark() -> tuple[int, int]:
        with contextlib.suppress(FileNotFoundError):
            found = log.stat()
            return found.st_mtime_ns, found.st_size
        return 0, 0

    before = mark()
    return wait_for(lambda: mark() != before or process.poll() is not None, second, 0.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """When to strike: so long after the run began, or after its process did; at once or at a write."""

    second: float
    of_the_run: bool
    at_write: bool

    @staticmethod
    def choose(chance: random.Random, longest_second: float) -> Moment:
        """One in six strikes a process that may still be loading, one in four waits for a write."""
        of_the_run = chance.random() > 1 / 6
        second = chance.uniform(0.0, longest_second)
        return Moment(second, of_the_run, chance.random() < 1 / 4)

    def wait_for_write(self, database: Path, process: Process) -> None:
        if self.at_write:
            next_write(database, process, 5.0)


# --- the instrument ------------------------------------------------------------------------------


def output_is_on(address: str) -> bool | None:
    """Ask a served source meter whether its output is on; None: it was not to be reached.

    It has one client at a time, and may not have noticed yet that the killed one has gone.
    """
    answers: list[bytes] = []

    def asked() -> bool:
        with contextlib.suppress(OSError):
            answers.append(_ask(address, b":OUTP?\n"))
        return bool(answers and answers[-1])

    return answers[-1].strip() == b"1" if wait_for(asked, 2.0) else None


def _ask(address: str, question: bytes) -> bytes:
    _, host, port, _ = address.split("::")
    with socket.create_connection((host, int(port)), timeout=1.0) as connection:
        connection.sendall(question)
        return connection.recv(100)
