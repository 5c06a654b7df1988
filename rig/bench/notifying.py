"""Telling people of alarms, by mail, chat or webhook, while the engine goes on.

A thread of its own reads the alarms where everybody reads them, in the database, and delivers;
nobody waits for it. A target that fails is left alone for a while, longer each time. Time comes
from a clock, so ``turn`` can be called by hand on a simulated one.
"""

from __future__ import annotations

import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Engine

from rig.bench.file import BenchFile
from rig.bench.notices import Message, Told, messages_of
from rig.bench.targets import Target, reaches, sender_of, targets_of
from rig.core.alarms import Alarm
from rig.core.clock import Clock, RealClock
from rig.core.errors import RigError, StoreError
from rig.store import alarms, queries, tables
from rig.store.database import open_database

READ_EVERY_SECOND = 2.0
FIRST_PAUSE_SECOND, LONGEST_PAUSE_SECOND = 5.0, 600.0
PATIENCE_SECOND = 86_400.0  # a network that is mended in the morning still delivers the night
MOST_WAITING = 100  # per target; what comes then pushes the least severe out
CLOSE_SECOND = 30.0  # Apprise gives up on a silent server after 4 s (mail: 15 s)


# --- what waits -----------------------------------------------------------------------------------


@dataclass
class _Line:
    """What waits for one target, in order; one that fails goes to the end, so it blocks no other."""

    target: Target
    waiting: deque[tuple[float, Message]] = field(default_factory=deque)  # since when, what
    failures: int = 0  # in a row
    reason: str = ""
    _pause_until: float = -math.inf

    @property
    def due_second(self) -> float:
        """When to try next; never while nothing waits."""
        return self._pause_until if self.waiting else math.inf

    def put(self, message: Message, now_second: float) -> Message | None:
        """Add a message; returns the one that had to go for it, the least severe, where it is full."""
        self.waiting.append((now_second, message))
        if len(self.waiting) <= MOST_WAITING:
            return None
        dropped = min(self.waiting, key=lambda entry: entry[1].alarm.severity)
        self.waiting.remove(dropped)
        return dropped[1]

    def send_first(self, now_second: float) -> bool:
        """Try the first message; says whether it is delivered."""
        message = self.waiting[0][1]
        self.reason = self.target.send(message.title, message.body, message.alarm.severity)
        if self.reason:
            self.waiting.rotate(-1)
            pause = min(FIRST_PAUSE_SECOND * 2.0**self.failures, LONGEST_PAUSE_SECOND)
            self.failures, self._pause_until = self.failures + 1, now_second + pause
            return False
        self.waiting.popleft()
        self.failures, self._pause_until = 0, -math.inf
        return True

    def give_up(self, before_second: float) -> list[Message]:
        """Take out and return what has waited since before then."""
        late = [entry for entry in self.waiting if entry[0] < before_second]
        self.waiting = deque(entry for entry in self.waiting if entry[0] >= before_second)
        return [message for _, message in late]


# --- the thread ----------------------------------------------------------------------------------

Concerns = Callable[[Target, Alarm], bool]
Read = Callable[[Collection[str]], list[Alarm]]  # what is latched here, and those with these ids
Lost = Callable[[Alarm, str], None]  # of which alarm somebody was not told, and why


class Notifier:
    """Tells every target of the alarms that concern it, and of nothing twice.

    ``lost`` is called, in the notifier's thread, the first time that a target cannot be told, and
    not again before something reached it; ``undelivered`` counts every message.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        read: Read,
        clock: Clock,
        *,
        sender: str,
        lost: Lost,
        concerns: Concerns = reaches,
    ) -> None:
        self._lines = [_Line(target) for target in targets]
        self._read, self._clock, self._sender, self._lost = read, clock, sender, lost
        self._concerns = concerns
        self._inbox: queue.Queue[Alarm] = queue.Queue(MOST_WAITING)
        self._wake, self._closing = threading.Event(), False
        self._told = Told(self._alarms(()), clock.now())
        self._read_second = clock.now()
        self._complained: set[str] = set()
        self._thread: threading.Thread | None = None
        self._refused = self._given_up = 0  # by whoever tells; by the thread: nobody shares a count
        self.delivered = 0

    @property
    def undelivered(self) -> int:
        """How many messages reached nobody, and will not."""
        return self._refused + self._given_up

    def tell(self, alarm: Alarm) -> None:
        """Say this one although no database has it: what cannot be kept can still be said.

        Returns at once, whatever happens.
        """
        try:
            self._inbox.put_nowait(alarm)
        except queue.Full:
            self._refused += len(self._lines)
        self._wake.set()

    def start(self) -> None:
        # A daemon: a service that hangs for ever must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Say the last things, without pauses, and end."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECOND)

    def turn(self) -> float:
        """Read, and send what is due; returns the clock's time at which something is due again."""
        now = self._clock.now()
        self._collect(now)
        for line in self._lines:
            self._give_up(line, now - PATIENCE_SECOND)
            while line.waiting and line.due_second <= now:
                self._send_first(line, now)
        return min([self._read_second, *(line.due_second for line in self._lines)])

    def finish(self) -> None:
        """Read once more and send without pauses; a target that fails twice here is given up."""
        now = self._read_second = self._clock.now()
        self._collect(now)
        for line in self._lines:
            failed = 0  # the first may be one message that the target does not like
            while line.waiting and failed < 2:
                failed += not self._send_first(line, now)
            self._give_up(line, math.inf)

    def _work(self) -> None:
        while not self._closing:
            due_second = self.turn()
            self._wake.wait(max(0.0, due_second - self._clock.now()))
            self._wake.clear()
        self.finish()

    def _collect(self, now: float) -> None:
        alarms = []
        while not self._inbox.empty():
            alarms.append(self._inbox.get_nowait())
        if now >= self._read_second:
            self._read_second = now + READ_EVERY_SECOND
            alarms += self._alarms(self._told.open)
        for message in messages_of(self._told.news(alarms, now), self._sender):
            for line in self._lines:
                if self._concerns(line.target, message.alarm):
                    self._put(line, message, now)

    def _alarms(self, also: Collection[str]) -> list[Alarm]:
        try:
            return self._read(also)
        except RigError:  # a database that is busy now is read in two seconds
            return []

    def _put(self, line: _Line, message: Message, now: float) -> None:
        dropped = line.put(message, now)
        if dropped is not None:
            self._say_lost(line, [dropped])

    def _send_first(self, line: _Line, now: float) -> bool:
        sent = line.send_first(now)
        if sent:
            self.delivered += 1
            self._complained.discard(line.target.label)
        return sent

    def _give_up(self, line: _Line, before_second: float) -> None:
        self._say_lost(line, line.give_up(before_second))

    def _say_lost(self, line: _Line, messages: list[Message]) -> None:
        self._given_up += len(messages)
        label = line.target.label
        if messages and label not in self._complained:
            self._complained.add(label)
            reason = line.reason or "too many messages are waiting"
            self._lost(messages[0].alarm, f"{label} could not be told: {reason}")


# --- on a bench ----------------------------------------------------------------------------------


def notifier_of(bench: BenchFile, engine: Engine, channels: Collection[str]) -> Notifier:
    """Return the notifier of these channels of a bench, not yet started.

    Of these alone, which may become more: another process that runs other channels with the same
    database tells of those. Who serves the page tells of what a rule raised: see rule_notifying.py.
    What could not be said becomes a line in the run's event log.
    """

    def read(also: Collection[str]) -> list[Alarm]:
        found = [one for one in alarms.open_alarms(engine, also) if not one.is_of_rule]
        return [alarm for alarm in found if alarm.channel in channels or alarm.alarm_id in also]

    lost, targets = partial(_keep_lost, engine), targets_of(bench.notify)
    return Notifier(targets, read, RealClock(), sender=sender_of(bench.file), lost=lost)


@contextmanager
def telling(bench: BenchFile, database: str, channels: Collection[str]) -> Iterator[None]:
    """Tell of what is raised on these channels as long as this lasts: for the engine's stand-in.

    Without a database it goes on, and tells nobody: what it does matters more than the telling.
    """
    with ExitStack() as closing:
        with suppress(RigError):
            engine = open_database(database, create=False)
            closing.callback(engine.dispose)
            notifier = notifier_of(bench, engine, channels)
            closing.callback(notifier.close)
            notifier.start()
        yield


def _keep_lost(engine: Engine, alarm: Alarm, message: str) -> None:
    values = {
        "run_id": alarm.run_id,
        "ts_us": RealClock().wall_us(),
        "test_time_second": alarm.test_time_second or 0.0,
        "kind": "not notified",
        "message": message,
    }
    with suppress(StoreError):  # there is nobody left to tell
        queries.insert_row(engine, tables.event, values)
