"""An ideal cell, three scripts and the few words in which the MethodSCRIPT tests speak."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from simulators.fronts.methodscript import MethodScriptFront
from simulators.interfaces import OPEN, Drive, DriveMode, Front, Terminals

_EXPONENTS = dict(zip("afpnum kMGTPE", range(-18, 21, 3), strict=True))


class IdealCell:
    """A voltage source behind a resistor; ``slope`` lets it rise with time under current."""

    conflicts = 0

    def __init__(self, volt: float = 3.7, ohm: float = 1.0, slope: float = 0.0) -> None:
        self.volt, self.ohm, self.slope = volt, ohm, slope
        self.driven = OPEN
        self.asked: list[float] = []
        self._since = 0.0

    def drive(self, source: str, drive: Drive, now_second: float) -> None:
        if drive.mode is not self.driven.mode:
            self._since = now_second
        self.driven = drive

    def terminals(self, now_second: float) -> Terminals:
        self.asked.append(now_second)
        mode, level, limit = self.driven.mode, self.driven.level, self.driven.limit
        if mode is DriveMode.OPEN:
            return Terminals(self.volt, 0.0, False)
        if mode is DriveMode.CURRENT:
            volt = self.volt + level * self.ohm + self.slope * (now_second - self._since)
            held = min(max(volt, -limit), limit)
            return Terminals(held, level, held != volt)
        current = (level - self.volt) / self.ohm
        held = min(max(current, -limit), limit)
        return Terminals(level, held, held != current)

    def impedance(self, frequency_hertz: float, now_second: float) -> complex:
        """R0 = 10 ohm and (90 ohm || 1 uF)."""
        return 10.0 + 90.0 / (1 + 2j * math.pi * frequency_hertz * 90.0 * 1e-6)

    def sample_temperature_celsius(self, now_second: float) -> float:
        return 25.0

    def truth(self) -> dict[str, float]:
        return {}

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None: ...


class Field(NamedTuple):
    kind: str
    value: float
    tokens: list[str]


def fields(line: str) -> list[Field]:
    """Read one package, independently of the front's encoder."""
    assert line[0] == "P"
    result = []
    for text in line[1:].split(";"):
        head, *tokens = text.split(",")
        value = (int(head[2:9], 16) - 0x8000000) * 10.0 ** _EXPONENTS[head[9]]
        result.append(Field(head[:2], value, tokens))
    return result


def front(cell: IdealCell | None = None, **options: Any) -> MethodScriptFront:
    options.setdefault("noise", False)
    return MethodScriptFront("pstat", cell or IdealCell(), seed=1, **options)


def ask(instrument: Front, text: str, now: float) -> list[str]:
    """Send, and return the lines that are there at once."""
    instrument.receive(text.encode(), now)
    return lines(instrument, now)


def lines(instrument: Front, now: float) -> list[str]:
    return instrument.transmit(now).decode().splitlines()


def execute(script: str) -> str:
    return "e\n" + "\n".join(line.strip() for line in script.strip().splitlines()) + "\n\n"


PACKAGE = """timer_get t
    pck_start
    pck_add t
    pck_add p
    pck_add c
    pck_end"""
CHARGE = f"""
    var t
    var p
    var c
    set_pgstat_chan 0
    set_pgstat_mode 6
    set_max_bandwidth 10
    set_range db 100m
    set_autoranging db 100m 100m
    set_i 0
    cell_on
    timer_start
    meas_loop_cp p c 100m 1 14400
    {PACKAGE}
    if p > 4200m
    breakloop
    endif
    endloop
    on_finished:
    cell_off
"""
HOLD = f"""
    var t
    var p
    var c
    set_pgstat_mode 2
    set_range ba 100m
    set_autoranging ba 1m 100m
    set_e 3800m
    cell_on
    timer_start
    meas_loop_ca p c 3800m 1 60
    {PACKAGE}
    endloop
    on_finished:
    cell_off
"""
SPECTRUM = """
    var f
    var r
    var j
    var p
    set_pgstat_mode 3
    set_max_bandwidth 1M
    cell_off
    meas 100m p ab
    set_range ba 100m
    set_autoranging ba 10u 100m
    set_e p
    cell_on
    meas_loop_eis f r j 10m 100k 1 6i p
    pck_start
    pck_add f
    pck_add r
    pck_add j
    pck_end
    endloop
    on_finished:
    cell_off
"""
