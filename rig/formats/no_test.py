"""What makes a file no test of a cell: columns that are missing, no numbers, or numbers that no test has.

Everything that is wrong is said at once. Knows columns, not whose file they are from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rig.core.errors import BadInput, Problem
from rig.formats.vocabulary import COUNTERS, REQUIRED

FloatArray = NDArray[np.float64]

COUNTS = ("cycle_count", "step_count")
# Far beyond any test, near enough that times, counters and their products stay numbers: a digit lost
# or put in by a damaged disk is refused here and not stored as something else.
_LARGEST_COUNT = 2**31 - 1  # what a database's integer column holds
_LONGEST_SECOND = 3e9  # 95 years
_LATEST_SECOND = 7e9  # Unix time of the year 2191
_LARGEST_READING = 1e12
_LARGEST: dict[str, float] = {
    **dict.fromkeys((*REQUIRED, *COUNTERS), _LARGEST_READING),
    **dict.fromkeys((*COUNTS, "step_id"), _LARGEST_COUNT),
    **dict.fromkeys(("test_time_second", "step_time_second"), _LONGEST_SECOND),
    "unix_time_second": _LATEST_SECOND,
}


def refuse_no_test(frame: pd.DataFrame, where: str) -> None:
    """Raise BadInput with all that makes ``frame`` (machine names, a row per sample) no test."""
    problems = _missing(frame, where)
    if not problems and frame.empty:
        problems.append(Problem(where, "no rows"))
    problems += _no_numbers(frame, where)
    problems += _too_large(frame, where)
    if not problems:
        problems += _fractions(frame, where)
    if problems:
        raise BadInput(problems)


def _missing(frame: pd.DataFrame, where: str) -> list[Problem]:
    there = ", ".join(map(str, frame.columns)) or "none that is known"
    return [
        Problem(where, f"{name} is missing; columns found: {there}")
        for name in REQUIRED
        if name not in frame.columns
    ]


def _no_numbers(frame: pd.DataFrame, where: str) -> list[Problem]:
    problems = []
    for name, values in _columns(frame, (*REQUIRED, *COUNTS)):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            words = f"{bad.size} values are not numbers, the first in data row {bad[0] + 1}"
            problems.append(Problem(where, f"{name}: {words}"))
    return problems


def _too_large(frame: pd.DataFrame, where: str) -> list[Problem]:
    problems = []
    for name, values in _columns(frame, _LARGEST):
        # What is not finite is judged elsewhere: a column that need not be there may have gaps.
        bad = np.flatnonzero(np.isfinite(values) & (np.abs(values) > _LARGEST[name]))
        if bad.size:
            words = f"got {values[bad[0]]:g} in data row {bad[0] + 1}"
            problems.append(Problem(where, f"{name}: {words}, expected at most {_LARGEST[name]:g}"))
    return problems


def _fractions(frame: pd.DataFrame, where: str) -> list[Problem]:
    problems = []
    for name, values in _columns(frame, COUNTS):
        odd = np.flatnonzero((values != np.round(values)) | (values < 0))
        if odd.size:
            words = f"got {values[odd[0]]:g} in data row {odd[0] + 1}, expected 0, 1, 2, ..."
            problems.append(Problem(where, f"{name}: {words}"))
    return problems


def _columns(frame: pd.DataFrame, names: Iterable[str]) -> Iterator[tuple[str, FloatArray]]:
    for name in names:
        if name in frame.columns:
            yield name, frame[name].to_numpy(np.float64)
