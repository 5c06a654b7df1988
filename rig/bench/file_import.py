"""Files into the database: a cycler's log or an archive, by content; each whole or not at all.

Files are independent: one that is refused keeps no other from coming in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from rig.core.errors import BadInput, Problem
from rig.formats import read_log
from rig.formats.eis.load import holds_spectra
from rig.formats.reading import load
from rig.formats.sniffing import ARCHIVE, sniff, unpacked
from rig.store.archive import restore, unpack
from rig.store.importing import import_log


@dataclass(frozen=True, slots=True)
class FileImport:
    """What became of one file; ``checks`` are what is odd in it, ``notes`` what is not as in it."""

    file: str
    format: str
    run_id: str
    cell: str
    samples: int
    already_there: bool
    checks: tuple[dict[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came in, and all that is wrong with what did not."""

    imported: tuple[FileImport, ...]
    problems: tuple[Problem, ...]


def import_files(
    opened: Callable[[], Engine],
    paths: Iterable[Path],
    *,
    cell_name: str | None = None,
    format_name: str | None = None,
) -> Outcome:
    """Bring in every file that can be; raises StoreError where the database cannot take them.

    ``opened`` gives the database, and is not called before there is something to write: files that
    are all refused make none.
    """
    imported: list[FileImport] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            imported.append(_import_file(opened, path, cell_name, format_name))
        except BadInput as error:
            problems += _with_remedy(error)
    return Outcome(tuple(imported), tuple(problems))


def _with_remedy(error: BadInput) -> list[Problem]:
    """Each file has a remedy of its own: it goes behind the last of its problems."""
    *first, last = error.problems
    message = f"{last.message}; {error.remedy}" if error.remedy else last.message
    return [*first, Problem(last.where, message, last.example, last.suggestion)]


def _format_of(content: bytes, path: Path) -> str:
    try:
        return sniff(unpacked(content, str(path)), str(path))
    except BadInput:
        if content.strip() and holds_spectra(path):
            problem = Problem(str(path), "impedance spectra only, no cycling")
            remedy = f"fit them as they are: rig fit eis {path}"
            raise BadInput(problem, remedy=remedy) from None
        raise


def _import_file(
    opened: Callable[[], Engine], path: Path, cell_name: str | None, format_name: str | None
) -> FileImport:
    content = load(path)
    found = format_name or _format_of(content, path)
    if found == ARCHIVE:
        if cell_name is not None:
            raise BadInput(Problem(str(path), "an archive knows its cell: leave out --cell"))
        archived = unpack(content, str(path))
        done = restore(opened(), archived, str(path))
        there = (done.run_id, done.cell, done.samples, done.already_there)
        return FileImport(str(path), found, *there, notes=done.notes)
    log = read_log(path, found)
    kept = import_log(opened(), log, cell_name)
    return FileImport(
        str(path),
        found,
        kept.run_id,
        kept.cell,
        kept.samples,
        kept.already_there,
        checks=tuple(finding.to_dict() for finding in log.findings),
    )
