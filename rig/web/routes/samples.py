"""A run's samples: a window of them, as many as a plot can show."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query
from sqlalchemy import Engine

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.records import SAMPLE_COLUMNS
from rig.store.arrow import sample_schema
from rig.store.samples import Window, between, extent, samples
from rig.store.thinning import thinned
from rig.web.access import TheHouse, Viewer
from rig.web.answers import RunId, run_of
from rig.web.house import House

router = APIRouter(tags=["samples"])

TIME = "test_time_second"
LONG_SAMPLES = 50_000  # fewer are read as they are
_USUAL = f"{TIME},voltage_volt,current_ampere"
_NOT_ASKED_FOR = frozenset({"run_id", "aux"})
Second = Annotated[float | None, Query(allow_inf_nan=False, description="Test time, seconds.")]
Points = Annotated[int, Query(ge=10, le=200_000, description="How many rows at most.")]


@router.get("/runs/{run_id}/samples")
def window(
    house: TheHouse,
    _: Viewer,
    run_id: RunId,
    columns: Annotated[str, Query(max_length=1000)] = _USUAL,
    begin_second: Second = None,
    end_second: Second = None,
    points: Points = 2000,
) -> dict[str, Any]:
    """Samples between two test times, column by column. Where there are more than `points`, the lowest and
    highest of each column stay in every stretch: what stays was measured so, and no spike is lost."""
    found = run_of(house, run_id)
    number = found.run["run_id"]
    names = _columns(columns)
    part = Window(0, extent(found.samples, number) - 1)
    if begin_second is not None or end_second is not None:
        begin = -np.inf if begin_second is None else begin_second
        end = np.inf if end_second is None else end_second
        part = between(found.samples, number, float(begin), float(end))
    table = _read(house, found.samples, number, names, part, points)
    rows = _kept(table, names, points)
    count = max(0, part.seq_last - part.seq_first + 1)
    return {
        "run_id": number,
        "samples": extent(found.samples, number),
        "in_window": count,
        "thinned": len(rows) < count,
        "columns": {name: table.column(name).take(rows).to_pylist() for name in ("seq", *names)},
    }


def _columns(text: str) -> tuple[str, ...]:
    known = [name for name in SAMPLE_COLUMNS if name not in _NOT_ASKED_FOR]
    names = [name.strip() for name in text.split(",") if name.strip()]
    problems = [
        Problem("columns", f"there is no column {name!r}", _USUAL, did_you_mean(name, known))
        for name in names
        if name not in known
    ]
    if problems or not names:
        raise BadInput(problems or Problem("columns", "none is named", _USUAL))
    return tuple(name for name in dict.fromkeys((TIME, *names)) if name != "seq")


def _read(
    house: House, engine: Engine, run_id: str, names: tuple[str, ...], window: Window, points: int
) -> pa.Table:
    """Return the samples of a window; of a long one only what a plot can show, where all are numbers."""
    columns = ("seq", *names)
    schema = sample_schema(names)
    is_long = window.seq_last - window.seq_first >= LONG_SAMPLES
    if is_long and all(pa.types.is_floating(schema.field(name).type) for name in names):
        return house.overviews.read(engine, run_id, columns, window, points)
    return samples(engine, run_id, columns, window)


def _kept(table: pa.Table, names: tuple[str, ...], points: int) -> pa.Array:
    """Return the rows that stay; words and the time itself have no extremes."""
    numeric = [
        np.asarray(table.column(name).to_numpy(), dtype=float)
        for name in names
        if name != TIME and not pa.types.is_string(table.schema.field(name).type)
    ]
    columns = numeric or [np.asarray(table.column(TIME).to_numpy(), dtype=float)]
    return pa.array(thinned(columns, points))
