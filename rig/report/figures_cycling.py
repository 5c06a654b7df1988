"""Capacity with its fade law, and coulombic efficiency, over cycles."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rig.analysis.fade import FadeResult
from rig.report.drawing import BLUE, FAINT, INK, ORANGE, SOFT, Drawing, draw, scaled, stacked
from rig.report.findings import CyclingFinding, RunFindings


def cycling_figure(run: RunFindings) -> Drawing | None:
    """Draw the per-cycle table; None where there are no cycles."""
    cycling = run.cycling
    if cycling is None or not cycling.table.cycles:
        return None

    def fill(figure: Figure) -> None:
        heights = [2.2, 1.0] if cycling.fade is None else [2.2, 1.0, 0.8]
        panels = stacked(figure, heights)
        plot_capacities(panels[0], cycling)
        _efficiencies(panels[1], cycling)
        if cycling.fade is not None:
            _deviations(panels[2], cycling, cycling.fade)
        for axes in panels:
            _shade_formation(axes, cycling)
        panels[-1].set_xlabel("cycle")
        panels[-1].xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))

    return draw(
        f"{run.run_id}-cycles",
        f"Capacity and coulombic efficiency over cycles, channel {run.channel}",
        "Capacity and coulombic efficiency (CE) over cycles. Shaded: formation, left out of the "
        f"fade law.{_law_words(cycling.fade)}",
        width="full",
        height_inch=5.4,
        fill=fill,
    )


def _law_words(fade: FadeResult | None) -> str:
    if fade is None:
        return " No fade law was fitted."
    name = fade.selected.name
    return (
        f" Line: {name} law, fitted to the discharge capacity; lowest panel: what it leaves over."
    )


def plot_capacities(axes: Axes, cycling: CyclingFinding) -> None:
    """Draw the capacities of every cycle, and the fade law where there is one."""
    table = cycling.table
    cycles = table.column("cycle_count")
    charge, discharge = (
        table.column("charging_capacity_ah"),
        table.column("discharging_capacity_ah"),
    )
    factor, unit = scaled(float(np.nanmax(np.concatenate([charge, discharge, [0.0]]))), "Ah")
    axes.plot(cycles, charge / factor, "o", mfc="none", mec=ORANGE, ms=4.2, mew=0.7, label="charge")
    axes.plot(cycles, discharge / factor, "o", color=BLUE, ms=2.8, mew=0, label="discharge")
    if cycling.fade is not None:
        _plot_law(axes, cycling.fade, cycles[~_formation(cycling)], factor)
    axes.set_ylabel(f"capacity / {unit}")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.margins(x=0.01, y=0.1)
    axes.legend(loc="lower left", handletextpad=0.4)


def _plot_law(axes: Axes, fade: FadeResult, cycles: NDArray[np.float64], factor: float) -> None:
    smooth = np.linspace(cycles.min(), cycles.max(), 200)
    law = fade.selected
    axes.plot(
        smooth, law.fit.at(smooth) / factor, color=INK, linewidth=0.9, label=f"{law.name} law"
    )
    threshold = fade.end_of_life.capacity_ah
    if fade.end_of_life.reached:
        axes.axhline(threshold / factor, color=SOFT, linewidth=0.8, linestyle=(0, (5, 3)))
        axes.text(cycles.max(), threshold / factor, "end of life", ha="right", va="bottom")


def _efficiencies(axes: Axes, cycling: CyclingFinding) -> None:
    cycles = cycling.table.column("cycle_count")
    percent = 100.0 * cycling.table.column("coulombic_efficiency")
    axes.axhline(100.0, color=FAINT, zorder=0)
    axes.plot(cycles, percent, "o", color=BLUE, markersize=2.8, markeredgewidth=0)
    axes.set_ylabel("CE / %")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.margins(y=0.12)


def _deviations(axes: Axes, cycling: CyclingFinding, fade: FadeResult) -> None:
    cycles = cycling.table.column("cycle_count")
    law = fade.selected.fit.at(cycles)
    percent = 100.0 * (cycling.table.column("discharging_capacity_ah") / law - 1.0)
    shown = ~_formation(cycling)
    axes.axhline(0.0, color=INK, linewidth=0.8, zorder=0)
    axes.plot(cycles[shown], percent[shown], "o", color=BLUE, markersize=2.8, markeredgewidth=0)
    axes.set_ylabel("deviation / %")
    axes.margins(y=0.12)


def _formation(cycling: CyclingFinding) -> NDArray[np.bool_]:
    counts = cycling.table.column("cycle_count").astype(int)
    return np.isin(counts, sorted(cycling.formation_cycles))


def _shade_formation(axes: Axes, cycling: CyclingFinding) -> None:
    formed = cycling.table.column("cycle_count")[_formation(cycling)]
    if formed.size:
        axes.axvspan(formed.min() - 0.5, formed.max() + 0.5, color=FAINT, alpha=0.6, lw=0, zorder=0)
