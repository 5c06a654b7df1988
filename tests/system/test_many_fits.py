"""500 fits by processes of this computer and by a Dask cluster, of which a worker is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.bench.many import store_with_fading_runs
from tests.postgres import wait_until

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'cellrig[dask]'")

RUNS = 500


def rig(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from rig.cli.main import run; run()", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict[str, object]:
    out, error = process.communicate(timeout=600)
    assert process.returncode == 0, error
    found: dict[str, object] = json.loads(out)
    return found


@contextmanager
def dask(folder: Path, *words: str) -> Iterator[psutil.Process]:
    file = str(folder / "scheduler.json")
    with (folder / f"{words[0]}.log").open("w") as log:
        command = [sys.executable, "-m", "dask", *words, "--scheduler-file", file, "--no-dashboard"]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def busiest(nanny: psutil.Process) -> psutil.Process:
    return max(nanny.children(recursive=True), key=lambda child: child.cpu_times().user)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_cluster_that_loses_a_worker_finds_for_500_runs_what_processes_find(tmp_path):
    store_with_fading_runs(tmp_path / "lab.db", RUNS).dispose()
    words = ("analyse", "fade", "--db", f"sqlite:///{tmp_path / 'lab.db'}", "--json")
    here = finished(rig(*words, "--workers", "2"))
    workers = ("worker", "--nworkers", "2", "--nthreads", "1", "--host", "127.0.0.1")
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", "0")
    with dask(tmp_path, *scheduler), dask(tmp_path, *workers) as nanny:
        file = tmp_path / "scheduler.json"
        wait_until(lambda: file.exists() and len(nanny.children(recursive=True)) >= 2)
        address = json.loads(file.read_text())["address"]
        going = rig(*words, "--dask", address)
        before = busiest(nanny).cpu_times().user
        wait_until(lambda: busiest(nanny).cpu_times().user > before + 2.5)
        busiest(nanny).kill()
        there = finished(going)
    assert here["n"] == there["n"] == RUNS
    assert here["failed"] == there["failed"] == 0
    assert there["runs"] == here["runs"]
