"""Numbers of the newest samples, as a page shows them and as slopes are reckoned from.

Pure; knows no database. What nobody has measured is None, or NaN where it is reckoned with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rig.bench.estimates import Point
from rig.bench.status import Trend
from rig.engine.cursor import Cursor
from rig.store.live import Row


def number_or_none(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _nan(value: Any) -> float:
    return math.nan if value is None else float(value)


def points_of(trend: Sequence[Row], cursor: Cursor) -> list[Point]:
    """Return the samples of the present step."""
    return [
        Point(
            row["test_time_second"],
            _nan(row["voltage_volt"]),
            _nan(row["current_ampere"]),
            _nan(row["ambient_temperature_celsius"]),
            _nan(row["surface_temperature_celsius"]),
            _sensed(row),
        )
        for row in trend
        if row["step_count"] == cursor.place.step_count
    ]


def _sensed(row: Row) -> dict[str, float]:
    aux = row["aux"] or {}
    return {"pressure": _nan(row["applied_pressure_pa"])} | {k: _nan(v) for k, v in aux.items()}


def sparkline(trend: Sequence[Row]) -> Trend:
    return Trend(
        tuple(row["test_time_second"] for row in trend),
        tuple(number_or_none(row["voltage_volt"]) for row in trend),
    )
