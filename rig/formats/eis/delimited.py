"""Tables in text: which line is the header, where its rows are, how its numbers are written.

The reader of everything that has labels over columns, and the workhorse of the vendors' readers.
Comma, semicolon, tab or blanks; decimal commas beside another separator; a row of units under the
labels; several spectra beside or below one another. Knows no vendor.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rig.formats.eis.labels import (
    FREQUENCY,
    IMAGINARY,
    MODULUS,
    PHASE,
    REAL,
    column,
)
from rig.formats.eis.measured import Block

Line = tuple[int, str]  # number in the file, counted from 1, and text
Row = tuple[int, tuple[str, ...]]

BLANKS = ""  # two blanks or more between cells, else any
_SEPARATORS = ("\t", ";", ",", BLANKS)
_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.I
)
HEADLESS = (FREQUENCY, REAL, IMAGINARY)


def blocks(
    lines: Sequence[Line], vendor: str, metadata: dict[str, str] | None = None
) -> list[Block]:
    """Return every table of spectra among the lines, in their order; empty where there is none."""
    found: list[Block] = []
    at = 0
    while at < len(lines):
        separator = header_separator(lines[at][1])
        if separator is None:
            at += 1
            continue
        end = _end(lines, at + 1)
        labels = split(lines[at][1], separator)
        rows = _rows(lines[at + 1 : end], separator)
        tables = _beside_one_another(labels, rows, vendor, metadata or {})
        found += [replace(one, separator=separator or " ") for one in tables]
        at = end
    return found


def header_separator(text: str) -> str | None:
    """Return the separator of a line that labels a spectrum's columns; None for any other line."""
    if not any(letter in text for letter in "fF"):
        return None
    for separator in _SEPARATORS:
        if labels_a_spectrum(split(text, separator)):
            return separator
    return None


def labels_a_spectrum(labels: Iterable[str]) -> bool:
    """Say whether these labels hold a frequency and an impedance."""
    found = {one.quantity for label in labels if (one := column(label))}
    return FREQUENCY in found and ({REAL, IMAGINARY} <= found or {MODULUS, PHASE} <= found)


def split(text: str, separator: str) -> tuple[str, ...]:
    """Cut a line into its cells; outer blanks and quotes go."""
    if separator == BLANKS:
        wide = re.split(r"\s{2,}", text.strip())
        cells = wide if len(wide) > 2 else text.split()
    elif '"' in text and separator == "," and text.count('"') % 2 == 0 and "''" not in text:
        cells = next(csv.reader([text], skipinitialspace=True))
    else:
        cells = text.split(separator)
    return tuple(cell.strip() for cell in cells)


def is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell.strip().replace(",", ".", 1)) is not None


def number(cell: str) -> float:
    """Read a number as instruments write it; ValueError for anything else."""
    text = cell.strip().replace(",", ".", 1)
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(cell)
    return float(text.lower().replace("d", "e"))


def headless_block(lines: Sequence[Line], vendor: str) -> Block | None:
    """Return three columns of bare numbers as frequency, real and imaginary part; else None."""
    written = [line for line in lines if line[1].strip()]
    if not written:
        return None
    for separator in _SEPARATORS:
        cells = _trimmed(split(written[0][1], separator))
        if len(cells) == len(HEADLESS) and all(map(is_number, cells)):
            statement = "no header: taken as frequency in Hz, real and imaginary part in ohm"
            rows = tuple(_rows(written, separator))
            return Block(vendor, HEADLESS, rows, {}, (statement,), separator or " ")
    return None


def _end(lines: Sequence[Line], start: int) -> int:
    """Return where the table that begins at ``start`` ends: at the next header, or with the lines."""
    for at in range(start, len(lines)):
        if header_separator(lines[at][1]) is not None:
            return at
    return len(lines)


def _rows(lines: Iterable[Line], separator: str) -> list[Row]:
    return [(at, split(text, separator)) for at, text in lines if text.strip()]


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    return cells[:-1] if cells and not cells[-1] else cells


def _beside_one_another(
    labels: tuple[str, ...], rows: list[Row], vendor: str, metadata: dict[str, str]
) -> list[Block]:
    """Cut a table at each frequency column; what stands before the first one belongs to it."""
    if rows and not any(map(is_number, rows[0][1])):
        labels, rows = _with_units(labels, rows[0][1]), rows[1:]
    starts = [at for at, label in enumerate(labels) if _quantity(label) == FREQUENCY]
    bounds = [0, *starts[1:], len(labels)]
    parts = [slice(first, last) for first, last in itertools.pairwise(bounds)]
    # what a row has beyond the labels stays with the last part: to be refused, never dropped
    parts[-1] = slice(parts[-1].start, None)
    return [_cut(labels, rows, vendor, metadata, part) for part in parts]


def _cut(
    labels: tuple[str, ...], rows: list[Row], vendor: str, metadata: dict[str, str], part: slice
) -> Block:
    own = tuple((at, cells[part]) for at, cells in rows)
    # beside a longer neighbour a shorter spectrum ends in empty cells
    written = tuple((at, cells) for at, cells in own if any(cells))
    return Block(vendor, labels[part], written, metadata)


def _with_units(labels: tuple[str, ...], units: tuple[str, ...]) -> tuple[str, ...]:
    """Set the units of a second header row behind labels that have none of their own."""
    padded = (*units, *[""] * len(labels))
    return tuple(
        f"{label} ({unit})" if unit and (one := column(label)) and not one.unit else label
        for label, unit in zip(labels, padded, strict=False)
    )


def _quantity(label: str) -> str:
    found = column(label)
    return found.quantity if found else ""
