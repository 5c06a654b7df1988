"""Samples as Arrow has them: the types of their columns, and a digest of a column's values.

The digest does not depend on how a table is cut into pieces, so that what was read from a database in
batches and what stands in a file in groups can be compared. Knows neither of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import BigInteger, Float, Integer
from sqlalchemy.types import TypeEngine

from rig.core.records import SAMPLE_COLUMNS
from rig.store import tables

_BY_TYPE: tuple[tuple[type[TypeEngine[Any]], pa.DataType], ...] = (
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (Float, pa.float64()),
    (TypeEngine, pa.string()),  # JSON, too: its text as it was written
)


def sample_schema(columns: Sequence[str] = SAMPLE_COLUMNS) -> pa.Schema:
    """Return the names and types of these columns of ``sample``; raises KeyError for an unknown one."""
    return pa.schema([(name, _type_of(name)) for name in columns])


def _type_of(name: str) -> pa.DataType:
    kind = tables.sample.c[name].type
    return next(arrow for known, arrow in _BY_TYPE if isinstance(kind, known))


def as_batch(rows: Sequence[Sequence[object]], schema: pa.Schema) -> pa.RecordBatch:
    """Return tuples as a batch; raises ArrowInvalid for a value that is not of its column's type."""
    columns: Iterable[Sequence[object]] = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


# --- digests -------------------------------------------------------------------------------------


class Digests:
    """SHA-256 of each column of a table that comes batch by batch, nulls and bits of NaN included."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[Any, Any, Any]] = {}
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            parts = self._columns.setdefault(
                name, (hashlib.sha256(), hashlib.sha256(), hashlib.sha256())
            )
            _add(column, *parts)

    def hexdigests(self) -> dict[str, str]:
        """Return the digest of each column by its name."""
        return {
            name: hashlib.sha256(b"".join(part.digest() for part in parts)).hexdigest()
            for name, parts in self._columns.items()
        }


def _joined(texts: pa.Array) -> memoryview:
    """Return the bytes of all texts, one after the other, as they lie in memory."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data or b"")[ends[0] : ends[-1]] if len(texts) else memoryview(b"")


def _add(column: pa.Array, nulls: Any, lengths: Any, values: Any) -> None:
    """Feed which values are missing, how long texts are, and what stands there.

    Each into a digest of its own: their bytes follow each other whatever the batches are.
    """
    nulls.update(pc.cast(column.is_null(), pa.uint8()).to_numpy())
    if pa.types.is_string(column.type):
        texts = column.fill_null("")
        lengths.update(pc.binary_length(texts).to_numpy().astype("<i4"))
        values.update(_joined(texts))
    else:
        values.update(np.ascontiguousarray(column.fill_null(0).to_numpy(zero_copy_only=False)))
