"""One analyser behind a scanner, many cells in turn: first come, first served.

A run asks for the scanner before its spectrum and gives it back after; its cell waits at open
circuit meanwhile. One path is closed at a time, by the scanner's own driver.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.core.instruments import Multiplexer

LOOK_SECOND = 1.0  # how often a waiting run looks whether its turn has come


@dataclass
class Scanner:
    """The one owner of a multiplexer. Not thread-safe and need not be: see schedule.py."""

    name: str
    driver: Multiplexer
    port: str
    fault: str = ""  # why it is not used any more; set when a cell could not be taken off it
    _waiting: list[str] = field(default_factory=list)

    def ask(self, run_id: str) -> None:
        """Stand in the queue; asking twice keeps the place."""
        if run_id not in self._waiting:
            self._waiting.append(run_id)

    def granted(self, run_id: str) -> bool:
        """Say whether it is this run's turn: the first in the queue holds the scanner."""
        return bool(self._waiting) and self._waiting[0] == run_id

    def leave(self, run_id: str) -> None:
        """Give it back, or leave the queue."""
        self._waiting = [other for other in self._waiting if other != run_id]
