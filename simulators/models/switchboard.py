"""What stands behind a multiplexer: many cells, of which an instrument sees the one connected.

To an analyser's front it is a Cell; the multiplexer's front closes and opens its paths. Knows no
bytes and no relay times. Two paths closed at once short two cells, which burns real ones: it is
counted in ``conflicts``, so that tests can demand zero, and the newest path is the one that is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.interfaces import OPEN, Cell, Drive, DriveMode, Terminals
from simulators.models.fixture import OPEN_CIRCUIT_OHM, open_circuit

_ROOM_CELSIUS = 25.0


class Switchboard:
    """Implements Cell for an instrument on the common side of a multiplexer.

    ``cells`` by the path that leads to them, as the instrument names it (``101``). The cells'
    state belongs to whoever made them; the switchboard's own is what it has counted.
    """

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self._cells = dict(cells)
        self._closed: list[str] = []  # in the order in which they were closed
        self._drives: dict[str, Drive] = {}
        self._conflicts = 0

    # -- the multiplexer's side ----------------------------------------------------------------

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cells by their path."""
        return self._cells

    @property
    def closed(self) -> tuple[str, ...]:
        """The paths that are closed now, the newest last."""
        return tuple(self._closed)

    def close(self, path: str, now_second: float) -> None:
        """Connect the cell of ``path``; the others stay as they are, as relays do."""
        if path in self._closed:
            return
        self._conflicts += bool(self._closed)
        self._reconnect([*self._closed, path], now_second)

    def open(self, path: str, now_second: float) -> None:
        """Disconnect the cell of ``path``."""
        self._reconnect([other for other in self._closed if other != path], now_second)

    def open_all(self, now_second: float) -> None:
        """Disconnect every cell."""
        self._reconnect([], now_second)

    def _reconnect(self, closed: list[str], now_second: float) -> None:
        before = self._connected
        self._closed = closed
        after = self._connected
        if after is before:
            return
        for source, drive in self._drives.items():
            if before is not None:
                before.drive(source, OPEN, now_second)
            if after is not None:
                after.drive(source, drive, now_second)

    @property
    def _connected(self) -> Cell | None:
        return self._cells[self._closed[-1]] if self._closed else None

    # -- the instrument's side: Cell -----------------------------------------------------------

    @property
    def conflicts(self) -> int:
        """How often a path was closed while another was."""
        return self._conflicts

    def drive(self, source: str, drive: Drive, now_second: float) -> None:
        """Let ``source`` act on the connected cell, and on the next one once that is connected."""
        self._drives[source] = drive
        if self._connected is not None:
            self._connected.drive(source, drive, now_second)

    def terminals(self, now_second: float) -> Terminals:
        """Return what is at the common side; an open circuit when no path is closed."""
        if self._connected is not None:
            return self._connected.terminals(now_second)
        drive = next((d for d in self._drives.values() if d.mode is not DriveMode.OPEN), OPEN)
        return open_circuit(drive)

    def impedance(self, frequency_hertz: float, now_second: float) -> complex:
        """Return the connected cell's impedance in ohm, or that of an open circuit."""
        if self._connected is None:
            return complex(OPEN_CIRCUIT_OHM)
        return self._connected.impedance(frequency_hertz, now_second)

    def sample_temperature_celsius(self, now_second: float) -> float:
        """Return the connected cell's temperature; that of a room when there is none."""
        if self._connected is None:
            return _ROOM_CELSIUS
        return self._connected.sample_temperature_celsius(now_second)

    def truth(self) -> dict[str, float]:
        """Return what was put into the connected cell; nothing when there is none."""
        return {} if self._connected is None else self._connected.truth()

    def state(self) -> dict[str, Any]:
        """Return what the switchboard has counted; relays fall open when the mains go."""
        return {"conflicts": self._conflicts}

    def restore(self, state: dict[str, Any]) -> None:
        """Put the count back, with every path open and driven by nobody."""
        self._conflicts = int(state["conflicts"])
        self._closed, self._drives = [], {}
