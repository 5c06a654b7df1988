"""A pellet with a thermocouple on it, over the real bytes: soaked by its own temperature, evaluated at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.analysis.flags import ARR_TSAMPLE
from rig.bench.evaluation import evaluate
from rig.bench.file import parse_bench
from rig.bench.run_tables import run_table
from rig.bench.starting import Job, start
from rig.core.records import RunState
from rig.protocol import loads_protocol
from rig.store import queries, tables
from rig.store.database import open_database

BENCH = """bench: 1
instruments:
  pstat: {driver: palmsens.methodscript, connect: sim}
  oven: {driver: espec.p300, connect: sim}
  press: {driver: mark10.series5, connect: sim, every: 30 s, options: {area: 78.5 mm^2}}
  daq:
    driver: keithley.daq6510
    connect: sim
    every: 30 s
    options: {interval: 10 s, channels: {101: thermocouple K}}
channels:
  P1:
    cell: pstat
    impedance: pstat
    chamber: oven
    temperature: daq/101
    pressure: press
    leads: 0.2 ohm
    simulate: {cell: blocking_pellet, material: Li6PS5Cl, area: 0.785 cm^2, thickness: 0.5 mm}
"""
PROTOCOL = """protocol: 1
name: Arrhenius by the sample's own temperature
cell: {area: 0.785 cm^2, thickness: 0.5 mm, symmetric: false}
safety: {voltage: [-1 V, 1 V], current: 20 mA, pressure: [1 MPa, 12 MPa], check_every: 30 s}
record: {every: 60 s}
steps:
  - for_each: {temperature: [25 degC, 40 degC, 60 degC]}
    steps:
      - set_temperature: {to: $temperature, within: 0.5 K, soak: 10 min, timeout: 6 h}
      - eis: {from: 1 MHz, to: 100 Hz, points_per_decade: 5, amplitude: 10 mV}
"""


def test_a_pellet_is_soaked_and_evaluated_by_its_own_temperature(tmp_path: Path) -> None:
    bench = parse_bench(BENCH, "pellet.yaml")
    job = Job(loads_protocol(PROTOCOL), "arrhenius.yaml", bench.channels["P1"])
    session = start([job], bench, database=f"sqlite:///{tmp_path / 'rig.db'}")
    session.run()
    (run,) = session.runs
    assert run.state is RunState.FINISHED, run.reason
    engine = open_database(f"sqlite:///{tmp_path / 'rig.db'}")
    record = queries.find_run(engine, "last")
    spectra = queries.table_rows(engine, tables.spectrum, record.run_id)
    for row, wanted in zip(spectra, (25.0, 40.0, 60.0), strict=True):
        assert row["surface_temperature_celsius"] == pytest.approx(wanted, abs=0.5)
        assert 1e6 < row["applied_pressure_pa"] < 12e6
    findings = evaluate(engine, record)
    table = run_table(engine, record, "arrhenius")
    engine.dispose()
    assert findings.pellet is not None
    assert findings.pellet.of_sample
    assert ARR_TSAMPLE not in {note.code for note in findings.flags}
    energy = next(q for q in findings.quantities if q.key == "activation_energy_electronvolt")
    assert energy.value == pytest.approx(0.35, abs=0.004)
    assert "surface_temperature_celsius" in table
    assert record.values["bench"]["sensors"]["P1"]["pressure"]["unit"] == "pascal"
    assert set(findings.identities) == {"pstat", "oven", "press", "daq"}
