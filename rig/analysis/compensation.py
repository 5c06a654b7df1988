"""Across samples and temperatures: Meyer-Neldel compensation and thermal acceleration.

Energies in eV, all in one convention (the caller's), temperatures in kelvin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.analysis.regimes import BOLTZMANN_ELECTRONVOLT_PER_KELVIN as K
from rig.analysis.regression import FloatArray, fit_line
from rig.core.errors import AnalysisError

_LEAST_SAMPLES = 5
_SIGNIFICANCE = 2.0


@dataclass(frozen=True, slots=True)
class MeyerNeldel:
    """ln A = intercept + Ea / ``energy_electronvolt`` over a family of samples."""

    energy_electronvolt: float
    energy_standard_error_electronvolt: float
    intercept: float

    @property
    def isokinetic_temperature_kelvin(self) -> float:
        return self.energy_electronvolt / K


def meyer_neldel(
    activation_energy_electronvolt: FloatArray,
    ln_prefactor: FloatArray,
    harmonic_mean_temperature_kelvin: float,
) -> MeyerNeldel:
    """Fit the compensation rule, or refuse where noise over one temperature range would look alike.

    Noisy lines compensate by themselves at the harmonic mean temperature of the data: at least five
    samples are needed, and an isokinetic temperature more than 2 u away from that mean.
    """
    if activation_energy_electronvolt.size < _LEAST_SAMPLES:
        raise AnalysisError(
            f"{activation_energy_electronvolt.size} samples: compensation needs {_LEAST_SAMPLES}"
        )
    line = fit_line(activation_energy_electronvolt, ln_prefactor)
    energy = 1.0 / line.slope
    error = line.slope_error * energy**2
    distance = abs(energy / K - harmonic_mean_temperature_kelvin)
    if distance <= _SIGNIFICANCE * error / K:
        raise AnalysisError(
            f"isokinetic temperature {energy / K:.0f} K is not distinct from the "
            f"{harmonic_mean_temperature_kelvin:.0f} K at which noise alone compensates"
        )
    return MeyerNeldel(energy, error, line.intercept)


def acceleration(
    activation_energy_electronvolt: float, kelvin: float, reference_kelvin: float
) -> float:
    """Return how many times faster a process runs at ``kelvin`` than at ``reference_kelvin``.

    >>> round(acceleration(0.45, 318.15, 298.15), 4)
    3.0073
    """
    return math.exp(activation_energy_electronvolt / K * (1.0 / reference_kelvin - 1.0 / kelvin))


def harmonic_mean(kelvin: FloatArray) -> float:
    """Return the temperature at the middle of an Arrhenius plot."""
    return float(1.0 / np.mean(1.0 / kelvin))
