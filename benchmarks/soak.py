"""Does anything grow? ``python benchmarks/soak.py [--cycles N] [--channels N] [--json]``.

Cycles full cells on the simulated clock, all channels in this process and one thread: the
instruments' bytes, drivers, engine, recorder and SQLite file as in a real run, watched through
/proc (Linux only). Prints resident memory, threads and open files along the way, and how much
memory grew from 20 % of the run to its end. Asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import packages_first  # noqa: F401
from this_machine import machine

from rig.bench.file import BenchFile, parse_bench
from rig.bench.session import Session
from rig.bench.starting import Job, start
from rig.protocol import loads_protocol

LINES = 20  # of the table
SETTLED = 0.2  # of the run: by then every cache has been filled and every page of code was used
BIGGEST = 12  # lines of source that are told with --trace

# A whole cycle at 1C between 3.0 and 4.2 V with two rests: about 2 h 20 min of simulated time.
PROTOCOL = """
protocol: 1
name: soak
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 20 mA, check_every: 30 s}
record: {every: 30 s}
variables: {cycles: 1}
steps:
  - repeat: $cycles
    steps:
      - cccv: {at: 1C, to: 4.2 V, until: C/5, for: 3 h}
      - rest: {for: 5 min}
      - discharge: {at: 1C, until: 3.0 V, for: 3 h}
      - rest: {for: 5 min}
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """This process at one moment."""

    part: float  # of the run
    cycles: int
    samples: int
    second: float
    resident_megabyte: float
    threads: int
    files: int


@dataclass
class Watch:
    """Looks at the process whenever another ``LINES``-th of the cycles is done."""

    session: Session
    cycles: int
    marks: list[Mark] = field(default_factory=list)
    quiet: bool = False
    _began: float = field(default_factory=time.monotonic)
    _calls: int = 0

    def between(self) -> None:
        """Called after each step of work, so it may cost nothing most of the time."""
        self._calls += 1
        if self._calls % 1000 == 0 and self.done() >= len(self.marks) / LINES:
            self.mark()

    def done(self) -> float:
        """Return which part of all cycles is done."""
        return self.cycles_done() / self.cycles

    def cycles_done(self) -> int:
        """Return how many cycles are complete, over all channels."""
        return sum(max(0, run.cursor.place.cycle_count - 1) for run in self.session.runs)

    def mark(self, *, at_end: bool = False) -> None:
        mark = Mark(
            1.0 if at_end else self.done(),
            self.cycles if at_end else self.cycles_done(),
            self.session.recorder.samples_committed,
            time.monotonic() - self._began,
            resident_megabyte(),
            threads(),
            files(),
        )
        self.marks.append(mark)
        if not self.quiet:
            print(as_line(mark), file=sys.stderr, flush=True)


# --- what the system says of this process --------------------------------------------------------


def resident_megabyte() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def files() -> int:
    """Count open descriptors, without the one that looks at them."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1


# --- the run -------------------------------------------------------------------------------------


def bench_of(channels: int) -> BenchFile:
    """Return a bench of full cells, each on a Keithley 2450 of its own."""
    smu = "{driver: keithley.smu2450, connect: sim, simulate: {saved_off_state: high_impedance}}"
    cell = "{cell: full_cell, area: 0.785 cm^2, capacity: 2 mAh, alpha_per_cycle: 2.0e-4}"
    numbers = range(1, channels + 1)
    lines = ["bench: 1", "instruments:"]
    lines += [f"  smu-{number}: {smu}" for number in numbers]
    lines += ["channels:"]
    lines += [f"  C{number}: {{cell: smu-{number}, simulate: {cell}}}" for number in numbers]
    return parse_bench("\n".join(lines) + "\n", "soak")


def soak(channels: int, cycles: int, folder: Path, *, quiet: bool = False) -> list[Mark]:
    """Run so many cycles in all, shared out over the channels; return what was seen on the way."""
    each = -(-cycles // channels)
    bench = bench_of(channels)
    program = loads_protocol(PROTOCOL, variables={"cycles": str(each)})
    jobs = [Job(program, "soak", spec) for spec in bench.channels.values()]
    session = start(jobs, bench, database=f"sqlite:///{folder / 'soak.db'}", speed="max")
    watch = Watch(session, each * channels, quiet=quiet)
    session.run(watch.between)
    unfinished = [run.reason for run in session.runs if run.reason != "protocol finished"]
    if unfinished:
        raise RuntimeError(f"{len(unfinished)} runs did not finish: {unfinished[0]}")
    watch.mark(at_end=True)
    return watch.marks


def growth(marks: Sequence[Mark]) -> float:
    """Return memory at the end over memory at 20 % of the run; before the database is closed."""
    settled = next(mark for mark in marks if mark.part >= SETTLED)
    return marks[-2].resident_megabyte / settled.resident_megabyte


# --- telling -------------------------------------------------------------------------------------


def as_line(mark: Mark) -> str:
    return (
        f"{mark.part:6.0%} {mark.cycles:8,} {mark.samples:11,} {mark.second:8.0f} "
        f"{mark.resident_megabyte:10.1f} {mark.threads:8} {mark.files:6}"
    )


def as_data(marks: Sequence[Mark]) -> dict[str, object]:
    """Return everything as plain data, units in the keys."""
    last = marks[-1]
    return {
        "machine": machine(),
        "samples_per_second": last.samples / last.second,
        "growth_20_to_100_percent": growth(marks),
        "threads": [marks[0].threads, max(mark.threads for mark in marks), last.threads],
        "files": [marks[0].files, max(mark.files for mark in marks), last.files],
        "marks": [asdict(mark) for mark in marks],
    }


def as_text(marks: Sequence[Mark]) -> str:
    """Return everything as a table for people."""
    last = marks[-1]
    head = f"{'run':>6} {'cycles':>8} {'samples':>11} {'second':>8} {'RSS / MB':>10} {'threads':>8}"
    return "\n".join(
        [
            ", ".join(f"{name} {value}" for name, value in machine().items()),
            "",
            f"{head} {'files':>6}",
            *(as_line(mark) for mark in marks),
            "",
            f"memory, 20 % to the end     {growth(marks):8.3f} times",
            f"threads, begin and end      {marks[0].threads:8} {last.threads:5}",
            f"files, begin and end        {marks[0].files:8} {last.files:5}",
            f"samples/s                   {last.samples / last.second:8,.0f}",
        ]
    )


def tell_biggest() -> None:
    """Print which lines of source hold most of the memory that is held now."""
    for line in tracemalloc.take_snapshot().statistics("lineno")[:BIGGEST]:
        print(line, file=sys.stderr)


def main() -> int:
    """Soak in a temporary folder and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--cycles", type=int, default=10_000, help="of all channels together")
    parser.add_argument("--trace", action="store_true", help="also say which lines hold memory")
    parser.add_argument("--json", action="store_true", help="print plain data")
    options = parser.parse_args()
    if options.trace:
        tracemalloc.start()
    with tempfile.TemporaryDirectory(prefix="rig-soak-") as folder:
        marks = soak(options.channels, options.cycles, Path(folder), quiet=options.json)
    if options.trace:
        tell_biggest()
    print(json.dumps(as_data(marks), indent=2) if options.json else as_text(marks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
