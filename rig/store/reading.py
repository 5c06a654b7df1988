"""Opening a database to read: with every sample in its place, as far as this computer can see to it."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Engine

from rig.core.clock import RealClock
from rig.core.errors import StoreError
from rig.store.address import is_server
from rig.store.database import open_database
from rig.store.forwarder import forward
from rig.store.journal import journal_file, open_store

BRING_SECOND = 10.0  # so long a command that reads brings over first what waits on this computer

_REAL = RealClock()


def open_to_read(database: str) -> Engine:
    """Open a database that is there; raises BadInput where none is, StoreError for a server away.

    The newest second of a run that is recorded on another computer may still be in its journal.
    """
    engine = open_database(database, create=False)
    try:
        if is_server(database):
            _bring(database, engine)
        else:
            forward(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _bring(database: str, server: Engine) -> None:
    """Deliver what waits on this computer; who may only read, reads what is there."""
    from rig.store.delivery import deliver  # noqa: PLC0415 - it loads psycopg

    if not journal_file(database).exists():
        return
    journal = open_store(database, create=False)
    deadline = _REAL.now() + BRING_SECOND
    try:
        with suppress(StoreError):
            deliver(journal, server, lambda: _REAL.now() < deadline)
    finally:
        journal.dispose()
