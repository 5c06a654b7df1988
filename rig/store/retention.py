"""Dropping rows that are sealed: never by itself, and only what stands in a file to the last bit.

Before anything is deleted the file is read again, and the rows too, and both must be what was sealed.
Then the segment's row says that the file is where its samples are; then rows go, some at a time.
"""

from __future__ import annotations

from sqlalchemy import Engine, delete, exists, select, update

from rig.core.errors import StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.store import tables
from rig.store.arrow import Digests
from rig.store.database import translated
from rig.store.rows import read_batches
from rig.store.sealed import segments_of
from rig.store.sealing import Place
from rig.store.segments import Segment, damage_of

DELETE_ROWS = 5_000  # in one transaction: the recorder of another run may be waiting for it
_REMEDY = "no row was dropped; look with: rig db check --deep"


def drop_rows(engine: Engine, run_id: str, place: Place, now_us: int) -> int:
    """Delete the rows of a run's segments and return how many that were.

    What an earlier call had not finished is finished. Raises StoreError where a file or the rows
    are not what was sealed; the rows are all there then.
    """
    dropped = 0
    for segment in segments_of(engine, run_id):
        if segment.dropped_us is None:
            require_sound(segment, place)
            _require_same_rows(engine, segment)
            _mark(engine, segment, now_us)
        elif _has_rows(engine, segment):
            require_sound(segment, place)
        dropped += _delete(engine, segment)
    return dropped


def require_sound(segment: Segment, place: Place) -> None:
    """Raise StoreError unless a segment's file is there and reads as what was sealed."""
    damage = damage_of(place.folder / segment.path, segment, place.disk)
    if damage:
        raise StoreError(damage, remedy=_REMEDY)


def _require_same_rows(engine: Engine, segment: Segment) -> None:
    digests = Digests()
    names = [name for name in SAMPLE_COLUMNS if name in segment.columns]
    rows = read_batches(engine, segment.run_id, names, segment.seq_first, segment.seq_last)
    for batch in rows:
        digests.add(batch)
    if (digests.rows, digests.hexdigests()) != (segment.rows, segment.columns):
        raise StoreError(
            f"run {segment.run_id[:12]}: its rows {segment.seq_first} to {segment.seq_last} are not "
            "what was sealed any more",
            remedy=_REMEDY,
        )


def _mark(engine: Engine, segment: Segment, now_us: int) -> None:
    table = tables.segment
    same = (table.c.run_id == segment.run_id, table.c.seq_first == segment.seq_first)
    with translated(engine), engine.begin() as connection:
        connection.execute(update(table).where(*same).values(dropped_us=now_us))


def _has_rows(engine: Engine, segment: Segment) -> bool:
    sample = tables.sample
    inside = (
        sample.c.run_id == segment.run_id,
        sample.c.seq.between(segment.seq_first, segment.seq_last),
    )
    with translated(engine), engine.connect() as connection:
        return bool(connection.execute(select(exists().where(*inside))).scalar())


def _delete(engine: Engine, segment: Segment) -> int:
    sample, count = tables.sample, 0
    for first in range(segment.seq_first, segment.seq_last + 1, DELETE_ROWS):
        last = min(first + DELETE_ROWS - 1, segment.seq_last)
        inside = (sample.c.run_id == segment.run_id, sample.c.seq.between(first, last))
        with translated(engine), engine.begin() as connection:
            count += connection.execute(delete(sample).where(*inside)).rowcount
    return count
