"""Sealing a run that has ended: its rows into Parquet, read again, compared, and then only listed.

It may be killed at any moment and called again: a file is written aside and renamed, and a segment
counts when its row is there, which is inserted last. Rows are left where they are; see retention.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from rig.core.errors import BadInput, Problem, StoreError
from rig.core.records import ENDED, SAMPLE_COLUMNS, RunState
from rig.store.arrow import Digests
from rig.store.database import translated
from rig.store.disk import Disk, require_room
from rig.store.forwarder import forward
from rig.store.journal import journal_id
from rig.store.queries import RunRecord
from rig.store.rows import read_batches
from rig.store.samples import extent
from rig.store.sealed import keep_segment, segments_of
from rig.store.segments import SEGMENT_ROWS, Segment, digests_of, segment_path, write_segment

_BYTES_OF_SAMPLE = 60  # twice what is usual
_LEFT = "its rows are where they were; mend that and seal it again"


@dataclass(frozen=True, slots=True)
class Place:
    """Where segments go: the folder, and the disk that it is on."""

    folder: Path
    disk: Disk


def seal(
    engine: Engine, run: RunRecord, place: Place, now_us: int, *, rows_each: int = SEGMENT_ROWS
) -> list[Segment]:
    """Seal what of a run is not sealed yet, and return the segments that this made.

    A run that was resumed after it had been sealed gets further segments. ``now_us`` is UTC in
    microseconds. Raises BadInput for a run that goes on, StoreError where samples are missing, the
    disk is nearly full or what was written reads otherwise: what is listed by then is sealed.
    """
    _require_ended(run)
    _require_no_journal(engine)
    forward(engine)
    first = max((one.seq_last + 1 for one in segments_of(engine, run.run_id)), default=0)
    end = extent(engine, run.run_id)
    if first >= end:
        return []
    what = f"sealing run {run.run_id[:12]}"
    require_room(place.disk, place.folder, (end - first) * _BYTES_OF_SAMPLE, what)
    return [
        _seal_part(engine, run.run_id, range(start, min(start + rows_each, end)), place, now_us)
        for start in range(first, end, rows_each)
    ]


def _require_ended(run: RunRecord) -> None:
    if RunState(run.state) not in ENDED:
        words = ", ".join(sorted(state.value for state in ENDED))
        message = f"is {run.state}; only a run that has ended can be sealed ({words})"
        raise BadInput(Problem(f"run {run.run_id[:12]}", message))


def _require_no_journal(engine: Engine) -> None:
    with translated(engine), engine.connect() as connection:
        if journal_id(connection) is not None:
            message = "is a journal: what it has is on its way to a server"
            raise BadInput(Problem(f"database {engine.url}", message), remedy="seal it there")


def _seal_part(engine: Engine, run_id: str, numbers: range, place: Place, now_us: int) -> Segment:
    path = place.folder / segment_path(run_id, numbers.start)
    source = _Source(engine, run_id, numbers)
    try:
        place.disk.make_folder(path.parent)
        place.disk.write(path, partial(write_segment, batches=source.batches()))
        segment = _compared(source, path, place, now_us)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path}: cannot be sealed: {error}", remedy=_LEFT) from error
    with translated(engine, _LEFT), engine.begin() as connection:
        keep_segment(connection, segment)
    return segment


def _compared(source: _Source, path: Path, place: Place, now_us: int) -> Segment:
    """Return the segment of a file that reads as what went into it."""
    found = digests_of(path)
    require_same(source.digests, found, f"{path}: reads otherwise than it was written")
    return Segment(
        run_id=source.run_id,
        seq_first=source.numbers[0],
        seq_last=source.numbers[-1],
        test_time_first_second=source.times_second[0],
        test_time_last_second=source.times_second[1],
        ts_us_last=source.ts_us_last,
        path=segment_path(source.run_id, source.numbers[0]),
        sha256=place.disk.sha256(path),
        bytes=path.stat().st_size,
        columns=found.hexdigests(),
        sealed_us=now_us,
    )


def require_same(expected: Digests, found: Digests, complaint: str) -> None:
    """Raise StoreError where two tables differ in their number of rows or in a column."""
    ours, theirs = expected.hexdigests(), found.hexdigests()
    if (expected.rows, ours) != (found.rows, theirs):
        names = [name for name in ours if ours[name] != theirs.get(name)]
        raise StoreError(
            f"{complaint}: {expected.rows} rows and {found.rows}, different in "
            f"{', '.join(names) or 'number'}",
            remedy=_LEFT,
        )


class _Source:
    """The rows of a part, looked at as they pass: without a gap, and what the segment's row says."""

    def __init__(self, engine: Engine, run_id: str, numbers: range) -> None:
        self.run_id, self.numbers = run_id, numbers
        self._engine = engine
        self.digests = Digests()
        self.times_second = (0.0, 0.0)
        self.ts_us_last = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows; raises StoreError where one is missing."""
        next_seq, last = self.numbers[0], self.numbers[-1]
        for batch in read_batches(self._engine, self.run_id, SAMPLE_COLUMNS, next_seq, last):
            _require_gapless(batch, self.run_id, next_seq)
            next_seq += batch.num_rows
            self.digests.add(batch)
            self._note(batch)
            yield batch
        if next_seq <= last:
            raise _missing(self.run_id, next_seq)

    def _note(self, batch: pa.RecordBatch) -> None:
        seconds, stamps = batch.column("test_time_second"), batch.column("ts_us")
        first = self.times_second[0] if self.digests.rows > batch.num_rows else seconds[0].as_py()
        self.times_second = (first, seconds[-1].as_py())
        self.ts_us_last = max(self.ts_us_last, pc.max(stamps).as_py())


def _require_gapless(batch: pa.RecordBatch, run_id: str, next_seq: int) -> None:
    found = batch.column("seq").to_numpy()
    expected = np.arange(next_seq, next_seq + len(found))
    wrong = np.flatnonzero(found != expected)
    if wrong.size:
        raise _missing(run_id, int(expected[wrong[0]]))


def _missing(run_id: str, seq: int) -> StoreError:
    return StoreError(
        f"run {run_id[:12]}: sample {seq} is missing; it was not sealed",
        remedy="look with: rig db check; what waits on another computer comes by: rig db deliver",
    )
