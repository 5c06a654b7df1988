"""One chamber, several runs: who gets the set point, and what the air is now.

A run that was granted a temperature holds it until it asks for another or ends. The chamber
moves only when nobody else holds a different one, first come first served: two pellets on the
same protocol soak together, and neither is heated in the middle of the other's spectrum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rig.core.clock import Clock
from rig.core.errors import InstrumentError, LinkError
from rig.core.instruments import Chamber, ChamberReading
from rig.engine.schedule import Interrupted, Request, Task

# How often the air is read. A sensor without a fresh value for 30 s stops a run; the second
# missed reading is beyond that.
READ_EVERY_SECOND = 15.0
OLDEST_SECOND = 35.0
# In a rehearsal at many times life's speed those 35 s are milliseconds, and a busy PC is no
# chamber fault: there, this many real seconds count.
OLDEST_REAL_SECOND = 3.0

# So many set points in a row that were not taken are a chamber that will not work.
MOST_COMMANDS = 4
REST_TRIES = 3


class Wish(NamedTuple):
    """A temperature that somebody holds the chamber at, or waits for."""

    who: str  # a run's id, or who set it by hand
    temperature_celsius: float
    granted: bool


@dataclass
class SharedChamber:
    """The one owner of a chamber's set point. Not thread-safe and need not be: see schedule.py."""

    name: str
    driver: Chamber
    port: str
    clock: Clock
    reopen: Callable[[str], None]  # opens the port anew and identifies; for a cable that came out
    latest: ChamberReading | None = None
    latest_second: float = 0.0
    fault: str = ""
    alarm: str = ""
    _asking: list[tuple[str, float]] = field(default_factory=list)
    _holding: dict[str, float] = field(default_factory=dict)
    _users: set[str] = field(default_factory=set)
    _commanded: float | None = None
    _lost: bool = False
    _began_second: float = math.inf
    _failed_commands: int = 0

    def join(self, run_id: str) -> None:
        """Announce a run that will use this chamber: it is kept going until the last has left."""
        self._users.add(run_id)

    def ask(self, run_id: str, celsius: float) -> None:
        """Ask for a temperature; what the run held before is given up."""
        self._holding.pop(run_id, None)
        self._asking = [entry for entry in self._asking if entry[0] != run_id]
        self._asking.append((run_id, celsius))
        self._grant()

    def leave(self, run_id: str) -> None:
        """The run is over: it neither holds nor asks any more."""
        self._users.discard(run_id)
        self._holding.pop(run_id, None)
        self._asking = [entry for entry in self._asking if entry[0] != run_id]
        self._grant()

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """Who holds it at which temperature, then who waits for which, first come first."""
        held = (Wish(who, celsius, True) for who, celsius in self._holding.items())
        return (*held, *(Wish(who, celsius, False) for who, celsius in self._asking))

    @property
    def users(self) -> frozenset[str]:
        """Who has joined and not left: the chamber is kept going for them."""
        return frozenset(self._users)

    def granted(self, run_id: str) -> bool:
        """Say whether the chamber has been commanded to what this run asked for."""
        return run_id in self._holding and self._holding[run_id] == self._commanded

    def temperature_celsius(self, now_second: float) -> float:
        """Return the air temperature; NaN in the first moments, before it has been read at all.

        Raises InstrumentError when nobody has read it lately, or when the chamber reports an
        alarm: it has then stopped conditioning.
        """
        latest = self.latest
        oldest = max(OLDEST_SECOND, OLDEST_REAL_SECOND * self.clock.speed)
        if self._failed_commands >= MOST_COMMANDS:
            raise self._unusable(f"cannot be set: {self.fault}")
        if latest is None:
            if now_second - self._began_second <= oldest:
                return math.nan
            raise self._unusable(f"could not be read: {self.fault or 'no answer'}")
        if latest.alarms:
            raise self._unusable(f"reports alarm {', '.join(map(str, latest.alarms))}")
        age_second = now_second - self.latest_second
        if age_second > oldest:
            raise self._unusable(
                f"was read {age_second:.0f} s ago; {self.fault or 'no answer since'}"
            )
        return latest.temperature_celsius

    def _unusable(self, why: str) -> InstrumentError:
        return InstrumentError(f"chamber {self.name}: its temperature {why}")

    def _grant(self) -> None:
        while self._asking:
            run_id, celsius = self._asking[0]
            if any(held != celsius for held in self._holding.values()):
                return
            self._holding[run_id] = celsius
            self._asking.pop(0)

    def task(self) -> Task:
        """Read the air for ever, command what was granted; leave it safe when the last run left.

        A run that joins while it is brought to rest finds it at work again.
        """
        told_to_end = False
        while not told_to_end:
            told_to_end = yield from self._work()
            yield from self._rest()
            self._commanded, self._began_second = None, math.inf
            told_to_end = told_to_end or not self._users

    def _work(self) -> Generator[Request, Any, bool]:
        """Keep it going until the last run has left, or everything is told to end; say which."""
        due = self._began_second = self.clock.now()
        self.latest, self.fault, self.alarm, self._failed_commands = None, "", "", 0
        try:
            while self._users:
                yield from self._command()
                yield from self._read(due)
                due = max(due + READ_EVERY_SECOND, self.clock.now())
        except Interrupted:
            return True
        return False

    def _command(self) -> Task:
        wanted = next(iter(self._holding.values()), None)
        if wanted is None or wanted == self._commanded:
            return
        try:
            yield Request(self.clock.now(), self.port, lambda: self.driver.set_temperature(wanted))
            self._commanded, self.fault, self._failed_commands = wanted, "", 0
        except (LinkError, InstrumentError) as failure:
            self.fault, self._failed_commands = str(failure), self._failed_commands + 1

    def _read(self, due_second: float) -> Task:
        try:
            if self._lost:
                yield Request(due_second, self.port, lambda: self.reopen(self.port))
                self._lost = False
                self._commanded = None  # whatever it did meanwhile: command it again
            reading = yield Request(due_second, self.port, self.driver.read_temperature)
        except (LinkError, InstrumentError) as failure:
            self.fault, self._lost = str(failure), isinstance(failure, LinkError)
            return
        self.latest, self.latest_second, self.fault = reading, self.clock.now(), ""

    def _rest(self) -> Task:
        """Bring the chamber back to rest; the alarm is up when nobody could confirm that."""
        tries = 0
        while tries < REST_TRIES:
            try:
                if tries:  # perhaps only the link is gone
                    yield Request(self.clock.now() + 1.0, self.port, lambda: self.reopen(self.port))
                yield Request(self.clock.now(), self.port, self.driver.make_safe)
            except Interrupted:
                continue  # told again to stop: that is what this is
            except (LinkError, InstrumentError) as failure:
                self.fault = str(failure)
                tries += 1
            else:
                return
        self.alarm = (
            f"chamber {self.name}: nobody could confirm that it is in standby ({self.fault}). "
            "Look after it now."
        )
