"""One process to a channel and to an instrument: locks that the operating system keeps.

A lock belongs to an open file, so it ends with its process, however that ends: none can be stale.
Knows files only; what a channel does, and whether its instrument answers, is not asked here.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from rig.bench.file import SIMULATED, BenchFile, ChannelSpec, InstrumentSpec
from rig.bench.wiring import port_of
from rig.core.errors import BadInput, Problem

_IN_MEMORY = (None, "", ":memory:")
_REMEDY = "nothing was switched on; wait for that run, or stop it"


def lock_channels(bench: BenchFile, channels: Iterable[ChannelSpec], database: str) -> ExitStack:
    """Keep every other process off these channels, and off their instruments, until it is closed.

    A channel is locked beside the SQLite file, a real instrument in this machine's folder for
    temporary files, whatever the database. Raises BadInput with all that are busy; none is kept
    then. Where there is no ``flock`` (Windows) nothing is locked: the system itself lets only one
    process open a serial port there.
    """
    problems: list[Problem] = []
    with ExitStack() as held:
        for where, path, busy in _wanted(bench, list(channels), database):
            release = _lock(path)
            if release is None:
                problems.append(Problem(where, f"{busy} ({_owner(path)})"))
            else:
                held.callback(release)
        if problems:
            raise BadInput(problems, remedy=_REMEDY)
        return held.pop_all()


def has_engine(channel: str, database: str) -> bool:
    """Say whether a process runs this channel with this database now."""
    path = _channel_file(channel, database)
    if path is None or not path.exists():
        return False
    release = _lock(path)
    if release is not None:
        release()
    return release is None


def _owner(path: Path) -> str:
    """Who has a lock: ``process 4711 since 2026-11-27 13:05:12 UTC``."""
    try:
        return path.read_text(encoding="utf-8").strip() or "an unknown process"
    except (OSError, ValueError):
        return "an unknown process"


def _signature() -> bytes:
    now = datetime.datetime.now(tz=datetime.UTC)
    return f"process {os.getpid()} since {now:%Y-%m-%d %H:%M:%S} UTC\n".encode()


def _channel_file(channel: str, database: str) -> Path | None:
    beside = _database_file(database)
    return None if beside is None else Path(f"{beside}.{quote(channel, safe='')}.lock")


def _wanted(
    bench: BenchFile, channels: list[ChannelSpec], database: str
) -> Iterable[tuple[str, Path, str]]:
    """Yield each lock: whose it is, its file, and what to say when somebody has it."""
    for channel in channels:
        path = _channel_file(channel.name, database)
        if path is not None:
            busy = "another process is running it with this database; use another --channel"
            yield f"channel {channel.name}, database {database}", path, busy
    names = {name for channel in channels for name in channel.instruments.values()}
    for spec in (bench.instruments[name] for name in sorted(names)):
        if spec.connect != SIMULATED:
            where = f"{spec.where} instrument {spec.name}"
            yield where, _instrument_file(spec), f"another process has {spec.connect} open"


def _database_file(database: str) -> Path | None:
    """Return the SQLite file, or None where there is none to put a lock beside.

    A URL or a folder that cannot be is refused by ``open_database``, which says why.
    """
    try:
        url = make_url(database)
    except ArgumentError:
        return None
    if url.get_backend_name() != "sqlite" or url.database in _IN_MEMORY:
        return None
    path = Path(str(url.database)).resolve()
    return path if path.parent.is_dir() else None


def _instrument_file(spec: InstrumentSpec) -> Path:
    """The channels of one tester are told apart by its options, and may be driven side by side."""
    options = json.dumps(spec.options, sort_keys=True) if spec.options else ""
    name = quote(f"{port_of(spec.connect)}{options}", safe="")
    return Path(tempfile.gettempdir()) / f"cellrig-{name}.lock"


if sys.platform == "win32":

    def _lock(path: Path) -> Callable[[], None] | None:
        del path
        return lambda: None

else:
    import fcntl

    def _lock(path: Path) -> Callable[[], None] | None:
        """Lock the file and return what gives it back, or None while another process has it."""
        while True:
            descriptor = _open(path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if _is_still(descriptor, path):
                _sign(descriptor)
                return lambda: _release(descriptor, path)
            os.close(descriptor)  # its owner removed it between our opening and our locking

    def _open(path: Path) -> int:
        try:
            try:
                return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            except PermissionError:  # another user's file in a shared folder can still be locked
                return os.open(path, os.O_RDONLY)
        except OSError as error:
            raise BadInput(Problem(f"lock {path}", f"cannot be made: {error.strerror}")) from error

    def _is_still(descriptor: int, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except FileNotFoundError:
            return False

    def _sign(descriptor: int) -> None:
        """Say who has it, for the message that another process gets; the lock holds without, too."""
        with suppress(OSError):  # another user's file can be locked, not written
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _signature())

    def _release(descriptor: int, path: Path) -> None:
        """Remove the file while it is still ours, then give the lock back."""
        with suppress(OSError):  # another user's file in a shared folder stays; the lock goes
            path.unlink()
        os.close(descriptor)
