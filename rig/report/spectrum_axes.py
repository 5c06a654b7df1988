"""Axes that one spectrum is shown on: Nyquist with decades marked, Bode, residuals. Knows no verdict.

The Nyquist plot is the one place where the imaginary part is turned upside down.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, Stroke
from numpy.typing import NDArray

from rig.analysis.spectrum import Spectrum
from rig.report.drawing import BLUE, FAINT, INK, SOFT, VERMILION, logarithmic, scaled

Floats = NDArray[np.float64]
Impedances = NDArray[np.complex128]

_PREFIXES = ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz"), (1e-3, "mHz"), (1e-6, "µHz"))
# Decades are marked where they can be told apart on paper, in parts of the axis.
_ROOM_FOR_A_MARK = 0.07
_NEAR_A_DECADE = 0.06
_ROOM_AROUND = 0.14
_SIDEWAYS = 0.4
_HALO = (Stroke(linewidth=2.5, foreground="white"), Normal())


def nyquist(
    axes: Axes, measured: Spectrum, fitted_ohm: Impedances | None, doubtful: NDArray[np.bool_]
) -> None:
    """Plot -Z'' over Z' on equal axes, the decades of frequency named along the curve."""
    impedance = measured.impedance_ohm
    extent = float(np.ptp(impedance.real)) or float(np.abs(impedance).max())
    factor, unit = scaled(max(extent, float(np.ptp(impedance.imag))), "Ω")
    if fitted_ohm is not None:
        axes.plot(fitted_ohm.real / factor, -fitted_ohm.imag / factor, color=INK, linewidth=0.9)
    points = {"markeredgewidth": 0.0, "markersize": 4.0, "linestyle": "", "marker": "o"}
    for mask, colour in ((~doubtful, BLUE), (doubtful, VERMILION)):
        shown = impedance[mask] / factor
        axes.plot(shown.real, -shown.imag, color=colour, **points)  # type: ignore[arg-type]
    axes.set_xlabel(f"Z′ / {unit}")
    axes.set_ylabel(f"−Z″ / {unit}")
    axes.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0)
    _equal(axes, impedance / factor)
    _mark_decades(axes, measured, factor)


def modulus_and_phase(
    upper: Axes,
    lower: Axes,
    measured: Spectrum,
    fitted_ohm: Impedances | None,
    doubtful: NDArray[np.bool_],
) -> None:
    """Plot |Z| and the phase over frequency; the phase as measured, capacitive negative."""
    frequency, impedance = measured.frequency_hertz, measured.impedance_ohm
    for mask, colour in ((~doubtful, BLUE), (doubtful, VERMILION)):
        style = {"color": colour, "markersize": 3.2, "markeredgewidth": 0.0}
        hz, ohm = frequency[mask], impedance[mask]
        upper.plot(hz, np.abs(ohm), "o", **style)  # type: ignore[arg-type]
        lower.plot(hz, np.angle(ohm, deg=True), "o", **style)  # type: ignore[arg-type]
    if fitted_ohm is not None:
        order = np.argsort(frequency)
        for axes, values in (
            (upper, np.abs(fitted_ohm)),
            (lower, np.angle(fitted_ohm, deg=True)),
        ):
            axes.plot(frequency[order], values[order], color=INK, linewidth=0.8)
    logarithmic(upper, "x")
    logarithmic(upper, "y")
    upper.set_ylabel("|Z| / Ω")
    lower.set_ylabel("phase / °")
    lower.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0)


def hertz(frequency: float) -> str:
    """Write a frequency as people say it.

    >>> hertz(1e5), hertz(0.1), hertz(2.5)
    ('100 kHz', '100 mHz', '2.5 Hz')
    """
    factor, unit = next(
        (one for one in _PREFIXES if frequency >= 0.9999999 * one[0]), _PREFIXES[-1]
    )
    return f"{frequency / factor:.3g} {unit}"


def _equal(axes: Axes, impedance: Impedances) -> None:
    """Give both axes one scale that fills the panel, with room for the marks around the data."""
    left, right = float(impedance.real.min()), float(impedance.real.max())
    low = min(0.0, float((-impedance.imag).min()))
    high = max(0.0, float((-impedance.imag).max()))
    room = _ROOM_AROUND * max(right - left, high - low)
    panel = axes.get_window_extent()
    per_pixel = max(
        (right - left + 2.0 * room) / panel.width, (high - low + 2.0 * room) / panel.height
    )
    middle = 0.5 * (left + right)
    axes.set_xlim(middle - 0.5 * per_pixel * panel.width, middle + 0.5 * per_pixel * panel.width)
    axes.set_ylim(low - room, low - room + per_pixel * panel.height)
    axes.set_aspect("equal", adjustable="box")
    axes.locator_params(nbins=7)


def _mark_decades(axes: Axes, measured: Spectrum, factor: float) -> None:
    """Name the measured points nearest to whole decades, each where it has room, beside the curve."""
    scale = axes.get_ylim()[1] - axes.get_ylim()[0]
    places = measured.impedance_ohm.conj() / factor
    marked: list[complex] = []
    for at in _at_decades(measured.frequency_hertz):
        place = complex(places[at])
        if any(abs(place - other) < _ROOM_FOR_A_MARK * scale for other in marked):
            continue
        marked.append(place)
        away = _away(places, at)
        axes.plot(place.real, place.imag, "o", color="none", markeredgecolor=INK, markersize=6.5)
        axes.annotate(
            hertz(10.0 ** round(math.log10(measured.frequency_hertz[at]))),
            (place.real, place.imag),
            textcoords="offset points",
            xytext=(9.0 * away.real, 9.0 * away.imag),
            ha="center" if abs(away.real) < _SIDEWAYS else "left" if away.real > 0 else "right",
            va="center" if abs(away.imag) < _SIDEWAYS else "bottom" if away.imag > 0 else "top",
            fontsize=7.5,
            color=SOFT,
            path_effects=_HALO,
        )


def _away(places: Impedances, at: int) -> complex:
    """Return the direction at right angles to the curve that leads away from its chord's middle."""
    before, after = places[max(at - 1, 0)], places[min(at + 1, len(places) - 1)]
    along = complex(after - before) or 1.0 + 0.0j
    normal = 1j * along / abs(along)
    outward = complex(places[at]) - complex(places[[0, -1]].mean())
    return normal if (normal * outward.conjugate()).real >= 0 else -normal


def _at_decades(frequency: Floats) -> list[int]:
    """Return one point for each whole decade that was measured closely enough, fast ones first."""
    decades = np.log10(frequency)
    whole = range(math.ceil(float(decades.max())), math.floor(float(decades.min())) - 1, -1)
    nearest = [int(np.argmin(np.abs(decades - decade))) for decade in whole]
    return [
        at
        for at, decade in zip(nearest, whole, strict=True)
        if abs(float(decades[at]) - decade) < _NEAR_A_DECADE
    ]
