"""Rows of a table in text against its labels: a row with other fields than labels is never read.

A decimal comma between commas splits a number in two; whoever then takes the first fields has wrong
numbers without a word. Decimal commas beside decimal points are no better: one of them groups
thousands, and nobody can know which. Knows no file and no table's meaning.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from rig.core.errors import BadInput, Problem

DECIMAL_COMMA = (
    "put semicolons between the fields (25;42,5), or write the numbers with points (25,42.5)"
)
ONE_MARK = "write every number of the file with the same decimal mark, and no mark for thousands"
MOST_NAMED_ROWS = 5
_MOST_SHOWN = 60
_EXPONENT = r"(?:[eEdD][+-]?\d+)?"
_COMMA = re.compile(rf"[+-]?\d*,\d+{_EXPONENT}|[+-]?\d+,{_EXPONENT}")
_POINT = re.compile(rf"[+-]?\d*\.\d+{_EXPONENT}|[+-]?\d+\.{_EXPONENT}")
_BOTH = re.compile(rf"[+-]?[\d.,]*(?:\d\.\d+,|\d,\d+\.)[\d.,]*{_EXPONENT}")
_DIGITS = re.compile(rf"\s*[+-]?\d+{_EXPONENT}\s*")


def has_decimal_comma(cell: str) -> bool:
    """Say whether a cell is a number with a decimal comma.

    >>> has_decimal_comma("-4,25e-3"), has_decimal_comma("4.25"), has_decimal_comma("a,b")
    (True, False, False)
    """
    return _COMMA.fullmatch(cell) is not None


def without_empty_end(cells: Sequence[str], keep: int) -> Sequence[str]:
    """Return cells without the empty ones at the end beyond ``keep``: separators that end a row."""
    count = len(cells)
    while count > keep and not cells[count - 1].strip():
        count -= 1
    return cells[:count]


def wrong_width(
    where: str, cells: Sequence[str], labels: Sequence[str], separator: str, *, fewest: int
) -> Problem | None:
    """Say what is wrong with a row that has more fields than labels, or fewer than ``fewest``.

    ``where`` is the file and the line. Empty fields at the end of a row do not count.
    """
    cells = without_empty_end(cells, len(labels))
    count = len(cells)
    if fewest <= count <= len(labels):
        return None
    fields = "1 field" if count == 1 else f"{count} fields"
    expected = f"expected {len(labels)} ({_cut(', '.join(labels))})"
    message = f"got {fields} ({_cut((separator or ' ').join(cells))}), {expected}"
    if count > len(labels) and _looks_split(cells, separator):
        message += "; is it a decimal comma between commas?"
    return Problem(where, message)


def refuse_wrong_rows(found: Iterable[Problem | None], source: str) -> None:
    """Raise BadInput with the first of the rows' problems and the count of the others."""
    problems = [problem for problem in found if problem is not None]
    if problems:
        commas = any("decimal comma between" in problem.message for problem in problems)
        raise BadInput(few(problems, source), remedy=DECIMAL_COMMA if commas else "")


def few(problems: Sequence[Problem], source: str) -> list[Problem]:
    """Return the first problems, and how many more there are."""
    more = len(problems) - MOST_NAMED_ROWS
    rest = [Problem(source, f"{more} more rows cannot be read")] if more > 0 else []
    return [*problems[:MOST_NAMED_ROWS], *rest]


def mixed_marks(rows: Iterable[tuple[int, Sequence[str]]], source: str) -> list[Problem]:
    """Return the first number of the rarer decimal mark, and each with both marks, with their lines.

    Empty where all numbers have the same mark. ``rows`` are lines of the file, with their cells.
    """
    commas: list[tuple[int, str]] = []
    points: list[tuple[int, str]] = []
    both: list[tuple[int, str]] = []
    for line, cells in rows:
        for cell in cells:
            for pattern, found in ((_COMMA, commas), (_POINT, points), (_BOTH, both)):
                if pattern.fullmatch(cell):
                    found.append((line, cell))
    problems = [
        Problem(f"{source}: line {line}", f"got {cell!r}, expected one decimal mark in a number")
        for line, cell in both
    ]
    if commas and points:
        line, cell = min(commas, points, key=len)[0]
        message = f"got {cell!r}: decimal commas and points are mixed in this file"
        problems.append(Problem(f"{source}: line {line}", message))
    return problems


def refuse_mixed_marks(rows: Iterable[tuple[int, Sequence[str]]], source: str) -> None:
    """Raise BadInput where decimal commas and points are mixed: which is which cannot be known."""
    if problems := mixed_marks(rows, source):
        raise BadInput(few(problems, source), remedy=ONE_MARK)


def _looks_split(cells: Sequence[str], separator: str) -> bool:
    """Say whether two neighbours may be one number: ``42`` and ``5`` of ``42,5``."""
    if separator != ",":
        return False
    pairs = itertools.pairwise(cells)
    return any(_DIGITS.fullmatch(first) and _DIGITS.fullmatch(second) for first, second in pairs)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
