"""Which instruments of a bench are open, and for whom: opened with the first user, closed with the last.

Each is opened and closed in the thread that owns its port, because either may take seconds and the
runs on other ports go on meanwhile. Who uses what is known in the engine's thread alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from rig.bench.instruments import OpenBench, Plugged, WrapLink, plug_in
from rig.core.errors import BadInput, Problem, RigError
from rig.core.instruments import Driver
from rig.engine.schedule import Interrupted, Request, Schedule, Task
from rig.wire import ReopeningLink

LOOK_SECOND = 0.05  # how often somebody looks whether another has done with opening or closing
# What stands behind a scanner is switched off before its paths are opened, then the rest.
_ORDER = ("cell", "impedance", "resistance", "multiplexer", "chamber")


class Ports:
    """The open instruments of one bench, by user: a run's id, a chamber's name."""

    def __init__(self, bench: OpenBench, schedule: Schedule, wrap: WrapLink) -> None:
        self._bench, self._schedule, self._wrap = bench, schedule, wrap
        self._users: dict[str, set[str]] = {}
        self._moving: set[str] = set()  # being opened or closed just now
        self._scanned = _behind_scanners(bench)

    def open(self, user: str, instruments: dict[str, str]) -> Task:
        """Open what ``instruments`` (role -> name) has that is not open yet.

        Raises BadInput with all that cannot be opened, do not answer, or are something else; what
        did open is closed again then, as it is when an order comes in between.
        """
        names = _in_order(instruments)
        for name in names:
            self._users.setdefault(name, set()).add(user)
        try:
            problems: list[Problem] = []
            for name in names:
                yield from self._settled(name)
                if name not in self._bench.drivers:
                    problems += yield from self._open(name)
            if problems:
                raise BadInput(problems, remedy="nothing was switched on; see: rig bench check")
        except (BadInput, Interrupted):
            yield from self.close(user)
            raise

    def share(self, user: str, name: str) -> None:
        """Let ``user``, too, use an instrument that is open."""
        self._users[name].add(user)

    def of_alone(self, user: str) -> list[str]:
        """Return what nobody but this user uses."""
        return [name for name, users in self._users.items() if users == {user}]

    def close(self, user: str) -> Task:
        """Close what nobody else uses; whatever is said meanwhile, it is closed."""
        for name in self.of_alone(user):
            yield from self._settled(name, patient=True)
            if self._users.get(name) == {user}:
                yield from self._close(name)
        for users in self._users.values():
            users.discard(user)
        self._users = {name: users for name, users in self._users.items() if users}

    def _open(self, name: str) -> Generator[Request, Any, list[Problem]]:
        opened: list[Plugged] = []
        self._moving.add(name)
        try:
            yield Request(self._now(), name, lambda: opened.append(self._plug_in(name)))
        except BadInput as bad:
            return list(bad.problems)
        except Interrupted:  # it may be open by the time that we are told
            yield from self._surely(name, lambda: _close(*(one.link for one in opened)))
            raise
        finally:
            self._moving.discard(name)
        self._bench.plug(name, opened[0])
        return []

    def _plug_in(self, name: str) -> Plugged:
        """In the port's thread. A scanner and what it leads to are off before anybody uses them.

        What a killed process left connected must not meet the first cell.
        """
        self._bench.before_opening(name)
        at_once = _make_safe if name in self._scanned else _nothing
        return plug_in(self._bench, name, self._wrap, at_once)

    def _close(self, name: str) -> Task:
        if name in self._bench.drivers:
            self._moving.add(name)
            link = self._bench.unplug(name)
            yield from self._surely(name, lambda: _close(link))
            self._moving.discard(name)
        self._schedule.retire(name)  # who came meanwhile opens it anew

    def _settled(self, name: str, *, patient: bool = False) -> Task:
        while name in self._moving:
            try:
                yield Request(self._now() + LOOK_SECOND)
            except Interrupted:
                if not patient:
                    raise

    def _surely(self, port: str, call: Callable[[], Any]) -> Task:
        """Do it in the port's thread, after what is on its wire, whatever is said meanwhile."""
        while True:
            try:
                yield Request(self._now(), port, call)
            except Interrupted:
                continue
            return

    def _now(self) -> float:
        return self._schedule.clock.now()


def _make_safe(driver: Driver) -> None:
    driver.make_safe()


def _nothing(_driver: Driver) -> None:
    """What is not behind a scanner is seen to by its run."""


def _close(*links: ReopeningLink) -> None:
    for link in links:
        with suppress(OSError, RigError):  # a port that is gone is closed
            link.close()


def _in_order(instruments: dict[str, str]) -> list[str]:
    known = [instruments[role] for role in _ORDER if role in instruments]
    return list(dict.fromkeys([*known, *instruments.values()]))


def _behind_scanners(bench: OpenBench) -> set[str]:
    roles = [spec.instruments for spec in bench.bench.channels.values()]
    scanned = [by_role for by_role in roles if "multiplexer" in by_role]
    return {by_role[r] for by_role in scanned for r in ("impedance", "multiplexer") if r in by_role}
