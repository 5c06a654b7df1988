"""A cable between the engine and its instruments that fails when a test wants it to."""

from __future__ import annotations

from rig.core.clock import Clock
from rig.core.errors import LinkTimeout
from rig.core.link import Link


class Cable:
    """What is between the engine and every instrument; fails at an operation, once or from then on."""

    def __init__(self) -> None:
        self.count, self.fails_at, self.lasts = 0, 0, False

    def breaks(self, at: int, *, lasts: bool) -> None:
        self.count, self.fails_at, self.lasts = 0, at, lasts

    def holds(self) -> None:
        self.fails_at = 0

    def wrap(self, _name: str, link: Link, _clock: Clock) -> Link:
        return _Failing(link, self)

    def carry(self) -> None:
        self.count += 1
        if self.fails_at and (
            self.count == self.fails_at or (self.lasts and self.count > self.fails_at)
        ):
            raise LinkTimeout(f"operation {self.count}: no answer")


class _Failing:
    def __init__(self, inner: Link, cable: Cable) -> None:
        self._inner, self._cable = inner, cable

    @property
    def name(self) -> str:
        return self._inner.name

    def write(self, data: bytes) -> None:
        self._cable.carry()
        self._inner.write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        self._cable.carry()
        return self._inner.read_until(terminator, timeout_second)

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        self._cable.carry()
        return self._inner.read_exactly(count, timeout_second)

    def close(self) -> None:
        self._inner.close()
