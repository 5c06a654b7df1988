"""What the impedance figures and tables share: which colour, which label, which points were fitted.

Spectra are told apart by what was changed between them: the cycle where there are cycles, else the
temperature. Knows no axes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, Normalize
from numpy.typing import NDArray

from rig.analysis.arcs import resistor_names
from rig.analysis.impedance_fit import CircuitFit
from rig.report.findings import Array, SpectrumFinding

MOST_IN_LEGEND = 10
CYCLE = "cycle"
# The yellow end of viridis cannot be read on white.
_DARK_PART = 0.88
_PHASE_OF_THE_KNEE_DEGREE = 5.0
_HIDDEN_BEYOND = 4.0  # times the arcs: then they cannot be seen beside the tail
ROOM = 1.3  # around arcs, of where they end


@dataclass(frozen=True, slots=True)
class Series:
    """Spectra with the variable that tells them apart; ``values`` has one entry per spectrum."""

    spectra: tuple[SpectrumFinding, ...]
    variable: str  # for a colour bar: "temperature / °C"
    values: tuple[float, ...]
    labels: tuple[str, ...]

    @property
    def distinct(self) -> tuple[float, ...]:
        return tuple(sorted({value for value in self.values if math.isfinite(value)}))

    @property
    def colour_map(self) -> Colormap:
        whole = mpl.colormaps["viridis"]
        return mpl.colors.ListedColormap(whole(np.linspace(0.0, _DARK_PART, 256)))

    @property
    def scale(self) -> Normalize:
        known = self.distinct or (0.0,)
        span = known[-1] - known[0]
        return Normalize(known[0] - (0.0 if span else 1.0), known[-1] + (0.0 if span else 1.0))

    @property
    def colours(self) -> tuple[str, ...]:
        """One colour per spectrum; grey where the variable is not known."""
        pick, scale = self.colour_map, self.scale
        return tuple(
            mpl.colors.to_hex(pick(scale(value))) if math.isfinite(value) else "#888888"
            for value in self.values
        )

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Label and colour of each distinct value; repeats are counted: ``25 °C (3 spectra)``."""
        counts = Counter(self.labels)
        order = sorted(zip(self.values, self.labels, self.colours, strict=True), key=_by_value)
        colours = {label: colour for _, label, colour in order}
        return tuple(
            (f"{label} ({counts[label]} spectra)" if counts[label] > 1 else label, colour)
            for label, colour in colours.items()
        )


def series(spectra: Sequence[SpectrumFinding]) -> Series:
    """Put spectra in the order of measurement and find what tells them apart."""
    ordered = tuple(sorted(spectra, key=lambda one: one.spectrum_count))
    if len({one.cycle_count for one in ordered}) > 1:
        cycles = tuple(float(one.cycle_count) for one in ordered)
        labels = tuple(f"cycle {one.cycle_count}" for one in ordered)
        return Series(ordered, CYCLE, cycles, labels)
    # A chamber holds to a few tenths of a kelvin: whole degrees are the set points again.
    celsius = tuple(_whole(one.temperature_celsius) for one in ordered)
    return Series(ordered, "temperature / °C", celsius, tuple(map(celsius_label, celsius)))


def celsius_label(celsius: float) -> str:
    """Write a temperature in whole degrees, with a true minus."""
    if not math.isfinite(celsius):
        return "unknown temperature"
    return f"{celsius:.0f} °C".replace("-", "−")


def fitted_mask(finding: SpectrumFinding) -> NDArray[np.bool_]:
    """Return which points the fit has seen.

    A fit knows how many points it used, not which. Where points were left out they are those of
    the largest modulus: deep in a blocking tail (``rig.analysis.pellet``).
    """
    modulus = finding.spectrum.modulus_ohm
    if finding.fit is None:
        return np.zeros(modulus.size, dtype=np.bool_)
    kept = np.zeros(modulus.size, dtype=np.bool_)
    kept[np.argsort(modulus, kind="stable")[: finding.fit.points]] = True
    return kept


def fit_curve(finding: SpectrumFinding, points: int = 160) -> NDArray[np.complex128]:
    """Return the fitted impedance in ohm over the frequencies that were fitted; empty without fit."""
    if finding.fit is None:
        return np.empty(0, dtype=np.complex128)
    return finding.fit.impedance(curve_frequencies(finding, points))


def curve_frequencies(finding: SpectrumFinding, points: int = 160) -> Array:
    """Return frequencies in hertz, evenly over the logarithm, where the fit may be drawn."""
    used = finding.spectrum.frequency_hertz[fitted_mask(finding)]
    return np.geomspace(used.min(), used.max(), points) if used.size else used


def knee_ohm(finding: SpectrumFinding) -> float:
    """Return roughly where the arcs end on the real axis, from the data alone.

    That is the largest real part among the points whose phase is within 5° of the flattest.
    """
    impedance = finding.spectrum.impedance_ohm
    phase = np.abs(np.angle(impedance, deg=True))
    flat = phase <= phase.min() + _PHASE_OF_THE_KNEE_DEGREE
    return float(np.abs(impedance.real[flat]).max())


def arcs_side_ohm(spectra: Sequence[SpectrumFinding]) -> float | None:
    """Return the side in ohm of a square that shows the arcs; None where the tail does not hide them."""
    knee = max(knee_ohm(one) for one in spectra)
    return ROOM * knee if max(extent_ohm(one) for one in spectra) > _HIDDEN_BEYOND * knee else None


def extent_ohm(finding: SpectrumFinding) -> float:
    """Return how far a spectrum reaches from the origin along either axis."""
    impedance = finding.spectrum.impedance_ohm
    return float(max(np.abs(impedance.real).max(), np.abs(impedance.imag).max()))


def total_resistance(fit: CircuitFit) -> tuple[float, float]:
    """Return the direct-current resistance of a chain of arcs in ohm, and its standard error."""
    return fit.sum_of(resistor_names(fit.circuit))


def _whole(celsius: float) -> float:
    return float(round(celsius)) + 0.0 if math.isfinite(celsius) else math.nan


def _by_value(row: tuple[float, str, str]) -> tuple[bool, float]:
    value = row[0]
    return (not math.isfinite(value), value if math.isfinite(value) else 0.0)
