"""What the watchdog makes of what it hears, in which order it acts, and what a hanging port is."""

from __future__ import annotations

import queue
from collections.abc import Iterable
from dataclasses import replace

import pytest

from rig.bench.file import load_bench, parse_bench
from rig.bench.instruments import open_bench
from rig.bench.port_times import OPENING_SECOND, PortTimes
from rig.bench.rescue import phases
from rig.bench.watchdog import (
    BEAT,
    DONE,
    DUTY,
    HUNG,
    OFF,
    UNCONFIRMED,
    Duty,
    Unwatched,
    Watchdog,
    watchdog_for,
)
from rig.bench.watchdog_process import DIED, ENDED, Reason, Words, reason_to_act
from rig.core.clock import SimulatedClock
from rig.core.instruments import Identity
from rig.core.link import Link
from rig.engine.schedule import Request

# --- what is heard -------------------------------------------------------------------------------


class Script(queue.SimpleQueue[bytes | None]):
    """Says one thing at each listening; "" is a tick of silence. Empty, it is silent for ever."""

    def __init__(self, *said: bytes | None) -> None:
        self.said = list(said)

    def get(self, block: bool = True, timeout: float | None = None) -> bytes | None:
        del block, timeout
        word = self.said.pop(0) if self.said else b""
        if word == b"":
            raise queue.Empty
        return word


SILENCE = Reason("the engine hung: no sign of life for 3 s", hangs=True)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], SILENCE),
        ([BEAT], SILENCE),
        ([BEAT, BEAT, DONE], None),
        ([DONE], None),
        ([None], DIED),
        ([BEAT, None], DIED),
        ([BEAT, UNCONFIRMED, None], ENDED),
        ([BEAT, b"", b"", BEAT, b"", b"", BEAT, b"", b"", DONE], None),
        ([BEAT, b"", b"", b"", BEAT, DONE], SILENCE),
        ([HUNG + b" smu-1 is late"], Reason("the engine hung: smu-1 is late", hangs=True)),
    ],
)
def test_only_a_word_that_all_is_over_lets_the_cells_be(said, reason):
    assert reason_to_act(Script(*said), after_second=3.0, tick_second=1.0) == reason


def test_silence_is_counted_on_a_real_queue_too():
    words: Words = queue.SimpleQueue()
    words.put(BEAT)
    assert reason_to_act(words, 0.03, tick_second=0.01) is not None


# --- what it knows, and in which order it acts ---------------------------------------------------

BENCH = """bench: 1
watchdog: 5 s
instruments:
  oven: {driver: espec.p300, connect: "serial:///dev/ttyUSB0"}
  mux: {driver: scpi.matrix, connect: "socket://10.0.0.1:5025"}
  pstat: {driver: palmsens.methodscript, connect: "serial:///dev/ttyUSB1"}
  smu-1: {driver: keithley.smu2450, connect: "socket://10.0.0.2:5025"}
  smu-2: {driver: keithley.smu2450, connect: "socket://10.0.0.3:5025"}
  meter: {driver: hioki.bt3562, connect: "serial:///dev/ttyUSB2"}
channels:
  A1: {cell: smu-1, impedance: pstat, multiplexer: mux/101, chamber: oven}
  A2: {cell: smu-2, impedance: pstat, multiplexer: mux/102, resistance: meter}
"""


def test_what_drives_cells_comes_first_then_the_scanner_then_what_drives_none():
    bench = parse_bench(BENCH, "b.yaml")
    assert phases(bench) == [["meter", "pstat", "smu-1", "smu-2"], ["mux"], ["oven"]]
    few = replace(bench, instruments={name: bench.instruments[name] for name in ("oven", "smu-2")})
    assert phases(few) == [["smu-2"], [], ["oven"]]


def test_a_duty_goes_through_the_pipe_as_one_line():
    bench = parse_bench(BENCH, "b.yaml")
    who = {"smu-1": Identity("KEITHLEY", "2450", "1", "2")}
    duty = Duty(bench, (("run", "A1"),), who, "sqlite:///rig.db", 1.0, 5.0)
    line = duty.encode()
    assert b"\n" not in line
    assert Duty.decode(line) == duty


def test_simulated_instruments_need_none_and_off_is_told_once():
    told: list[tuple[str, str]] = []
    simulated = open_bench(load_bench("sim"), SimulatedClock(), [])
    for bench, expected in [(simulated, []), (without_watchdog(), [("watchdog", OFF)])]:
        told.clear()
        watchdog = watchdog_for(bench, [("run", "A1")], "sqlite://", PortTimes())
        assert isinstance(watchdog, Unwatched)
        watchdog.begin(lambda kind, message: told.append((kind, message)))
        watchdog.beat([])
        watchdog.beat([])
        watchdog.done()
        watchdog.close()
        assert told == expected


def without_watchdog():
    bench = parse_bench(BENCH.replace("5 s", "off"), "b.yaml")
    return open_bench(bench, HandClock(), [])


def test_a_real_bench_is_watched_as_its_file_says():
    opened = open_bench(parse_bench(BENCH, "b.yaml"), HandClock(), [])
    assert isinstance(watchdog_for(opened, [("run", "A1")], "sqlite://", PortTimes()), Watchdog)


# --- what a hanging port is ----------------------------------------------------------------------


class HandClock:
    """Time that the test moves."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed, self.second = speed, 1000.0

    def now(self) -> float:
        return self.second

    def wall_us(self) -> int:
        return round(self.second * 1e6)

    def wait_until(self, deadline_second: float) -> None:
        self.second = max(self.second, deadline_second)


def due(*seconds: float, port: str = "smu-1") -> Iterable[Request]:
    return [Request(second, port, print) for second in seconds]


def test_what_is_not_due_yet_is_not_late_and_the_latest_counts():
    clock = HandClock()
    times = PortTimes(clock)
    assert times.latest([], clock) == (0.0, "")
    assert times.latest(due(1060.0), clock)[0] == -60.0
    assert times.latest([*due(998.0), *due(991.0, port="smu-2")], clock) == (9.0, "smu-2")
    assert times.latest([Request(993.0)], clock) == (7.0, "")


def test_lateness_is_real_time_whatever_the_speed_of_the_engine():
    clock, real = HandClock(speed=500.0), HandClock()
    assert PortTimes(real).latest(due(500.0), clock) == (1.0, "smu-1")


def test_a_port_that_was_told_how_long_it_may_take_is_late_only_after_that():
    clock = HandClock()
    times = PortTimes(clock)
    times.may_take("smu-1", 60.0)
    clock.second += 61.0
    assert times.latest(due(1000.0), clock) == (1.0, "smu-1")
    times.may_open("smu-1")
    clock.second += OPENING_SECOND
    assert times.latest(due(1000.0), clock) == (0.0, "smu-1")


class Slow:
    """A link on which every operation takes 4 s, and that looks how late it is meanwhile."""

    name = "slow"

    def __init__(self, clock: HandClock, times: PortTimes) -> None:
        self._clock, self._times = clock, times
        self.late: list[float] = []

    def _take(self) -> bytes:
        self._clock.second += 4.0
        self.late.append(self._times.latest(due(1000.0), self._clock)[0])
        return b"ok"

    def write(self, data: bytes) -> None:
        self._take()

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        return self._take()

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        return self._take()

    def close(self) -> None:
        self.late.clear()


def test_a_chain_of_operations_within_their_timeouts_is_no_hang_however_long():
    clock = HandClock()
    times = PortTimes(clock)
    slow = Slow(clock, times)
    link: Link = times.noting(lambda _name, inner, _clock: inner)("smu-1", slow, clock)
    assert link.name == "slow"
    for _ in range(20):
        link.write(b"x")
        assert link.read_until(b"\n", 10.0) == b"ok"
        assert link.read_exactly(2, 3.0) == b"ok"
    assert slow.late == [-1.0, -6.0, 1.0] * 20
    link.close()
    assert slow.late == []


# --- runs that come and go -----------------------------------------------------------------------


def test_a_new_duty_is_a_sign_of_life_and_what_is_done_is_the_latest():
    heard: list[bytes] = []
    script = Script(BEAT, b"", b"", DUTY + b"one", b"", b"", DUTY + b"two", None)
    assert reason_to_act(script, 3.0, 1.0, changed=heard.append) == DIED
    assert heard == [b"one", b"two"]


def test_a_watchdog_is_told_who_is_there_now_and_a_run_that_is_over_can_be_left_to_another():
    opened = open_bench(parse_bench(BENCH, "b.yaml"), HandClock(), [])
    watchdog = watchdog_for(opened, [], "sqlite://", PortTimes())
    assert isinstance(watchdog, Watchdog)
    watchdog.begin(lambda _kind, _message: None)
    opened.identities["smu-2"] = Identity("KEITHLEY", "2450", "1", "2")
    assert "disconnects the cells" in watchdog.cover(opened, [("run", "A2")])
    assert watchdog._duty.runs == (("run", "A2"),)
    assert list(watchdog._duty.bench.instruments) == ["smu-2"]
    opened.identities.clear()
    watchdog.cover(opened, [])
    assert watchdog._duty.bench.instruments == {}
    watchdog.rescue(opened, ("run", "A2"), {})
    watchdog.done()
    assert watchdog._rescuers[0]._popen.wait(30.0) == 0
