"""A handful of each kind of kill, by the program that does hundreds: see benchmarks/kill.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "kill.py"
SHORT = ("--speed", "1500", "--cycles", "1", "--minutes", "5", "--longest", "1", "--seed", "3")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="what a kill met is read from /proc"),
    pytest.mark.timeout(300),
]


def killed(**counts: int) -> list[dict[str, Any]]:
    """Return what the program says of each kind; it says so when it has found anything wrong."""
    words = [
        word
        for kind, count in counts.items()
        for word in (f"--{kind.replace('_', '-')}", str(count))
    ]
    command = [sys.executable, str(PROGRAM), *words, *SHORT, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    parts = [dict(part) for part in json.loads(done.stdout)["parts"] if part["kills"]]
    assert [part["wrong"] for part in parts] == [[] for _ in parts]
    assert done.returncode == 0, done.stderr
    return parts


def test_over_sockets_and_ptys_engine_and_simulators_are_killed_and_no_sample_is_lost() -> None:
    engine, simulator = killed(engine=2, simulator=1, rehearsal=0, power_cut=0)
    assert (engine["kills"], simulator["kills"]) == (2, 1)


def test_a_kill_or_power_cut_in_a_rehearsal_changes_no_capacity() -> None:
    """Three power cuts: one for each thing that may become of the log's unsynced end."""
    rehearsal, power_cut = killed(engine=0, simulator=0, rehearsal=1, power_cut=3)
    assert (rehearsal["kills"], power_cut["kills"]) == (1, 3)
    assert max(part["capacity_deviation"] for part in (rehearsal, power_cut)) < 1e-3
