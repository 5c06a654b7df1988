"""The E4980A's dc side, which is what burns cells.

The terminals are a voltage source, the bias or 0 V, behind 100 ohm ([M]: Vdut = Vb - 100 Ib), so a
charged cell is discharged through it as long as it is connected without a capacitor in between.
(The sheet's transcript of VDID with the bias off shows 1.2 uA on a charged cell, which that formula
forbids; the formula is the manual's.) Knows the cell's terminals and no command.
"""

from __future__ import annotations

import math

from simulators.interfaces import Cell, Drive, DriveMode

SOURCE_OHM = 100.0
# The path is followed in steps: what a cell's slow branches do within one is the error.
_STEP_SECOND, _MOST_STEPS = 1.0, 1000
_SMALLEST_AMPERE = 1e-12


class DcPath:
    """The terminals' dc side: the bias voltage behind 100 ohm, unless a capacitor blocks it.

    The cell is driven towards the bias with the current that the 100 ohm let through, renewed once
    a second. The cell's own resistance speeds the convergence and does not shift its end.
    """

    def __init__(self, name: str, cell: Cell, *, blocked: bool) -> None:
        self._name = name
        self._cell = cell
        self._blocked = blocked
        self._bias_volt = 0.0
        self._second = -math.inf

    def begin(self, now_second: float) -> None:
        """The mains come: the terminals act on the cell from now on."""
        self._second = now_second
        self.set_bias(0.0, now_second)

    def set_bias(self, volt: float, now_second: float) -> None:
        """Put ``volt`` behind the 100 ohm; 0 when the bias is off."""
        self.follow(now_second)
        self._bias_volt = volt
        self._renew(now_second)

    def follow(self, now_second: float) -> None:
        """Let the dc current flow up to ``now_second``."""
        left = now_second - self._second
        if self._blocked or left <= 0.0:
            return
        steps = min(math.ceil(left / _STEP_SECOND), _MOST_STEPS)
        for _ in range(steps):
            self._second += left / steps
            self._renew(self._second)
        self._second = now_second

    def at_cell(self, now_second: float) -> tuple[float, float]:
        """Return what VDID shows: the dc voltage at the terminals and the current into the cell."""
        if self._blocked:
            return self._bias_volt, 0.0
        voltage, current, _ = self._cell.terminals(now_second)
        return voltage, current

    def _renew(self, now_second: float) -> None:
        if self._blocked:
            return
        voltage, current, _ = self._cell.terminals(now_second)
        ohm = abs(self._cell.impedance(1.0 / _STEP_SECOND, now_second))
        wanted = (self._bias_volt - voltage + current * ohm) / (SOURCE_OHM + ohm)
        limit = max(abs(wanted), _SMALLEST_AMPERE)
        self._cell.drive(self._name, Drive(DriveMode.VOLTAGE, self._bias_volt, limit), now_second)
