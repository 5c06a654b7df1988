"""A backup of an SQLite database with its sealed runs, taken while runs go on; and back, the same way.

The copy is a database of its own: commands read it where it is. Restoring is a backup of the backup.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rig.core.errors import BadInput, Problem, StoreError
from rig.store.address import without_password
from rig.store.copies import copy_file
from rig.store.database import file_of, open_as_it_is
from rig.store.disk import Disk, require_room
from rig.store.sealed import beside, segments_folder

_SEGMENTS = "SELECT path, sha256 FROM segment ORDER BY path"


@dataclass(frozen=True, slots=True)
class Backup:
    """What was copied, and where to."""

    file: Path
    bytes: int
    segments: int


def back_up(url: str, to: Path, disk: Disk) -> Backup:
    """Copy a database to ``to``, and the segments that it lists into the folder beside that.

    Of any version of ours. Segments that are there already are looked at, not copied again. Raises
    BadInput for a server, or a folder that is not there; StoreError where ``to`` exists, the disk
    is nearly full, or a segment is away or damaged. There is no file ``to`` then.
    """
    path, folder = _sources(url)
    if not to.parent.is_dir():
        raise BadInput(Problem(str(to), f"the folder {str(to.parent)!r} does not exist"))
    copied: list[Path] = []

    def take_segments(copy: Path) -> None:
        """Those of the copy, which has one moment: others may be sealed meanwhile."""
        for name, sha256 in _listed(copy):
            copied.append(_copy_segment(folder / name, beside(to) / name, sha256, disk))

    copy_file(path, to, disk, then=take_segments)
    return Backup(to, to.stat().st_size, len(copied))


def _sources(url: str) -> tuple[Path, Path]:
    """Return the database's file and its folder of segments."""
    engine = open_as_it_is(url)
    try:
        path = file_of(engine)
        if path is None:
            where = f"database {without_password(url)}"
            problem = Problem(where, "is a server's: its own programs copy it")
            raise BadInput(problem, remedy="call pg_dump, and copy the folder RIG_SEGMENTS")
        return path, segments_folder(engine)
    finally:
        engine.dispose()


def _listed(database: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as copy:
        return copy.execute(_SEGMENTS).fetchall()


def _copy_segment(source: Path, to: Path, sha256: str, disk: Disk) -> Path:
    """Copy a sealed file; the copy is what was sealed, or there is none."""
    if to.exists() and disk.sha256(to) == sha256:
        return to
    if not source.exists():
        raise StoreError(f"{source} is not there", remedy="look with: rig db check --deep")
    require_room(disk, to.parent, source.stat().st_size, f"a copy of {source}")
    disk.make_folder(to.parent)
    disk.write(to, lambda partial: shutil.copyfile(source, partial))
    if disk.sha256(to) != sha256:
        to.unlink()
        raise StoreError(f"{source} is damaged", remedy="look with: rig db check --deep")
    return to
