"""The life of a run as one table; an event that the table does not know changes nothing and raises.

    queued ──start──▶ starting ──armed──▶ running ──finish──▶ finished
                          │                 │  ▲
                          │               pause resume
                          │                 ▼  │
                          └──fail──▶ failed  paused          stop ▶ stopped,  trip ▶ tripped

A run that was ``running`` when its process died is still ``running`` in the database and may be
resumed, from ``queued`` on; so may a paused, stopped, tripped or failed one, once a person has seen why.
"""

from __future__ import annotations

from rig.core.errors import RigError
from rig.core.records import RunState
from rig.engine.cursor import Halt

TRANSITIONS: dict[tuple[RunState, str], RunState] = {
    (RunState.QUEUED, "start"): RunState.STARTING,
    (RunState.STARTING, "armed"): RunState.RUNNING,
    (RunState.STARTING, "fail"): RunState.FAILED,
    (RunState.STARTING, "pause"): RunState.PAUSED,
    (RunState.RUNNING, "finish"): RunState.FINISHED,
    (RunState.RUNNING, "pause"): RunState.PAUSED,
    (RunState.RUNNING, "stop"): RunState.STOPPED,
    (RunState.RUNNING, "trip"): RunState.TRIPPED,
    (RunState.RUNNING, "fail"): RunState.FAILED,
    (RunState.PAUSED, "resume"): RunState.STARTING,
    (RunState.STOPPED, "resume"): RunState.STARTING,
    (RunState.TRIPPED, "resume"): RunState.STARTING,
    (RunState.FAILED, "resume"): RunState.STARTING,
    # the process died: the database still says what the run last was
    (RunState.QUEUED, "resume"): RunState.STARTING,  # before its first commit: it begins
    (RunState.RUNNING, "resume"): RunState.STARTING,
    (RunState.STARTING, "resume"): RunState.STARTING,
}

# How the fold's halt ends a run.
EVENT_OF_HALT: dict[Halt, str] = {
    Halt.FINISHED: "finish",
    Halt.PAUSED: "pause",
    Halt.STOPPED: "stop",
    Halt.TRIPPED: "trip",
}


def after(state: RunState, event: str) -> RunState:
    """Return the state that follows; raises RigError and changes nothing for an illegal event."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        legal = sorted(known for (before, known) in TRANSITIONS if before is state)
        raise RigError(
            f"a run that is {state.value} cannot {event}",
            remedy=f"possible: {', '.join(legal) or 'nothing, it is over'}",
        ) from None


def resumable(state: RunState) -> bool:
    """Say whether a run in this state may be taken up again."""
    return (state, "resume") in TRANSITIONS
