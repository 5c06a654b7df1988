"""Vogel-Tammann-Fulcher conductivity of polymers and glasses near their glass transition.

    sigma = A T^-1/2 exp(-B / (k (T - T0)))        variant "t_minus_half"
    sigma = A        exp(-B / (k (T - T0)))        variant "plain"

Fitted in ln sigma. For a given T0 the rest is a straight line, so only T0 is searched: no start
value is needed. T0, B and ln A are strongly correlated (0.99): give Tg or fix T0 where known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rig.analysis.regimes import BOLTZMANN_ELECTRONVOLT_PER_KELVIN as K
from rig.analysis.regression import FloatArray, aicc, solve

Variant = Literal["t_minus_half", "plain"]

# T0 lies about 50 K below Tg; no ion conductor has a glass transition below 150 K.
_LEAST_PLAUSIBLE_T0_KELVIN = 100.0
_GRID = 80


@dataclass(frozen=True, slots=True)
class VtfFit:
    """Parameters (ln A, B in eV, T0 in K) with covariance; ``t0_source`` is free, bounded, fixed.

    A is in S K^0.5/cm for "t_minus_half", S/cm for "plain".
    """

    ln_prefactor: float
    pseudo_energy_electronvolt: float
    t0_kelvin: float
    covariance: FloatArray
    variant: Variant
    t0_source: Literal["free", "bounded", "fixed"]
    residual_rms: float
    reduced_chi_squared: float
    degrees_of_freedom: int
    aicc: float
    at_bound: bool

    @property
    def errors(self) -> FloatArray:
        """Standard errors of ln A, B and T0; zero for a fixed T0."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def plausible(self) -> bool:
        """Whether T0 is determined and could be that of a glass: else VTF is only a bent line."""
        if self.t0_source == "fixed":
            return True
        determined = self.t0_kelvin > 3.0 * float(self.errors[2])
        return determined and not self.at_bound and self.t0_kelvin >= _LEAST_PLAUSIBLE_T0_KELVIN

    def ln_conductivity(self, temperature_kelvin: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ln(S/cm) and its standard error; only defined above T0."""
        above = temperature_kelvin - self.t0_kelvin
        value = (
            self.ln_prefactor
            - _half(self.variant) * np.log(temperature_kelvin)
            - self.pseudo_energy_electronvolt / (K * above)
        )
        basis = _jacobian(temperature_kelvin, self.pseudo_energy_electronvolt, self.t0_kelvin)
        variance = np.einsum("ji,ik,jk->j", basis, self.covariance, basis)
        return value, np.sqrt(np.maximum(variance, 0.0))

    def local_energy_electronvolt(self, temperature_kelvin: float) -> float:
        """Slope of ln sigma against -1/(kT): B T^2/(T-T0)^2 - kT/2."""
        ratio = temperature_kelvin / (temperature_kelvin - self.t0_kelvin)
        steep = self.pseudo_energy_electronvolt * ratio**2
        return steep - _half(self.variant) * K * temperature_kelvin


def fit_vtf(
    temperature_kelvin: FloatArray,
    conductivity: FloatArray,
    uncertainty: FloatArray | None = None,
    *,
    variant: Variant = "t_minus_half",
    t0_kelvin: float | None = None,
    glass_transition_kelvin: float | None = None,
) -> VtfFit:
    """Fit VTF to conductivity in S/cm; ``uncertainty`` is relative.

    T0 is fixed at ``t0_kelvin``, bounded to [Tg-80, Tg-20] when Tg is given, and free otherwise.
    """
    y = np.log(conductivity) + _half(variant) * np.log(temperature_kelvin)
    if t0_kelvin is not None:
        return _assemble(
            temperature_kelvin,
            y,
            uncertainty,
            t0=t0_kelvin,
            source="fixed",
            variant=variant,
            at_bound=False,
        )
    lowest = float(temperature_kelvin.min())
    lower, upper = 0.0, lowest - 5.0
    if glass_transition_kelvin is not None:
        lower = glass_transition_kelvin - 80.0
        upper = min(glass_transition_kelvin - 20.0, lowest - 1.0)
    best = _search_t0(temperature_kelvin, y, uncertainty, lower, upper)
    at_bound = min(best - lower, upper - best) < 1e-3 * (upper - lower)
    source: Literal["free", "bounded"] = "free" if glass_transition_kelvin is None else "bounded"
    return _assemble(
        temperature_kelvin,
        y,
        uncertainty,
        t0=best,
        source=source,
        variant=variant,
        at_bound=at_bound,
    )


def _search_t0(
    kelvin: FloatArray, y: FloatArray, uncertainty: FloatArray | None, lower: float, upper: float
) -> float:
    from scipy.optimize import least_squares  # noqa: PLC0415 - slow to load

    u = np.ones_like(y) if uncertainty is None else uncertainty

    def residual(t0: FloatArray) -> FloatArray:
        design = _design(kelvin, float(t0[0]))
        coefficients = solve(design, y, uncertainty).coefficients
        return np.asarray((y - design @ coefficients) / u)

    grid = np.linspace(lower, upper, _GRID)
    costs = [float((residual(np.array([t0])) ** 2).sum()) for t0 in grid]
    start = grid[int(np.argmin(costs))]
    step = grid[1] - grid[0]
    bounds = (max(lower, start - step), min(upper, start + step))
    inside = min(max(start, bounds[0] + 1e-6 * step), bounds[1] - 1e-6 * step)
    found = least_squares(
        residual, [inside], bounds=bounds, jac="3-point", xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    return float(found.x[0])


def _assemble(
    kelvin: FloatArray,
    y: FloatArray,
    uncertainty: FloatArray | None,
    *,
    t0: float,
    source: Literal["free", "bounded", "fixed"],
    variant: Variant,
    at_bound: bool,
) -> VtfFit:
    line = solve(_design(kelvin, t0), y, uncertainty)
    ln_prefactor, energy = (float(value) for value in line.coefficients)
    free = 2 if source == "fixed" else 3
    u = np.ones_like(y) if uncertainty is None else uncertainty
    basis = _jacobian(kelvin, energy, t0)[:, :free] / u[:, None]
    scale = np.sqrt((basis**2).sum(axis=0))
    unscaled = np.linalg.pinv((basis / scale).T @ (basis / scale)) / np.outer(scale, scale)
    freedom = y.size - free
    reduced = line.chi_squared / freedom if freedom else math.nan
    covariance = np.zeros((3, 3))
    covariance[:free, :free] = unscaled if uncertainty is not None else unscaled * reduced
    residual = y - _design(kelvin, t0) @ line.coefficients
    return VtfFit(
        ln_prefactor=ln_prefactor,
        pseudo_energy_electronvolt=energy,
        t0_kelvin=t0,
        covariance=covariance,
        variant=variant,
        t0_source=source,
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        reduced_chi_squared=reduced,
        degrees_of_freedom=freedom,
        aicc=aicc(line.chi_squared, y.size, free + 1),
        at_bound=at_bound,
    )


def _design(kelvin: FloatArray, t0: float) -> FloatArray:
    return np.stack([np.ones_like(kelvin), -1.0 / (K * (kelvin - t0))], axis=1)


def _jacobian(kelvin: FloatArray, energy: float, t0: float) -> FloatArray:
    """Derivatives of ln sigma by ln A, B and T0."""
    above = kelvin - t0
    return np.stack([np.ones_like(kelvin), -1.0 / (K * above), -energy / (K * above**2)], axis=1)


def _half(variant: Variant) -> float:
    return 0.5 if variant == "t_minus_half" else 0.0
