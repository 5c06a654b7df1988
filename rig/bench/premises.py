"""What the runs of one engine share: ports, locks and chambers, given to whoever comes, taken back after.

Everything here happens in the engine's thread; what may block is a request to a port.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from rig.bench.instruments import OpenBench
from rig.bench.locks import Locks
from rig.bench.ports import Ports
from rig.bench.session import Session
from rig.core.alarms import Severity, raise_alarm
from rig.core.clock import RealClock
from rig.core.errors import BadInput
from rig.core.instruments import Identity
from rig.engine.chamber import SharedChamber
from rig.engine.runner import Run
from rig.engine.schedule import Interrupted, Request, Task
from rig.engine.sensors import SharedSensor

LOOK_SECOND = 0.05  # real time: how often a lock or a commit is looked for again


@dataclass
class Premises:
    """``told`` are the channels whose alarms this process tells people of; it only grows.

    An alarm that is raised as a run ends is told after it has left.
    """

    session: Session
    ports: Ports
    locks: Locks
    told: set[str]
    seed: int = 1  # of the simulated cells, where they are
    # Chamber or sensor at work -> runs that have it, or the one that had it last.
    _kept_by: dict[str, list[Run]] = field(default_factory=dict)
    _count: Iterator[int] = field(default_factory=itertools.count)

    @property
    def bench(self) -> OpenBench:
        return self.session.bench

    @property
    def engine(self) -> Engine:
        return self.session.engine

    @property
    def ending(self) -> bool:
        """Say whether the session gives everything back itself: nobody else need."""
        return self.session.schedule.ending

    def pause(self) -> Request:
        """Return a request that lasts a moment of real time."""
        clock = self.session.clock
        return Request(clock.now() + LOOK_SECOND * max(clock.speed, 1.0))

    # --- runs -----------------------------------------------------------------------------------

    def welcome(self, run: Run) -> None:
        """See to all that has to be there before a run's cell is armed; it is admitted."""
        self.told.add(run.channel.name)
        words = self.watch()
        if words:
            run.log.note("watchdog", words)
        for shared in run.channel.shared:
            self.keep(shared, run)

    def watch(self) -> str:
        """Let the watchdog see to all that is here now; return what a log should say of it."""
        return self.session.watchdog.cover(self.bench, self.session.places)

    def give_back(self, run: Run) -> Task:
        """Give back what a run had that is over: ports, then, when its end is on record, locks.

        A cell that nobody has confirmed disconnected is left to a process that goes on trying.
        """
        alone = self._identities_of(run.run_id)
        yield from self.ports.close(run.run_id)
        yield from self.committed()
        if self.ending:
            return
        self.locks.give_back(run.run_id)
        session, place = self.session, (run.run_id, run.channel.name)
        if run.alarm:
            session.watchdog.rescue(self.bench, place, alone)
        session.runs.remove(run)
        self._forget(run)
        self.watch()

    def _identities_of(self, user: str) -> Mapping[str, Identity]:
        known = self.bench.identities
        return {name: known[name] for name in self.ports.of_alone(user) if name in known}

    def locked(self, run_id: str, channel: str, patience_second: float) -> Task:
        """Take the locks of a channel and its instruments for a run.

        Raises BadInput when they are still busy after so many real seconds: a watchdog that is
        disconnecting the cell holds them for as long as that takes.
        """
        clock = RealClock()
        deadline = clock.now() + patience_second
        while True:
            try:
                self.locks.take(run_id, [self.bench.bench.channels[channel]])
            except BadInput:
                if clock.now() >= deadline:
                    raise
            else:
                return
            yield self.pause()

    def committed(self) -> Task:
        """Wait until all that is kept now is on disk, or everything ends."""
        recorder = self.session.recorder
        recorder.hurry()
        before = recorder.commits
        while recorder.commits == before and not self.ending:
            try:
                yield self.pause()
            except Interrupted:  # there is nothing to make safe any more
                continue

    # --- chambers and sensors -------------------------------------------------------------------

    def keep(self, shared: SharedChamber | SharedSensor, run: Run | None) -> None:
        """Let a chamber or sensor work for a run, or None: for a person, by hand.

        It has one task as long as anybody uses it.
        """
        name = shared.name
        at_work = name in self._kept_by
        self._kept_by[name] = [*self._living(name), *([] if run is None else [run])]
        if not at_work:
            # Not only by name: the last one's task may still be giving back what it had.
            holder = f"shared {name} {next(self._count)}"
            self.ports.share(holder, name)
            self.locks.share(holder, name)
            self.session.schedule.add(self._shared_task(shared, holder))

    def _forget(self, run: Run) -> None:
        """Only whoever had a chamber last is told what becomes of it: no other run is kept for that."""
        for shared in run.channel.shared:
            if shared.name in self._kept_by:
                self._kept_by[shared.name] = self._living(shared.name) or [run]

    def _living(self, name: str) -> list[Run]:
        here = {run.run_id for run in self.session.runs}
        return [run for run in self._kept_by.get(name, ()) if run.run_id in here]

    def _shared_task(self, shared: SharedChamber | SharedSensor, holder: str) -> Task:
        yield from shared.task()
        runs = self._kept_by.pop(shared.name)
        if self.ending:
            return
        if shared.alarm:
            self._raise_chamber_alarm(shared, runs)
        yield from self.ports.close(holder)
        if self.ending:
            return
        self.locks.give_back(holder)
        self.watch()

    def _raise_chamber_alarm(
        self, shared: SharedChamber | SharedSensor, runs: Sequence[Run]
    ) -> None:
        """By the runs that had it; on every channel in it, where somebody had it by hand."""
        severity, kind = Severity.CRITICAL, "unconfirmed-chamber"
        for run in runs:
            run.log.alarm(severity, kind, shared.alarm)
        wall_us = self.session.clock.wall_us()
        for spec in () if runs else self.bench.bench.channels.values():
            if spec.instruments.get("chamber") == shared.name:
                self.told.add(spec.name)
                alarm = raise_alarm(
                    severity, kind, shared.alarm, raised_us=wall_us, channel=spec.name
                )
                self.session.recorder.alarm(alarm)
