"""Our cycle numbers: counted from the charge that has passed, the same for every maker's file.

The rule (docs/explanation/cycle-numbers.md): steps of one direction, rests between them included,
are a half-cycle. One that moves less than a twentieth of the largest is a pulse and turns nothing.
A cycle begins with each half-cycle in the direction of the first one; what comes before the first
belongs to cycle 1, a rest belongs to what came before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LEAST_HALF_CYCLE = 0.05  # of the largest: below it, a pulse
_STILL_AMPERE = 1e-4  # of the largest current: below it, no current


class HalfCycle(NamedTuple):
    """Consecutive steps of one direction: index of the first, and the charge moved in Ah."""

    first: int
    charge_ah: float


def count_cycles(charge_ah: FloatArray) -> IntArray:
    """Return the cycle of each step, from 1; ``charge_ah`` is each step's net charge, + into the cell.

    >>> count_cycles(np.array([0.0, 2.0, 0.0, -2.0, 0.0, 2.0, -2.0])).tolist()
    [1, 1, 1, 1, 1, 2, 2]
    """
    halves = _half_cycles(charge_ah)
    cycle = np.zeros(charge_ah.size, dtype=np.int64)
    for half in halves[1:]:
        if half.charge_ah * halves[0].charge_ah > 0:
            cycle[half.first] += 1
    return np.asarray(1 + np.cumsum(cycle), dtype=np.int64)


def _half_cycles(charge_ah: FloatArray) -> list[HalfCycle]:
    every = _joined([HalfCycle(i, float(q)) for i, q in enumerate(charge_ah) if q != 0.0])
    largest = max((abs(half.charge_ah) for half in every), default=0.0)
    return _joined([half for half in every if abs(half.charge_ah) >= LEAST_HALF_CYCLE * largest])


def _joined(halves: list[HalfCycle]) -> list[HalfCycle]:
    """Join neighbours of one direction."""
    joined: list[HalfCycle] = []
    for half in halves:
        if joined and half.charge_ah * joined[-1].charge_ah > 0:
            joined[-1] = HalfCycle(joined[-1].first, joined[-1].charge_ah + half.charge_ah)
        else:
            joined.append(half)
    return joined


def count_steps(*marks: NDArray[np.generic]) -> IntArray:
    """Return step numbers from 1: a new one wherever one of ``marks`` is not what it was."""
    change = np.zeros(marks[0].size, dtype=bool)
    for mark in marks:
        change[1:] |= mark[1:] != mark[:-1]
    return np.asarray(1 + np.cumsum(change), dtype=np.int64)


def directions(current_ampere: FloatArray) -> IntArray:
    """Return 1 where a cell is charged, -1 where it is discharged, 0 where (nearly) nothing flows."""
    largest = float(np.abs(current_ampere).max(initial=0.0))
    flowing = np.abs(current_ampere) > _STILL_AMPERE * largest
    return np.where(flowing, np.sign(current_ampere), 0.0).astype(np.int64)
