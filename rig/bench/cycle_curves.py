"""Voltage against charge and dQ/dV of chosen cycles, as a page, a program or a person compares them.

Each half cycle by itself: samples as they were measured, as many as a plot can show, and dQ/dV from
all of them. Charge is what the run's own counters say. Capacities are the cell's; area and mass of
its record stand beside them, for who wants mAh/cm2 or mAh/g.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Engine

from rig.analysis.incremental_capacity import (
    USUAL_STEP_VOLT,
    hold_begins,
    incremental_capacity,
    require_step,
)
from rig.analysis.regression import FloatArray
from rig.bench.collecting import Collector
from rig.bench.cycle_choice import choose_cycles
from rig.core.errors import BadInput
from rig.store import queries, tables
from rig.store.samples import Window, extent, samples
from rig.store.thinning import thinned

USUAL_POINTS = 400
METHOD = (
    "charge that passed in bins of voltage over their width, of each half cycle by itself; not "
    "smoothed; what passed at the end at a held voltage is counted apart"
)
_COLUMNS = (
    "cycle_count",
    "test_time_second",
    "voltage_volt",
    "charging_capacity_ah",
    "discharging_capacity_ah",
)
_HALVES = {"charge": "charging_capacity_ah", "discharge": "discharging_capacity_ah"}
# A current below this share of the half cycle's usual one is an instrument's offset at rest.
_LEAST_CURRENT_SHARE = 1e-3
_CELL = ("name", "area_square_centimetre", "mass_gram", "capacity_ah")


@dataclass(frozen=True, slots=True)
class _Place:
    """A cycle and where its samples are."""

    cycle_count: int
    phase: str
    window: Window
    ended: bool


def cycle_curves(
    rows: Engine,
    run: queries.RunRecord,
    wanted: str = "",
    *,
    measured: Engine | None = None,
    points: int = USUAL_POINTS,
    voltage_step_volt: float = USUAL_STEP_VOLT,
    where: str = "cycles",
) -> dict[str, Any]:
    """Return the curves of the cycles that ``wanted`` names, see cycle_choice, as one JSON object.

    ``rows`` has the run's cycles, ``measured`` its samples where that is another database. Charge in
    Ah from the beginning of each half cycle, rising; dQ/dV in Ah/V, of a discharge as a magnitude.
    Raises BadInput with everything that is wrong with what is wanted.
    """
    places = _places(rows, measured or rows, run.run_id)
    ended = [one.cycle_count for one in places if one.ended]
    going = next((one.cycle_count for one in places if not one.ended), None)
    to = Collector()
    to.collect(lambda: require_step(voltage_step_volt))
    chosen = to.collect(lambda: choose_cycles(wanted, ended, going, where)) or []
    if to.problems:
        raise BadInput(to.problems)
    cell = queries.load_cell(rows, run.values["cell_id"]) or {}
    engine, limits = measured or rows, (points, voltage_step_volt)
    return {
        "run_id": run.run_id,
        "cell": {key: cell.get(key) for key in _CELL},
        "ended": len(ended),
        "cycle_first": ended[0] if ended else None,
        "cycle_last": ended[-1] if ended else None,
        "cycle_now": going,
        "voltage_step_volt": voltage_step_volt,
        "method": METHOD,
        "cycles": [
            _curves(engine, run.run_id, one, *limits) for one in places if one.cycle_count in chosen
        ],
    }


def _places(rows: Engine, measured: Engine, run_id: str) -> list[_Place]:
    """Return every cycle that has ended, and the one that goes on where it has samples."""
    found = [
        _Place(row["cycle_count"], row["phase"] or "", _window(row), ended=True)
        for row in queries.table_rows(rows, tables.cycle, run_id)
    ]
    begin = found[-1].window.seq_last + 1 if found else 0
    going = samples(measured, run_id, ("cycle_count",), Window(max(begin, _last(measured, run_id))))
    number = int(going.column(0)[-1].as_py()) if going.num_rows else 0
    if number > (found[-1].cycle_count if found else 0):
        found.append(_Place(number, "", Window(begin), ended=False))
    return found


def _window(row: Mapping[str, Any]) -> Window:
    return Window(row["seq_first"], row["seq_last"])


def _last(engine: Engine, run_id: str) -> int:
    return max(0, extent(engine, run_id) - 1)


def _curves(
    engine: Engine, run_id: str, place: _Place, points: int, step_volt: float
) -> dict[str, Any]:
    table = samples(engine, run_id, _COLUMNS, place.window)
    columns = {name: np.asarray(table.column(name).to_numpy(), dtype=float) for name in _COLUMNS}
    own = columns["cycle_count"] == place.cycle_count
    return {
        "cycle_count": place.cycle_count,
        "phase": place.phase,
        "ended": place.ended,
    } | {
        half: _half(
            *(columns[name][own] for name in ("test_time_second", "voltage_volt", counter)),
            points=points,
            step_volt=step_volt,
        )
        for half, counter in _HALVES.items()
    }


def _half(
    time: FloatArray, volt: FloatArray, counter: FloatArray, *, points: int, step_volt: float
) -> dict[str, Any] | None:
    """Return one half cycle, or None where no such charge passed."""
    there = np.isfinite(volt) & np.isfinite(counter)
    volt, charge, current = _passing(time[there], volt[there], counter[there])
    if len(volt) < 2:
        return None
    kept = thinned([volt], points)
    begins = hold_begins(volt, charge, current)
    curve = incremental_capacity(volt, charge, step_volt, hold_begins=begins)
    return {
        "samples": len(volt),
        "capacity_ah": charge[kept].tolist(),
        "voltage_volt": volt[kept].tolist(),
        "incremental_capacity": {
            "voltage_volt": curve.voltage_volt.tolist(),
            "incremental_capacity_ah_per_volt": curve.incremental_capacity_ah_per_volt.tolist(),
            "held_capacity_ah": curve.held_capacity_ah,
        },
    }


def _passing(
    time: FloatArray, volt: FloatArray, counter: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the samples between which this counter really rises: voltage, charge since the first, current.

    The current is that of the intervals. A counter that an instrument has reset goes on from where it was.
    """
    passed = np.maximum(np.diff(counter), 0.0)
    if not passed.any():
        return volt[:0], counter[:0], counter[:0]
    current = 3600.0 * passed / np.maximum(np.diff(time), 1e-9)
    rises = current > _LEAST_CURRENT_SHARE * _usual(current, passed)
    first = int(np.argmax(rises))  # the sample before it is where the half cycle begins
    kept = np.flatnonzero(rises) + 1
    charge = np.concatenate([[0.0], np.cumsum(passed[rises])])
    return volt[np.concatenate([[first], kept])], charge, current[rises]


def _usual(current: FloatArray, passed: FloatArray) -> float:
    """Return the current at which half of the charge has passed at less."""
    order = np.argsort(current)
    half = np.searchsorted(np.cumsum(passed[order]), passed.sum() / 2.0)
    return float(current[order][min(int(half), len(current) - 1)])


def rows_of(curves: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return dQ/dV as rows for a table: one for each bin of each half cycle."""
    return [
        {
            "cycle_count": cycle["cycle_count"],
            "half": half,
            "voltage_volt": volt,
            "incremental_capacity_ah_per_volt": rate,
        }
        for cycle in curves["cycles"]
        for half in _HALVES
        if cycle[half] is not None
        for volt, rate in zip(*_bins(cycle[half]), strict=True)
    ]


def _bins(half: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    bins = half["incremental_capacity"]
    return bins["voltage_volt"], bins["incremental_capacity_ah_per_volt"]
