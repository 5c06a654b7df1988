"""Which rigs deliver to a database server, when each was heard of last, and how far its clock is off.

A journal's forwarder gives a sign of life each second, also when nothing waits: a rig without a run
and a rig whose cable is out look different then. All times are the server's own, because the clocks of
ten computers are ten clocks. Knows no run: what a rig does is in ``run``.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from rig.store import tables
from rig.store.database import translated
from rig.store.journal import recall

SIGN_SECOND = 1.0  # between two signs of life
SILENT_SECOND = 5.0  # so long without one, and somebody who watches is told

NowUs = Callable[[], int]

_SERVER_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
_HEARD = text(
    "UPDATE feed SET last_seen_us = :server_us, ended_us = NULL, clock_offset_second = :offset, "
    "clock_uncertainty_second = :uncertainty WHERE feed_id = :feed_id"
)
_WHO = text("UPDATE feed SET rig_id = :rig_id, hostname = :hostname WHERE feed_id = :feed_id")
_ENDED = text("UPDATE feed SET ended_us = last_seen_us WHERE feed_id = :feed_id")
OWN_RIG_KEY = "rig_id"  # in ``meta``, which stays where it is
# A database of version 1 does not say which is its own; files of cyclers (tables.IMPORTED_RIG)
# were never on a rig.
_OLDEST_RIG = (
    select(tables.rig.c.rig_id)
    .where(tables.rig.c.rig_id != tables.IMPORTED_RIG)
    .order_by(tables.rig.c.created_us)
    .limit(1)
)
_PRESENCES = text(
    "SELECT feed.rig_id, coalesce(rig.name, feed.hostname) AS rig, feed.hostname, "
    "feed.last_seen_us, feed.ended_us, feed.clock_offset_second, feed.clock_uncertainty_second, "
    "extract(epoch FROM clock_timestamp()) - feed.last_seen_us / 1e6 AS silent_second "
    "FROM feed LEFT JOIN rig ON rig.rig_id = feed.rig_id "
    "WHERE feed.last_seen_us IS NOT NULL ORDER BY 2, feed.feed_id"
)


@dataclass(frozen=True, slots=True)
class Presence:
    """One rig as the server knows it. ``last_seen_us`` is UTC microseconds by the server's clock.

    ``clock_offset_second`` is the rig's clock minus the server's, known to
    ``clock_uncertainty_second``: half the time that the question took. ``ended_us``: its engine has
    said good-bye then, so that silence means nothing. ``rig_id`` is None until its first run.
    """

    rig_id: str | None
    rig: str
    hostname: str
    last_seen_us: int
    silent_second: float
    ended_us: int | None = None
    clock_offset_second: float | None = None
    clock_uncertainty_second: float | None = None

    @property
    def is_silent(self) -> bool:
        """Say whether it ought to have been heard of, and was not."""
        return self.ended_us is None and self.silent_second > SILENT_SECOND

    @property
    def words(self) -> str:
        """What a page says of a silent rig; empty where there is nothing to say."""
        return f"no news from {self.rig} for {self.silent_second:.0f} s" if self.is_silent else ""

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self) | {"silent": self.is_silent, "news": self.words}


def rig_name() -> str:
    """Return what this computer's rig is called: RIG_NAME, else the computer's own name."""
    return os.environ.get("RIG_NAME") or platform.node() or "rig"


def own_rig_id(connection: Connection) -> str | None:
    """Return the rig whose runs are made here, or None where none was; archives bring in others."""
    known = recall(connection, OWN_RIG_KEY)
    return known or connection.execute(_OLDEST_RIG).scalar()


# --- on the server, in whoever's transaction -----------------------------------------------------


def note_heard(connection: Connection, feed_id: int, now_us: NowUs) -> None:
    """Note that a journal was heard of now, and how far its clock is off."""
    before_us = now_us()
    server_us = int(connection.execute(_SERVER_NOW).scalar_one())
    after_us = now_us()
    values = {
        "server_us": server_us,
        "offset": ((before_us + after_us) / 2 - server_us) / 1e6,
        "uncertainty": (after_us - before_us) / 2e6,
        "feed_id": feed_id,
    }
    connection.execute(_HEARD, values)


def note_rig(connection: Connection, feed_id: int, rig_id: str | None) -> None:
    """Note whose journal it is."""
    values = {"rig_id": rig_id, "hostname": platform.node(), "feed_id": feed_id}
    connection.execute(_WHO, values)


def note_end(connection: Connection, feed_id: int) -> None:
    """Note that nothing more comes, and that this is meant so."""
    connection.execute(_ENDED, {"feed_id": feed_id})


# --- reading -------------------------------------------------------------------------------------


def read_presences(engine: Engine) -> tuple[Presence, ...]:
    """Return the rigs that deliver to this database; none where it is no server's."""
    if engine.dialect.name != "postgresql":
        return ()
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(_PRESENCES).mappings()
        return tuple(
            Presence(**dict(row, silent_second=float(row["silent_second"]))) for row in rows
        )
