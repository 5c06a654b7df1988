"""Looking through a database from end to end: is everything there, and does it read as it was written?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine, func, select

from rig.core.errors import BadInput
from rig.store import tables
from rig.store.copies import problems_in
from rig.store.database import file_of, translated
from rig.store.disk import Disk
from rig.store.queries import list_runs
from rig.store.sealed import segments_folder, segments_of
from rig.store.segments import Segment, damage_of


def damages(engine: Engine, disk: Disk) -> list[str]:
    """Return all that is wrong with the file, the numbers of samples and the sealed segments.

    Reads every byte of them. Nothing where they are sound. A server looks after its own files.
    """
    path = file_of(engine)
    found = [f"{path}: {problem}" for problem in problems_in(path)] if path is not None else []
    segments = segments_of(engine)
    return [*found, *_gaps(engine, segments), *_damaged(engine, segments, disk)]


def _gaps(engine: Engine, segments: Sequence[Segment]) -> Iterator[str]:
    """Say of which run samples are missing: rows follow what is sealed, without a gap."""
    for run in list_runs(engine):
        dropped = [one for one in segments if one.run_id == run.run_id and one.dropped_us]
        first = max((one.seq_last + 1 for one in dropped), default=0)
        count, newest = _rows_from(engine, run.run_id, first)
        missing = newest + 1 - count - sum(one.rows for one in dropped)
        if missing:
            yield f"run {run.run_id[:12]}: {missing} samples before number {newest} are missing"


def _rows_from(engine: Engine, run_id: str, seq_first: int) -> tuple[int, int]:
    """Return how many rows there are from this number on, and the greatest number."""
    seq = tables.sample.c.seq
    wanted = select(func.count(), func.max(seq)).where(
        tables.sample.c.run_id == run_id, seq >= seq_first
    )
    with translated(engine), engine.connect() as connection:
        count, newest = connection.execute(wanted).one()
    return int(count), seq_first - 1 if newest is None else int(newest)


def _damaged(engine: Engine, segments: Sequence[Segment], disk: Disk) -> list[str]:
    try:
        folder = segments_folder(engine) if segments else None
    except BadInput as unknown:
        return [str(unknown)]
    if folder is None:
        return []
    found = (damage_of(folder / one.path, one, disk) for one in segments)
    return [damage for damage in found if damage]
