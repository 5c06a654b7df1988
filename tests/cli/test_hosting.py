"""``rig engine`` in a process of its own and ``rig start``, ``resume`` and ``stop`` beside it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import PROTOCOL, refused, rig

LONG = PROTOCOL.replace("{pause: 2 min}", "{pause: 300 h}")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="SIGTERM ends nothing politely there"
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    (tmp_path / "p.yaml").write_text(LONG, encoding="utf-8")
    return f"sqlite:///{tmp_path / 'rig.db'}"


@pytest.fixture
def engine(tmp_path: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "rig", "engine", "--bench", "sim", "--db", url]
    process = subprocess.Popen(
        [*command, "--speed", "50"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "engine, process" in process.stderr.readline()
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def state(url: str, run_id: str) -> str:
    return str(rig("runs", "show", run_id, "--db", url, "--json").json()["state"])


def test_an_engine_takes_runs_answers_and_leaves_them_to_be_resumed(
    tmp_path: Path, url: str, engine: subprocess.Popen[str]
) -> None:
    words = ("start", tmp_path / "p.yaml", "--channel", "C1,C2", "--db", url)
    begun = rig(*words, "--reason", "night", "--json")
    assert begun.code == 0, begun
    first, second = (run["run_id"] for run in begun.json()["runs"])
    assert "is busy" in refused(*words)
    assert rig("stop", "C2", "--db", url).code == 0
    assert state(url, second) == "stopped"
    assert rig("resume", "C2", "--db", url).code == 0
    assert state(url, second) in {"starting", "running"}
    engine.send_signal(signal.SIGTERM)
    _, said = engine.communicate(timeout=60)
    assert engine.returncode == 0
    assert "paused: SIGTERM" in said
    assert "Traceback" not in said
    assert [state(url, run_id) for run_id in (first, second)] == ["paused"] * 2


def test_without_an_engine_a_start_says_how_to_begin_one(tmp_path: Path, url: str) -> None:
    rig("run", tmp_path / "p.yaml", "--set", "pause=1 min", "--channel", "C1", "--db", url)
    complaint = refused("start", tmp_path / "p.yaml", "--db", url)
    assert "no engine takes new runs" in complaint
    assert "rig engine" in complaint
