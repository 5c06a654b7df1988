"""A circuit and a spectrum as one least-squares problem: residuals, Jacobian, bounds, one descent.

Scale quantities are fitted as logarithms, exponents as they are, all inside bounds by the sine
transformation (as MINUIT does), so that the plain Levenberg-Marquardt of MINPACK can be used with
the exact Jacobian: several times faster than a trust region with bounds, same minimum. What a
minimum means is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import Complex, Real
from rig.analysis.impedance_start import scale_of, starting_values
from rig.analysis.spectrum import Spectrum
from rig.core.errors import BadInput, Problem

Weights = Literal["modulus", "unit", "proportional"]
Bounds = Mapping[str, tuple[float, float]]
Start = Mapping[str, float] | Sequence[float]

BEYOND_SCALE = 1e6  # default bounds reach this far beyond what the spectrum can show
ALPHA_BOUNDS = (0.3, 1.0)
AT_BOUND = 1e-3  # of the fitted range: nearer than this a parameter has run into its bound
MOST_STEPS = 200


def _stacked(impedance: Complex) -> Real:
    """Return real parts first, then imaginary parts."""
    return np.concatenate([impedance.real, impedance.imag])


def scales(spectrum: Spectrum, weights: Weights, known: NDArray[np.float64] | None) -> Real:
    """Return what residuals are divided by, ohm: real parts first, then imaginary parts."""
    modulus = spectrum.modulus_ohm
    if known is not None:
        given = np.asarray(known, dtype=float)
        if given.shape != modulus.shape or not np.all(given > 0):
            message = f"expected {len(spectrum)} positive values, one per point"
            raise BadInput(Problem("standard_uncertainty_ohm", message))
        return np.concatenate([given, given])
    if weights == "modulus":
        return np.concatenate([modulus, modulus])
    if weights == "unit":
        return np.ones(2 * len(spectrum))
    parts: Real = np.abs(_stacked(spectrum.impedance_ohm))
    if weights == "proportional" and np.all(parts > 0):
        return parts
    message = f"got {weights!r}, expected modulus, unit or proportional (no part may be zero)"
    raise BadInput(Problem("weights", message))


def limits(circuit: Circuit, spectrum: Spectrum, given: Bounds | None) -> Real:
    """Return bounds, shape (parameters, 2): given ones, else far beyond what could be seen."""
    limits = np.empty((len(circuit.parameters), 2))
    for row, parameter in zip(limits, circuit.parameters, strict=True):
        low, high = scale_of(parameter, spectrum)
        row[:] = ALPHA_BOUNDS if parameter.exponent else (low / BEYOND_SCALE, high * BEYOND_SCALE)
    problems = []
    for name, (low, high) in (given or {}).items():
        position = circuit.position(name)
        limits[position] = low, high
        if not (low < high and (low > 0 or circuit.parameters[position].exponent)):
            problems.append(Problem(f"bounds of {name}", f"got {low:g} to {high:g}"))
    if problems:
        raise BadInput(problems)
    return limits


class CircuitProblem:
    """One least-squares problem in inner coordinates ``u``: theta = middle + half sin u.

    theta is ln(value) for scale quantities and the value itself for exponents.
    """

    def __init__(
        self,
        circuit: Circuit,
        spectrum: Spectrum,
        scale: Real,
        limits: Real,
        fixed: Mapping[str, float],
    ) -> None:
        self.circuit, self.spectrum, self.scale, self.limits = circuit, spectrum, scale, limits
        self.frequency = spectrum.frequency_hertz
        self.size = float(np.sum((np.tile(spectrum.modulus_ohm, 2) / scale) ** 2))
        self.logarithmic = np.array([not parameter.exponent for parameter in circuit.parameters])
        self.fixed = {circuit.position(name): value for name, value in fixed.items()}
        self.free = np.array([i for i in range(len(limits)) if i not in self.fixed], dtype=int)
        theta = self._theta(limits.T).T
        self.middle, self.half = theta.mean(axis=1), np.diff(theta, axis=1)[:, 0] / 2
        if 2 * len(spectrum) <= len(self.free):
            message = f"got {len(spectrum)} points for {len(self.free)} free parameters"
            raise BadInput(Problem(f"circuit {circuit}", message))

    def _theta(self, values: Real) -> Real:
        return np.where(self.logarithmic, np.log(np.where(self.logarithmic, values, 1.0)), values)

    def starts(self, given: Start | None, count: int) -> list[Real]:
        """Return full sets of values, fixed ones in place, each inside the bounds.

        Raises BadInput for a given value outside its bounds; computed ones are moved inside.
        """
        named = self._named(given)
        self._refuse_outside(named)
        if len(named) == len(self.limits):
            return [np.array([named[i] for i in range(len(self.limits))])]
        inside = self.limits.T * np.where(self.logarithmic, [[1.01], [0.99]], 1.0)
        found = []
        for values in starting_values(self.circuit, self.spectrum, count):
            start = np.clip(values, *inside)
            start[list(named)] = list(named.values())
            found.append(start)
        return found

    def _named(self, given: Start | None) -> dict[int, float]:
        if given is None:
            return dict(self.fixed)
        if isinstance(given, Mapping):
            return {self.circuit.position(k): v for k, v in given.items()} | self.fixed
        if len(given) != len(self.limits):
            expected = f"{len(self.limits)} ({', '.join(self.circuit.names)})"
            message = f"got {len(given)} starting values, expected {expected}"
            raise BadInput(Problem(f"circuit {self.circuit}", message))
        return dict(enumerate(given)) | self.fixed

    def _refuse_outside(self, named: Mapping[int, float]) -> None:
        problems = [
            Problem(
                f"value of {self.circuit.names[i]}",
                f"got {value:g}, expected {self.limits[i, 0]:.3g} to {self.limits[i, 1]:.3g}",
            )
            for i, value in named.items()
            if not self.limits[i, 0] <= value <= self.limits[i, 1]
        ]
        if problems:
            raise BadInput(problems)

    def solve(self, values: Real) -> tuple[float, Real] | None:
        """Run down from ``values``; return (objective, values), or None when it fails."""
        if not len(self.free):
            return float(np.sum(self.residuals(values) ** 2)), values
        sine = (self._theta(values) - self.middle) / self.half
        inner = np.arcsin(np.clip(sine, -1.0, 1.0))[self.free]
        # exactly on a bound the sine is flat and nothing would ever move away from it
        inner = np.clip(inner, -np.pi / 2 + 0.05, np.pi / 2 - 0.05)

        def residuals(u: Real) -> Real:
            return self.residuals(self._outer(u, values))

        def jacobian(u: Real) -> Real:
            outer = self._outer(u, values)
            slope = self.half[self.free] * np.cos(u)
            by_u: Real = self.theta_jacobian(outer)[:, self.free] * slope
            return by_u

        found = least_squares(
            residuals, inner, jacobian, method="lm", x_scale="jac", max_nfev=MOST_STEPS
        )
        if not np.isfinite(found.cost):
            return None
        return 2.0 * float(found.cost), self._outer(found.x, values)

    def _outer(self, inner: Real, values: Real) -> Real:
        theta = self.middle[self.free] + self.half[self.free] * np.sin(inner)
        outer = values.copy()
        outer[self.free] = np.where(self.logarithmic[self.free], np.exp(theta), theta)
        return outer

    def residuals(self, values: Real) -> Real:
        difference = self.circuit.impedance(self.frequency, values) - self.spectrum.impedance_ohm
        return _stacked(difference) / self.scale

    def theta_jacobian(self, values: Real) -> Real:
        """Return d residual / d theta, shape (2 points, parameters)."""
        jacobian = self.circuit.impedance_and_jacobian(self.frequency, values)[1]
        by_value = _stacked(jacobian) / self.scale[:, None]
        by_theta: Real = by_value * np.where(self.logarithmic, values, 1.0)
        return by_theta

    def at_bound(self, values: Real) -> NDArray[np.bool_]:
        """Scale quantities that ran into a bound say nothing; an alpha of 1 is a capacitor."""
        away = np.abs(self._theta(values) - self.middle) / self.half
        stuck: NDArray[np.bool_] = self.logarithmic & (away > 1.0 - AT_BOUND)
        return stuck
