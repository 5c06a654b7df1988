"""A spectrum that ends in arcs: electrodes that do not block, and no geometry to tell them by.

Here is only whether a tail shows, and which circuits are tried where none does. ``pellet`` is for
blocking electrodes, and for two like ones with a geometry. Knows no cell, no file.
"""

from __future__ import annotations

import numpy as np

from rig.analysis.circuit_family import CircuitFamily, fit_family
from rig.analysis.spectrum import Spectrum

ARC_CIRCUITS = ("R0-p(R1,CPE1)", "R0-p(R1,CPE1)-p(R2,CPE2)")
# A blocking tail is the highest point of the Nyquist plot, and a diffusive one still climbs.
FALLEN_TO = 0.5


def shows_tail(spectrum: Spectrum) -> bool:
    """Say whether -Z'' is still high at the slow end, beside its highest value anywhere."""
    height = -spectrum.impedance_ohm.imag
    slowest = float(height[int(np.argmin(spectrum.frequency_hertz))])
    return slowest > FALLEN_TO * float(height.max())


def fit_arcs(spectrum: Spectrum) -> CircuitFamily:
    """Fit one arc, and two where they describe it better; an inductance where the leads show."""
    inductive = bool((spectrum.impedance_ohm.imag > 0).any())
    return fit_family(spectrum, ARC_CIRCUITS, None, inductive)
