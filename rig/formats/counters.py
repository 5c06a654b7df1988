"""Never-reset charge and energy of a test, from whatever its file counts, or from its current.

Instruments reset their counters at steps, cycles, or where a schedule says; here the resets are added
up. A file without counters is integrated: the trapezoid within a step, the new step's own current
across its edge, as in rig.analysis.cycles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

GIVEN, ADDED_UP, INTEGRATED = "given", "given, resets added up", "integrated"
_HOUR_SECOND = 3600.0
_FALL = 1e-9  # relative: below it rounding, not a reset


class Counters(NamedTuple):
    """Charged and discharged since the test began, rows of two, and where they come from."""

    values: FloatArray
    source: str


def since_start(frame: pd.DataFrame, quantity: str, step_count: NDArray[np.int64]) -> Counters:
    """Return the counters of ``quantity`` (``capacity_ah``, ``energy_wh``), from the best column.

    ``step_count`` is each row's step: net counters of a step begin there again.
    """
    for since in ("", "schedule_", "cycle_", "step_"):
        pair = [f"{since}{flow}_{quantity}" for flow in ("charging", "discharging")]
        given = _numbers(frame, pair)
        if given is not None:
            falls = np.any(np.diff(given) < -_FALL * np.abs(given).max(initial=0.0))
            if not falls and not since:
                return Counters(given, GIVEN)
            return Counters(_added_up(given), ADDED_UP if falls else GIVEN)
    net = _net_increments(frame, quantity, step_count)
    if net is None:
        net = _signed_increments(frame, quantity)
    if net is not None:
        split = np.stack([np.maximum(net, 0.0), np.maximum(-net, 0.0)])
        return Counters(np.cumsum(split, axis=1), ADDED_UP)
    return Counters(integrated(frame, quantity, step_count), INTEGRATED)


def integrated(frame: pd.DataFrame, quantity: str, step_count: NDArray[np.int64]) -> FloatArray:
    """Return charge in Ah (or energy in Wh) since the start as the integral of the current."""
    time, volt, ampere = (
        frame[name].to_numpy(np.float64)
        for name in ("test_time_second", "voltage_volt", "current_ampere")
    )
    rate = ampere if quantity == "capacity_ah" else ampere * volt
    new_step = np.concatenate([[False], step_count[1:] != step_count[:-1]])
    second = np.maximum(np.diff(time, prepend=time[:1]), 0.0)
    # A step's first row stands for no longer than the next: a rest may be logged once a minute.
    first_rows = np.append(second[1:], np.inf)
    if "step_time_second" in frame.columns:  # better: how long the new step has lasted
        first_rows = np.fmin(first_rows, frame["step_time_second"].to_numpy(np.float64))
    second = np.where(new_step, np.minimum(second, first_rows), second)
    before = np.concatenate([rate[:1], rate[:-1]])
    moved = np.where(new_step, rate, 0.5 * (rate + before)) * second / _HOUR_SECOND
    return np.cumsum(np.stack([np.maximum(moved, 0.0), np.maximum(-moved, 0.0)]), axis=1)


def _numbers(frame: pd.DataFrame, names: list[str]) -> FloatArray | None:
    if any(name not in frame.columns for name in names):
        return None
    values = np.abs(frame[names].to_numpy(np.float64).T)
    return values if np.isfinite(values).all() else None


def _added_up(values: FloatArray) -> FloatArray:
    """Turn counters that fall back to nought into ones that do not."""
    moved = np.diff(values, axis=1, prepend=0.0)
    largest = np.abs(values).max(initial=0.0)
    begun_again = moved < -_FALL * largest
    return np.cumsum(np.where(begun_again, values, np.maximum(moved, 0.0)), axis=1)


def _net_increments(
    frame: pd.DataFrame, quantity: str, step_count: NDArray[np.int64]
) -> FloatArray | None:
    """Return what each row adds, + into the cell, from a net counter; None where there is none."""
    for name, resets in ((f"net_{quantity}", False), (f"step_net_{quantity}", True)):
        if name in frame.columns and np.isfinite(net := frame[name].to_numpy(np.float64)).all():
            moved = np.diff(net, prepend=net[:1] if not resets else 0.0)
            edge = np.concatenate([[True], step_count[1:] != step_count[:-1]])
            return np.asarray(np.where(edge, net, moved) if resets else moved, np.float64)
    return None


def _signed_increments(frame: pd.DataFrame, quantity: str) -> FloatArray | None:
    """Return what each row adds from a throughput counter, with the sign of its current."""
    ampere = frame["current_ampere"].to_numpy(np.float64)
    for since in ("", "cycle_", "step_"):
        given = _numbers(frame, [f"{since}cumulative_{quantity}"])
        if given is not None:
            moved = np.diff(_added_up(given)[0], prepend=0.0)
            return np.asarray(moved * np.sign(ampere), np.float64)
    return None
