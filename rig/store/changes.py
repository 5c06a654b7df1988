"""Has anybody committed? A question to a file that costs microseconds, so that nobody reads it for nothing."""

from __future__ import annotations

import threading

from sqlalchemy import Connection, Engine

from rig.store.database import file_of, translated


class Changes:
    """Tells commits of others to an SQLite file, by its own counter (``PRAGMA data_version``).

    A server has no such counter: of it nothing is ever told, and whoever looks there looks at times of
    his own. Has a connection of its own, which reads nothing and keeps no log from being taken back.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._version: int | None = None
        self._can_tell = file_of(engine) is not None
        self._lock = threading.Lock()

    def seen(self) -> bool:
        """Say whether there was a commit since the last call; the first says yes. Raises StoreError."""
        with self._lock, translated(self._engine):
            if not self._can_tell:
                return False
            if self._connection is None:
                self._connection = self._engine.connect()
            cursor = self._connection.connection.cursor()
            try:
                version = int(cursor.execute("PRAGMA data_version").fetchone()[0])
            finally:
                cursor.close()
            changed, self._version = version != self._version, version
            return changed

    def close(self) -> None:
        """Give the connection back; from now on nothing is told."""
        with self._lock:
            self._can_tell = False
            if self._connection is not None:
                self._connection.close()
                self._connection = None
