"""A distribution of relaxation times with its band and peaks, beside the spectrum it comes from."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rig.analysis.drt import RelaxationTimes
from rig.analysis.drt_peaks import Peak
from rig.analysis.spectrum import Spectrum
from rig.report.drawing import BLUE, INK, SKY, SOFT, logarithmic, save_picture, scaled
from rig.report.numbers import concise
from rig.report.spectrum_axes import hertz, nyquist

SIZE_INCH = (10.0, 4.6)
# A band that leaves the page hides the distribution it belongs to.
_MOST_BAND = 3.0


def draw_relaxation_times(
    path: Path, measured: Spectrum, found: RelaxationTimes, name: str
) -> None:
    """Write the sheet to ``path``: Nyquist plot with the fit, and the distribution with its peaks."""

    def fill(figure: Figure) -> None:
        left = figure.add_axes((0.07, 0.12, 0.36, 0.78))
        nyquist(left, measured, found.fitted_ohm, np.zeros(len(measured), dtype=np.bool_))
        _distribution(figure.add_axes((0.52, 0.12, 0.465, 0.70)), found)

    chosen = "cross-validation" if found.lambda_method == "gcv" else found.lambda_method
    forced = "" if found.kramers_kronig.valid else ", from a spectrum that is not valid"
    title = f"{name}: relaxation times, λ = {found.lambda_used:.0e} ({chosen}){forced}"
    save_picture(path, SIZE_INCH, fill, title=title)


def _distribution(axes: Axes, found: RelaxationTimes) -> None:
    tau = found.time_constant_second
    top = float(found.distribution_ohm.max())
    factor, unit = scaled(top, "Ω")
    axes.fill_between(
        tau, found.lower_ohm / factor, found.upper_ohm / factor,
        color=SKY, alpha=0.35, lw=0, label="95 % band",
    )  # fmt: skip
    axes.plot(tau, found.distribution_ohm / factor, color=BLUE, linewidth=1.4, label="distribution")
    axes.set_xlim(tau.min(), tau.max())
    highest = min(float(found.upper_ohm.max()), _MOST_BAND * top) or 1.0
    axes.set_ylim(0.0, 1.22 * highest / factor)
    logarithmic(axes, "x")
    axes.set_xlabel("time constant / s")
    axes.set_ylabel(f"g / {unit} per unit of ln τ")
    for peak in found.peaks:
        _name(axes, found, peak, factor)
    _frequencies_above(axes)
    axes.legend(loc="upper right", borderaxespad=0.1)


def _name(axes: Axes, found: RelaxationTimes, peak: Peak, factor: float) -> None:
    """Write resistance and frequency over a peak."""
    tau = peak.time_constant_second
    height = float(
        np.interp(np.log(tau), np.log(found.time_constant_second), found.distribution_ohm)
    )
    words = (
        f"{concise(peak.resistance_ohm, peak.standard_error_ohm)} Ω\n{hertz(peak.frequency_hertz)}"
    )
    above = float(np.interp(np.log(tau), np.log(found.time_constant_second), found.upper_ohm))
    axes.plot([tau, tau], [0.0, height / factor], color=SOFT, linewidth=0.6, linestyle=(0, (4, 3)))
    axes.annotate(
        words, (tau, above / factor), textcoords="offset points", xytext=(0, 5),
        ha="center", va="bottom", fontsize=8, color=INK,
    )  # fmt: skip


def _frequencies_above(axes: Axes) -> None:
    """Show 1/(2 pi tau) along the upper edge: people think in hertz."""
    upper = axes.twiny()
    first, last = axes.get_xlim()
    upper.set_xlim(_hertz_of(last), _hertz_of(first))
    logarithmic(upper, "x")
    upper.invert_xaxis()
    upper.set_xlabel("frequency / Hz")
    upper.spines["top"].set_visible(True)


def _hertz_of(tau: float) -> float:
    return 1.0 / (2.0 * math.pi * tau)
