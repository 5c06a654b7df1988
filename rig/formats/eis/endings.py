"""Whose files end in what: a name that contradicts the content is said, and the content is believed.

A renamed file is no fault of the numbers in it, but who looks at the name alone would look for them in
another program, and a wrong copy shows itself here first.
"""

from __future__ import annotations

from pathlib import Path

from rig.formats.eis import biologic, gamry, versastudio, zview

WRITERS: dict[str, tuple[str, ...]] = {
    ".mpr": (biologic.VENDOR,),
    ".mpt": (biologic.VENDOR,),
    ".dta": (gamry.VENDOR,),
    ".par": (versastudio.VENDOR,),
    ".z": (zview.ZPLOT, zview.Z60W),
}


def contradiction(path: Path, vendor: str) -> tuple[str, ...]:
    """Return the statement that name and content disagree, or nothing where they do not.

    >>> contradiction(Path("cell.mpr"), "Gamry")[0]
    "the name ends in .mpr as BioLogic's files do, but the content is Gamry's: read as Gamry"
    >>> contradiction(Path("cell.txt"), "Gamry")
    ()
    """
    ending = path.suffix.lower()
    writers = WRITERS.get(ending, (vendor,))
    if vendor in writers:
        return ()
    content = f"{vendor}'s" if vendor != "table" else "a plain table"
    said = f"the name ends in {ending} as {writers[0]}'s files do, but the content is {content}"
    return (f"{said}: read as {vendor}",)
