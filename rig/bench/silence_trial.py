"""When nothing came of a run that was going on, in what is stored of it. Pauses are no silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select

from rig.core.records import RunState
from rig.store import tables
from rig.store.database import translated
from rig.store.live import ALIVE
from rig.store.samples import samples

Times = NDArray[np.int64]  # UTC microseconds, in order

_ALIVE = frozenset(state.value for state in ALIVE)
_RESTING = frozenset(state.value for state in RunState) - _ALIVE


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch without data: since when (UTC microseconds), and for how long pauses left out."""

    began_us: int
    second: float


def silences(
    rows: Engine, samples_in: Engine, run_id: str, least_second: float, alive_until_us: int | None
) -> list[Silence]:
    """Return every stretch of at least ``least_second`` in which neither sample nor point came.

    ``alive_until_us`` is now for a run that is going on, None for one that is not: the time since its
    last sample is a silence, too, then. Raises StoreError for a sealed part that is away.
    """
    table = samples(samples_in, run_id, ("ts_us",))
    parts = [table.column(0).to_numpy(), _points(rows, run_id)]
    if alive_until_us is not None:
        parts.append(np.array([alive_until_us]))
    times = np.sort(np.concatenate(parts).astype(np.int64))
    return _gaps(times, _pauses(rows, run_id), least_second)


def _gaps(times: Times, pauses: list[tuple[int, int]], least_second: float) -> list[Silence]:
    found = []
    for at in np.flatnonzero(np.diff(times) >= least_second * 1e6):
        began, ended = int(times[at]), int(times[at + 1])
        paused = sum(max(0, min(ended, end) - max(began, begin)) for begin, end in pauses)
        second = (ended - began - paused) / 1e6
        if second >= least_second:
            found.append(Silence(began, second))
    return found


def _points(rows: Engine, run_id: str) -> Times:
    point = tables.impedance_point
    statement = select(point.c.ts_us).where(point.c.run_id == run_id)
    with translated(rows), rows.connect() as connection:
        return np.array(list(connection.execute(statement).scalars()), dtype=np.int64)


def _pauses(rows: Engine, run_id: str) -> list[tuple[int, int]]:
    """Return from when to when a run did not go on: paused, or ended and resumed later."""
    pauses: list[tuple[int, int]] = []
    since: int | None = None
    for ts_us, state in _states(rows, run_id):
        if state in _RESTING:
            since = ts_us if since is None else since
        elif since is not None:
            pauses.append((since, ts_us))
            since = None
    return pauses


def _states(rows: Engine, run_id: str) -> list[tuple[int, str]]:
    """Return when a run came into which state, by its event log."""
    event = tables.event
    statement: Any = (
        select(event.c.ts_us, event.c.message)
        .where(event.c.run_id == run_id, event.c.kind == "state")
        .order_by(event.c.event_id)
    )
    with translated(rows), rows.connect() as connection:
        return [(row[0], str(row[1]).partition(":")[0]) for row in connection.execute(statement)]
