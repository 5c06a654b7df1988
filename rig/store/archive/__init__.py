"""A whole run as one file, and back: nothing is lost, nothing is changed, damage is refused."""

from rig.store.archive.content import ArchivedRun, Difference
from rig.store.archive.packing import archive_run, pack, read_run
from rig.store.archive.restoring import Restored, restore
from rig.store.archive.unpacking import unpack

__all__ = [
    "ArchivedRun",
    "Difference",
    "Restored",
    "archive_run",
    "pack",
    "read_run",
    "restore",
    "unpack",
]
