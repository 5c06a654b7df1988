"""Intervals from the profile likelihood: for each quantity, how far it can go before the data object.

The quantity is held, everything else is fitted again, and the value is sought where the sum of
squares has risen as far as noise explains (Venzon and Moolgavkar, Appl. Statist. 37, 87 (1988)). The
two sides are found each for itself: an interval may be lopsided, and open where the data only bound
the quantity from one side. Dearer than the curvature by the fits that it takes: for who asks.

Knows no names of parameters and no reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_descent import Descents
from rig.analysis.impedance_minima import Minima
from rig.analysis.impedance_problem import CircuitProblem
from rig.analysis.impedance_valley import noise_variance

MOST_POINTS = 20  # on the way out, each a fit of everything else
STEPS = 20  # of descent for each
CLOSE = 0.02  # of the root of the rise that is sought: near enough
OPEN = np.log(1e6)  # from the best value: who gets so far has no end on this side
SMALLEST, GREATEST = 1e-3, 1.5  # first step, longest step
STIFF = 400.0  # variances that missing the wanted value by one step costs


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """Sums of values whose ends are sought: ``shares`` (n, p) of the values of spectra ``rows``.

    They move by their logarithm where ``logarithmic`` (n,), else as they are.
    """

    rows: NDArray[np.int_]
    shares: Real
    logarithmic: NDArray[np.bool_]

    def of(self, values: Real, which: NDArray[np.int_]) -> Real:
        """Return what ``which`` of the quantities are for ``values`` (len(which), p)."""
        plain = np.einsum("ni,ni->n", self.shares[which], values)
        logarithmic = self.logarithmic[which]
        return np.asarray(np.where(logarithmic, np.log(np.maximum(plain, 1e-300)), plain))

    def slopes(self, values: Real, by_theta: Real, which: NDArray[np.int_]) -> Real:
        """Return d quantity / d coordinate, (len(which), free), of d value / d coordinate."""
        plain = np.einsum("ni,ni->n", self.shares[which], values)
        scale = np.where(self.logarithmic[which], 1.0 / np.maximum(plain, 1e-300), 1.0)
        return np.asarray(scale[:, None] * np.einsum("ni,nij->nj", self.shares[which], by_theta))


@dataclass(slots=True, eq=False)
class _Side:
    """One way out for every quantity: the last point inside, the first outside, if any."""

    sign: float
    inner: Real
    inner_root: Real
    outer: Real
    outer_root: Real
    theta: Real
    step: Real
    end: Real


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Quantities ``at`` with everything else fitted again: coordinates, values, roots of the rise."""

    at: NDArray[np.int_]
    wanted: Real
    theta: Real
    reached: Real
    root: Real


class Profile:
    """Profile likelihoods of ``quantities`` about ``theta`` (n, free), one for each.

    ``objective`` (n,) is the lowest, which the rise counts from, ``variance`` (n,) the noise's,
    ``errors`` (n,) are the quantities' standard errors by the curvature, ``root`` (n,) is the root
    of the rise in variances at which an interval ends.
    """

    def __init__(
        self,
        problem: CircuitProblem,
        quantities: Quantities,
        theta: Real,
        *,
        objective: Real,
        variance: Real,
        errors: Real,
        root: Real,
    ) -> None:
        self._problem, self._quantities = problem, quantities
        self._theta, self._objective, self._variance = theta, objective, variance
        self._errors, self._root = errors, root
        rows = quantities.rows
        self._box = tuple(side[rows][:, problem.free] for side in problem.box)
        everything = np.arange(len(rows))
        self.best = quantities.of(problem.placed(theta), everything)
        self._begin = self._rise_root(everything, problem.evaluate(theta, rows)[0])

    def ends(self) -> tuple[Real, Real]:
        """Return both ends in the quantities' own units: 0 or infinite where a side is open."""
        low, high = (self._end(side) for side in (-1.0, 1.0))
        logarithmic = self._quantities.logarithmic
        with np.errstate(over="ignore"):
            both = [np.where(logarithmic, np.exp(one), one) for one in (low, high)]
        return both[0], both[1]

    def _end(self, sign: float) -> Real:
        first = np.clip(0.7 * self._root * self._errors, SMALLEST, GREATEST)
        nothing = np.full(len(first), np.nan)
        side = _Side(
            sign,
            self.best.copy(),
            self._begin.copy(),
            nothing.copy(),
            nothing.copy(),
            self._theta.copy(),
            first,
            nothing.copy(),
        )
        going = np.arange(len(first))
        for _ in range(MOST_POINTS):
            self._take(side, self._held(side, going, self._next(side, going)))
            going = going[np.isnan(side.end[going])]
            if not going.size:
                break
        side.end[going] = self._between(side, going)
        return side.end

    def _between(self, side: _Side, at: NDArray[np.int_]) -> Real:
        """Return where the straight root of the rise crosses what is sought; nan without an outer."""
        share = (self._root[at] - side.inner_root[at]) / (side.outer_root[at] - side.inner_root[at])
        crossing = side.inner[at] + share * (side.outer[at] - side.inner[at])
        return np.where(np.isnan(side.outer[at]), side.inner[at], crossing)

    def _next(self, side: _Side, at: NDArray[np.int_]) -> Real:
        ahead = side.inner[at] + side.sign * side.step[at]
        return np.where(np.isnan(side.outer[at]), ahead, self._between(side, at))

    def _take(self, side: _Side, new: _Held) -> None:
        """End those that have come to their end, and put the others' points into their places."""
        at, sought = new.at, self._root[new.at]
        way, asked = (side.sign * (one - side.inner[at]) for one in (new.reached, new.wanted))
        inside = new.root < sought
        near = np.abs(new.root - sought) < CLOSE * sought
        stuck = inside & (way < 0.5 * asked)  # at a bound
        side.end[at[near | stuck]] = new.reached[near | stuck]
        far = np.abs(new.reached - self.best[at]) > OPEN
        endless = (inside & far) | ((near | stuck) & self._at_edge(new))
        endless &= self._quantities.logarithmic[at]
        side.end[at[endless]] = side.sign * np.inf
        slope = (new.root - side.inner_root[at]) / np.maximum(way, 1e-12)
        more = (1.05 * sought - new.root) / np.maximum(slope, 1e-12)
        into, out = at[inside], at[~inside]
        previous = side.step[into]
        side.step[into] = np.clip(more[inside], 0.5 * previous, np.minimum(3 * previous, GREATEST))
        side.inner[into], side.inner_root[into] = new.reached[inside], new.root[inside]
        side.theta[into] = new.theta[inside]
        side.outer[out], side.outer_root[out] = new.reached[~inside], new.root[~inside]

    def _at_edge(self, new: _Held) -> NDArray[np.bool_]:
        """Return what has come to the end of a scale that nobody set: the box is not the data's.

        What stood there from the beginning counts for its own sums only.
        """
        problem, free = self._problem, self._problem.free
        low, high = (side[new.at] for side in self._box)
        begin = self._theta[new.at]
        ours = problem.coordinates.logarithmic[free] & ~np.isin(free, list(problem.named))
        own = self._quantities.shares[new.at][:, free] > 0
        new_there = ((begin > low) & (begin < high)) | own
        edge = (new.theta <= low) | (new.theta >= high)
        return np.asarray((edge & new_there & ours).any(axis=1))

    def _held(self, side: _Side, at: NDArray[np.int_], wanted: Real) -> _Held:
        problem, quantities = self._problem, self._quantities
        rows = quantities.rows[at]
        stiff = STIFF * self._variance[at] / np.maximum(np.abs(wanted - side.inner[at]), 1e-6) ** 2

        def evaluate(theta: Real, which: NDArray[np.int_]) -> tuple[Real, Real, Real]:
            objective, gradient, curvature = problem.evaluate(theta, rows[which])
            off, slopes = self._off(theta, at[which], wanted[which])
            k = stiff[which]
            gradient = gradient + (k * off)[:, None] * slopes
            bent = k[:, None, None] * slopes[:, :, None] * slopes[:, None, :]
            return objective + k * off**2, gradient, curvature + bent

        low, high = (one[at] for one in self._box)
        numbers = np.arange(len(at))
        descents = Descents(evaluate, side.theta[at], numbers, (low, high), np.zeros(len(at)))
        descents.advance(STEPS)
        off, _ = self._off(descents.theta, at, wanted)
        root = self._rise_root(at, descents.objective - stiff * off**2)
        return _Held(at, wanted, descents.theta, wanted + off, root)

    def _rise_root(self, at: NDArray[np.int_], objective: Real) -> Real:
        rise = (objective - self._objective[at]) / self._variance[at]
        return np.asarray(np.sqrt(np.maximum(rise, 0.0)))

    def _off(self, theta: Real, at: NDArray[np.int_], wanted: Real) -> tuple[Real, Real]:
        """Return how far the quantities are beyond ``wanted``, and their slopes."""
        problem, quantities = self._problem, self._quantities
        values = problem.placed(theta)
        by_theta = problem.coordinates.slopes(problem.whole(theta, values), values)
        slopes = quantities.slopes(values, by_theta[:, :, problem.free], at)
        return quantities.of(values, at) - wanted, slopes


def profile_intervals(
    problem: CircuitProblem,
    minima: Minima,
    others: Sequence[Real],
    *,
    shares: Real,
    errors: Real,
    root: Real,
) -> tuple[Real, Real]:
    """Return ends (spectra, quantities) of intervals of ``shares`` (quantities, p) of the values.

    The ways out begin at the minima and at ``others``, each spectrum's rivals. ``errors`` (spectra,
    quantities) are the curvature's; ``root`` (spectra,) is how many of them make half an interval
    of a bowl. 0 or infinite where the data bound a quantity from one side only.
    """
    rows = np.repeat(np.arange(len(others)), [1 + len(one) for one in others])
    both = zip(minima.values, others, strict=True)
    values = np.concatenate([np.vstack([one[None], more]) for one, more in both])
    many = len(shares)
    logarithmic = np.array([bool(problem.coordinates.logarithmic[one > 0].all()) for one in shares])
    each = np.repeat(rows, many)
    quantities = Quantities(each, np.tile(shares, (len(rows), 1)), np.tile(logarithmic, len(rows)))
    scale = np.where(logarithmic, np.maximum(minima.values @ shares.T, 1e-300), 1.0)
    low, high = Profile(
        problem,
        quantities,
        problem.coordinates.of(np.repeat(values, many, axis=0))[:, problem.free],
        objective=minima.objective[each],
        variance=noise_variance(problem, minima.objective)[each],
        errors=(errors / scale)[rows].ravel(),
        root=root[each],
    ).ends()
    lowest, highest = np.full((len(others), many), np.inf), np.full((len(others), many), -np.inf)
    np.minimum.at(lowest, rows, low.reshape(-1, many))
    np.maximum.at(highest, rows, high.reshape(-1, many))
    return lowest, highest
