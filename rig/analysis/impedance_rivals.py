"""Other minima that the data allow beside the lowest: sought along its valley, told apart from it.

A fit whose optimum is the lowest of all may still be one of two that noise does not tell apart.
Rivals are the ends of all descents, and the hollows of the valley around the minimum, that lie less
above it than noise explains and are other curves. Knows no reports.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_minima import Minima, merged, minima_from, ordered
from rig.analysis.impedance_problem import CircuitProblem
from rig.analysis.impedance_valley import Valleys, noise_variance, noisy, walk

NOISE = 3.84  # rise in variances that 5 % of all noise exceeds: chi squared, one degree of freedom
APART = 1.0  # distance of two curves in variances, below which they are ends of one flat valley
SAME_PLACE = 0.02  # in every coordinate: not worth a look at the curves
MOST_TOLD = 3


def explore(
    problem: CircuitProblem, minima: Minima, *, may_leave: bool
) -> tuple[Minima, Valleys | None]:
    """Walk the valleys of what is weakly determined; return minima, lower where a valley led lower.

    Hollows on the way are descended into and join the ends. ``may_leave``: a lower one replaces the
    minimum, and its own valley is walked.
    """
    everything = np.arange(len(minima.values))
    valleys = walk(problem, minima, everything, may_leave=may_leave)
    if valleys is None:
        return minima, None
    minima, lower = _into_hollows(problem, minima, valleys, may_leave=may_leave)
    if lower.size:
        again = walk(problem, minima, lower, may_leave=True)
        if again is not None:
            _replace(valleys, again)
    return minima, valleys


def _replace(valleys: Valleys, newer: Valleys) -> None:
    at = np.searchsorted(valleys.rows, newer.rows)
    for field in fields(Valleys):
        getattr(valleys, field.name)[at] = getattr(newer, field.name)


def _into_hollows(
    problem: CircuitProblem, minima: Minima, valleys: Valleys, *, may_leave: bool
) -> tuple[Minima, NDArray[np.int_]]:
    """Descend into every hollow of every floor; return minima and the rows that became lower."""
    variance = noise_variance(problem, minima.objective)
    hollow = _hollows(valleys, minima.objective, variance)
    lower: list[NDArray[np.int_]] = []
    for turn in range(int(hollow.sum(axis=1).max(initial=0))):
        which, at = np.nonzero(hollow & (np.cumsum(hollow, axis=1) == turn + 1))
        rows = valleys.rows[which]
        more = minima_from(problem, problem.placed(valleys.theta[which, at]), rows)
        if not may_leave:  # an end like others, never better than the minimum that was asked for
            more.objective[:] = np.maximum(more.objective, minima.objective[rows])
        minima, better = merged(problem, minima, more, rows)
        lower.append(rows[better])
    return minima, np.unique(np.concatenate(lower)) if lower else np.empty(0, dtype=int)


def _hollows(valleys: Valleys, objective: Real, variance: Real) -> NDArray[np.bool_]:
    """Return which points lie below both neighbours, within noise and not where the walk began."""
    rise = (valleys.objective - objective[valleys.rows][:, None]) / variance[valleys.rows][:, None]
    beyond = np.full((len(rise), 1), np.inf)
    before = np.concatenate([beyond, rise[:, :-1]], axis=1)
    after = np.concatenate([rise[:, 1:], beyond], axis=1)
    hollow = (rise <= before) & (rise <= after) & (rise < NOISE)
    hollow[:, rise.shape[1] // 2] = False
    return np.asarray(hollow)


def rivals(problem: CircuitProblem, minima: Minima) -> list[Real]:
    """Return for each spectrum the values (rivals, p) of other minima that agree with the data."""
    none = np.empty((0, len(problem.circuit.parameters)))
    found = [none] * len(minima.values)
    if not minima.heights.shape[1] or not len(problem.free):
        return found
    variance = noise_variance(problem, minima.objective)
    near = minima.heights - minima.objective[:, None] < NOISE * variance[:, None]
    own = problem.coordinates.of(minima.values)[:, None, problem.free]
    elsewhere = (np.abs(minima.ends - own) > SAME_PLACE).any(axis=2)
    rows, at = np.nonzero(near & elsewhere & noisy(problem, minima.objective)[:, None])
    if not rows.size:
        return found
    values = ordered(problem, problem.placed(minima.ends[rows, at]))
    far = _distance(problem, rows, values, minima.values[rows]) / variance[rows]
    for row in np.unique(rows[far > APART]):
        mine = np.flatnonzero((rows == row) & (far > APART))
        heights = minima.heights[row, at[mine]]
        found[row] = _different(problem, minima, int(row), values[mine[np.argsort(heights)]])
    return found


def _distance(problem: CircuitProblem, rows: NDArray[np.int_], one: Real, other: Real) -> Real:
    """Return how far the curves of two sets of values (rows, p) are apart, as a sum of squares."""
    apart = problem.residuals(one, rows) - problem.residuals(other, rows)
    return np.asarray(np.einsum("ni,ni->n", apart, apart))


def _different(problem: CircuitProblem, minima: Minima, row: int, values: Real) -> Real:
    """Return the lowest few of ``values`` that are no two the same minimum."""
    variance = noise_variance(problem, minima.objective)[row]
    kept: list[Real] = []
    for one in values:
        same = [
            _distance(problem, np.array([row]), one[None], other[None])[0] <= APART * variance
            for other in kept
        ]
        if not any(same) and len(kept) < MOST_TOLD:
            kept.append(one)
    return np.array(kept)
