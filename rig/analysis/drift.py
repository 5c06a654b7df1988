"""Did the cell change while its spectrum was taken? What Kramers-Kronig cannot see.

A resistance that rises by 10 % from the first point to the last leaves a Kramers-Kronig residual
below 1 % (science.md S6); the lowest points measured once more, and the open-circuit voltage
before and after, show it (science.md 1.12 and section 6, EIS-DRIFT). Where neither was taken, the
times of the points show a drift that is the same for all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.flags import EIS_CORR, EIS_DRIFT, FlagNote, flag
from rig.analysis.rc_chain import TERMS_PER_DECADE, basis, elements_at, weighted

LARGEST_CHANGE = 0.01
LARGEST_VOLT = 0.002
# Two points are at one frequency when the instrument rounded it once more, no further.
SAME_FREQUENCY = 0.01
# A drift seen in the times alone is believed when it is this many standard errors away from none.
BELIEVED_SIGMA = 3.0
# science.md section 6, EIS-CORR
CORRECTION_BELOW_OHM = 20.0
CORRECTION_ABOVE_HERTZ = 1.0e6

Frequencies = NDArray[np.float64]
Impedances = NDArray[np.complex128]


def relative_change(
    frequency_hertz: Frequencies,
    impedance_ohm: Impedances,
    repeated_hertz: Frequencies,
    repeated_ohm: Impedances,
) -> complex:
    """Return the mean of (second - first)/first over the repeated points; NaN without a pair.

    The mean, because a drift moves neighbouring points alike and noise does not.
    """
    changes = []
    for hertz, again in zip(repeated_hertz, repeated_ohm, strict=True):
        nearest = int(np.argmin(np.abs(np.log(frequency_hertz / hertz))))
        if abs(frequency_hertz[nearest] / hertz - 1.0) <= SAME_FREQUENCY:
            changes.append((again - impedance_ohm[nearest]) / impedance_ohm[nearest])
    return complex(np.mean(changes)) if changes else complex(math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class TimedDrift:
    """How much the impedance grew from the first point to the last, relative, and how surely."""

    change: float
    standard_error: float

    @property
    def flags(self) -> tuple[FlagNote, ...]:
        """EIS-DRIFT where it is beyond 1 % and beyond doubt."""
        if abs(self.change) <= max(LARGEST_CHANGE, BELIEVED_SIGMA * self.standard_error):
            return ()
        size = f"{100 * self.change:+.1f} ± {100 * self.standard_error:.1f} %"
        return (flag(EIS_DRIFT, f"the impedance changed by {size} while it was measured"),)


def drift_from_times(
    frequency_hertz: Frequencies, impedance_ohm: Impedances, time_second: Frequencies
) -> TimedDrift | None:
    """Return the even drift that the points and their times (seconds, rising) agree on.

    A chain of RC elements, which cannot change, and beside it the measured impedance times the time
    gone by: the share of the latter is the drift. Every resistance is taken to drift alike, linearly
    in time; None where a spectrum has too few points for one more unknown.
    """
    omega = 2.0 * math.pi * frequency_hertz
    elements = elements_at(omega, TERMS_PER_DECADE)
    chain = basis(omega, elements, ("L", "C"))
    freedom = 2 * omega.size - chain.shape[1] - 1
    if freedom < elements:
        return None
    gone = (time_second - time_second[0]) / (time_second[-1] - time_second[0])
    columns = np.concatenate([(gone * impedance_ohm)[:, None], chain], axis=1)
    design, data = weighted(columns, impedance_ohm[None])
    q, r = np.linalg.qr(design[0])
    inverse = np.linalg.inv(r)
    coefficients = inverse @ (q.T @ data[0])
    variance = float(np.sum((data[0] - design[0] @ coefficients) ** 2)) / freedom
    spread = math.sqrt(variance) * float(np.linalg.norm(inverse[0]))
    return TimedDrift(float(coefficients[0]), spread)


def drift_flags(
    change: complex, before_volt: float | None, after_volt: float | None
) -> tuple[FlagNote, ...]:
    """Return EIS-DRIFT where the repeated points moved by more than 1 %, or the voltage by 2 mV."""
    notes = []
    # not abs(): that of a complex NaN raises OverflowError when an earlier call left errno set
    size = math.hypot(change.real, change.imag)
    if size > LARGEST_CHANGE:
        percent = f"{100 * size:.1f} %"
        message = f"the lowest points changed by {percent} when they were measured again"
        notes.append(flag(EIS_DRIFT, message))
    if before_volt is not None and after_volt is not None:
        moved = after_volt - before_volt
        if abs(moved) > LARGEST_VOLT:
            message = f"the open-circuit voltage moved by {1e3 * moved:+.1f} mV over the spectrum"
            notes.append(flag(EIS_DRIFT, message))
    return tuple(notes)


def correction_flags(
    frequency_hertz: Frequencies, impedance_ohm: Impedances, *, series: bool, stray: bool
) -> tuple[FlagNote, ...]:
    """Return EIS-CORR where the fixture weighs and nobody has measured it.

    ``series``: leads or a short are known; ``stray``: an open is known.
    """
    notes = []
    smallest = float(np.min(np.abs(impedance_ohm)))
    if smallest < CORRECTION_BELOW_OHM and not series:
        message = f"|Z| falls to {smallest:.3g} ohm and no short of the fixture was measured"
        notes.append(flag(EIS_CORR, message))
    highest = float(np.max(frequency_hertz))
    if highest > CORRECTION_ABOVE_HERTZ * (1.0 + SAME_FREQUENCY) and not (series and stray):
        message = f"measured up to {highest / 1e6:.3g} MHz without open and short of the fixture"
        notes.append(flag(EIS_CORR, message))
    return tuple(notes)
