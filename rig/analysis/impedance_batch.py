"""Fits of one circuit to many spectra: arrays for all of them, and all that is known of one.

What a minimum is worth is put together here: its valley and rivals, errors, sums, capacitances,
flags. Knows no weights and no starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rig.analysis.arcs import resistor_names
from rig.analysis.capacitance import Geometry, assign, assignment_flags, effective_capacitances
from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_minima import Minima
from rig.analysis.impedance_problem import CircuitProblem
from rig.analysis.impedance_profile import profile_intervals
from rig.analysis.impedance_result import (
    UNDETERMINED,
    CircuitFit,
    FittedParameter,
    Verdict,
    autocorrelation,
    corrected_akaike,
    determined_sums,
    inductive_flags,
    rival_flags,
    undetermined_flags,
)
from rig.analysis.impedance_rivals import explore, rivals
from rig.analysis.impedance_uncertainty import Intervals, Uncertainty, uncertainties

AGREED = 2  # starts from different places that end alike, for a minimum to be called global


@dataclass(frozen=True, slots=True, eq=False)
class CircuitFits:
    """Fits of one circuit to many spectra: arrays for all, ``fits[i]`` for all that is known of one.

    ``rivals`` holds for each spectrum the values (rivals, parameters) of other minima that agree
    with the data.
    """

    problem: CircuitProblem
    minima: Minima
    uncertainty: Uncertainty
    rivals: list[Real]
    weights: str
    geometry: Geometry | None

    @classmethod
    def of(
        cls,
        problem: CircuitProblem,
        minima: Minima,
        weights: str,
        geometry: Geometry | None,
        *,
        may_leave: bool = False,
        intervals: Intervals = "curvature",
    ) -> CircuitFits:
        """Return fits with all that can be said of minima; ``may_leave`` them for lower ones."""
        minima, valleys = explore(problem, minima, may_leave=may_leave)
        others = rivals(problem, minima)
        held = uncertainties(problem, minima, valleys, others)
        found = cls(problem, minima, held, others, weights, geometry)
        return found if intervals == "curvature" else found.profiled()

    def profiled(self) -> CircuitFits:
        """Return the same fits with intervals of values by profile likelihood: some 30 ms each.

        They may be lopsided, and 0 or infinite where the data bound a value from one side only;
        an exponent ends at its bound. Standard errors stay.
        """
        free = self.problem.free
        shares = np.eye(len(self.circuit.parameters))[free]
        errors = np.sqrt(np.einsum("nii->ni", self.covariance))[:, free]
        errors = np.where(errors > 0, errors, self.values[:, free])
        low, high = self.values.copy(), self.values.copy()
        low[:, free], high[:, free] = profile_intervals(
            self.problem,
            self.minima,
            self.rivals,
            shares=shares,
            errors=errors,
            root=self.student,
        )
        held = replace(self.uncertainty, low=low, high=high, method="profile")
        return replace(self, uncertainty=held)

    @property
    def circuit(self) -> Circuit:
        return self.problem.circuit

    @property
    def values(self) -> Real:
        """Return the values, shape (spectra, parameters), in the order of ``circuit.names``."""
        return self.minima.values

    @property
    def covariance(self) -> Real:
        """Return the covariance (spectra, parameters, parameters), in the values' own units."""
        return self.uncertainty.covariance

    @property
    def standard_errors(self) -> Real:
        """Return standard errors (spectra, parameters), over a valley those of its longer side."""
        return self.uncertainty.errors

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
        """Return where several starts agree and no other minimum agrees with the data."""
        alone = np.array([not len(one) for one in self.rivals])
        return np.asarray((self.minima.agreeing >= AGREED) & alone)

    @property
    def student(self) -> Real:
        """Return how many standard errors make half a 95 % interval, shape (spectra,)."""
        return self.uncertainty.student

    @property
    def intervals_95(self) -> tuple[Real, Real]:
        """Return both ends of the 95 % intervals, (spectra, parameters).

        Even in the logarithm (for exponents as they are) around a bowl; the range of the valley's
        floor where there is one; the profile's where that was asked for.
        """
        return self.uncertainty.low, self.uncertainty.high

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
        verdict=_verdict(fits, i),
        rivals=tuple(fits.rivals[i]),
        student=float(fits.student[i]),
        interval_method=fits.uncertainty.method,
        effective_capacitance_farad=capacitances,
        effective_capacitance_standard_error_farad=errors,
        assignment=assignment,
        flags=(
            *undetermined_flags(parameters),
            *(one.note() for one in determined_sums(circuit, values, fits.covariance[i])),
            *rival_flags(circuit, values, tuple(fits.rivals[i])),
            *inductive_flags(circuit, spectrum),
            *assignment_flags(circuit, values, assignment),
        ),
    )


def _verdict(fits: CircuitFits, i: int) -> Verdict:
    if len(fits.rivals[i]):
        return Verdict.SEVERAL
    return Verdict.GLOBAL if fits.is_global[i] else Verdict.UNCONFIRMED


def _parameters(fits: CircuitFits, i: int) -> tuple[FittedParameter, ...]:
    low, high = (side[i].tolist() for side in fits.intervals_95)
    rows = zip(
        fits.circuit.parameters,
        fits.values[i].tolist(),
        fits.standard_errors[i].tolist(),
        fits.determined[i].tolist(),
        zip(low, high, strict=True),
        strict=True,
    )
    return tuple(
        FittedParameter(one.name, value, error, one.unit, held, interval)
        for one, value, error, held, interval in rows
    )


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
