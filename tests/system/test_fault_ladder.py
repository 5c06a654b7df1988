"""Fail the first operation on a link, then the second, ... to the last, on four families' real bytes.

After every rung: the cell is disconnected (asked of the simulated cell itself, not of our own
software) or the loudest alarm is up, the reason is recorded, data and cursor agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from rig.bench.file import BenchFile, load_bench, parse_bench
from rig.bench.instruments import WrapLink
from rig.bench.session import Session
from rig.bench.starting import Job, start
from rig.core.clock import Clock
from rig.core.errors import BadInput
from rig.core.link import Link
from rig.core.records import RunState
from rig.engine.cursor import to_json
from rig.protocol import loads_protocol
from rig.store import queries
from rig.store.samples import sample_frame
from simulators.faults import Fault, FaultyLink
from simulators.interfaces import DriveMode

PROTOCOL = """\
protocol: 1
name: One of each
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.0 V, 4.3 V], current: 3C, temperature: [15 degC, 35 degC], check_every: 60 s}
record: {every: 60 s}
steps:
  - set_temperature: {to: 25 degC, within: 1 K, soak: 2 min, timeout: 3 h}
  - charge: {at: 1C, until: 4.2 V, for: 3 min}
  - cccv: {at: 1C, to: 3.9 V, until: C/2, for: 3 min}
  - eis: {from: 100 kHz, to: 1 kHz, points_per_decade: 3, amplitude: 10 mV}
  - discharge: {at: 1C, until: 2.8 V, for: 2 min}
  - rest: {for: 1 min}
"""
# The same cell with a scanner beside it that three limits, an end and a wait depend on.
SENSORS_PROTOCOL = """\
protocol: 1
name: One of each, with sensors
cell: {area: 0.785 cm^2, capacity: 2 mAh}
auxiliaries: {dew_point: degC}
safety:
  voltage: [2.0 V, 4.3 V]
  current: 3C
  temperature: [15 degC, 35 degC]
  heating: 2 K/min
  pressure: [1 MPa, 12 MPa]
  auxiliaries: {dew_point: < -30 degC}
  check_every: 60 s
suspend: {auxiliaries: {dew_point: {above: -40 degC, resume: -45 degC, settle: 1 min}}}
record: {every: 60 s}
steps:
  - set_temperature: {to: 25 degC, within: 1 K, soak: 2 min, timeout: 3 h}
  - charge: {at: 1C, until: [4.2 V, pressure > 11 MPa], for: 3 min}
  - eis: {from: 100 kHz, to: 1 kHz, points_per_decade: 3, amplitude: 10 mV}
  - rest: {for: 3 min}
"""
SENSORS_BENCH = """\
bench: 1
instruments:
  smu: {driver: keithley.smu2450, connect: sim, simulate: {saved_off_state: high_impedance}}
  pstat: {driver: palmsens.methodscript, connect: sim}
  oven: {driver: espec.p300, connect: sim}
  daq:
    driver: keithley.daq6510
    connect: sim
    every: 1 min
    options:
      channels:
        101: thermocouple K
        102: {pressure: {1 V: 0 MPa, 5 V: 10 MPa}}
        103: {dew_point: {1 V: -100 degC, 5 V: 20 degC}}
channels:
  C1:
    cell: smu
    impedance: pstat
    chamber: oven
    temperature: daq/101
    pressure: daq/102
    aux: {dew_point: daq/103}
    simulate: {cell: full_cell, area: 0.785 cm^2, capacity: 2 mAh}
"""
KINDS = ("mute", "drop", "garble", "half")


@dataclass(frozen=True)
class Ladder:
    """A bench with a channel C1, what runs there, and whose links fail."""

    bench: BenchFile
    protocol: str
    instruments: tuple[str, ...]
    stride: int  # of the part that the fast suite climbs


CELL_AND_CHAMBER = Ladder(load_bench("sim"), PROTOCOL, ("smu-c1", "pstat-c1", "chamber-c"), 47)
SENSORS = Ladder(parse_bench(SENSORS_BENCH, "sensors.yaml"), SENSORS_PROTOCOL, ("daq", "smu"), 127)
LADDERS = pytest.mark.parametrize(
    "ladder", [CELL_AND_CHAMBER, SENSORS], ids=["cell and chamber", "sensors"]
)


@dataclass
class CountingLink:
    """Passes everything on and counts operations, as FaultyLink does."""

    inner: Link
    operations: int = field(default=0)

    @property
    def name(self) -> str:
        return self.inner.name

    def write(self, data: bytes) -> None:
        self.operations += 1
        self.inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        self.operations += 1
        return self.inner.read_until(terminator, timeout_second)

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        self.operations += 1
        return self.inner.read_exactly(count, timeout_second)

    def close(self) -> None:
        self.inner.close()


def session_with(ladder: Ladder, folder: Path, wrap: WrapLink) -> Session:
    bench = ladder.bench
    job = Job(loads_protocol(ladder.protocol), "one.yaml", bench.channels["C1"])
    return start([job], bench, database=f"sqlite:///{folder / 'rig.db'}", wrap=wrap)


def operations_of_a_good_run(ladder: Ladder, folder: Path) -> dict[str, int]:
    counters: dict[str, CountingLink] = {}

    def count(name: str, link: Link, _clock: Clock) -> Link:
        return counters.setdefault(name, CountingLink(link))

    session = session_with(ladder, folder, count)
    session.run()
    assert session.runs[0].state is RunState.FINISHED, session.runs[0].reason
    return {name: counter.operations for name, counter in counters.items()}


def climb(ladder: Ladder, folder: Path, fault: Fault) -> None:
    opened: list[str] = []

    def faulty(name: str, link: Link, clock: Clock) -> Link:
        """A lasting fault outlives the port: opened again, it fails from the first operation on."""
        if name != fault.instrument or (name in opened and not fault.lasting):
            return link
        again = name in opened
        opened.append(name)
        return FaultyLink(link, replace(fault, operation=1) if again else fault, clock)

    try:
        session = session_with(ladder, folder, faulty)
    except BadInput:
        return  # refused before anything was switched on
    session.run()
    assert_safe(session, fault)
    if fault.instrument == "daq":
        assert_only_limits_end_it(session, fault)


def assert_only_limits_end_it(session: Session, fault: Fault) -> None:
    """A sensor that is lost for a moment ends no run; one that stays lost does, by what depends on it."""
    (run,) = session.runs
    if not fault.lasting:
        assert run.state is RunState.FINISHED, (fault, run.reason)
    elif run.state is not RunState.FINISHED:
        assert run.state is RunState.TRIPPED, (fault, run.reason)
        assert "no valid value for" in run.reason, (fault, run.reason)


def assert_safe(session: Session, fault: Fault) -> None:
    (run,) = session.runs
    world = session.bench.world
    assert world is not None
    cell = world.cell("C1")  # type: ignore[attr-defined]
    driven = [drive for drive in cell._drives.values() if drive.mode is not DriveMode.OPEN]
    assert not driven or run.alarm, f"{fault}: the cell is connected and nobody was told"
    assert cell.conflicts == 0, f"{fault}: two instruments drove the cell at once"
    assert run.state in {RunState.FINISHED, RunState.FAILED, RunState.TRIPPED}, fault
    assert run.reason, fault
    engine = session.engine
    samples = sample_frame(engine, run.run_id)
    stored = queries.load_cursor(engine, run.run_id)
    engine.dispose()
    assert stored is not None
    assert stored[0] == to_json(run.cursor), fault
    assert len(samples) == run.cursor.progress.seq, fault


def rungs(ladder: Ladder, folder: Path, stride: int) -> Iterator[Fault]:
    folder.mkdir()
    counts = operations_of_a_good_run(ladder, folder)
    kinds = itertools.cycle(KINDS)
    for name in ladder.instruments:
        for operation in range(1, counts[name] + 1, stride):
            for lasting in (False, True):
                yield Fault(name, next(kinds), operation, lasting=lasting)


@LADDERS
def test_a_part_of_the_ladder(ladder: Ladder, tmp_path: Path) -> None:
    for number, fault in enumerate(rungs(ladder, tmp_path / "good", stride=ladder.stride)):
        folder = tmp_path / str(number)
        folder.mkdir()
        climb(ladder, folder, fault)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@LADDERS
def test_the_whole_ladder(ladder: Ladder, tmp_path: Path) -> None:
    for number, fault in enumerate(rungs(ladder, tmp_path / "good", stride=1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        climb(ladder, folder, fault)
