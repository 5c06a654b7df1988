"""kill -9 in the middle of a run, then --resume: every sample exactly once, counters continue."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from rig.bench.file import load_bench
from rig.bench.serving import bench_for, serve_simulated
from rig.engine.cursor import from_json
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.samples import sample_frame

PROTOCOL = """\
protocol: 1
name: Short cycling
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 3C, temperature: [15 degC, 35 degC], check_every: 10 s}
record: {every: 10 s}
steps:
  - set_temperature: {to: 25 degC, within: 1 K, soak: 5 min, timeout: 3 h}
  - repeat: $cycles
    steps:
      - cccv: {at: 1C, to: 4.2 V, until: C/5, for: 2 h}
      - rest: {for: 5 min}
      - discharge: {at: 1C, until: 3.0 V}
variables: {cycles: 6}
"""


def rig(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rig", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, out + err
    return out


def wait_for_samples(folder: Path, process: subprocess.Popen[str], count: int) -> None:
    """Return once so many samples are acknowledged: what the outside world can know."""
    pause = threading.Event()
    path = folder / "rig.db"
    while process.poll() is None:
        if path.exists() and samples_in(path) >= count:
            return
        pause.wait(0.02)
    raise AssertionError(f"the run was over too soon: {process.communicate()}")


def samples_in(path: Path) -> int:
    """Count what is committed, from outside and without touching the file."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            query = "SELECT (SELECT count(*) FROM sample) + (SELECT count(*) FROM spool)"
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # the tables are not there yet


def stored(folder: Path) -> tuple[Engine, queries.RunRecord, pd.DataFrame]:
    engine = open_database(f"sqlite:///{folder / 'rig.db'}")
    forward(engine)
    (record,) = queries.list_runs(engine)
    return engine, record, sample_frame(engine, record.run_id)


def kill_when(folder: Path, process: subprocess.Popen[str], count: int) -> None:
    wait_for_samples(folder, process, count)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def assert_consistent(folder: Path) -> pd.DataFrame:
    """Cursor and samples agree, numbers have no gap, counters never fall."""
    engine, record, samples = stored(folder)
    cursor_text = queries.load_cursor(engine, record.run_id)
    assert cursor_text is not None
    assert from_json(cursor_text[0]).progress.seq == len(samples)
    assert samples["seq"].tolist() == list(range(len(samples)))
    for counter in ("charging_capacity_ah", "discharging_capacity_ah", "test_time_second", "ts_us"):
        assert samples[counter].is_monotonic_increasing, counter
    engine.dispose()
    return samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "short.yaml").write_text(PROTOCOL, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_a_rehearsal_that_was_killed_three_times_ends_as_if_nothing_had_happened(
    folder: Path,
) -> None:
    undisturbed = folder / "undisturbed"
    undisturbed.mkdir()
    finish(rig(undisturbed, "run", str(folder / "short.yaml"), "--channel", "C1"))
    whole = assert_consistent(undisturbed)

    process = rig(folder, "run", "short.yaml", "--channel", "C1", "--speed", "20000")
    for count in (300, 1200, 2500):
        kill_when(folder, process, count)
        assert len(assert_consistent(folder)) >= count, "an acknowledged sample is gone"
        process = rig(folder, "run", "--resume", "last", "--speed", "20000")
    finish(process)
    samples = assert_consistent(folder)
    for counter in ("charging_capacity_ah", "discharging_capacity_ah"):
        assert samples[counter].iloc[-1] == pytest.approx(whole[counter].iloc[-1], rel=0.005)
    assert samples["cycle_count"].max() == 6


@pytest.fixture
def served(folder: Path) -> Iterator[Path]:
    bench = load_bench("sim")
    with serve_simulated(bench, speed=2000.0, faults=[], seed=1) as addresses:
        text = bench_for(bench, addresses, 2000.0)
        (folder / "bench.yaml").write_text(text, encoding="utf-8")
        yield folder


@pytest.mark.slow
def test_a_run_over_real_sockets_and_ptys_survives_kill_9(served: Path) -> None:
    words = ("run", "short.yaml", "--channel", "C1", "--bench", "bench.yaml", "--set", "cycles=2")
    process = rig(served, *words)
    kill_when(served, process, 150)
    before = assert_consistent(served)
    finish(rig(served, "run", "--resume", "last", "--bench", "bench.yaml"))
    after = assert_consistent(served)
    assert len(after) > len(before)
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before)
    engine, record, _ = stored(served)
    assert record.state == "finished"
    events = queries.table_rows(engine, tables.event, record.run_id)
    assert any(event["kind"] == "resumed" for event in events), "the gap is not recorded"
    engine.dispose()


@pytest.mark.slow
def test_ctrl_c_disconnects_and_the_run_goes_on_later(served: Path) -> None:
    process = rig(
        served, "run", "short.yaml", "--channel", "C1", "--bench", "bench.yaml", "--set", "cycles=1"
    )
    wait_for_samples(served, process, 60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "paused: Ctrl-C" in out
    assert "Traceback" not in err
    finish(rig(served, "run", "--resume", "last", "--bench", "bench.yaml"))
    assert_consistent(served)


@pytest.mark.slow
def test_every_interrupted_run_is_found_and_taken_up_and_only_those(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(
        PROTOCOL.replace("steps:", "on_gap: pause\nsteps:", 1), encoding="utf-8"
    )
    ended = rig(tmp_path, "run", "short.yaml", "--channel", "P1", "--set", "cycles=1")
    ended.communicate(timeout=100)
    process = rig(tmp_path, "run", "short.yaml", "--channel", "C1,C2", "--speed", "200")
    wait_for_samples(tmp_path, process, 20)
    process.kill()
    process.communicate()
    again = rig(tmp_path, "run", "--resume", "interrupted", "--speed", "max", "--json")
    out, _ = again.communicate(timeout=100)
    assert again.returncode == 1, out
    runs = json.loads(out)["runs"]
    assert {(run["channel"], run["state"]) for run in runs} == {("C1", "paused"), ("C2", "paused")}
    nothing = rig(tmp_path, "run", "--resume", "interrupted")
    _, complaint = nothing.communicate(timeout=100)
    assert nothing.returncode == 2
    assert "no run that was interrupted" in complaint
