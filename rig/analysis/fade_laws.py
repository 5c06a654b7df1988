"""Capacity fade laws and their least-squares fit.

    exponential   Q = Q0 exp(-alpha N)
    linear        Q = Q0 - a N
    sqrt          Q = Q0 - a N^0.5       interphase that grows by diffusion
    power         Q = Q0 - a N^b

N is cycles (or hours, or equivalent full cycles: the unit is the caller's), Q any capacity.
Given its one nonlinear parameter each law is linear in the rest, so that one is searched first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from rig.analysis.regression import FloatArray, aicc

_GRID = 60


@dataclass(frozen=True, slots=True)
class Law:
    """Q(n, parameters) and its Jacobian, with n in units of the longest one seen (so of order 1).

    ``shape_range`` bounds the one nonlinear parameter, None where there is none; ``basis(n, shape)``
    are the columns that the other parameters multiply.
    """

    name: str
    parameters: tuple[str, ...]
    units: tuple[str, ...]
    shape_range: tuple[float, float] | None
    basis: Callable[[FloatArray, float], FloatArray]
    value: Callable[[FloatArray, FloatArray], FloatArray]
    # n at which parameters (one column per draw) give a capacity; not a number where never
    crossing: Callable[[FloatArray, FloatArray], FloatArray]
    # how a parameter in scaled n becomes one per cycle: divide by n_max to this power
    powers: Callable[[FloatArray], tuple[float, ...]]


def _exponential(n: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(p[0] * np.exp(-p[1] * n))


def _exponential_crossing(p: FloatArray, capacity: FloatArray) -> FloatArray:
    return np.asarray(np.log(p[0] / capacity) / np.where(p[1] > 0, p[1], np.nan))


def _root_crossing(p: FloatArray, capacity: FloatArray, exponent: float | FloatArray) -> FloatArray:
    fraction = np.maximum(p[0] - capacity, 0.0) / np.where(p[1] > 0, p[1], np.nan)
    return np.asarray(fraction ** (1.0 / exponent))


def _power(n: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(p[0] - p[1] * n ** p[2])


LAWS: tuple[Law, ...] = (
    Law(
        "exponential",
        ("initial_capacity", "alpha"),
        ("Ah", "1/cycle"),
        (-3.0, 8.0),
        lambda n, shape: np.exp(-shape * n)[:, None],
        _exponential,
        _exponential_crossing,
        lambda p: (0.0, 1.0),
    ),
    Law(
        "linear",
        ("initial_capacity", "slope"),
        ("Ah", "Ah/cycle"),
        None,
        lambda n, shape: np.stack([np.ones_like(n), -n], axis=1),
        lambda n, p: np.asarray(p[0] - p[1] * n),
        lambda p, capacity: _root_crossing(p, capacity, 1.0),
        lambda p: (0.0, 1.0),
    ),
    Law(
        "sqrt",
        ("initial_capacity", "slope"),
        ("Ah", "Ah/cycle^0.5"),
        None,
        lambda n, shape: np.stack([np.ones_like(n), -np.sqrt(n)], axis=1),
        lambda n, p: np.asarray(p[0] - p[1] * np.sqrt(n)),
        lambda p, capacity: _root_crossing(p, capacity, 0.5),
        lambda p: (0.0, 0.5),
    ),
    Law(
        "power",
        ("initial_capacity", "factor", "exponent"),
        ("Ah", "Ah/cycle^exponent", "1"),
        (0.2, 5.0),
        lambda n, shape: np.stack([np.ones_like(n), -(n**shape)], axis=1),
        _power,
        lambda p, capacity: _root_crossing(p, capacity, p[2]),
        lambda p: (0.0, float(p[2]), 0.0),
    ),
)


@dataclass(frozen=True, slots=True)
class LawFit:
    """A fitted law; ``scaled`` parameters belong to n = N / n_max, ``parameters`` to N itself."""

    law: Law
    scaled: FloatArray
    unscaled_covariance: FloatArray
    jacobian: FloatArray
    residual: FloatArray
    n_max: float
    aicc: float

    @property
    def parameters(self) -> FloatArray:
        return self.scaled / self._factors()

    @property
    def standard_errors(self) -> FloatArray:
        """Naive standard errors: right only where the residuals are uncorrelated."""
        variance = float(self.residual @ self.residual) / self.degrees_of_freedom
        return np.sqrt(np.diag(self.unscaled_covariance) * variance) / self._factors()

    @property
    def degrees_of_freedom(self) -> int:
        return self.residual.size - self.scaled.size

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(self.residual**2)))

    @property
    def lag_one_autocorrelation(self) -> float:
        """Correlation of each residual with the one before; 0 where they are rounding only."""
        centred = self.residual - self.residual.mean()
        total = float(centred @ centred)
        if total <= (1e-9 * abs(self.scaled[0])) ** 2 * centred.size:
            return 0.0
        return float(centred[1:] @ centred[:-1]) / total

    def at(self, cycles: FloatArray) -> FloatArray:
        return self.law.value(cycles / self.n_max, self.scaled)

    def crossing(self, capacity: float) -> float | None:
        """Return the N where the law falls to ``capacity``; None where it never does."""
        n = float(self.law.crossing(self.scaled[:, None], np.array([capacity]))[0])
        return max(n, 0.0) * self.n_max if math.isfinite(n) else None

    def bootstrap_crossings(
        self, capacity: float, block: int, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        """Draw crossings by a moving-block bootstrap of the residuals; nan where never.

        Parameters move by one Gauss-Newton step per draw. A residual is added to the threshold, so
        the spread is that of the cycle at which a *measured* capacity passes it.
        """
        size = self.residual.size
        scale = math.sqrt(size / self.degrees_of_freedom)
        pool = (self.residual - self.residual.mean()) * scale
        starts = rng.integers(0, size - block + 1, size=(draws, -(-size // block)))
        index = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :size]
        shift = self.unscaled_covariance @ self.jacobian.T @ pool[index].T
        threshold = capacity - rng.choice(pool, size=draws)
        with np.errstate(over="ignore", invalid="ignore"):
            crossings = self.law.crossing(self.scaled[:, None] + shift, threshold)
        return np.maximum(crossings, 0.0) * self.n_max

    def _factors(self) -> FloatArray:
        return np.asarray(self.n_max ** np.array(self.law.powers(self.scaled)))


def fit_law(law: Law, cycles: FloatArray, capacity: FloatArray) -> LawFit:
    """Fit one law in Q by nonlinear least squares."""
    n_max = float(cycles.max())
    n = cycles / n_max
    start = _start(law, n, capacity)

    def residual(p: FloatArray) -> FloatArray:
        return np.asarray(law.value(n, p) - capacity)

    found = least_squares(
        residual,
        start,
        jac="3-point",
        bounds=_bounds(law),
        x_scale=np.maximum(np.abs(start), 1e-3),
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
    )
    jacobian = np.asarray(found.jac, dtype=np.float64)
    return LawFit(
        law=law,
        scaled=np.asarray(found.x, dtype=np.float64),
        unscaled_covariance=np.asarray(np.linalg.pinv(jacobian.T @ jacobian), np.float64),
        jacobian=jacobian,
        residual=-residual(found.x),
        n_max=n_max,
        aicc=aicc(2.0 * float(found.cost), n.size, len(law.parameters) + 1),
    )


def log_linear(cycles: FloatArray, capacity: FloatArray) -> tuple[float, float]:
    """Return (Q0, alpha) of a straight line through ln Q: quick, but it overweights low capacities."""
    slope, intercept = np.polyfit(cycles, np.log(capacity), 1)
    return math.exp(intercept), -float(slope)


def exponential_rate(first_capacity: float, last_capacity: float, cycles: float) -> float:
    """Return alpha per cycle from two end points, -ln(Q_N/Q_0)/N; two points select no law.

    >>> round(exponential_rate(823.0, 823.0 * 0.802, 25_000) * 1e6, 5)
    8.82587
    """
    return -math.log(last_capacity / first_capacity) / cycles


def _start(law: Law, n: FloatArray, capacity: FloatArray) -> FloatArray:
    """Best of a grid over the nonlinear parameter, the linear ones solved exactly."""
    if law.shape_range is None:
        return np.asarray(np.linalg.lstsq(law.basis(n, 0.0), capacity, rcond=None)[0], np.float64)
    trials = []
    for shape in np.linspace(*law.shape_range, _GRID):
        basis = law.basis(n, float(shape))
        linear = np.linalg.lstsq(basis, capacity, rcond=None)[0]
        cost = float(((basis @ linear - capacity) ** 2).sum())
        trials.append((cost, [*linear, float(shape)]))
    return np.array(min(trials)[1])


def _bounds(law: Law) -> tuple[FloatArray, FloatArray]:
    lower = np.full(len(law.parameters), -np.inf)
    upper = np.full(len(law.parameters), np.inf)
    if law.name == "power" and law.shape_range is not None:
        margin = 1e-6
        lower[-1], upper[-1] = law.shape_range[0] - margin, law.shape_range[1] + margin
    return lower, upper
