"""Battery Data Format files: csv and Parquet, preferred labels or machine names, old names read.

Metadata stand in a sidecar ``FILE.metadata.json`` beside the table; reading the table needs none.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rig.core.errors import BadInput, Problem
from rig.formats.delimited import as_numbers, cells_of, read_rows
from rig.formats.headers import Column
from rig.formats.log import Finding, RawLog
from rig.formats.vocabulary import DEPRECATED, LABELS, REQUIRED, machine_name

if TYPE_CHECKING:
    import pandas as pd

TEXTS = ("step_type",)


def is_header(cells: Sequence[str]) -> bool:
    """Say whether a row names the format's three required columns, by whichever name."""
    return set(REQUIRED) <= {name for _, name, _ in columns_of(cells)}


def columns_of(headers: Sequence[str]) -> list[Column]:
    """Return the format's columns among these headers; what is no column of the format is left out."""
    columns: dict[str, Column] = {}
    for header in headers:
        name = machine_name(header)
        if name is None:
            continue
        old = DEPRECATED.get(name)
        column = Column(header, old.name, old.factor) if old else Column(header, name, 1.0)
        if column.name not in columns or name in LABELS:  # today's name wins over an old one
            columns[column.name] = column
    return list(columns.values())


def read_csv(text: str, where: str) -> RawLog:
    """Read a csv table of the format; raises BadInput for cells that are not what they must be."""
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    lines = lines[start:]
    cells = read_rows(lines, where, first_line=start + 1)
    headers = cells_of(lines[0])
    columns = columns_of(headers)
    return RawLog(as_numbers(cells, columns, where, texts=TEXTS), findings=_findings(headers))


def read_parquet(content: bytes, where: str) -> RawLog:
    """Read a Parquet table of the format; raises BadInput for one that is cut off or another's."""
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        problem = Problem(where, f"this Parquet file cannot be read: {reason}")
        raise BadInput(problem, remedy="copy it again: it may be cut off") from error
    headers = table.column_names
    if not is_header(headers):
        message = f"Parquet, but no Battery Data Format: its columns are {', '.join(headers[:8])}"
        raise BadInput(Problem(where, message, example="Test Time / s, Voltage / V, Current / A"))
    made: dict[str, pd.Series] = {}
    for header, name, factor in columns_of(headers):
        column = table.column(header).to_pandas()
        made[name] = column if name in TEXTS else _numbers(column, where, header) * factor
    return RawLog(pd.DataFrame(made), findings=_findings(headers))


def _numbers(column: pd.Series, where: str, header: str) -> pd.Series:
    try:
        return column.astype(float)
    except (TypeError, ValueError) as error:
        problem = Problem(where, f"column {header!r} holds {column.dtype}, expected numbers")
        raise BadInput(problem) from error


def _findings(headers: Sequence[str]) -> tuple[Finding, ...]:
    old = [header for header in headers if machine_name(header) in DEPRECATED]
    unknown = [header for header in headers if machine_name(header) is None]
    findings = []
    if old:
        meant = ", ".join(f"{one!r} as {DEPRECATED[machine_name(one) or ''].name}" for one in old)
        findings.append(Finding("DEPRECATED", f"old column names, read: {meant}"))
    if unknown:
        findings.append(Finding("UNKNOWN-COLUMN", f"left out, not of the format: {_few(unknown)}"))
    return tuple(findings)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(repr, names[:5])) + more
