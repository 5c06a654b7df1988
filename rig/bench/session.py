"""Runs that share a bench, from their first byte to a closed database.

What surrounds the schedule stands here: the door, the store and its patience, alarms, the watchdog, and
in which order everything is given back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from rig.bench.bench_alarms import BenchAlarms
from rig.bench.clock_watch import ClockWatch
from rig.bench.door import Door
from rig.bench.instrument_notes import InstrumentNotes
from rig.bench.instruments import OpenBench
from rig.bench.locks import Locks
from rig.bench.revising import Proposals
from rig.bench.server_watch import ServerWatch
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
    locks: Locks | None = None  # given back when everything is over
    notifier: Notifier | None = None  # tells people of alarms, where there is somebody to tell
    watchdog: Watchdog | Unwatched = field(default_factory=Unwatched)
    forwarder: Forwarder | None = None  # where the database is a server, and engine its journal
    by_hand: list[tuple[str, str]] = field(default_factory=list)  # (lease, channel): a chamber's
    _tasks: dict[str, Task] = field(default_factory=dict)
    _door: Door = field(init=False)

    def run(self, between: Callable[[], None] = lambda: None) -> None:
        """Run everything to its end; returns when every cell is disconnected and data are synced.

        ``between`` is called after each step of work: it draws a progress display, or admits runs
        where the schedule stays for more. Raises StoreError when data could not be kept; the cells
        are safe by then, and what was still kept has been tried once more: a file that was locked
        for a while loses nothing.
        """
        chambers = self.bench.chambers.values()
        with ExitStack() as closing:  # from the last to the first, whatever fails
            if self.forwarder is not None:
                closing.callback(self.forwarder.close)  # when every cell is seen to
                self.forwarder.start()
            closing.callback(self.watchdog.close)  # what it has to do, it does with our ports
            if self.locks is not None:
                closing.callback(self.locks.close)
            closing.callback(self.engine.dispose)
            if self.notifier is not None:  # says its last things when everything is stored
                closing.callback(self.notifier.close)
                self.notifier.start()
            alarms = BenchAlarms(self.recorder, self.clock, self.notifier)
            storing = self._storing(alarms)
            closing.callback(alarms.watch, storing.close)
            closing.callback(alarms.look_at, chambers, self.runs)
            notes = InstrumentNotes(self.bench, self.recorder)
            closing.callback(notes.close)
            closing.callback(self.bench.close)
            if not self._shared_instruments_are_off():
                return
            propose = Proposals(self.engine, self.bench).read
            self._door = Door(self.engine, (), self.schedule, propose=propose)
            first, self.runs = self.runs, []
            for run in first:
                self.admit(run, run.task())
            clock_watch = ClockWatch(self.clock, self._tell_all)
            server_patience_second = self.bench.bench.server_patience_second
            server_watch = ServerWatch(server_patience_second, alarms.server_is_away)

            # On a clock that jumps a step takes microseconds: looking around must not cost as much.
            stride = 1 if self.clock.speed else LOOK_EVERY_STEPS
            steps = itertools.count()

            def after_each() -> None:
                if next(steps) % stride == 0:
                    self._door.look(self._tasks)
                    clock_watch.look()
                    notes.look()
                    if self.forwarder is not None:
                        self.forwarder.tell(self._tell_all)
                        server_watch.look(self.forwarder.away_second)
                if self.recorder.is_due:
                    alarms.watch(storing.commit_if_due)
                between()

            self.schedule.between = after_each
            shared = self.bench.shared
            everything = [*self._tasks.values(), *(one.task() for one in shared)]
            alarms.watch(lambda: self._run_watched(everything))

    def admit(self, run: Run, task: Task, taken: Collection[int] = ()) -> None:
        """Let a run live here, in ``task``, which is the schedule's; orders reach it from now on.

        ``taken`` are ids of orders that have led to this. At full speed nobody could say a word to
        a run that waits: there a pause ends it.
        """
        self._door.add(run, taken)
        self.runs.append(run)
        self._tasks[run.run_id] = task
        run.holds = bool(self.clock.speed)

    def see_out(self, run: Run) -> None:
        """Let no more orders reach a run that is over; it is still one of ours."""
        self._door.remove(run.run_id)
        del self._tasks[run.run_id]

    @property
    def places(self) -> list[tuple[str, str]]:
        """Return (run_id, channel) of every run, and who holds a chamber by hand."""
        return [*((run.run_id, run.channel.name) for run in self.runs), *self.by_hand]

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
