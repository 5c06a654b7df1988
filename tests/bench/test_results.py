"""Results are kept beside the data they came from, once per method and inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.evaluation import evaluate
from rig.bench.file import load_bench
from rig.bench.results import keep_results
from rig.bench.simulated_truth import truth_of
from rig.bench.starting import Job, start
from rig.protocol import loads_protocol
from rig.store import queries, tables
from rig.store.database import open_database

PROTOCOL = """\
protocol: 1
name: Four temperatures
cell: {area: 0.785 cm^2, thickness: 0.5 mm}
safety: {voltage: [-1 V, 1 V], current: 20 mA, temperature: [-30 degC, 80 degC], check_every: 60 s}
steps:
  - for_each: {temperature: [0 degC, 20 degC, 40 degC, 60 degC]}
    steps:
      - set_temperature: {to: $temperature, within: 0.5 K, soak: 2 h, timeout: 6 h}
      - eis: {from: 1 MHz, to: 1 Hz, points_per_decade: 5, amplitude: 10 mV}
"""


def test_a_run_gives_results_with_flags_and_a_second_report_changes_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rig.db'}"
    bench = load_bench("sim")
    job = Job(loads_protocol(PROTOCOL), "four.yaml", bench.channels["P2"])
    session = start([job], bench, database=url)
    session.run()
    engine = open_database(url)
    record = queries.find_run(engine, "last")
    for _ in range(2):
        findings = evaluate(engine, record, truth_of(record))
        keep_results(engine, findings)
    rows = {row["method"]: row for row in queries.table_rows(engine, tables.result, record.run_id)}
    engine.dispose()
    assert set(rows) == {quantity.key for quantity in findings.quantities}
    assert len(rows) == 4
    energy = rows["activation_energy_electronvolt"]
    assert energy["values"]["value"] == pytest.approx(0.35, abs=0.01)
    assert energy["values"]["unit"] == "eV"
    assert {note["code"] for note in energy["flags"]} >= {"ARR-FEW"}
