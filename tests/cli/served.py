"""Simulated instruments on real sockets, listened to, and a bench file that connects to one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rig.core.clock import RealClock
from simulators.interfaces import Front
from simulators.server import Transport, serve
from simulators.world import SimulatedWorld

SPEED = 500.0  # minutes of cycling in half a second
BENCH = """bench: 1
instruments:
  smu-1: {{driver: keithley.smu2450, connect: "{address}"}}
channels:
  A1: {{cell: smu-1}}
"""


class Overheard:
    """An instrument whose wire is listened to: ``heard`` is every byte the host has sent."""

    def __init__(self, front: Front) -> None:
        self.front, self.heard = front, b""

    def receive(self, data: bytes, now_second: float) -> None:
        self.heard += data
        self.front.receive(data, now_second)

    def transmit(self, now_second: float) -> bytes:
        return self.front.transmit(now_second)

    def next_output_second(self) -> float | None:
        return self.front.next_output_second()

    def disconnected(self, now_second: float) -> None:
        self.front.disconnected(now_second)

    @property
    def was_switched_on(self) -> bool:
        return re.search(rb"OUTP\w*(:STAT\w*)?\s+(ON|1)", self.heard, re.IGNORECASE) is not None


class Stranger:
    """Something that answers every line, and is nobody the bench file knows."""

    def __init__(self, answer: bytes) -> None:
        self._answer, self._unsent = answer, b""

    def receive(self, data: bytes, now_second: float) -> None:
        self._unsent += self._answer * data.count(b"\n")

    def transmit(self, now_second: float) -> bytes:
        data, self._unsent = self._unsent, b""
        return data

    def next_output_second(self) -> float | None:
        return None

    def disconnected(self, now_second: float) -> None:
        self._unsent = b""


def source_meter() -> Overheard:
    """The built-in bench's source meter on its full cell."""
    return Overheard(source_meter_front())


def source_meter_front() -> Front:
    """The same without an ear. Off is open: at this speed the factory's off state empties a cell."""
    smu = {"driver": "keithley.smu2450", "connect": "sim"}
    bench = {
        "instruments": {"smu-1": smu | {"simulate": {"saved_off_state": "high_impedance"}}},
        "channels": {
            "A1": {"cell": "smu-1", "simulate": {"cell": "full_cell", "area": "1 cm^2"}},
        },
    }
    return SimulatedWorld(bench, RealClock(SPEED)).front("smu-1")


@contextlib.contextmanager
def served(fronts: Mapping[str, Front]) -> Iterator[dict[str, str]]:
    """Serve these on TCP, at a speed that makes minutes of cycling half a second."""
    with serve(
        {name: (front, Transport.TCP) for name, front in fronts.items()}, RealClock(SPEED)
    ) as s:
        yield s.addresses


def bench_at(folder: Path, address: str) -> Path:
    path = folder / "bench.yaml"
    path.write_text(BENCH.format(address=address) + f"speed: {SPEED:g}\n", encoding="utf-8")
    return path
