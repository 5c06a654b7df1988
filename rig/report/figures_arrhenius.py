"""Arrhenius plots with their confidence band, and below each what the law leaves over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rig.analysis.arrhenius_result import ZERO_CELSIUS_KELVIN, ArrheniusResult, Convention, Segment
from rig.report.drawing import BLUE, INK, Drawing, draw, logarithmic, stacked
from rig.report.findings import Array, PelletFinding, Quantity, RunFindings
from rig.report.numbers import concise
from rig.report.spectra import celsius_label

_MOST_TOP_TICKS = 7
_MARGIN_KELVIN = 4.0


@dataclass(frozen=True, slots=True)
class _Plot:
    """One thermally activated conductance; ``symbol`` with the unit as the axes name them."""

    name: str
    caption: str
    symbol: str
    unit: str
    unit_times_kelvin: str
    celsius: Array
    conductance: Array
    relative_uncertainty: Array
    result: ArrheniusResult
    quantities: tuple[tuple[str, Quantity], ...]


def arrhenius_figures(run: RunFindings) -> list[Drawing]:
    """Draw the electrolyte, and the interface where there is a series of it."""
    if run.pellet is None:
        return []
    known = {quantity.key: quantity for quantity in run.quantities}
    plots = (_electrolyte(run.pellet, known), _interface(run.pellet, known))
    return [_draw(run, plot) for plot in plots if plot is not None]


def _electrolyte(pellet: PelletFinding, known: Mapping[str, Quantity]) -> _Plot | None:
    if pellet.arrhenius is None:
        return None
    return _Plot(
        "arrhenius",
        "Ionic conductivity of the electrolyte",
        "σ",
        "S cm⁻¹",
        "S K cm⁻¹",
        pellet.temperature_celsius,
        pellet.conductivity_siemens_per_centimetre,
        pellet.relative_uncertainty,
        pellet.arrhenius,
        _chosen(
            known,
            ("Eₐ", "activation_energy_electronvolt"),
            ("σ(25 °C)", "conductivity_25_celsius_siemens_per_centimetre"),
        ),
    )


def _interface(pellet: PelletFinding, known: Mapping[str, Quantity]) -> _Plot | None:
    if pellet.interfaces is None or pellet.interface_arrhenius is None:
        return None
    rows = pellet.interfaces.resolved()
    return _Plot(
        "interface",
        "Conductance of one interface, 1/ASR",
        "1/ASR",
        "S cm⁻²",
        "S K cm⁻²",
        np.array(rows.temperature_celsius),
        1.0 / np.array(rows.area_specific_resistance_ohm_square_centimetre),
        np.array(rows.relative_uncertainty),
        pellet.interface_arrhenius,
        _chosen(
            known,
            ("Eₐ", "interface_activation_energy_electronvolt"),
            ("ASR(25 °C)", "area_specific_resistance_ohm_square_centimetre"),
        ),
    )


def _chosen(
    known: Mapping[str, Quantity], *wanted: tuple[str, str]
) -> tuple[tuple[str, Quantity], ...]:
    return tuple((symbol, known[key]) for symbol, key in wanted if key in known)


def _draw(run: RunFindings, plot: _Plot) -> Drawing:
    def fill(figure: Figure) -> None:
        upper, lower = stacked(figure, [2.6, 1.0], left_inch=0.8, top_inch=0.55)
        _law(upper, plot)
        _deviation(lower, plot)
        _top_axis(upper, plot.celsius)

    return draw(
        f"{run.run_id}-{plot.name}",
        f"Arrhenius plot: {plot.caption}, channel {run.channel}",
        f"{plot.caption} against reciprocal temperature: fit and its 95 % confidence band (without "
        "thickness and area, which move all points alike). Below: deviation from the fit, numbered "
        "in the order of measurement. Bars: one standard error of the resistance alone.",
        width="half",
        height_inch=5.0,
        fill=fill,
    )


def _law(axes: Axes, plot: _Plot) -> None:
    kelvin = plot.celsius + ZERO_CELSIUS_KELVIN
    smooth = _smooth(kelvin)
    band, factor = plot.result.band(smooth), _factor(plot, smooth)
    axes.fill_between(
        1e3 / smooth, band.low * factor, band.high * factor, color=BLUE, alpha=0.22, lw=0
    )
    axes.plot(1e3 / smooth, band.mean * factor, color=BLUE)
    shown = plot.conductance * _factor(plot, kelvin)
    bars = shown * plot.relative_uncertainty
    axes.errorbar(
        1e3 / kelvin,
        shown,
        bars,
        fmt="o",
        color=INK,
        mfc="white",
        ms=4.5,
        elinewidth=0.8,
        capsize=2,
    )
    logarithmic(axes, "y")
    axes.set_ylabel(_axis_label(plot))
    axes.text(0.97, 0.97, _words(plot), transform=axes.transAxes, ha="right", va="top")


def _deviation(axes: Axes, plot: _Plot) -> None:
    kelvin = plot.celsius + ZERO_CELSIUS_KELVIN
    expected = np.exp(plot.result.ln_conductivity(kelvin)[0])
    percent = 100.0 * (plot.conductance / expected - 1.0)
    bars = 100.0 * plot.relative_uncertainty
    axes.axhline(0.0, color=BLUE, linewidth=0.8, zorder=1)
    axes.errorbar(
        1e3 / kelvin, percent, bars, fmt="o", color=INK, markersize=3, elinewidth=0.8, capsize=2
    )
    smooth = _smooth(kelvin)
    band = plot.result.band(smooth)
    low, high = 100.0 * (band.low / band.mean - 1.0), 100.0 * (band.high / band.mean - 1.0)
    axes.fill_between(1e3 / smooth, low, high, color=BLUE, alpha=0.22, lw=0)
    _number(axes, plot.celsius, percent)
    axes.margins(y=0.15)
    axes.set_ylabel("deviation / %")
    axes.set_xlabel("1000 K / T")


def _number(axes: Axes, celsius: Array, percent: Array) -> None:
    """Write the order of measurement beside the points, once for those at one temperature."""
    degrees = np.round(celsius)
    for degree in np.unique(degrees):
        (indices,) = np.nonzero(degrees == degree)
        x = 1e3 / (float(celsius[indices].mean()) + ZERO_CELSIUS_KELVIN)
        words = ", ".join(str(index + 1) for index in indices)
        at = (x, float(percent[indices].max()))
        axes.annotate(words, at, (4, 3), textcoords="offset points", fontsize=7.5)


def _smooth(kelvin: Array) -> Array:
    return np.linspace(kelvin.min() - _MARGIN_KELVIN, kelvin.max() + _MARGIN_KELVIN, 200)


def _top_axis(axes: Axes, celsius: Array) -> None:
    top = axes.twiny()
    top.spines["top"].set_visible(True)
    top.set_xlim(axes.get_xlim())
    ticks = _ticks(celsius)
    top.set_xticks(
        [1e3 / (tick + ZERO_CELSIUS_KELVIN) for tick in ticks],
        [celsius_label(tick).removesuffix(" °C") for tick in ticks],
    )
    top.set_xlabel("temperature / °C")


def _ticks(celsius: Array) -> list[float]:
    """Return the temperatures measured in whole degrees, or round ones where they are many."""
    measured = sorted({float(round(one)) for one in celsius})
    if len(measured) <= _MOST_TOP_TICKS:
        return measured
    step = 20.0 * max(1, math.ceil((measured[-1] - measured[0]) / (20.0 * _MOST_TOP_TICKS)))
    first = math.ceil(measured[0] / step) * step
    return [float(tick) for tick in np.arange(first, measured[-1] + 1e-9, step)]


def _factor(plot: _Plot, kelvin: Array) -> Array:
    by_kelvin = plot.result.convention is Convention.LN_SIGMA_T
    return kelvin if by_kelvin else np.ones_like(kelvin)


def _axis_label(plot: _Plot) -> str:
    if plot.result.convention is Convention.LN_SIGMA:
        return f"{plot.symbol} / {plot.unit}"
    product = "σT" if plot.symbol == "σ" else "T/ASR"
    return f"{product} / {plot.unit_times_kelvin}"


def _words(plot: _Plot) -> str:
    lines = [
        f"{symbol} = {concise(one.value, one.standard_error)} {one.unit}"
        for symbol, one in plot.quantities
    ]
    if len(plot.result.segments) != 1:
        lines.append(f"model: {plot.result.model.replace('_', ' ')}")
        lines += [f"Eₐ = {_energy(segment)} eV" for segment in plot.result.segments]
    return "\n".join(lines)


def _energy(segment: Segment) -> str:
    return concise(
        segment.activation_energy_electronvolt,
        segment.activation_energy_standard_error_electronvolt,
    )
