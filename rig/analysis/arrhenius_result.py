"""What a conductivity-temperature series supports, as one frozen result.

Kept apart from the fit that makes it: reports, the command line and the page only need this.
Temperatures in kelvin inside, in degree Celsius in ``to_dict``; conductivities in S/cm, energies
in eV, always with their convention.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from rig.analysis.flags import FlagNote
from rig.analysis.regimes import BOLTZMANN_ELECTRONVOLT_PER_KELVIN as K
from rig.analysis.regimes import Split
from rig.analysis.regression import FloatArray, Line
from rig.analysis.vtf import VtfFit
from rig.core.errors import AnalysisError

ROOM_KELVIN = 298.15
ZERO_CELSIUS_KELVIN = 273.15


class Convention(Enum):
    """What was plotted against 1/T."""

    LN_SIGMA = "ln_sigma"
    LN_SIGMA_T = "ln_sigma_t"


@dataclass(frozen=True, slots=True)
class Segment:
    """One straight regime; ``prefactor`` in S/cm (ln_sigma) or S K/cm (ln_sigma_t)."""

    activation_energy_electronvolt: float
    activation_energy_standard_error_electronvolt: float
    ln_prefactor: float
    ln_prefactor_standard_error: float
    temperature_min_kelvin: float
    temperature_max_kelvin: float
    n: int

    def to_dict(self) -> dict[str, object]:
        return {
            "activation_energy_electronvolt": self.activation_energy_electronvolt,
            "activation_energy_standard_error_electronvolt": (
                self.activation_energy_standard_error_electronvolt
            ),
            "prefactor": math.exp(self.ln_prefactor),
            "ln_prefactor": self.ln_prefactor,
            "ln_prefactor_standard_error": self.ln_prefactor_standard_error,
            "temperature_min_celsius": self.temperature_min_kelvin - ZERO_CELSIUS_KELVIN,
            "temperature_max_celsius": self.temperature_max_kelvin - ZERO_CELSIUS_KELVIN,
            "n": self.n,
        }


@dataclass(frozen=True, slots=True)
class Band:
    """Conductivity in S/cm with a confidence interval, one value per temperature asked for."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class ArrheniusResult:
    """What a temperature series supports.

    ``segments`` holds one straight regime, two, or (for VTF) none. ``fitted`` is the model itself.
    ``mean_temperature_kelvin`` is T* of the conversion between conventions.
    """

    convention: Convention
    model: Literal["arrhenius", "two_segment", "vtf"]
    fitted: Line | Split | VtfFit
    segments: tuple[Segment, ...]
    degrees_of_freedom: int
    known_errors: bool
    reduced_chi_squared: float
    residual_rms: float
    common_relative_uncertainty: float
    mean_temperature_kelvin: float
    temperature_min_kelvin: float
    temperature_max_kelvin: float
    n: int
    flags: tuple[FlagNote, ...]

    @property
    def only_segment(self) -> Segment | None:
        """The straight regime where there is exactly one: else no single energy exists."""
        return self.segments[0] if len(self.segments) == 1 else None

    def ln_conductivity(self, temperature_kelvin: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ln(S/cm) of the fit and its standard error, with slope and intercept correlated."""
        return predict(self.fitted, self.convention, temperature_kelvin)

    def conductivity(self, temperature_kelvin: float) -> tuple[float, float]:
        """Return conductivity in S/cm and its relative standard uncertainty, geometry included."""
        value, error = self.ln_conductivity(np.array([temperature_kelvin]))
        return math.exp(value[0]), math.hypot(float(error[0]), self.common_relative_uncertainty)

    def band(self, temperature_kelvin: FloatArray, coverage: float = 0.95) -> Band:
        """Confidence band of the fit at the temperatures given; geometry is left out of it."""
        value, error = self.ln_conductivity(temperature_kelvin)
        half = self.coverage_factor(coverage) * error
        return Band(np.exp(value), np.exp(value - half), np.exp(value + half))

    def coverage_factor(self, coverage: float = 0.95) -> float:
        """Student t for residual-scaled errors, normal for known ones."""
        probability = 0.5 + coverage / 2.0
        if self.known_errors:
            return float(ndtri(probability))
        return float(stdtrit(self.degrees_of_freedom, probability))

    def energy_in(self, convention: Convention) -> float:
        """Activation energy in eV in either convention; AnalysisError where no single one exists."""
        segment = self.only_segment
        if segment is None:
            raise AnalysisError(
                f"the data follow a {self.model} law: there is no single activation energy",
                remedy="compare the segments, or restrict the temperature range",
            )
        return convert_energy(
            segment.activation_energy_electronvolt,
            self.convention,
            convention,
            self.mean_temperature_kelvin,
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values; keys carry the unit. Energies are None unless one line serves."""
        segment = self.only_segment
        energy = segment.activation_energy_electronvolt if segment else None
        error = segment.activation_energy_standard_error_electronvolt if segment else None
        half = self.coverage_factor() * error if error is not None else None
        sigma_25, relative_25 = self.conductivity(ROOM_KELVIN)
        known = self.known_errors
        return {
            "model": self.model,
            "convention": self.convention.value,
            "activation_energy_electronvolt": energy,
            "activation_energy_standard_error_electronvolt": error,
            "activation_energy_interval_95_electronvolt": (
                [energy - half, energy + half] if energy is not None and half is not None else None
            ),
            "prefactor": math.exp(segment.ln_prefactor) if segment else None,
            "prefactor_unit": "S/cm" if self.convention is Convention.LN_SIGMA else "S K/cm",
            "ln_prefactor": segment.ln_prefactor if segment else None,
            "ln_prefactor_standard_error": (
                math.hypot(segment.ln_prefactor_standard_error, self.common_relative_uncertainty)
                if segment
                else None
            ),
            "conductivity_25_celsius_siemens_per_centimetre": sigma_25,
            "conductivity_25_celsius_standard_error_siemens_per_centimetre": sigma_25 * relative_25,
            "segments": [part.to_dict() for part in self.segments],
            "transition": _transition(self.fitted),
            "vtf": _vtf(self),
            "reduced_chi_squared": self.reduced_chi_squared if known else None,
            "residual_rms": self.residual_rms,
            "mean_temperature_kelvin": self.mean_temperature_kelvin,
            "temperature_min_celsius": self.temperature_min_kelvin - ZERO_CELSIUS_KELVIN,
            "temperature_max_celsius": self.temperature_max_kelvin - ZERO_CELSIUS_KELVIN,
            "n": self.n,
            "flags": [note.to_dict() for note in self.flags],
        }


def convert_energy(
    energy_electronvolt: float,
    given: Convention,
    wanted: Convention,
    mean_temperature_kelvin: float,
) -> float:
    """Convert an activation energy in eV: Ea' = Ea + kT*, T* the weighted mean temperature."""
    if given is wanted:
        return energy_electronvolt
    sign = 1.0 if wanted is Convention.LN_SIGMA_T else -1.0
    return energy_electronvolt + sign * K * mean_temperature_kelvin


def ln_factor(convention: Convention, kelvin: FloatArray) -> FloatArray:
    """What the convention adds to ln s before it is plotted: ln T, or nothing."""
    return np.log(kelvin) if convention is Convention.LN_SIGMA_T else np.zeros_like(kelvin)


def predict(
    fitted: Line | Split | VtfFit, convention: Convention, temperature_kelvin: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return ln(S/cm) of a fitted model and its standard error."""
    if isinstance(fitted, VtfFit):
        return fitted.ln_conductivity(temperature_kelvin)
    value, error = fitted.predict(1.0 / (K * temperature_kelvin))
    return value - ln_factor(convention, temperature_kelvin), error


def _transition(fitted: Line | Split | VtfFit) -> dict[str, object] | None:
    if not isinstance(fitted, Split):
        return None
    crossing = fitted.crossing_kelvin
    return {
        "boundary_celsius": fitted.boundary_kelvin - ZERO_CELSIUS_KELVIN,
        "crossing_celsius": None if crossing is None else crossing - ZERO_CELSIUS_KELVIN,
        "crossing_standard_error_kelvin": fitted.crossing_error_kelvin,
        "jump_factor": fitted.jump_factor,
        "continuous": fitted.continuous,
    }


def _vtf(result: ArrheniusResult) -> dict[str, object] | None:
    fitted = result.fitted
    if not isinstance(fitted, VtfFit):
        return None
    errors = [float(error) for error in fitted.errors]
    ends = (result.temperature_min_kelvin, result.temperature_max_kelvin)
    return {
        "variant": fitted.variant,
        "prefactor": math.exp(fitted.ln_prefactor),
        "prefactor_unit": "S K^0.5/cm" if fitted.variant == "t_minus_half" else "S/cm",
        "ln_prefactor": fitted.ln_prefactor,
        "ln_prefactor_standard_error": errors[0],
        "pseudo_activation_energy_electronvolt": fitted.pseudo_energy_electronvolt,
        "pseudo_activation_energy_standard_error_electronvolt": errors[1],
        "t0_kelvin": fitted.t0_kelvin,
        "t0_standard_error_kelvin": errors[2],
        "t0_source": fitted.t0_source,
        "local_activation_energy_electronvolt": [
            fitted.local_energy_electronvolt(kelvin) for kelvin in ends
        ],
    }
