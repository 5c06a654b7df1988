"""Leaving a step because a person says so: pure, as the fold is.

Charge that has passed stays counted, and what was done of the step is a row of its own. Nothing is
counted across the gap: the cell is disconnected while the order is carried out.
"""

from __future__ import annotations

from rig.core.errors import RigError
from rig.engine.action import Action, Event
from rig.engine.counting import blind
from rig.engine.cursor import Cursor, Halt
from rig.engine.leaving import staying
from rig.engine.stepping import enter_step, step_row
from rig.engine.walk import jump
from rig.protocol.program import Program, Step


def skip(program: Program, cursor: Cursor, words: str) -> tuple[Cursor, Action]:
    """End the step that is open, or leave out the one that would come next."""
    cursor, ended = _left(cursor, words)
    place = cursor.place._replace(pc=cursor.place.pc + 1)
    return enter_step(program, cursor._replace(place=place), ended)


def go_to(program: Program, cursor: Cursor, address: int, words: str) -> tuple[Cursor, Action]:
    """Leave this step for the one at ``address``, as ``rig check`` numbers them.

    Loops around both go on with their pass, those that are entered begin with the first; a cycle
    that is left is closed. Raises RigError where there is no step; nothing has changed then.
    """
    require_step(program, address)
    cursor, ended = _left(cursor, words)
    # Who wants the run elsewhere does not want it to end where it is.
    place, cycles = jump(program, staying(cursor.place), cursor.progress, address)
    return enter_step(program, cursor._replace(place=place), (*ended, *cycles))


def require_step(program: Program, address: int) -> None:
    """Raise RigError unless there is a step at ``address``, naming those there are."""
    steps = [n for n, found in enumerate(program.instructions) if isinstance(found, Step)]
    if address not in steps:
        known = ", ".join(map(str, steps))
        raise RigError(f"there is no step {address}; steps are: {known}", remedy="see: rig check")


def _left(cursor: Cursor, words: str) -> tuple[Cursor, tuple[Event, ...]]:
    cursor = cursor._replace(halt=Halt.NONE, reason="", progress=blind(cursor.progress))
    if not cursor.place.step_open:
        return cursor, ()
    # Half a charge is no result, and the cycle that it is part of tells nothing of the cell.
    return cursor._replace(place=cursor.place._replace(disturbed=True)), (step_row(cursor, words),)
