"""The engine in a process of its own: asked, killed, begun again; no sample lost, no cell connected."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rig.bench.engine_process import EngineProcess, start_engine_process
from rig.bench.file import load_bench
from rig.bench.serving import bench_for, serve_simulated
from rig.bench.wiring import port_of
from rig.store import queries, tables
from rig.store.database import open_database
from rig.store.samples import samples
from tests.cli.commands import rig
from tests.system.test_watchdog import until

PROTOCOL = """protocol: 1
name: a cycle
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
record: {every: 10 s}
steps:
  - charge: {at: 1C, until: 4.2 V, for: 20 min}
  - rest: {for: 20 min}
  - discharge: {at: 1C, until: 2.8 V, for: 20 min}
"""
SPEED = 200.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Path]:
    """The built-in bench on real sockets and pseudo terminals, in this process."""
    sim = load_bench("sim")
    with serve_simulated(sim, speed=SPEED, faults=[], seed=1) as addresses:
        path = tmp_path / "bench.yaml"
        path.write_text(bench_for(sim, addresses, SPEED), encoding="utf-8")
        yield path


@pytest.fixture
def engine(tmp_path: Path, bench: Path) -> Iterator[EngineProcess]:
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    process = start_engine_process(str(bench), f"sqlite:///{tmp_path / 'rig.db'}")
    try:
        yield process
    finally:
        assert process.stop(), "it was asked to end"


def start(engine: EngineProcess, folder: Path, channel: str) -> str:
    words = ("start", folder / "p.yaml", "--channel", channel, "--db", engine.database)
    outcome = rig(*words, "--json")
    assert outcome.code == 0, outcome
    (run,) = outcome.json()["runs"]
    assert run["outcome"] == "done", run
    return str(run["run_id"])


def output_is_on(bench: Path, channel: str) -> bool | None:
    """Ask the served source meter itself; None while another client, its only one, has it."""
    spec = load_bench(str(bench))
    name = spec.channels[channel].instruments["cell"]
    host, port = str(port_of(spec.instruments[name].connect)).rsplit(":", 1)
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0) as line:
        line.sendall(b":OUTP?\n")
        return {b"1": True, b"0": False}.get(line.recv(16).strip())
    return None


class Seen:
    """What the database shows of runs, from outside."""

    def __init__(self, url: str, *run_ids: str) -> None:
        self._engine, self._ids = open_database(url), run_ids

    def states(self) -> list[str]:
        return [queries.find_run(self._engine, run_id).state for run_id in self._ids]

    def sample_counts(self) -> list[int]:
        return [samples(self._engine, run_id).num_rows for run_id in self._ids]

    def last_currents_ampere(self) -> list[float]:
        frames = [samples(self._engine, run_id).to_pandas() for run_id in self._ids]
        return [float(frame["current_ampere"].iloc[-1]) for frame in frames]

    def events(self, kind: str) -> list[int]:
        tables_of = (queries.table_rows(self._engine, tables.event, i) for i in self._ids)
        return [sum(row["kind"] == kind for row in rows) for rows in tables_of]

    def have_no_gap(self) -> bool:
        frames = [samples(self._engine, run_id).to_pandas() for run_id in self._ids]
        return all(frame["seq"].tolist() == list(range(len(frame))) for frame in frames)

    def close(self) -> None:
        self._engine.dispose()


def test_a_host_that_is_killed_under_two_runs_is_begun_again_and_both_finish(
    tmp_path: Path, engine: EngineProcess, bench: Path
) -> None:
    seen = Seen(engine.database, start(engine, tmp_path, "C1"), start(engine, tmp_path, "C2"))
    until(lambda: min(seen.sample_counts()) > 20, "samples of both")
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not engine.alive, "its end")
    before = seen.sample_counts()
    assert min(seen.last_currents_ampere()) > 1e-3, "both cells were being charged"
    for channel in ("C1", "C2"):
        until(lambda at=channel: output_is_on(bench, at) is False, f"{channel} disconnected")
    until(engine.look, "another engine")
    assert engine.pid != pid
    until(lambda: seen.states() == ["finished"] * 2, "both finished")
    assert seen.have_no_gap()
    assert all(now > then for now, then in zip(seen.sample_counts(), before, strict=True))
    assert seen.events("gap") == [1, 1]
    assert all(count >= 2 for count in seen.events("watchdog"))
    seen.close()


def test_a_polite_end_leaves_the_runs_to_be_resumed_through_the_next_engine(
    tmp_path: Path, engine: EngineProcess
) -> None:
    seen = Seen(engine.database, start(engine, tmp_path, "C1"))
    until(lambda: min(seen.sample_counts()) > 20, "samples")
    assert engine.stop()
    assert seen.states() == ["paused"]
    engine.start()
    outcome = rig("resume", "C1", "--db", engine.database, "--json")
    assert outcome.json()["outcome"] == "done", outcome
    until(lambda: seen.states() == ["finished"], "its end")
    assert seen.have_no_gap()
    seen.close()
