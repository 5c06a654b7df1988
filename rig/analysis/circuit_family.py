"""Several circuits for one spectrum: fitted from simple to rich and weighed against each other.

Picking one circuit and believing its errors forgets that another would have fitted as well. Here
an answer is the Akaike-weighted mean over the circuits that the data admit, and its standard error
contains the spread between them. Knows no cell: which circuits, and which resistors count, is the
caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rig.analysis.arcs import resistor_names
from rig.analysis.capacitance import Geometry
from rig.analysis.impedance_fit import CircuitFit, fit_spectra
from rig.analysis.impedance_result import UNDETERMINED
from rig.analysis.impedance_series import fit_series
from rig.analysis.spectrum import Spectrum
from rig.core.errors import BadInput, Problem

HOPELESS = 1e9  # instead of the infinite AICc of a fit with as many parameters as data
FEW_STARTS = 4  # simple circuits, many of them: the exchange of arcs finds what is missing
SIGNIFICANT = 2.0  # standard deviations of the autocorrelation of pure noise, 1/sqrt(residuals)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A resistance in ohm with its standard error, the choice of circuit included."""

    resistance_ohm: float
    standard_error_ohm: float

    @property
    def determined(self) -> bool:
        return 0.0 < self.resistance_ohm >= self.standard_error_ohm / UNDETERMINED


@dataclass(frozen=True, slots=True)
class Candidate:
    """One circuit of the family; ``weight`` is its share in the answer, 0 when not admitted."""

    circuit: str
    aicc: float
    weight: float

    def to_dict(self) -> dict[str, object]:
        return {"circuit": self.circuit, "aicc": self.aicc, "weight": self.weight}


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
    return fit_families([spectrum], circuits, geometry, inductance)[0]


def fit_families(
    spectra: Sequence[Spectrum],
    circuits: Sequence[str],
    geometry: Geometry | None,
    inductance: bool,
) -> list[CircuitFamily]:
    """Fit a series of spectra, in its order, so that arcs keep their labels; one family for each.

    Each circuit is fitted to all that a simpler one left unsatisfied, as one series.
    """
    fits: list[list[CircuitFit]] = [[] for _ in spectra]
    going_on = list(range(len(spectra)))
    for text in circuits:
        circuit = f"L0-{text}" if inductance else text
        series = fit_series(
            [spectra[i] for i in going_on], circuit, geometry=geometry, starts=FEW_STARTS
        )
        for i, fit in zip(going_on, series, strict=True):
            fits[i].append(fit)
        going_on = [
            i for i in going_on if len(fits[i]) == 1 or fits[i][-1].aicc <= fits[i][-2].aicc
        ]
        if not going_on:
            break
    return [_weighed(one) for one in fits]


def compare_circuits(spectrum: Spectrum, circuits: Sequence[str], **options: Any) -> CircuitFamily:
    """Fit every circuit to one spectrum and weigh them by AICc; ``options`` as for fit_spectra.

    Weights are comparable for the same points and weighting only, which they are here. Raises
    BadInput for circuits that are the same.
    """
    if len(set(circuits)) < len(circuits):
        raise BadInput(Problem("circuits", f"got {', '.join(circuits)}, expected different ones"))
    return _weighed([fit_spectra([spectrum], one, **options)[0] for one in circuits])


def _weighed(fits: Sequence[CircuitFit]) -> CircuitFamily:
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
