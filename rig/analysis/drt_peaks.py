"""The peaks of a distribution of relaxation times: where it is cut, what is an echo, what is certain.

An area under a peak is a resistance. Knows no spectrum and no choice of lambda.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.drt_problem import DrtProblem
from rig.analysis.flags import EIS_UNDET, FlagNote, flag

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


def find_peaks(
    problem: DrtProblem,
    answer: Floats,
    noise: Floats,
    covariance: Floats,
    inside: NDArray[np.bool_],
) -> tuple[Peak, ...]:
    """Return what stands out of the noise inside the window: maxima, each with the area around it.

    The area reaches to the minima beside; ``noise`` is the covariance that a maximum has to stand out
    of, ``covariance`` the one that errors come from. Area that belongs to no peak may belong to any:
    it is in their errors, by their shares.
    """
    distribution = problem.distribution_ohm(answer)
    every = _without_echoes(problem, distribution, _hills(distribution, inside))
    areas = [float(distribution[area].sum()) for _, area in every]
    certain = [
        distribution[top] > SIGMA_95 * math.sqrt(noise[top, top])
        # still rising where the window ends: no maximum
        and top not in {area[0], area[-1]}
        and share > NEGLIGIBLE * sum(areas)
        for (top, area), share in zip(every, areas, strict=True)
    ]
    hills = [hill for hill, kept in zip(every, certain, strict=True) if kept]
    named = sum(share for share, kept in zip(areas, certain, strict=True) if kept)
    loose = (sum(areas) - named) / named if named else 0.0
    return tuple(_peak(problem, distribution, covariance, hill, loose) for hill in hills)


def _peak(
    problem: DrtProblem, distribution: Floats, covariance: Floats, hill: Hill, loose: float
) -> Peak:
    top, area = hill
    share = float(distribution[area].sum())
    error = math.hypot(math.sqrt(float(covariance[area][:, area].sum())), loose * share)
    tau = _summit(problem, distribution, top)
    return Peak(share * problem.step, error * problem.step, tau)


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


def separation_flags(peaks: tuple[Peak, ...]) -> tuple[FlagNote, ...]:
    """Flag neighbours within a decade of each other."""
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
