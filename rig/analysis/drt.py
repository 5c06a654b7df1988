"""The distribution of relaxation times of a spectrum, its peaks, and how far both can be trusted.

Tikhonov regularisation with a distribution that is nowhere negative; series resistance, inductance
and a blocking capacitance are part of the model. The bands are Bayesian: smoothness is the prior at
the lambda used, noise is the residual's, and the Gaussian posterior is cut at zero (Effat and Ciucci,
Electrochim. Acta 247, 1117 (2017)). They hold noise and smoothing, not the choice of lambda.

Only data that obey Kramers-Kronig are taken, and no peak is read outside the measured window.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.drt_problem import (
    SERIES,
    DrtProblem,
    Spectral,
    choose_lambda,
    drt_problem,
    smoothed,
    spectral,
)
from rig.analysis.flags import EIS_KK, EIS_UNDET, FlagNote, Level, flag
from rig.analysis.kramers_kronig import KramersKronig, check
from rig.analysis.spectrum import Spectrum
from rig.core.errors import AnalysisError

Floats = NDArray[np.float64]

SIGMA_95 = 1.96
# science.md 1.13: peaks nearer than a decade are one peak that may have been cut in two.
LEAST_SEPARATION = 10.0
LARGEST_ECHO = 0.1  # of the hill beside it
NEGLIGIBLE = 0.02  # of the total resistance: below, even noise-free arcs ring

Hill = tuple[int, NDArray[np.intp]]  # where the top is, and all points


@dataclass(frozen=True, slots=True)
class Peak:
    """One process: the area under a peak, and where it stands."""

    resistance_ohm: float
    standard_error_ohm: float
    time_constant_second: float

    @property
    def frequency_hertz(self) -> float:
        return 1.0 / (2.0 * math.pi * self.time_constant_second)

    @property
    def capacitance_farad(self) -> float:
        return self.time_constant_second / self.resistance_ohm

    def to_dict(self) -> dict[str, float]:
        return {
            "resistance_ohm": self.resistance_ohm,
            "standard_error_ohm": self.standard_error_ohm,
            "time_constant_second": self.time_constant_second,
            "frequency_hertz": self.frequency_hertz,
            "capacitance_farad": self.capacitance_farad,
        }


@dataclass(frozen=True, slots=True, eq=False)
class RelaxationTimes:
    """The distribution in ohm per unit of ln tau, on the part of the grid that was measured.

    ``capacitance_farad`` is None where the spectrum ends on the real axis.
    """

    time_constant_second: Floats
    distribution_ohm: Floats
    lower_ohm: Floats
    upper_ohm: Floats
    peaks: tuple[Peak, ...]
    polarisation_resistance_ohm: float
    high_frequency_resistance_ohm: float
    inductance_henry: float
    capacitance_farad: float | None
    lambda_used: float
    lambda_method: str
    residual_rms_relative: float
    fitted_ohm: NDArray[np.complex128]
    kramers_kronig: KramersKronig
    flags: tuple[FlagNote, ...]

    def to_dict(self) -> dict[str, object]:
        return {
            "peaks": [peak.to_dict() for peak in self.peaks],
            "polarisation_resistance_ohm": self.polarisation_resistance_ohm,
            "high_frequency_resistance_ohm": self.high_frequency_resistance_ohm,
            "inductance_henry": self.inductance_henry,
            "capacitance_farad": self.capacitance_farad,
            "lambda": self.lambda_used,
            "lambda_method": self.lambda_method,
            "band_method": "Bayesian, 95 %, at this lambda",
            "residual_rms_relative": self.residual_rms_relative,
            "valid": self.kramers_kronig.valid,
            "time_constant_second": self.time_constant_second.tolist(),
            "distribution_ohm": self.distribution_ohm.tolist(),
            "lower_ohm": self.lower_ohm.tolist(),
            "upper_ohm": self.upper_ohm.tolist(),
            "flags": [note.to_dict() for note in self.flags],
        }


def relaxation_times(
    measured: Spectrum, *, smoothing: float | None = None, force: bool = False
) -> RelaxationTimes:
    """Return the distribution of relaxation times; ``smoothing`` is lambda, None: chosen by the data.

    Raises AnalysisError for a spectrum that breaks Kramers-Kronig, unless ``force`` (then flagged).
    """
    verdict = check(measured)
    if not verdict.valid and not force:
        raise AnalysisError(
            f"no relaxation times from this spectrum: {verdict.flags[0].message}",
            remedy="see 'rig kk' for the window that is valid, or --force to do it all the same",
        )
    problem = drt_problem(measured)
    parts = spectral(problem)
    used = choose_lambda(parts) if smoothing is None else smoothing
    answer = _non_negative(problem, used)
    covariance = _covariance(problem, parts, used, answer)
    inside = _window(problem, measured)
    peaks = _peaks(problem, answer, covariance, inside)
    resistance, inductance, elastance = (answer[:SERIES] * problem.series_scale).tolist()
    distribution = problem.distribution_ohm(answer)[inside]
    spread = SIGMA_95 * np.sqrt(np.diag(covariance))[inside]
    return RelaxationTimes(
        problem.time_constant_second[inside],
        distribution,
        np.maximum(distribution - spread, 0.0),
        distribution + spread,
        peaks,
        float(distribution.sum()) * problem.step,
        resistance,
        inductance,
        1.0 / elastance if elastance > 0 else None,
        used,
        "gcv" if smoothing is None else "given",
        math.sqrt(_left_over(problem, answer) / len(problem.data)),
        _fitted(problem, answer, measured),
        verdict,
        (*_validity_flags(verdict), *_separation_flags(peaks)),
    )


def _non_negative(problem: DrtProblem, value: float) -> Floats:
    from scipy.optimize import nnls  # noqa: PLC0415  (half a second to import)

    columns, data = smoothed(problem, value)
    try:
        answer: Floats = nnls(columns, data, maxiter=50 * columns.shape[1])[0]
    except RuntimeError as error:
        message = f"no distribution fits at lambda {value:.1e}: {error}"
        raise AnalysisError(message, remedy="give a larger --lambda, for example 1e-3") from error
    return answer


def _left_over(problem: DrtProblem, answer: Floats) -> float:
    return float(np.sum((problem.data - problem.columns @ answer) ** 2))


def _covariance(problem: DrtProblem, parts: Spectral, value: float, answer: Floats) -> Floats:
    """Return the posterior covariance of the distribution in ohm^2, before it is cut at zero."""
    freedom = max(len(problem.data) - float(parts.kept(value).sum()), 1.0)
    variance = _left_over(problem, answer) / freedom
    spread = problem.shape @ parts.spread(value)[SERIES:]
    return variance * (spread @ spread.T)


def _window(problem: DrtProblem, measured: Spectrum) -> NDArray[np.bool_]:
    omega = 2.0 * math.pi * measured.frequency_hertz
    tau = problem.time_constant_second
    inside: NDArray[np.bool_] = (tau * omega.max() >= 1.0) & (tau * omega.min() <= 1.0)
    return inside


def _fitted(problem: DrtProblem, answer: Floats, measured: Spectrum) -> NDArray[np.complex128]:
    relative = problem.columns @ answer
    fitted = relative[: problem.points] + 1j * relative[problem.points :]
    return np.asarray(fitted * measured.modulus_ohm)


# --- peaks ---------------------------------------------------------------------------------------


def _peaks(
    problem: DrtProblem, answer: Floats, covariance: Floats, inside: NDArray[np.bool_]
) -> tuple[Peak, ...]:
    """Return what stands out of its band: each maximum with the area up to the minima beside it."""
    distribution = problem.distribution_ohm(answer)
    hills = _without_echoes(problem, distribution, _hills(distribution, inside))
    total = sum(float(distribution[area].sum()) for _, area in hills)
    found = []
    for top, area in hills:
        share = float(distribution[area].sum())
        error = math.sqrt(float(covariance[area][:, area].sum()))
        certain = distribution[top] > SIGMA_95 * math.sqrt(covariance[top, top])
        at_an_end = top in {area[0], area[-1]}  # still rising where the window ends: no maximum
        if certain and not at_an_end and share > NEGLIGIBLE * total:
            tau = _summit(problem, distribution, top)
            found.append(Peak(share * problem.step, error * problem.step, tau))
    return tuple(found)


def _hills(distribution: Floats, inside: NDArray[np.bool_]) -> list[Hill]:
    """Cut the window at the minima; each hill is its highest point and all of its points."""
    measured = np.flatnonzero(inside)
    falling = np.diff(distribution[measured]) < 0
    turns = np.flatnonzero(falling[:-1] & ~falling[1:]) + 1
    parts = np.split(measured, turns)
    return [(int(part[np.argmax(distribution[part])]), part) for part in parts]


def _without_echoes(problem: DrtProblem, distribution: Floats, hills: list[Hill]) -> list[Hill]:
    """Give small hills to the large one beside them that they are the echo of.

    Smoothing makes sharp arcs ring: within a decade of a large hill one of a tenth of its area
    cannot be told from that (science.md 1.13), and its area belongs to the large one.
    """
    kept: list[Hill] = []
    for hill in hills:
        if kept and _is_echo(problem, distribution, hill, kept[-1]):
            kept[-1] = (kept[-1][0], np.concatenate([kept[-1][1], hill[1]]))
            continue
        while kept and _is_echo(problem, distribution, kept[-1], hill):
            hill = (hill[0], np.concatenate([kept.pop()[1], hill[1]]))  # noqa: PLW2901
        kept.append(hill)
    return kept


def _is_echo(problem: DrtProblem, distribution: Floats, small: Hill, large: Hill) -> bool:
    near = abs(small[0] - large[0]) * problem.step < math.log(LEAST_SEPARATION)
    return near and bool(distribution[small[1]].sum() < LARGEST_ECHO * distribution[large[1]].sum())


def _summit(problem: DrtProblem, distribution: Floats, top: int) -> float:
    """Return the time constant of a maximum between grid points, by the parabola through three."""
    left, middle, right = distribution[top - 1 : top + 2]
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(problem.time_constant_second[top] * math.exp(shift * problem.step))


# --- what to be careful about --------------------------------------------------------------------


def _validity_flags(verdict: KramersKronig) -> tuple[FlagNote, ...]:
    if verdict.valid:
        return verdict.flags
    message = f"made by force from a spectrum that is not valid: {verdict.flags[0].message}"
    return (flag(EIS_KK, message, Level.ERROR),)


def _separation_flags(peaks: tuple[Peak, ...]) -> tuple[FlagNote, ...]:
    near = [
        (one, other)
        for one, other in itertools.pairwise(peaks)
        if other.time_constant_second < LEAST_SEPARATION * one.time_constant_second
    ]
    return tuple(
        flag(
            EIS_UNDET,
            f"peaks at {one.frequency_hertz:.3g} and {other.frequency_hertz:.3g} Hz are less than a "
            "decade apart: their sum is sure, the split between them is not",
        )
        for one, other in near
    )
