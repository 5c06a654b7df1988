"""The two layouts of Scribner's ZPlot and ZView, whose columns have a fixed order and odd labels.

``ZPLOT2 ASCII`` (.z): a header to ``End Comments``, then rows. ``Z60W Data File`` (written by Autolab
FRA and others): quoted lines, a line with the number of points, quoted labels, then rows. Columns:
frequency, amplitude, bias, time, Z', Z'', Good/Drive, error, range; tabs, commas or blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rig.core.errors import BadInput, Problem
from rig.core.fields import refuse_wrong_rows, wrong_width
from rig.formats.eis.delimited import Line, is_number
from rig.formats.eis.labels import FREQUENCY, IMAGINARY, REAL, TIME
from rig.formats.eis.measured import Block

ZPLOT, Z60W = "ZPlot", "Autolab (Z60W)"
LABELS = (FREQUENCY, "amplitude", "bias", TIME, REAL, IMAGINARY, "GD", "error", "range")
SHORT = (FREQUENCY, REAL, IMAGINARY)
_ENTRY = re.compile(r"\s*(?P<key>[^:]+?):\s+(?P<value>\S.*?)\s*")
_KEPT = {"Measured Data, ZPlot", "Experiment Type", "Date", "Time", "Open Circuit Potential (V)",
         "Potential-DC", "Potential-AC", "Current-DC", "Current-AC", "Surface Area"}  # fmt: skip
_POINTS = re.compile(r"\s*Data Points:\s+(\d+)")


def recognises_zplot(lines: Sequence[Line]) -> bool:
    return lines[0][1].strip().strip('"').startswith(("ZPLOT2 ASCII", "ZPLOT ASCII"))


def recognises_z60w(lines: Sequence[Line]) -> bool:
    return lines[0][1].strip().strip('"').startswith("Z60W Data File")


def read_zplot(lines: Sequence[Line], source: str) -> list[Block]:
    """Return the rows after ``End Comments``; fewer points than were planned is said, not refused."""
    end = next((at for at, (_, text) in enumerate(lines) if "End Comments" in text), None)
    if end is None:
        message = "a ZPlot file without its line 'End Comments': the file is cut off"
        raise BadInput(Problem(source, message))
    entries = (_ENTRY.fullmatch(text) for _, text in lines[:end])
    metadata = {one["key"]: one["value"] for one in entries if one and one["key"] in _KEPT}
    rows = _rows(lines[end + 1 :], source)
    planned = next((m for _, text in lines[:end] if (m := _POINTS.match(text))), None)
    statements: tuple[str, ...] = ()
    if planned and int(planned[1]) > len(rows):
        statements = (f"{planned[1]} points were planned, {len(rows)} are in the file",)
    return [Block(ZPLOT, LABELS, rows, metadata, statements)]


def read_z60w(lines: Sequence[Line], source: str) -> list[Block]:
    """Return the rows under the quoted labels; BadInput where fewer are found than announced."""
    labels = next((at for at, (_, text) in enumerate(lines) if "freq" in text.lower()), None)
    if labels is None:
        message = "a Z60W file without its line of labels: the file is cut off"
        raise BadInput(Problem(source, message))
    rows = _rows(lines[labels + 1 :], source)
    before = lines[labels - 1][1].strip()
    if before.isdigit() and int(before) > len(rows):
        message = f"{before} points announced, {len(rows)} found: the file is cut off"
        raise BadInput(Problem(f"{source}: line {lines[labels - 1][0]}", message))
    return [Block(Z60W, LABELS, rows)]


def _rows(lines: Sequence[Line], source: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return the rows; BadInput for three columns with decimal commas between commas.

    Split at each comma, three numbers are six fields, which would pass for the first six of nine.
    """
    written = [(at, text) for at, text in lines if text.strip()]
    wrong = [
        wrong_width(f"{source}: line {at}", _cells(text), SHORT, ",", fewest=0)
        for at, text in written
        if "\t" not in text and len(_cells(text)) == 2 * len(SHORT)
    ]
    refuse_wrong_rows(wrong, source)
    return tuple((at, _full(_cells(text))) for at, text in written)


def _cells(text: str) -> tuple[str, ...]:
    """Cut a row; commas separate unless tabs do, where they are decimal commas."""
    parted = re.split(r"\t" if "\t" in text else r"[,\s]\s*", text.strip())
    return tuple(cell.strip() for cell in parted)


def _full(cells: tuple[str, ...]) -> tuple[str, ...]:
    if len(cells) == len(SHORT) and all(map(is_number, cells)):  # ZView's short form: f, Z', Z''
        return (cells[0], "", "", "", *cells[1:])
    return cells
