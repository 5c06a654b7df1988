"""What ``engine.py`` measures: the whole path on a simulated rig, and each layer of it alone.

Every function returns the seconds it took to deal with a known number of samples. The layers are
cut at the project's own interfaces (Front, Link, CellChannel, Keeper), so each runs the very code
that the whole path runs, with a constant where its neighbour would be.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drivers.potentiostats.keithley_2450 import Keithley2450
from rig.bench.file import BenchFile, parse_bench
from rig.bench.starting import Job, start
from rig.core.alarms import Alarm
from rig.core.clock import SimulatedClock
from rig.core.instruments import (
    CellReading,
    ConstantCurrent,
    Identity,
    Limits,
    Regulation,
    Setpoint,
)
from rig.core.link import Link
from rig.core.records import SAMPLE_COLUMNS, RunState, SampleRow
from rig.engine.channel import Channel
from rig.engine.runner import Run
from rig.engine.schedule import SimulatedSchedule
from rig.protocol import loads_protocol
from rig.protocol.program import End, Galvanostat, Program, RecordPhase, Safety, Step, StepKind
from rig.store.database import open_database
from rig.store.recorder import COMMIT_ROWS, Recorder
from simulators.link import InMemoryLink
from simulators.world import SimulatedWorld

READ = b':READ? "defbuffer1",SOUR,READ,SOURSTAT\n'
REPLY = b"3.801234E+00,4.999980E-03,232\n"
SETPOINT = ConstantCurrent(2e-4, 4.2)  # small: the front stays in CC however long it is asked
LIMITS = Limits(2.5, 4.3, 0.02)

# Constant current, constant voltage and rest, 40 min a pass; one look a second, each kept.
PROTOCOL = """
protocol: 1
name: every reading is a sample
cell: {area: 1 cm^2, capacity: 5 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 20 mA, check_every: 1 s}
record: {every: 1 s}
variables: {passes: 1}
steps:
  - repeat: $passes
    steps:
      - cccv: {at: 1C, to: 3.9 V, for: 15 min}
      - rest: {for: 5 min}
      - discharge: {at: 1C, until: 3.4 V, for: 15 min}
      - rest: {for: 5 min}
"""


@dataclass(frozen=True, slots=True)
class Took:
    """One measurement: how many samples (or rows), and the seconds of wall and processor."""

    samples: int
    wall_second: float
    processor_second: float
    simulated_second: float = 0.0

    @property
    def microsecond_per_sample(self) -> float:
        return 1e6 * self.wall_second / self.samples

    @property
    def processor_microsecond(self) -> float:
        """Per sample: what this process computed, without waiting for the disk or for other processes."""
        return 1e6 * self.processor_second / self.samples

    @property
    def times_real_time(self) -> float:
        return self.simulated_second / self.wall_second


def timed(samples: int, work: Callable[[], object], simulated_second: float = 0.0) -> Took:
    """Run ``work`` once."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Took(
        samples, time.perf_counter() - wall, time.process_time() - processor, simulated_second
    )


# --- the whole path ------------------------------------------------------------------------------


def bench_of(channels: int) -> BenchFile:
    """Return a bench of full cells at half charge, each on a Keithley 2450 of its own."""
    names = [f"{number:02d}" for number in range(1, channels + 1)]
    lines = ["bench: 1", "instruments:"]
    lines += [f"  smu-{name}: {{driver: keithley.smu2450, connect: sim}}" for name in names]
    lines += ["channels:"]
    for name in names:
        cell = "{cell: full_cell, area: 1 cm^2, state_of_charge: 50 %}"
        lines.append(f"  C{name}: {{cell: smu-{name}, simulate: {cell}}}")
    return parse_bench("\n".join(lines) + "\n", "benchmark")


def whole_path(channels: int, passes: int, database: Path) -> Took:
    """Bytes, driver, engine and journal: run the protocol on that many channels at full speed."""
    bench = bench_of(channels)
    program = loads_protocol(PROTOCOL, variables={"passes": str(passes)})
    jobs = [Job(program, "benchmark", spec) for spec in bench.channels.values()]
    session = start(jobs, bench, database=f"sqlite:///{database}", speed="max")
    took = timed(1, session.run)
    for run in session.runs:
        assert run.state is RunState.FINISHED, run.reason
    simulated = max(run.cursor.progress.test_time_second for run in session.runs)
    return Took(
        session.recorder.samples_committed, took.wall_second, took.processor_second, simulated
    )


def rows_of(database: Path) -> list[SampleRow]:
    """Return the samples that a run left, as the engine made them."""
    connection = sqlite3.connect(database)
    rows = connection.execute(f"SELECT {', '.join(SAMPLE_COLUMNS)} FROM sample").fetchall()
    connection.close()
    return rows


# --- the reference, and the recorder -------------------------------------------------------------


def bare_sqlite(rows: Sequence[SampleRow], database: Path) -> Took:
    """The reference: sqlite3's own executemany of the same rows into the same table.

    The journal's table, its commit size and its settings (WAL, FULL), and nothing else.
    """
    open_database(f"sqlite:///{database}").dispose()
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous=FULL")
    marks = ", ".join("?" * len(SAMPLE_COLUMNS))
    statement = f"INSERT INTO spool ({', '.join(SAMPLE_COLUMNS)}) VALUES ({marks})"

    def insert() -> None:
        for first in range(0, len(rows), COMMIT_ROWS):
            with connection:
                connection.executemany(statement, rows[first : first + COMMIT_ROWS])

    took = timed(len(rows), insert)
    connection.close()
    return took


def recorder_alone(rows: Sequence[SampleRow], database: Path) -> Took:
    """The journal, and the way from there to the sample table."""
    engine = open_database(f"sqlite:///{database}")
    recorder = Recorder(engine, SimulatedClock(), commit_second=None)

    def record() -> None:
        for row in rows:
            recorder.sample(row)
            recorder.commit_if_due()
        recorder.close()

    took = timed(len(rows), record)
    engine.dispose()
    return took


# --- the simulated instrument --------------------------------------------------------------------


def driven_world(clock: SimulatedClock) -> tuple[SimulatedWorld, Keithley2450, EchoingLink]:
    """Return one simulated cell under constant current, and the driver that set it up."""
    world = SimulatedWorld(bench_of(1).plain, clock)
    link = EchoingLink(world.link("smu-01"))
    driver = Keithley2450(link, "smu-01")
    driver.apply(SETPOINT, LIMITS)
    return world, driver, link


@dataclass
class EchoingLink:
    """Passes everything on until told what to answer from then on."""

    inner: Link
    answer: bytes | None = None

    @property
    def name(self) -> str:
        return self.inner.name

    def write(self, data: bytes) -> None:
        if self.answer is None:
            self.inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        if self.answer is None:
            return self.inner.read_until(terminator, timeout_second)
        return self.answer

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        return self.inner.read_exactly(count, timeout_second)

    def close(self) -> None:
        self.inner.close()


@dataclass
class ConstantFront:
    """An instrument that answers whatever it is sent with one line, 80 ms later."""

    due_second: float | None = None

    def receive(self, data: bytes, now_second: float) -> None:
        self.due_second = now_second + 0.08

    def transmit(self, now_second: float) -> bytes:
        if self.due_second is None or now_second < self.due_second:
            return b""
        self.due_second = None
        return REPLY

    def next_output_second(self) -> float | None:
        return self.due_second

    def disconnected(self, now_second: float) -> None:
        self.due_second = None


def front_alone(samples: int) -> Took:
    """The 2450's wire side and the cell model, asked once a second."""
    clock = SimulatedClock()
    front = driven_world(clock)[0].front("smu-01")

    def ask() -> None:
        for second in range(10, 10 + samples):
            front.receive(READ, second)
            front.transmit(second)
            ready = front.next_output_second()
            assert ready is not None
            assert front.transmit(ready)

    return timed(samples, ask)


def link_alone(samples: int) -> Took:
    """The in-memory link, waiting on the simulated clock for a constant reply."""
    clock = SimulatedClock()
    link = InMemoryLink(ConstantFront(), clock, "constant")

    def talk() -> None:
        for second in range(samples):
            clock.reach(second)
            link.write(READ)
            link.read_until(b"\n", 3.0)

    return timed(samples, talk)


def driver_alone(samples: int) -> Took:
    """From the reply's bytes to a reading."""
    _, driver, link = driven_world(SimulatedClock())
    link.answer = REPLY.removesuffix(b"\n")

    def measure() -> None:
        for _ in range(samples):
            driver.measure()

    return timed(samples, measure)


# --- the engine ----------------------------------------------------------------------------------


class ConstantChannel:
    """A cell that always reads the same."""

    reading = CellReading(3.8, 2e-3, Regulation.CURRENT)

    def identify(self) -> Identity:
        return Identity("benchmark", "constant", "", "")

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        pass

    def measure(self) -> CellReading:
        return self.reading

    def make_safe(self) -> None:
        pass


@dataclass
class CountingKeeper:
    """Takes everything, keeps the number of samples only."""

    samples: int = 0
    rows: list[str] = field(default_factory=list)

    def sample(self, row: SampleRow) -> None:
        self.samples += 1

    def row(self, table: str, values: dict[str, object]) -> None:
        self.rows.append(table)

    def cursor(self, run_id: str, text: Callable[[], str]) -> None:
        pass

    def state(self, run_id: str, state: RunState, wall_us: int, reason: str) -> None:
        pass

    def alarm(self, alarm: Alarm) -> None:
        pass

    def commit(self) -> None:
        pass


def engine_alone(samples: int) -> Took:
    """Fold, runner and schedule, from reading to sample row, in one long constant-current step."""
    ends = (End("voltage", ">=", 4.2), End("time", ">=", samples - 1.0))
    drive = Galvanostat(2e-3, 4.2)
    step = Step(StepKind.CHARGE, "charge", ends, (RecordPhase(1.0),), drive)
    program = Program("one long charge", (step,), Safety(2.5, 4.3, 0.02, check_every_second=1.0))
    clock, keeper = SimulatedClock(), CountingKeeper()
    channel = Channel("C1", ConstantChannel(), "smu")
    run = Run("benchmark", program, channel, keeper, clock)
    took = timed(samples, lambda: SimulatedSchedule(clock).run([run.task()]))
    assert keeper.samples == samples, keeper.samples
    return took
