"""Tables in text files: encoding, separator and decimal mark found, every odd cell named.

What is cut off, empty or not numbers is refused in one message; nothing is filled in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rig.core.errors import BadInput, Problem
from rig.core.fields import ONE_MARK, refuse_wrong_rows, without_empty_end, wrong_width
from rig.formats.headers import Column

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = ("\t", ";", ",")
_MOST_NAMED_ROWS = 3
_ENCODINGS = ("utf-8-sig", "cp1252")  # makers' own PC programs write the latter


def decoded(content: bytes, where: str) -> str:
    """Return a file's text; raises BadInput for bytes that are none."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if b"\x00" in content[:4096]:
        raise BadInput(Problem(where, "not a text file (it holds zero bytes)"))
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def separator_of(header: str) -> str:
    """Return what stands between a header's columns."""
    return max(SEPARATORS, key=header.count)


def cells_of(line: str, separator: str | None = None) -> list[str]:
    """Return the cells of one line, without the quotes and blanks around them."""
    return [cell.strip().strip('"').strip() for cell in line.split(separator or separator_of(line))]


def read_rows(lines: Sequence[str], where: str, *, first_line: int = 1) -> pd.DataFrame:
    """Return a table of text cells: the first of ``lines`` is its header, ``first_line`` its number.

    Raises BadInput for a table without rows, for one whose last row is cut off, and for rows with
    more fields than labels or fewer than the first row.
    """
    import pandas as pd  # noqa: PLC0415 - rig --help has to be there at once

    separator = separator_of(lines[0])
    headers = cells_of(lines[0], separator)
    numbered = [
        (number, line)
        for number, line in enumerate(lines[1:], start=first_line + 1)
        if line.strip(" \t\r\n,;")
    ]
    rows = [line for _, line in numbered]
    if not rows:
        raise BadInput(Problem(where, "the table has a header and no rows"))
    found = len(cells_of(rows[-1], separator))
    usual = len(cells_of(rows[0], separator))
    if found < min(usual, len(headers)):
        message = f"cut off: the last row has {found} columns, the first has {usual}"
        raise BadInput(
            Problem(where, message), remedy="copy or export the file again, whole, from the cycler"
        )
    refuse_wrong_rows(_wrong_rows(numbered, headers, separator, where), where)
    try:
        return pd.read_csv(
            io.StringIO("\n".join(rows)),
            sep=separator,
            names=_distinct(headers),
            header=None,
            dtype=str,
            index_col=False,
            keep_default_na=False,
            skipinitialspace=True,
            usecols=range(len(headers)),
        )
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(
            Problem(where, f"not a table (its header is line {first_line}): {reason}")
        ) from error


def _wrong_rows(
    numbered: Sequence[tuple[int, str]], headers: Sequence[str], separator: str, where: str
) -> list[Problem | None]:
    """Return what is wrong with the number of fields in each row that has odd ones."""
    labels = without_empty_end(headers, 1)
    fewest = min(len(_fields(numbered[0][1], separator)), len(labels))
    problems: list[Problem | None] = []
    for number, line in numbered:
        if '"' not in line and fewest <= line.count(separator) + 1 <= len(labels):
            continue  # logs have millions of rows: only the odd ones are taken apart
        cells = _fields(line, separator)
        at = f"{where}: line {number}"
        problems.append(wrong_width(at, cells, labels, separator, fewest=fewest))
    return problems


def _fields(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])


def _distinct(headers: Sequence[str]) -> list[str]:
    """Tell apart columns of one name: the first keeps it."""
    return [
        header if header and header not in headers[:place] else f"{header}#{place}"
        for place, header in enumerate(headers)
    ]


def as_numbers(
    cells: pd.DataFrame, columns: Iterable[Column], where: str, *, texts: Iterable[str] = ()
) -> pd.DataFrame:
    """Return the columns as numbers in base units under their machine names; ``texts`` stay words.

    Empty cells are missing values, durations like ``0d 00:01:30.5`` are seconds. Raises BadInput
    with the rows whose cells are neither.
    """
    import pandas as pd  # noqa: PLC0415

    made: dict[str, pd.Series[Any]] = {}
    problems: list[Problem] = []
    read: list[tuple[str, pd.Series[Any], pd.Series[Any]]] = []
    for header, name, factor in columns:
        column = cells[header].str.strip()
        if name in set(texts):
            made[name] = column
            continue
        values = numbers_of(column, duration=name.endswith("_second"))
        bad = values.isna() & ~column.str.lower().isin(["", "nan", "na", "n/a", "null"])
        problems += [
            Problem(where, f"data row {row + 1}, {header}: got {column[row]!r}, expected a number")
            for row in list(bad[bad].index)[:_MOST_NAMED_ROWS]
        ]
        made[name] = values if factor == 1.0 else values * factor
        read.append((header, column, values))
    if problems:
        raise BadInput(problems)
    _refuse_mixed_marks(read, where)
    return pd.DataFrame(made)


def _refuse_mixed_marks(
    read: Sequence[tuple[str, pd.Series[Any], pd.Series[Any]]], where: str
) -> None:
    """Refuse decimal commas beside points: one of them may group thousands, nobody knows which."""
    commas = [_first_with(",", *one) for one in read]
    if not any(commas):
        return
    points = [_first_with(".", *one) for one in read]
    if any(points):
        got = [next(filter(None, found)) for found in (commas, points)]
        message = f"decimal commas and points are mixed: {' and '.join(got)}"
        raise BadInput(Problem(where, message), remedy=ONE_MARK)


def _first_with(
    mark: str, header: str, column: pd.Series[Any], values: pd.Series[Any]
) -> str | None:
    """Return the first number with this mark in words, None where there is none; no durations."""
    has = values.notna() & column.str.contains(mark, regex=False)
    has &= ~column.str.contains(":", regex=False)
    at = int(has.to_numpy().argmax())
    return f"{column.iloc[at]!r} (data row {at + 1}, {header})" if has.iloc[at] else None


_DURATION = re.compile(
    r"(?:(?P<d>\d+)\s*(?:d|days?)?[\s.:]\s*)?(?P<h>\d+):(?P<m>\d{1,2}):(?P<s>\d{1,2}(?:[.,]\d+)?)"
)


def numbers_of(column: pd.Series[str], *, duration: bool) -> pd.Series[float]:
    """Return cells as numbers, not a number where they are none; decimal commas are read."""
    import pandas as pd  # noqa: PLC0415

    values = pd.to_numeric(column, errors="coerce").astype(float)
    if (values.isna() & (column != "")).any():
        again = pd.to_numeric(column.str.replace(",", ".", regex=False), errors="coerce")
        values = values.fillna(again)
        if duration:
            values = values.fillna(column.map(seconds_of))
    return values


def seconds_of(text: str) -> float:
    """Return a duration in seconds, nan where the text is none.

    >>> seconds_of("1d 02:00:00.5"), seconds_of("00:01:30"), seconds_of("soon")
    (93600.5, 90.0, nan)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return float("nan")
    day, hour, minute = (float(match[part] or 0) for part in "dhm")
    return ((day * 24 + hour) * 60 + minute) * 60 + float(match["s"].replace(",", "."))
