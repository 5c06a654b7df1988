"""The write path: what the engine keeps becomes durable in one transaction, or stays kept.

Samples, events, steps and the cursor they belong to are committed together, so a process that is
killed finds its cursor and its data in agreement, always. ``commit`` returns only after SQLite has
synced; until then nothing is acknowledged to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from rig.core.alarms import Alarm
from rig.core.clock import Clock
from rig.core.records import ENDED, SAMPLE_COLUMNS, RunState, SampleRow
from rig.store import tables
from rig.store.alarms import keep_alarm
from rig.store.database import translated
from rig.store.forwarder import forward

COMMIT_ROWS = 1_000
COMMIT_SECOND = 1.0
FORWARD_ROWS = 5_000

_INSERT_SPOOL = "INSERT INTO spool ({}) VALUES ({})".format(
    ", ".join(SAMPLE_COLUMNS), ", ".join("?" * len(SAMPLE_COLUMNS))
)


class Recorder:
    """Fulfils rig.core.records.Keeper on one database. Used by one thread.

    ``due`` tells the engine's loop when to commit: a second since the last commit, or 1,000
    rows. On a simulated clock, where a second is nothing, only the rows count.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        commit_second: float | None = COMMIT_SECOND,
        simulation: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self._engine, self._clock = engine, clock
        self._commit_second, self._simulation = commit_second, simulation
        self._samples: list[SampleRow] = []
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._cursors: dict[str, Callable[[], str]] = {}
        self._states: list[dict[str, Any]] = []
        self._answers: list[dict[str, Any]] = []
        self._alarms: list[Alarm] = []
        self._committed_second = clock.now()
        self._spooled = 0
        self._failed = False
        self._hurried = False
        self.samples_committed = 0
        self.commits = 0  # how many there were, so that one can be waited for
        self.sample = self._samples.append  # no call between the engine and the list

    def row(self, table: str, values: dict[str, object]) -> None:
        self._rows.setdefault(table, []).append(values)

    def cursor(self, run_id: str, text: Callable[[], str]) -> None:
        self._cursors[run_id] = text

    def state(self, run_id: str, state: RunState, wall_us: int, reason: str) -> None:
        values: dict[str, Any] = {"run_id": run_id, "state": state.value, "reason": reason}
        if state is RunState.STARTING:  # a run that is resumed began when it first began
            values["started_us"] = func.coalesce(tables.run.c.started_us, wall_us)
            values["ended_us"] = None
        if state in ENDED:
            values["ended_us"] = wall_us
        self._states.append(values)

    def protocol(self, run_id: str, values: Mapping[str, object]) -> None:
        self._states.append({"run_id": run_id, **values})

    def answer(self, order_id: int, outcome: str, words: str, wall_us: int) -> None:
        values = {"outcome": outcome, "answer": words, "answered_us": wall_us}
        self._answers.append({"journal_id": order_id, **values})

    def alarm(self, alarm: Alarm) -> None:
        self._alarms.append(alarm)

    def hurry(self) -> None:
        """Let the next look commit: somebody waits for what was just kept."""
        self._hurried = True

    @property
    def waiting_alarms(self) -> tuple[Alarm, ...]:
        """What was raised and is in no commit yet."""
        return tuple(self._alarms)

    @property
    def waiting_rows(self) -> int:
        """How many samples are kept and not committed yet."""
        return len(self._samples)

    def commit_if_due(self) -> bool:
        """Commit when it is time, enough rows have come or somebody waits for an answer; say whether.

        After a commit that failed the next try is when it is time again.
        """
        if not self.is_due:
            return False
        self.commit()
        return True

    @property
    def is_due(self) -> bool:
        """Say whether it is time for a commit."""
        if self._second_is_over():
            return True
        urgent = bool(self._answers) or self._hurried or len(self._samples) >= COMMIT_ROWS
        return urgent and not self._failed

    def _second_is_over(self) -> bool:
        if self._commit_second is None:
            return False
        return self._clock.now() - self._committed_second >= self._commit_second

    def commit(self) -> None:
        """Write all that was kept in one synced transaction.

        Raises StoreError with the database's reason; everything is still kept then.
        """
        self._committed_second, self._failed = self._clock.now(), self._commit_second is not None
        remedy = "make room or free the file; the run can be resumed from its last commit"
        with translated(self._engine, remedy), self._engine.begin() as connection:
            self._write(connection)
        self._failed = self._hurried = False
        self.commits += 1
        self._spooled += len(self._samples)
        self.samples_committed += len(self._samples)
        self._samples.clear()
        self._rows.clear()
        self._cursors.clear()
        self._states.clear()
        self._answers.clear()
        self._alarms.clear()
        if self._spooled >= FORWARD_ROWS:
            self._forward()

    def close(self) -> None:
        """Commit the rest and move it to its place."""
        self.commit()
        self._forward()

    def _forward(self) -> None:
        forward(self._engine)
        self._spooled = 0

    def _write(self, connection: Connection) -> None:
        if self._samples:
            self._write_samples(connection)
        for name, rows in self._rows.items():
            _write_rows(connection, tables.metadata.tables[name], rows)
        if self._cursors:
            self._write_cursors(connection)
        for values in self._states:
            where = tables.run.c.run_id == values["run_id"]
            connection.execute(update(tables.run).where(where).values(**values))
        for values in self._answers:
            where = tables.journal.c.journal_id == values["journal_id"]
            connection.execute(update(tables.journal).where(where).values(**values))
        for alarm in self._alarms:
            keep_alarm(connection, alarm)

    def _write_samples(self, connection: Connection) -> None:
        if connection.dialect.name == "sqlite":  # tuples straight to sqlite3.executemany
            connection.exec_driver_sql(_INSERT_SPOOL, self._samples)
            return
        rows = [dict(zip(SAMPLE_COLUMNS, row, strict=True)) for row in self._samples]
        connection.execute(insert(tables.spool), rows)

    def _write_cursors(self, connection: Connection) -> None:
        simulation = json.dumps(self._simulation()) if self._simulation else None
        rows = [
            {"run_id": run_id, "cursor": text(), "simulation": simulation}
            for run_id, text in self._cursors.items()
        ]
        _write_rows(connection, tables.cursor, rows)


def _write_rows(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; one that is there already is replaced (a spectrum is begun, then completed)."""
    if table is tables.event:
        connection.execute(insert(table), rows)
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = list(table.primary_key.columns)
    changed = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)
