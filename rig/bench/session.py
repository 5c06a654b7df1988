"""Runs that share a bench, from their first byte to a closed database.

What surrounds the schedule stands here: the door, the store and its patience, alarms, the watchdog, and
in which order everything is given back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from rig.bench.bench_alarms import BenchAlarms
from rig.bench.clock_watch import ClockWatch
from rig.bench.door import Door
from rig.bench.instruments import OpenBench
from rig.bench.storing import Storing
from rig.bench.watchdog import Unwatched, Watchdog
from rig.core.alarms import Severity
from rig.core.clock import Clock
from rig.core.errors import InstrumentError, LinkError
from rig.core.records import RunState
from rig.engine.runner import Run
from rig.engine.schedule import Schedule, Task
from rig.store.recorder import Recorder

if TYPE_CHECKING:
    from rig.bench.notifying import Notifier
    from rig.store.forwarding import Forwarder

LOOK_EVERY_STEPS = 64

# States of a run in which its cell may be connected.
_DRIVING = {RunState.STARTING, RunState.RUNNING, RunState.PAUSING, RunState.STOPPING}


@dataclass
class Session:
    """Runs that share a bench, a clock and a database."""

    bench: OpenBench
    clock: Clock
    engine: Engine
    schedule: Schedule
    recorder: Recorder
    runs: list[Run] = field(default_factory=list)
    locks: ExitStack = field(default_factory=ExitStack)  # given back when everything is over
    notifier: Notifier | None = None  # tells people of alarms, where there is somebody to tell
    watchdog: Watchdog | Unwatched = field(default_factory=Unwatched)
    forwarder: Forwarder | None = None  # where the database is a server, and engine its journal

    def run(self, between: Callable[[], None] = lambda: None) -> None:
        """Run everything to its end; returns when every cell is disconnected and data are synced.

        ``between`` is called after each step of work, for a progress display. Raises StoreError
        when data could not be kept; the cells are safe by then, and what was still kept has been
        tried once more: a file that was locked for a while loses nothing.
        """

        tasks = {run.run_id: run.task() for run in self.runs}
        for run in self.runs:  # at full speed nobody could say a word to a run that waits
            run.holds = bool(self.clock.speed)
        chambers = self.bench.chambers.values()
        with ExitStack() as closing:  # from the last to the first, whatever fails
            if self.forwarder is not None:
                closing.callback(self.forwarder.close)  # when every cell is seen to
                self.forwarder.start()
            closing.callback(self.watchdog.close)  # what it has to do, it does with our ports
            closing.callback(self.locks.close)
            closing.callback(self.engine.dispose)
            if self.notifier is not None:  # says its last things when everything is stored
                closing.callback(self.notifier.close)
                self.notifier.start()
            alarms = BenchAlarms(self.recorder, self.clock, self.notifier)
            storing = self._storing(alarms)
            closing.callback(alarms.watch, storing.close)
            closing.callback(alarms.look_at, chambers, self.runs)
            closing.callback(self.bench.close)
            if not self._shared_instruments_are_off():
                return
            door = Door(self.engine, self.runs, self.schedule)
            clock_watch = ClockWatch(self.clock, self._tell_all)

            # On a clock that jumps a step takes microseconds: looking around must not cost as much.
            stride = 1 if self.clock.speed else LOOK_EVERY_STEPS
            steps = itertools.count()

            def after_each() -> None:
                if next(steps) % stride == 0:
                    door.look(tasks)
                    clock_watch.look()
                    if self.forwarder is not None:
                        self.forwarder.tell(self._tell_all)
                if self.recorder.is_due:
                    alarms.watch(storing.commit_if_due)
                between()

            self.schedule.between = after_each
            everything = [*tasks.values(), *(chamber.task() for chamber in chambers)]
            alarms.watch(lambda: self._run_watched(everything))

    def _storing(self, alarms: BenchAlarms) -> Storing:
        """In a rehearsal time runs away from a store that fails: there it is borne with at no time."""
        patience_second = self.bench.bench.store_patience_second if self.clock.speed else 0.0

        def tell(kind: str, message: str) -> None:
            self._tell_all(kind, message)
            if kind == "store late":
                alarms.store_is_late(message)

        return Storing(self.recorder, self.clock, patience_second, tell)

    def _run_watched(self, tasks: Sequence[Task]) -> None:
        """Run the tasks beside a process that disconnects their cells if this one dies or hangs."""
        self.watchdog.begin(self._tell_all)
        self.schedule.alive = lambda: self.watchdog.beat(self.schedule.pending())
        try:
            self.schedule.run(tasks)
        finally:
            if not any(run.alarm or run.state in _DRIVING for run in self.runs):
                self.watchdog.done()

    def _tell_all(self, kind: str, message: str) -> None:
        for run in self.runs:
            run.log.note(kind, message)
            if kind == "alarm":
                run.log.alarm(Severity.ALARM, "watchdog-lost", message)

    def _shared_instruments_are_off(self) -> bool:
        """Switch off what stands behind scanners; where nobody confirms that, no run begins."""
        channels = [self.bench.bench.channels[run.channel.name] for run in self.runs]
        try:
            self.bench.disconnect_shared(channels)
        except (LinkError, InstrumentError) as fault:
            for run in self.runs:
                run.refuse(f"an instrument behind a scanner is not confirmed off: {fault}")
            return False
        return True

    def stop(self, reason: str) -> None:
        """Disconnect every cell and end; the runs can be resumed. Safe in a signal handler."""
        self.schedule.stop(reason)
