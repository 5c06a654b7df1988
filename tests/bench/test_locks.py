"""One process to a channel and to an instrument, for as long as it lives and not a moment longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rig.bench.file import BenchFile, load_bench, parse_bench
from rig.bench.locks import lock_channels
from rig.bench.starting import Job, resume_job, start
from rig.core.errors import BadInput
from rig.protocol import loads_protocol
from rig.store import queries
from rig.store.database import open_database

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no flock on Windows")

SIM = load_bench("sim")
PROTOCOL = """protocol: 1
name: rest
cell: {area: 0.785 cm^2, capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
steps:
  - rest: {for: 1 min}
"""
HOLD = """
import sys
from rig.bench.file import load_bench
from rig.bench.locks import lock_channels
bench = load_bench("sim")
with lock_channels(bench, [bench.channels["C1"]], sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def job(channel: str = "C1") -> Job:
    return Job(loads_protocol(PROTOCOL), "p.yaml", SIM.channels[channel])


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'rig.db'}"


def real_bench(port: int, channels: str = "A1") -> BenchFile:
    text = (
        "bench: 1\ninstruments:\n"
        f'  smu-1: {{driver: keithley.smu2450, connect: "socket://127.0.0.1:{port}"}}\n'
        f"channels:\n  {channels}: {{cell: smu-1}}\n"
    )
    return parse_bench(text, "b.yaml")


def test_a_channel_that_runs_is_refused_to_everybody_else_until_it_is_over(tmp_path):
    first = start([job()], SIM, database=url_in(tmp_path))
    with pytest.raises(BadInput, match=r"channel C1.*another process is running it") as refusal:
        start([job()], SIM, database=url_in(tmp_path))
    assert "nothing was switched on" in refusal.value.remedy
    first.run()
    second = start([job()], SIM, database=url_in(tmp_path))
    second.run()
    assert second.runs[0].state.value == "finished"
    assert not list(tmp_path.glob("*.lock"))


def test_a_run_that_goes_on_cannot_be_resumed_beside_itself(tmp_path):
    first = start([job()], SIM, database=url_in(tmp_path))
    engine = open_database(url_in(tmp_path))
    again = resume_job(queries.find_run(engine, "last"), SIM, engine)
    with pytest.raises(BadInput, match="another process is running it"):
        start([again], SIM, database=url_in(tmp_path))
    first.run()
    with pytest.raises(BadInput, match="is finished: there is nothing to continue"):
        start([again], SIM, database=url_in(tmp_path))
    engine.dispose()
    assert not list(tmp_path.glob("*.lock"))


def test_another_channel_and_another_database_are_free(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with (
        lock_channels(SIM, [SIM.channels["C1"]], url_in(tmp_path)),
        lock_channels(SIM, [SIM.channels["C2"]], url_in(tmp_path)),
        lock_channels(SIM, [SIM.channels["C1"]], url_in(other)),
    ):
        assert len(list(tmp_path.glob("rig.db.*.lock"))) == 2


def test_one_busy_channel_of_several_gives_the_others_back(tmp_path):
    both = [SIM.channels["C1"], SIM.channels["C2"]]
    with lock_channels(SIM, both[1:], url_in(tmp_path)):
        with pytest.raises(BadInput, match="channel C2"):
            lock_channels(SIM, both, url_in(tmp_path))
        lock_channels(SIM, both[:1], url_in(tmp_path)).close()


@pytest.mark.parametrize("database", ["sqlite://", "sqlite:///:memory:", "rig.db"])
def test_without_a_file_there_is_nothing_to_lock(database):
    with (
        lock_channels(SIM, [SIM.channels["C1"]], database),
        lock_channels(SIM, [SIM.channels["C1"]], database),
    ):
        pass


def test_an_instrument_is_one_processs_whatever_the_channel_and_the_database(
    tmp_path, monkeypatch, unused_port
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    bench, other = real_bench(unused_port), real_bench(unused_port, "B7")
    with (
        lock_channels(bench, bench.channels.values(), "sqlite://"),
        pytest.raises(BadInput, match=rf"smu-1: another process has .*{unused_port} open"),
    ):
        lock_channels(other, other.channels.values(), url_in(tmp_path))
    lock_channels(other, other.channels.values(), url_in(tmp_path)).close()


@pytest.fixture
def unused_port() -> int:
    return 20_000 + os.getpid() % 20_000


def test_a_killed_process_leaves_no_lock(tmp_path):
    command = [sys.executable, "-c", HOLD, url_in(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BadInput, match="another process is running it"):
            start([job()], SIM, database=url_in(tmp_path))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / "rig.db.C1.lock").exists(), "a killed process cannot remove its file"
        start([job()], SIM, database=url_in(tmp_path)).run()
