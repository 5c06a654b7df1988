"""Is the imaginary part upside down? Some programs write -Z'' under a label that says Z''.

The data answer: of everything linear and causal the phase is nearly pi/2 times the slope of ln|Z| over
ln w (Bode; the first term of the Z-HIT, Ehm et al., ACH Models Chem. 137, 145 (2000)). Inductors and
inductive loops obey it as capacitors do, so a spectrum is suspected for its sign alone.
"""

from __future__ import annotations

import math

import numpy as np

from rig.formats.eis.measured import MeasuredSpectrum

# Turned round, the phases must fit their slopes this much better, and there must be some phase. As
# they are written, ten makers' example files fit 3 (a noisy battery) to 1,000 times better.
MUCH_BETTER = 0.4
LEAST_PHASE_RADIAN = 0.05
# No slope of |Z| is steeper than an inductor's or a capacitor's: beyond, a point is disturbed.
STEEPEST = 1.2


def is_upside_down(measured: MeasuredSpectrum) -> bool:
    """Say whether the spectrum makes sense only with the other sign of its imaginary part."""
    order = np.argsort(measured.frequency_hertz)
    logarithm = np.log(measured.frequency_hertz[order])
    ohm = measured.impedance_ohm[order]
    phase = np.angle(np.where(ohm.real < 0, -ohm.real, ohm.real) + 1j * ohm.imag)
    slope = np.gradient(np.log(np.abs(ohm)), logarithm)
    believed = np.abs(slope) <= STEEPEST
    phase, expected = phase[believed], 0.5 * math.pi * slope[believed]
    if not phase.size or float(np.sqrt(np.mean(phase**2))) < LEAST_PHASE_RADIAN:
        return False
    as_written = float(np.sum((phase - expected) ** 2))
    turned = float(np.sum((phase + expected) ** 2))
    return turned < MUCH_BETTER * as_written
