"""Weighted linear least squares and AICc: the arithmetic under the Arrhenius and fade fits.

Arrays in, frozen results out. Knows no physics: what x and y mean is the caller's business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# No measured logarithm is better than this; it keeps noise-free data from making every AICc -inf.
_RESIDUAL_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Solution:
    """A solved linear model ``y = design @ coefficients``.

    ``unscaled`` is (A^T W A)^-1; ``covariance`` is that, times the residual variance when the
    errors of y were not known beforehand.
    """

    coefficients: FloatArray
    unscaled: FloatArray
    chi_squared: float
    n: int
    known_errors: bool

    @property
    def degrees_of_freedom(self) -> int:
        return self.n - self.coefficients.size

    @property
    def reduced_chi_squared(self) -> float:
        """Chi squared over degrees of freedom; the residual variance when errors are unknown."""
        return self.chi_squared / self.degrees_of_freedom if self.degrees_of_freedom else math.nan

    @property
    def covariance(self) -> FloatArray:
        return self.unscaled if self.known_errors else self.unscaled * self.reduced_chi_squared


def solve(design: FloatArray, y: FloatArray, uncertainty: FloatArray | None) -> Solution:
    """Solve by weights 1/u^2 (u = 1 where ``uncertainty`` is None, covariance then from residuals).

    Works on columns scaled to unit length, so 1/(kT) and ones condition alike.
    """
    u = np.ones_like(y) if uncertainty is None else uncertainty
    weighted = design / u[:, None]
    length = np.sqrt((weighted**2).sum(axis=0))
    scaled = weighted / length
    solution, *_ = np.linalg.lstsq(scaled, y / u, rcond=None)
    inverse = np.linalg.pinv(scaled.T @ scaled) / np.outer(length, length)
    coefficients = solution / length
    residual = (y - design @ coefficients) / u
    return Solution(
        coefficients, inverse, float(residual @ residual), y.size, uncertainty is not None
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line, kept at its centre of weight, where value and slope are uncorrelated."""

    centre: float
    solution: Solution

    @property
    def slope(self) -> float:
        return float(self.solution.coefficients[1])

    @property
    def slope_error(self) -> float:
        return math.sqrt(self.solution.covariance[1, 1])

    @property
    def intercept(self) -> float:
        return float(self.at(np.zeros(1))[0])

    @property
    def intercept_error(self) -> float:
        return float(self.error_at(np.zeros(1))[0])

    @property
    def degrees_of_freedom(self) -> int:
        return self.solution.degrees_of_freedom

    @property
    def reduced_chi_squared(self) -> float:
        return self.solution.reduced_chi_squared

    @property
    def covariance(self) -> FloatArray:
        """Covariance of (intercept, slope) at x = 0, from the centred one."""
        shift = np.array([[1.0, -self.centre], [0.0, 1.0]])
        return np.asarray(shift @ self.solution.covariance @ shift.T)

    def at(self, x: FloatArray) -> FloatArray:
        return np.asarray(self.solution.coefficients[0] + self.slope * (x - self.centre))

    def predict(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return value and standard error at x."""
        return self.at(x), self.error_at(x)

    def error_at(self, x: FloatArray) -> FloatArray:
        """Standard error of the line itself at x, sqrt(x0^T C x0); widens away from the data."""
        basis = np.stack([np.ones_like(x), x - self.centre])
        return np.asarray(np.sqrt(np.einsum("ij,ik,kj->j", basis, self.solution.covariance, basis)))


def fit_line(x: FloatArray, y: FloatArray, uncertainty: FloatArray | None = None) -> Line:
    """Fit y = a + b x, centred on the weighted mean of x.

    >>> round(fit_line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])).slope, 9)
    2.0
    """
    weights = np.ones_like(x) if uncertainty is None else 1.0 / uncertainty**2
    centre = float(np.average(x, weights=weights))
    return Line(centre, solve(np.stack([np.ones_like(x), x - centre], axis=1), y, uncertainty))


def aicc(chi_squared: float, n: int, parameters: int) -> float:
    """Small-sample Akaike criterion, n ln(chi2/n) + 2p + 2p(p+1)/(n-p-1); infinite if n <= p + 1.

    ``parameters`` counts the variance. Differences between models of the same data mean something,
    the number itself does not.
    """
    if n - parameters - 1 <= 0:
        return math.inf
    mean_square = max(chi_squared / n, _RESIDUAL_FLOOR**2)
    correction = 2.0 * parameters * (parameters + 1) / (n - parameters - 1)
    return n * math.log(mean_square) + 2.0 * parameters + correction


def cook_distances(
    x: FloatArray, y: FloatArray, line: Line, uncertainty: FloatArray | None
) -> FloatArray:
    """Cook's distance of every point from the line: how far the fit moves when it is left out."""
    u = np.ones_like(x) if uncertainty is None else uncertainty
    basis = np.stack([np.ones_like(x), x - line.centre], axis=1) / u[:, None]
    leverage = np.einsum("ij,jk,ik->i", basis, line.solution.unscaled, basis)
    residual = (y - line.at(x)) / u
    variance = max(line.solution.reduced_chi_squared, _RESIDUAL_FLOOR**2)
    left = np.maximum(1.0 - leverage, 1e-12)
    return np.asarray(residual**2 * leverage / (2.0 * variance * left**2))
