"""A load that presses with what a test says: the opposite of physics, for tests of wires."""

from __future__ import annotations


class SteadyLoad:
    def __init__(self, pascal: float = 1e6) -> None:
        self.pascal = pascal

    def pressure_pascal(self, _now_second: float) -> float:
        return self.pascal
