"""Did the cell change while its spectrum was taken? What Kramers-Kronig cannot see.

A resistance that rises by 10 % from the first point to the last leaves a Kramers-Kronig residual
below 1 % (science.md S6); the lowest points measured once more, and the open-circuit voltage
before and after, show it (science.md 1.12 and section 6, EIS-DRIFT).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rig.analysis.flags import EIS_CORR, EIS_DRIFT, FlagNote, flag

LARGEST_CHANGE = 0.01
LARGEST_VOLT = 0.002
# Two points are at one frequency when the instrument rounded it once more, no further.
SAME_FREQUENCY = 0.01
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


def drift_flags(
    change: complex, before_volt: float | None, after_volt: float | None
) -> tuple[FlagNote, ...]:
    """Return EIS-DRIFT where the repeated points moved by more than 1 %, or the voltage by 2 mV."""
    notes = []
    if abs(change) > LARGEST_CHANGE:
        percent = f"{100 * abs(change):.1f} %"
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
