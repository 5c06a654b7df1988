"""Circuit fits on one sheet: a spectrum with its curve and residuals, or a series side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rig.analysis.impedance_fit import CircuitFit
from rig.analysis.spectrum import Spectrum
from rig.report.drawing import BLUE, ORANGE, SOFT, logarithmic, save_picture
from rig.report.spectrum_axes import modulus_and_phase, nyquist

SIZE_INCH = (10.0, 6.4)
MOST_SIDE_BY_SIDE = 12
_COLUMNS = 4


def draw_fits(
    path: Path, spectra: Sequence[Spectrum], fits: Sequence[CircuitFit], names: Sequence[str]
) -> None:
    """Write the sheet to ``path``: one spectrum in full, of more the first twelve Nyquist plots."""
    if len(spectra) == 1:
        _draw_one(path, spectra[0], fits[0], names[0])
        return
    shown = min(len(spectra), MOST_SIDE_BY_SIDE)
    columns = min(shown, _COLUMNS)
    rows = math.ceil(shown / columns)

    def fill(figure: Figure) -> None:
        grid = figure.add_gridspec(
            rows, columns, left=0.06, right=0.985, top=0.92, bottom=0.08, wspace=0.32, hspace=0.34
        )
        for i in range(shown):
            axes = figure.add_subplot(grid[i // columns, i % columns])
            nyquist(axes, spectra[i], _curve(spectra[i], fits[i]), _none(spectra[i]))
            axes.set_title(names[i], fontsize=8.5)

    rest = "" if shown == len(spectra) else f", the first {shown} of {len(spectra)}"
    size = (10.0, 0.7 + 3.0 * rows)
    save_picture(path, size, fill, title=f"{fits[0].circuit}{rest}")


def _draw_one(path: Path, measured: Spectrum, fit: CircuitFit, name: str) -> None:
    curve = _curve(measured, fit)

    def fill(figure: Figure) -> None:
        nyquist(figure.add_axes((0.075, 0.09, 0.42, 0.82)), measured, curve, _none(measured))
        right = figure.add_gridspec(
            3, 1, left=0.585, right=0.985, top=0.91, bottom=0.09, hspace=0.13
        )
        upper = figure.add_subplot(right[0])
        middle, lower = (figure.add_subplot(right[at], sharex=upper) for at in (1, 2))
        modulus_and_phase(upper, middle, measured, curve, _none(measured))
        _residuals(lower, measured, curve)
        for axes in (upper, middle):
            axes.tick_params(labelbottom=False)
        figure.align_ylabels((upper, middle, lower))

    words = f"{name}: {fit.circuit}, residual {100 * fit.residual_rms_relative:.2g} % of |Z|"
    save_picture(path, SIZE_INCH, fill, title=words)


def _curve(measured: Spectrum, fit: CircuitFit) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    return np.asarray(fit.impedance(measured.frequency_hertz))


def _none(measured: Spectrum) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.zeros(len(measured), dtype=np.bool_)


def _residuals(
    axes: Axes, measured: Spectrum, curve: np.ndarray[tuple[int], np.dtype[np.complex128]]
) -> None:
    """Plot both parts of measured minus fitted, in per cent of |Z|."""
    order = np.argsort(measured.frequency_hertz)
    relative = 100.0 * ((measured.impedance_ohm - curve) / measured.modulus_ohm)[order]
    hertz = measured.frequency_hertz[order]
    for label, part, colour in (("Z′", relative.real, BLUE), ("Z″", relative.imag, ORANGE)):
        axes.plot(hertz, part, "o-", color=colour, label=label, markersize=3.0, linewidth=0.6)
    axes.axhline(0.0, color=SOFT, linewidth=0.6, zorder=0)
    logarithmic(axes, "x")
    axes.set_xlabel("frequency / Hz")
    axes.set_ylabel("residual / %")
    axes.legend(loc="best", ncols=2, frameon=False)
