"""A spectrum and its Kramers-Kronig test on one sheet: Nyquist, Bode, residuals with what is allowed.

Under them, where the spectrum is long enough, the modulus against the one that the phase demands.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rig.analysis.kramers_kronig import ACCEPTED, REFUSED, KramersKronig, allowance
from rig.analysis.spectrum import Spectrum
from rig.analysis.z_hit import END_DECADES, ZHit
from rig.report.drawing import BLUE, FAINT, INK, ORANGE, SOFT, VERMILION, save_picture
from rig.report.spectrum_axes import modulus_and_phase, nyquist

SIZE_INCH = (10.0, 6.4)
HEIGHTS = (1.0, 1.0, 1.1, 0.7)  # modulus, phase, residuals, Z-HIT


def draw_validation(
    path: Path, measured: Spectrum, verdict: KramersKronig, hit: ZHit | None, name: str
) -> None:
    """Write the sheet to ``path``; points beyond what is accepted are red everywhere."""
    doubtful = np.isin(measured.frequency_hertz, verdict.flagged_frequencies_hertz)
    fitted = measured.impedance_ohm - verdict.residual * measured.modulus_ohm

    def fill(figure: Figure) -> None:
        left = figure.add_axes((0.075, 0.09, 0.42, 0.82))
        nyquist(left, measured, fitted, doubtful)
        _key(left)
        panels = 3 if hit is None else 4
        right = figure.add_gridspec(
            panels, 1, left=0.585, right=0.985, top=0.91, bottom=0.09, hspace=0.13,
            height_ratios=HEIGHTS[:panels],
        )  # fmt: skip
        upper = figure.add_subplot(right[0])
        below = [figure.add_subplot(right[at], sharex=upper) for at in range(1, panels)]
        modulus_and_phase(upper, below[0], measured, fitted, doubtful)
        _residuals(below[1], measured.frequency_hertz, verdict)
        if hit is not None:
            _modulus_against_phase(below[2], hit)
        for axes in (upper, *below[:-1]):
            axes.tick_params(labelbottom=False)
        below[-1].set_xlabel("frequency / Hz")
        figure.align_ylabels((upper, *below))

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
    axes.legend(loc="best", ncols=2, handletextpad=0.3, borderaxespad=0.1)


def _modulus_against_phase(axes: Axes, hit: ZHit) -> None:
    """Plot by how much |Z| is off in per cent; the slow end, which is judged, has its limits shaded."""
    order = np.argsort(hit.frequency_hertz)
    hertz, off = hit.frequency_hertz[order], 100.0 * hit.deviation[order]
    colour = VERMILION if hit.flags else BLUE
    limit = 100.0 * hit.largest_sound
    axes.fill_between(hertz[[0, -1]], -limit, limit, color=FAINT, alpha=0.5, lw=0, zorder=0)
    axes.axhline(0.0, color=SOFT, linewidth=0.6, zorder=0)
    axes.plot(hertz, off, "o-", color=BLUE, markersize=3.0, linewidth=0.6, markeredgewidth=0.0)
    slow = hertz <= hertz[0] * 10.0**END_DECADES
    axes.plot(hertz[slow], off[slow], "o", color=colour, markersize=4.5, markeredgewidth=0.0)
    reach = max(1.15 * float(np.abs(off).max()), 1.3 * limit)
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("Z-HIT / %")
