"""The engine's side of the watchdog: signs of life to a process that disconnects the cells without them.

That process is rig/bench/watchdog_process.py; lines of text go to it through one pipe, which breaks
when either side dies. What a sign of life must mean is decided here: the engine's loop turns, and no
run waits for an instrument beyond all patience. Knows no protocol and no instrument.
"""

from __future__ import annotations

import base64
import os
import pickle
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from rig.bench.file import BenchFile
from rig.bench.instruments import OpenBench
from rig.bench.port_times import PortTimes
from rig.bench.watchdog_pipe import Process
from rig.core.clock import Clock, RealClock
from rig.core.errors import RigError
from rig.core.instruments import Identity
from rig.engine.schedule import Request

BEAT_SECOND = 1.0
# What is said through the pipe, one word a line; HUNG is followed by what hangs, DUTY by a duty.
BEAT, DONE, HUNG, UNCONFIRMED, DUTY = b"beat", b"done", b"hung", b"unconfirmed", b"duty "
OFF = "off in the bench file: nothing disconnects the cells if this process dies or hangs"
_LONGEST_WHY = 400  # bytes; a pipe takes a line of up to 512 whole or not at all
_LEAVE_SECOND = 10.0  # how long a watchdog that was told that all is over may take to end
# How long one that was not is waited for: its first try takes so long. It goes on by itself.
_FIRST_TRY_SECOND = 2.0

Tell = Callable[[str, str], None]  # an event's kind and message, for every run


def _tell_nobody(_kind: str, _message: str) -> None:
    """Before ``begin`` there is no log."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What the watchdog has to know beforehand: a dead engine can be asked for nothing.

    ``bench`` has the instruments of this session only; ``runs`` are (run_id, channel);
    ``identities`` who answered on each port; ``speed`` is that of the engine's clock,
    ``after_second`` real time.
    """

    bench: BenchFile
    runs: tuple[tuple[str, str], ...]
    identities: dict[str, Identity]
    database: str
    speed: float
    after_second: float
    engine_pid: int = field(default_factory=os.getpid)

    def encode(self) -> bytes:
        """Return it as one line. Both ends are the same code of the same user: pickle will do."""
        return base64.b64encode(pickle.dumps(self))

    @staticmethod
    def decode(line: bytes) -> Duty:
        duty = pickle.loads(base64.b64decode(line))
        assert isinstance(duty, Duty)
        return duty


class Unwatched:
    """No watchdog: the instruments are simulated in this process, or the bench file says ``off``."""

    def __init__(self, warning: str = "") -> None:
        self._warning = warning
        self._tell: Tell = _tell_nobody
        self.alarms: list[str] = []

    def begin(self, tell: Tell) -> None:
        self._tell = tell

    def beat(self, pending: Iterable[Request]) -> None:
        """Nobody listens; every run is told so, once."""
        if self._warning:
            self._tell("watchdog", self._warning)
            self._warning = ""

    def cover(self, opened: OpenBench, places: Iterable[tuple[str, str]]) -> str:
        """Nobody does; return what has to be said of it, if anything."""
        del opened, places
        return self._warning

    def rescue(
        self, opened: OpenBench, place: tuple[str, str], identities: Mapping[str, Identity]
    ) -> None:
        """Nobody does."""

    def done(self) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """There is nothing to give back."""


class Watchdog:
    """A process beside the engine's; begin before the first cell is armed, beat, say done, close.

    ``alarms`` are the messages that somebody at the terminal has to see, too.
    """

    def __init__(self, duty: Duty, clock: Clock, ports: PortTimes) -> None:
        self._duty, self._clock, self._ports = duty, clock, ports
        self._tell: Tell = _tell_nobody
        self._real = RealClock()
        self._next_second = self._real.now()
        self._process: Process | None = None
        self._announced = False
        self._lost = 0
        self._rescuers: list[Process] = []
        self.alarms: list[str] = []

    def begin(self, tell: Tell) -> None:
        """Start it and wait until it is ready. Raises RigError; nothing was switched on then.

        ``tell`` keeps what becomes of it, now and later, in the event log of every run.
        """
        self._tell = tell
        self._process = Process(self._duty.encode())
        self._process.require_ready()

    def beat(self, pending: Iterable[Request]) -> None:
        """Give a sign of life, once a second at most; never raises and never waits.

        ``pending`` are the requests whose outcomes are still to come. One that is overdue for as
        long as the watchdog is patient is told instead: it ends this process then, because a
        thread that hangs on a port gives it back in no other way.
        """
        now = self._real.now()
        if self._process is None or now < self._next_second:
            return
        self._next_second = now + BEAT_SECOND
        if not self._process.send(self._sign(pending)):
            self._replace(self._process)
        elif not self._announced:  # only now have the runs begun, and their logs a time
            self._announce(self._process)

    def _sign(self, pending: Iterable[Request]) -> bytes:
        late_second, port = self._ports.latest(pending, self._clock)
        if late_second < self._duty.after_second:
            return BEAT
        why = f" {port or 'the timer'} is overdue by {late_second:.0f} s"
        return (HUNG + why.encode())[:_LONGEST_WHY]

    def cover(self, opened: OpenBench, places: Iterable[tuple[str, str]]) -> str:
        """Watch these runs and all that is open, from now on; return what their logs should say.

        Before the cell of a new run is armed, and when one is over.
        """
        self._duty = _duty_of(self._duty, opened, opened.identities, places)
        if self._process is None:
            return "nobody disconnects the cells if this process dies: the watchdog has died"
        if not self._process.send(DUTY + self._duty.encode(), patience_second=BEAT_SECOND):
            self._replace(self._process)
        return self._announcement(self._process) if self._process is not None else ""

    def rescue(
        self, opened: OpenBench, place: tuple[str, str], identities: Mapping[str, Identity]
    ) -> None:
        """Let a process of its own go on trying to disconnect a run that is over: nobody confirmed it.

        ``identities`` are of the instruments that were that run's alone; their ports and locks are
        free. It is not waited for.
        """
        process = Process(_duty_of(self._duty, opened, identities, [place]).encode())
        process.send(UNCONFIRMED)
        process.let_go()
        self._rescuers = [one for one in self._rescuers if not one.has_ended] + [process]

    def done(self) -> None:
        """Say that every cell is disconnected: from here on there is nothing to watch."""
        if self._process is not None:
            self._process.send(DONE)
            self._process.close(_LEAVE_SECOND)
            self._process = None

    def close(self) -> None:
        """Let go of it. Without ``done`` before, it now tries what the engine could not do.

        So the ports have to be closed and the locks given back already.
        """
        if self._process is not None:
            self._process.send(UNCONFIRMED)
            self._process.close(_FIRST_TRY_SECOND)
            self._process = None

    def _announce(self, process: Process) -> None:
        self._announced = True
        self._tell("watchdog", self._announcement(process))

    def _announcement(self, process: Process) -> str:
        patience = f"{self._duty.after_second:g} s"
        return f"process {process.pid} disconnects the cells after {patience} without us"

    def _replace(self, dead: Process) -> None:
        """Raise the alarm; start another watchdog, once: one that dies twice will die again."""
        self._lost += 1
        dead.kill()
        self._process, self._announced = None, False
        message = f"the watchdog (process {dead.pid}) has died"
        if self._lost == 1:
            with suppress(RigError):
                self._process = Process(self._duty.encode())
        if self._process is None:
            message += ": nobody disconnects the cells any more if this process dies, too"
        self.alarms.append(message)
        self._tell("alarm", message)


def watchdog_for(
    opened: OpenBench, runs: Iterable[tuple[str, str]], database: str, ports: PortTimes
) -> Watchdog | Unwatched:
    """Return what watches a session on this bench; ``runs`` are (run_id, channel).

    Instruments that are simulated in this process die with it: there is nothing to watch.
    """
    bench = opened.bench
    if bench.simulated:
        return Unwatched()
    if bench.watchdog_second is None:
        return Unwatched(OFF)
    duty = Duty(
        _of_session(opened, opened.identities),
        tuple(runs),
        dict(opened.identities),
        database,
        opened.clock.speed,
        bench.watchdog_second,
    )
    return Watchdog(duty, opened.clock, ports)


def _duty_of(
    duty: Duty,
    opened: OpenBench,
    identities: Mapping[str, Identity],
    places: Iterable[tuple[str, str]],
) -> Duty:
    """Return the duty for these instruments and runs, the rest as it was."""
    bench = _of_session(opened, identities)
    return replace(duty, bench=bench, runs=tuple(places), identities=dict(identities))


def _of_session(opened: OpenBench, names: Iterable[str]) -> BenchFile:
    """Return the bench without the instruments that are not ours, and without what is bulky.

    All channels stay: a scanner has to know every path of the bench.
    """
    bench = opened.bench
    return replace(
        bench,
        instruments={name: bench.instruments[name] for name in names},
        channels={name: replace(spec, fixture=None) for name, spec in bench.channels.items()},
        plain={},
    )
