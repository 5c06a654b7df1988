"""Nyquist plots: all spectra on equal axes, the arcs enlarged, and each spectrum by itself.

This is the one place where the imaginary part is turned upside down.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rig.report.drawing import FAINT, INK, SOFT, Drawing, draw, scaled
from rig.report.findings import RunFindings, SpectrumFinding
from rig.report.numbers import concise
from rig.report.spectra import (
    MOST_IN_LEGEND,
    ROOM,
    Series,
    arcs_side_ohm,
    extent_ohm,
    fit_curve,
    knee_ohm,
    total_resistance,
)

MOST_SINGLE = 12
_SINGLE_COLUMNS = 5
_ARCS_DIFFER = 3.0  # largest over smallest: then one enlargement does not serve them all
_FRAME = (0.14, 0.12, 0.84, 0.86)


def nyquist_figures(run: RunFindings, series: Series) -> list[Drawing]:
    """Draw the overview, the enlargement where it shows more, and single spectra where they differ."""
    knees = [knee_ohm(one) for one in series.spectra]
    figures = [_overview(run, series)]
    side_ohm = arcs_side_ohm(series.spectra)
    if side_ohm is not None:
        words = "the arcs that the tail hides at full scale"
        figures.append(_enlarged(run, series, side_ohm, words))
    elif _differ(knees):
        words = "the small arcs that the large ones hide"
        figures.append(_enlarged(run, series, ROOM * float(np.median(knees)), words))
    return figures


def single_spectra_figure(run: RunFindings, series: Series) -> Drawing | None:
    """Draw each spectrum's arcs on their own scale; None where one scale shows them all."""
    knees = [knee_ohm(one) for one in series.spectra]
    return _singles(run, series) if _differ(knees) else None


def _differ(knees: list[float]) -> bool:
    return max(knees) > _ARCS_DIFFER * min(knees)


def _overview(run: RunFindings, series: Series) -> Drawing:
    def fill(figure: Figure) -> None:
        axes = figure.add_axes(_FRAME)
        factor = _plot_all(axes, series, max(extent_ohm(one) for one in series.spectra))
        _frame_all(axes, series, factor)
        _key(figure, axes, series)

    return draw(
        f"{run.run_id}-nyquist",
        f"Nyquist plot of all spectra, channel {run.channel}",
        "Nyquist plot, all spectra, equal axes. Points: measured. Lines: fit, over the points that "
        "were fitted.",
        width="half",
        height_inch=4.6,
        fill=fill,
    )


def _enlarged(run: RunFindings, series: Series, limit_ohm: float, words: str) -> Drawing:
    def fill(figure: Figure) -> None:
        axes = figure.add_axes(_FRAME)
        limit = limit_ohm / _plot_all(axes, series, limit_ohm)
        axes.set_aspect("equal")
        axes.set_xlim(0.0, limit)
        axes.set_ylim(-0.12 * limit, 0.88 * limit)
        _mark_zero(axes)

    return draw(
        f"{run.run_id}-nyquist-arcs",
        f"Nyquist plot, arcs enlarged, channel {run.channel}",
        f"The same, near the origin: {words}. Colours as before.",
        width="half",
        height_inch=4.6,
        fill=fill,
    )


def _frame_all(axes: Axes, series: Series, factor: float) -> None:
    """Show everything in a square from the origin on; what is not needed above is for the key."""
    points = np.concatenate([one.spectrum.impedance_ohm for one in series.spectra]) / factor
    low_x, low_y = min(0.0, points.real.min()), min(0.0, (-points.imag).min())
    side = 1.05 * max(points.real.max() - low_x, (-points.imag).max() - low_y)
    axes.set_aspect("equal")
    axes.set_xlim(low_x, low_x + side)
    axes.set_ylim(low_y - 0.04 * side, low_y + 0.96 * side)
    _mark_zero(axes)


def _plot_all(axes: Axes, series: Series, extent: float) -> float:
    """Plot every spectrum; return the ohm per unit of the axes."""
    factor, unit = scaled(extent, "Ω")
    for one, colour in zip(series.spectra, series.colours, strict=True):
        _plot(axes, one, colour, factor)
    _name_axes(axes, unit)
    return factor


def _plot(axes: Axes, one: SpectrumFinding, colour: str, factor: float, size: float = 3.4) -> None:
    measured = one.spectrum.impedance_ohm / factor
    axes.plot(
        measured.real,
        -measured.imag,
        "o",
        color=colour,
        markersize=size,
        markeredgewidth=0,
        alpha=0.85,
    )
    fitted = fit_curve(one) / factor
    axes.plot(fitted.real, -fitted.imag, color=INK, linewidth=0.8)


def _name_axes(axes: Axes, unit: str) -> None:
    axes.set_xlabel(f"Z′ / {unit}")
    axes.set_ylabel(f"−Z″ / {unit}")


def _mark_zero(axes: Axes) -> None:
    axes.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0)


def _key(figure: Figure, axes: Axes, series: Series) -> None:
    """Say which colour is what: a legend for a few values, a colour bar for many."""
    if len(series.distinct) > MOST_IN_LEGEND:
        bar = figure.colorbar(
            ScalarMappable(series.scale, series.colour_map),
            cax=axes.inset_axes((0.5, 0.94, 0.46, 0.03)),
            orientation="horizontal",
        )
        bar.set_label(series.variable)
        return
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", markersize=4.5, label=label)
        for label, colour in series.legend
    ]
    if any(one.fit is not None for one in series.spectra):
        handles.append(Line2D([], [], color=INK, linewidth=0.8, label="fit"))
    axes.legend(handles=handles, loc="upper right", handletextpad=0.3, borderaxespad=0.2)


# --- one by one ----------------------------------------------------------------------------------


def _singles(run: RunFindings, series: Series) -> Drawing:
    shown = _chosen(len(series.spectra))
    columns = min(_SINGLE_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    left_out = len(series.spectra) - len(shown)

    def fill(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        height = figure.get_size_inches()[1]
        figure.subplots_adjust(
            left=0.055, right=0.995, bottom=0.5 / height, top=1 - 0.2 / height, wspace=0.3
        )
        for axes, index in zip(grid, shown, strict=False):
            _single(axes, series, index)
        for axes in grid[len(shown) :]:
            axes.set_axis_off()
        for axes in grid[::columns]:
            axes.set_ylabel("−Z″ / Ω")
        for axes in grid[max(0, len(shown) - columns) : len(shown)]:
            axes.set_xlabel("Z′ / Ω")

    more = f" {left_out} more are in the table below." if left_out else ""
    return draw(
        f"{run.run_id}-singles",
        f"Nyquist plots of single spectra, channel {run.channel}",
        "Each spectrum on its own scale, in the order of measurement, equal axes in ohm. R: sum of "
        f"the fitted resistors that carry direct current, before any lead is subtracted.{more}",
        width="full",
        height_inch=0.55 + 1.9 * rows,
        fill=fill,
    )


def _chosen(count: int) -> list[int]:
    """Return all indices, or a dozen evenly spread ones with the first and the last."""
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, MOST_SINGLE))})


def _single(axes: Axes, series: Series, index: int) -> None:
    one = series.spectra[index]
    limit = ROOM * knee_ohm(one)
    _plot(axes, one, series.colours[index], 1.0, size=3.0)
    axes.set_aspect("equal")
    axes.set_xlim(0.0, limit)
    axes.set_ylim(-0.2 * limit, 0.8 * limit)
    axes.locator_params(nbins=4)
    axes.tick_params(labelsize=7.5, pad=2)
    _mark_zero(axes)
    words = f"{one.spectrum_count}: {series.labels[index]}"
    axes.text(0.03, 1.0, words, transform=axes.transAxes, va="top", fontweight="bold", fontsize=8.5)
    axes.text(
        0.03, 0.89, _resistance(one), transform=axes.transAxes, va="top", fontsize=8, color=SOFT
    )


def _resistance(one: SpectrumFinding) -> str:
    if one.fit is None:
        return "no fit"
    value, error = total_resistance(one.fit)
    if not math.isfinite(error) or error > abs(value):
        return "R not determined"
    return f"R = {concise(value, error)} Ω"
