"""How well the data hold each value: covariances and intervals, in bowls and in long valleys.

Around a minimum that is a bowl the curvature says it all. Where the sum of squares is a bent valley
or has several hollows (``impedance_valley``), every point of its floor stands for a part of what
the noise allows, weighted by its likelihood: the covariance is then the second moment about the
reported values, floor and width across it together, and an interval is the range that the valley
has below the rise belonging to it, which is the profile likelihood's. Knows no optimiser.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, stdtrit

from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_minima import Minima, put_in_order
from rig.analysis.impedance_problem import CircuitProblem
from rig.analysis.impedance_valley import Valleys, noise_variance

BETWEEN = 4  # points looked at between two of a floor
Intervals = Literal["curvature", "profile"]
FLATTEST = 1e-15  # of the steepest direction: what the data do not touch is at least that flat


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """Of every spectrum's values: covariance (spectra, p, p), errors and 95 % ends (spectra, p).

    ``errors`` are standard errors, nowhere less than what an interval's longer side asks for.
    ``student`` (spectra,) is how many of them make half an interval of a bowl, ``bowl`` (spectra,)
    where the curvature says it all, ``method`` where the intervals are from.
    """

    covariance: Real
    errors: Real
    low: Real
    high: Real
    student: Real
    bowl: NDArray[np.bool_]
    method: Intervals = "curvature"


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Values (n, p) on spectra ``rows`` with errors and the root of their rise in variances."""

    rows: NDArray[np.int_]
    values: Real
    errors: Real
    root: Real


def uncertainties(
    problem: CircuitProblem, minima: Minima, valleys: Valleys | None, others: Sequence[Real]
) -> Uncertainty:
    """Return how well the values of ``minima`` are held; ``others`` are each spectrum's rivals."""
    variance = noise_variance(problem, minima.objective)
    everything = np.arange(len(minima.values))
    covariance = covariances(problem, minima, everything, variance)
    freedom = problem.counts - len(problem.free)
    many = np.inf if problem.known else freedom
    student: Real = stdtrit(np.minimum(many, 1e9), 0.975) + 0.0 * freedom
    errors = np.sqrt(np.einsum("nii->ni", covariance))
    low, high = even_intervals(problem, minima.values, errors, student[:, None])
    found = Uncertainty(covariance, errors, low, high, student, student > 0)
    if valleys is not None:
        _take_in_valleys(problem, minima, valleys, found, variance)
    if any(map(len, others)):
        _take_in_rivals(problem, minima, others, found, variance)
    bent = ~found.bowl
    longer = np.maximum(found.high - minima.values, minima.values - found.low)[bent]
    moments = np.sqrt(np.einsum("nii->ni", covariance[bent]))
    errors[bent] = np.maximum(moments, longer / student[bent][:, None])
    return found


def _take_in_rivals(
    problem: CircuitProblem,
    minima: Minima,
    others: Sequence[Real],
    found: Uncertainty,
    variance: Real,
) -> None:
    """Widen what the intervals do not hold yet: each rival counts by its likelihood."""
    rows = np.repeat(np.arange(len(others)), [len(one) for one in others])
    values = np.concatenate(others)
    outside = ((values < found.low[rows]) | (values > found.high[rows])).any(axis=1)
    rows, values = rows[outside], values[outside]
    if not rows.size:
        return
    theta = problem.coordinates.of(values)[:, problem.free]
    objective, gradient, curvature = problem.evaluate(theta, rows)
    points = Minima.of(values, objective, curvature, gradient)
    covariance = covariances(problem, points, rows, variance[rows])
    root = np.sqrt(np.maximum(objective - minima.objective[rows], 0.0) / variance[rows])
    weight = np.exp(-0.5 * root**2)
    share = weight / (1.0 + np.bincount(rows, weight, len(others))[rows])
    best = minima.values[rows]
    spread = _about(problem, best, values, covariance) - found.covariance[rows]
    np.add.at(found.covariance, rows, share[:, None, None] * spread)
    errors = np.sqrt(np.einsum("nii->ni", covariance))
    _widen(problem, found, _Points(rows, values, errors, root))
    found.bowl[rows] = False


def even_intervals(
    problem: CircuitProblem, values: Real, errors: Real, times: Real
) -> tuple[Real, Real]:
    """Return values less and more ``times`` errors: even in the logarithm, for exponents as they are."""
    logarithmic = problem.coordinates.logarithmic
    wide = times * errors
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        factor = np.exp(wide / values)
    low = np.where(logarithmic, values / factor, values - wide)
    return low, np.where(logarithmic, values * factor, values + wide)


def _take_in_valleys(
    problem: CircuitProblem,
    minima: Minima,
    valleys: Valleys,
    found: Uncertainty,
    variance: Real,
) -> None:
    """Replace in ``found`` what the curvature says of spectra with valleys by what the valley says."""
    reached = np.isfinite(valleys.objective) & (valleys.width > 0)
    which, _ = np.nonzero(reached)
    rows = valleys.rows[which]
    points = Minima.of(
        problem.placed(valleys.theta[reached]),
        valleys.objective[reached],
        valleys.curvature[reached],
        valleys.gradient[reached],
    )
    put_in_order(problem, points)
    across = covariances(problem, points, rows, variance[rows])
    rise = np.maximum(points.objective - minima.objective[rows], 0.0) / variance[rows]
    share = np.exp(-0.5 * rise) * valleys.width[reached]
    share /= np.bincount(which, share)[which]
    spread = _about(problem, minima.values[rows], points.values, across)
    moment = np.zeros((len(valleys.rows), *spread.shape[1:]))
    np.add.at(moment, which, share[:, None, None] * spread)
    found.covariance[valleys.rows] = moment
    found.bowl[valleys.rows] = False
    found.low[valleys.rows] = found.high[valleys.rows] = minima.values[valleys.rows]
    errors = np.sqrt(np.einsum("nii->ni", across))
    here = _Points(rows, points.values, errors, np.sqrt(rise))
    for one in (here, *_between(problem, here)):
        _widen(problem, found, one)


def _widen(problem: CircuitProblem, found: Uncertainty, points: _Points) -> None:
    """Take into the intervals what the points still allow."""
    student = found.student[points.rows]
    inside = points.root < student
    spare = np.sqrt(student[inside] ** 2 - points.root[inside] ** 2)[:, None]
    low, high = even_intervals(problem, points.values[inside], points.errors[inside], spare)
    np.minimum.at(found.low, points.rows[inside], low)
    np.maximum.at(found.high, points.rows[inside], high)


def _between(problem: CircuitProblem, points: _Points) -> Iterator[_Points]:
    """Yield some points between neighbours on a floor.

    The root of the rise is nearly straight along it, which the rise is not (Bates and Watts,
    Nonlinear Regression Analysis, Wiley 1988, ch. 6).
    """
    first = np.flatnonzero(points.rows[1:] == points.rows[:-1])
    logarithmic = problem.coordinates.logarithmic
    own = problem.coordinates.own(points.values)
    for share in np.arange(1, BETWEEN + 1) / (BETWEEN + 1):
        there, errors, root = (
            (1.0 - share) * of[first] + share * of[first + 1]
            for of in (own, points.errors, points.root)
        )
        values = np.where(logarithmic, np.exp(there), there)
        yield _Points(points.rows[first], values, errors, root)


def _about(problem: CircuitProblem, best: Real, values: Real, covariance: Real) -> Real:
    """Return second moments about ``best`` of points at ``values`` with their own ``covariance``.

    Resistances and exponents by themselves, so that sums of resistances come out right over a long
    valley; what changes over decades by its logarithm.
    """
    plain = np.array([p.kind in {"resistance", "alpha"} for p in problem.circuit.parameters])
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(plain, values - best, best * np.log(values / best))
        turn = np.where(plain, 1.0, best / values)
    return np.asarray(
        turn[:, :, None] * covariance * turn[:, None, :] + far[:, :, None] * far[:, None, :]
    )


def covariances(
    problem: CircuitProblem, minima: Minima, rows: NDArray[np.int_], variance: Real
) -> Real:
    """Return the covariance of values on spectra ``rows``; fixed and bound-stuck ones have none.

    Directions that the data do not touch get a huge variance, not the zero of a pseudo-inverse.
    """
    count, size = minima.values.shape
    free = problem.free
    covariance = np.zeros((count, size, size))
    if not len(free):
        return covariance
    stuck = problem.at_bound(minima.values, rows)[:, free]
    norms = np.sqrt(np.maximum(np.einsum("nii->ni", minima.curvature), np.finfo(float).tiny))
    scaled = minima.curvature / (norms[:, :, None] * norms[:, None, :])
    scaled[stuck[:, :, None] | stuck[:, None, :]] = 0.0
    np.einsum("nii->ni", scaled)[stuck] = 1.0
    steepness, axes = np.linalg.eigh(scaled)
    steepness = np.maximum(steepness, FLATTEST * steepness[:, -1:])
    inverse = (axes / steepness[:, None, :]) @ axes.mT
    inverse[stuck[:, :, None] | stuck[:, None, :]] = 0.0
    gradient = np.where(stuck, 0.0, minima.gradient / norms)
    room = _room(problem, minima.values, rows) * norms
    _narrow_at_bounds(inverse, gradient, np.sqrt(variance), room)
    theta = problem.coordinates.of(minima.values)
    turn = problem.coordinates.slopes(theta, minima.values)[:, :, free] / norms[:, None, :]
    return np.asarray(variance[:, None, None] * (turn @ inverse @ turn.mT))


def _room(problem: CircuitProblem, values: Real, rows: NDArray[np.int_]) -> Real:
    """Return how far free exponents (spectra, free) are below their upper bounds; else infinite."""
    room = problem.limits[rows][:, problem.free, 1] - values[:, problem.free]
    return np.where(problem.coordinates.logarithmic[problem.free], np.inf, np.maximum(room, 0.0))


def _narrow_at_bounds(inverse: Real, gradient: Real, noise: Real, room: Real) -> None:
    """Take from the covariance what an exponent's upper bound itself says: the truth is not beyond.

    The true exponent, below its bound and as likely anywhere, is a truncated normal. Its second
    moment about the estimate replaces the variance, and what is correlated follows. At the bound
    the normal's centre is where the exponent would go if it were free. Without this, intervals of
    spectra with alpha near 1 hold the truth in 98 of 100 instead of 95.
    """
    for at in np.flatnonzero(np.isfinite(room).any(axis=0)):
        column = inverse[:, :, at]
        spread = np.sqrt(np.maximum(column[:, at], np.finfo(float).tiny))
        error = spread * np.maximum(noise, 1e-300)
        step = -np.einsum("ni,ni->n", column, gradient)
        beyond = np.clip(np.where(room[:, at] > 0, 0.0, step) / error, 0.0, 30.0)
        space = np.minimum(room[:, at] / error, 30.0)
        moment = 1.0 + beyond**2 - beyond * _hazard(-beyond) - space * _hazard(space)
        share = np.where(column[:, at] > 0, (1.0 - np.maximum(moment, 1e-3)) / spread**2, 0.0)
        inverse -= share[:, None, None] * column[:, :, None] * column[:, None, :]


def _hazard(x: Real) -> Real:
    """Return the normal density over the normal distribution at ``x``, without underflow."""
    return np.asarray(np.exp(-0.5 * x**2 - log_ndtr(x)) / np.sqrt(2.0 * np.pi))
