"""The per-cycle table as people read it: in the unit of the cell's size, whole at 80 columns.

JSON and exports have base units and every digit; this has neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.analysis.cycles import Cycle

_SIZES = ((1.0, "Ah"), (1e-4, "mAh"), (0.0, "\N{MICRO SIGN}Ah"))  # from this many Ah on
_PER_AH = {"Ah": 1.0, "mAh": 1e3, "\N{MICRO SIGN}Ah": 1e6}
_FIVE_DIGITS = 4  # behind the first


def cycle_columns(cycles: Sequence[Cycle]) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows; what a cycle does not have is an empty cell.

    The resistance has a column where one was measured.
    """
    largest = _largest(cycles)
    unit = next(name for least, name in _SIZES if largest >= least)
    capacity = _capacity(largest, unit)
    columns: dict[str, Callable[[Cycle], str]] = {
        "cycle": lambda one: str(one.cycle_count),
        f"charge\n{unit}": lambda one: capacity(one.charging_capacity_ah),
        f"discharge\n{unit}": lambda one: capacity(one.discharging_capacity_ah),
        "CE\n%": lambda one: _fixed(100.0 * one.coulombic_efficiency, 2),
        "EE\n%": lambda one: _fixed(100.0 * one.energy_efficiency, 2),
        "charge\nV": lambda one: _fixed(one.mean_charging_voltage_volt, 3),
        "discharge\nV": lambda one: _fixed(one.mean_discharging_voltage_volt, 3),
    }
    if any(math.isfinite(one.dc_resistance_ohm) for one in cycles):
        columns["R\nohm"] = lambda one: _four_digits(one.dc_resistance_ohm)
    return list(columns), [[write(one) for write in columns.values()] for one in cycles]


def _largest(cycles: Sequence[Cycle]) -> float:
    both = [q for one in cycles for q in (one.charging_capacity_ah, one.discharging_capacity_ah)]
    return max((abs(q) for q in both if math.isfinite(q)), default=0.0)


def _capacity(largest_ah: float, unit: str) -> Callable[[float], str]:
    """Return how a capacity is written: five digits of the largest, all to the same place."""
    factor = _PER_AH[unit]
    digit = math.floor(math.log10(largest_ah * factor)) if largest_ah > 0.0 else 0
    decimals = min(_FIVE_DIGITS, max(0, _FIVE_DIGITS - digit))
    return lambda ampere_hour: _fixed(factor * ampere_hour, decimals)


def _fixed(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if math.isfinite(value) else ""


def _four_digits(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) and abs(value) < 1e4 else _fixed(value, 0)
