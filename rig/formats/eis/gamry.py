"""Gamry Framework data files (.DTA): tab-separated tags, tables named ZCURVE, indented by a tab.

Layout as Framework writes it: ``TAG<tab>EISPOT``, then ``NAME<tab>TYPE<tab>value<tab>prompt``; a table
is ``ZCURVE<tab>TABLE`` (with its number of rows, where known), labels, units, rows. Decimal commas
where Windows has them. A loop writes ZCURVE1, ZCURVE2, ...
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rig.core.errors import BadInput, Problem
from rig.formats.eis.delimited import Line, blocks
from rig.formats.eis.measured import Block

VENDOR = "Gamry"
_TABLE = re.compile(r"ZCURVE\d*\tTABLE(?:\t(?P<rows>\d+))?")
_KEPT = {"TITLE", "DATE", "TIME", "PSTAT", "VDC", "VAC", "IDC", "IAC", "AREA", "EOC", "TAG"}


def recognises(lines: Sequence[Line]) -> bool:
    return lines[0][1].strip() == "EXPLAIN"


def read(lines: Sequence[Line], source: str) -> list[Block]:
    """Return one table per ZCURVE; BadInput when there is none, or one is shorter than announced."""
    metadata = _metadata(lines)
    found: list[Block] = []
    for at, (line, text) in enumerate(lines):
        if match := _TABLE.match(text):
            table = blocks(_indented(lines, at + 1), VENDOR, metadata)
            found += table
            _whole(table, match["rows"], f"{source}: line {line}")
    if not found:
        kind = metadata.get("TAG", "unknown")
        message = f"a Gamry file ({kind}) without a ZCURVE table: no impedance was measured in it"
        raise BadInput(Problem(source, message))
    return found


def _metadata(lines: Sequence[Line]) -> dict[str, str]:
    cells = (text.split("\t") for _, text in lines if not text.startswith("\t"))
    return {one[0]: one[1 if one[0] in {"TAG", "PSTAT"} else 2] for one in cells
            if one[0] in _KEPT and len(one) > 2 - (one[0] == "TAG")}  # fmt: skip


def _indented(lines: Sequence[Line], start: int) -> list[Line]:
    """Return the lines of a table: those that begin with a tab, which is then no first column."""
    rows: list[Line] = []
    for line, text in lines[start:]:
        if not text.startswith("\t"):
            break
        rows.append((line, text[1:]))
    return rows


def _whole(table: list[Block], announced: str | None, where: str) -> None:
    rows = sum(len(one.rows) for one in table)
    if announced is not None and rows < int(announced):
        message = f"{announced} points announced, {rows} found: the file is cut off"
        raise BadInput(Problem(where, message), remedy="copy it again from the instrument's PC")
