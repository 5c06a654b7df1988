"""What a fixture adds to an impedance, and taking it away again: open and short correction.

Between analyser and cell lie leads in series and a stray capacitance across the terminals. A
shorted fixture shows the first, an empty one both; with Zs from the short and Yo = 1/(Zopen - Zs)
the cell is Z = (Zm - Zs)/(1 - (Zm - Zs) Yo) (Keysight, Impedance Measurement Handbook, open/short
compensation). Knows no file and no instrument.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

# How far beyond the measured frequencies a point may lie: instruments round what they are asked.
FREQUENCY_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class FixtureSpectrum:
    """An open or a short as it was measured: ascending frequencies in hertz, impedances in ohm."""

    frequency_hertz: tuple[float, ...]
    impedance_ohm: tuple[complex, ...]

    @staticmethod
    def of(points: Sequence[tuple[float, complex]]) -> FixtureSpectrum:
        """Return (frequency, impedance) pairs in any order as a spectrum."""
        frequencies, impedances = zip(*sorted(points, key=lambda point: point[0]), strict=True)
        return FixtureSpectrum(frequencies, impedances)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest frequency that was measured."""
        return self.frequency_hertz[0], self.frequency_hertz[-1]

    def reaches(self, frequency_hertz: float) -> bool:
        """Say whether the fixture is known at this frequency, without guessing beyond the ends."""
        low, high = self.span
        within = low * (1.0 - FREQUENCY_TOLERANCE) <= frequency_hertz
        return within and frequency_hertz <= high * (1.0 + FREQUENCY_TOLERANCE)


@dataclass(frozen=True, slots=True)
class Fixture:
    """An open, a short, or both; ``source`` says what they are, for the record of a spectrum."""

    open: FixtureSpectrum | None = None
    short: FixtureSpectrum | None = None
    source: tuple[tuple[str, str], ...] = ()  # e.g. (("short", "short.csv sha256 ..."),)

    def reaches(self, frequency_hertz: float) -> bool:
        """Say whether everything needed at this frequency was measured."""
        parts = (self.open, self.short)
        return all(part.reaches(frequency_hertz) for part in parts if part is not None)

    @property
    def span(self) -> tuple[float, float]:
        """The frequencies that both parts cover, lowest and highest."""
        spans = [part.span for part in (self.open, self.short) if part is not None]
        if not spans:
            return 0.0, math.inf
        return max(low for low, _ in spans), min(high for _, high in spans)

    def corrected(self, frequency_hertz: float, measured_ohm: complex) -> complex:
        """Return the impedance in ohm behind the fixture; NaN where it is not known or not finite."""
        if not self.reaches(frequency_hertz):
            return complex(math.nan, math.nan)
        series = _series_ohm(self.short, frequency_hertz)
        behind = measured_ohm - series
        remaining = 1.0 - behind * self._stray_siemens(frequency_hertz)
        return behind / remaining if remaining else complex(math.nan, math.nan)

    def _stray_siemens(self, frequency_hertz: float) -> complex:
        """Return the admittance across the terminals, interpolated as conductance and capacitance."""
        if self.open is None:
            return 0j
        admittances = [
            _inverse(ohm - _series_ohm(self.short, frequency))
            for frequency, ohm in zip(
                self.open.frequency_hertz, self.open.impedance_ohm, strict=True
            )
        ]
        return _between(self.open.frequency_hertz, admittances, frequency_hertz)


def _series_ohm(short: FixtureSpectrum | None, frequency_hertz: float) -> complex:
    if short is None:
        return 0j
    return _between(short.frequency_hertz, short.impedance_ohm, frequency_hertz)


def _inverse(ohm: complex) -> complex:
    return 1.0 / ohm if ohm else complex(math.nan, math.nan)


def _between(
    frequencies_hertz: Sequence[float], values: Sequence[complex], wanted_hertz: float
) -> complex:
    """Interpolate over ln f: the real part, and the imaginary part over frequency.

    So a series of resistance and inductance, or conductance and capacitance in parallel, comes
    out exactly however coarse the table is.
    """
    after = bisect_left(frequencies_hertz, wanted_hertz)
    left = min(max(after - 1, 0), len(values) - 1)
    right = min(after, len(values) - 1)
    low, high = frequencies_hertz[left], frequencies_hertz[right]
    share = 0.0 if low == high else math.log(wanted_hertz / low) / math.log(high / low)
    real = values[left].real + share * (values[right].real - values[left].real)
    slope = values[left].imag / low
    slope += share * (values[right].imag / high - slope)
    return complex(real, slope * wanted_hertz)
