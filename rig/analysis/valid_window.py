"""The part of a refused spectrum that obeys Kramers-Kronig, and what leaving out the rest does.

A window is never applied in silence: the total resistance with and without it is part of the answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.analysis.arcs import resistor_names
from rig.analysis.circuit_family import fit_family
from rig.analysis.kramers_kronig import KramersKronig, check
from rig.analysis.pellet import SYMMETRIC_CIRCUITS, pellet_resistance
from rig.analysis.spectrum import Spectrum
from rig.core.errors import RigError

LEAST_PART = 0.4
LEAST_DECADES = 1.0
FEWEST_POINTS = 8
# Steps from the whole to the least part: fine enough to keep most of what is good.
_STEPS = 25
_END_PART = 4


@dataclass(frozen=True, slots=True, eq=False)
class ValidWindow:
    """A window that is accepted; resistances in ohm, NaN where no circuit could be fitted."""

    lowest_hertz: float
    highest_hertz: float
    points_left_out: int
    verdict: KramersKronig
    total_resistance_ohm: float
    whole_total_resistance_ohm: float

    def to_dict(self) -> dict[str, object]:
        return {
            "lowest_hertz": self.lowest_hertz,
            "highest_hertz": self.highest_hertz,
            "points_left_out": self.points_left_out,
            "max_residual_real": self.verdict.max_residual_real,
            "max_residual_imaginary": self.verdict.max_residual_imaginary,
            "total_resistance_ohm": self.total_resistance_ohm,
            "whole_total_resistance_ohm": self.whole_total_resistance_ohm,
        }


def valid_window(measured: Spectrum, verdict: KramersKronig) -> ValidWindow | None:
    """Return the window left after cutting at the worse end until the rest is accepted.

    None when nothing needs to be cut, or when no window of a decade and 40 % of the points is
    accepted: then the fault is in the middle, and no window makes this a good spectrum.
    """
    if verdict.valid:
        return None
    found = _cut(measured, verdict)
    if found is None:
        return None
    part, accepted = found
    return ValidWindow(
        float(part.frequency_hertz.min()),
        float(part.frequency_hertz.max()),
        len(measured) - len(part),
        accepted,
        total_resistance(part),
        total_resistance(measured),
    )


def total_resistance(measured: Spectrum) -> float:
    """Return the resistance in ohm that the data give without knowing the cell; NaN if none.

    Between blocking electrodes the electrolyte's, else that of all arcs to direct current.
    """
    lowest = measured.impedance_ohm[int(np.argmin(measured.frequency_hertz))]
    try:
        if -lowest.imag > lowest.real:
            return pellet_resistance(measured).electrolyte.resistance_ohm
        family = fit_family(measured, SYMMETRIC_CIRCUITS, None, True)
        return family.estimate(lambda fit: resistor_names(fit.circuit)).resistance_ohm
    except RigError:
        return math.nan


def _cut(measured: Spectrum, verdict: KramersKronig) -> tuple[Spectrum, KramersKronig] | None:
    ordered = np.argsort(measured.frequency_hertz)
    step = max(1, len(measured) // _STEPS)
    least = max(FEWEST_POINTS, math.ceil(LEAST_PART * len(measured)))
    size = np.abs(verdict.residual[ordered])
    while len(ordered) - step >= least:
        ordered = ordered[step:] if _worse_below(size) else ordered[:-step]
        part = _part(measured, ordered)
        decades = math.log10(part.frequency_hertz.max() / part.frequency_hertz.min())
        if decades < LEAST_DECADES:
            return None
        verdict = check(part)
        if verdict.valid:
            return part, verdict
        size = np.abs(verdict.residual[np.argsort(part.frequency_hertz)])
    return None


def _worse_below(size: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    """Say whether the low end holds the larger residuals."""
    end = max(1, len(size) // _END_PART)
    return float(np.mean(size[:end] ** 2)) >= float(np.mean(size[-end:] ** 2))


def _part(measured: Spectrum, points: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Spectrum:
    kept = measured.frequency_hertz[points]
    return measured.window(float(kept.min()), float(kept.max()))
