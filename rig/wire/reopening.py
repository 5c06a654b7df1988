"""A link whose port can be opened anew under the driver's hands: cables come out and go in again.

The driver keeps its link and never knows. Opening again is the engine's decision, never the
link's: what the instrument did meanwhile has to be found out first.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.core.errors import LinkClosed
from rig.core.link import Link


class ReopeningLink:
    """Passes everything on to the link that ``open_again`` made last. Owned by one thread."""

    def __init__(self, open_again: Callable[[], Link]) -> None:
        self._open_again = open_again
        self._inner: Link | None = open_again()
        self._name = self._inner.name

    @property
    def name(self) -> str:
        return self._name

    def write(self, data: bytes) -> None:
        self._link().write(data)

    def read_until(self, terminator: bytes, timeout_second: float) -> bytes:
        return self._link().read_until(terminator, timeout_second)

    def read_exactly(self, count: int, timeout_second: float) -> bytes:
        return self._link().read_exactly(count, timeout_second)

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()

    def reopen(self) -> None:
        """Close the port and open it again; raises LinkClosed when it does not open."""
        self.close()
        self._inner = None
        self._inner = self._open_again()

    def _link(self) -> Link:
        if self._inner is None:
            raise LinkClosed(f"{self._name}: the port is closed and did not open again")
        return self._inner
