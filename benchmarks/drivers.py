"""What does a driver cost, without its wire? ``python benchmarks/drivers.py [--json]``.

Microseconds from "send the question" to a reading, for every family that has a simulator: the
conversation is held once with the simulated instrument, then its replies are played back from a
list, in their order, by a link that does nothing else. So neither the simulator nor waiting counts,
nor the pauses that a sheet asks for.
The reference, in the same run, is the least that reading two numbers can be: two ``float()`` of
bytes and a tuple. Asserts no time, only that what is played back is what was read.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import packages_first  # noqa: F401
from this_machine import machine

from rig.bench.file import parse_bench
from rig.bench.instruments import open_bench
from rig.core.clock import Clock, SimulatedClock
from rig.core.errors import LinkTimeout
from rig.core.instruments import (
    CellChannel,
    CellReading,
    ConstantCurrent,
    ConstantVoltage,
    ImpedanceAnalyser,
    ImpedancePoint,
    Limits,
    Regulation,
    Setpoint,
    Sweep,
)
from rig.core.link import Link

READINGS, ROUNDS = 1_000, 20
SETTLED_SECOND, LOOK_SECOND = 5.0, 1.0
REFERENCE = "two float() and a tuple"
REPLY = b"3.801234E+00,4.999980E-03"
LIMITS, SWEEP_LIMITS = Limits(2.5, 4.3, 0.02), Limits(2.5, 4.3, 0.5)
CHARGE = ConstantCurrent(2e-4, 4.2)
CELL = "{cell: full_cell, area: 1 cm^2, capacity: 5 mAh, state_of_charge: 50 %}"
LARGE_CELL = "{cell: full_cell, area: 1000 cm^2, state_of_charge: 50 %, lead_resistance: 0.5 mohm}"

# With what a cell is driven while it is measured. A scanner (scpi.matrix) reads nothing.
DRIVEN: dict[str, Setpoint] = {
    "keithley.smu2400": CHARGE,
    "keithley.smu2450": CHARGE,
    "rohde_schwarz.ngu401": CHARGE,
    "rohde_schwarz.ngm202": CHARGE,
    "maccor.macnet": CHARGE,
    "palmsens.methodscript": CHARGE,
    "rodeostat.json": ConstantVoltage(3.85, 1e-3),
}
SWEEPS: dict[str, tuple[Sweep, str]] = {
    "palmsens.methodscript": (Sweep(1e6, 10.0, 501, amplitude_volt=10e-3), CELL),
    "keysight.e4980a": (Sweep(2e6, 20.0, 501, amplitude_volt=10e-3), CELL),
    "hioki.bt4560": (Sweep(1050.0, 10.0, 301, amplitude_ampere=0.05), LARGE_CELL),
}
CHAMBERS = ("espec.p300", "watlow.f4t", "watlow.f4t_scpi")

# What one operation of a link gave: the bytes, or that nothing came.
Reply = bytes | LinkTimeout


@dataclass
class TapedLink:
    """Passes everything on and tapes each read; once ``replay`` is set it only plays that."""

    inner: Link
    taped: list[Reply]
    replay: Iterator[Reply] | None = None

    @property
    def name(self) -> str:
        return self.inner.name

    def write(self, data: bytes) -> None:
        if self.replay is None:
            self.inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        if self.replay is None:
            return self._tape(lambda: self.inner.read_until(terminator, timeout_second))
        return _given(next(self.replay))

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        if self.replay is None:
            return self._tape(lambda: self.inner.read_exactly(count, timeout_second))
        return _given(next(self.replay))

    def close(self) -> None:
        self.inner.close()

    def _tape(self, read: Callable[[], bytes]) -> bytes:
        try:
            data = read()
        except LinkTimeout as silence:
            self.taped.append(silence)
            raise
        self.taped.append(data)
        return data


def _given(reply: Reply) -> bytes:
    if isinstance(reply, LinkTimeout):
        raise reply
    return reply


@dataclass(frozen=True, slots=True)
class Cost:
    """One family: microseconds a reading or point, and how many reads of the link each takes."""

    family: str
    what: str
    microsecond: float
    reads: float


# --- one conversation, held and played back -------------------------------------------------------

# Brings an instrument to where it is asked; and everything that is timed, with a pause for the
# simulated clock, returning what was read.
Prepare = Callable[[Any], object]
Take = Callable[[Any, Callable[[], None]], Sequence[object]]


@dataclass(frozen=True, slots=True)
class Subject:
    """A family in a role: how it is prepared, and what is timed."""

    family: str
    role: str
    what: str
    prepare: Prepare
    take: Take
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """A conversation on tape; ``play`` repeats it once and returns the seconds that it took."""

    subject: Subject
    count: int
    reads: int
    play: Callable[[], float]


def taped(subject: Subject) -> Played:
    """Hold the conversation once with the simulated instrument.

    Every play begins with a new driver that identifies and prepares anew, untimed: where requests
    are numbered the replies fit again.
    """
    prepare, take = subject.prepare, subject.take
    clock, driver, tape = open_one(subject)
    prepare(driver)
    clock.wait_until(clock.now() + SETTLED_SECOND)
    before = len(tape.taped)
    expected = take(driver, lambda: clock.wait_until(clock.now() + LOOK_SECOND))
    driver_class, replies = type(driver), tuple(tape.taped)

    def play() -> float:
        tape.replay = iter(replies)
        driver = driver_class(tape, "one")
        driver.identify()
        prepare(driver)
        began = time.perf_counter()
        got = take(driver, lambda: None)
        took = time.perf_counter() - began
        assert got == expected, f"{subject.family}: the tape does not repeat what was read"
        return took

    return Played(subject, len(expected), len(replies) - before, play)


def measure_all() -> tuple[list[Cost], float]:
    """Return the cost of every family and of the reference, in microseconds; the fastest counts.

    In turn, so that a second in which others keep the machine busy does not fall on one alone.
    """
    all_played = [taped(subject) for subject in subjects()]
    rounds = [
        ([p.play() for p in all_played], timeit.timeit(least, number=READINGS))
        for _ in range(ROUNDS)
    ]
    fastest = [min(seconds) for seconds in zip(*(plays for plays, _ in rounds), strict=True)]
    costs = [
        Cost(p.subject.family, p.subject.what, 1e6 * second / p.count, p.reads / p.count)
        for p, second in zip(all_played, fastest, strict=True)
    ]
    return costs, 1e6 * min(second for _, second in rounds) / READINGS


def least() -> CellReading:
    """The reference: the least that a reading can be."""
    volt, ampere = REPLY.split(b",")
    return CellReading(float(volt), float(ampere), Regulation.CURRENT)


def open_one(subject: Subject) -> tuple[Clock, Any, TapedLink]:
    """Return the clock, driver and tape of a bench with this one simulated instrument."""
    simulate = f", dc_blocking: true, simulate: {subject.cell}" if subject.cell else ""
    text = (
        "bench: 1\n"
        f"instruments: {{one: {{driver: {subject.family}, connect: sim}}}}\n"
        f"channels: {{A1: {{{subject.role}: one{simulate}}}}}\n"
    )
    tapes: list[TapedLink] = []

    def tape(_name: str, link: Link, _clock: Clock) -> Link:
        tapes.append(TapedLink(link, []))
        return tapes[-1]

    opened = open_bench(parse_bench(text, "benchmark"), SimulatedClock(), ["one"], wrap=tape)
    return opened.clock, opened.drivers["one"], tapes[-1]


def repeated(read: Callable[[Any], object]) -> Take:
    """Return a take of many readings, one a second."""

    def take(driver: Any, pause: Callable[[], None]) -> Sequence[object]:
        readings = []
        for _ in range(READINGS):
            readings.append(read(driver))
            pause()
        return readings

    return take


def spectrum(driver: Any, pause: Callable[[], None]) -> Sequence[object]:
    """Take one spectrum, looked at once a second; the looks that came too early cost, too."""
    analyser = cast(ImpedanceAnalyser, driver)
    points: list[ImpedancePoint] = []
    while not (progress := analyser.poll()).done:
        points += progress.points
        pause()
    return [*points, *progress.points]


# --- all of them ---------------------------------------------------------------------------------


def subjects() -> Iterator[Subject]:
    """Yield every family in its roles."""
    measure = repeated(lambda driver: driver.measure())
    for family, setpoint in DRIVEN.items():
        apply = functools.partial(_apply, setpoint=setpoint)
        yield Subject(family, "cell", "measure", apply, measure, CELL)
    for family, (sweep, cell) in SWEEPS.items():
        begin = functools.partial(_begin, sweep=sweep)
        yield Subject(family, "impedance", "point of a poll", begin, spectrum, cell)
    resistance = repeated(lambda driver: driver.read_resistance())
    yield Subject("hioki.bt3562", "resistance", "read_resistance", _nothing, resistance, CELL)
    temperature = repeated(lambda driver: driver.read_temperature())
    for family in CHAMBERS:
        yield Subject(family, "chamber", "read_temperature", _nothing, temperature)


def _apply(driver: CellChannel, setpoint: Setpoint) -> None:
    driver.apply(setpoint, LIMITS)


def _begin(driver: ImpedanceAnalyser, sweep: Sweep) -> None:
    driver.begin(sweep, SWEEP_LIMITS)


def _nothing(_driver: object) -> None:
    """Prepare an instrument that is always ready."""


def as_data(measured: Sequence[Cost], reference_microsecond: float) -> dict[str, object]:
    """Return the figures as plain data, units in the keys."""
    return {
        "machine": machine(),
        "reference": REFERENCE,
        "reference_microsecond": reference_microsecond,
        "drivers": [
            {**asdict(cost), "times_reference": cost.microsecond / reference_microsecond}
            for cost in measured
        ],
    }


def as_text(measured: Sequence[Cost], reference_microsecond: float) -> str:
    """Return the figures as a table for people."""
    lines = [
        ", ".join(f"{name} {value}" for name, value in machine().items()),
        "",
        f"{'driver':24}{'one':18}{'us':>8}{'reads':>7}{'x reference':>13}",
    ]
    for cost in measured:
        ratio = cost.microsecond / reference_microsecond
        lines.append(
            f"{cost.family:24}{cost.what:18}{cost.microsecond:8.1f}{cost.reads:7.1f}{ratio:13.1f}"
        )
    return "\n".join([*lines, f"{'reference':24}{REFERENCE:18}{reference_microsecond:8.2f}"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print plain data")
    arguments = parser.parse_args()
    figures = measure_all()
    print(json.dumps(as_data(*figures), indent=2) if arguments.json else as_text(*figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
