"""The watchdog, for real: an engine that is killed, stopped or hangs leaves no cell connected.

The instruments are simulated in this process, behind real sockets and pseudo terminals; ``rig run``
and its watchdog are processes of their own. Whether the output is off is asked of the instrument.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from rig.bench.file import load_bench
from rig.bench.instruments import open_bench
from rig.bench.serving import bench_for, serve_simulated
from rig.core.clock import RealClock
from rig.core.instruments import Chamber
from rig.wire import open_link
from tests.cli.served import Overheard, bench_at, served, source_meter_front

PROTOCOL = """\
protocol: 1
name: Long charge
cell: {capacity: 2 mAh}
safety: {voltage: [2.5 V, 4.3 V], current: 10 mA}
record: {every: 10 s}
steps:
  - charge: {at: C/10, until: 4.25 V, for: $long}
variables: {long: 10 h}
"""
AT_25 = PROTOCOL.replace("steps:", "steps:\n  - set_temperature: {to: 25 degC, soak: 1 min}")
PATIENCE_SECOND = 120.0  # of a machine that does much else


def until(condition: Callable[[], object], what: str) -> None:
    """Return as soon as the condition holds; a test that waits in vain says for what."""
    clock, pause = RealClock(), threading.Event()
    deadline = clock.now() + PATIENCE_SECOND
    while not condition():
        assert clock.now() < deadline, f"waited in vain: {what}"
        pause.wait(0.02)


class Engine:
    """``rig run`` in a process and a folder of its own, and what its database shows from outside."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._path = folder / "rig.db"
        self._begin([sys.executable, "-m", "rig", *words], folder)

    def _begin(self, command: list[str], folder: Path) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)

    def rows(self, query: str) -> list[tuple[str, ...]]:
        with contextlib.suppress(sqlite3.OperationalError):  # the tables are not there yet
            uri = f"file:{self._path}?mode=ro"
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
                return connection.execute(query).fetchall()
        return []

    def events(self, kind: str) -> list[str]:
        query = f"SELECT message FROM event WHERE kind = '{kind}' ORDER BY event_id"
        return [message for (message,) in self.rows(query)]

    def charges(self) -> bool:
        """Say whether samples of the charge are acknowledged: the cell is connected."""
        query = "SELECT 1 FROM {} WHERE current_ampere > 1e-5"
        return bool(self.rows(query.format("spool")) or self.rows(query.format("sample")))

    def wait_until_it_charges(self) -> None:
        until(lambda: self.charges() or self.process.poll() is not None, "samples")
        assert self.process.poll() is None, self.process.communicate()

    @property
    def watchdogs(self) -> list[int]:
        """The process numbers of its watchdogs, in order."""
        found = [re.match(r"process (\d+)", message) for message in self.events("watchdog")]
        return [int(match[1]) for match in found if match]

    def end(self) -> str:
        """Return what it wrote to the terminal once it and its watchdog have gone."""
        out, err = self.process.communicate(timeout=PATIENCE_SECOND)
        assert "Traceback" not in err
        return out + err


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    return tmp_path


class Watched(Overheard):
    """Knows when its output was last switched off, in real seconds; hears nothing when ``deaf``."""

    def __init__(self) -> None:
        super().__init__(source_meter_front())
        self._clock, self.off_second, self.deaf = RealClock(), 0.0, False

    def receive(self, data: bytes, now_second: float) -> None:
        if self.deaf:
            return
        if b"OUTP OFF" in data:
            self.off_second = self._clock.now()
        super().receive(data, now_second)

    def now(self) -> float:
        return self._clock.now()

    @property
    def is_on(self) -> bool:
        return self.heard.rfind(b"OUTP ON") > self.heard.rfind(b"OUTP OFF")


@pytest.fixture
def smu(folder: Path) -> Iterator[Watched]:
    """A source meter on a full cell, served, and a bench file for it."""
    front = Watched()
    with served({"smu-1": front}) as addresses:
        bench = bench_at(folder, addresses["smu-1"])
        bench.write_text(bench.read_text() + "watchdog: 3 s\n", encoding="utf-8")
        yield front


def assert_off(folder: Path, name: str = "smu-1") -> None:
    """Ask the source meter itself, over a connection of our own."""
    connect = load_bench(str(folder / "bench.yaml")).instruments[name].connect
    with contextlib.closing(open_link(connect, b"\n", None)) as link:
        link.write(b":OUTP?\n")
        assert link.read_until(b"\n", 5.0).strip() == b"0"


def assert_in_standby(folder: Path, name: str) -> None:
    bench = load_bench(str(folder / "bench.yaml"))
    with contextlib.closing(open_bench(bench, RealClock(bench.speed or 1.0), [name])) as opened:
        assert not cast(Chamber, opened.drivers[name]).read_temperature().running


# --- the engine dies or hangs --------------------------------------------------------------------


def test_kill_9_disconnects_every_instrument_and_the_run_goes_on_later(folder: Path) -> None:
    (folder / "p.yaml").write_text(AT_25, encoding="utf-8")
    built_in = load_bench("sim")
    with serve_simulated(built_in, speed=2000.0, faults=[], seed=1) as addresses:
        text = bench_for(built_in, addresses, 2000.0) + "watchdog: 3 s\n"
        (folder / "bench.yaml").write_text(text, encoding="utf-8")
        engine = Engine(folder, "run", "p.yaml", "--bench", "bench.yaml", "--channel", "C1")
        engine.wait_until_it_charges()
        engine.process.kill()
        said = engine.end()
        expected = "channel C1: the engine died; made safe: chamber-c, pstat-c1, smu-c1"
        assert f"rig: watchdog: {expected}" in said
        assert engine.events("watchdog")[1:] == [expected]
        assert_off(folder, "smu-c1")
        assert_in_standby(folder, "chamber-c")
        words = ("run", "--resume", "last", "--bench", "bench.yaml")
        again = Engine(folder, *words)
        until(lambda: len(again.watchdogs) == 2, "the resumed run")
        again.process.send_signal(signal.SIGINT)
        assert "paused: Ctrl-C" in again.end()
        assert all(is_gone(pid) for pid in again.watchdogs)


def test_an_engine_that_is_stopped_is_killed_and_its_cell_disconnected(
    folder: Path, smu: Watched
) -> None:
    engine = Engine(folder, "run", "p.yaml", "--bench", "bench.yaml")
    engine.wait_until_it_charges()
    assert smu.is_on
    began = smu.now()
    engine.process.send_signal(signal.SIGSTOP)
    said = engine.end()
    assert engine.process.returncode == -signal.SIGKILL
    assert "the engine hung: no sign of life for 3 s; made safe: smu-1" in said
    assert 2.0 < smu.off_second - began < 10.0
    assert not smu.is_on
    assert_off(folder)


def test_kill_9_takes_the_watchdog_no_longer_than_a_connection(folder: Path, smu: Watched) -> None:
    engine = Engine(folder, "run", "p.yaml", "--bench", "bench.yaml")
    engine.wait_until_it_charges()
    assert smu.is_on
    began = smu.now()
    engine.process.kill()
    engine.end()
    assert 0.0 < smu.off_second - began < 5.0
    assert_off(folder)


HANGING = """
import threading
from rig.bench.file import load_bench
from rig.bench.starting import Job, start
from rig.protocol import load_protocol

class Hanging:
    "A port whose read comes back only while the cell is not charged."
    def __init__(self, inner):
        self._inner, self._charged = inner, 0
        self.name = inner.name
    def write(self, data):
        self._charged += b"OUTP ON" in data or bool(self._charged)
        self._inner.write(data)
    def read_until(self, terminator, timeout_second):
        if self._charged > 100:
            threading.Event().wait()
        return self._inner.read_until(terminator, timeout_second)
    def read_exactly(self, count, timeout_second):
        return self._inner.read_exactly(count, timeout_second)
    def close(self):
        self._inner.close()

bench = load_bench("bench.yaml")
job = Job(load_protocol("p.yaml"), "p.yaml", bench.channels["A1"])
wrap = lambda _name, link, _clock: Hanging(link)
start([job], bench, database="sqlite:///rig.db", wrap=wrap).run()
"""


class HangingEngine(Engine):
    """An engine with a driver call that never returns, whatever its timeout says."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rig.db"
        self._begin([sys.executable, "-c", HANGING], folder)


@pytest.mark.slow
def test_an_engine_whose_port_never_answers_is_killed_though_its_loop_turns(
    folder: Path, smu: Watched
) -> None:
    engine = HangingEngine(folder)
    said = engine.end()
    assert engine.process.returncode == -signal.SIGKILL
    assert re.search(r"the engine hung: smu-1 is overdue by \d+ s; made safe: smu-1", said), said
    assert smu.was_switched_on
    assert not smu.is_on
    assert_off(folder)


@pytest.mark.slow
def test_what_the_engine_could_not_confirm_the_watchdog_goes_on_trying(
    folder: Path, smu: Watched
) -> None:
    bench = folder / "bench.yaml"
    text = bench.read_text(encoding="utf-8")
    bench.write_text(text.replace("smu-1}", "smu-1, on_link_loss: safe}"), encoding="utf-8")
    engine = Engine(folder, "run", "p.yaml", "--bench", "bench.yaml")
    engine.wait_until_it_charges()
    smu.deaf = True
    engine.process.wait(PATIENCE_SECOND)
    assert smu.is_on
    smu.deaf = False
    said = engine.end()
    assert "rig: ALARM: channel A1, smu-1: nobody could confirm" in said
    why = "the engine ended, and not every cell was confirmed disconnected"
    assert f"{why}; made safe: smu-1" in said
    assert not smu.is_on
    assert_off(folder)


# --- nothing to do -------------------------------------------------------------------------------


@pytest.mark.slow
def test_after_a_normal_end_no_watchdog_is_left_and_it_has_touched_nothing(
    folder: Path, smu: Watched
) -> None:
    words = ("run", "p.yaml", "--bench", "bench.yaml", "--set", "long=10 min")
    engine = Engine(folder, *words)
    said = engine.end()
    assert engine.process.returncode == 0, said
    assert "watchdog" not in said
    (pid,) = engine.watchdogs
    assert len(engine.events("watchdog")) == 1
    assert is_gone(pid)
    assert smu.heard.count(b"*IDN?") == 1, "somebody else has been there"
    assert engine.events("alarm") == []


@pytest.mark.slow
def test_a_watchdog_that_dies_is_replaced_once_then_nobody_watches_and_ctrl_c_still_works(
    folder: Path, smu: Watched
) -> None:
    engine = Engine(folder, "run", "p.yaml", "--bench", "bench.yaml")
    engine.wait_until_it_charges()
    until(lambda: len(engine.watchdogs) == 1, "the first watchdog")
    os.kill(engine.watchdogs[0], signal.SIGKILL)
    until(lambda: len(engine.watchdogs) == 2, "the second watchdog")
    (alarm,) = engine.events("alarm")
    assert alarm == f"the watchdog (process {engine.watchdogs[0]}) has died"
    os.kill(engine.watchdogs[1], signal.SIGKILL)
    until(lambda: len(engine.events("alarm")) == 2, "the second alarm")
    assert "nobody disconnects the cells any more" in engine.events("alarm")[1]
    engine.process.send_signal(signal.SIGINT)
    said = engine.end()
    assert "paused: Ctrl-C" in said
    assert said.count("rig: ALARM: the watchdog") == 2
    assert all(is_gone(pid) for pid in engine.watchdogs)
    assert smu.heard.count(b"*IDN?") == 1
    assert_off(folder)
