"""The life of a run as one table: what the engine sees and what people ask for are both events of it.

An event that the table does not know changes nothing and raises. Where an event leads to the state
that it found, it has happened already: asking twice is asking once. The diagram in
docs/reference/run-states.md is drawn from this table, and a test compares the two.
"""

from __future__ import annotations

from enum import Enum

from rig.core.errors import RigError
from rig.core.records import RunState as S
from rig.engine.cursor import Halt


class Verb(Enum):
    """What a person, or a program in a person's name, may ask of a run."""

    START = "start"  # begin what is queued
    PAUSE = "pause"  # now: disconnect, and wait for a word
    PAUSE_AFTER_STEP = "pause after step"
    RESUME = "resume"  # go on with what remains of the step
    RESTART_STEP = "restart step"  # go on, with the step from its beginning
    SKIP = "skip"  # end this step here
    GO_TO = "go to"  # leave this step for another
    REVISE = "revise"  # go on by another text of the protocol
    STOP_AFTER_CYCLE = "stop after cycle"
    FINISH = "finish gracefully"  # after this cycle, or, outside of one, this step
    STOP = "stop"  # disconnect and end
    SAFE = "safe"  # disconnect by every instrument, whatever the run is doing, and end it
    ACKNOWLEDGE = "acknowledge"  # somebody has seen how it ended


# Events that no person asks for.
ARMED, FINISH, TRIP, FAIL = "armed", "finish", "trip", "fail"
PAUSED, STOPPED = "paused", "stopped"  # the cell is confirmed disconnected
SUSPEND, SETTLED = "suspend", "settled"  # its temperature is lost, and back
RECOVER = "recover"  # the process died: the database still says what the run last was

_ALIVE = (S.STARTING, S.RUNNING, S.SUSPENDED, S.PAUSING, S.STOPPING)
_OVER = (S.STOPPED, S.TRIPPED, S.FAILED, S.FINISHED)

TRANSITIONS: dict[tuple[S, str], S] = {
    (S.STARTING, ARMED): S.RUNNING,
    (S.RUNNING, FINISH): S.FINISHED,
    (S.RUNNING, SUSPEND): S.SUSPENDED,
    (S.SUSPENDED, SETTLED): S.RUNNING,
    (S.PAUSING, PAUSED): S.PAUSED,
    (S.STOPPING, STOPPED): S.STOPPED,
    **{(state, TRIP): S.TRIPPED for state in (S.RUNNING, S.SUSPENDED, S.PAUSING)},
    # One that never began fails, too: its instrument does not answer, or is somebody else's.
    **{(state, FAIL): S.FAILED for state in (S.QUEUED, *_ALIVE, S.PAUSED)},
    **{(state, RECOVER): S.STARTING for state in (S.QUEUED, *_ALIVE)},
    # --- what people ask for ---
    (S.QUEUED, "start"): S.STARTING,
    **{(state, "start"): state for state in (S.STARTING, S.RUNNING, S.SUSPENDED)},
    **{(state, "pause"): S.PAUSING for state in (S.STARTING, S.RUNNING, S.SUSPENDED, S.PAUSING)},
    (S.PAUSED, "pause"): S.PAUSED,
    **{
        (state, "pause after step"): state for state in (S.STARTING, S.RUNNING, S.PAUSING, S.PAUSED)
    },
    **{
        (state, verb): S.STARTING
        for state in (S.PAUSED, S.STOPPED, S.TRIPPED, S.FAILED)
        for verb in ("resume", "restart step")
    },
    **{(state, "resume"): state for state in (S.STARTING, S.RUNNING)},
    (S.RUNNING, "restart step"): S.RUNNING,
    **{(state, verb): state for state in (S.RUNNING, S.PAUSED) for verb in ("skip", "go to")},
    **{
        (state, verb): state
        for state in (S.RUNNING, S.SUSPENDED, S.PAUSED)
        for verb in ("revise", "stop after cycle", "finish gracefully")
    },
    # What can be taken up again can be changed before.
    **{(state, "revise"): state for state in (S.STOPPED, S.TRIPPED, S.FAILED)},
    **{(state, verb): S.STOPPING for state in _ALIVE for verb in ("stop", "safe")},
    **{(state, verb): S.STOPPED for state in (S.QUEUED, S.PAUSED) for verb in ("stop", "safe")},
    **{(state, verb): state for state in _OVER for verb in ("stop", "safe", "acknowledge")},
}

# How the fold's halt ends a run: what happens, and what is true once the cell is disconnected.
EVENTS_OF_HALT: dict[Halt, tuple[str, ...]] = {
    Halt.FINISHED: (FINISH,),
    Halt.PAUSED: (Verb.PAUSE.value, PAUSED),
    Halt.STOPPED: (Verb.STOP.value, STOPPED),
    Halt.TRIPPED: (TRIP,),
}


def after(state: S, event: str) -> S:
    """Return the state that follows; raises RigError and changes nothing for an illegal event."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise RigError(
            f"a run that is {state.value} cannot {event}",
            remedy=f"possible: {', '.join(legal_verbs(state)) or 'nothing'}",
        ) from None


def legal_verbs(state: S) -> list[str]:
    """Return what people may ask of a run in this state."""
    return [verb.value for verb in Verb if (state, verb.value) in TRANSITIONS]


def resumable(state: S) -> bool:
    """Say whether a run in this state may be taken up again, by a person or after a crash."""
    return S.STARTING in {TRANSITIONS.get((state, event)) for event in ("resume", RECOVER)}


def resuming_event(state: S) -> str:
    """Return the event by which such a run is taken up: it was put aside, or its process died."""
    return RECOVER if (state, RECOVER) in TRANSITIONS else Verb.RESUME.value
