"""A circuit and spectra as least-squares problems: residuals, their slopes, weights, bounds.

Many spectra at once, each with its own weights and bounds; frequencies common to all, or each
spectrum's own with the shorter ones filled up by points of no weight. What a minimum means, and
which of several is taken, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import Complex, Parameter, Real
from rig.analysis.impedance_coordinates import Coordinates
from rig.analysis.spectrum import Spectrum
from rig.core.errors import BadInput, Problem

Weights = Literal["modulus", "unit", "proportional"]
Bounds = Mapping[str, tuple[float, float]]
Start = Mapping[str, float] | Sequence[float]

BEYOND_SCALE = 1e6  # default bounds reach this far beyond what the spectrum can show
ALPHA_BOUNDS = (0.3, 1.0)
TIME = Parameter("tau", "s", "time")
AT_BOUND = 1e-3  # of the fitted range: nearer than this a parameter has run into its bound
TOGETHER = 64  # problems in one go: more, and their arrays leave the processor's cache


def scales(spectrum: Spectrum, weights: Weights, known: NDArray[np.float64] | None) -> Real:
    """Return what residuals are divided by, ohm, shape (points, 2): real and imaginary part."""
    modulus = spectrum.modulus_ohm
    if known is not None:
        given = np.asarray(known, dtype=float)
        if given.shape != modulus.shape or not np.all(given > 0):
            message = f"expected {len(spectrum)} positive values, one per point"
            raise BadInput(Problem("standard_uncertainty_ohm", message))
        return np.stack([given, given], axis=-1)
    if weights == "modulus":
        return np.stack([modulus, modulus], axis=-1)
    if weights == "unit":
        return np.ones((len(spectrum), 2))
    parts: Real = np.abs(_parts(spectrum.impedance_ohm).reshape(-1, 2))
    if weights == "proportional" and np.all(parts > 0):
        return parts
    message = f"got {weights!r}, expected modulus, unit or proportional (no part may be zero)"
    raise BadInput(Problem("weights", message))


def scale_of(parameter: Parameter, spectrum: Spectrum) -> tuple[float, float]:
    """Return the smallest and largest value that could leave a trace in this spectrum."""
    low, high = scales_of(parameter, windows([spectrum]))[0].tolist()
    return low, high


def windows(spectra: Sequence[Spectrum]) -> Real:
    """Return lowest and highest |Z| in ohm and omega in radian per second, (spectra, 4)."""
    found = []
    for one in spectra:
        ohm, hertz = one.modulus_ohm, one.frequency_hertz
        found.append((ohm.min(), ohm.max(), hertz.min(), hertz.max()))
    return np.array(found) * [1.0, 1.0, 2 * np.pi, 2 * np.pi]


def scales_of(parameter: Parameter, windows: Real) -> Real:
    """Return the smallest and largest value that could leave a trace, (spectra, 2)."""
    low_z, high_z, low_w, high_w = windows.T
    ends = {
        "resistance": lambda: (low_z, high_z),
        "capacitance": lambda: (1.0 / (high_w * high_z), 1.0 / (low_w * low_z)),
        "inductance": lambda: (low_z / high_w, high_z / low_w),
        "time": lambda: (1.0 / high_w, 1.0 / low_w),
        "warburg": lambda: (low_z * low_w**0.5, high_z * high_w**0.5),
        "alpha": lambda: (0.0 * low_w + 0.5, 0.0 * low_w + 1.0),
    }[parameter.kind]()
    return np.stack(ends, axis=-1)


def limits(circuit: Circuit, windows: Real, given: Bounds) -> Real:
    """Return bounds, shape (spectra, parameters, 2): given, else far beyond what could be seen."""
    limits = np.empty((len(windows), len(circuit.parameters), 2))
    for i, parameter in enumerate(circuit.parameters):
        limits[:, i] = scales_of(parameter, windows) * [1.0 / BEYOND_SCALE, BEYOND_SCALE]
        if parameter.exponent:
            limits[:, i] = ALPHA_BOUNDS
    problems = []
    for name, (low, high) in given.items():
        position = circuit.position(name)
        limits[:, position] = low, high
        if not (low < high and (low > 0 or circuit.parameters[position].exponent)):
            problems.append(Problem(f"bounds of {name}", f"got {low:g} to {high:g}"))
    if problems:
        raise BadInput(problems)
    return limits


class CircuitProblem:
    """One circuit on many spectra. ``limits`` has shape (spectra, parameters, 2).

    ``fixed`` values stay, the same in all spectra. ``known``: the scales are standard
    uncertainties, one array per spectrum. ``in_order``: like arcs are known by their time constants
    and come out in that order. Raises BadInput for what cannot be fitted.
    """

    def __init__(
        self,
        circuit: Circuit,
        spectra: Sequence[Spectrum],
        weights: Weights = "modulus",
        *,
        known: Sequence[NDArray[np.float64]] | None = None,
        bounds: Bounds | None = None,
        fixed: Mapping[str, float] | None = None,
        in_order: bool = True,
    ) -> None:
        self.in_order = in_order
        self.circuit, self.spectra, self.known = circuit, tuple(spectra), known is not None
        each = known if known is not None else [None] * len(self.spectra)
        self.scales = [scales(s, weights, u) for s, u in zip(self.spectra, each, strict=True)]
        self.windows = windows(self.spectra)
        self.limits = limits(circuit, self.windows, bounds or {})
        self.fixed = {circuit.position(name): value for name, value in (fixed or {}).items()}
        count = len(circuit.parameters)
        self.free = np.array([i for i in range(count) if i not in self.fixed], dtype=int)
        self.named = {*self.fixed, *map(circuit.position, bounds or {})}
        self.coordinates = Coordinates(circuit, self.named)
        self.box = self._box()
        self._refuse_too_few()
        self._fill()

    def _refuse_too_few(self) -> None:
        fewest = min(map(len, self.spectra))
        if 2 * fewest <= len(self.free):
            message = f"got {fewest} points for {len(self.free)} free parameters"
            raise BadInput(Problem(f"circuit {self.circuit}", message))

    def _box(self) -> tuple[Real, Real]:
        """Return the lowest and the highest coordinates, each (spectra, parameters)."""
        low, high = (self.coordinates.own(side) for side in np.moveaxis(self.limits, -1, 0))
        spans = scales_of(TIME, self.windows)
        times = self.coordinates.times
        low[:, times] = np.log(spans[:, :1] / BEYOND_SCALE)
        high[:, times] = np.log(spans[:, 1:] * BEYOND_SCALE)
        return low, high

    def _fill(self) -> None:
        """Lay all spectra side by side: j omega, data and weights, real and imaginary in turn."""
        count, longest = len(self.spectra), max(map(len, self.spectra))
        frequency = np.empty((count, longest))
        self.measured = np.empty((count, longest), dtype=np.complex128)
        self.weights = np.zeros((count, 2 * longest))
        for row, (one, scale) in enumerate(zip(self.spectra, self.scales, strict=True)):
            n = len(one)
            frequency[row, :n], frequency[row, n:] = one.frequency_hertz, one.frequency_hertz[-1]
            self.measured[row, :n] = one.impedance_ohm
            self.measured[row, n:] = one.impedance_ohm[-1]
            self.weights[row, : 2 * n] = 1.0 / scale.ravel()
        self.frequency = frequency
        self.one_grid = bool(np.all(frequency == frequency[0]))
        self._s: Complex = np.asarray(
            2j * np.pi * (frequency[0] if self.one_grid else frequency), np.complex128
        )
        self._target = _parts(self.measured) * self.weights

    @property
    def counts(self) -> NDArray[np.int_]:
        """Return the number of residuals of each spectrum, two a point."""
        return np.array([2 * len(one) for one in self.spectra])

    @property
    def data_square(self) -> Real:
        """Return the sum of squares of the weighted data: what an objective is small against."""
        square: Real = np.sum(self._target**2, axis=1)
        return square

    def s_of(self, rows: NDArray[np.int_]) -> Complex:
        """Return j omega for the spectra ``rows``: (points,) where all share it."""
        s: Complex = self._s if self.one_grid else self._s[rows]
        return s

    def weighted(self, impedance: Complex, rows: NDArray[np.int_]) -> Real:
        """Return weighted parts (..., 2 points) of impedances (rows, ..., points)."""
        weights = self.weights[rows]
        weights = weights.reshape(len(rows), *(1,) * (impedance.ndim - 2), weights.shape[1])
        return _parts(impedance) * weights

    def target(self, rows: NDArray[np.int_]) -> Real:
        return np.asarray(self._target[rows])

    def residuals(self, values: Real, rows: NDArray[np.int_]) -> Real:
        """Return weighted residuals, fit minus data, shape (rows, 2 points), of values (rows, p)."""
        impedance = self.circuit.sensitivities(self.s_of(rows), values)[0]
        return self.weighted(impedance, rows) - self._target[rows]

    def slopes(self, values: Real, rows: NDArray[np.int_]) -> Real:
        """Return d residual / d value of free values, shape (rows, free, 2 points)."""
        by_value = self.circuit.sensitivities(self.s_of(rows), values)[1]
        return self.weighted(by_value[:, self.free], rows)

    def placed(self, theta: Real) -> Real:
        """Return all values (rows, p) of free coordinates (rows, free), fixed ones to the digit."""
        if not self.fixed:
            return self.coordinates.values(theta)
        whole = np.empty((len(theta), len(self.circuit.parameters)))
        whole[:, self.free] = theta
        at, known = list(self.fixed), list(self.fixed.values())
        fixed = np.full((1, whole.shape[1]), 0.5)
        fixed[:, at] = known
        whole[:, at] = self.coordinates.own(fixed)[:, at]
        values = self.coordinates.values(whole)
        values[:, at] = known  # exp(log(value)) is not quite value
        return values

    def evaluate(self, theta: Real, rows: NDArray[np.int_]) -> tuple[Real, Real, Real]:
        """Return objective, half its gradient and half its curvature by free coordinates."""
        parts = [
            self._evaluate(theta[begin : begin + TOGETHER], rows[begin : begin + TOGETHER])
            for begin in range(0, len(rows), TOGETHER)
        ]
        if len(parts) == 1:
            return parts[0]
        objective, gradient, curvature = (np.concatenate(one) for one in zip(*parts, strict=True))
        return objective, gradient, curvature

    def _evaluate(self, theta: Real, rows: NDArray[np.int_]) -> tuple[Real, Real, Real]:
        # One spectrum's data serve all descents on it as they are: no copy for each.
        alone = len(self.spectra) == 1
        weights = self.weights if alone else self.weights[rows]
        target = self._target if alone else self._target[rows]
        values = self.placed(theta)
        impedance, by_value = self.circuit.sensitivities(self.s_of(rows), values)
        residuals = _parts(impedance)
        residuals *= weights
        residuals -= target
        slopes = _parts(by_value)
        slopes *= weights[:, None]
        turn = self.coordinates.slopes(self.whole(theta, values), values)
        if self.fixed:
            turn = turn[:, :, self.free]
        gradient = (turn.mT @ (slopes @ residuals[..., None]))[..., 0]
        curvature = turn.mT @ (slopes @ slopes.mT) @ turn
        return np.vecdot(residuals, residuals), gradient, curvature

    def whole(self, theta: Real, values: Real) -> Real:
        """Return all coordinates (rows, p), those of fixed values from the values themselves."""
        if not self.fixed:
            return theta
        whole = self.coordinates.of(values)
        whole[:, self.free] = theta
        return whole

    def at_bound(self, values: Real, rows: NDArray[np.int_]) -> NDArray[np.bool_]:
        """Scale quantities that ran into a bound say nothing; an alpha of 1 is a capacitor."""
        low, high = self.box[0][rows], self.box[1][rows]
        share = (self.coordinates.of(values) - low) / (high - low)
        near_edge = (share < AT_BOUND) | (share > 1.0 - AT_BOUND)
        stuck: NDArray[np.bool_] = self.coordinates.logarithmic & near_edge
        return stuck


def _parts(impedance: Complex) -> Real:
    """Return real and imaginary parts in turn along the last axis."""
    return np.ascontiguousarray(impedance).view(np.float64)
