"""Samples as PostgreSQL's binary COPY has them, and a checksum of just those bytes from either side.

The journal's rows are written once: as what is sent, and as what the checksum is taken of. The server
writes its own rows back into the same bytes, in SQL, and both digests have to be equal.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Float, Integer
from sqlalchemy.types import TypeEngine

from rig.core.records import SAMPLE_COLUMNS, SampleRow
from rig.store import tables

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_COUNT = struct.pack(">h", len(SAMPLE_COLUMNS))
_INT8, _INT4, _FLOAT8 = struct.Struct(">iq"), struct.Struct(">ii"), struct.Struct(">id")

Write = Callable[[object], bytes]


class Range(NamedTuple):
    """Consecutive samples of a run: which, how many, and the digest of their bytes."""

    run_id: str
    seq_first: int
    seq_last: int
    rows: int
    sha256: bytes


def encode(samples: Sequence[SampleRow]) -> tuple[bytes, list[Range]]:
    """Return samples, in order of run and number, as one COPY, and what has to arrive of each range."""
    ranges, pieces = [], [HEADER]
    for _, group in itertools.groupby(enumerate(samples), key=_run_and_offset):
        rows = [row for _, row in group]
        data = b"".join([_row(row) for row in rows])
        first, last = _seq(rows[0]), _seq(rows[-1])
        digest = hashlib.sha256(data).digest()
        ranges.append(Range(str(rows[0][0]), first, last, len(rows), digest))
        pieces.append(data)
    return b"".join([*pieces, TRAILER]), ranges


def _run_and_offset(place: tuple[int, SampleRow]) -> tuple[object, int]:
    """Return what is the same for all of a range: numbers that go up by one at each place."""
    return place[1][0], _seq(place[1]) - place[0]


def _seq(row: SampleRow) -> int:
    seq = row[1]
    assert isinstance(seq, int)
    return seq


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


# What writes a value here, and the expression by which the server writes the same.
_BY_TYPE: tuple[tuple[type[TypeEngine[Any]], Write, str], ...] = (
    (BigInteger, _int8, "int4send(8) || int8send({})"),
    (Integer, _int4, "int4send(4) || int4send({})"),
    (Float, _float8, "int4send(8) || float8send({})"),
    (TypeEngine, _text, "int4send(octet_length({0}::text)) || convert_to({0}::text, 'UTF8')"),
)


def _by_type() -> Iterator[tuple[Write, str]]:
    for name in SAMPLE_COLUMNS:
        kind = tables.sample.c[name].type
        yield next((write, sql) for known, write, sql in _BY_TYPE if isinstance(kind, known))


_WRITERS: tuple[Write, ...] = tuple(write for write, _ in _by_type())


def row_expression(alias: str) -> str:
    """Return the SQL that gives a row of ``alias`` as the bytes that COPY has sent."""
    null = "'\\xffffffff'::bytea"
    values: Iterable[str] = (
        f"coalesce({sql.format(f'{alias}.{name}')}, {null})"
        for name, (_, sql) in zip(SAMPLE_COLUMNS, _by_type(), strict=True)
    )
    return f"'\\x{_COUNT.hex()}'::bytea || {' || '.join(values)}"
