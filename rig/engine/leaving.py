"""How somebody wants a run to end, without breaking off what it does: after its cycle, or its step. Pure.

The wish is kept in the cursor, so that a run that was killed and taken up again still ends there.
``stop after cycle`` leaves the run ``stopped`` before its next cycle, where it can be resumed;
``finish gracefully`` ends it for good, ``finished``: after its cycle, or, outside of one, its step.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.core.errors import RigError
from rig.engine.action import CycleEnded, Event, StepEnded
from rig.engine.cursor import Halt, Place
from rig.engine.states import Verb
from rig.protocol.program import Program

STOP_AFTER_CYCLE, FINISH_AFTER_CYCLE = "stop after cycle", "finish after cycle"
FINISH_AFTER_STEP = "finish after step"
_AFTER_CYCLE = frozenset({STOP_AFTER_CYCLE, FINISH_AFTER_CYCLE})
_WORDS = {
    STOP_AFTER_CYCLE: "stops when this cycle has ended; it can be resumed",
    FINISH_AFTER_CYCLE: "finishes when this cycle has ended",
    FINISH_AFTER_STEP: "finishes when this step has ended",
}


def leaving(place: Place, verb: Verb, words: str) -> tuple[Place, str]:
    """Return the place of a run that is to end so, and what is answered; asking again changes nothing.

    Raises RigError for ``stop after cycle`` where no cycle is going on.
    """
    if verb is Verb.STOP_AFTER_CYCLE and not place.cycle_open:
        remedy = "finish gracefully ends it after this step, pause after step lets it wait then"
        raise RigError("no cycle is going on here", remedy=remedy)
    wish = STOP_AFTER_CYCLE
    if verb is Verb.FINISH:
        wish = FINISH_AFTER_CYCLE if place.cycle_open else FINISH_AFTER_STEP
    if place.leaving == wish:
        return place, f"already so: it {_WORDS[wish]}"
    return place._replace(leaving=wish, leaving_words=words), _WORDS[wish]


def staying(place: Place) -> Place:
    """Return the place of a run that goes on after all."""
    return place._replace(leaving="", leaving_words="")


def leaving_words(place: Place) -> str:
    """Say how a run is about to end; empty where it goes on to the end of its protocol."""
    return _WORDS.get(place.leaving, "")


def left(
    program: Program, before: Place, place: Place, events: Sequence[Event]
) -> tuple[Halt, Place, str]:
    """Say whether the run ends between two steps: its protocol is over, or somebody wanted it so.

    ``place`` is at the next step, ``before`` where the search for it began, ``events`` what ended.
    """
    at_rest = place._replace(step_open=False)
    if place.pc >= len(program.instructions):
        return Halt.FINISHED, at_rest, "protocol finished"
    if not _is_reached(before, events):
        return Halt.NONE, place, ""
    halt = Halt.STOPPED if before.leaving == STOP_AFTER_CYCLE else Halt.FINISHED
    return halt, staying(at_rest), before.leaving_words


def _is_reached(before: Place, events: Sequence[Event]) -> bool:
    if before.leaving in _AFTER_CYCLE:
        return any(isinstance(event, CycleEnded) for event in events)
    if before.leaving != FINISH_AFTER_STEP:
        return False
    # A step that begins again after an outage has not ended.
    ended = (event.step_id for event in events if isinstance(event, StepEnded))
    return before.pc not in ended
