"""The doubts about a temperature series: too few points, hysteresis, leverage, extrapolation, soak.

Each check returns the flags it found (science reference, section 6, ARR-*), in words with numbers.
Temperatures in kelvin unless the name says otherwise; conductivity in S/cm.
"""

from __future__ import annotations

import math

import numpy as np

from rig.analysis.flags import (
    ARR_EXTRAP,
    ARR_FEW,
    ARR_HYST,
    ARR_TSAMPLE,
    ARR_WGT,
    FlagNote,
    Level,
    flag,
)
from rig.analysis.regression import FloatArray, Line, cook_distances
from rig.core.errors import AnalysisError, BadInput, Problem

_LEAST_FOR_A_FIT = 3
_HYSTERESIS = 0.05
_EXTRAPOLATION_KELVIN = 10.0
_COOK_SHARE, _COOK_MATERIAL = 0.6, 1.0
_SAME_KELVIN = 0.5  # temperatures closer than this are one set point
_SLOPE_LIMIT_KELVIN = 0.1  # in five minutes
_OFFSET_LIMIT_KELVIN = 1.0
_IMPEDANCE_CHANGE = 0.005
_SLOPE_WINDOW_SECOND = 300.0


def check_data(
    kelvin: FloatArray, conductivity: FloatArray, relative_uncertainty: FloatArray | None
) -> None:
    """Refuse what no fit can use: BadInput with every problem, AnalysisError for too few points."""
    columns = [("temperature_kelvin", kelvin), ("conductivity", conductivity)]
    if relative_uncertainty is not None:
        columns.append(("relative_uncertainty", relative_uncertainty))
    problems = [
        Problem(f"{name}[{index}]", f"got {values[index]:g}, expected a positive finite number")
        for name, values in columns
        for index in np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    ]
    if len({values.size for _, values in columns}) > 1:
        sizes = ", ".join(f"{name} {values.size}" for name, values in columns)
        problems.append(Problem("columns", f"differ in length: {sizes}"))
    if problems:
        raise BadInput(problems)
    distinct = _distinct(kelvin)
    if distinct < _LEAST_FOR_A_FIT:
        raise AnalysisError(
            f"{distinct} distinct temperature(s): a line with an uncertainty needs at least 3",
            remedy="measure at least 4 temperatures over 40 K",
        )


def check_number(kelvin: FloatArray) -> tuple[FlagNote, ...]:
    """ARR-FEW: below 5 temperatures or 60 K a warning, below 4 temperatures an error."""
    distinct, span = _distinct(kelvin), float(np.ptp(kelvin))
    if distinct >= 5 and span >= 60.0 - _SAME_KELVIN:
        return ()
    level = Level.ERROR if distinct < 4 else Level.WARN
    return (flag(ARR_FEW, f"{distinct} temperatures over {span:.0f} K", level),)


def check_hysteresis(kelvin: FloatArray, conductivity: FloatArray) -> tuple[FlagNote, ...]:
    """ARR-HYST: heating and cooling branch, told by the order of measurement, differ by over 5 %.

    Cooling points are compared with the heating branch interpolated at their own 1/T, which is
    exact for an Arrhenius line.
    """
    rising = _rising(kelvin)
    if min(rising.sum(), (~rising).sum()) < 2:
        return ()
    order = np.argsort(1.0 / kelvin[rising])
    x_up, y_up = 1.0 / kelvin[rising][order], np.log(conductivity[rising])[order]
    x_down, y_down = 1.0 / kelvin[~rising], np.log(conductivity[~rising])
    shared = (x_down >= x_up[0]) & (x_down <= x_up[-1])
    if not shared.any():
        return ()
    difference = float(np.median(y_down[shared] - np.interp(x_down[shared], x_up, y_up)))
    if abs(difference) <= math.log1p(_HYSTERESIS):
        return ()
    percent = 100.0 * math.expm1(difference)
    return (flag(ARR_HYST, f"cooling lies {percent:+.1f} % from heating at equal temperature"),)


def check_influence(
    x: FloatArray, y: FloatArray, line: Line, uncertainty: FloatArray | None
) -> tuple[FlagNote, ...]:
    """ARR-WGT: one point holds over 60 % of all Cook's distance and moves the fit by itself."""
    cook = cook_distances(x, y, line, uncertainty)
    total, worst = float(cook.sum()), int(np.argmax(cook))
    if total == 0.0 or cook[worst] <= _COOK_MATERIAL or cook[worst] / total <= _COOK_SHARE:
        return ()
    share = 100.0 * cook[worst] / total
    message = f"point {worst + 1} by temperature holds {share:.0f} % of the influence (Cook)"
    return (flag(ARR_WGT, message),)


def check_extrapolation(
    kelvin: FloatArray, asked_kelvin: float, polymer: bool = False
) -> tuple[FlagNote, ...]:
    """ARR-EXTRAP: asked for a temperature more than 10 K outside the data."""
    lowest, highest = float(kelvin.min()), float(kelvin.max())
    outside = max(lowest - asked_kelvin, asked_kelvin - highest)
    if outside <= _EXTRAPOLATION_KELVIN:
        return ()
    message = f"{asked_kelvin - 273.15:.0f} degC lies {outside:.0f} K outside the data"
    if polymer:
        message += "; a polymer that crystallises on the way conducts 1-2 decades less"
    return (flag(ARR_EXTRAP, message),)


def check_equilibrium(
    time_second: FloatArray,
    sample_celsius: FloatArray,
    set_celsius: float,
    impedance_pair_ohm: tuple[float, float] | None = None,
) -> tuple[FlagNote, ...]:
    """ARR-TSAMPLE: is the sample itself at temperature before a spectrum is taken?

    Blocks while the sample drifts by more than 0.1 K in 5 min (line through the last 5 min) or two
    successive |Z| differ by over 0.5 %; warns when it settled more than 1 K from the set point.
    """
    recent = time_second >= time_second[-1] - _SLOPE_WINDOW_SECOND
    if recent.sum() < 2:
        raise AnalysisError("fewer than two sample temperatures in the last 5 min")
    slope = np.polyfit(time_second[recent] - time_second[-1], sample_celsius[recent], 1)[0]
    drift = abs(float(slope)) * _SLOPE_WINDOW_SECOND
    notes = []
    if drift > _SLOPE_LIMIT_KELVIN:
        notes.append(flag(ARR_TSAMPLE, f"sample drifts {drift:.2f} K in 5 min", Level.BLOCK))
    offset = float(sample_celsius[-1]) - set_celsius
    if abs(offset) > _OFFSET_LIMIT_KELVIN:
        notes.append(flag(ARR_TSAMPLE, f"sample is {offset:+.2f} K from the set point"))
    if impedance_pair_ohm is not None:
        change = abs(impedance_pair_ohm[1] / impedance_pair_ohm[0] - 1.0)
        if change > _IMPEDANCE_CHANGE:
            message = f"|Z| still changes by {100 * change:.1f} % between two readings"
            notes.append(flag(ARR_TSAMPLE, message, Level.BLOCK))
    return tuple(notes)


def _distinct(kelvin: FloatArray) -> int:
    """Count temperatures that differ by more than half a kelvin from the one below."""
    return 1 + int((np.diff(np.sort(kelvin)) > _SAME_KELVIN).sum()) if kelvin.size else 0


def _rising(kelvin: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell for each point whether it was reached by heating; the first goes with the second."""
    steps = np.diff(kelvin)
    moved = np.abs(steps) > _SAME_KELVIN
    direction = np.where(moved, np.sign(steps), 0.0)
    for index in np.flatnonzero(~moved):
        direction[index] = direction[index - 1] if index else 0.0
    first = direction[0] if direction.size else 1.0
    return np.concatenate([[first], direction]) >= 0
