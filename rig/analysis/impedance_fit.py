"""Fit equivalent circuits to spectra by complex least squares, with honest uncertainties.

One spectrum or a thousand: ``fit_spectra`` runs them down together, ``fit_circuit`` is the same for
one. No guess is needed (``impedance_start``). The covariance is scaled by the residual variance,
because the noise of an impedance analyser is rarely known; where the caller gives standard
uncertainties it is not scaled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, stdtrit

from rig.analysis.arcs import resistor_names
from rig.analysis.capacitance import Geometry, assign, assignment_flags, effective_capacitances
from rig.analysis.circuit import Circuit, Element
from rig.analysis.circuit_elements import Real
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.impedance_minima import Minima, find_minima
from rig.analysis.impedance_problem import Bounds, CircuitProblem, Start, Weights
from rig.analysis.impedance_result import (
    UNDETERMINED,
    CircuitFit,
    FittedParameter,
    autocorrelation,
    corrected_akaike,
    determined_sums,
    fitted_parameter,
    inductive_flags,
    undetermined_flags,
)
from rig.analysis.impedance_start import is_arc
from rig.analysis.spectrum import Spectrum
from rig.core.errors import AnalysisError, BadInput, Problem

__all__ = ["CircuitFit", "CircuitFits", "FittedParameter", "fit_circuit", "fit_spectra"]

STARTS_OF_ARCS, STARTS = 4, 6  # measured: an even chain of arcs needs fewer for the same minima
AGREED = 2  # starts from different places that end alike, for a minimum to be called global
FLATTEST = 1e-15  # of the steepest direction: what the data do not touch is at least that flat


def fit_circuit(
    spectrum: Spectrum,
    circuit: str | Circuit,
    *,
    weights: Weights = "modulus",
    standard_uncertainty_ohm: NDArray[np.float64] | None = None,
    start: Start | None = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Bounds | None = None,
    geometry: Geometry | None = None,
    starts: int | None = None,
) -> CircuitFit:
    """Fit ``circuit`` (text or parsed) to ``spectrum``.

    ``weights``: residuals divided by |Z| (modulus), by nothing (unit), or each part by its own
    magnitude (proportional); ``standard_uncertainty_ohm``, one per point for both parts, replaces
    them and is taken at its word. ``start`` in the order of the text, or some values by name;
    a complete one is the only start tried. ``fixed`` values stay. ``geometry`` scales capacitances
    for the assignment. Like arcs come out in the order of their time constants, fast ones first,
    unless start, bounds or fixed values name them. Raises BadInput for what cannot be fitted,
    AnalysisError when no start leads to a minimum.
    """
    known = None if standard_uncertainty_ohm is None else [standard_uncertainty_ohm]
    return fit_spectra(
        [spectrum],
        circuit,
        weights=weights,
        standard_uncertainties_ohm=known,
        start=start,
        fixed=fixed,
        bounds=bounds,
        geometry=geometry,
        starts=starts,
    )[0]


def fit_spectra(
    spectra: Sequence[Spectrum],
    circuit: str | Circuit,
    *,
    weights: Weights = "modulus",
    standard_uncertainties_ohm: Sequence[NDArray[np.float64]] | None = None,
    start: Start | None = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Bounds | None = None,
    geometry: Geometry | None = None,
    starts: int | None = None,
) -> CircuitFits:
    """Fit one circuit to many spectra, each by itself, all at once: a thousand take a second or two.

    As ``fit_circuit``; frequencies may differ from spectrum to spectrum, and it is fastest where
    they do not.
    """
    if not spectra:
        raise BadInput(Problem("spectra", "got none, expected one or more"))
    parsed = parse_circuit(circuit) if isinstance(circuit, str) else circuit
    problem = CircuitProblem(
        parsed, spectra, weights, known=standard_uncertainties_ohm, bounds=bounds, fixed=fixed
    )
    minima = find_minima(problem, start, _usual_starts(problem) if starts is None else starts)
    if not np.all(np.isfinite(minima.objective)):
        which = (
            "" if len(spectra) == 1 else f", spectrum {np.argmax(~np.isfinite(minima.objective))}"
        )
        message = f"circuit {parsed}{which}: the fit failed from each of {minima.starts[0]} starts"
        raise AnalysisError(message, remedy="give --start values, or a simpler circuit")
    named = "given" if problem.known else weights
    return CircuitFits(problem, minima, covariances(problem, minima), named, geometry)


def _usual_starts(problem: CircuitProblem) -> int:
    """Return few for elements and arcs in a chain; the search knows times, not names of arcs."""
    even = all(isinstance(part, Element) or is_arc(part) for part in problem.circuit.chain.parts)
    return STARTS_OF_ARCS if even and not problem.named else STARTS


@dataclass(frozen=True, slots=True, eq=False)
class CircuitFits:
    """Fits of one circuit to many spectra: arrays for all, ``fits[i]`` for all that is known of one.

    ``covariance`` has shape (spectra, parameters, parameters), in the values' own units.
    """

    problem: CircuitProblem
    minima: Minima
    covariance: Real
    weights: str
    geometry: Geometry | None

    @property
    def circuit(self) -> Circuit:
        return self.problem.circuit

    @property
    def values(self) -> Real:
        """Return the values, shape (spectra, parameters), in the order of ``circuit.names``."""
        return self.minima.values

    @property
    def standard_errors(self) -> Real:
        errors: Real = np.sqrt(np.einsum("nii->ni", self.covariance))
        return errors

    @property
    def objective(self) -> Real:
        return self.minima.objective

    @property
    def determined(self) -> NDArray[np.bool_]:
        """Return which values the data hold, shape (spectra, parameters)."""
        stuck = self.problem.at_bound(self.values, np.arange(len(self)))
        held = ~stuck & (self.standard_errors <= UNDETERMINED * np.abs(self.values))
        held[:, list(self.problem.fixed)] = True
        return np.asarray(held)

    @property
    def is_global(self) -> NDArray[np.bool_]:
        return np.asarray(self.minima.agreeing >= AGREED)

    @property
    def student(self) -> Real:
        """Return how many standard errors make half a 95 % interval, shape (spectra,)."""
        freedom = self.problem.counts - len(self.problem.free)
        many = np.inf if self.problem.known else freedom
        factor: Real = stdtrit(np.minimum(many, 1e9), 0.975) + 0.0 * freedom
        return factor

    @property
    def intervals_95(self) -> tuple[Real, Real]:
        """Return both ends of the 95 % intervals, (spectra, parameters): even in the logarithm."""
        wide, exponent = (
            self.student[:, None] * self.standard_errors,
            ~self.problem.coordinates.logarithmic,
        )
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            factor = np.exp(wide / self.values)
        low = np.where(exponent, self.values - wide, self.values / factor)
        return low, np.where(exponent, self.values + wide, self.values * factor)

    @property
    def total_resistance(self) -> tuple[Real, Real]:
        """Return the direct-current resistances of a chain of arcs in ohm, and standard errors."""
        names = resistor_names(self.circuit)
        gradient = np.zeros(len(self.circuit.parameters))
        gradient[[self.circuit.position(name) for name in names]] = 1.0
        variance = np.einsum("i,nij,j->n", gradient, self.covariance, gradient)
        return np.asarray(self.values @ gradient), np.sqrt(np.maximum(variance, 0.0))

    def __len__(self) -> int:
        return len(self.problem.spectra)

    def __iter__(self) -> Iterator[CircuitFit]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> CircuitFit:
        return _described(self, range(len(self))[i])


def _described(fits: CircuitFits, i: int) -> CircuitFit:
    problem, values = fits.problem, fits.values[i]
    spectrum, circuit = problem.spectra[i], problem.circuit
    difference = circuit.impedance(spectrum.frequency_hertz, values) - spectrum.impedance_ohm
    relative = difference / spectrum.modulus_ohm
    parameters = _parameters(fits, i)
    capacitances, errors = _capacitances(circuit, values, fits.covariance[i])
    assignment = assign(capacitances, fits.geometry)
    objective = float(fits.objective[i])
    return CircuitFit(
        circuit=circuit,
        parameters=parameters,
        covariance=fits.covariance[i],
        weights=fits.weights,
        objective=objective,
        residual_rms_relative=float(np.sqrt(np.mean(np.abs(relative) ** 2))),
        residual_autocorrelation=autocorrelation(relative, spectrum.frequency_hertz),
        aicc=corrected_akaike(objective, 2 * len(spectrum), len(problem.free), problem.known),
        points=len(spectrum),
        starts=int(fits.minima.starts[i]),
        starts_agreeing=int(fits.minima.agreeing[i]),
        is_global=bool(fits.is_global[i]),
        student=float(fits.student[i]),
        effective_capacitance_farad=capacitances,
        effective_capacitance_standard_error_farad=errors,
        assignment=assignment,
        flags=(
            *undetermined_flags(parameters),
            *(one.note() for one in determined_sums(circuit, values, fits.covariance[i])),
            *inductive_flags(circuit, spectrum),
            *assignment_flags(circuit, values, assignment),
        ),
    )


def _parameters(fits: CircuitFits, i: int) -> tuple[FittedParameter, ...]:
    rows = zip(
        fits.circuit.parameters,
        fits.values[i].tolist(),
        fits.standard_errors[i].tolist(),
        fits.determined[i].tolist(),
        strict=True,
    )
    return tuple(fitted_parameter(*row, float(fits.student[i])) for row in rows)


def _capacitances(
    circuit: Circuit, values: Real, covariance: Real
) -> tuple[dict[str, float], dict[str, float]]:
    """Return effective capacitances and their standard errors, by differences of 1e-6."""
    found = effective_capacitances(circuit, values)
    if not found:
        return {}, {}
    slopes = []
    for i, value in enumerate(values):
        step = np.where(np.arange(len(values)) == i, 1e-6 * value, 0.0)
        up, down = (effective_capacitances(circuit, values + side) for side in (step, -step))
        slopes.append([(up[name] - down[name]) / (2e-6 * value) for name in found])
    by_value = np.array(slopes)
    variance = np.einsum("ik,ij,jk->k", by_value, covariance, by_value)
    errors = np.sqrt(np.maximum(variance, 0.0))
    return found, dict(zip(found, errors.tolist(), strict=True))


def covariances(problem: CircuitProblem, minima: Minima) -> Real:
    """Return the covariance of the values; rows of fixed and bound-stuck parameters are zero.

    Directions that the data do not touch get a huge variance, not the zero of a pseudo-inverse.
    """
    count, size = minima.values.shape
    free = problem.free
    covariance = np.zeros((count, size, size))
    if not len(free):
        return covariance
    rows = np.arange(count)
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
    freedom = problem.counts - len(free)
    variance = np.ones(count) if problem.known else minima.objective / freedom
    _narrow_at_bounds(inverse, gradient, np.sqrt(variance), _room(problem, minima) * norms)
    theta = problem.coordinates.of(minima.values)
    turn = problem.coordinates.slopes(theta, minima.values)[:, :, free] / norms[:, None, :]
    return np.asarray(variance[:, None, None] * (turn @ inverse @ turn.mT))


def _room(problem: CircuitProblem, minima: Minima) -> Real:
    """Return how far free exponents (spectra, free) are below their upper bounds; else infinite."""
    room = problem.limits[:, problem.free, 1] - minima.values[:, problem.free]
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
