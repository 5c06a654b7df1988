"""Does a fitted circuit describe its spectrum? What it leaves, beside what any linear cell leaves.

A least-squares fit always ends somewhere, and its standard errors come from what it leaves: of a wrong
circuit they are errors of nothing. The Lin-KK chain follows whatever a linear and stationary cell
can do, so that its own residual is the spectrum's noise, whoever made it; but of garbage everything
is noise, and there the residual alone decides. Knows no optimiser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.flags import EIS_FIT, EIS_KK, FlagNote, Level, flag
from rig.analysis.impedance_result import CircuitFit
from rig.analysis.kramers_kronig import KramersKronig, check
from rig.analysis.spectrum import Spectrum

# The best circuits for the public example files leave up to 5 times the noise (an electrode is no
# circuit), wrong ones 20 to 300 times. Nobody's resistances are right to better than what is left.
BEYOND_NOISE = 3.0
DOUBTFUL, REFUSED = 0.005, 0.05  # of |Z|, root mean square
ABSURD = 0.2  # no resistance follows from this, and no instrument is this noisy


@dataclass(frozen=True, slots=True)
class Adequacy:
    """Root mean squares relative to |Z|, real and imaginary part together.

    ``noise_rms_relative`` is what no linear and stationary cell explains; ``described``: the
    circuit leaves less than 5 %, or less than 3 times that and less than 20 %.
    """

    residual_rms_relative: float
    noise_rms_relative: float
    described: bool
    kramers_kronig_valid: bool
    flags: tuple[FlagNote, ...]

    def to_dict(self) -> dict[str, object]:
        return {
            "described": self.described,
            "noise_rms_relative": self.noise_rms_relative,
            "kramers_kronig_valid": self.kramers_kronig_valid,
        }


def adequacy(measured: Spectrum, fit: CircuitFit) -> Adequacy:
    """Return what ``fit`` leaves of ``measured`` beside the noise that Kramers-Kronig leaves.

    EIS-FIT at level BLOCK above 5 % and three times the noise, and above 20 % whatever the noise;
    WARN above 0.5 % and three times the noise. A spectrum that Kramers-Kronig refuses is flagged EIS-KK.
    """
    verdict = check(measured)
    left, noise = _left_over(measured, fit), _noise(measured, fit, verdict)
    beyond = left > BEYOND_NOISE * noise
    described = left <= ABSURD and not (beyond and left > REFUSED)
    notes = [] if verdict.valid else [_refused(verdict)]
    if not described or (beyond and left > DOUBTFUL):
        notes.append(_words(fit, left, noise, described=described))
    return Adequacy(left, noise, described, verdict.valid, tuple(notes))


def _left_over(measured: Spectrum, fit: CircuitFit) -> float:
    """Return the residual as it was weighted: with unit weights a small |Z| was not asked for."""
    if fit.weights != "unit":
        return fit.residual_rms_relative
    difference = fit.impedance(measured.frequency_hertz) - measured.impedance_ohm
    return _rms(np.abs(difference)) / _rms(measured.modulus_ohm)


def _noise(measured: Spectrum, fit: CircuitFit, verdict: KramersKronig) -> float:
    """Return the noise of both parts together, with the same weights."""
    both = float(np.sqrt(2.0)) * verdict.noise
    if fit.weights != "unit" or verdict.rms_residual == 0.0:
        return both
    inflated = verdict.noise / verdict.rms_residual  # by the degrees of freedom the chain took
    left = _rms(np.abs(verdict.residual) * measured.modulus_ohm)
    return inflated * left / _rms(measured.modulus_ohm)


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _refused(verdict: KramersKronig) -> FlagNote:
    message = f"fitted all the same, but not valid: {verdict.flags[0].message}"
    return flag(EIS_KK, message, Level.WARN)


def _words(fit: CircuitFit, left: float, noise: float, *, described: bool) -> FlagNote:
    verb = "does not describe" if not described else "describes only roughly"
    beside = "no more than" if left > BEYOND_NOISE * noise else "itself"
    message = (
        f"{fit.circuit} {verb} this spectrum: it leaves {100 * left:.2g} % of |Z|, "
        f"and Kramers-Kronig {beside} {100 * noise:.2g} %"
    )
    return flag(EIS_FIT, message, Level.WARN if described else Level.BLOCK)


def undescribed(judged: Sequence[Adequacy]) -> str:
    """Return the message of the worst fit that describes nothing; "" where there is none."""
    refused = [one for one in judged if not one.described]
    if not refused:
        return ""
    worst = max(refused, key=lambda one: one.residual_rms_relative)
    return next(note.message for note in worst.flags if note.code == EIS_FIT)
