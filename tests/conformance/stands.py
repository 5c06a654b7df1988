"""One driver on one simulated instrument, over a wire that a test can listen to and damage.

The bench is written as a bench file and read by the bench's own reader; drivers and simulators come
in by their entry points. What each family is, stands in ``families``; what it must do, in the tests.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rig.bench.file import BenchFile, parse_bench
from rig.bench.registry import load_driver
from rig.core.clock import SimulatedClock
from rig.core.errors import LinkTimeout
from rig.core.link import Link
from rig.core.sheet import Role
from rig.wire import spaced
from simulators.faults import garble
from simulators.interfaces import Drive, DriveMode
from simulators.models.cell import CircuitCell
from simulators.world import SimulatedWorld
from tests.conformance.families import Family

INSTRUMENT, CHANNEL = "unit", "A1"
# A switch needs something to switch, and cells to lead to.
SWITCHED_BENCH = """\
bench: 1
instruments:
  unit: {{driver: {driver}, connect: sim}}
  meter: {{driver: hioki.bt4560, connect: sim}}
channels:
  A1: {{impedance: meter, multiplexer: unit/101, {cell}}}
  A2: {{impedance: meter, multiplexer: unit/102, {cell}}}
"""
# What stands beside a cell needs one, and somebody to hold it.
SENSED_BENCH = """\
bench: 1
instruments:
  unit: {{driver: {driver}, connect: sim{simulate}}}
  holder: {{driver: keithley.smu2450, connect: sim, simulate: {{saved_off_state: high_impedance}}}}
channels:
  A1: {{cell: holder, {wiring}, {cell}}}
"""
SENSORS = (Role.TEMPERATURE, Role.PRESSURE)


class Damage(Enum):
    """What a wire can do to replies; garbage keeps its line ends, so that a line still ends."""

    NONE = "none"
    GARBAGE = "garbage"
    SILENCE = "silence"
    HALF = "half a reply"


class Wire:
    """A link that remembers what was sent, and damages or disguises what comes back.

    As every link: what came before a timeout stays unread. ``late``: as on a machine that has much
    else to do, what was sent arrives all at once, and replies are fetched at the last moment.
    """

    def __init__(self, open_again: Callable[[], Link], clock: SimulatedClock) -> None:
        self.damage = Damage.NONE
        self.disguise = (b"", b"")  # what of every reply is replaced by what
        self.sent: list[bytes] = []
        self.late = False
        self._kept_back: list[bytes] = []
        self.lost = 0  # which of all writes never arrives, the first being 1; 0: every one arrives
        self._open_again = open_again
        self._inner = open_again()
        self._clock = clock
        self._unread = b""

    @property
    def name(self) -> str:
        return self._inner.name

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        if self.damage is Damage.SILENCE or len(self.sent) == self.lost:
            return
        if self.late:
            self._kept_back.append(data)
        else:
            self._inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        return self._read(
            lambda left_second: self._inner.read_until(terminator, left_second), timeout_second
        )

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        if count <= len(self._unread):
            data, self._unread = self._unread[:count], self._unread[count:]
            return data
        missing = count - len(self._unread)
        return self._read(
            lambda left_second: self._inner.read_exactly(missing, left_second), timeout_second
        )

    def close(self) -> None:
        self._inner.close()

    def reopen(self) -> None:
        """Pull the cable out and put it in again."""
        self._inner.close()
        self._inner, self._unread = self._open_again(), b""

    def _arrive(self, deadline_second: float) -> float:
        """Let what was kept back arrive now, then oversleep; return what is left to the deadline."""
        if self.late:
            data, self._kept_back = b"".join(self._kept_back), []
            self._inner.write(data)
            self._clock.wait_until(deadline_second)
        return max(0.0, deadline_second - self._clock.now())

    def _read(self, read: Callable[[float], bytes], timeout_second: float) -> bytes:
        deadline = self._clock.now() + timeout_second
        try:
            data = read(self._arrive(deadline))
        except LinkTimeout as error:
            raise LinkTimeout(str(error), received=self._unread + error.received) from error
        if self.damage in (Damage.SILENCE, Damage.HALF):
            self._unread += data[: len(data) // 2] if self.damage is Damage.HALF else b""
            self._clock.wait_until(deadline)
            message = f"{self.name}: got {self._unread!r} and no more"
            raise LinkTimeout(message, received=self._unread)
        data, self._unread = self._unread + data, b""
        if self.damage is Damage.GARBAGE:
            return garble(data)
        return data.replace(*self.disguise) if self.disguise[0] else data


@dataclass
class Stand:
    """A driver, its wire, and the truth behind it. ``driver`` is Any: each test knows its role."""

    family: Family
    clock: SimulatedClock
    world: SimulatedWorld
    wire: Wire
    driver: Any

    @property
    def cell(self) -> CircuitCell:
        return self.world.cell(CHANNEL)

    @property
    def air_celsius(self) -> float:
        """The chamber's own air, without the sensor's noise."""
        air = self.world.chamber(INSTRUMENT)
        return air.air_temperature_celsius(self.clock.now())

    @property
    def paths_closed(self) -> list[str]:
        """What the simulated relays say on a wire of their own, without the driver."""
        link = self.world.link(INSTRUMENT)
        link.write(b"ROUT:CLOS? (@101,102)\n")
        states = link.read_until(b"\n", 1.0).decode("ascii").split(",")
        return [path for path, state in zip(("101", "102"), states, strict=True) if state == "1"]

    @property
    def scans(self) -> bool:
        """Whether a simulated scanner scans by itself; no other sensor does anything unasked."""
        front: Any = self.world.front(INSTRUMENT)
        return self.family.name == "keithley.daq6510" and front.instrument.scan is not None

    def pass_second(self, second: float) -> None:
        self.clock.wait_until(self.clock.now() + second)


def stand_of(family: Family, *, identified: bool = True) -> Stand:
    """Put the family's driver on its simulator; identified as the bench does, unless told not to."""
    clock = SimulatedClock()
    world = SimulatedWorld(bench_of(bench_text(family)).plain, clock)
    wire = Wire(lambda: world.link(INSTRUMENT), clock)
    stand = Stand(family, clock, world, wire, driver_on(family, wire, clock))
    if identified:
        stand.driver.identify()
    return stand


def driver_on(family: Family, link: Link, clock: SimulatedClock) -> Any:
    driver_class: Any = load_driver(family.name)
    options = bench_of(bench_text(family)).instruments[INSTRUMENT].options
    return driver_class(spaced(link, clock, driver_class.sheet.spacing), INSTRUMENT, **options)


@functools.cache
def bench_of(text: str) -> BenchFile:
    """Return a bench file, read once."""
    return parse_bench(text, "bench.yaml")


def bench_text(family: Family) -> str:
    """Return a bench of this one instrument in all its roles, on one channel."""
    roles = [role.value for role in load_driver(family.name).sheet.roles]
    if Role.MULTIPLEXER.value in roles:
        return SWITCHED_BENCH.format(driver=family.name, cell=family.channel)
    if family.role in SENSORS:
        return _sensed(family, roles)
    instrument = f"  {INSTRUMENT}: {{driver: {family.name}, connect: sim{family.simulate}}}\n"
    wiring = ", ".join(f"{role}: {INSTRUMENT}" for role in roles)
    cell = f", {family.channel}" if family.channel else ""
    return f"bench: 1\ninstruments:\n{instrument}channels:\n  {CHANNEL}: {{{wiring}{cell}}}\n"


def _sensed(family: Family, roles: list[str]) -> str:
    paths = {role.value: f"/{path}" for role, path in family.paths}
    wiring = ", ".join(f"{role}: {INSTRUMENT}{paths.get(role, '')}" for role in roles)
    return SENSED_BENCH.format(
        driver=family.name, simulate=family.simulate, wiring=wiring, cell=family.channel
    )


def drives_on(cell: CircuitCell) -> list[Drive]:
    """Return all that drives the cell, asked of the cell itself and of no instrument."""
    return [drive for drive in cell._drives.values() if drive.mode is not DriveMode.OPEN]
