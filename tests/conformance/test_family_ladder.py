"""Fail the first operation on a link, then the second, ... to the last, on every family's real bytes.

As tests/system/test_fault_ladder, which climbs the built-in bench; here each family that drives a
cell, measures impedance or holds a temperature stands on some bench of BENCHES. After every rung:
the cell is disconnected (asked of the simulated cell) or the alarm is up, the reason is recorded,
data and cursor agree, and no two instruments ever drove the cell at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rig.bench.file import parse_bench
from rig.bench.instruments import WrapLink
from rig.bench.registry import driver_names
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
from tests.conformance.families import CELL, LARGE_CELL
from tests.conformance.stands import drives_on

KINDS = ("mute", "drop", "garble", "half", "late")
# Whatever happens, a run of a few minutes is over within half a day of simulated time.
LONGEST_SECOND = 43_200.0

HEADER = """\
protocol: 1
name: one of each
cell: {area: 1 cm^2, capacity: 5 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 3C, temperature: [15 degC, 35 degC], check_every: 60 s}
record: {every: 60 s}
steps:
"""
LARGE_HEADER = HEADER.replace("1 cm^2", "1000 cm^2").replace("5 mAh", "5 Ah")
SOAK = "  - set_temperature: {to: 25 degC, within: 1 K, soak: 2 min, timeout: 3 h}\n"
CHARGE = "  - cccv: {at: C/5, to: 3.86 V, until: C/10, for: 3 min}\n"
EIS = "  - eis: {from: 1 kHz, to: 100 Hz, points_per_decade: 3, amplitude: 10 mV}\n"
EIS_AMPERE = EIS.replace("10 mV", "50 mA")
DISCHARGE = "  - discharge: {at: C/5, until: 3.0 V, for: 2 min}\n"
REST = "  - rest: {for: 1 min}\n"
RESISTANCE = "  - resistance: {}\n"


@dataclass(frozen=True)
class Bench:
    """One channel, its instruments (name: driver and its choices) and a protocol they can hold."""

    instruments: dict[str, str]
    wiring: str
    protocol: str
    rungs: int = 3  # of each instrument, where only a part of the ladder is climbed

    @property
    def protocol_text(self) -> str:
        """The protocol; nobody limits a temperature that nobody reads."""
        limit = ", temperature: [15 degC, 35 degC]"
        read = "chamber" in self.wiring or "temperature" in self.wiring
        return self.protocol if read else self.protocol.replace(limit, "")

    def driver(self, instrument: str) -> str:
        return self.instruments[instrument].split(",")[0]

    @property
    def text(self) -> str:
        instruments = "".join(
            f"  {name}: {{driver: {driver}, connect: sim}}\n"
            for name, driver in self.instruments.items()
        )
        return f"bench: 1\ninstruments:\n{instruments}channels:\n  A1: {{{self.wiring}}}\n"


# In its factory off state a source meter is a 0 V source from the first byte on.
OFF_STATE = "simulate: {saved_off_state: high_impedance}"
LCR = "keysight.e4980a, simulate: {dc_block: yes}"
SCANNED = "{101: thermocouple K, 103: {dew_point: {1 V: -100 degC, 5 V: 20 degC}}}"
COUNTS = "scale: {8412: 0 N, 152034: 100 N}"
ALL_STEPS = HEADER + SOAK + CHARGE + EIS + DISCHARGE + REST
BENCHES = {
    "source meter 2450": Bench(
        {
            "smu": f"keithley.smu2450, {OFF_STATE}",
            "lcr": LCR,
            "oven": "watlow.f4t",
        },
        f"cell: smu, impedance: lcr, chamber: oven, dc_blocking: true, {CELL}",
        ALL_STEPS,
    ),
    "source meter 2400": Bench(
        {"smu": f"keithley.smu2400, {OFF_STATE}", "lcr": LCR, "switch": "scpi.matrix"},
        f"cell: smu, impedance: lcr, multiplexer: switch/101, dc_blocking: true, {CELL}",
        HEADER + CHARGE + EIS + DISCHARGE + REST,
    ),
    "potentiostat": Bench(
        {"pstat": "palmsens.methodscript", "oven": "watlow.f4t_scpi"},
        f"cell: pstat, impedance: pstat, chamber: oven, {CELL}",
        ALL_STEPS,
    ),
    "four quadrants": Bench(
        {"smu": "rohde_schwarz.ngu401", "lcr": LCR, "oven": "espec.p300"},
        f"cell: smu, impedance: lcr, chamber: oven, dc_blocking: true, {CELL}",
        ALL_STEPS,
    ),
    "charger": Bench(
        {"supply": "rohde_schwarz.ngm202", "meter": "hioki.bt4560"},
        f"cell: supply, impedance: meter, {LARGE_CELL}",
        LARGE_HEADER + CHARGE + EIS_AMPERE,
    ),
    "cycler": Bench(
        {"cycler": "maccor.macnet", "meter": "hioki.bt4560", "tester": "hioki.bt3562"},
        f"cell: cycler, impedance: meter, resistance: tester, {LARGE_CELL}",
        LARGE_HEADER + CHARGE + EIS_AMPERE + RESISTANCE + DISCHARGE + REST,
    ),
    "holder": Bench(
        {"pstat": "rodeostat.json"},
        f"cell: pstat, {CELL}",
        HEADER + "  - hold: {at: 3.85 V, limit: 1 mA, for: 5 min}\n",
    ),
    "sensors": Bench(
        {
            "smu": f"keithley.smu2450, {OFF_STATE}",
            "daq": f"keithley.daq6510, options: {{channels: {SCANNED}}}",
            "gauge": "mark10.series5",
            "oil": "omega.usbh",
            "load": f"serial.load_cell, options: {{{COUNTS}, area: 78.5 mm^2}}",
        },
        "cell: smu, temperature: daq/101, pressure: load, "
        f"aux: {{dew_point: daq/103, force: gauge, oil: oil}}, {CELL}",
        HEADER.replace("check_every", "pressure: [1 MPa, 9 MPa], check_every") + CHARGE,
        rungs=2,
    ),
}


@dataclass
class CountingLink:
    """Passes everything on and counts operations, as FaultyLink does."""

    inner: Link
    operations: int = 0
    spectrum_began: int = 0  # the operation that sent the script of a spectrum

    @property
    def name(self) -> str:
        return self.inner.name

    def write(self, data: bytes) -> None:
        self.operations += 1
        if b"meas_loop_eis" in data:
            self.spectrum_began = self.operations
        self.inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        self.operations += 1
        return self.inner.read_until(terminator, timeout_second)

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        self.operations += 1
        return self.inner.read_exactly(count, timeout_second)

    def close(self) -> None:
        self.inner.close()


def session_with(bench: Bench, folder: Path, wrap: WrapLink) -> Session:
    file = parse_bench(bench.text, "bench.yaml")
    job = Job(loads_protocol(bench.protocol_text), "one.yaml", file.channels["A1"])
    return start([job], file, database=f"sqlite:///{folder / 'rig.db'}", wrap=wrap)


def run_to_its_end(session: Session, what: object) -> None:
    def look() -> None:
        assert session.clock.now() - began < LONGEST_SECOND, f"{what}: the run does not end"

    began = session.clock.now()
    session.run(look)


def operations_of_a_good_run(bench: Bench, folder: Path) -> dict[str, int]:
    return {name: link.operations for name, link in good_run(bench, folder).items()}


def good_run(bench: Bench, folder: Path) -> dict[str, CountingLink]:
    counters: dict[str, CountingLink] = {}

    def count(name: str, link: Link, _clock: Clock) -> Link:
        return counters.setdefault(name, CountingLink(link))

    session = session_with(bench, folder, count)
    run_to_its_end(session, "a good run")
    assert session.runs[0].state is RunState.FINISHED, session.runs[0].reason
    return counters


def climb(bench: Bench, folder: Path, fault: Fault) -> None:
    opened: list[str] = []

    def faulty(name: str, link: Link, clock: Clock) -> Link:
        """A lasting fault outlives the port: opened again, it fails from the first operation on."""
        if name != fault.instrument or (name in opened and not fault.lasting):
            return link
        again = name in opened
        opened.append(name)
        return FaultyLink(link, replace(fault, operation=1) if again else fault, clock)

    try:
        session = session_with(bench, folder, faulty)
    except BadInput:
        return  # refused before anything was switched on
    run_to_its_end(session, fault)
    assert_safe(session, fault)


def assert_safe(session: Session, fault: Fault) -> None:
    (run,) = session.runs
    world = session.bench.world
    assert world is not None
    cell = world.cell("A1")  # type: ignore[attr-defined]
    assert not drives_on(cell) or run.alarm, f"{fault}: the cell is connected and nobody was told"
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


def rungs(counts: dict[str, int], per_instrument: int | None) -> Iterator[Fault]:
    """Yield faults of all kinds in turn, each passing and lasting; all rungs when None."""
    kinds = itertools.cycle(KINDS)
    for name, count in counts.items():
        stride = max(1, count // per_instrument) if per_instrument else 1
        for operation in range(1, count + 1, stride):
            for lasting in (False, True):
                yield Fault(name, next(kinds), operation, lasting=lasting)


def climb_all(
    name: str, folder: Path, per_instrument: int | None = None, only: str | None = None
) -> None:
    """Climb every instrument's ladder, or ``only`` one's: all rungs, or about so many of each."""
    bench = BENCHES[name]
    (folder / "good").mkdir()
    counts = operations_of_a_good_run(bench, folder / "good")
    assert set(counts) == set(bench.instruments)
    counts = {one: count for one, count in counts.items() if only in {None, one}}
    for number, fault in enumerate(rungs(counts, per_instrument)):
        rung = folder / str(number)
        rung.mkdir()
        climb(bench, rung, fault)


def test_every_family_that_a_run_can_use_stands_on_a_bench() -> None:
    used = {bench.driver(name) for bench in BENCHES.values() for name in bench.instruments}
    assert used == set(driver_names())


@pytest.mark.parametrize("name", ["source meter 2450", "potentiostat", "four quadrants"])
def test_a_chamber_that_is_silent_from_its_first_reading_on_ends_the_run(
    name: str, tmp_path: Path
) -> None:
    opened: dict[str, CountingLink] = {}

    def count(instrument: str, link: Link, _clock: Clock) -> Link:
        return opened.setdefault(instrument, CountingLink(link))

    session_with(BENCHES[name], tmp_path, count).bench.close()
    first = opened["oven"].operations + 1
    (tmp_path / "faulty").mkdir()
    climb(BENCHES[name], tmp_path / "faulty", Fault("oven", "mute", first, lasting=True))


def test_a_streamed_spectrum_that_falls_silent_ends_the_run(tmp_path: Path) -> None:
    bench = BENCHES["potentiostat"]
    began = good_run(bench, tmp_path)["pstat"].spectrum_began
    (tmp_path / "faulty").mkdir()
    climb(bench, tmp_path / "faulty", Fault("pstat", "mute", began + 6, lasting=True))


@pytest.mark.parametrize("name", BENCHES)
def test_a_part_of_the_ladder(name: str, tmp_path: Path) -> None:
    climb_all(name, tmp_path, per_instrument=BENCHES[name].rungs)


@pytest.mark.slow
@pytest.mark.timeout(7200)  # a cycler's reading is dozens of operations: 14,000 rungs
@pytest.mark.parametrize(
    ("name", "instrument"),
    [(name, one) for name, bench in BENCHES.items() for one in bench.instruments],
)
def test_the_whole_ladder(name: str, instrument: str, tmp_path: Path) -> None:
    climb_all(name, tmp_path, only=instrument)
