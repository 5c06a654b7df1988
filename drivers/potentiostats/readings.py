"""What a source-measure unit's numbers mean as a reading of the cell, and when they mean nothing.

Pure; knows no instrument and no command set.
"""

from __future__ import annotations

import math

from rig.core.instruments import CellReading, Flag, Regulation


def cell_reading(
    voltage_volt: float, current_ampere: float, regulation: Regulation, flags: int
) -> CellReading:
    """Return a reading in which what is no number is nan and flagged as an overload."""
    if not (math.isfinite(voltage_volt) and math.isfinite(current_ampere)):
        flags |= int(Flag.OVERLOAD)
        voltage_volt, current_ampere = _number_or_nan(voltage_volt), _number_or_nan(current_ampere)
    return CellReading(voltage_volt, current_ampere, regulation, flags)


def disconnected_reading(flags: int) -> CellReading:
    """Return the reading of an output that went off by itself: nan, whatever was measured.

    Behind the open relay the instrument sees its own terminals: their 0 V would pass for a cell
    discharged to its end. Not an overload, either: the channel stopped, and says so.
    """
    return CellReading(math.nan, math.nan, Regulation.STOPPED, flags)


def _number_or_nan(value: float) -> float:
    return value if math.isfinite(value) else math.nan
