"""One answer to "did we lose anything": for each channel's present run, and for where data are kept.

Reads the store alone. A gap is time in which nobody looked at a cell; a missing sample is one that was
acknowledged and is not there. The first happens and is on record, the second must never be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, select

from rig.bench.delivery_state import DeliveryState, look_at
from rig.bench.run_facts import cursor_of
from rig.bench.status import ChannelStatus, Wall
from rig.core.records import RunState
from rig.store import queries, tables
from rig.store.address import is_server
from rig.store.database import translated
from rig.store.live import ALIVE
from rig.store.samples import extent

# Lines of the event log that say that something was not measured, or not stored at once.
_TELLING = (
    *("gap", "link lost", "link back", "store late", "store back"),
    *("clock step", "sensor silent", "sensor back"),
)
MOST_EVENTS = 50


@dataclass(frozen=True, slots=True)
class RunHealth:
    """``missing_samples`` were acknowledged and are not there; ``events`` are the newest, newest first."""

    channel: str
    run_id: str
    state: str
    samples: int
    missing_samples: int
    gaps: int
    links_lost: int
    engine_died: bool
    events: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class DataHealth:
    """``words`` is the answer; ``well`` says that nothing is lost and nothing waits too long."""

    well: bool
    words: str
    runs: tuple[RunHealth, ...]
    delivery: dict[str, Any] | None
    alarms: dict[str, int]

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self)


def data_health(engine: Engine, database: str, wall: Wall) -> DataHealth:
    """Return how the data of every channel's present run are, and of the way to a server.

    ``engine`` is where runs are written on this computer, or the database that is only looked at.
    """
    delivery = look_at(database) if is_server(database) else None
    marks = _forwarded(engine)
    here = _runs_in(engine)
    runs = tuple(
        _run_health(engine, status, marks)
        for status in wall.channels
        if status.run_id is not None and status.run_id in here
    )
    words = _words(runs, delivery)
    plain = None if delivery is None else delivery.plain()
    return DataHealth(not words, words or "nothing is lost", runs, plain, _alarms(wall))


def _run_health(engine: Engine, status: ChannelStatus, marks: dict[str, int]) -> RunHealth:
    run_id = str(status.run_id)
    stored = queries.load_cursor(engine, run_id)
    cursor = cursor_of(stored[0]) if stored else None
    acknowledged = 0 if cursor is None else cursor.progress.seq  # read first: it only grows
    there = max(extent(engine, run_id), marks.get(run_id, 0))
    events = _events(engine, run_id)
    kinds = [event["kind"] for event in events]
    return RunHealth(
        status.channel,
        run_id,
        status.state,
        there,
        max(0, acknowledged - there),
        kinds.count("gap"),
        kinds.count("link lost"),
        status.driven is False and RunState(status.state) in ALIVE,
        tuple(events[:MOST_EVENTS]),
    )


def _runs_in(engine: Engine) -> set[str]:
    """Return the runs that this database has: another rig's have their own."""
    with translated(engine), engine.connect() as connection:
        return set(connection.execute(select(tables.run.c.run_id)).scalars())


def _events(engine: Engine, run_id: str) -> list[dict[str, Any]]:
    table = tables.event
    statement = (
        select(table.c.ts_us, table.c.test_time_second, table.c.kind, table.c.message)
        .where(table.c.run_id == run_id, table.c.kind.in_(_TELLING))
        .order_by(table.c.event_id.desc())
    )
    with translated(engine), engine.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def _forwarded(engine: Engine) -> dict[str, int]:
    """Return how far a server has each run's samples, which a journal has no longer."""
    table = tables.forwarded
    with translated(engine), engine.connect() as connection:
        rows = connection.execute(select(table.c.run_id, table.c.seq_next))
        return {row.run_id: row.seq_next for row in rows}


def _words(runs: Sequence[RunHealth], delivery: DeliveryState | None) -> str:
    found = [
        f"{run.channel}: {run.missing_samples} acknowledged samples are not there"
        for run in runs
        if run.missing_samples
    ]
    found += [
        f"{run.channel}: its engine died, nobody looks at it" for run in runs if run.engine_died
    ]
    if delivery is not None:
        found += [f"the server has lost samples of run {run_id[:12]}" for run_id in delivery.gaps]
        if delivery.failure:
            found.append(f"the server is away; data wait on this computer: {delivery.failure}")
        elif delivery.is_late:
            found.append("the server has had nothing for more than a minute; data wait here")
    return "; ".join(found)


def _alarms(wall: Wall) -> dict[str, int]:
    """Return how many alarms stand, by severity."""
    standing = [alarm for channel in wall.channels for alarm in channel.alarms]
    counts: dict[str, int] = {}
    for alarm in (*standing, *wall.bench_alarms):
        counts[alarm["severity"]] = counts.get(alarm["severity"], 0) + 1
    return counts
