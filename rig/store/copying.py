"""Samples as PostgreSQL's binary COPY has them, and a checksum of just those bytes from either side.

The journal's rows are written once: as what is sent, and as what the checksum is taken of. The server
writes its own rows back into the same bytes, in SQL, and both digests have to be equal. Rows of one
shape are written all at once, as an array: a catch-up is limited by this else.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Float, Integer
from sqlalchemy.types import TypeEngine

from rig.core.records import SAMPLE_COLUMNS, SampleRow
from rig.store import tables

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_COUNT = struct.pack(">h", len(SAMPLE_COLUMNS))
_INT8, _INT4, _FLOAT8 = struct.Struct(">iq"), struct.Struct(">ii"), struct.Struct(">id")

_FEW_ROWS = 32  # so few are written one by one: making an array costs more

Write = Callable[[object], bytes]
Field = NDArray[Any] | bytes  # a column's values, or what stands for the same one in every row


class Range(NamedTuple):
    """Consecutive samples of a run: which, how many, and the digest of their bytes."""

    run_id: str
    seq_first: int
    seq_last: int
    rows: int
    sha256: bytes


class Parcel(NamedTuple):
    """Samples as one COPY, and what has to arrive of each range of them."""

    data: bytes
    ranges: list[Range]


def encode(samples: Sequence[SampleRow]) -> Parcel:
    """Return samples, which are in order of run and number, as they are sent."""
    ranges, pieces = [], [HEADER]
    for _, group in itertools.groupby(enumerate(samples), key=_run_and_offset):
        rows = [row for _, row in group]
        data = _rows(rows)
        first, last = _seq(rows[0]), _seq(rows[-1])
        digest = hashlib.sha256(data).digest()
        ranges.append(Range(str(rows[0][0]), first, last, len(rows), digest))
        pieces.append(data)
    return Parcel(b"".join([*pieces, TRAILER]), ranges)


def _run_and_offset(place: tuple[int, SampleRow]) -> tuple[object, int]:
    """Return what is the same for all of a range: numbers that go up by one at each place."""
    return place[1][0], _seq(place[1]) - place[0]


def _seq(row: SampleRow) -> int:
    seq = row[1]
    assert isinstance(seq, int)
    return seq


# --- many rows at once ---------------------------------------------------------------------------


def _rows(rows: Sequence[SampleRow]) -> bytes:
    """Return rows as COPY has them: halves of them where they are not all of one shape."""
    if len(rows) <= _FEW_ROWS:
        return b"".join([_row(row) for row in rows])
    fields: list[Field] = []
    for values, shape in zip(zip(*rows, strict=True), _SHAPES, strict=True):
        field = _field(values, shape)
        if field is None:
            half = len(rows) // 2
            return _rows(rows[:half]) + _rows(rows[half:])
        fields.append(field)
    return _interleaved(fields, len(rows))


def _field(values: Sequence[Any], shape: str) -> Field | None:
    """Return a column of numbers, or of one text or NULL throughout; None where it is neither."""
    first = values[0]
    if first is None or not shape:
        same = values.count(first) == len(values)
        return _text(first) if same else None
    column = np.array(values)
    # NULLs among the values make objects; a fraction among integers would be cut off.
    fits = column.dtype.kind in ("i" if shape.startswith("i") else "if")
    return column.astype(f">{shape}") if fits else None


def _interleaved(fields: Sequence[Field], count: int) -> bytes:
    """Return the rows: each field behind its length, and the number of fields before them all."""
    kinds: list[tuple[str, str]] = [("count", f"S{len(_COUNT)}")]
    for place, field in enumerate(fields):
        if isinstance(field, bytes):
            kinds.append((f"constant {place}", f"V{len(field)}"))
        else:
            kinds += [(f"length {place}", ">i4"), (f"value {place}", field.dtype.str)]
    rows = np.empty(count, dtype=kinds)
    rows["count"] = _COUNT
    for place, field in enumerate(fields):
        if isinstance(field, bytes):
            rows[f"constant {place}"] = np.void(field)
        else:
            rows[f"length {place}"], rows[f"value {place}"] = field.dtype.itemsize, field
    return rows.tobytes()


# --- one row -------------------------------------------------------------------------------------


def _row(row: SampleRow) -> bytes:
    return _COUNT + b"".join([write(value) for write, value in zip(_WRITERS, row, strict=True)])


def _int8(value: object) -> bytes:
    return _NULL if value is None else _INT8.pack(8, value)


def _int4(value: object) -> bytes:
    return _NULL if value is None else _INT4.pack(4, value)


def _float8(value: object) -> bytes:
    return _NULL if value is None else _FLOAT8.pack(8, value)


def without_nul(text: str) -> str:
    """PostgreSQL keeps no NUL in a text; one that somebody wrote must not hold up all others."""
    return text.replace("\x00", "\\x00")


def _text(value: object) -> bytes:
    if value is None:
        return _NULL
    data = without_nul(str(value)).encode()
    return struct.pack(">i", len(data)) + data


class _Kind(NamedTuple):
    """What writes a value here, as what an array holds it, and how the server writes the same."""

    write: Write
    shape: str  # "" for texts, which have no size of their own
    sql: str


_BY_TYPE: tuple[tuple[type[TypeEngine[Any]], _Kind], ...] = (
    (BigInteger, _Kind(_int8, "i8", "int4send(8) || int8send({})")),
    (Integer, _Kind(_int4, "i4", "int4send(4) || int4send({})")),
    (Float, _Kind(_float8, "f8", "int4send(8) || float8send({})")),
    (
        TypeEngine,
        _Kind(_text, "", "int4send(octet_length({0}::text)) || convert_to({0}::text, 'UTF8')"),
    ),
)


def _by_type() -> Iterator[_Kind]:
    for name in SAMPLE_COLUMNS:
        type_here = tables.sample.c[name].type
        yield next(kind for known, kind in _BY_TYPE if isinstance(type_here, known))


_KINDS = tuple(_by_type())
_WRITERS: tuple[Write, ...] = tuple(kind.write for kind in _KINDS)
_SHAPES = tuple(kind.shape for kind in _KINDS)


def row_expression(alias: str) -> str:
    """Return the SQL that gives a row of ``alias`` as the bytes that COPY has sent."""
    null = "'\\xffffffff'::bytea"
    values: Iterable[str] = (
        f"coalesce({kind.sql.format(f'{alias}.{name}')}, {null})"
        for name, kind in zip(SAMPLE_COLUMNS, _KINDS, strict=True)
    )
    return f"'\\x{_COUNT.hex()}'::bytea || {' || '.join(values)}"
