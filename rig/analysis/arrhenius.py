"""Activation energy, prefactor and conductivity at 25 degC from conductivity against temperature.

Two conventions are in use, and their energies differ by kT, 26 meV at 25 degC, which is more than
most quoted errors. So an energy never travels without its convention:

    ln_sigma     ln s       = ln A  - Ea/(kT)     A in S/cm      data sheets
    ln_sigma_t   ln (s T)   = ln A' - Ea'/(kT)    A' in S K/cm   hopping theory; Ea' = Ea + kT*

Temperatures in kelvin, conductivities in S/cm, uncertainties relative (one standard deviation),
energies in eV. Where the data have two regimes, or bend like a polymer's, no single energy is
reported. Errors of geometry are common to all temperatures: they go into sigma and the prefactor
afterwards and never into the weights. Knows no files, no database, no circuit.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from rig.analysis.arrhenius_checks import (
    check_data,
    check_extrapolation,
    check_hysteresis,
    check_influence,
    check_number,
)
from rig.analysis.arrhenius_result import (
    ROOM_KELVIN,
    ZERO_CELSIUS_KELVIN,
    ArrheniusResult,
    Convention,
    Segment,
    convert_energy,
    ln_factor,
    predict,
)
from rig.analysis.flags import ARR_CURVE, ARR_KINK, FlagNote, Level, flag
from rig.analysis.regimes import BOLTZMANN_ELECTRONVOLT_PER_KELVIN as K
from rig.analysis.regimes import Split, find_split, kelvin_of, line_aicc, parabola
from rig.analysis.regression import FloatArray, Line, fit_line
from rig.analysis.vtf import VtfFit, fit_vtf
from rig.core.errors import AnalysisError

__all__ = [
    "ArrheniusResult",
    "Convention",
    "Segment",
    "convert_energy",
    "energy_difference",
    "fit_arrhenius",
]

_VTF_GAIN = 6.0  # AICc that VTF must win over a line
_VTF_LEAST_POINTS, _VTF_LEAST_SPAN_KELVIN = 6, 40.0

Model = Literal["auto", "arrhenius", "two_segment", "vtf"]


def fit_arrhenius(
    temperature_kelvin: FloatArray,
    conductivity: FloatArray,
    relative_uncertainty: FloatArray | None = None,
    *,
    convention: Convention = Convention.LN_SIGMA_T,
    temperature_uncertainty_kelvin: float = 0.0,
    common_relative_uncertainty: float = 0.0,
    model: Model = "auto",
    glass_transition_kelvin: float | None = None,
    t0_kelvin: float | None = None,
) -> ArrheniusResult:
    """Fit one line, two segments or VTF, whichever the data support (or the one that is asked for).

    Points come in the order of measurement, so that heating and cooling can be compared.
    ``relative_uncertainty`` gives weights 1/u^2 and unscaled errors; without it errors come from
    the residuals. ``temperature_uncertainty_kelvin`` enters as effective variance.
    Raises BadInput for values that cannot be, AnalysisError below three temperatures.
    """
    check_data(temperature_kelvin, conductivity, relative_uncertainty)
    hysteresis = check_hysteresis(temperature_kelvin, conductivity)
    order = np.argsort(temperature_kelvin, kind="stable")
    kelvin, sigma = temperature_kelvin[order], conductivity[order]
    x = 1.0 / (K * kelvin)
    y = np.log(sigma) + ln_factor(convention, kelvin)
    relative = None if relative_uncertainty is None else relative_uncertainty[order]
    u = _effective_uncertainty(x, y, relative, temperature_uncertainty_kelvin)
    vtf = _try_vtf(
        kelvin,
        sigma,
        u,
        model,
        glass_transition_kelvin=glass_transition_kelvin,
        t0_kelvin=t0_kelvin,
    )
    split = find_split(x, y, u)
    line = fit_line(x, y, u)
    fitted = _select(line, split, vtf, line_aicc(x, y, u), model)
    notes = [
        *check_number(kelvin),
        *hysteresis,
        *(check_influence(x, y, line, u) if fitted is line else ()),
        *_shape_flags(fitted, split, x, y, u),
        *check_extrapolation(kelvin, ROOM_KELVIN, isinstance(fitted, VtfFit)),
    ]
    return _assemble(
        fitted,
        kelvin,
        sigma,
        u,
        convention=convention,
        common=common_relative_uncertainty,
        notes=tuple(notes),
    )


def energy_difference(first: ArrheniusResult, second: ArrheniusResult) -> float:
    """Return first minus second in eV; ARR-CONV: refuses results of different conventions."""
    if first.convention is not second.convention:
        raise AnalysisError(
            f"ARR-CONV: activation energies in {first.convention.value} and "
            f"{second.convention.value} differ by kT, 26 meV at 25 degC, for the same sample",
            remedy="fit both in one convention, or convert one with energy_in()",
        )
    return first.energy_in(first.convention) - second.energy_in(second.convention)


def _effective_uncertainty(
    x: FloatArray, y: FloatArray, relative: FloatArray | None, u_kelvin: float
) -> FloatArray | None:
    """Add Ea u_T/(k T^2), the temperature's share, to the relative uncertainty; few passes settle."""
    if u_kelvin == 0.0:
        return relative
    own = np.zeros_like(x) if relative is None else relative
    combined = relative
    for _ in range(5):
        slope = fit_line(x, y, combined).slope
        combined = np.hypot(own, slope * K * x**2 * u_kelvin)
    return combined


def _try_vtf(
    kelvin: FloatArray,
    sigma: FloatArray,
    u: FloatArray | None,
    model: Model,
    *,
    glass_transition_kelvin: float | None,
    t0_kelvin: float | None,
) -> VtfFit | None:
    enough = kelvin.size >= _VTF_LEAST_POINTS and np.ptp(kelvin) >= _VTF_LEAST_SPAN_KELVIN
    if model not in ("auto", "vtf") or not (enough or model == "vtf"):
        return None
    if kelvin.size < _VTF_LEAST_POINTS - 1:
        raise AnalysisError(
            f"VTF has three parameters: {kelvin.size} points do not support it",
            remedy="measure at least 6 temperatures over 40 K",
        )
    return fit_vtf(
        kelvin,
        sigma,
        u,
        t0_kelvin=t0_kelvin,
        glass_transition_kelvin=glass_transition_kelvin,
    )


def _select(
    line: Line, split: Split | None, vtf: VtfFit | None, single: float, model: Model
) -> Line | Split | VtfFit:
    """Choose by AICc among what is accepted; a model that was asked for is taken or refused."""
    if model == "arrhenius":
        return line
    if model == "vtf" and vtf is not None:
        return vtf
    if model == "two_segment":
        if split is None:
            raise AnalysisError("two segments were asked for, but the data show no kink or jump")
        return split
    accepted = vtf is not None and vtf.plausible and vtf.aicc < single - _VTF_GAIN
    if vtf is not None and accepted and (split is None or vtf.aicc < split.aicc):
        return vtf
    return split if split is not None else line


def _shape_flags(
    fitted: Line | Split | VtfFit,
    split: Split | None,
    x: FloatArray,
    y: FloatArray,
    u: FloatArray | None,
) -> tuple[FlagNote, ...]:
    """ARR-KINK for a split (an error when one line hides it), ARR-CURVE for an unexplained bend."""
    if split is not None and not isinstance(fitted, VtfFit):
        low, high = split.energies()
        celsius = split.boundary_kelvin - ZERO_CELSIUS_KELVIN
        seen = f"{low:.3f} eV below and {high:.3f} eV above {celsius:.1f} degC"
        if fitted is split:
            return (flag(ARR_KINK, f"two regimes, {seen}: no single energy given", Level.INFO),)
        return (flag(ARR_KINK, f"one line across two regimes, {seen}"),)
    if isinstance(fitted, VtfFit):
        if fitted.plausible:
            return ()
        return (flag(ARR_CURVE, f"T0 = {fitted.t0_kelvin:.0f} K is not that of a glass"),)
    curved, change = parabola(x, y, u)
    # Between the two conventions the local energy changes by k (Tmax - Tmin) anyway.
    convention_share = K * float(np.ptp(kelvin_of(x)))
    if curved < line_aicc(x, y, u) - _VTF_GAIN and change > 2.0 * convention_share:
        message = (
            f"the local energy changes by {change * 1e3:.0f} meV over the data without a kink "
            "(series or parallel paths?): one energy is an average over this range"
        )
        return (flag(ARR_CURVE, message),)
    return ()


def _assemble(
    fitted: Line | Split | VtfFit,
    kelvin: FloatArray,
    sigma: FloatArray,
    u: FloatArray | None,
    *,
    convention: Convention,
    common: float,
    notes: tuple[FlagNote, ...],
) -> ArrheniusResult:
    x = 1.0 / (K * kelvin)
    residual = np.log(sigma) - predict(fitted, convention, kelvin)[0]
    return ArrheniusResult(
        convention=convention,
        model=_model_name(fitted),
        fitted=fitted,
        segments=_segments(fitted, kelvin),
        degrees_of_freedom=fitted.degrees_of_freedom,
        known_errors=u is not None,
        reduced_chi_squared=fitted.reduced_chi_squared,
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        common_relative_uncertainty=common,
        # The exact T* of these weights: the slope that ln T itself has in this plot.
        mean_temperature_kelvin=-fit_line(x, np.log(kelvin), u).slope / K,
        temperature_min_kelvin=float(kelvin.min()),
        temperature_max_kelvin=float(kelvin.max()),
        n=kelvin.size,
        flags=notes,
    )


def _model_name(fitted: Line | Split | VtfFit) -> Literal["arrhenius", "two_segment", "vtf"]:
    if isinstance(fitted, Line):
        return "arrhenius"
    return "two_segment" if isinstance(fitted, Split) else "vtf"


def _segments(fitted: Line | Split | VtfFit, kelvin: FloatArray) -> tuple[Segment, ...]:
    if isinstance(fitted, VtfFit):
        return ()
    if isinstance(fitted, Line):
        coefficients = np.array([fitted.intercept, fitted.slope])
        return (_segment(coefficients, fitted.covariance, kelvin),)
    count = fitted.count_low
    parts = ((slice(0, 2), kelvin[:count]), (slice(2, 4), kelvin[count:]))
    return tuple(
        _segment(fitted.coefficients[part], fitted.covariance[part, part], own)
        for part, own in parts
    )


def _segment(coefficients: FloatArray, covariance: FloatArray, kelvin: FloatArray) -> Segment:
    return Segment(
        activation_energy_electronvolt=-float(coefficients[1]),
        activation_energy_standard_error_electronvolt=math.sqrt(covariance[1, 1]),
        ln_prefactor=float(coefficients[0]),
        ln_prefactor_standard_error=math.sqrt(covariance[0, 0]),
        temperature_min_kelvin=float(kelvin.min()),
        temperature_max_kelvin=float(kelvin.max()),
        n=kelvin.size,
    )
