"""Whether anything new came of runs: a mark of each one's newest data, which changes with the data.

For who waits for silence. A long spectrum gives no samples but points, so both are in the mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, Table, func, select

from rig.store import tables
from rig.store.database import translated
from rig.store.live import SPOOL_ROWS


def newest_marks(engine: Engine, run_ids: Sequence[str]) -> dict[str, str]:
    """Return the mark of each run's newest data; only whether it stays the same means anything."""
    with translated(engine), engine.connect() as connection:
        samples = _samples(connection, run_ids)
        points = _points(connection, run_ids)
    return {run_id: f"{samples.get(run_id, 0)} {points.get(run_id, '')}" for run_id in run_ids}


def _samples(connection: Connection, run_ids: Sequence[str]) -> dict[str, int]:
    """Return how many samples there are of each run, wherever they are by now."""
    counts: dict[str, int] = {}
    sample, run, done = tables.sample, tables.run, tables.forwarded
    newest = select(func.max(sample.c.seq)).where(sample.c.run_id == run.c.run_id)
    found = [
        *connection.execute(
            select(run.c.run_id, newest.scalar_subquery()).where(run.c.run_id.in_(run_ids))
        ),
        *_spooled(connection, tables.spool, run_ids),
        *connection.execute(
            select(done.c.run_id, done.c.seq_next - 1).where(done.c.run_id.in_(run_ids))
        ),
    ]
    for run_id, seq in found:
        if seq is not None:
            counts[run_id] = max(counts.get(run_id, 0), int(seq) + 1)
    return counts


def _spooled(
    connection: Connection, spool: Table, run_ids: Sequence[str]
) -> list[tuple[str, int | None]]:
    """Return the newest of each run in the spool's newest rows: all of it may be millions."""
    recent = spool.c.arrival > select(func.max(spool.c.arrival)).scalar_subquery() - SPOOL_ROWS
    statement = (
        select(spool.c.run_id, func.max(spool.c.seq))
        .where(recent, spool.c.run_id.in_(run_ids))
        .group_by(spool.c.run_id)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def _points(connection: Connection, run_ids: Sequence[str]) -> dict[str, str]:
    """Return the number of each run's newest spectrum, and how many points it has by now."""
    spectrum, point, run = tables.spectrum, tables.impedance_point, tables.run
    newest = (
        select(func.max(spectrum.c.spectrum_count))
        .where(spectrum.c.run_id == run.c.run_id)
        .scalar_subquery()
    )
    count = (
        select(func.count())
        .where(point.c.run_id == run.c.run_id, point.c.spectrum_count == newest)
        .correlate(run)
        .scalar_subquery()
    )
    statement = select(run.c.run_id, newest, count).where(run.c.run_id.in_(run_ids))
    return {row[0]: f"{row[1]}/{row[2]}" for row in connection.execute(statement)}
