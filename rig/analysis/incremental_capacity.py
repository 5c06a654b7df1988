"""Incremental capacity dQ/dV of one charge or discharge, counted in bins of voltage.

The charge that passed while the voltage lay in a bin, over the bin's width (Dubarry et al.,
Electrochem. Solid-State Lett. 9 (2006) A454, take differences; counting in bins needs no smoothing
afterwards). Nothing is lost or made by it: the bins add up to the charge that passed, whatever the
noise, and the width of a bin is the one parameter, the resolution of the curve.

What passes at the end while the voltage is held is no dQ/dV: where that begins is found by the
current that falls, and it is counted apart. Arrays in, a frozen result out; knows no run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.analysis.regression import FloatArray
from rig.core.errors import BadInput, Problem

USUAL_STEP_VOLT = 0.005
LEAST_STEP_VOLT, MOST_STEP_VOLT = 1e-4, 0.5
MOST_BINS = 20_000
# A hold: how far its voltage strays, below which share of the constant current it has fallen, and
# how much of the charge may pass otherwise after it.
_HOLD_NOISE_VOLT, _FALLEN_SHARE, _STRAY_SHARE = 0.005, 0.97, 1e-3
_LATE_SHARE, _HIGH_SHARE = 0.02, 0.8
_SHARP_VOLT = 1e-7  # an interval with less between its ends happens at one voltage


@dataclass(frozen=True, slots=True)
class IncrementalCapacity:
    """``voltage_volt`` are the middles of the bins, ascending; dQ/dV in Ah/V, not negative.

    ``held_capacity_ah`` passed at the end, while the voltage was held.
    """

    voltage_volt: FloatArray
    incremental_capacity_ah_per_volt: FloatArray
    voltage_step_volt: float
    held_capacity_ah: float


def incremental_capacity(
    voltage_volt: FloatArray,
    capacity_ah: FloatArray,
    voltage_step_volt: float = USUAL_STEP_VOLT,
    *,
    hold_begins: int | None = None,
) -> IncrementalCapacity:
    """Return dQ/dV of one half cycle: its voltages, and the charge passed since it began, rising.

    Of equal lengths, in the order of measurement, charge as a magnitude in Ah. ``hold_begins`` is the
    row from which on the voltage is held. Raises BadInput for a resolution that cannot be meant,
    and for numbers that cannot be.
    """
    _require(voltage_volt, capacity_ah, voltage_step_volt)
    end = max(0, len(voltage_volt) - 1) if hold_begins is None else hold_begins
    passed = np.diff(capacity_ah[: end + 1])
    low = np.minimum(voltage_volt[:end], voltage_volt[1 : end + 1])
    high = np.maximum(voltage_volt[:end], voltage_volt[1 : end + 1])
    edges = _edges(low, high, voltage_step_volt)
    counted = np.diff(_below(edges, low, high, passed))
    held = float(capacity_ah[-1] - capacity_ah[end]) if len(capacity_ah) else 0.0
    rate = np.maximum(counted, 0.0) / voltage_step_volt
    return IncrementalCapacity((edges[:-1] + edges[1:]) / 2.0, rate, voltage_step_volt, held)


def hold_begins(
    voltage_volt: FloatArray, capacity_ah: FloatArray, current_ampere: FloatArray
) -> int | None:
    """Return the row from which on the voltage is held to the end, None where it is not.

    ``current_ampere`` is the magnitude in each interval, one fewer than rows: under a hold it falls
    while the voltage stays. A stray reading at the end (of the rest that follows) ends no hold.
    """
    passed, total = np.diff(capacity_ah), float(capacity_ah[-1] - capacity_ah[0])
    if not total > 0:
        return None
    late = capacity_ah - capacity_ah[0] >= (1.0 - _LATE_SHARE) * total
    middle = (voltage_volt[:-1] + voltage_volt[1:]) / 2.0
    near = np.abs(middle - np.median(voltage_volt[late])) <= _HOLD_NOISE_VOLT
    fallen = current_ampere < _FALLEN_SHARE * _weighted(current_ampere, passed, _HIGH_SHARE)
    held = near & fallen
    stray = np.cumsum(np.where(held, 0.0, passed)[::-1])[::-1]
    rows = np.flatnonzero(held & (stray <= _STRAY_SHARE * total))
    if not len(rows) or passed[rows[0] :].sum() <= _STRAY_SHARE * total:
        return None
    return int(rows[0])


def _weighted(values: FloatArray, weights: FloatArray, share: float) -> float:
    """Return the value below which this share of the weight lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return float(
        values[order][min(int(np.searchsorted(below, share * below[-1])), len(values) - 1)]
    )


def require_step(voltage_step_volt: float, where: str = "voltage step") -> None:
    """Refuse a resolution that cannot be meant."""
    if not LEAST_STEP_VOLT <= voltage_step_volt <= MOST_STEP_VOLT:
        message = (
            f"got {voltage_step_volt:g} V, expected {LEAST_STEP_VOLT:g} to {MOST_STEP_VOLT:g} V"
        )
        raise BadInput(Problem(where, message, example="0.005 V"))


def _require(voltage_volt: FloatArray, capacity_ah: FloatArray, step_volt: float) -> None:
    require_step(step_volt)
    if len(voltage_volt) != len(capacity_ah):
        message = f"{len(voltage_volt)} voltages and {len(capacity_ah)} charges"
        raise BadInput(Problem("half cycle", message))
    if not (np.isfinite(voltage_volt).all() and np.isfinite(capacity_ah).all()):
        raise BadInput(Problem("half cycle", "a voltage or a charge is no number"))
    if (np.diff(capacity_ah) < 0).any():
        raise BadInput(Problem("half cycle", "the charge that has passed runs backwards"))
    bins = np.ptp(voltage_volt) / step_volt if len(voltage_volt) else 0.0
    if bins > MOST_BINS:
        message = f"{bins:.0f} bins of {step_volt:g} V between lowest and highest voltage"
        raise BadInput(Problem("voltage step", f"{message}; at most {MOST_BINS}", "0.005 V"))


def _edges(low: FloatArray, high: FloatArray, step_volt: float) -> FloatArray:
    """Return bin edges at whole multiples of the step, so that bins of all cycles are the same."""
    if not len(low):
        return np.zeros(1)
    first = math.floor(low.min() / step_volt + 1e-9)
    last = max(first + 1, math.ceil(high.max() / step_volt - 1e-9))
    return np.arange(first, last + 1, dtype=np.float64) * step_volt


def _below(edges: FloatArray, low: FloatArray, high: FloatArray, passed: FloatArray) -> FloatArray:
    """Return the charge that passed below each edge; in an interval it is spread evenly over its voltages."""
    sharp = high - low < _SHARP_VOLT
    width = np.where(sharp, 1.0, high - low)
    slope = np.where(sharp, 0.0, passed / width)
    below = _ramps(edges, low, slope) - _ramps(edges, high, slope)
    at = (low + high)[sharp] / 2.0
    order = np.argsort(at, kind="stable")
    whole = np.concatenate([[0.0], np.cumsum(passed[sharp][order])])
    below = below + whole[np.searchsorted(at[order], edges, side="left")]
    # Edges are rounded: what lies on the first or the last one belongs to the bin beside it.
    below[0], below[-1] = 0.0, passed.sum()
    return np.asarray(below)


def _ramps(edges: FloatArray, begins: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the sum of all ``slope * max(0, edge - begin)`` at each edge, in n log n."""
    order = np.argsort(begins, kind="stable")
    begins, slope = begins[order], slope[order]
    slopes = np.concatenate([[0.0], np.cumsum(slope)])
    offsets = np.concatenate([[0.0], np.cumsum(slope * begins)])
    reached = np.searchsorted(begins, edges, side="right")
    return np.asarray(edges * slopes[reached] - offsets[reached])
