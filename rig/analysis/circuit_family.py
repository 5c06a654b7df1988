"""Several circuits for one spectrum: fitted from simple to rich and weighed against each other.

Picking one circuit and believing its errors forgets that another would have fitted as well. Here
an answer is the Akaike-weighted mean over the circuits that the data admit, and its standard error
contains the spread between them. Knows no cell: which circuits, and which resistors count, is the
caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rig.analysis.arcs import resistor_names
from rig.analysis.capacitance import Geometry
from rig.analysis.impedance_fit import CircuitFit, fit_circuit
from rig.analysis.spectrum import Spectrum

HOPELESS = 1e9  # instead of the infinite AICc of a fit with as many parameters as data
SIGNIFICANT = 2.0  # standard deviations of the autocorrelation of pure noise, 1/sqrt(residuals)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A resistance in ohm with its standard error, the choice of circuit included."""

    resistance_ohm: float
    standard_error_ohm: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One circuit of the family; ``weight`` is its share in the answer, 0 when not admitted."""

    circuit: str
    aicc: float
    weight: float


@dataclass(frozen=True, slots=True)
class CircuitFamily:
    """Fits of several circuits to one spectrum with their Akaike weights."""

    fits: tuple[CircuitFit, ...]
    weights: tuple[float, ...]

    @property
    def best(self) -> CircuitFit:
        return self.fits[int(np.argmax(self.weights))]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(str(fit.circuit), fit.aicc, weight)
            for fit, weight in zip(self.fits, self.weights, strict=True)
        )

    def estimate(self, names: Callable[[CircuitFit], Sequence[str]]) -> Estimate:
        """Return the weighted mean of a sum of resistors, spread between circuits included.

        Burnham and Anderson, Model Selection and Multimodel Inference, 2nd ed. (2002), ch. 4.
        """
        sums = np.array([fit.sum_of(names(fit)) for fit in self.fits])
        weights = np.array(self.weights)
        mean = float(weights @ sums[:, 0])
        errors = sums[:, 1] * [_systematic_factor(fit) for fit in self.fits]
        spread = np.hypot(errors, sums[:, 0] - mean)
        return Estimate(mean, float(weights @ spread))


def fit_family(
    spectrum: Spectrum, circuits: Sequence[str], geometry: Geometry | None, inductance: bool
) -> CircuitFamily:
    """Fit from simple to rich, until one more parameter no longer lowers the AICc."""
    fits: list[CircuitFit] = []
    for text in circuits:
        circuit = f"L0-{text}" if inductance else text
        fits.append(fit_circuit(spectrum, circuit, geometry=geometry, starts=2))
        if len(fits) > 1 and fits[-1].aicc > fits[-2].aicc:
            break
    admitted = np.array([_admissible(fit) for fit in fits])
    if not admitted.any():
        admitted[:] = True
    aicc = np.minimum([fit.aicc for fit in fits], HOPELESS)
    behind = np.where(admitted, aicc - aicc[admitted].min(), np.inf)
    weights = np.exp(-behind / 2)
    return CircuitFamily(tuple(fits), tuple(float(weight) for weight in weights / weights.sum()))


def _admissible(fit: CircuitFit) -> bool:
    """A circuit whose resistances the data do not hold may mean anything, whatever its AICc."""
    names = resistor_names(fit.circuit)
    resistors = [one for one in fit.parameters if one.name in names]
    return all(one.determined for one in resistors)


def _systematic_factor(fit: CircuitFit) -> float:
    """Return sqrt((1 + r) / (1 - r)), by which neighbours that err together widen the errors."""
    r = fit.residual_autocorrelation
    if r < SIGNIFICANT / np.sqrt(2 * fit.points):
        return 1.0
    return float(np.sqrt((1 + r) / (1 - r)))
