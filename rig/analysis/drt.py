"""The distribution of relaxation times of a spectrum, its peaks, and how far both can be trusted.

Tikhonov regularisation with a distribution that is nowhere negative; series resistance, inductance
and a blocking capacitance are part of the model. The bands are Bayesian: smoothness is the prior,
noise is the residual's, and the Gaussian posterior is cut at zero (Effat and Ciucci, Electrochim.
Acta 247, 1117 (2017)). At the lambda that predicts best such a band is too narrow: it knows the noise,
and not that smoothing lowers every hill; its "95 %" held the truth at 63 % of the points of a ZARC's
hill. So the band's prior is weaker than the curve's (undersmoothing: Hall, Ann. Stat. 20, 675 (1992)).

Only data that obey Kramers-Kronig are taken, and no peak is read outside the measured window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.drt_peaks import SIGMA_95, Peak, find_peaks, separation_flags
from rig.analysis.drt_problem import (
    SERIES,
    DrtProblem,
    Spectral,
    choose_lambda,
    drt_problem,
    smoothed,
    spectral,
)
from rig.analysis.flags import EIS_KK, FlagNote, Level, flag
from rig.analysis.kramers_kronig import KramersKronig, check
from rig.analysis.spectrum import Spectrum
from rig.core.errors import AnalysisError

Floats = NDArray[np.float64]

# By how much the band's lambda is smaller. Over nine kinds of cell with 0.1 to 1 % of noise the band
# holds 93 to 100 % of the points on hills and 98 % of all; of an arc with an exponent of 0.97, sharper
# than anything smooth, 56 %.
BAND_WEAKER = 20.0
# The same for what stands out at all. With 1 a lone arc rings into a second peak in 40 of 100 spectra
# at 1 % of noise, with 2 in 8; three arcs are three in 96 and in 92 (with 20 in none).
CERTAIN_WEAKER = 2.0


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
            "band_method": f"Bayesian, 95 %, at lambda / {BAND_WEAKER:g}",
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
    noise = _covariance(problem, parts, used, answer, CERTAIN_WEAKER)
    covariance = _covariance(problem, parts, used, answer, BAND_WEAKER)
    inside = _window(problem, measured)
    peaks = find_peaks(problem, answer, noise, covariance, inside)
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
        (*_validity_flags(verdict), *separation_flags(peaks)),
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


def _covariance(
    problem: DrtProblem, parts: Spectral, value: float, answer: Floats, weaker: float
) -> Floats:
    """Return the posterior covariance of the distribution in ohm^2, before it is cut at zero.

    The noise is what the lambda used leaves; the prior is ``weaker`` by this factor.
    """
    freedom = max(len(problem.data) - float(parts.kept(value).sum()), 1.0)
    variance = _left_over(problem, answer) / freedom
    spread = problem.shape @ parts.spread(value / weaker)[SERIES:]
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


# --- what to be careful about --------------------------------------------------------------------


def _validity_flags(verdict: KramersKronig) -> tuple[FlagNote, ...]:
    if verdict.valid:
        return verdict.flags
    message = f"made by force from a spectrum that is not valid: {verdict.flags[0].message}"
    return (flag(EIS_KK, message, Level.ERROR),)
