"""One instrument that reads beside cells, several channels that look at it: values, each with its age.

A sensor is read on its own port at its own pace, and what it said last goes into every reading of a
cell: a thermometer that is slow, or gone, never holds one up. What a silent one means is not decided
here but in the fold (rig/engine/surroundings.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from rig.core.clock import Clock
from rig.core.errors import InstrumentError, LinkError
from rig.core.instruments import Flag, Sensor, SensorReading
from rig.engine.action import Overdue, Sensed
from rig.engine.schedule import Interrupted, Request, Task

READ_EVERY_SECOND = 5.0
PATIENCE_PERIODS = 3.0
# In a rehearsal at many times life's speed a few periods are milliseconds, and a busy PC is no fault
# of a sensor: there, this many real seconds count.
PATIENCE_REAL_SECOND = 3.0

# A round without a value is followed by a few more that come sooner: a cable that was opened anew, a
# scan that has to begin again must not use up the patience of a sensor that is there.
SOON_ROUNDS = 5
# One that answers and has nothing new for so much of its patience has stopped by itself (a lost start
# of a scan, say), and is begun anew as after a lost link.
STALLED_SHARE = 0.5

_NO_VALUE = Flag.OVERLOAD | Flag.STALE


class Seen(NamedTuple):
    """What a path said last that was a value, and when; NaN and its first look before that."""

    value: float
    second: float
    trouble: str = ""  # why there has been nothing since


@dataclass
class SharedSensor:
    """The one owner of a sensor. Not thread-safe and need not be: see schedule.py."""

    name: str
    driver: Sensor
    port: str
    clock: Clock
    reopen: Callable[[str], None]  # opens the port anew and identifies; for a cable that came out
    every_second: float = READ_EVERY_SECOND
    patience_second: float = PATIENCE_PERIODS * READ_EVERY_SECOND
    alarm: str = ""  # as a chamber has one; a sensor leaves nothing on that could be unsafe
    _users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _seen: dict[str, Seen] = field(default_factory=dict)
    _lost: bool = False
    _stale: set[str] = field(default_factory=set)  # paths with nothing new at the last look
    _begun_second: float = -math.inf  # when its port was opened last

    def join(self, run_id: str, paths: Sequence[str]) -> None:
        """Announce a run that looks at these paths; their ages count from now on."""
        now = self.clock.now()
        for path in paths:
            if path not in self._paths():
                self._seen[path] = Seen(math.nan, now)
        self._users[run_id] = tuple(paths)

    def leave(self, run_id: str) -> None:
        """The run is over: it looks no more."""
        self._users.pop(run_id, None)

    @property
    def oldest_second(self) -> float:
        """How old a value may be."""
        return max(self.patience_second, PATIENCE_REAL_SECOND * self.clock.speed)

    def seen(self, path: str) -> Seen:
        """Return what a path that somebody joined said last."""
        return self._seen[path]

    def _paths(self) -> list[str]:
        return list(dict.fromkeys(path for paths in self._users.values() for path in paths))

    def task(self) -> Task:
        """Read what somebody looks at, for ever; end the acquisition when the last run has left.

        A run that joins while that is done finds it at work again.
        """
        told_to_end = False
        while not told_to_end:
            told_to_end = yield from self._work()
            yield from self._rest()
            told_to_end = told_to_end or not self._users

    def _work(self) -> Generator[Request, Any, bool]:
        """Read until the last run has left, or everything is told to end; say which."""
        due, missed = self.clock.now(), 0
        try:
            while self._users:
                yield from self._wait_until_shortly_before(due)
                if self._has_stalled(due):
                    self._lost, missed = True, 0
                missed = missed + 1 if (yield from self._round(due)) else 0
                soon = 0 < missed <= SOON_ROUNDS
                pause = self.every_second / SOON_ROUNDS if soon else self.every_second
                due = max(due + pause, self.clock.now())
        except Interrupted:
            return True
        return False

    def _wait_until_shortly_before(self, due_second: float) -> Task:
        """Wait in small pieces, so that a slow sensor, too, sees soon that nobody looks any more."""
        while self._users and due_second - self.clock.now() > READ_EVERY_SECOND:
            yield Request(self.clock.now() + READ_EVERY_SECOND)

    def _round(self, due_second: float) -> Generator[Request, Any, bool]:
        """Read every path once, and say whether one had no value.

        A link that is lost ends the round, and is opened in the next.
        """
        missed = False
        try:
            if self._lost:
                yield Request(due_second, self.port, partial(self.reopen, self.port))
                self._lost, self._begun_second = False, self.clock.now()
            self._stale.clear()
            for path in self._paths():
                missed |= yield from self._read(path, due_second)
        except (LinkError, InstrumentError) as failure:
            self._lost = True
            for path in self._paths():
                self._note(path, str(failure))
        return missed or self._lost

    def _read(self, path: str, due_second: float) -> Generator[Request, Any, bool]:
        """Read one path, and say whether it had no value."""
        try:
            reading: SensorReading = yield Request(
                due_second, self.port, partial(self.driver.read, path)
            )
        except InstrumentError as refusal:  # of this path alone; the link is there
            self._note(path, str(refusal))
            return True
        if math.isnan(reading.value) or reading.flags & _NO_VALUE:
            self._note(path, f"flagged {Flag(reading.flags).name or 'no value'}")
            if reading.flags & Flag.STALE:
                self._stale.add(path)
            return True
        self._seen[path] = Seen(reading.value, self.clock.now())
        return False

    def _has_stalled(self, due_second: float) -> bool:
        """Say whether nothing new will have come for so long when the next round is due."""
        newest = (max(self._seen[path].second, self._begun_second) for path in self._stale)
        longest = STALLED_SHARE * self.oldest_second
        return any(due_second - second > longest for second in newest)

    def _note(self, path: str, trouble: str) -> None:
        self._seen[path] = self._seen[path]._replace(trouble=trouble)

    def _rest(self) -> Task:
        """End its acquisition. It drives no cell: where it does not answer, nothing is unsafe."""
        with suppress(LinkError, InstrumentError, Interrupted):
            yield Request(self.clock.now(), self.port, self.driver.make_safe)


class SensorPath(NamedTuple):
    """What a channel looks at: ``name`` is temperature, pressure, or that of an auxiliary."""

    name: str
    sensor: SharedSensor
    path: str = ""

    @property
    def place(self) -> str:
        return f"{self.sensor.name}/{self.path}" if self.path else self.sensor.name


def look_around(paths: Sequence[SensorPath], now_second: float) -> Sensed:
    """Return the newest values; NaN, and said to be overdue, where one is older than it may be."""
    values, overdue = {}, {}
    for at in paths:
        seen, oldest = at.sensor.seen(at.path), at.sensor.oldest_second
        age = now_second - seen.second
        values[at.name] = seen.value if age <= oldest else math.nan
        if age > oldest:
            why = seen.trouble or "no answer"
            overdue[at.name] = Overdue(age, oldest, f"{at.place}: {why}")
    return Sensed(values, overdue)
