"""Where the data of a database stand: on its server, in the journal of this computer, and how late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, select

from rig.bench.locks import has_engine
from rig.core.errors import BadInput, RigError
from rig.core.records import RunState
from rig.engine.states import RECOVER, TRANSITIONS
from rig.store import queries, tables
from rig.store.address import is_server, without_password
from rig.store.database import open_database
from rig.store.journal import journal_file, journal_url, open_store
from rig.store.waiting import Waiting, forwarded_marks, last_failure, waiting_in

LATE_SECOND = 60.0


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """``failure`` says why the database cannot be read now; ``gaps`` are runs of which the server
    has lost samples that it had confirmed: an older backup was restored there.
    """

    database: str  # without password
    runs: int
    failure: str = ""
    refused: bool = False  # it is there, and of another version
    journal: str = ""  # its file; empty for a database without one
    waiting: Waiting | None = None
    runs_alive: int = 0
    gaps: tuple[str, ...] = ()
    delivery_failure: str = ""  # why the last delivery failed, where none has succeeded since

    @property
    def is_late(self) -> bool:
        """A run goes on here, and the server has had nothing of it for more than a minute."""
        behind = self.waiting.behind_second if self.waiting is not None else 0.0
        return self.runs_alive > 0 and behind > LATE_SECOND

    @property
    def is_well(self) -> bool:
        return not self.failure and not self.is_late and not self.gaps

    def plain(self) -> dict[str, Any]:
        """Return what ``rig db check --json`` prints."""
        waiting = self.waiting or Waiting(0, 0, 0.0)
        return {
            "database": self.database,
            "reached": not self.failure or self.refused,
            "failure": self.failure,
            "runs": self.runs,
            "journal": self.journal or None,
            "waiting_samples": waiting.samples,
            "waiting_rows": waiting.rows,
            "behind_second": waiting.behind_second,
            "delivery_failure": self.delivery_failure,
            "runs_alive": self.runs_alive,
            "runs_with_lost_samples": list(self.gaps),
            "well": self.is_well,
        }


def look_at(database: str) -> DeliveryState:
    """Look at a database, and at its journal where it is a server; changes nothing.

    Raises BadInput for a file that is no database.
    """
    if not is_server(database):
        engine = open_database(database, create=False)
        try:
            return DeliveryState(database, len(queries.list_runs(engine)))
        finally:
            engine.dispose()
    if not journal_file(database).exists():
        return _server_state(database, {})
    journal = open_store(database, create=False)
    try:
        state = _server_state(database, forwarded_marks(journal))
        return _with_journal(state, database, journal)
    finally:
        journal.dispose()


def _server_state(database: str, confirmed: dict[str, int]) -> DeliveryState:
    shown = without_password(database)
    try:
        server = open_database(database, create=False)
    except BadInput as refusal:
        return DeliveryState(shown, 0, f"{refusal}; {refusal.remedy}", refused=True)
    except RigError as failure:
        return DeliveryState(shown, 0, failure=str(failure))
    try:
        runs = len(queries.list_runs(server))
        return DeliveryState(shown, runs, gaps=_gaps(server, confirmed))
    except RigError as failure:
        return DeliveryState(shown, 0, failure=str(failure))
    finally:
        server.dispose()


def _gaps(server: Engine, confirmed: dict[str, int]) -> tuple[str, ...]:
    """Return the runs that the server has less of than it has said."""
    mark = tables.ingest_cursor
    with server.connect() as connection:
        rows = connection.execute(select(mark.c.run_id, mark.c.seq_next))
        there = {row.run_id: row.seq_next for row in rows}
    return tuple(run_id for run_id, seq in confirmed.items() if there.get(run_id, 0) < seq)


def _with_journal(state: DeliveryState, database: str, journal: Engine) -> DeliveryState:
    store = journal_url(database)
    alive = [run for run in queries.list_runs(journal) if _is_alive(run, store)]
    return replace(
        state,
        journal=str(journal_file(database)),
        waiting=waiting_in(journal),
        runs_alive=len(alive),
        delivery_failure=last_failure(journal),
    )


def _is_alive(run: queries.RunRecord, store: str) -> bool:
    state = RunState(run.state)
    running = state in {RunState.PAUSED, RunState.QUEUED} or (state, RECOVER) in TRANSITIONS
    return running and has_engine(run.channel, store)
