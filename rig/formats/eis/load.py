"""The one door: a path in, spectra out. Which reader is chosen depends on content, never on a name.

Where a name says something else, the spectra carry that as a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rig.core.errors import BadInput, Problem
from rig.formats.eis import biologic, gamry, labelled, versastudio, zview
from rig.formats.eis.assemble import spectra
from rig.formats.eis.delimited import Line, header_separator, headless_block
from rig.formats.eis.endings import contradiction
from rig.formats.eis.measured import Block, MeasuredSpectrum
from rig.formats.eis.orientation import is_upside_down

Recognises = Callable[[Sequence[Line]], bool]
Reads = Callable[[Sequence[Line], str], list[Block]]

READERS: tuple[tuple[Recognises, Reads], ...] = (
    (gamry.recognises, gamry.read),
    (biologic.recognises, biologic.read),
    (zview.recognises_zplot, zview.read_zplot),
    (zview.recognises_z60w, zview.read_z60w),
    (versastudio.recognises, versastudio.read),
    (labelled.recognises_chi, labelled.read_chi),
    (labelled.recognises_relaxis, labelled.read_relaxis),
)
_TURN = "give --negated where the file holds -Z'' under another name, or correct its header"
_BYTE_ORDER_16 = (b"\xff\xfe", b"\xfe\xff")


def load_spectra(path: str | Path, *, negated: bool = False) -> list[MeasuredSpectrum]:
    """Return the spectra of a file in its order, in ohm, the imaginary part as measured.

    ``negated``: the file holds -Z'' where it says Z''; it is turned round, and the spectra say so.
    Raises BadInput, with every problem and the line it is on, for a file that is cut off, of another
    kind, or that holds what cannot be a spectrum: one point, a frequency twice, a cell without a
    number, an area-normalised impedance, an imaginary part that is upside down.
    """
    path = Path(path)
    found = [_named(one, path) for one in spectra(_blocks(path), str(path))]
    if negated:
        return [_turned(one) for one in found]
    upside_down = [one for one in found if is_upside_down(one)]
    if upside_down:
        raise BadInput([_opposite_sign(one) for one in upside_down], remedy=_TURN)
    return found


def _named(one: MeasuredSpectrum, path: Path) -> MeasuredSpectrum:
    return replace(one, statements=(*contradiction(path, one.vendor), *one.statements))


def _blocks(path: Path) -> list[Block]:
    content = _bytes(path)
    if content.startswith(biologic.BINARY):
        return biologic.read_binary(path)
    lines = _lines(content, str(path))
    for recognises, read in READERS:
        if recognises(lines):
            return read(lines, str(path))
    return labelled.read_table(lines, str(path))


def _opposite_sign(one: MeasuredSpectrum) -> Problem:
    positive = int((one.impedance_ohm.imag > 0).sum())
    message = (
        f"the imaginary part is upside down: positive at {positive} of {len(one)} points, and |Z| "
        "changes with frequency as if it were negative; expected Z'' as measured, capacitive below 0"
    )
    return Problem(one.name, message, example="a header -Z'' (ohm) says that the sign is turned")


def _turned(one: MeasuredSpectrum) -> MeasuredSpectrum:
    return replace(
        one,
        impedance_ohm=one.impedance_ohm.conj(),
        repeated_ohm=one.repeated_ohm.conj(),
        statements=(*one.statements, "the imaginary part was turned round, as asked"),
    )


def holds_spectra(path: str | Path) -> bool:
    """Say whether this is a file of spectra, whole or not, rather than some other table."""
    try:
        content = _bytes(Path(path))
        lines = _lines(content, str(path))
    except BadInput:
        return False
    known = content.startswith(biologic.BINARY) or any(one(lines) for one, _ in READERS)
    return (
        known
        or any(header_separator(text) is not None for _, text in lines)
        or headless_block(lines, labelled.TABLE) is not None
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(Problem(str(path), f"cannot be read: {error.strerror}")) from error


def _lines(content: bytes, source: str) -> list[Line]:
    """Return the numbered lines of a text file; BadInput for an empty one and for anything else."""
    text = _decoded(content, source)
    lines = list(enumerate(text.replace("\r\r\n", "\n").splitlines(), start=1))
    written = next((at for at, (_, line) in enumerate(lines) if line.strip()), None)
    if written is None:
        raise BadInput(Problem(source, "the file is empty"))
    return lines[written:]


def _decoded(content: bytes, source: str) -> str:
    if content.startswith(_BYTE_ORDER_16):
        return content.decode("utf-16", errors="replace")
    if b"\x00" in content:
        message = "a binary file of no kind that is known here"
        remedy = "export it as text from the instrument's software"
        raise BadInput(Problem(source, message), remedy=remedy)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # Windows programs of the West
