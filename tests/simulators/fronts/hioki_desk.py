"""A Hioki meter on an ideal cell, and somebody who types."""

from __future__ import annotations

import pytest
from ideal_cell import IdealCell

from rig.core.clock import SimulatedClock
from rig.core.errors import LinkTimeout
from simulators.fronts.hioki_meter import HiokiMeter
from simulators.fronts.hioki_text import HiokiFront
from simulators.link import InMemoryLink


class Desk:
    """One front on one in-memory link, at a simulated time."""

    def __init__(self, front: HiokiFront[HiokiMeter]) -> None:
        self.front = front
        self.clock = SimulatedClock()
        self.link = InMemoryLink(front, self.clock, "meter-1")

    def send(self, line: str) -> None:
        self.link.write(line.encode() + b"\r\n")

    def ask(self, line: str, timeout_second: float = 60.0) -> str:
        self.send(line)
        return self.link.read_until(b"\r\n", timeout_second).decode()

    def stays_silent(self, line: str) -> None:
        """Send what gets no reply; then let the host give up."""
        self.send(line)
        with pytest.raises(LinkTimeout):
            self.link.read_until(b"\r\n", 1.0)

    def seconds(self, line: str) -> float:
        """Return how long the reply to ``line`` takes."""
        before = self.clock.now()
        self.ask(line)
        return self.clock.now() - before


class ReactiveCell(IdealCell):
    """An ideal cell whose impedance has an imaginary part: an inductor or a capacitor in series."""

    def __init__(
        self, volt: float, ohm: float, *, henry: float = 0.0, farad: float = float("inf")
    ) -> None:
        super().__init__(volt, ohm)
        self._henry, self._farad = henry, farad

    def impedance(self, frequency_hertz: float, now_second: float) -> complex:
        omega = 2 * 3.141592653589793 * frequency_hertz
        return complex(self.ohm, omega * self._henry - 1 / (omega * self._farad))
