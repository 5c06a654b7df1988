"""A spectrum and its Kramers-Kronig test on one sheet: Nyquist, Bode, residuals with what is allowed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rig.analysis.kramers_kronig import ACCEPTED, REFUSED, KramersKronig, allowance
from rig.analysis.spectrum import Spectrum
from rig.report.drawing import BLUE, FAINT, INK, ORANGE, SOFT, VERMILION, save_picture
from rig.report.spectrum_axes import modulus_and_phase, nyquist

SIZE_INCH = (10.0, 6.4)


def draw_validation(path: Path, measured: Spectrum, verdict: KramersKronig, name: str) -> None:
    """Write the sheet to ``path``; points beyond what is accepted are red everywhere."""
    doubtful = np.isin(measured.frequency_hertz, verdict.flagged_frequencies_hertz)
    fitted = measured.impedance_ohm - verdict.residual * measured.modulus_ohm

    def fill(figure: Figure) -> None:
        left = figure.add_axes((0.075, 0.09, 0.42, 0.82))
        nyquist(left, measured, fitted, doubtful)
        _key(left)
        right = figure.add_gridspec(
            3, 1, left=0.585, right=0.985, top=0.91, bottom=0.09, hspace=0.13,
            height_ratios=(1.0, 1.0, 1.1),
        )  # fmt: skip
        upper = figure.add_subplot(right[0])
        middle, lower = (figure.add_subplot(right[at], sharex=upper) for at in (1, 2))
        modulus_and_phase(upper, middle, measured, fitted, doubtful)
        _residuals(lower, measured.frequency_hertz, verdict)
        for axes in (upper, middle):
            axes.tick_params(labelbottom=False)
        figure.align_ylabels((upper, middle, lower))

    save_picture(path, SIZE_INCH, fill, title=f"{name}: {_in_words(verdict)}")


def _in_words(verdict: KramersKronig) -> str:
    word = "valid" if verdict.valid else "refused"
    worst = max(verdict.max_residual_real, verdict.max_residual_imaginary)
    return f"Kramers-Kronig {word}, largest residual {100 * worst:.2g} %, M = {verdict.n_rc}"


def _key(axes: Axes) -> None:
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", markersize=4.5, label="measured"),
        Line2D([], [], color=VERMILION, marker="o", linestyle="", markersize=4.5,
               label="beyond what is accepted"),
        Line2D([], [], color=INK, linewidth=0.9, label="chain of RC elements"),
    ]  # fmt: skip
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.03, 1.0), ncols=3, fontsize=8,
        handletextpad=0.3, columnspacing=1.0, borderaxespad=0.1,
    )  # fmt: skip


def _residuals(axes: Axes, frequency: NDArray[np.float64], verdict: KramersKronig) -> None:
    """Plot both parts in per cent of |Z| over the accepted band, which is wider at the ends."""
    order = np.argsort(frequency)
    band = 100.0 * allowance(frequency)[order]
    hertz = frequency[order]
    for limit, shade in ((REFUSED, 0.25), (ACCEPTED, 0.5)):
        axes.fill_between(hertz, -limit * band, limit * band, color=FAINT, alpha=shade, lw=0,
                          step="mid", zorder=0)  # fmt: skip
    parts = (("Z′", verdict.residual.real, BLUE), ("Z″", verdict.residual.imag, ORANGE))
    for label, part, colour in parts:
        axes.plot(hertz, 100.0 * part[order], "o-", color=colour, label=label,
                  markersize=3.0, linewidth=0.6, markeredgewidth=0.0)  # fmt: skip
    axes.axhline(0.0, color=SOFT, linewidth=0.6, zorder=0)
    largest = 100.0 * float(np.abs([verdict.residual.real, verdict.residual.imag]).max())
    reach = max(1.15 * largest, 115.0 * ACCEPTED)
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("residual / %")
    axes.set_xlabel("frequency / Hz")
    axes.legend(loc="upper left", ncols=2, handletextpad=0.3, borderaxespad=0.1)
