"""A sealed part of a run as a Parquet file: written once, read by number, never changed.

How it is encoded was measured (docs/decisions/0014): readings as a stream of their bytes, counters as
differences, words and coarse readings as dictionaries, all under zstd. A file is compared with its
SHA-256 before a process reads it first: Parquet's own checksums leave out the heads of its pages.
Knows files only; which run has which segments stands in the table ``segment``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from rig.core.errors import StoreError
from rig.store.arrow import Digests, sample_schema
from rig.store.disk import Disk

SEGMENT_ROWS = 1_000_000  # of one file: what a kill costs to do again
GROUP_ROWS = 65_536  # of one group in it: the least that is read
_COUNTERS = ("seq", "ts_us")
_COARSE = ("temperature_celsius", "pressure_pa")  # ends of names: few different values each
_ZSTD_LEVEL = 3  # 12 saves 3 % and takes twice as long
_REMEDY = "bring that file back from a backup; RIG_SEGMENTS names another folder of segments"


@dataclass(frozen=True, slots=True)
class Segment:
    """A row of the table ``segment``."""

    run_id: str
    seq_first: int
    seq_last: int
    test_time_first_second: float
    test_time_last_second: float
    ts_us_last: int
    path: str
    sha256: str
    bytes: int
    columns: dict[str, str]
    sealed_us: int
    dropped_us: int | None = None

    @property
    def rows(self) -> int:
        return self.seq_last - self.seq_first + 1


def segment_path(run_id: str, seq_first: int) -> str:
    """Return where a segment is, relative to the folder of segments; with ``/`` on every system.

    An id that came from elsewhere leads out of no folder.
    """
    return f"{quote(run_id, safe='').replace('.', '%2E')}/{seq_first:012d}.parquet"


# --- writing -------------------------------------------------------------------------------------


def write_segment(path: Path, batches: Iterable[pa.RecordBatch]) -> None:
    """Write batches of whole samples in order of seq."""
    schema = sample_schema()
    with pq.ParquetWriter(path, schema, **_encoding(schema)) as writer:
        for group in _groups(batches):
            writer.write_table(group, row_group_size=GROUP_ROWS)


def _encoding(schema: pa.Schema) -> dict[str, object]:
    readings = [
        field.name
        for field in schema
        if pa.types.is_float64(field.type) and not field.name.endswith(_COARSE)
    ]
    words = [name for name in schema.names if name not in (*readings, *_COUNTERS)]
    return {
        "compression": "zstd",
        "compression_level": _ZSTD_LEVEL,
        "use_dictionary": words,
        "column_encoding": {
            **dict.fromkeys(readings, "BYTE_STREAM_SPLIT"),
            **dict.fromkeys(_COUNTERS, "DELTA_BINARY_PACKED"),
        },
    }


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield tables of ``GROUP_ROWS`` rows each, but for the last."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        while sum(one.num_rows for one in held) >= GROUP_ROWS:
            table = pa.Table.from_batches(held)
            yield table.slice(0, GROUP_ROWS)
            held = table.slice(GROUP_ROWS).to_batches()
    if sum(one.num_rows for one in held):
        yield pa.Table.from_batches(held)


# --- reading -------------------------------------------------------------------------------------


def read_segment(
    folder: Path, segment: Segment, columns: Sequence[str], seq_first: int, seq_last: int
) -> pa.Table:
    """Return these columns of the samples from ``seq_first`` to ``seq_last`` that are in a segment.

    A column that is younger than the file is empty. Raises StoreError for a file that is not there
    or damaged.
    """
    first = max(seq_first, segment.seq_first) - segment.seq_first
    count = min(seq_last, segment.seq_last) - segment.seq_first + 1 - first
    groups = range(first // GROUP_ROWS, (first + count - 1) // GROUP_ROWS + 1)
    with _opened(folder, segment) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        read = file.read_row_groups(list(groups), columns=there)
    table = read.slice(first - groups.start * GROUP_ROWS, count)
    if table.num_rows != count:
        raise unreadable(folder, segment, f"{table.num_rows} samples where {count} were sealed")
    return _completed(table, columns)


def _completed(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    schema = sample_schema(columns)
    there = [
        table.column(field.name)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(there, schema=schema)


def digests_of(path: Path) -> Digests:
    """Read a whole file again, and return the digests of what stands in it."""
    digests = Digests()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=GROUP_ROWS):
            digests.add(batch)
    return digests


@contextmanager
def _opened(folder: Path, segment: Segment) -> Iterator[pq.ParquetFile]:
    """Open a segment's file; its troubles become a StoreError that names it."""
    try:
        path = folder / segment.path
        if _sha256_of(path, path.stat().st_mtime_ns) != segment.sha256:
            raise unreadable(folder, segment, "it is not the file that was sealed")
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise unreadable(folder, segment, str(error)) from error


@lru_cache(maxsize=256)
def _sha256_of(path: Path, modified_ns: int) -> str:
    del modified_ns  # a file that is changed is looked at again
    return Disk().sha256(path)


def unreadable(folder: Path, segment: Segment, reason: str) -> StoreError:
    """Return the error that says which samples cannot be read, and why."""
    which = f"samples {segment.seq_first} to {segment.seq_last} of run {segment.run_id[:12]}"
    where = folder / segment.path
    return StoreError(f"{which} cannot be read from {where}: {reason}", remedy=_REMEDY)


def damage_of(path: Path, segment: Segment, disk: Disk) -> str:
    """Read a segment's file from end to end, and say what is wrong with it; empty where nothing is."""
    try:
        if disk.sha256(path) != segment.sha256:
            return f"{path}: is not the file that was sealed (its SHA-256 is another)"
        found = digests_of(path)
    except (OSError, pa.ArrowException) as error:
        return f"{path}: {error}"
    if (found.rows, found.hexdigests()) != (segment.rows, segment.columns):
        return f"{path}: reads otherwise than it was sealed"
    return ""
