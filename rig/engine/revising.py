"""A revision of the protocol is put in force: judged, carried out, kept and answered, in one turn.

What is kept (the text, from where on it holds, the cursor in it, the answer) is committed in one
transaction: whoever takes the run up after a kill finds the old text with a place in it, or the new.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rig.core.errors import RigError
from rig.engine.action import Action
from rig.engine.cursor import Cursor
from rig.engine.revision import Proposed, judged, revised
from rig.protocol.difference import Change
from rig.protocol.program import Program

if TYPE_CHECKING:
    from rig.engine.runner import Run

MOST_SAID = 8  # changes in an answer and in the event log


def put_in_force(run: Run, action: Action | None) -> Action | None:
    """Take what is proposed at a run's desk, or refuse it; return what is to be done now instead.

    Called between two readings with what the fold wants next, or with None while the run is paused.
    """
    proposed = run.desk.take_proposed()
    assert proposed is not None
    try:
        changes = judged(run.program, proposed, run.cursor, run.reading if action else None)
        if not changes:
            run.desk.tell(proposed.order, "done", _nothing_new(run.program, proposed))
            return action
        run.cursor, action = revised(run.program, proposed.program, run.cursor, action)
    except RigError as refusal:
        run.desk.tell(proposed.order, "refused", one_line(refusal))
        return action
    _follow(run, proposed.program)
    _keep(run, proposed, changes)
    words = f"protocol revision {run.cursor.place.revision} is in force"
    run.desk.tell(proposed.order, "done", f"{words}: {joined(changes)}")
    return action


def _nothing_new(program: Program, proposed: Proposed) -> str:
    same = program.sha256 == proposed.program.sha256
    return "already in force" if same else "nothing changes for the run: not put on record"


def _follow(run: Run, program: Program) -> None:
    run.program = run.desk.program = program
    run.hands.safety = program.safety
    run.log.follow(program)


def _keep(run: Run, proposed: Proposed, changes: Sequence[Change]) -> None:
    kept = what_is_kept(run.run_id, proposed, run.cursor, changes, run.clock.wall_us())
    for row in kept.rows:
        run.keeper.row("revision", row)
    run.keeper.protocol(run.run_id, kept.protocol)
    run.keeper.cursor(run.run_id, run.cursor_text)
    for kind, words in kept.notes:
        run.log.note(kind, words)


class Kept(NamedTuple):
    """What is written of a revision: ``rows`` of its table, columns of ``run``, lines of the event log."""

    rows: tuple[dict[str, object], ...]
    protocol: dict[str, object]
    notes: tuple[tuple[str, str], ...]


def what_is_kept(
    run_id: str, proposed: Proposed, cursor: Cursor, changes: Sequence[Change], wall_us: int
) -> Kept:
    """Return what is written of a text that is in force from ``cursor`` on.

    The first time that is also the row of the text that the run began with.
    """
    place, progress, program = cursor.place, cursor.progress, proposed.program
    row = {
        **proposed.row,
        "difference": [str(change) for change in changes],
        "number": place.revision,
        "applied_us": wall_us,
        "test_time_second": progress.test_time_second,
        "seq_first": progress.seq,
        "step_count": place.step_count,
    }
    text = {
        "protocol_name": program.name,
        "protocol_text": program.text,
        "protocol_sha256": program.sha256,
        "variables": dict(program.variables),
        "protocol_file": proposed.row["protocol_file"],
    }
    rows = ({"run_id": run_id, **proposed.first}, row) if place.revision == 2 else (row,)
    words = f"protocol revision {place.revision}: {joined(changes)}"
    return Kept(rows, text, (("order", proposed.order.words), ("revised", words)))


def joined(changes: Sequence[Change]) -> str:
    """Return a difference in one line: the first of many, the row of the revision has them all."""
    words = "; ".join(str(change) for change in changes[:MOST_SAID])
    more = len(changes) - MOST_SAID
    return f"{words}; and {more} more" if more > 0 else words


def one_line(refusal: RigError) -> str:
    """Return cause and remedy as the answer to an order."""
    cause = "; ".join(str(refusal).splitlines())
    return f"{cause}; {refusal.remedy}" if refusal.remedy else cause
