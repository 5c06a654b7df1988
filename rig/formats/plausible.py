"""What in a file cannot be as it stands: said, and never repaired.

Each check is one function of the complete table that returns what is odd in words, or nothing. What
was measured is kept as given whatever comes out here; a person decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rig.formats.counters import integrated
from rig.formats.counting import directions
from rig.formats.log import Finding

FloatArray = NDArray[np.float64]

_YEAR_SECOND = 365.25 * 86_400.0
_LONGEST_YEARS = 10.0
_CLOCKS_AGREE = 0.02  # elapsed time against the clock, relative; outages are longer
_CAPACITY_AGREES = 0.05
_FACTORS = {3600.0: "seconds taken for hours", 60.0: "seconds taken for minutes", 1000.0: "milli-"}
_GAP_TIMES_MEDIAN, _GAP_CHARGE = 10.0, 0.01
_MOST_VOLT, _SUSPECT_AMPERE_HOUR = 100.0, 1e4
_KELVIN = (200.0, 500.0)


def findings_of(
    frame: pd.DataFrame, step_count: NDArray[np.int64], given: frozenset[str]
) -> tuple[Finding, ...]:
    """Return everything odd in a complete table; ``given`` are the columns that the file itself has."""
    own = integrated(frame, "capacity_ah", step_count)
    notes = [check(frame) for check in _CHECKS]
    notes += [_counters(frame, own, given), _sign(frame, step_count), _gap(frame, step_count)]
    return tuple(note for note in notes if note is not None)


def _column(frame: pd.DataFrame, name: str) -> FloatArray:
    return frame[name].to_numpy(np.float64)


def _time_back(frame: pd.DataFrame) -> Finding | None:
    back = np.flatnonzero(np.diff(_column(frame, "test_time_second")) < 0)
    if not back.size:
        return None
    words = f"test time runs backwards {back.size} times, first at data row {back[0] + 2}"
    return Finding("TIME-BACK", f"{words}: several tests in one file? Per-cycle fits refuse it")


def _time_scale(frame: pd.DataFrame) -> Finding | None:
    """Elapsed time against the file's own clock, and against what a test can last."""
    elapsed = float(np.ptp(_column(frame, "test_time_second")))
    if "unix_time_second" in frame.columns:
        clock = float(np.nanmax(unix := _column(frame, "unix_time_second")) - np.nanmin(unix))
        if clock > 0 and elapsed > 0 and not _near(elapsed / clock, 1.0, _CLOCKS_AGREE):
            factor = _named_factor(elapsed / clock)
            if factor or elapsed > (1 + _CLOCKS_AGREE) * clock + 2.0:
                words = f"test time lasts {elapsed:.6g} s, the file's clock {clock:.6g} s"
                return Finding("TIME-SCALE", f"{words}{factor}")
    if elapsed > _LONGEST_YEARS * _YEAR_SECOND:
        return Finding("TIME-SCALE", f"the test lasts {elapsed / _YEAR_SECOND:.1f} years")
    return None


def _near(value: float, wanted: float, tolerance: float) -> bool:
    return math.isfinite(value) and abs(value / wanted - 1.0) <= tolerance


def _named_factor(ratio: float) -> str:
    """Name a ratio that is a mistake of units, either way; empty for any other."""
    for factor, words in _FACTORS.items():
        if _near(ratio, factor, _CAPACITY_AGREES) or _near(ratio, 1 / factor, _CAPACITY_AGREES):
            times = f"{factor:g}" if ratio > 1 else f"1/{factor:g}"
            return f": {times} times, {words if factor != 1000.0 else 'milli-units'}?"
    return ""


def _duplicates(frame: pd.DataFrame) -> Finding | None:
    measured = ["test_time_second", "voltage_volt", "current_ampere"]
    twice = frame.duplicated(measured).to_numpy()
    if not twice.any():
        return None
    first = int(np.flatnonzero(twice)[0]) + 1
    words = f"{int(twice.sum())} rows repeat time, voltage and current of an earlier one"
    return Finding("DUPLICATE", f"{words}, first data row {first}")


def _voltage(frame: pd.DataFrame) -> Finding | None:
    volt = _column(frame, "voltage_volt")
    highest = float(np.abs(volt).max())
    if highest <= _MOST_VOLT:
        return None
    return Finding("VOLTAGE", f"up to {highest:g} V: millivolts under a header that says volts?")


def _kelvin(frame: pd.DataFrame) -> Finding | None:
    for name in (one for one in frame.columns if one.endswith("_celsius")):
        values = _column(frame, name)
        if np.isfinite(values).any() and _KELVIN[0] < np.nanmin(values) < _KELVIN[1]:
            return Finding("KELVIN", f"{name} is never below {np.nanmin(values):g}: kelvin?")
    return None


def _cycles_fall(frame: pd.DataFrame) -> Finding | None:
    back = np.flatnonzero(np.diff(_column(frame, "cycle_count")) < 0)
    if not back.size:
        return None
    words = f"cycle numbers fall, first at data row {back[0] + 2}"
    return Finding("CYCLE-BACK", f"{words}; count them by charge: --count own")


def _record_index(frame: pd.DataFrame) -> Finding | None:
    """SINTEF's Landt reference file keeps its step numbers under the old name Step Index."""
    if "step_record_index" not in frame.columns:
        return None
    starts = np.flatnonzero(np.diff(_column(frame, "step_count"), prepend=-1))
    begins = _column(frame, "step_record_index")[starts]
    if (begins == 1).all():
        return None
    words = f"step_record_index begins with {begins[begins != 1][0]:g} in a step, expected 1"
    return Finding("STEP-INDEX", f"{words}: are these step numbers?")


_CHECKS: tuple[Callable[[pd.DataFrame], Finding | None], ...] = (
    _time_back,
    _time_scale,
    _duplicates,
    _voltage,
    _kelvin,
    _cycles_fall,
    _record_index,
)


def _counters(frame: pd.DataFrame, own: FloatArray, given: frozenset[str]) -> Finding | None:
    """The instrument's own charge against the integral of its current."""
    passed = own[:, -1] if own.size else np.zeros(2)
    largest = float(passed.max(initial=0.0))
    if largest > _SUSPECT_AMPERE_HOUR:
        return Finding("CAPACITY", f"{largest:.4g} Ah by its current: milliamperes, or hours?")
    if not any(name.endswith("capacity_ah") for name in given):
        return None
    counted = [
        float(_column(frame, f"{flow}_capacity_ah")[-1] - _column(frame, f"{flow}_capacity_ah")[0])
        for flow in ("charging", "discharging")
    ]
    if _agree(counted[0], passed[0], largest) and _agree(counted[1], passed[1], largest):
        return None
    if _agree(counted[1], passed[0], largest) and _agree(counted[0], passed[1], largest):
        words = "charge and discharge are exchanged: positive current discharges in this file?"
        return Finding("SIGN", words)
    ratio = sum(passed) / sum(counted) if sum(counted) > 0 else math.inf
    words = "capacity of the file {:.5g} + {:.5g} Ah, by its current {:.5g} + {:.5g} Ah"
    return Finding("CAPACITY", words.format(*counted, *passed) + _named_factor(ratio))


def _agree(counted: float, passed: float, largest: float) -> bool:
    return abs(counted - passed) <= _CAPACITY_AGREES * max(largest, counted, 1e-12)


def _sign(frame: pd.DataFrame, step_count: NDArray[np.int64]) -> Finding | None:
    """A charged cell's voltage rises: the steps together say whether positive charges."""
    volt, way = _column(frame, "voltage_volt"), directions(_column(frame, "current_ampere"))
    steady = (step_count[1:] == step_count[:-1]) & (way[1:] == way[:-1]) & (way[1:] != 0)
    rise = np.diff(volt)[steady] * way[1:][steady]
    against, along = float(-rise[rise < 0].sum()), float(rise[rise > 0].sum())
    if against <= max(3.0 * along, 0.05):
        return None
    words = "voltage falls while current is positive, or rises while it is negative"
    return Finding("SIGN", f"{words}: positive current discharges in this file?")


def _gap(frame: pd.DataFrame, step_count: NDArray[np.int64]) -> Finding | None:
    """An interval far longer than usual, within a step in which current flows."""
    time, ampere = _column(frame, "test_time_second"), _column(frame, "current_ampere")
    second = np.diff(time)
    usual = float(np.median(second[second > 0])) if (second > 0).any() else math.inf
    inside = step_count[1:] == step_count[:-1]
    charge = np.abs(ampere[1:]) * second
    total = float(charge[second > 0].sum())
    gaps = inside & (second > _GAP_TIMES_MEDIAN * usual) & (charge > _GAP_CHARGE * total)
    if not gaps.any():
        return None
    at = int(np.flatnonzero(gaps)[0])
    words = f"{int(gaps.sum())} gaps while current flows, the first of {second[at]:.6g} s"
    return Finding("GAP", f"{words} before data row {at + 2}")
