"""A copy of an SQLite database as it is at one moment, also while a run writes to it.

By SQLite's own backup: copying the file by hand misses what is in the write-ahead log. The copy is
looked through before it gets its name. Knows nothing of what is in the tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rig.core.errors import StoreError
from rig.store.disk import Disk, require_room


def copy_file(
    database: Path, to: Path, disk: Disk, then: Callable[[Path], None] = lambda copy: None
) -> None:
    """Copy a database to a new file; ``then`` is called with the copy before that has its name.

    Raises StoreError: ``to`` exists, the disk is nearly full, the copy is damaged. ``to`` is there
    whole or not at all.
    """
    if to.exists():
        raise StoreError(f"{to} exists already", remedy="give a new name; nothing was written over")
    require_room(disk, to.parent, _size(database), f"a copy of {database}")

    def content(partial: Path) -> None:
        _copy(database, partial)
        then(partial)

    try:
        disk.write(to, content)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{database} could not be copied to {to}: {error}") from error


def problems_in(database: Path, check: str = "integrity_check") -> list[str]:
    """Return what SQLite finds wrong in the file; nothing where it is sound.

    ``quick_check`` does not compare indexes with their tables.
    """
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as found:
        try:
            rows = [str(row[0]) for row in found.execute(f"PRAGMA {check}(5)")]
        except sqlite3.Error as error:
            return [str(error)]
    return [] if rows == ["ok"] else rows


def _size(database: Path) -> int:
    log = database.with_name(database.name + "-wal")
    return sum(file.stat().st_size for file in (database, log) if file.exists())


def _copy(database: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        # In one go: piece by piece it would begin anew whenever a run commits. Nobody waits for it
        # meanwhile, only the write-ahead log grows.
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file alone, to be carried about
    problems = problems_in(to, "quick_check")
    if problems:
        raise sqlite3.DatabaseError(f"the copy is damaged: {problems[0]}")
