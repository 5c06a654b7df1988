"""What comes after a given sample of a run of this computer, wherever it is at the moment.

Of a file, in the file. Of a server, in this computer's journal or, once delivered, on the server: a row
is there before it is here no longer, so whoever looks here first and there afterwards misses none.
Reads and closes at once; writes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
from sqlalchemy import Engine, select, text

from rig.core.clock import Clock, RealClock
from rig.core.errors import StoreError
from rig.core.records import SAMPLE_COLUMNS
from rig.store import tables
from rig.store.address import is_server
from rig.store.arrow import as_batch, sample_schema
from rig.store.database import open_database, translated
from rig.store.journal import open_store
from rig.store.presence import own_rig_id
from rig.store.rows import AUX_TEXT, read_rows
from rig.store.samples import Window, samples

AGAIN_SECOND = 10.0  # a server that is away is asked no more often
# The spool is in order of arrival and has no other index: its newest rows are found at once, all of
# those that wait for a server that is away for days only by reading them.
RECENT_ROWS = 5_000

_RECENT = text(
    f"SELECT {', '.join(SAMPLE_COLUMNS[:-1])}, {AUX_TEXT} FROM spool "  # aux is the last
    "WHERE arrival > (SELECT max(arrival) FROM spool) - :recent "
    "AND run_id = :run_id AND seq BETWEEN :first AND :last ORDER BY seq"
)
# Committed with the samples: how many there are, without a look at them.
_ACKNOWLEDGED = text(
    "SELECT json_extract(cursor, '$.progress.seq') FROM cursor WHERE run_id = :run_id"
)
_EMPTY = sample_schema(SAMPLE_COLUMNS).empty_table()


@dataclass(frozen=True, slots=True)
class RigPlace:
    """The rig whose runs are made on this computer."""

    rig_id: str
    name: str


@dataclass(frozen=True, slots=True)
class RunPlace:
    """A run as far as a reader of its samples needs to know it; ``created_us`` is UTC microseconds."""

    run_id: str
    channel: str
    state: str
    created_us: int


@dataclass
class FreshSamples:
    """The samples of the runs of one database that are made on this computer.

    ``store`` is the database's file, or the journal of a server.
    """

    store: Engine
    open_server: Callable[[], Engine] | None = None
    clock: Clock = field(default_factory=RealClock)
    _server: Engine | None = None
    _server_due_second: float = 0.0

    def own_rig(self) -> RigPlace | None:
        """Return the rig, or None where no run was ever made."""
        rig = tables.rig
        with translated(self.store), self.store.connect() as connection:
            rig_id = own_rig_id(connection)
            if rig_id is None:
                return None
            named = select(rig.c.name).where(rig.c.rig_id == rig_id)
            return RigPlace(rig_id, str(connection.execute(named).scalar_one()))

    def runs(self, rig_id: str) -> list[RunPlace]:
        """Return the runs of a rig, oldest first; reads an index alone."""
        run = tables.run
        columns = (run.c.run_id, run.c.channel, run.c.state, run.c.created_us)
        statement = select(*columns).where(run.c.rig_id == rig_id).order_by(run.c.created_us)
        with translated(self.store), self.store.connect() as connection:
            return [RunPlace(*row) for row in connection.execute(statement)]

    def after(self, run_id: str, seq_next: int, most: int) -> pa.Table:
        """Return up to ``most`` samples from ``seq_next`` on, in order and without a gap.

        Empty where there is none yet. Raises StoreError where they are on a server that is away.
        """
        last = seq_next + most - 1
        if self.open_server is None:
            return without_gap(samples(self.store, run_id, window=Window(seq_next, last)), seq_next)
        near = self._recent(run_id, seq_next, last)
        if _first(near) == seq_next:
            return without_gap(near, seq_next)
        if self._acknowledged(run_id) <= seq_next:
            return _EMPTY
        near = read_rows(self.store, run_id, SAMPLE_COLUMNS, seq_next, last)
        if _first(near) == seq_next:
            return without_gap(near, seq_next)
        if near.num_rows == 0 and self._delivered(run_id) <= seq_next:
            return _EMPTY
        before = last if near.num_rows == 0 else _first(near) - 1
        far = samples(self._reach_server(), run_id, window=Window(seq_next, before))
        return without_gap(pa.concat_tables([far, near]), seq_next)

    def close(self) -> None:
        """Give every connection back."""
        self.store.dispose()
        self._let_server_go()

    def _recent(self, run_id: str, first: int, last: int) -> pa.Table:
        values = {"recent": RECENT_ROWS, "run_id": run_id, "first": first, "last": last}
        with translated(self.store), self.store.connect() as connection:
            rows = [tuple(row) for row in connection.execute(_RECENT, values)]
        schema = sample_schema(SAMPLE_COLUMNS)
        return pa.Table.from_batches([as_batch(rows, schema)], schema=schema)

    def _acknowledged(self, run_id: str) -> float:
        """Return how many samples a run has; infinite where it has no cursor that says so."""
        with translated(self.store), self.store.connect() as connection:
            found = connection.execute(_ACKNOWLEDGED, {"run_id": run_id}).scalar()
        return math.inf if found is None else int(found)

    def _delivered(self, run_id: str) -> int:
        """Return up to which number the server has this run's samples, and the journal none of them."""
        mark = tables.forwarded
        statement = select(mark.c.seq_next).where(mark.c.run_id == run_id)
        with translated(self.store), self.store.connect() as connection:
            return int(connection.execute(statement).scalar() or 0)

    def _reach_server(self) -> Engine:
        if self._server is None:
            if self.open_server is None or self.clock.now() < self._server_due_second:
                raise StoreError("the database server is away; its samples are published later")
            self._server_due_second = self.clock.now() + AGAIN_SECOND
            self._server = self.open_server()
        return self._server

    def _let_server_go(self) -> None:
        if self._server is not None:
            self._server.dispose()
            self._server = None


def open_fresh(database: str) -> FreshSamples:
    """Open what runs for this database are written to here.

    Raises BadInput where none was ever started on this computer. Asks no server yet.
    """
    store = open_store(database, create=False)
    opener = (lambda: open_database(database, create=False)) if is_server(database) else None
    return FreshSamples(store, opener)


def without_gap(table: pa.Table, seq_next: int) -> pa.Table:
    """Return the rows up to the first number that is missing, counted from ``seq_next``."""
    numbers = table.column("seq").to_numpy()
    for place, number in enumerate(numbers):
        if number != seq_next + place:
            return table.slice(0, place)
    return table


def _first(table: pa.Table) -> int:
    return int(table.column("seq")[0].as_py()) if table.num_rows else -1
