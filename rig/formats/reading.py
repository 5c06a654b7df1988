"""One door for files: bytes in, a whole log out, whoever made the cycler."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.formats import bdf, sniffing
from rig.formats.biologic import read_mpr, read_mpt
from rig.formats.delimited import decoded
from rig.formats.excel import read_workbook
from rig.formats.log import CyclerLog, RawLog
from rig.formats.neware import read_neware
from rig.formats.text_makers import MAKERS, header_line, read_text

Reader = Callable[[bytes, str], RawLog]


def read_log(path: Path, format_name: str | None = None) -> CyclerLog:
    """Read a cycler's file, of the format its content shows, or of the one that is named.

    A .gz is unpacked. Raises BadInput for what cannot be read or is no test, with all that is wrong.
    """
    content = load(path)
    where = str(path)
    plain = sniffing.unpacked(content, where)
    found = format_name or sniffing.sniff(plain, where)
    if found == sniffing.ARCHIVE:
        problem = Problem(where, "an archive of a run, no log of a cycler")
        raise BadInput(problem, remedy=f"bring it in: rig runs import {where}")
    _refuse_unknown(found)
    from rig.formats.complete import Named, complete  # noqa: PLC0415 - loads numpy and pandas

    named = Named(where, found, hashlib.sha256(content).hexdigest())
    return complete(_READERS[found](plain, where), named)


def load(path: Path) -> bytes:
    """Return a file's bytes; BadInput where there is none to read."""
    try:
        return path.read_bytes()
    except IsADirectoryError as error:
        raise BadInput(Problem(str(path), "that is a folder, expected a file")) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(Problem(str(path), f"cannot be read: {reason}")) from error


def recognised(path: Path) -> str | None:
    """Return the format of a cycler's file, None for a text that may be another table.

    Raises BadInput for what cannot be read at all: empty, binary, damaged.
    """
    where = str(path)
    content = sniffing.unpacked(load(path), where)
    try:
        return sniffing.sniff(content, where)
    except BadInput:
        if content.strip() and sniffing.is_text(content):
            return None
        raise


def _refuse_unknown(format_name: str) -> None:
    if format_name in _READERS:
        return
    message = f"got {format_name!r}, expected one of {', '.join(_READERS)}"
    nearest = did_you_mean(format_name, _READERS)
    raise BadInput(Problem("--format", message, suggestion=nearest))


def _text(maker_name: str) -> Reader:
    maker = MAKERS[maker_name]

    def read(content: bytes, where: str) -> RawLog:
        text = decoded(content, where)
        if header_line(text.splitlines(), maker) is None:
            message = f"no header of {maker.name}'s: time, voltage and current in its words"
            raise BadInput(Problem(where, message))
        return read_text(text, where, maker)

    return read


_READERS: dict[str, Reader] = {
    sniffing.BDF_CSV: lambda content, where: bdf.read_csv(decoded(content, where), where),
    sniffing.BDF_PARQUET: bdf.read_parquet,
    sniffing.NDA: lambda content, where: read_neware(content, where, ".nda"),
    sniffing.NDAX: lambda content, where: read_neware(content, where, ".ndax"),
    sniffing.MPR: read_mpr,
    sniffing.MPT: read_mpt,
    sniffing.EXCEL: read_workbook,
    **{name: _text(name) for name in MAKERS},
}
