"""Which format a file has, by its content; its name does not count.

What is recognised and cannot be read says what to export instead.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib

from rig.core.errors import BadInput, Problem
from rig.formats.bdf import is_header
from rig.formats.delimited import cells_of, decoded
from rig.formats.text_makers import MAKERS, columns_known

BDF_CSV, BDF_PARQUET = "bdf-csv", "bdf-parquet"
MPR, MPT = "biologic-mpr", "biologic-mpt"
NDA, NDAX = "neware-nda", "neware-ndax"
EXCEL, ARCHIVE = "arbin-xlsx", "archive"

# what `rig runs import --format` takes -> in words
FORMATS: dict[str, str] = {
    BDF_CSV: "Battery Data Format, text",
    BDF_PARQUET: "Battery Data Format, Parquet",
    NDA: "Neware .nda",
    NDAX: "Neware .ndax",
    MPR: "BioLogic .mpr",
    MPT: "BioLogic text export (.mpt)",
    "arbin": "Arbin text export",
    EXCEL: "Arbin workbook (.xlsx)",
    "maccor": "Maccor text export",
    "novonix": "Novonix text export",
    "basytec": "Basytec text export",
    ARCHIVE: "an archive of a run, written by rig runs export --format archive",
}
EXPECTED = "expected Battery Data Format, Neware, BioLogic, Arbin, Maccor, Novonix or Basytec"
_FIRST_BYTES = 2**20  # a Novonix preamble holds its whole protocol
_MOST_BYTES = 8 * 2**30  # of a .gz unpacked


def unpacked(content: bytes, where: str) -> bytes:
    """Return a file's content, out of its gzip where it is in one; BadInput where that is damaged."""
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as file:
            plain = file.read(_MOST_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        message = f"damaged or cut off: its gzip does not unpack ({error})"
        raise BadInput(Problem(where, message), remedy="copy it again") from error
    return plain


def sniff(content: bytes, where: str) -> str:
    """Return the format's name; raises BadInput for what is none, saying what it is instead."""
    if not content.strip():
        raise BadInput(Problem(where, f"the file is empty, {EXPECTED}"))
    known = _by_first_bytes(content) or (_in_zip(content, where) if content[:2] == b"PK" else None)
    if known is not None:
        return known
    if content[4:19] in (b"Standard Jet DB", b"Standard ACE DB"):
        problem = Problem(where, "an Access database (Arbin .res): there is no reader for it here")
        raise BadInput(problem, remedy="export it from MITS Pro as csv or xlsx")
    if not is_text(content):
        raise BadInput(Problem(where, f"binary, and no cycler's file that is known; {EXPECTED}"))
    return _by_header(decoded(content[:_FIRST_BYTES], where), where)


def is_text(content: bytes) -> bool:
    """Say whether bytes can be a text: no zeros on top, or the mark of UTF-16."""
    return b"\x00" not in content[:4096] or content[:2] in (b"\xff\xfe", b"\xfe\xff")


def _by_first_bytes(content: bytes) -> str | None:
    starts = {
        b"PAR1": BDF_PARQUET,
        b"BIO-LOGIC MODULAR FILE": MPR,
        b"NEWARE": NDA,
        b"EC-Lab ASCII FILE": MPT,
        b"BT-Lab ASCII FILE": MPT,
    }
    return next((name for first, name in starts.items() if content.startswith(first)), None)


def _in_zip(content: bytes, where: str) -> str:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except zipfile.BadZipFile as error:
        message = f"damaged or cut off: a zip file without its end ({error})"
        raise BadInput(Problem(where, message), remedy="copy it again") from error
    held = {"manifest.json": ARCHIVE, "data.ndc": NDAX, "xl/workbook.xml": EXCEL}
    known = next((name for member, name in held.items() if member in names), None)
    if known is None:
        message = f"a zip file of none that is known (it holds {', '.join(names[:3]) or 'nothing'})"
        raise BadInput(Problem(where, message))
    return known


def _by_header(text: str, where: str) -> str:
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if is_header(cells_of(first)):
        return BDF_CSV
    known = {name: columns_known(lines, maker) for name, maker in MAKERS.items()}
    best = max(known, key=lambda name: known[name])  # makers share words; most of them says whose
    if known[best]:
        return best
    message = f"no header that is known; the first line is {first.strip()[:60]!r}; {EXPECTED}"
    example = "Test Time / s,Voltage / V,Current / A"
    raise BadInput(Problem(where, message, example=example))
