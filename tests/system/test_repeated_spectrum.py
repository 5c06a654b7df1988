"""A cell that drifts under the analyser: its spectrum is refused, measured again, and left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.analysis.flags import EIS_KK
from rig.bench.evaluation import evaluate
from rig.bench.file import BenchFile, parse_bench
from rig.bench.one_spectrum import judge_spectrum
from rig.bench.session import Session
from rig.bench.starting import Job, resume_job, start
from rig.core.records import RunState
from rig.protocol import loads_protocol
from rig.store import queries, tables
from rig.store.database import open_database

# Its resistance doubles within half an hour: so much while the lowest points are measured first,
# half of that the second time.
BENCH = """\
bench: 1
instruments:
  pstat: {driver: palmsens.methodscript, connect: sim}
channels:
  P1:
    cell: pstat
    impedance: pstat
    simulate:
      cell: symmetric_pellet
      material: Li6PS5Cl
      area: 0.785 cm^2
      thickness: 0.5 mm
      interface_resistance: 50 ohm*cm^2
      interface_activation_energy: 0.5 eV
      drift: 1000 %/h
"""
PROTOCOL = """\
protocol: 1
name: Drifting
cell: {{area: 0.785 cm^2, thickness: 0.5 mm}}
safety: {{voltage: [-1 V, 1 V], current: 20 mA}}
steps:
  - eis: {{from: 100 kHz, to: 5 mHz, points_per_decade: 5, amplitude: 10 mV, {again}}}
"""


class Lab:
    """A run of the drifting cell in a folder."""

    def __init__(self, folder: Path, most: int) -> None:
        self.url = f"sqlite:///{folder / 'rig.db'}"
        self.bench: BenchFile = parse_bench(BENCH, "drift.yaml")
        program = loads_protocol(PROTOCOL.format(again=f"repeat_if_invalid: {most}"))
        self.job = Job(program, "drift.yaml", self.bench.channels["P1"])

    def session(self, job: Job | None = None) -> Session:
        return start([job or self.job], self.bench, database=self.url)

    def spectra(self) -> list[tuple[Any, ...]]:
        engine = open_database(self.url)
        rows = queries.table_rows(engine, tables.spectrum, queries.find_run(engine, "last").run_id)
        engine.dispose()
        names = ("spectrum_count", "step_count", "complete", "repeat_of")
        return [(*(row[name] for name in names), bool(row["objection"])) for row in rows]


def test_a_spectrum_that_is_refused_is_measured_again_and_the_report_says_so(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path, most=2)
    session = lab.session()
    session.run()
    assert session.runs[0].state is RunState.FINISHED, session.runs[0].reason
    assert lab.spectra() == [(1, 1, True, None, True), (2, 1, True, 1, False)]
    engine = open_database(lab.url)
    run = queries.find_run(engine, "last")
    findings = evaluate(engine, run)
    first = judge_spectrum(engine, run, 1)  # whoever wants to look at it still can
    engine.dispose()
    assert [one.spectrum_count for one in findings.spectra] == [2]
    assert not first["kramers_kronig"]["valid"]
    told = [message for _, kind, message in findings.events if kind == "invalid spectrum"]
    assert len(told) == 1
    assert "Kramers-Kronig residual" in told[0]
    assert told[0].endswith("measured again, 1 of 2")
    (left_out,) = [message for _, kind, message in findings.events if kind == "left out"]
    assert left_out.startswith(
        "spectrum 1 is left out: it was measured again as spectrum 2; Kramers"
    )


def test_one_that_is_not_to_be_repeated_stands_flagged(tmp_path: Path) -> None:
    lab = Lab(tmp_path, most=0)
    lab.session().run()
    assert lab.spectra() == [(1, 1, True, None, True)]
    engine = open_database(lab.url)
    findings = evaluate(engine, queries.find_run(engine, "last"))
    engine.dispose()
    (only,) = findings.spectra
    assert EIS_KK in [note.code for note in only.flags]


def test_a_run_that_stops_in_the_repetition_takes_it_up_again_and_no_other(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path, most=1)
    session = lab.session()

    def stop_in_the_repetition() -> None:
        run = session.runs[0]
        if run.cursor.place.spectrum_repeats == 1 and run.log.spectrum.own_points:
            session.stop("power cut")

    session.run(stop_in_the_repetition)
    assert session.runs[0].state is RunState.PAUSED
    engine = open_database(lab.url)
    again = resume_job(queries.find_run(engine, "last"), lab.bench, engine)
    engine.dispose()
    session = lab.session(again)
    session.run()
    assert session.runs[0].state is RunState.FINISHED
    first, begun, whole = lab.spectra()
    assert first == (1, 1, True, None, True)
    assert begun == (2, 1, False, 1, False)
    assert whole[:4] == (3, 2, True, 1)
    engine = open_database(lab.url)
    findings = evaluate(engine, queries.find_run(engine, "last"))
    engine.dispose()
    assert [one.spectrum_count for one in findings.spectra] == [3]
