"""Fitted resistances over cycles: which part of a cell's impedance grows, and whether any does.

Arcs of one kind may change places between two fits of one circuit, so they are followed by their
place in frequency and not by their names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rig.analysis.arcs import arcs, resistor_names
from rig.analysis.impedance_fit import CircuitFit
from rig.report.drawing import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    Drawing,
    draw,
    scaled,
)
from rig.report.findings import RunFindings
from rig.report.numbers import exact
from rig.report.spectra import CYCLE, Series, total_resistance

_COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class _Resistance:
    """One resistor of one fit; ``apex_hertz`` of its arc, infinite for one that stands alone."""

    value: float
    standard_error: float
    determined: bool
    apex_hertz: float


def resistance_figure(run: RunFindings, series: Series) -> Drawing | None:
    """Draw each resistor and their sum over cycles; None without two fits of one circuit."""
    fits = [(one.cycle_count, one.fit) for one in series.spectra if one.fit is not None]
    circuits = {str(fit.circuit) for _, fit in fits}
    if series.variable != CYCLE or len(fits) < _FEWEST or len(circuits) != 1:
        return None

    def fill(figure: Figure) -> None:
        axes = figure.add_axes((0.15, 0.11, 0.83, 0.87))
        _plot(axes, fits)
        axes.set_xlabel("cycle")
        axes.set_ylabel("resistance / Ω")
        axes.margins(x=0.06)
        axes.set_ylim(0.0, 1.25 * axes.get_ylim()[1])  # room for the legend
        axes.legend(loc="upper left", ncols=2)

    return draw(
        f"{run.run_id}-resistances",
        f"Fitted resistances over cycles, channel {run.channel}",
        f"Resistances of {circuits.pop()} over cycles, arcs by the frequency of their apex. Bars: "
        "one standard error; a resistance that a spectrum does not determine is left out.",
        width="half",
        height_inch=4.6,
        fill=fill,
    )


def _plot(axes: Axes, fits: list[tuple[int, CircuitFit]]) -> None:
    cycles = [cycle for cycle, _ in fits]
    columns = list(zip(*(_resistances(fit) for _, fit in fits), strict=True))
    for index, column in enumerate(columns):
        _bars(axes, cycles, column, _COLOURS[index % len(_COLOURS)], _name(column))
    if len(columns) > 1:
        _bars(axes, cycles, tuple(_total(fit) for _, fit in fits), INK, "total")


def _resistances(fit: CircuitFit) -> list[_Resistance]:
    """Return the resistors that carry direct current, those that stand alone first, then by apex."""
    storages = {arc.resistor.name: arc.storage.name for arc in arcs(fit.circuit)}
    found = []
    for name in resistor_names(fit.circuit):
        parameter = fit.parameters[fit.circuit.position(name)]
        capacitance = fit.effective_capacitance_farad.get(storages.get(name, ""), 0.0)
        tau = parameter.value * capacitance
        apex = 1.0 / (2.0 * math.pi * tau) if tau > 0 else math.inf
        found.append(
            _Resistance(parameter.value, parameter.standard_error, parameter.determined, apex)
        )
    return sorted(found, key=lambda one: -one.apex_hertz)


def _total(fit: CircuitFit) -> _Resistance:
    value, error = total_resistance(fit)
    return _Resistance(value, error, error <= abs(value), math.inf)


def _name(column: tuple[_Resistance, ...]) -> str:
    apex = float(np.median([one.apex_hertz for one in column]))
    if not math.isfinite(apex):
        return "series"
    factor, unit = scaled(apex, "Hz")
    return f"arc at {exact(apex / factor, 2)} {unit}"


def _bars(
    axes: Axes, cycles: list[int], column: tuple[_Resistance, ...], colour: str, name: str
) -> None:
    known = [(cycle, one) for cycle, one in zip(cycles, column, strict=True) if one.determined]
    axes.errorbar(
        [cycle for cycle, _ in known],
        [one.value for _, one in known],
        [one.standard_error for _, one in known],
        fmt="o-",
        color=colour,
        lw=0.8,
        ms=3.5,
        capsize=2,
        label=name,
    )
