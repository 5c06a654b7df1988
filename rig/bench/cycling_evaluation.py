"""A full cell's cycles: the per-cycle table, and its fade with an honest error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from rig.analysis.cycles import cycle_table
from rig.analysis.fade import FadeResult, fit_fade
from rig.core.errors import BadInput, Problem
from rig.report.findings import (
    CyclingFinding,
    Quantity,
)

# A current source's gain drifts, and what a cut-off voltage leaves in a cell changes a little with
# its capacity: 0.02 % of capacity from the first to the last cycle cannot be told from fade.
CAPACITY_DRIFT_RELATIVE = 2e-4
FEWEST_CYCLES = 5


def evaluate_cycling(
    samples: pd.DataFrame,
    cycles: pd.DataFrame,
    *,
    reference_cycle: int | None = None,
    **options: Any,
) -> tuple[CyclingFinding | None, list[Quantity]]:
    """Return the per-cycle table with its fade law, and the fade as a quantity.

    Fade is that of the finished cycles after formation, or from ``reference_cycle`` on; below five of
    them there is none. ``options`` are those of fit_fade. Raises BadInput for a reference cycle that
    is not among the finished ones.
    """
    counted = samples[samples["cycle_count"] > 0]
    if counted.empty:
        return None, []
    table = cycle_table(counted)
    formation = frozenset(int(n) for n in cycles.loc[cycles["phase"] == "formation", "cycle_count"])
    ended = {int(n) for n in cycles["cycle_count"]}
    numbers = table.column("cycle_count")
    ageing = np.array([int(n) in ended and int(n) not in formation for n in numbers])
    if reference_cycle is not None:
        if reference_cycle not in ended:
            message = f"cycle {reference_cycle} is not among the finished ones"
            raise BadInput(Problem("reference cycle", message))
        ageing = np.array([int(n) in ended and int(n) >= reference_cycle for n in numbers])
    capacity = table.column("discharging_capacity_ah")
    fade = None
    if int(ageing.sum()) >= FEWEST_CYCLES:
        fade = fit_fade(numbers[ageing], capacity[ageing], **options)
    finding = CyclingFinding(table, formation, fade)
    if fade is None:
        return finding, []
    return finding, _fade_quantities(fade, float(np.ptp(numbers[ageing])))


def _fade_quantities(fade: FadeResult, cycles: float) -> list[Quantity]:
    alpha = fade.to_dict()
    value, error = alpha["alpha_per_cycle"], alpha["alpha_standard_error_per_cycle"]
    assert isinstance(value, float)
    assert isinstance(error, float)
    error = math.hypot(error, CAPACITY_DRIFT_RELATIVE / cycles)
    # Correlated residuals leave fewer independent points than cycles.
    effective = max(2.0, fade.n / fade.inflation**2 - 2.0)
    return [
        Quantity(
            "alpha_per_cycle",
            "capacity fade (exponential)",
            value,
            error,
            "1/cycle",
            effective,
        )
    ]
