"""Files that are a table with labels, under a header of their maker's or none.

CH Instruments, PARSTAT, PowerSuite, RelaxIS, Autolab NOVA, Solartron, our own export, and whatever
else writes ``Freq/Hz`` over a column: told apart by what they say, read alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.formats.eis.delimited import (
    HEADLESS,
    Line,
    blocks,
    header_separator,
    headless_block,
    is_number,
    split,
)
from rig.formats.eis.measured import Block

CHI, RELAXIS, TABLE = "CH Instruments", "RelaxIS", "table"
_ENTRY = re.compile(r"\s*(?P<key>[A-Za-z][^=:]*?)\s*[=:]\s+(?P<value>\S.*?)\s*")
_RELAXIS_ENTRY = re.compile(r"([A-Za-z]\w*)=([^,\s]+)")
_RELAXIS_MODEL = "Model:"
# Signatures of the labels alone, where the maker leaves no name
_BY_LABELS = (
    ("PARSTAT", ("Zre (ohms)", "Zim (ohms)", "Elapsed Time (s)")),
    ("PowerSuite", ("Zre", "Zimg")),
    ("Autolab NOVA", ("Z' (Ω)", "-Z'' (Ω)")),
    ("cellrig", ("spectrum_count", "frequency_hertz")),
)


def recognises_chi(lines: Sequence[Line]) -> bool:
    head = [text.strip().rstrip(".") for _, text in lines[:3]]
    return any(text in {"A.C. Impedance", "A.C. Impedance - Time"} for text in head) or any(
        text.startswith("Instrument Model:  CHI") for _, text in lines[:8]
    )


def recognises_relaxis(lines: Sequence[Line]) -> bool:
    return lines[0][1].startswith("RelaxIS")


def read_chi(lines: Sequence[Line], source: str) -> list[Block]:
    """Return the table under ``Freq/Hz, Z'/ohm, ...`` with the header's ``key = value`` lines."""
    at = _first_header(lines, source, CHI)
    entries = (_ENTRY.fullmatch(text) for _, text in lines[:at])
    return blocks(lines, CHI, {one["key"]: one["value"] for one in entries if one})


def read_relaxis(lines: Sequence[Line], source: str) -> list[Block]:
    """Return RelaxIS's spectra; the row under the labels says which (DC, TM, J, model, name)."""
    _first_header(lines, source, RELAXIS)
    found = []
    for block in blocks(_without_models(lines), RELAXIS):
        said = _said(lines, block)
        found.append(replace(block, metadata=said))
    return found


def read_table(lines: Sequence[Line], source: str) -> list[Block]:
    """Return every labelled table, or three bare columns; BadInput says what is there instead."""
    found = [_named(block) for block in blocks(lines, TABLE)]
    if found:
        return found
    bare = headless_block(lines, TABLE)
    if bare is not None:
        return [bare]
    raise BadInput(_nothing(lines, source))


def _nothing(lines: Sequence[Line], source: str) -> Problem:
    """Say what the file holds instead, and which label may have been meant for one of ours."""
    first = next(text.strip() for _, text in lines if text.strip())
    labels = max((split(first, separator) for separator in ("\t", ";", ",")), key=len)
    guesses = (did_you_mean(name, labels) for name in HEADLESS if name not in labels)
    meant = [name for name in HEADLESS if name not in labels and did_you_mean(name, labels)]
    nearest = next((guess for guess in guesses if guess), "")
    message = (
        "no impedance spectrum found, expected columns of frequency, real and imaginary part; "
        f"it begins {first[:90]!r}"
    )
    if nearest:
        message += f"; is {nearest!r} the {meant[0]}?"
    return Problem(source, message, example=",".join(HEADLESS))


def _first_header(lines: Sequence[Line], source: str, vendor: str) -> int:
    for at, (_, text) in enumerate(lines):
        if header_separator(text) is not None:
            return at
    message = f"a file of {vendor} without a table of impedances: cut off, or another technique"
    raise BadInput(Problem(source, message))


def _named(block: Block) -> Block:
    for vendor, labels in _BY_LABELS:
        if set(labels) <= {label.strip() for label in block.labels}:
            return replace(block, vendor=vendor)
    return block


def _without_models(lines: Sequence[Line]) -> list[Line]:
    return [
        line for line in lines if _RELAXIS_MODEL not in line[1] or is_number(line[1].split("\t")[0])
    ]


def _said(lines: Sequence[Line], block: Block) -> dict[str, str]:
    """Return what the row under the labels of ``block`` says, and the file's first lines."""
    first = block.rows[0][0] if block.rows else 0
    before = [text for at, text in lines if at < first and _RELAXIS_MODEL in text]
    said = dict(_RELAXIS_ENTRY.findall(before[-1])) if before else {}
    name = [cell.strip() for cell in before[-1].split("\t")] if before else []
    date = next((text[6:] for _, text in lines[:3] if text.startswith("Date: ")), "")
    return {**said, "name": next((cell for cell in name[2:] if cell), ""), "Date": date}
