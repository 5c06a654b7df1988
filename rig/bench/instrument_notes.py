"""What an engine says of its instruments, slowly: who answers, how the links are, who has a chamber.

Written into the journal file's own ``meta`` with the engine's next commit, so it costs no write of its
own and no page ever asks the engine; read by rig/bench/bench_now.py. Knows no channel and no page.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

from rig.bench.instruments import OpenBench
from rig.core.clock import Clock, RealClock
from rig.engine.chamber import SharedChamber
from rig.store.recorder import Recorder

KEY = "instrument "  # followed by its name
LOOK_SECOND = 1.0  # real time: a failure, a queue at a chamber that has changed, is told within it
MOST_AT_ONCE = 8  # a tenth of a millisecond each, between two readings of somebody's cell
NOTE_SECOND = 10.0  # links that are well are told so often


class InstrumentNotes:
    """Looks at the instruments of one engine from its own thread; never touches a port.

    On a clock that jumps nothing is noted: nobody watches, and no time says anything.
    """

    def __init__(self, bench: OpenBench, recorder: Recorder, clock: Clock | None = None) -> None:
        self._bench, self._recorder = bench, recorder
        self._clock = clock or RealClock()
        self._next_second = self._clock.now()
        self._due_second: dict[str, float] = {}
        self._told: dict[str, object] = {}
        self._over = False

    def look(self) -> None:
        """Note what is due or has changed; a comparison of two floats nearly always."""
        now = self._clock.now()
        if now < self._next_second or not self._bench.clock.speed:
            return
        self._next_second = now + LOOK_SECOND
        noted = 0
        for name in self._bench.healths.names:
            moving = self._moving(name)
            if moving != self._told.get(name) or now >= self._due_second.get(name, now):
                self._due_second[name], self._told[name] = now + NOTE_SECOND, moving
                self._note(name)
                noted += 1
            if noted == MOST_AT_ONCE:
                return

    def close(self) -> None:
        """Note for the last time, with everything closed."""
        self._over = True
        if self._bench.clock.speed:
            for name in self._bench.healths.names:
                self._note(name)

    def _moving(self, name: str) -> object:
        chamber = self._bench.chambers.get(name)
        what = None if chamber is None else (chamber.wishes, chamber.latest, chamber.fault)
        failures = self._bench.healths.of(name).failures
        return name in self._bench.drivers, self._bench.answered.get(name), failures, what

    def _note(self, name: str) -> None:
        text = json.dumps(self._content(name))
        self._recorder.row("meta", {"key": KEY + name, "value": text})

    def _content(self, name: str) -> dict[str, Any]:
        bench, is_open = self._bench, name in self._bench.drivers and not self._over
        identity, chamber = bench.answered.get(name), bench.chambers.get(name)
        return {
            "pid": os.getpid(),
            "noted_us": self._clock.wall_us(),
            "is_open": is_open,
            "identity": None if identity is None else asdict(identity),
            "link": bench.healths.of(name).seen().plain(),
            "chamber": chamber_content(chamber) if chamber is not None and is_open else None,
        }


def chamber_content(chamber: SharedChamber) -> dict[str, Any]:
    """Return what a chamber does now as plain data; temperatures in degree Celsius."""
    latest = chamber.latest
    return {
        "temperature_celsius": None if latest is None else latest.temperature_celsius,
        "setpoint_celsius": None if latest is None else latest.setpoint_celsius,
        "is_running": None if latest is None else latest.running,
        "alarms": [] if latest is None else list(latest.alarms),
        "fault": chamber.fault or chamber.alarm,
        "wishes": [wish._asdict() for wish in chamber.wishes],
        "users": sorted(chamber.users),
    }
