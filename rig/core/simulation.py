"""What rig asks of a simulated world; ``simulators`` registers one under ``rig.simulators``.

The same door a third party uses. ``rig`` itself never imports a simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from rig.core.clock import Clock
from rig.core.link import Link


class World(Protocol):
    """Simulated instruments over simulated cells and chambers, made from a bench file's content."""

    def __init__(self, bench: Mapping[str, Any], clock: Clock, seed: int = 1) -> None:
        """Build every instrument of ``bench`` (the parsed file, quantities still text).

        Raises BadInput with all problems of the ``simulate:`` blocks.
        """
        ...

    def link(self, instrument: str) -> Link:
        """Return an in-memory link that carries the instrument's real wire bytes."""
        ...

    def truth(self, channel: str) -> dict[str, float]:
        """Return what was put into the channel's cell, keys with units, as the analysis names them."""
        ...

    def state(self) -> dict[str, Any]:
        """Return the state of all cells and chambers as plain data, so that a rehearsal resumes."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put cells and chambers back; instruments power up afresh, as after a mains failure."""
        ...


class ServeWorld(Protocol):
    """Serves a bench's simulated instruments on this machine's ports; entry point ``serve``."""

    def __call__(
        self, bench: Mapping[str, Any], *, speed: float, seed: int, faults: Sequence[str]
    ) -> AbstractContextManager[dict[str, str]]:
        """Return a context that gives each instrument's address, as ``connect`` takes it.

        Raises BadInput for a bench or a fault that cannot be.
        """
        ...
