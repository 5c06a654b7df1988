"""A circuit and a spectrum as one least-squares problem: residuals, Jacobian, bounds, one descent.

What a minimum means, and which of several is taken, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import Complex, Parameter, Real
from rig.analysis.impedance_coordinates import Coordinates
from rig.analysis.impedance_start import scale_of, starting_values
from rig.analysis.spectrum import Spectrum
from rig.core.errors import BadInput, Problem

Weights = Literal["modulus", "unit", "proportional"]
Bounds = Mapping[str, tuple[float, float]]
Start = Mapping[str, float] | Sequence[float]

BEYOND_SCALE = 1e6  # default bounds reach this far beyond what the spectrum can show
ALPHA_BOUNDS = (0.3, 1.0)
TIME = Parameter("tau", "s", "time")
AT_BOUND = 1e-3  # of the fitted range: nearer than this a parameter has run into its bound
MOST_STEPS = 100
# A step that lowers the objective by less has nothing left to find but the floor of a flat valley.
SETTLED = 1e-6


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


def limits(circuit: Circuit, spectrum: Spectrum, given: Bounds) -> Real:
    """Return bounds, shape (parameters, 2): given ones, else far beyond what could be seen."""
    limits = np.empty((len(circuit.parameters), 2))
    for row, parameter in zip(limits, circuit.parameters, strict=True):
        low, high = scale_of(parameter, spectrum)
        row[:] = ALPHA_BOUNDS if parameter.exponent else (low / BEYOND_SCALE, high * BEYOND_SCALE)
    problems = []
    for name, (low, high) in given.items():
        position = circuit.position(name)
        limits[position] = low, high
        if not (low < high and (low > 0 or circuit.parameters[position].exponent)):
            problems.append(Problem(f"bounds of {name}", f"got {low:g} to {high:g}"))
    if problems:
        raise BadInput(problems)
    return limits


class CircuitProblem:
    """One least-squares problem. ``limits`` has shape (parameters, 2); ``fixed`` values stay."""

    def __init__(
        self,
        circuit: Circuit,
        spectrum: Spectrum,
        scale: Real,
        bounds: Bounds,
        fixed: Mapping[str, float],
    ) -> None:
        self.circuit, self.spectrum, self.scale = circuit, spectrum, scale
        self.frequency = spectrum.frequency_hertz
        self.limits = limits(circuit, spectrum, bounds)
        self.fixed = {circuit.position(name): value for name, value in fixed.items()}
        self.free = np.array([i for i in range(len(self.limits)) if i not in self.fixed], dtype=int)
        self.coordinates = Coordinates(circuit, {*self.fixed, *map(circuit.position, bounds)})
        self.box = self._box()
        if 2 * len(spectrum) <= len(self.free):
            message = f"got {len(spectrum)} points for {len(self.free)} free parameters"
            raise BadInput(Problem(f"circuit {circuit}", message))

    def _box(self) -> Real:
        """Return the limits of the coordinates, shape (2, parameters)."""
        box = np.array([self.coordinates.own(side) for side in self.limits.T])
        fastest, slowest = scale_of(TIME, self.spectrum)
        span = [[fastest / BEYOND_SCALE], [slowest * BEYOND_SCALE]]
        box[:, self.coordinates.times] = np.log(span)
        return box

    @property
    def data_square(self) -> float:
        """Return the sum of squares of the weighted data: what an objective is small against."""
        return float(np.sum((np.tile(self.spectrum.modulus_ohm, 2) / self.scale) ** 2))

    def starts(self, given: Start | None, count: int) -> list[Real]:
        """Return full sets of values, fixed ones in place, each inside the bounds.

        Raises BadInput for a given value outside its bounds; computed ones are moved inside.
        """
        named = self._named(given)
        self._refuse_outside(named)
        if len(named) == len(self.limits):
            return [np.array([named[i] for i in range(len(self.limits))])]
        found = []
        for values in starting_values(self.circuit, self.spectrum, count):
            start = np.clip(values, *self.limits.T)
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
        theta = np.clip(self.coordinates.of(values), *self.box)

        def placed(free: Real) -> Real:
            theta[self.free] = free
            return theta

        def residuals(free: Real) -> Real:
            return self.residuals(self.coordinates.values(placed(free)))

        def jacobian(free: Real) -> Real:
            now = placed(free)
            by_own = self.own_jacobian(self.coordinates.values(now))
            return self.coordinates.jacobian(by_own, now)[:, self.free]

        found = least_squares(
            residuals,
            theta[self.free],
            jacobian,
            self.box[:, self.free],
            ftol=SETTLED,
            max_nfev=MOST_STEPS,
        )
        if not np.isfinite(found.cost):
            return None
        best = self.coordinates.values(placed(found.x))
        best[list(self.fixed)] = list(self.fixed.values())  # exp(log(value)) is not quite value
        return 2.0 * float(found.cost), best

    def residuals(self, values: Real) -> Real:
        difference = self.circuit.impedance(self.frequency, values) - self.spectrum.impedance_ohm
        return _stacked(difference) / self.scale

    def own_jacobian(self, values: Real) -> Real:
        """Return d residual / d ln(value), or / d value for exponents; (2 points, parameters)."""
        jacobian = self.circuit.impedance_and_jacobian(self.frequency, values)[1]
        by_value = _stacked(jacobian) / self.scale[:, None]
        by_own: Real = by_value * np.where(self.coordinates.logarithmic, values, 1.0)
        return by_own

    def at_bound(self, values: Real) -> NDArray[np.bool_]:
        """Scale quantities that ran into a bound say nothing; an alpha of 1 is a capacitor."""
        low, high = self.box
        share = (self.coordinates.of(values) - low) / (high - low)
        near_edge = (share < AT_BOUND) | (share > 1.0 - AT_BOUND)
        stuck: NDArray[np.bool_] = self.coordinates.logarithmic & near_edge
        return stuck
