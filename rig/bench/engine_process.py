"""The engine in a process of its own, as whoever serves the page holds it: begun, watched, ended.

A page that crashes or is overloaded cannot touch the runs, and one that is started again finds the
engine that is there already. An engine that died is begun again: its watchdog has disconnected its
cells, and it takes its runs up as their protocols want.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from rig.bench.hosting import HostRecord, host_of, is_same_bench
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem, RigError
from rig.store.journal import journal_url, open_store

READY_SECOND = 60.0  # as long as its watchdog may take to begin
LOOK_SECOND = 0.1
AGAIN_SECOND = 2.0  # before it is begun again; doubled each time
MOST_DEATHS, OF_LATE_SECOND = 5, 3600.0
_LEFT_WELL, _BAD_INPUT = 0, 2  # exit codes after which it is not begun again
_UNKNOWN = -1  # of one that was found here, not begun; now it has gone


@dataclass
class EngineProcess:
    """``rig engine`` for one bench and database. ``look`` is called now and then by its keeper.

    ``trouble`` says why there is no engine, when there is none and none will be begun.
    """

    command: list[str]
    database: str
    clock: Clock = field(default_factory=RealClock)
    trouble: str = ""
    _process: subprocess.Popen[bytes] | None = None
    _deaths: deque[float] = field(default_factory=deque)
    _again_second: float | None = None

    @property
    def alive(self) -> bool:
        """Say whether an engine takes runs for this database now, whoever began it."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The engine's process number, None where there is none."""
        host = self.host()
        return None if host is None else host.pid

    def host(self) -> HostRecord | None:
        """Return what the engine says of itself, None where there is none."""
        try:
            engine = open_store(self.database, create=False)
        except RigError:  # there is no database yet, so there was never an engine
            return None
        try:
            return host_of(engine)
        finally:
            engine.dispose()

    def start(self) -> None:
        """Begin it, unless one is there; returns when it takes runs. Raises RigError when it does not."""
        self.trouble = ""
        if self.alive:
            return
        self._begin()
        deadline = self.clock.now() + READY_SECOND
        while not self.alive:
            self._require_on_its_way(deadline)
            self.clock.wait_until(self.clock.now() + LOOK_SECOND)

    def look(self) -> bool:
        """Begin it again where it has died and may be; say whether it is there."""
        now = self.clock.now()
        process = self._process
        if self._again_second is not None and now >= self._again_second:
            self._again_second = None
            if not self.alive:  # somebody may have begun one by hand
                self._begin()
        elif process is not None:
            if process.poll() is not None:
                self._process = None
                self._bury(process.returncode, now)
        elif self._again_second is None and not self.trouble and not self.alive:
            self._bury(_UNKNOWN, now)
        return self.alive

    def stop(self, patience_second: float = 60.0) -> bool:
        """Ask it to make every cell safe and end; say whether it has. It is never killed from here."""
        self._again_second, self.trouble = None, "the engine was ended"
        pid, process = self.pid, self._process
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = self.clock.now() + patience_second
        while self.alive or (process is not None and process.poll() is None):
            if self.clock.now() >= deadline:
                return False
            self.clock.wait_until(self.clock.now() + LOOK_SECOND)
        self._process = None
        return True

    def _begin(self) -> None:
        # A session of its own: Ctrl-C at the page's terminal is the page's, and passed on in words.
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def _require_on_its_way(self, deadline: float) -> None:
        assert self._process is not None
        code = self._process.poll()
        if code is None and self.clock.now() < deadline:
            return
        what = "takes no runs yet" if code is None else f"ended at once, with code {code}"
        remedy = f"see what it says by itself: {' '.join(self.command[3:])}"
        if code == _BAD_INPUT:
            raise BadInput(Problem("rig engine", what), remedy=remedy)
        raise RigError(f"the engine {what}", remedy=remedy)

    def _bury(self, code: int, now: float) -> None:
        """Decide what follows from its end."""
        if code == _LEFT_WELL:
            self.trouble = "the engine was ended"
            return
        if code == _BAD_INPUT:
            self.trouble = "the engine cannot begin: its bench file or database is refused"
            return
        self._deaths.append(now)
        while now - self._deaths[0] > OF_LATE_SECOND:
            self._deaths.popleft()
        if len(self._deaths) > MOST_DEATHS:
            self.trouble = f"the engine died {len(self._deaths)} times within an hour (code {code})"
            return
        self._again_second = now + AGAIN_SECOND * 2.0 ** (len(self._deaths) - 1)


def start_engine_process(
    bench: str, database: str, speed: str | None = None, seed: int = 1
) -> EngineProcess:
    """Return the engine of this database in a process of its own, begun unless it is there already.

    ``bench`` is a file or ``sim``; ``speed`` as in ``rig run``. Raises BadInput where that process
    refuses one of them or another bench's engine is there, RigError when it does not begin.
    """
    # -P: a file called rig.py in the folder that somebody works in is not this package.
    command = [sys.executable, "-P", "-m", "rig", "engine", "--bench", bench, "--db", database]
    command += ["--seed", str(seed), *(["--speed", speed] if speed is not None else [])]
    process = EngineProcess(command, database)
    _require_same_bench(process, bench)
    process.start()
    return process


def _require_same_bench(process: EngineProcess, bench: str) -> None:
    """An engine that is there already must be the one that is wanted."""
    host = process.host()
    if host is not None and not is_same_bench(host.bench, bench):
        message = f"process {host.pid} is its engine already, with bench {host.bench}"
        raise BadInput(
            Problem(f"database {journal_url(process.database)}", message),
            remedy="give another database with --db, or end that engine",
        )
