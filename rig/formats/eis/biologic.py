"""BioLogic EC-Lab and BT-Lab: text (.mpt) by our own hand, binary (.mpr) through galvani.

The text begins with ``EC-Lab ASCII FILE`` and ``Nb header lines : N``; the N-th line has the labels.
``-Im(Z)`` carries its sign in the label. A point without an excitation has frequency 0. Loops have
the ``cycle number``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rig.core.errors import BadInput, Problem
from rig.formats.eis.delimited import Line, blocks, labels_a_spectrum
from rig.formats.eis.measured import Block

VENDOR = "BioLogic"
BINARY = b"BIO-LOGIC MODULAR FILE"
_FIRST = re.compile(r"\s*(EC|BT)-Lab\s+ASCII\s+FILE", re.IGNORECASE)
_HEADER_LINES = re.compile(r"\s*Nb header lines\s*:\s*(\d+)")
_ENTRY = re.compile(r"(?P<key>[A-Z][^:\t]*?)\s*:\s+(?P<value>\S.*?)\s*")


def recognises(lines: Sequence[Line]) -> bool:
    return _FIRST.match(lines[0][1]) is not None


def read(lines: Sequence[Line], source: str) -> list[Block]:
    """Return the table under the header; BadInput where it is cut off or holds no impedance."""
    header = _header_lines(lines, source)
    metadata = {
        match["key"]: match["value"]
        for _, text in lines[2 : header - 1]
        if (match := _ENTRY.fullmatch(text))
    }
    technique = next((text.strip() for _, text in lines[2 : header - 1] if text.strip()), "")
    found = blocks(lines[header - 1 :], VENDOR, {"technique": technique, **metadata})
    if not found:
        labels = lines[header - 1][1].strip()[:80]
        message = f"no columns of an impedance ({technique or 'no technique'}); there are {labels}"
        raise BadInput(Problem(f"{source}: line {lines[header - 1][0]}", message))
    return found


def _header_lines(lines: Sequence[Line], source: str) -> int:
    match = next((m for _, text in lines[:3] if (m := _HEADER_LINES.match(text))), None)
    if match is None:
        message = "an EC-Lab file without its line 'Nb header lines : N'"
        raise BadInput(Problem(f"{source}: line 2", message))
    count = int(match[1])
    if len(lines) < count:
        message = f"{count} header lines announced, the file ends after {len(lines)}: cut off"
        raise BadInput(Problem(source, message), remedy="export it again from EC-Lab")
    return count


def read_binary(path: Path) -> list[Block]:
    """Return the table of a .mpr file; BadInput where galvani is missing or cannot read it."""
    try:
        from galvani import BioLogic  # noqa: PLC0415  (optional extra)
    except ImportError as error:
        remedy = "pip install 'cellrig[vendor]', or export as text (.mpt) in EC-Lab"
        raise BadInput(Problem(str(path), "a .mpr file needs galvani"), remedy=remedy) from error
    try:
        with path.open("rb") as file:
            data = BioLogic.MPRfile(file).data
    except Exception as error:  # galvani raises whatever struct and numpy raise
        remedy = "copy it again from the instrument's PC, or export it as text (.mpt) in EC-Lab"
        why = " ".join(str(error).split()) or "its parts do not fit together"
        message = f"this BioLogic .mpr file is damaged or cut off: {why}"
        raise BadInput(Problem(str(path), message), remedy=remedy) from error
    labels = tuple(data.dtype.names)
    if not labels_a_spectrum(labels):
        shown = ", ".join(labels[:8])
        raise BadInput(Problem(str(path), f"no columns of an impedance; there are {shown}"))
    rows = tuple((at, tuple(map(_written, row))) for at, row in enumerate(data, start=1))
    return [Block(VENDOR, labels, rows)]


def _written(value: object) -> str:
    return repr(float(value)) if not isinstance(value, bytes | str) else str(value)  # type: ignore[arg-type]
