"""Revising a run that no process has: put aside, stopped, tripped, failed, or left by a process that died.

What an engine does between two readings is done here between two of its lives. The channel is locked
meanwhile, so that nobody takes the run up with one text and the place of another.
"""

from __future__ import annotations

from sqlalchemy import Engine

from rig.bench.file import load_bench
from rig.bench.locks import Locks, has_engine, lock_channels
from rig.bench.run_facts import cursor_of
from rig.core.clock import RealClock
from rig.core.errors import RigError
from rig.core.records import RunState
from rig.engine.cursor import Cursor, to_json
from rig.engine.revising import joined, one_line, what_is_kept
from rig.engine.revision import Proposed, judged, revised
from rig.protocol.program import Program
from rig.store import queries
from rig.store.orders import Answer, answer, answer_to
from rig.store.queries import RunRecord
from rig.store.revisions import put_in_force_alone

# No engine has a run in one of these; whoever takes it up begins by another state.
_NOBODYS = frozenset({RunState.STOPPED, RunState.TRIPPED, RunState.FAILED})


def is_nobodys(run: RunRecord, database: str) -> bool:
    """Say whether there is no engine that could be asked."""
    return RunState(run.state) in _NOBODYS or not has_engine(run.channel, database)


def revise_alone(
    engine: Engine, database: str, run: RunRecord, old: Program, proposed: Proposed
) -> Answer:
    """Put a text in force for a run that nobody has, or answer why not; ``old`` is the one in force."""
    try:
        with _locked(run, database):
            return _revise(engine, run, old, proposed)
    except RigError as refusal:
        return _answered(engine, proposed, Answer("refused", one_line(refusal)))


def _locked(run: RunRecord, database: str) -> Locks:
    bench = load_bench(run.values["bench"]["file"])
    return lock_channels(bench, [bench.channels[run.channel]], database)


def _revise(engine: Engine, run: RunRecord, old: Program, proposed: Proposed) -> Answer:
    cursor = _cursor_now(engine, run)
    changes = judged(old, proposed, cursor, None)
    if not changes:
        return _answered(engine, proposed, Answer("done", "nothing changes for the run"))
    cursor, _ = revised(old, proposed.program, cursor, None)
    wall_us = RealClock().wall_us()
    kept = what_is_kept(run.run_id, proposed, cursor, changes, wall_us)
    when = {
        "run_id": run.run_id,
        "ts_us": wall_us,
        "test_time_second": cursor.progress.test_time_second,
    }
    words = f"protocol revision {cursor.place.revision} is in force when it is resumed"
    given = Answer("done", f"{words}: {joined(changes)}")
    done = put_in_force_alone(
        engine,
        proposed.order,
        kept.rows,
        protocol=kept.protocol,
        cursor=to_json(cursor),
        events=[when | {"kind": kind, "message": message} for kind, message in kept.notes],
        given=given,
        wall_us=wall_us,
    )
    return given if done else _answered(engine, proposed, given)


def _cursor_now(engine: Engine, run: RunRecord) -> Cursor:
    """Return where the run stands, now that it is locked; raises RigError where that has changed."""
    now = queries.find_run(engine, run.run_id)
    same = ("state", "protocol_sha256")
    if any(now.values[name] != run.values[name] for name in same):
        raise RigError("somebody has just had this run", remedy="look at the difference again")
    stored = queries.load_cursor(engine, run.run_id)
    cursor = cursor_of(stored[0]) if stored is not None else None
    if cursor is None:
        raise RigError("has no place in its protocol that this version can read")
    return cursor


def _answered(engine: Engine, proposed: Proposed, given: Answer) -> Answer:
    if answer(engine, proposed.order, given, RealClock().wall_us()):
        return given
    return answer_to(engine, proposed.order) or given
