"""A power cut, as far as SQLite's files can tell: what the disk may hold at some moment of a run.

In a commit with ``synchronous=FULL`` SQLite writes pages to the end of the log, syncs, and only
then says in the wal-index (shared memory, gone with the power) how far the log is valid. So
whatever stands behind that mark may or may not have reached the disk, sector by sector; what
stands before it has. The wal-index is read as SQLite's file format describes it.
"""

from __future__ import annotations

import random
import shutil
import struct
from enum import StrEnum
from pathlib import Path

LOG_HEADER, FRAME_HEADER, SECTOR = 32, 24, 512
_PAGE_SIZE, _VALID_FRAMES, _SECOND_COPY = 14, 16, 48


class Tail(StrEnum):
    """What becomes of the bytes that no sync has confirmed."""

    WRITTEN = "as it was"
    LOST = "lost in part"
    TORN = "torn by sectors"


def copy_after_power_cut(database: Path, copy: Path, tail: Tail, chance: random.Random) -> int:
    """Copy the database of a stopped process; return how many unconfirmed bytes its log had."""
    shutil.copyfile(database, copy)
    log = Path(f"{database}-wal")
    if not log.exists():
        return 0
    data = log.read_bytes()
    synced = min(_synced_bytes(Path(f"{database}-shm")), len(data))
    Path(f"{copy}-wal").write_bytes(data[:synced] + _what_is_left(data[synced:], tail, chance))
    return len(data) - synced


def _synced_bytes(index: Path) -> int:
    """Return how much of the log is valid by both copies of the wal-index header."""
    data = index.read_bytes()
    valid: list[int] = []
    for copy in (0, _SECOND_COPY):
        (page,) = struct.unpack_from("=H", data, copy + _PAGE_SIZE)
        (frames,) = struct.unpack_from("=I", data, copy + _VALID_FRAMES)
        valid.append(LOG_HEADER + frames * (FRAME_HEADER + page))
    return min(valid)


def _what_is_left(data: bytes, tail: Tail, chance: random.Random) -> bytes:
    if tail is Tail.WRITTEN:
        return data
    if tail is Tail.LOST:
        return data[: chance.randint(0, len(data))]
    sectors = (data[start : start + SECTOR] for start in range(0, len(data), SECTOR))
    return b"".join(s if chance.random() < 0.5 else bytes(len(s)) for s in sectors)
