"""How fast a bench may live: real instruments in real time, served simulators as their bench says."""

from __future__ import annotations

import pytest

from rig.bench.file import BenchFile, load_bench, parse_bench
from rig.bench.speed import make_clock
from rig.core.clock import PacedClock, RealClock, SimulatedClock
from rig.core.errors import BadInput

FAR = "TCPIP::10.0.0.5::5025::SOCKET"
HERE = ("TCPIP::127.0.0.1::45645::SOCKET", "socket://localhost:5025", "serial:///dev/pts/6")


def bench_at(connect: str, speed: str = "") -> BenchFile:
    text = (
        f"bench: 1\n{speed}\ninstruments:\n"
        f'  smu-1: {{driver: keithley.smu2450, connect: "{connect}"}}\n'
        "channels:\n  A1: {cell: smu-1}\n"
    )
    return parse_bench(text, "b.yaml")


@pytest.mark.parametrize(
    ("bench", "given", "speed"),
    [
        (bench_at(FAR), None, 1.0),
        (bench_at(FAR), "1", 1.0),
        (bench_at(HERE[0], "speed: 20"), None, 20.0),
        (bench_at(HERE[0], "speed: 20"), "20", 20.0),
        *[(bench_at(connect), "20", 20.0) for connect in HERE],
    ],
)
def test_real_connections_live_at_the_speed_of_their_bench(bench, given, speed):
    clock = make_clock(bench, given)
    assert isinstance(clock, RealClock)
    assert clock.speed == speed


@pytest.mark.parametrize(
    ("bench", "given"),
    [
        (bench_at(FAR), "20"),
        (bench_at(FAR), "0.5"),
        (bench_at("serial:///dev/ttyUSB0"), "20"),
        (bench_at("rfc2217://10.0.0.5:4000"), "20"),
        (bench_at("GPIB0::22::INSTR"), "20"),
        (bench_at(HERE[0], "speed: 20"), "1"),
        (bench_at(HERE[0], "speed: 20"), "40"),
    ],
)
def test_any_other_speed_of_real_instruments_is_refused(bench, given):
    with pytest.raises(BadInput, match="real instruments live in real time") as refusal:
        make_clock(bench, given)
    assert str(refusal.value).startswith(f"--speed: got {float(given):g}, expected ")


def test_a_simulated_bench_lives_as_fast_as_it_is_told():
    bench = load_bench("sim")
    paced = make_clock(bench, "50")
    assert isinstance(paced, PacedClock)
    assert paced.speed == 50.0
    for speed in (None, "max"):
        assert type(make_clock(bench, speed)) is SimulatedClock
