"""Fit an equivalent circuit to a spectrum by complex least squares, with honest uncertainties.

The covariance is scaled by the residual variance, because the noise of an impedance analyser is
rarely known; where the caller gives standard uncertainties it is not scaled. A parameter that the
data do not hold is returned as not determined, and shown without digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.capacitance import Geometry, assign, assignment_flags, effective_capacitances
from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import Complex, Parameter, Real
from rig.analysis.circuit_text import parse_circuit
from rig.analysis.flags import EIS_IND, EIS_UNDET, FlagNote, Level, flag
from rig.analysis.impedance_problem import Bounds, CircuitProblem, Start, Weights, scales
from rig.analysis.spectrum import Spectrum
from rig.core.errors import AnalysisError

UNCERTAIN = 0.3  # relative standard uncertainty above which a parameter is flagged
UNDETERMINED = 1.0  # and above which it is not reported
SAME_OBJECTIVE = 1.001  # starts whose sums of squares agree within 0.1 % found the same minimum
EXACT = 1e-20  # of the sum of squares of the data: below this, a fit is exact to rounding


@dataclass(frozen=True, slots=True)
class FittedParameter:
    """A value in ``unit`` with its standard error (0 when fixed); undetermined has no digits."""

    name: str
    value: float
    standard_error: float
    unit: str
    determined: bool

    def to_dict(self) -> dict[str, object]:
        shown = self.determined
        return {
            "value": self.value if shown else None,
            "standard_error": self.standard_error if shown else None,
            "unit": self.unit,
            "determined": self.determined,
        }


@dataclass(frozen=True, slots=True, eq=False)
class CircuitFit:
    """The best fit found. ``objective`` is the sum of squared weighted residuals.

    ``covariance`` is of the values in their own units, in the order of ``parameters``.
    ``starts_agreeing`` of ``starts`` ended at this objective: fewer than all means that other
    minima exist. ``residual_autocorrelation`` from point to point is near 0 for noise and near 1
    for a circuit that does not describe the data. ``aicc`` counts the noise as a parameter and
    compares fits of the same points and weights only.
    """

    circuit: Circuit
    parameters: tuple[FittedParameter, ...]
    covariance: Real
    weights: str
    objective: float
    residual_rms_relative: float
    residual_autocorrelation: float
    aicc: float
    points: int
    starts: int
    starts_agreeing: int
    effective_capacitance_farad: dict[str, float]
    assignment: dict[str, str]
    flags: tuple[FlagNote, ...]

    @property
    def values(self) -> Real:
        return np.array([parameter.value for parameter in self.parameters])

    def impedance(self, frequency_hertz: Real) -> Complex:
        """Return the fitted curve in ohm."""
        return self.circuit.impedance(frequency_hertz, self.values)

    def sum_of(self, names: Sequence[str]) -> tuple[float, float]:
        """Return the sum of parameters and its standard error, correlations included.

        Arcs that overlap trade resistance: their sum is often known ten times better than each.
        """
        gradient = np.zeros(len(self.parameters))
        gradient[[self.circuit.position(name) for name in names]] = 1.0
        variance = float(gradient @ self.covariance @ gradient)
        return float(gradient @ self.values), float(np.sqrt(max(variance, 0.0)))

    def to_dict(self) -> dict[str, object]:
        return {
            "circuit": str(self.circuit),
            "parameters": {parameter.name: parameter.to_dict() for parameter in self.parameters},
            "effective_capacitance_farad": self.effective_capacitance_farad,
            "assignment": self.assignment,
            "weights": self.weights,
            "objective": self.objective,
            "residual_rms_relative": self.residual_rms_relative,
            "residual_autocorrelation": self.residual_autocorrelation,
            "aicc": self.aicc,
            "points": self.points,
            "starts": self.starts,
            "starts_agreeing": self.starts_agreeing,
            "flags": [note.to_dict() for note in self.flags],
        }


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
    starts: int = 3,
) -> CircuitFit:
    """Fit ``circuit`` (text or parsed) to ``spectrum``.

    ``weights``: residuals divided by |Z| (modulus), by nothing (unit), or each part by its own
    magnitude (proportional); ``standard_uncertainty_ohm``, one per point for both parts, replaces
    them and is taken at its word. ``start`` in the order of the text, or some values by name;
    a complete one is the only start tried. ``fixed`` values stay. ``geometry`` scales capacitances
    for the assignment. Raises BadInput for what cannot be fitted, AnalysisError when no start
    leads to a minimum.
    """
    parsed = parse_circuit(circuit) if isinstance(circuit, str) else circuit
    scale = scales(spectrum, weights, standard_uncertainty_ohm)
    problem = CircuitProblem(parsed, spectrum, scale, bounds or {}, fixed or {})
    known = standard_uncertainty_ohm is not None
    return _described(
        problem, _lowest(problem, start, starts), "given" if known else weights, geometry
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Minimum:
    """The lowest of all descents, and how many of them ended there."""

    objective: float
    values: Real
    starts: int
    agreeing: int


def _lowest(problem: CircuitProblem, start: Start | None, count: int) -> _Minimum:
    descents = [problem.solve(values) for values in problem.starts(start, count)]
    found = sorted((one for one in descents if one is not None), key=lambda one: one[0])
    if not found:
        message = f"circuit {problem.circuit}: the fit failed from each of {len(descents)} starts"
        raise AnalysisError(message, remedy="give --start values, or a simpler circuit")
    objective, values = found[0]
    same = SAME_OBJECTIVE * objective + EXACT * problem.data_square
    return _Minimum(objective, values, len(descents), sum(one[0] <= same for one in found))


def _described(
    problem: CircuitProblem, minimum: _Minimum, weights: str, geometry: Geometry | None
) -> CircuitFit:
    values, known = minimum.values, weights == "given"
    relative = problem.residuals(values) * problem.scale / np.tile(problem.spectrum.modulus_ohm, 2)
    covariance = _covariance(problem, minimum, known)
    parameters = _parameters(problem, values, covariance)
    capacitances = effective_capacitances(problem.circuit, values)
    assignment = assign(capacitances, geometry)
    return CircuitFit(
        circuit=problem.circuit,
        parameters=parameters,
        covariance=covariance,
        weights=weights,
        objective=minimum.objective,
        residual_rms_relative=float(np.sqrt(2.0 * np.mean(relative**2))),
        residual_autocorrelation=_autocorrelation(relative, problem.frequency),
        aicc=_aicc(minimum.objective, len(problem.scale), len(problem.free), known),
        points=len(problem.spectrum),
        starts=minimum.starts,
        starts_agreeing=minimum.agreeing,
        effective_capacitance_farad=capacitances,
        assignment=assignment,
        flags=(
            *_undetermined_flags(parameters),
            *_inductive_flags(problem.circuit, problem.spectrum),
            *assignment_flags(problem.circuit, values, assignment),
        ),
    )


def _autocorrelation(residuals: Real, frequency: Real) -> float:
    """Return the lag-1 autocorrelation along frequency, real and imaginary parts together."""
    parts = residuals.reshape(2, -1)[:, np.argsort(frequency)]
    power = float(np.sum(parts**2))
    return float(np.sum(parts[:, 1:] * parts[:, :-1])) / power if power else 0.0


def _covariance(problem: CircuitProblem, minimum: _Minimum, known: bool) -> Real:
    """Return the covariance of the values; rows of fixed and bound-stuck parameters are zero.

    Directions that the data do not touch get a huge variance, not the zero of a pseudo-inverse.
    """
    values = minimum.values
    free = np.setdiff1d(problem.free, np.flatnonzero(problem.at_bound(values)))
    covariance = np.zeros((len(values), len(values)))
    if not len(free):
        return covariance
    jacobian = problem.own_jacobian(values)[:, free]
    norms = np.maximum(np.linalg.norm(jacobian, axis=0), np.finfo(float).tiny)
    _, singular, rotation = np.linalg.svd(jacobian / norms, full_matrices=False)
    inverse = rotation / np.maximum(singular, 1e-12 * singular[0])[:, None]
    freedom = len(problem.scale) - len(problem.free)
    variance = 1.0 if known else minimum.objective / freedom
    to_values = np.where(problem.coordinates.logarithmic, values, 1.0)[free] / norms
    covariance[np.ix_(free, free)] = (
        variance * (inverse.T @ inverse) * np.outer(to_values, to_values)
    )
    return covariance


def _parameters(
    problem: CircuitProblem, values: Real, covariance: Real
) -> tuple[FittedParameter, ...]:
    errors = np.sqrt(np.diag(covariance))
    stuck = problem.at_bound(values)
    return tuple(
        _fitted(parameter, float(value), float(error), i in problem.fixed, bool(stuck[i]))
        for i, (parameter, value, error) in enumerate(
            zip(problem.circuit.parameters, values, errors, strict=True)
        )
    )


def _fitted(
    parameter: Parameter, value: float, error: float, is_fixed: bool, stuck: bool
) -> FittedParameter:
    determined = is_fixed or (not stuck and error <= UNDETERMINED * abs(value))
    return FittedParameter(parameter.name, value, error, parameter.unit, determined)


def _aicc(objective: float, data: int, free: int, known: bool) -> float:
    """Return the corrected Akaike criterion; minus infinity does not occur for exact data."""
    count = free + (0 if known else 1)
    fit = objective if known else data * np.log(max(objective, 1e-300) / data)
    spare = data - count - 1
    return float(fit + 2 * count + (2 * count * (count + 1) / spare if spare > 0 else np.inf))


def _undetermined_flags(parameters: Sequence[FittedParameter]) -> list[FlagNote]:
    notes = []
    for parameter in parameters:
        if not parameter.determined:
            message = f"{parameter.name} is not determined by this spectrum"
            notes.append(flag(EIS_UNDET, message, Level.ERROR))
        elif parameter.standard_error > UNCERTAIN * abs(parameter.value):
            share = parameter.standard_error / abs(parameter.value)
            notes.append(flag(EIS_UNDET, f"{parameter.name} is uncertain by {share:.0%}"))
    return notes


def _inductive_flags(circuit: Circuit, spectrum: Spectrum) -> list[FlagNote]:
    if any(parameter.kind == "inductance" for parameter in circuit.parameters):
        return []
    notes = []
    if count := int(np.count_nonzero(spectrum.impedance_ohm.imag > 0)):
        notes.append(flag(EIS_IND, f"{count} inductive points, but {circuit} has no inductance"))
    if spectrum.inductive_left_out:
        message = f"{spectrum.inductive_left_out} inductive points were left out of the fit"
        notes.append(flag(EIS_IND, message))
    return notes
