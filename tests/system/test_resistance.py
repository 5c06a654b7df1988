"""A battery tester beside the cell's own instrument: its reading is a row, and only one drives the cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.file import parse_bench
from rig.bench.starting import Job, start
from rig.core.errors import BadInput
from rig.core.records import RunState
from rig.engine.runner import Run
from rig.protocol import loads_protocol
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.samples import sample_frame

BENCH = """\
bench: 1
instruments:
  supply: {driver: rohde_schwarz.ngm202, connect: sim}
  tester: {driver: hioki.bt3562, connect: sim}
channels:
  A1: {cell: supply, resistance: tester, simulate: {cell: full_cell, area: 1000 cm^2, STATE}}
"""
STATE = "state_of_charge: 50 %, lead_resistance: 5 mohm"
PROTOCOL = """\
protocol: 1
name: Incoming inspection
cell: {area: 1000 cm^2, capacity: 5 Ah}
safety: {voltage: [2.5 V, 4.3 V], current: 3C, check_every: 60 s}
steps:
  - resistance: {}
    tag: incoming
  - charge: {at: C/5, until: 4.2 V, for: 5 min}
  - rest: {for: 5 min}
  - resistance: {}
"""


def run_on(folder: Path, bench_text: str) -> tuple[Run, str]:
    bench = parse_bench(bench_text, "bench.yaml")
    url = f"sqlite:///{folder / 'rig.db'}"
    job = Job(loads_protocol(PROTOCOL), "inspection.yaml", bench.channels["A1"])
    session = start([job], bench, database=url)
    session.run()
    return session.runs[0], url


def test_each_reading_is_a_row_with_resistance_and_voltage(tmp_path: Path) -> None:
    run, url = run_on(tmp_path, BENCH.replace("STATE", STATE))
    assert run.state is RunState.FINISHED, run.reason
    engine = open_database(url)
    rows = queries.table_rows(engine, tables.resistance, run.run_id)
    samples = sample_frame(engine, run.run_id)
    engine.dispose()
    assert [row["step_count"] for row in rows] == [1, 4]
    assert [row["tag"] for row in rows] == ["incoming", ""]
    first, last = rows
    assert first["resistance_ohm"] == pytest.approx(last["resistance_ohm"], rel=0.02)
    assert 1e-4 < first["resistance_ohm"] < 1.0
    assert last["voltage_volt"] > first["voltage_volt"]  # charged in between
    own = samples[samples["step_count"] == 1]
    assert own["voltage_volt"].tolist() == [first["voltage_volt"]]
    assert own["current_ampere"].tolist() == [0.0]


def test_a_channel_without_a_tester_is_refused(tmp_path: Path) -> None:
    without = BENCH.replace("resistance: tester, ", "").replace("STATE", STATE)
    with pytest.raises(BadInput, match="needs a resistance, the channel has none"):
        run_on(tmp_path, without)
