"""Sensors over real sockets and pseudo terminals, as a bench on this machine has them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rig.bench.file import parse_bench
from rig.bench.instruments import OpenBench, open_bench
from rig.bench.serving import bench_for, serve_simulated
from rig.core.clock import RealClock
from rig.core.errors import LinkError
from rig.core.instruments import Flag, SensorReading

SPEED = 50.0
BENCH = """\
bench: 1
instruments:
  daq: {driver: keithley.daq6510, connect: sim, options: {channels: {101: thermocouple K}}}
  gauge: {driver: mark10.series5, connect: sim, options: {area: 78.5 mm^2}}
  oil: {driver: omega.usbh, connect: sim}
  load: {driver: serial.load_cell, connect: sim, options: {scale: {8412: 0 N, 152034: 100 N}, area: 78.5 mm^2}}
channels:
  A1: {temperature: daq/101, pressure: load, aux: {gauge: gauge, oil: oil}}
"""


@contextmanager
def served(*faults: str) -> Iterator[OpenBench]:
    """The bench's sensors served, opened and identified."""
    bench = parse_bench(BENCH, "bench.yaml")
    with serve_simulated(bench, speed=SPEED, faults=list(faults), seed=1) as addresses:
        there = parse_bench(bench_for(bench, addresses, SPEED), "served.yaml")
        opened = open_bench(there, RealClock(SPEED), there.instruments)
        try:
            yield opened
        finally:
            opened.close()


def read(opened: OpenBench, name: str, path: str = "") -> SensorReading:
    driver = opened.drivers[name]
    reading: SensorReading = driver.read(path)  # type: ignore[attr-defined]
    return reading


def wait(opened: OpenBench, second: float) -> None:
    opened.clock.wait_until(opened.clock.now() + second)


def test_all_four_families_are_read_and_the_pressures_agree() -> None:
    with served() as opened:
        read(opened, "daq", "101")
        wait(opened, 5.0)
        assert 15.0 < read(opened, "daq", "101").value < 30.0
        pascal = [read(opened, name).value for name in ("load", "gauge", "oil")]
        assert pascal == pytest.approx([pascal[0]] * 3, rel=0.01)
        assert 4.4e6 < pascal[0] < 5.1e6


def test_a_load_cell_that_nobody_read_for_long_gives_what_presses_now() -> None:
    with served("load:saturate@60") as opened:
        assert not math.isnan(read(opened, "load").value)
        # More than the port keeps: what is left in it is from before the fault.
        wait(opened, 120.0)
        assert read(opened, "load").flags == Flag.OVERLOAD


def test_a_stream_that_falls_silent_and_a_scan_that_stalls_are_told() -> None:
    with served("load:mute@40+", "daq:stall@20") as opened:
        read(opened, "daq", "101")
        wait(opened, 10.0)
        with pytest.raises(LinkError):
            read(opened, "load")
        for _ in range(20):
            value, flags = read(opened, "daq", "101")
        assert flags & Flag.STALE
        assert 15.0 < value < 30.0
