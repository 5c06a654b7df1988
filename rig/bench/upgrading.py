"""Upgrading a database that nobody is running cells on."""

from __future__ import annotations

from sqlalchemy import Engine, text

from rig.bench.locks import has_engine
from rig.core.errors import BadInput, Problem
from rig.store.address import without_password
from rig.store.database import open_as_it_is, translated
from rig.store.journal import journal_url, nearest_url
from rig.store.upgrading import Announce, Upgrade, upgrade_all

_CHANNELS = text("SELECT DISTINCT channel FROM run ORDER BY channel")  # any version has these


def upgrade_database(database: str, announce: Announce) -> list[Upgrade]:
    """Upgrade a database, and the journal of this computer where it is a server.

    Raises BadInput while a process of this computer runs cells with it, and like ``upgrade_all``.
    """
    engine = open_as_it_is(nearest_url(database))
    try:
        _require_idle(engine, database)
    finally:
        engine.dispose()
    return upgrade_all(database, announce)


def _require_idle(engine: Engine, database: str) -> None:
    with translated(engine), engine.connect() as connection:
        channels = [row.channel for row in connection.execute(_CHANNELS)]
    busy = [channel for channel in channels if has_engine(channel, journal_url(database))]
    if busy:
        where = f"database {without_password(database)}"
        problem = Problem(where, f"a process runs cells with it now: channel {', '.join(busy)}")
        raise BadInput(problem, remedy="upgrade it when they have ended, or after rig stop")
