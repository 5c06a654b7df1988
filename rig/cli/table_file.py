"""One table in a text file: labels over rows, whole or refused with the line of every odd row.

Comma, semicolon or tab, a byte-order mark, decimal commas beside another separator are read. Knows
no columns and no fit.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rig.core.errors import BadInput, Problem
from rig.core.fields import (
    has_decimal_comma,
    refuse_mixed_marks,
    refuse_wrong_rows,
    without_empty_end,
    wrong_width,
)

if TYPE_CHECKING:
    import pandas as pd

# "Test Time / s" and "test_time_second" are the same column: how the label's unit is spelled.
_UNIT_WORDS = {
    "1": "",
    "s": "second",
    "V": "volt",
    "A": "ampere",
    "W": "watt",
    "ohm": "ohm",
    "Ohm": "ohm",
    "Hz": "hertz",
    "Ah": "ah",
    "Wh": "wh",
    "Pa": "pa",
    "deg": "degree",
    "degC": "celsius",
    "K": "kelvin",
    "S/cm": "siemens_per_centimetre",
    "S cm-1": "siemens_per_centimetre",
}
_LABEL = re.compile(r"\s*(?P<name>.+?)\s*/\s*(?P<unit>\S.*?)\s*")
_SEPARATORS = (",", ";", "\t")  # the first where a header has none of them: a single column

Row = tuple[int, list[str]]  # number of its line in the file, counted from 1, and its cells


def read_table(path: Path, headless: Sequence[str] = ()) -> pd.DataFrame:
    """Read one delimited text file; the first row is the header unless it is all numbers.

    ``attrs["lines"]`` says on which line of the file each row is. Raises BadInput for a row with more
    or fewer fields than labels, and for decimal commas mixed with points.
    """
    rows, separator = _rows(path)
    labels, rows = _labelled(rows, headless, path)
    if not rows:
        raise BadInput(Problem(str(path), "has a header but no rows"))
    wrong = (
        wrong_width(f"{path}: line {line}", cells, labels, separator, fewest=len(labels))
        for line, cells in rows
    )
    refuse_wrong_rows(wrong, str(path))
    if any("," in cell for _, cells in rows for cell in cells):
        refuse_mixed_marks(rows, str(path))
    frame = _framed(labels, [cells for _, cells in rows], path)
    frame.attrs["lines"] = _lines(rows)
    return frame.rename(columns={name: machine_name(str(name)) for name in frame.columns})


def _rows(path: Path) -> tuple[list[Row], str]:
    """Return the rows that hold anything, and what stands between their fields."""
    text = _decoded(path)
    header = next((line for line in text.splitlines() if line.strip()), "")
    if not header:
        raise BadInput(Problem(str(path), "the file is empty"))
    separator = _separator(header)
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        where = f"{path}: line {reader.line_num}"
        raise BadInput(Problem(where, f"not a table: {error}")) from error
    return [row for row in rows if any(row[1])], separator


def _labelled(
    rows: list[Row], headless: Sequence[str], path: Path
) -> tuple[Sequence[str], list[Row]]:
    """Return the labels of the columns and the rows below them."""
    first = list(without_empty_end(rows[0][1], 1))
    if not _all_numbers(first):
        return first, rows[1:]
    if len(first) == len(headless):
        return headless, rows
    raise BadInput(
        Problem(str(path), f"the first row holds numbers only: {', '.join(first)[:60]!r}"),
        remedy="put the column names in the first row, for example test_time_second",
    )


def _framed(labels: Sequence[str], rows: Sequence[list[str]], path: Path) -> pd.DataFrame:
    """Return the cells as pandas types them, decimal commas read."""
    import pandas as pd

    plain = io.StringIO()
    writer = csv.writer(plain)
    writer.writerow(labels)
    for cells in rows:
        kept = cells[: len(labels)]
        writer.writerow(
            [cell.replace(",", ".") if has_decimal_comma(cell) else cell for cell in kept]
        )
    plain.seek(0)
    try:
        return pd.read_csv(plain, index_col=False, skip_blank_lines=False)
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        raise BadInput(Problem(str(path), f"not a table: {error}")) from error


def _lines(rows: Sequence[Row]) -> Sequence[int]:
    """Return each row's line, as a range where no line was left out: frames copy what they carry."""
    lines = tuple(line for line, _ in rows)
    whole = range(lines[0], lines[0] + len(lines))
    return whole if lines[-1] == whole[-1] else lines


def machine_name(label: str) -> str:
    """Return the machine name of a column label; other names only lose outer blanks.

    >>> machine_name("Test Time / s"), machine_name("Cycle Count / 1"), machine_name(" voltage_volt")
    ('test_time_second', 'cycle_count', 'voltage_volt')
    """
    match = _LABEL.fullmatch(label)
    if match is None or match["unit"] not in _UNIT_WORDS:
        return label.strip()
    words = [*match["name"].lower().split(), _UNIT_WORDS[match["unit"]]]
    return "_".join(word for word in words if word)


def _decoded(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "export it as comma-separated text in UTF-8"
        raise BadInput(Problem(str(path), f"not UTF-8 text: {error}"), remedy=remedy) from error


def _separator(header: str) -> str:
    return max(_SEPARATORS, key=header.count)


def _all_numbers(cells: Iterable[str]) -> bool:
    try:
        return all(float(cell.replace(",", ".")) is not None for cell in cells)
    except ValueError:
        return False
