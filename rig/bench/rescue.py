"""Disconnecting the cells of an engine that is gone: what the watchdog does when it has to act.

Cells come first, records after them, and nothing that may block (a call that never returns, a
database, a terminal) stands between two cells. Nothing is switched on here, ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rig.bench.file import BenchFile
from rig.bench.last_words import Word, tell
from rig.bench.locks import lock_channels
from rig.bench.same_instrument import DRIVING, make_same_safe
from rig.bench.watchdog import Duty
from rig.core.alarms import Severity
from rig.core.clock import RealClock
from rig.core.errors import BadInput, RigError

# Before each round of tries: eight minutes in all, for a switch that has to start again, too.
PAUSES_SECOND = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 240.0)
ALARM_ROUND = 4  # what nobody has confirmed by then, after 15 s, is the loudest alarm
# What another process has had for so long, 60 s, is left to it: a start that is refused has given
# its locks back by then, and one that was not has begun by disconnecting its cells.
YIELD_ROUND = 6
# So long a round waits for its calls; one that is still on the wire then goes on beside the next.
CALL_SECOND = 20.0
# Kinds of alarms; the last two are the engine's own.
ENGINE_LOST = "engine-lost"
UNCONFIRMED_CELL, UNCONFIRMED_CHAMBER = "unconfirmed-safe-state", "unconfirmed-chamber"
BUSY = "another process has it open"

_REAL = RealClock()


def phases(bench: BenchFile) -> list[list[str]]:
    """Return the instruments in the order in which they are made safe, each once.

    Those of one phase are independent of each other and are made safe side by side: all that can
    drive a cell, the scanners that lead it there, then what drives none. Sensors have nothing on
    that could be unsafe, and are left alone.
    """
    sensors = {spec.instrument for channel in bench.channels.values() for spec in channel.sensors}
    ordered, rest = [], set(bench.instruments) - sensors
    roles = [channel.instruments for channel in bench.channels.values()]
    for phase in DRIVING:
        names = {by_role[role] for by_role in roles for role in phase if role in by_role} & rest
        ordered.append(sorted(names))
        rest -= names
    return [*ordered, sorted(rest)]


def make_safe(duty: Duty, name: str) -> str:
    """Open one instrument, see that it is the same, make it safe; return what went wrong."""
    alone = replace(next(iter(duty.bench.channels.values())), instruments={"cell": name})
    try:
        lock = lock_channels(duty.bench, [alone], "sqlite://")
    except BadInput:
        return BUSY
    with lock:
        try:
            make_same_safe(duty.bench, name, duty.identities[name], RealClock(duty.speed))
        except RigError as fault:
            return str(fault)
        except Exception as bug:  # whatever it is, the other instruments' turn must come
            return repr(bug)
    return ""


class _Try(threading.Thread):
    """One try at one instrument: a call that never comes back must not keep the others waiting."""

    def __init__(self, duty: Duty, name: str) -> None:
        super().__init__(name=f"make safe {name}", daemon=True)
        self._duty, self.instrument = duty, name
        self._failure = ""
        self.start()

    def run(self) -> None:
        self._failure = make_safe(self._duty, self.instrument)

    @property
    def failure(self) -> str:
        return f"no answer within {CALL_SECOND:g} s" if self.is_alive() else self._failure


@dataclass
class Rescue:
    """Disconnects everything that the engine had, round by round, and says what came of it.

    ``failures`` holds what is not confirmed yet, by instrument, with the reason; ``left`` what
    another process has taken over. ``alarm_kind`` is the alarm that stays when all went well, none
    when empty. ``pauses_second`` are those before each round.
    """

    duty: Duty
    why: str
    engine_is_gone: bool = True
    alarm_kind: str = ENGINE_LOST
    pauses_second: tuple[float, ...] = PAUSES_SECOND
    failures: dict[str, str] = field(init=False)
    left: set[str] = field(default_factory=set)
    _tries: dict[str, _Try] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def run(self) -> int:
        """Return 0 when everything is confirmed safe or in another process's hands, else 1."""
        self.failures = {name: "" for phase in phases(self.duty.bench) for name in phase}
        for number, pause_second in enumerate(self.pauses_second):
            _REAL.wait_until(_REAL.now() + pause_second)
            self._try_all()
            if number == YIELD_ROUND and self.engine_is_gone:
                self._leave_what_is_busy()
            self._tell_settled()
            if not self.failures:
                return 0
            if number == ALARM_ROUND:
                self._raise_alarms()
        self._tell_given_up()
        return 1

    def _try_all(self) -> None:
        """One round; what succeeds is in ``failures`` no more."""
        for phase in phases(self.duty.bench):
            tries = [self._try(name) for name in phase if name in self.failures]
            deadline = _REAL.now() + CALL_SECOND
            for one in tries:
                one.join(max(0.0, deadline - _REAL.now()))
                self.failures[one.instrument] = one.failure
        self.failures = {name: failure for name, failure in self.failures.items() if failure}

    def _try(self, name: str) -> _Try:
        before = self._tries.get(name)
        if before is None or not before.is_alive():
            self._tries[name] = _Try(self.duty, name)
        return self._tries[name]

    def _leave_what_is_busy(self) -> None:
        self.left = {name for name, why in self.failures.items() if why == BUSY}
        self.failures = {name: why for name, why in self.failures.items() if why != BUSY}

    # --- telling --------------------------------------------------------------------------------

    def _tell_settled(self) -> None:
        """Say of each run, once, that there is nothing more to do for it."""
        settled = [
            (run_id, channel)
            for run_id, channel in self._untold()
            if not self._own(channel) & self.failures.keys()
        ]
        self._told |= {run_id for run_id, _ in settled}
        self._tell(
            Word(run_id, channel, self._outcome(channel), self.alarm_kind)
            for run_id, channel in settled
        )

    def _tell_given_up(self) -> None:
        self._tell(
            Word(run_id, channel, self._outcome(channel), self._kind(channel), Severity.CRITICAL)
            for run_id, channel in self._untold()
        )

    def _untold(self) -> list[tuple[str, str]]:
        return [(run_id, name) for run_id, name in self.duty.runs if run_id not in self._told]

    def _outcome(self, channel: str) -> str:
        own = self._own(channel)
        left, failed = own & self.left, own & self.failures.keys()
        gone = "" if self.engine_is_gone else " and could not be ended"
        message = f"channel {channel}: {self.why}{gone}; made safe: {_listed(own - left - failed)}"
        message += f"; left to the process that has it: {_listed(left)}" if left else ""
        message += f"; given up, NOT CONFIRMED: {_listed(failed)}" if failed else ""
        return message

    def _raise_alarms(self) -> None:
        """What a process that has just started holds is not an alarm: it disconnects first."""
        self._tell(
            self._alarm(run_id, channel, name)
            for name, failure in self.failures.items()
            if failure != BUSY or not self.engine_is_gone
            for run_id, channel in self.duty.runs
            if name in self._own(channel)
        )

    def _alarm(self, run_id: str, channel: str, name: str) -> Word:
        drives = self._drives_a_cell(name)
        kind = UNCONFIRMED_CELL if drives else UNCONFIRMED_CHAMBER
        todo = "Disconnect the cell by hand now." if drives else "Look after it now."
        why = f"{self.why}, and nobody could confirm that {name} is safe ({self.failures[name]})"
        return Word(run_id, channel, f"channel {channel}: {why}. {todo}", kind, Severity.CRITICAL)

    def _kind(self, channel: str) -> str:
        failed = self._own(channel) & self.failures.keys()
        return UNCONFIRMED_CELL if any(map(self._drives_a_cell, failed)) else UNCONFIRMED_CHAMBER

    def _drives_a_cell(self, name: str) -> bool:
        return name not in phases(self.duty.bench)[-1]

    def _own(self, channel: str) -> set[str]:
        spec = self.duty.bench.channels[channel]
        return set(spec.instruments.values()) - {sensor.instrument for sensor in spec.sensors}

    def _tell(self, words: Iterable[Word]) -> None:
        if words := list(words):
            tell(self.duty.database, words)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
