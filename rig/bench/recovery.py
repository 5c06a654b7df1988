"""After a crash or a power cut: which runs were alive, and are in nobody's hands now."""

from __future__ import annotations

from sqlalchemy import Engine

from rig.bench.locks import has_engine
from rig.core.errors import BadInput, Problem
from rig.core.records import RunState
from rig.engine.states import RECOVER, TRANSITIONS
from rig.store import queries


def died_runs(engine: Engine, database: str) -> list[queries.RunRecord]:
    """Return the runs whose process died, the newest of each channel."""
    newest: dict[str, queries.RunRecord] = {}
    for run in queries.list_runs(engine):
        newest.setdefault(run.channel, run)
    return [run for run in newest.values() if _died(run) and not has_engine(run.channel, database)]


def interrupted_runs(engine: Engine, database: str) -> list[queries.RunRecord]:
    """Return the runs whose process died, the newest of each channel.

    Raises BadInput where there is none, or where they ran on more than one bench file.
    """
    found = died_runs(engine, database)
    where = f"database {database}"
    if not found:
        raise BadInput(Problem(where, "holds no run that was interrupted"))
    files = sorted({run.values["bench"]["file"] for run in found})
    if len(files) > 1:
        message = f"the interrupted runs are of {len(files)} benches: {', '.join(files)}"
        raise BadInput(Problem(where, message), remedy="resume them one by one: rig runs list")
    return found


def _died(run: queries.RunRecord) -> bool:
    state = RunState(run.state)
    return state is not RunState.QUEUED and (state, RECOVER) in TRANSITIONS
