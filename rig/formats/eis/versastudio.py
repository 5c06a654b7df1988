"""VersaStudio (.par): sections ``<Segment1> ... </Segment1>``, columns named by ``Definition=``.

A file holds several segments where a protocol has several steps; direct-current segments have no
frequency and are no spectra.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rig.core.errors import BadInput, Problem
from rig.formats.eis.delimited import Line, labels_a_spectrum, split
from rig.formats.eis.measured import Block

VENDOR = "VersaStudio"
_OPEN = re.compile(r"<Segment(\d+)>")
_KEPT = re.compile(
    r"(Type|Model|SN|Firmware|DateAcquired|TimeAcquired|Measured Open Circuit|Name|"
    r"Amplitude \(m[VA] RMS\)|Working Electrode Area \(cm2\))=(.+)"
)


def recognises(lines: Sequence[Line]) -> bool:
    first = [text.strip() for _, text in lines[:3]]
    return first[0] == "<Application>" and any(text.startswith("Name=") for text in first)


def read(lines: Sequence[Line], source: str) -> list[Block]:
    """Return one table per segment with impedances; BadInput for an unclosed one, or for none."""
    starts = [at for at, (_, text) in enumerate(lines) if _OPEN.fullmatch(text.strip())]
    segments = [_segment(lines, at, source) for at in starts]
    metadata = {match[1]: match[2] for _, text in lines if (match := _KEPT.fullmatch(text.strip()))}
    found = [
        Block(VENDOR, labels, rows, metadata)
        for labels, rows in segments
        if labels_a_spectrum(labels) and _has_frequency(labels, rows)
    ]
    if not found:
        message = f"a VersaStudio file with {len(starts)} segments and no impedance in any"
        raise BadInput(Problem(source, message))
    return found


def _segment(
    lines: Sequence[Line], start: int, source: str
) -> tuple[tuple[str, ...], tuple[tuple[int, tuple[str, ...]], ...]]:
    closing = lines[start][1].strip().replace("<", "</")
    end = next((at for at in range(start, len(lines)) if lines[at][1].strip() == closing), None)
    if end is None:
        message = f"the segment that begins here never ends ({closing}): the file is cut off"
        raise BadInput(Problem(f"{source}: line {lines[start][0]}", message))
    inside = lines[start + 1 : end]
    defined = [text for _, text in inside if text.startswith("Definition=")]
    labels = split(defined[0].removeprefix("Definition="), ",") if defined else ()
    rows = tuple((at, split(text, ",")) for at, text in inside if text[:1].isdigit())
    return labels, rows


def _has_frequency(labels: tuple[str, ...], rows: tuple[tuple[int, tuple[str, ...]], ...]) -> bool:
    at = next(i for i, label in enumerate(labels) if label.lower().startswith("freq"))
    return any(len(cells) > at and cells[at] not in {"0", ""} for _, cells in rows)
