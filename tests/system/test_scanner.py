"""One analyser behind a scanner serves three pellets in turn; a DC block must be declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.evaluation import evaluate
from rig.bench.file import BenchFile, parse_bench
from rig.bench.starting import Job, start
from rig.core.errors import BadInput
from rig.core.records import RunState
from rig.protocol import loads_protocol
from rig.store import queries
from rig.store.database import open_database

PELLET = "{cell: blocking_pellet, material: Li6PS5Cl, area: 0.785 cm^2, thickness: %s}"
BENCH = """\
bench: 1
instruments:
  lcr: {driver: keysight.e4980a, connect: sim, simulate: {dc_block: yes}}
  mux: {driver: scpi.matrix, connect: sim}
  oven: {driver: watlow.f4t, connect: sim}
channels:
"""
PROTOCOL = """\
protocol: 1
name: Three in turn
cell: {area: 0.785 cm^2, thickness: 0.5 mm}
safety: {voltage: [-1 V, 1 V], current: 20 mA, temperature: [0 degC, 60 degC], check_every: 10 s}
steps:
  - set_temperature: {to: 25 degC, within: 0.5 K, soak: 10 min, timeout: 3 h}
  - repeat: 2
    steps:
      - eis: {from: 1 MHz, to: 100 Hz, points_per_decade: 5, amplitude: 10 mV}
"""


def bench(declared: bool = True, paths: tuple[str, ...] = ("101", "102", "103")) -> BenchFile:
    lines = [
        f"  P{number}: {{impedance: lcr, multiplexer: mux/{path}, chamber: oven, "
        f"dc_blocking: {str(declared).lower()}, simulate: {PELLET % f'0.{number} mm'}}}"
        for number, path in enumerate(paths, 4)
    ]
    return parse_bench(BENCH + "\n".join(lines) + "\n", "scanner.yaml")


def test_three_cells_are_measured_in_turn_and_never_two_at_once(tmp_path: Path) -> None:
    rigged = bench()
    program = loads_protocol(PROTOCOL)
    jobs = [Job(program, "turn.yaml", spec) for spec in rigged.channels.values()]
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    session = start(jobs, rigged, database=url)
    session.run()
    engine = open_database(url)
    slopes = []
    for run in session.runs:
        assert run.state is RunState.FINISHED, run.reason
        findings = evaluate(engine, queries.find_run(engine, run.run_id))
        assert len(findings.spectra) == 2
        modulus = abs(findings.spectra[0].spectrum.impedance_ohm).min()
        slopes.append(modulus)
    engine.dispose()
    assert slopes == sorted(slopes), "each path leads to its own cell: thicker pellets resist more"
    assert slopes[2] / slopes[0] == pytest.approx(6 / 4, rel=0.03)
    world = session.bench.world
    assert world is not None
    for name in rigged.channels:
        assert world.cell(name).conflicts == 0  # type: ignore[attr-defined]


def test_a_meter_that_dc_destroys_is_refused_where_no_block_is_declared() -> None:
    with pytest.raises(BadInput, match="blocking capacitors") as refusal:
        bench(declared=False)
    assert len(refusal.value.problems) == 3


def test_two_channels_cannot_have_one_path_nor_a_scanner_without_one() -> None:
    with pytest.raises(BadInput, match="mux/101 already leads to 'P4'"):
        bench(paths=("101", "101"))
    with pytest.raises(BadInput, match="needs the path"):
        bench(paths=("",))


def test_what_a_killed_process_left_connected_is_opened_before_any_run_begins(
    tmp_path: Path,
) -> None:
    rigged = bench(paths=("101", "102"))
    jobs = [Job(loads_protocol(PROTOCOL), "turn.yaml", spec) for spec in rigged.channels.values()]
    session = start(jobs, rigged, database=f"sqlite:///{tmp_path / 'rig.db'}")
    scanner = session.bench.scanners["mux"].driver
    scanner.connect("102")
    asked: list[str] = []

    def first_look() -> None:
        if not asked:
            link = session.bench.links["mux"]
            link.write(b"ROUT:CLOS? (@102)\n")
            asked.append(link.read_until(b"\n", 1.0).decode())
            session.stop("seen enough")

    session.run(first_look)
    assert asked == ["0"]
