"""The valley around a minimum that the data hardly hold: walked along its floor, both ways.

Where a spectrum does not determine a circuit the sum of squares is no bowl but a long bent valley,
or two hollows with a low pass between them, and the curvature at the lowest point says nothing of
where it ends. So the floor is followed from the minimum both ways, as in the continuation of
branches (Keller, in Applications of Bifurcation Theory, Academic Press 1977, 359): a step along the
floor, then the lowest point of the plane across it, until noise no longer explains the rise. The
points found are the profile likelihood of the least determined direction.

Knows no names of parameters and no reports: what a valley means is in ``impedance_uncertainty``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_descent import Descents
from rig.analysis.impedance_minima import Minima
from rig.analysis.impedance_problem import CircuitProblem

EXACT = 1e-14  # of the sum of squares of the data: below, residuals are rounding and no noise
WEAK = 0.25  # standard error of the least determined direction, from which its valley is walked
EXPONENT = 4.0  # a step of 0.05 of an exponent counts as one of 20 % of a resistance
EXPLAINED = 9.0  # rise in variances of the noise, to which the floor is followed: three sigma
LOWER = 0.1  # fall in variances, beyond which a valley leads to another, lower minimum
MOST_STEPS = 12  # along the floor, each way
SHORTEST, LONGEST = 0.04, 0.8  # of a step
SMOOTH, STEEP = 0.4, 1.5  # rise in variances from step to step: longer below, shorter above
ACROSS = 5  # steps of descent in the plane across
STIFF = 100.0  # variances that missing the plane by one step costs


@dataclass(frozen=True, slots=True, eq=False)
class Valleys:
    """Points on the floors: ``rows`` (n,) names the spectra, the rest has (n, points) in order.

    ``theta`` (n, points, free), ``objective``, ``curvature`` and ``gradient`` in the planes across,
    ``width`` is the length of floor that a point stands for: 0 where there is none.
    """

    rows: NDArray[np.int_]
    theta: Real
    objective: Real
    curvature: Real
    gradient: Real
    width: Real


def noise_variance(problem: CircuitProblem, objective: Real) -> Real:
    """Return the variance of a weighted residual (spectra,): 1 where uncertainties are known."""
    if problem.known:
        return np.ones_like(objective)
    exact = 1e-20 * problem.data_square
    freedom = problem.counts - len(problem.free)
    return np.asarray(np.maximum(objective, exact) / freedom)


def noisy(problem: CircuitProblem, objective: Real) -> NDArray[np.bool_]:
    """Return for which spectra there is noise at all: a fit exact to rounding knows no doubt."""
    return np.asarray(objective > EXACT * problem.data_square)


def weak_directions(problem: CircuitProblem, curvature: Real, variance: Real) -> tuple[Real, Real]:
    """Return the least determined direction (n, free) of scaled coordinates and its error (n,)."""
    scale = metric(problem)
    steep, axes = np.linalg.eigh(curvature / (scale[:, None] * scale))
    flat = np.maximum(steep[:, 0], 1e-15 * steep[:, -1])
    return axes[:, :, 0], np.sqrt(variance / flat)


def metric(problem: CircuitProblem) -> Real:
    """Return by what coordinates are multiplied before lengths are compared, (free,)."""
    logarithmic = problem.coordinates.logarithmic[problem.free]
    return np.where(logarithmic, 1.0, EXPONENT)


def walk(
    problem: CircuitProblem, minima: Minima, rows: NDArray[np.int_], *, may_leave: bool
) -> Valleys | None:
    """Follow the floors from minima of ``rows`` that are weakly determined; None: there are none.

    ``may_leave``: go on into a lower minimum; else a way ends where it falls below the minimum. A
    fit that is exact to rounding has no noise and no valley.
    """
    if not len(problem.free):
        return None
    theta = problem.coordinates.of(minima.values)[:, problem.free]
    variance = noise_variance(problem, minima.objective)
    direction, error = weak_directions(problem, minima.curvature[rows], variance[rows])
    weak = np.flatnonzero((error > WEAK) & noisy(problem, minima.objective)[rows])
    if not weak.size:
        return None
    rows, direction, error = rows[weak], direction[weak], error[weak]
    both = np.concatenate([rows, rows])
    walkers = _Walkers(problem, both, theta[both], minima.objective[both], variance[both])
    outwards = np.concatenate([-direction, direction])
    ways = walkers.go(outwards, np.concatenate([error, error]), may_leave=may_leave)
    back, ahead = ([one[part] for one in ways] for part in np.split(np.arange(len(both)), 2))
    stiff = STIFF * variance[rows] / np.clip(0.5 * error, SHORTEST, LONGEST) ** 2
    across = minima.curvature[rows] + stiff[:, None, None] * _outer(direction * metric(problem))
    here = (theta[rows], minima.objective[rows], across, minima.gradient[rows])
    points, objective, curvature, gradient = (
        np.concatenate([one[:, ::-1], two[:, None], three], axis=1)
        for one, two, three in zip(back, here, ahead, strict=True)
    )
    width = _widths(points * metric(problem), objective)
    return Valleys(rows, points, objective, curvature, gradient, width)


def _outer(vectors: Real) -> Real:
    return np.asarray(vectors[:, :, None] * vectors[:, None, :])


def _widths(points: Real, objective: Real) -> Real:
    """Return half the way to both neighbours, 0 for points that were never reached."""
    reached = np.isfinite(objective)
    steps = np.linalg.norm(np.diff(points, axis=1), axis=-1)
    steps = np.where(reached[:, 1:] & reached[:, :-1], steps, 0.0)
    none = np.zeros((len(points), 1))
    both = np.concatenate([none, steps], axis=1) + np.concatenate([steps, none], axis=1)
    return np.asarray(0.5 * both)


def _paced(length: Real, climb: Real) -> Real:
    """Return the next step's length after one that rose or fell by ``climb`` variances."""
    factor = np.where(climb < SMOOTH, 1.5, np.where(climb > STEEP, 0.6, 1.0))
    return np.clip(length * factor, SHORTEST, LONGEST)


class _Walkers:
    """Ways along floors, all together; those that have arrived stand still."""

    def __init__(
        self,
        problem: CircuitProblem,
        rows: NDArray[np.int_],
        theta: Real,
        objective: Real,
        variance: Real,
    ) -> None:
        self._problem, self._rows, self._variance = problem, rows, variance
        self._theta, self._objective = theta, objective
        self._scale = metric(problem)
        self._box = tuple(side[rows][:, problem.free] for side in problem.box)

    def go(self, direction: Real, error: Real, *, may_leave: bool) -> tuple[Real, Real, Real, Real]:
        """Return points, objectives, curvatures and gradients, (n, steps, ...); nan: not reached."""
        count, size = self._theta.shape
        here, last = self._theta.copy(), self._objective.copy()
        ahead, length = direction.copy(), np.clip(0.5 * error, SHORTEST, LONGEST)
        shape = (count, MOST_STEPS)
        points, objectives = np.full((*shape, size), np.nan), np.full(shape, np.inf)
        curvatures, gradients = np.zeros((*shape, size, size)), np.zeros((*shape, size))
        going = np.arange(count)
        for step in range(MOST_STEPS):
            found = self._across(going, here[going], ahead[going], length[going])
            there, objective, curvature, gradient = found
            moved = (there - here[going]) * self._scale
            way = np.linalg.norm(moved, axis=1)
            rise = (objective - self._objective[going]) / self._variance[going]
            real = np.isfinite(objective) & (way > 0.3 * length[going])
            at = going[real]
            points[at, step], objectives[at, step] = there[real], objective[real]
            curvatures[at, step], gradients[at, step] = curvature[real], gradient[real]
            climb = np.abs(objective - last[going]) / self._variance[going]
            length[going] = _paced(length[going], climb)
            here[at], last[at] = there[real], objective[real]
            ahead[at] = moved[real] / way[real][:, None]
            on = real & (rise < EXPLAINED)
            going = going[on if may_leave else on & (rise > -LOWER)]
            if not going.size:
                break
        return points, objectives, curvatures, gradients

    def _across(
        self, at: NDArray[np.int_], here: Real, ahead: Real, length: Real
    ) -> tuple[Real, Real, Real, Real]:
        """Return the lowest points of the planes one step ahead: theta, objective, slopes in them."""
        problem, rows = self._problem, self._rows[at]
        low, high = (side[at] for side in self._box)
        guess = np.clip(here + length[:, None] * ahead / self._scale, low, high)
        normal = ahead * self._scale
        wanted = np.einsum("ni,ni->n", normal, here) + length
        stiff = STIFF * self._variance[at] / length**2

        def evaluate(theta: Real, which: NDArray[np.int_]) -> tuple[Real, Real, Real]:
            objective, gradient, curvature = problem.evaluate(theta, rows[which])
            n, k = normal[which], stiff[which]
            off = np.einsum("ni,ni->n", n, theta) - wanted[which]
            gradient = gradient + (k * off)[:, None] * n
            return objective + k * off**2, gradient, curvature + k[:, None, None] * _outer(n)

        numbers = np.arange(len(at))
        exact = np.zeros(len(at))
        descents = Descents(evaluate, guess, numbers, (low, high), exact)
        descents.advance(ACROSS)
        off = np.einsum("ni,ni->n", normal, descents.theta) - wanted
        objective = descents.objective - stiff * off**2
        return descents.theta, objective, descents.curvature, descents.gradient
