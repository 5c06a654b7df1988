"""Does a spectrum obey Kramers-Kronig, that is: was the cell linear and stationary while it was taken?

The verdict is the residual's (science.md 1.12): below 1 % is accepted, above 2 % refused, and between
them only noise is accepted, not a pattern. Of noise of 1 % some points lie beyond 2 % by chance, and
noise breaks no law: residuals that scatter by no more, have no pattern and no outlier are valid too,
and called noisy. The ends of the band are always worse, since the chain
knows nothing of what lies beyond, and are allowed twice as much. What this cannot see is a slow,
even drift: 10 % over a whole spectrum leaves 0.9 % (science.md S6). ``drift`` and ``z_hit`` can.
Knows no file and no engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rig.analysis.flags import EIS_KK, FlagNote, Level, flag
from rig.analysis.lin_kk import (
    FEWEST_PER_DECADE,
    Impedances,
    LinKKFit,
    Method,
    fit_spectra,
)
from rig.analysis.spectrum import Spectrum, spectrum
from rig.core.errors import BadInput

Floats = NDArray[np.float64]

ACCEPTED, REFUSED = 0.01, 0.02
ENDS_ALLOWED = 2.0
END_DECADES = 0.5
# A pattern: neighbours alike. Of pure noise 1 in 1,000 spectra has as much.
PATTERN_SIGMA = 3.0
# Noise of 1 %, estimated with 71 points to 7 %: beyond, it may hide anything. 20 % of drift leave more.
NOISIEST = 0.012
# Asked for less of a pattern than above, as more is allowed for; and of 142 normal values 1 spectrum
# in 100 has one beyond 4 sigma. A single disturbed point is far beyond.
NOISE_PATTERN_SIGMA, NOISE_PEAK_SIGMA = 1.5, 4.0
# What is accepted and yet no noise: a pattern, or a point this many times the others' noise, beyond
# what the chain itself leaves of sound cells (0.17 % at most). Few points have few others, and a bad
# one among them raises the noise itself: hence the others' median. Of 750 sound spectra one has it.
HINTED, OUTLIER_SIGMA = 0.003, 5.0


@dataclass(frozen=True, slots=True, eq=False)
class KramersKronig:
    """The verdict on one spectrum, with what it rests on, in order of the spectrum's own points.

    Residuals are (measured - fitted)/|Z|. ``systematic``: neighbouring residuals are alike.
    ``noisy``: valid because what is beyond 2 % is noise, ``noise`` its relative standard deviation
    in each part.
    """

    frequency_hertz: Floats
    residual: Impedances
    valid: bool
    systematic: bool
    noisy: bool
    noise: float
    n_rc: int
    mu: float
    method: Method
    terms: tuple[str, ...]
    flagged_frequencies_hertz: tuple[float, ...]
    flags: tuple[FlagNote, ...] = field(default=())

    @property
    def too_few_points(self) -> bool:
        """Valid only because so few points contradict nothing: no verdict at all.

        Fewer elements than 3 per decade, or as many as points: such a chain passes through them.
        """
        return self.valid and _too_few(self.frequency_hertz, self.n_rc)

    @property
    def max_residual_real(self) -> float:
        return float(np.abs(self.residual.real).max())

    @property
    def max_residual_imaginary(self) -> float:
        return float(np.abs(self.residual.imag).max())

    @property
    def rms_residual(self) -> float:
        return float(np.sqrt(np.mean(np.abs(self.residual) ** 2) / 2.0))

    def to_dict(self) -> dict[str, object]:
        return {
            "valid": self.valid,
            "too_few_points": self.too_few_points,
            "max_residual_real": self.max_residual_real,
            "max_residual_imaginary": self.max_residual_imaginary,
            "rms_residual": self.rms_residual,
            "systematic": self.systematic,
            "noisy": self.noisy,
            "noise_relative": self.noise,
            "n_rc": self.n_rc,
            "mu": self.mu,
            "method": self.method,
            "terms": list(self.terms),
            "flagged_frequencies_hertz": list(self.flagged_frequencies_hertz),
            "flags": [note.to_dict() for note in self.flags],
        }


def check(
    measured: Spectrum, method: Method = "complex", *, elements: int | None = None
) -> KramersKronig:
    """Return the verdict on one spectrum; ``elements`` gives the number of RC elements by hand.

    ``method`` says which part is fitted; the other is then predicted, which shows a fault of one
    part alone more clearly and is less sure at the ends of the band.
    """
    rows = measured.impedance_ohm[None]
    (fit,) = fit_spectra(measured.frequency_hertz, rows, method, elements)
    return _judge(measured.frequency_hertz, fit, method)


def check_many(
    frequency_hertz: Floats, impedance_ohm: Impedances, method: Method = "complex"
) -> list[KramersKronig]:
    """Return the verdicts on many spectra (spectra x points) measured at the same frequencies."""
    fits = fit_spectra(frequency_hertz, impedance_ohm, method)
    return [_judge(frequency_hertz, fit, method) for fit in fits]


def objection(points: Iterable[tuple[float, float, float]]) -> str:
    """Return what speaks against a spectrum just measured, in words; "" when nothing does.

    ``points`` are frequency in hertz, real and imaginary part in ohm, as measured. For the engine,
    which asks after each spectrum whether to repeat it and is handed this function: points without
    a number are an objection like any other, never an error.
    """
    columns = np.array(list(points), dtype=float).reshape(-1, 3).T
    try:
        verdict = check(spectrum(*columns))
    except BadInput as error:
        return str(error)
    return "" if verdict.valid else verdict.flags[0].message


def _judge(frequency: Floats, fit: LinKKFit, method: Method) -> KramersKronig:
    size = np.maximum(np.abs(fit.residual.real), np.abs(fit.residual.imag))
    relative = size / allowance(frequency)
    pattern = _pattern_sigma(frequency, fit.residual) > PATTERN_SIGMA
    worst = float(relative.max())
    sparse = _sparse(frequency, fit.n_rc)
    quiet = worst <= (ACCEPTED if pattern else REFUSED)
    noise = _noise(fit)
    noisy = not (sparse or quiet) and _is_noise(frequency, fit.residual, noise, worst)
    valid = sparse or quiet or noisy
    seen = _flags(frequency, fit.residual, relative, pattern=pattern, valid=valid, noisy=noisy)
    few = _too_few_flags(frequency, fit.n_rc) if valid else ()
    return KramersKronig(
        frequency,
        fit.residual,
        valid,
        pattern,
        noisy,
        noise,
        fit.n_rc,
        fit.mu,
        method,
        _words(fit),
        tuple(sorted(frequency[relative > ACCEPTED].tolist())),
        (*few, *(() if sparse else seen)),
    )


def _noise(fit: LinKKFit) -> float:
    """Return the standard deviation of one part, relative: what the fit took is given back to it."""
    return max(fit.rms, float(np.sqrt(np.mean(np.abs(fit.residual) ** 2) / 2.0)))


def _is_noise(frequency: Floats, residual: Impedances, noise: float, worst: float) -> bool:
    """Say whether residuals are those of an honest but noisy instrument: no pattern, no outlier."""
    patterned = _pattern_sigma(frequency, residual) > NOISE_PATTERN_SIGMA
    outlier = worst > min(NOISE_PEAK_SIGMA * noise, OUTLIER_SIGMA * _typical(residual))
    return noise <= NOISIEST and not patterned and not outlier


def _typical(residual: Impedances) -> float:
    """Return the standard deviation that the middle half has, whatever stands out of it."""
    return 1.4826 * float(np.median(np.abs(np.concatenate([residual.real, residual.imag]))))


def _words(fit: LinKKFit) -> tuple[str, ...]:
    names = (
        {"L": "parallel capacitance", "C": "parallel inductance"}
        if fit.admittance
        else {"L": "series inductance", "C": "series capacitance"}
    )
    return tuple(names[term] for term in fit.terms)


def allowance(frequency: Floats) -> Floats:
    """Return how much more a point is allowed than one in the middle of the band."""
    return np.where(interior(frequency), 1.0, ENDS_ALLOWED)


def interior(frequency: Floats) -> NDArray[np.bool_]:
    """Return which points are further than half a decade from both ends of the band."""
    decades = np.log10(frequency)
    reach = min(END_DECADES, 0.2 * float(np.ptp(decades)))
    inside: NDArray[np.bool_] = (decades > decades.min() + reach) & (
        decades < decades.max() - reach
    )
    return inside


def _pattern_sigma(frequency: Floats, residual: Impedances) -> float:
    """Return how much more residuals follow their neighbours than noise does, in the worse part."""
    order = np.argsort(frequency)
    return math.sqrt(len(frequency)) * max(
        autocorrelation(part[order]) for part in (residual.real, residual.imag)
    )


def autocorrelation(values: Floats) -> float:
    """Return the correlation of each value with the next; 0 for values that are all alike."""
    centred = values - values.mean()
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / total if total > 0 else 0.0


def _sparse(frequency: Floats, elements: int) -> bool:
    return elements < FEWEST_PER_DECADE * float(np.ptp(np.log10(frequency)))


def _too_few(frequency: Floats, elements: int) -> bool:
    return len(frequency) <= elements or _sparse(frequency, elements)


def _too_few_flags(frequency: Floats, elements: int) -> tuple[FlagNote, ...]:
    """Say where nothing was checked: no residual speaks against what so few points can carry."""
    if not _too_few(frequency, elements):
        return ()
    decades = float(np.ptp(np.log10(frequency)))
    message = (
        f"{len(frequency)} points over {decades:.1f} decades, {elements} elements: "
        "too few points to judge"
    )
    return (flag(EIS_KK, message, Level.WARN),)


def _flags(
    frequency: Floats,
    residual: Impedances,
    relative: Floats,
    *,
    pattern: bool,
    valid: bool,
    noisy: bool,
) -> tuple[FlagNote, ...]:
    worst = int(np.argmax(relative))
    quiet = valid and not noisy
    hint = _hint(frequency, residual, relative, pattern=pattern) if quiet else ()
    if hint or relative[worst] <= ACCEPTED:
        return hint
    size = max(abs(residual[worst].real), abs(residual[worst].imag))
    beyond = int(np.count_nonzero(relative > ACCEPTED))
    kind = "a pattern, not noise" if pattern else "scattered like noise"
    kind = "noisy: no pattern, no outlier" if noisy else kind
    message = (
        f"Kramers-Kronig residual {100 * size:.2g} % at {frequency[worst]:.4g} Hz, "
        f"{beyond} of {len(frequency)} points beyond what is accepted; {kind}"
    )
    return (flag(EIS_KK, message, Level.WARN if valid else Level.BLOCK),)


def _hint(
    frequency: Floats, residual: Impedances, relative: Floats, *, pattern: bool
) -> tuple[FlagNote, ...]:
    """Say what stands out of the noise of a spectrum that is accepted: something small was wrong."""
    typical, worst = _typical(residual), int(np.argmax(relative))
    size = max(abs(residual[worst].real), abs(residual[worst].imag))
    at = f"of {100 * size:.2g} % at {frequency[worst]:.4g} Hz"
    if size <= HINTED:
        return ()
    if pattern:
        message = f"accepted, but a pattern {at} is not noise: the cell may have changed slowly"
    elif relative[worst] > OUTLIER_SIGMA * typical:
        message = f"accepted, but a residual {at} stands out of the others ({100 * typical:.2g} %)"
    else:
        return ()
    return (flag(EIS_KK, message, Level.WARN),)
