"""Voltage, current and temperature over the whole test, above one another."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rig.report.drawing import BLUE, GREEN, VERMILION, Drawing, draw, scaled, stacked
from rig.report.findings import Array, RunFindings, Traces

_DAYS_FROM_SECOND = 4 * 86_400.0


def time_figure(run: RunFindings) -> Drawing | None:
    """Draw the traces; None where nothing was recorded."""
    panels = _panels(run.traces)
    if not panels:
        return None

    def fill(figure: Figure) -> None:
        time, label = _time(run.traces.test_time_second)
        axes = stacked(figure, [1.0] * len(panels), top_inch=0.1)
        for panel, (values, words, colour) in zip(axes, panels, strict=True):
            panel.plot(time, values, color=colour, linewidth=0.7)
            panel.set_ylabel(words)
            panel.margins(x=0.005, y=0.12)
            if not np.any(values[np.isfinite(values)]):
                panel.set_yticks([0.0])  # an axis around nothing would only show rounding
        axes[-1].set_xlabel(label)

    return draw(
        f"{run.run_id}-time",
        f"Voltage, current and temperature over time, channel {run.channel}",
        "Voltage, current (positive: charging) and temperature over test time, thinned so that no "
        "extreme of the voltage is lost.",
        width="full",
        height_inch=0.7 + 1.25 * len(panels),
        fill=fill,
    )


def _time(second: Array) -> tuple[Array, str]:
    if second[-1] - second[0] >= _DAYS_FROM_SECOND:
        return second / 86_400.0, "test time / d"
    return second / 3600.0, "test time / h"


def _panels(traces: Traces) -> list[tuple[Array, str, str]]:
    """Return (values, axis label, colour) of every quantity that was measured at all."""
    panels = []
    for values, word, unit, colour in (
        (traces.voltage_volt, "voltage", "V", BLUE),
        (traces.current_ampere, "current", "A", VERMILION),
    ):
        if np.isfinite(values).any():
            factor, scaled_unit = scaled(float(np.nanmax(np.abs(values))), unit)
            panels.append((values / factor, f"{word} / {scaled_unit}", colour))
    own, air = traces.surface_temperature_celsius, traces.ambient_temperature_celsius
    if np.isfinite(air).any():
        panels.append((air, "temperature / °C", GREEN))
    if np.isfinite(own).any():
        panels.append((own, "cell's own / °C", GREEN))
    if np.isfinite(traces.applied_pressure_pa).any():
        factor, unit = scaled(float(np.nanmax(np.abs(traces.applied_pressure_pa))), "Pa")
        panels.append((traces.applied_pressure_pa / factor, f"pressure / {unit}", BLUE))
    return panels
