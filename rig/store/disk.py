"""Files that are there whole and for good, or not at all: written aside, synced, then given their name.

Every step is a method, so that a test can let the first, the second, ... one fail. Knows bytes and
paths; what is in a file is somebody else's business.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from rig.core.errors import StoreError

PARTIAL = ".partial"
RESERVE_BYTES = 100_000_000  # left free for the runs that go on


class Disk:
    """The computer's own."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder and its parents, each known to the one above when the power goes."""
        missing = [one for one in (folder, *folder.parents) if not one.is_dir()]
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
            self.sync(one.parent)

    def write(self, path: Path, content: Callable[[Path], object]) -> None:
        """Let ``content`` write the file under a temporary name, and put it in its place, synced.

        Whatever goes wrong on the way, ``path`` is as it was, and the temporary file is gone.
        """
        partial = path.with_name(path.name + PARTIAL)
        try:
            content(partial)
            self.sync(partial)
            self.rename(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        self.sync(path.parent)

    def sync(self, path: Path) -> None:
        """Return when a file's bytes, or the names in a folder, are on the disk."""
        if path.is_dir() and os.name == "nt":
            return  # Windows opens no folders, and needs none of this
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, path: Path, to: Path) -> None:
        path.replace(to)

    def free_bytes(self, folder: Path) -> int:
        """How much more fits on the disk of the nearest folder that is there."""
        there = next(one for one in (folder, *folder.parents) if one.is_dir())
        return shutil.disk_usage(there).free

    def sha256(self, path: Path) -> str:
        """The digest of a file as it is on the disk."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def require_room(disk: Disk, folder: Path, needed_bytes: int, what: str) -> None:
    """Refuse in time what would fill the disk: ``needed_bytes``, and a reserve for the runs.

    Raises StoreError.
    """
    free = disk.free_bytes(folder)
    if free < needed_bytes + RESERVE_BYTES:
        raise StoreError(
            f"{what}: {free / 1e6:.0f} MB are free in {folder}, it needs about "
            f"{needed_bytes / 1e6:.0f} MB and {RESERVE_BYTES / 1e6:.0f} MB are kept for running cells",
            remedy="make room there first; nothing was changed",
        )
