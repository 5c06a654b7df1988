"""Bode plots with the fits, and what the fits leave over, both against frequency."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rig.report.drawing import FAINT, INK, SOFT, Drawing, Width, draw, logarithmic, stacked
from rig.report.findings import Array, RunFindings, SpectrumFinding
from rig.report.spectra import Series, curve_frequencies, fit_curve, fitted_mask

_TOLERATED_PERCENT = 1.0  # where a Kramers-Kronig residual counts as broken


def bode_figure(run: RunFindings, series: Series) -> Drawing:
    """Draw modulus and phase of all spectra; the phase as measured, capacitive negative."""

    def fill(figure: Figure) -> None:
        modulus, phase = stacked(figure, [1.0, 1.0])
        for one, colour in zip(series.spectra, series.colours, strict=True):
            _plot_bode(modulus, phase, one, colour)
        logarithmic(modulus, "x")
        logarithmic(modulus, "y")
        modulus.set_ylabel("|Z| / Ω")
        phase.set_ylabel("phase / °")
        phase.set_xlabel("frequency / Hz")
        phase.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0)

    return draw(
        f"{run.run_id}-bode",
        f"Bode plot, channel {run.channel}",
        "Bode plot, colours as in the Nyquist plot. Lines: fit, over the points that were fitted.",
        width="half",
        height_inch=4.6,
        fill=fill,
    )


def residual_figure(run: RunFindings, series: Series, width: Width) -> Drawing | None:
    """Draw measured minus fitted over |Z|; None where nothing was fitted."""
    if all(one.fit is None for one in series.spectra):
        return None

    def fill(figure: Figure) -> None:
        panels = stacked(figure, [1.0, 1.0])
        for one, colour in zip(series.spectra, series.colours, strict=True):
            _plot_residuals(panels, one, colour)
        logarithmic(panels[0], "x")
        for axes, part in zip(panels, ("Z′", "Z″"), strict=True):
            _frame_residuals(axes, f"residual of {part} / %")
        panels[-1].set_xlabel("frequency / Hz")

    return draw(
        f"{run.run_id}-residuals",
        f"Residuals of the impedance fits, channel {run.channel}",
        "Measured minus fitted, relative to |Z|, at the fitted points. Noise scatters; a pattern is "
        "a circuit that does not describe the cell. Grey: ±1\N{NO-BREAK SPACE}%.",
        width=width,
        height_inch=4.6,
        fill=fill,
    )


def residuals_percent(finding: SpectrumFinding) -> tuple[Array, NDArray[np.complex128]]:
    """Return frequencies in hertz and complex residuals in per cent of the modulus."""
    assert finding.fit is not None
    used = fitted_mask(finding)
    frequency = finding.spectrum.frequency_hertz[used]
    measured = finding.spectrum.impedance_ohm[used]
    difference = measured - finding.fit.impedance(frequency)
    return frequency, 100.0 * difference / np.abs(measured)


def _plot_bode(modulus: Axes, phase: Axes, one: SpectrumFinding, colour: str) -> None:
    frequency, measured = one.spectrum.frequency_hertz, one.spectrum.impedance_ohm
    style = {"color": colour, "markersize": 2.8, "markeredgewidth": 0.0, "alpha": 0.85}
    modulus.plot(frequency, np.abs(measured), "o", **style)  # type: ignore[arg-type]
    phase.plot(frequency, np.angle(measured, deg=True), "o", **style)  # type: ignore[arg-type]
    if one.fit is not None:
        smooth, fitted = curve_frequencies(one), fit_curve(one)
        modulus.plot(smooth, np.abs(fitted), color=INK, linewidth=0.7)
        phase.plot(smooth, np.angle(fitted, deg=True), color=INK, linewidth=0.7)


def _plot_residuals(panels: list[Axes], one: SpectrumFinding, colour: str) -> None:
    if one.fit is None:
        return
    frequency, percent = residuals_percent(one)
    for axes, part in zip(panels, (percent.real, percent.imag), strict=True):
        axes.plot(frequency, part, "o-", color=colour, markersize=2.6, linewidth=0.4, alpha=0.85)


def _frame_residuals(axes: Axes, label: str) -> None:
    axes.axhspan(-_TOLERATED_PERCENT, _TOLERATED_PERCENT, color=FAINT, alpha=0.4, zorder=0, lw=0)
    axes.axhline(0.0, color=SOFT, linewidth=0.6, zorder=0)
    reach = 1.08 * max(abs(limit) for limit in axes.get_ylim())
    axes.set_ylim(-reach, reach)
    axes.set_ylabel(label)
