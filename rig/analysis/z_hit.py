"""Does the modulus of a spectrum agree with its phase? What shows a drift that Lin-KK follows.

Of everything linear, causal and stable ln|Z(w0)| = const + 2/pi times the integral of the phase over
ln w up to w0 - pi/6 times the slope of the phase there (Z-HIT: Ehm, Göhr, Kaus, Röseler, Schiller,
ACH Models Chem. 137, 145 (2000); Schiller, Richter, Ivers-Tiffée, Wagner, in: Impedance Spectroscopy,
2001). A cell that grows while it is measured moves its modulus and hardly its phase, and the slow
points, which take the most time, the most. A chain of RC elements has a free resistance there and
follows; this has one free constant for the whole band, taken from the fast and the middle part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.flags import EIS_DRIFT, FlagNote, flag
from rig.analysis.spectrum import Spectrum

Floats = NDArray[np.float64]

# The phase is smoothed by a parabola through the points within a quarter decade, five at least.
REACH_DECADES, FEWEST_IN_REACH = 0.25, 5
# The slow end is the last half decade; what it is compared with begins a decade above it and ends
# half a decade below the fast end, where leads and the next arc are.
END_DECADES, AWAY_DECADES = 0.5, 1.0
FEWEST_DECADES, FEWEST_PER_DECADE = 2.5, 4.0
# The two terms are not all, and the parabola rounds: of 1,000 sound cells 99 % have less than 2 % at
# the slow end, an ideal arc cut in half there 2.5 % at 10 points a decade, and 3.7 % at 5.
LARGEST_CHANGE, BELIEVED_SIGMA = 0.027, 3.0
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ZHit:
    """``deviation``: ln of the modulus over the one that the phase demands, in the points' own order.

    ``slow_end_change`` is its mean over the slowest half decade, against the middle of the band, and
    ``standard_error`` what noise does to it. Positive: the modulus is larger than it should be.
    ``largest_sound`` is what a sound cell may have at this density of points.
    """

    frequency_hertz: Floats
    deviation: Floats
    slow_end_change: float
    standard_error: float
    largest_sound: float = LARGEST_CHANGE

    @property
    def flags(self) -> tuple[FlagNote, ...]:
        """EIS-DRIFT where the slow end is off by more than a sound cell's and more than noise does."""
        if abs(self.slow_end_change) <= max(
            self.largest_sound, BELIEVED_SIGMA * self.standard_error
        ):
            return ()
        size = f"{100 * self.slow_end_change:+.1f} ± {100 * self.standard_error:.1f} %"
        message = (
            f"at the slow end |Z| is {size} off what the phase demands (Z-HIT), a sign of drift"
        )
        return (flag(EIS_DRIFT, message),)


def z_hit(measured: Spectrum, noise: float) -> ZHit | None:
    """Return modulus against phase; None for less than 2.5 decades or 4 points a decade.

    ``noise`` is the standard deviation of each part relative to |Z|, such as Lin-KK's estimate.
    """
    decades = float(np.ptp(np.log10(measured.frequency_hertz)))
    if decades < FEWEST_DECADES or len(measured) - 1 < FEWEST_PER_DECADE * decades:
        return None
    order = np.argsort(measured.frequency_hertz)
    logarithm = np.log(measured.frequency_hertz[order])
    ohm = measured.impedance_ohm[order]
    demand = _demand(logarithm)  # times the phase: ln|Z| up to a constant
    compare = _comparison(logarithm / math.log(10.0))
    deviation = np.log(np.abs(ohm)) - demand @ np.unwrap(np.angle(ohm))
    slow_end = float(compare @ deviation)
    # noise of ln|Z| and of the phase in radian are both the relative noise of one part
    spread = noise * math.hypot(
        float(np.linalg.norm(compare)), float(np.linalg.norm(compare @ demand))
    )
    own_order = np.empty_like(deviation)
    own_order[order] = deviation - float(np.median(deviation))
    sound = LARGEST_CHANGE * max(1.0, _reach_decades(len(measured), decades) / REACH_DECADES)
    return ZHit(measured.frequency_hertz, own_order, slow_end, spread, sound)


def _reach_decades(points: int, decades: float) -> float:
    """Return how far the parabola's points reach to either side where they stand evenly."""
    return (FEWEST_IN_REACH - 1) / 2.0 * decades / (points - 1)


def _demand(logarithm: Floats) -> Floats:
    """Return the matrix that makes ln|Z|, up to a constant, of the phases at these ln w."""
    smooth, slope = _local_parabolas(logarithm)
    steps = np.diff(logarithm)
    each = np.zeros((logarithm.size, logarithm.size))  # the integral from the point before
    rows = np.arange(1, logarithm.size)
    each[rows, rows - 1] = each[rows, rows] = 0.5 * steps
    integral = np.cumsum(each, axis=0)
    return np.asarray(2.0 / math.pi * integral @ smooth - math.pi / 6.0 * slope)


def _local_parabolas(logarithm: Floats) -> tuple[Floats, Floats]:
    """Return the matrices that make smoothed values and slopes of values at these places."""
    reach = REACH_DECADES * math.log(10.0)
    away = (logarithm[None, :] - logarithm[:, None]) / reach
    distance = np.abs(away)
    fifth = np.sort(distance, axis=1)[:, FEWEST_IN_REACH - 1 : FEWEST_IN_REACH]
    near = distance <= np.maximum(fifth, 1.0) * (1.0 + _ROUNDING)
    powers = np.stack([np.ones_like(away), away, away**2], axis=1) * near[:, None, :]
    coefficients = np.linalg.solve(powers @ powers.mT, powers)
    return coefficients[:, 0], coefficients[:, 1] / reach


def _comparison(decades: Floats) -> Floats:
    """Return the weights that compare the slow end with the middle of the band."""
    above, below = decades - decades[0], decades[-1] - decades
    slow = above <= END_DECADES + _ROUNDING
    rest = (above >= AWAY_DECADES - _ROUNDING) & (below >= END_DECADES - _ROUNDING)
    return np.asarray(slow / slow.sum() - rest / rest.sum())
