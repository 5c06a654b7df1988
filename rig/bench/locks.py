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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from rig.bench.file import SIMULATED, BenchFile, ChannelSpec, InstrumentSpec
from rig.bench.wiring import port_of
from rig.core.errors import BadInput, Problem

_IN_MEMORY = (None, "", ":memory:")
_REMEDY = "nothing was switched on; wait for that run, or stop it"


class Locks:
    """What one process has of a bench, for whom: taken and given back as runs come and go.

    A channel is locked beside the SQLite file, a real instrument in this machine's folder for
    temporary files, whatever the database; what two of our channels share is locked once. Where
    there is no ``flock`` (Windows) nothing is locked: the system itself lets only one process open
    a serial port there. Not thread-safe and need not be: the engine's thread has it.
    """

    def __init__(self, bench: BenchFile, database: str) -> None:
        self._bench, self._database = bench, database
        self._held: dict[Path, _Held] = {}

    def take(self, holder: str, channels: Iterable[ChannelSpec]) -> None:
        """Keep every other process off these channels, and off their instruments.

        Raises BadInput with all that are busy, also by another holder's run on the same channel;
        none is kept for this one then.
        """
        self._take_all(holder, _wanted(self._bench, list(channels), self._database))

    def take_instrument(self, holder: str, name: str) -> None:
        """Keep every other process off one instrument, whoever's it is; raises BadInput likewise."""
        self._take_all(holder, _instruments_wanted(self._bench, [name]))

    def _take_all(self, holder: str, everything: Iterable[_Wanted]) -> None:
        problems = [
            Problem(wanted.where, f"{wanted.busy} ({_owner(wanted.path)})")
            for wanted in everything
            if not self._take(holder, wanted)
        ]
        if problems:
            self.give_back(holder)
            raise BadInput(problems, remedy=_REMEDY)

    def share(self, holder: str, instrument: str) -> None:
        """Let ``holder``, too, have an instrument that is held here; simulated ones need no lock."""
        held = self._held.get(_instrument_file(self._bench.instruments[instrument]))
        if held is not None:
            held.holders.add(holder)

    def admit(self, holder: str, guest: str) -> None:
        """Let ``guest``, too, have all that ``holder`` has: a run on a channel taken by hand."""
        for held in self._held.values():
            if holder in held.holders:
                held.holders.add(guest)

    def give_back(self, holder: str) -> None:
        """Give back what nobody else here holds."""
        for path, held in list(self._held.items()):
            held.holders.discard(holder)
            if not held.holders:
                del self._held[path]
                held.release()

    def close(self) -> None:
        """Give everything back."""
        while self._held:
            self._held.popitem()[1].release()

    def _take(self, holder: str, wanted: _Wanted) -> bool:
        held = self._held.get(wanted.path)
        if held is not None:
            if wanted.alone and holder not in held.holders:
                return False
            held.holders.add(holder)
            return True
        release = _lock(wanted.path)
        if release is None:
            return False
        self._held[wanted.path] = _Held(release, {holder})
        return True

    def __enter__(self) -> Locks:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@dataclass
class _Held:
    release: Callable[[], None]
    holders: set[str]


class _Wanted(NamedTuple):
    """A lock: whose it is, its file, what to say when somebody has it, and whether only one may."""

    where: str
    path: Path
    busy: str
    alone: bool = False


def lock_channels(bench: BenchFile, channels: Iterable[ChannelSpec], database: str) -> Locks:
    """Take the locks of these channels for one thing that has them all; see Locks."""
    locks = Locks(bench, database)
    locks.take("", channels)
    return locks


def has_engine(channel: str, database: str) -> bool:
    """Say whether a process runs this channel with this database now."""
    return _is_locked(_channel_file(channel, database))


def owner_of_channel(channel: str, database: str) -> str:
    """Return who runs this channel: ``process 4711 since 2026-11-27 13:05:12 UTC``."""
    path = _channel_file(channel, database)
    return "an unknown process" if path is None else _owner(path)


def lock_database(database: str) -> Callable[[], None]:
    """Be the one engine that takes new runs for this database; returns what gives that up.

    Raises BadInput with the owner's name where there is one, and for a database without a file.
    """
    path = _engine_file(database)
    where = f"database {database}"
    if path is None:
        message = "has no file beside which it could be said that an engine is at work"
        raise BadInput(Problem(where, message, example="sqlite:///rig.db"))
    release = _lock(path)
    if release is None:
        message = f"an engine takes its runs already ({_owner(path)})"
        raise BadInput(Problem(where, message), remedy="give it the run: rig start PROTOCOL")
    return release


def has_host(database: str) -> bool:
    """Say whether an engine is at work that takes new runs for this database."""
    return _is_locked(_engine_file(database))


def owner_of_database(database: str) -> str:
    """Return who takes new runs for this database: ``process 4711 since 2026-11-27 13:05:12 UTC``."""
    path = _engine_file(database)
    return "an unknown process" if path is None else _owner(path)


def _is_locked(path: Path | None) -> bool:
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


def _engine_file(database: str) -> Path | None:
    """No channel's file: a name that is quoted holds no @."""
    beside = _database_file(database)
    return None if beside is None else Path(f"{beside}.@engine.lock")


def _wanted(bench: BenchFile, channels: list[ChannelSpec], database: str) -> Iterable[_Wanted]:
    """Yield each lock that these channels need."""
    for channel in channels:
        path = _channel_file(channel.name, database)
        if path is not None:
            busy = "another process is running it with this database; use another --channel"
            yield _Wanted(f"channel {channel.name}, database {database}", path, busy, alone=True)
    names = {name for channel in channels for name in channel.instruments.values()}
    yield from _instruments_wanted(bench, sorted(names))


def _instruments_wanted(bench: BenchFile, names: Iterable[str]) -> Iterable[_Wanted]:
    for spec in (bench.instruments[name] for name in names):
        if spec.connect != SIMULATED:
            where = f"{spec.where} instrument {spec.name}"
            yield _Wanted(where, _instrument_file(spec), f"another process has {spec.connect} open")


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
