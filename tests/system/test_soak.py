"""Nothing grows while a run goes on: memory, threads, open files; the long version is benchmarks/soak.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "soak.py"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


def test_memory_threads_and_files_stay_as_they_are() -> None:
    """A process of its own: what other tests have left in this one does not count."""
    command = [sys.executable, str(PROGRAM), "--channels", "8", "--cycles", "400", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["growth_20_to_100_percent"] < 1.1
    for what in ("threads", "files"):
        begin, most, end = told[what]
        assert end <= begin, what
        assert most <= begin + 1, what
