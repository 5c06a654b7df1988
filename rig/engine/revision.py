"""A run goes on by another text of its protocol: where it stands then, and what is to be done at once.

Pure, like the fold, and called between two of its readings: nothing is on a wire then, the cell need
not be disconnected, and no charge goes uncounted. What is asked for is judged here, by the limits
that are in force at that moment; who asked has seen a difference that may be a minute old.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rig.core.errors import RigError
from rig.core.orders import Order
from rig.engine.action import Action, Reading, SetTemperature
from rig.engine.arming import command_of
from rig.engine.carrying import carried
from rig.engine.conditions import breach
from rig.engine.cursor import Cursor, Soak
from rig.protocol.difference import Change, Effect, difference
from rig.protocol.program import Program, Step, StepKind

WIDER_REMEDY = (
    "an admin may: sign in as one (rig users add NAME --role admin makes one), or, in a shell of this "
    "computer, rig revise --widen"
)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A text of the protocol that somebody wants to be in force; compiled and checked.

    ``program.safety`` is what is in force with it, bench and cell included. ``row`` is what is kept of
    the proposal, ``first`` what is kept of the text that the run began with, both for the table
    ``revision``. ``instead_of`` is the digest of the text that it was written for.
    """

    order: Order
    program: Program
    row: Mapping[str, object]
    first: Mapping[str, object]
    may_widen: bool = False
    instead_of: str = ""


def judged(
    old: Program, proposed: Proposed, cursor: Cursor, reading: Reading | None
) -> tuple[Change, ...]:
    """Return what a proposal changes. Raises RigError for what its asker may not, or nobody should.

    ``reading`` is the newest of a cell that is connected: limits that it breaks would end the run.
    """
    changes = difference(old, proposed.program)
    if proposed.instead_of and proposed.instead_of != old.sha256:
        message = "the protocol was revised since this one was written"
        raise RigError(message, remedy="look at the text that is in force now, and change that")
    wider = [str(change) for change in changes if change.effect is Effect.WIDER]
    if wider and not proposed.may_widen:
        message = f"widens what protects the cell: {'; '.join(wider)}"
        raise RigError(message, remedy=WIDER_REMEDY)
    if reading is not None:
        _require_within(old, proposed.program, cursor, reading)
    return changes


def _require_within(old: Program, new: Program, cursor: Cursor, reading: Reading) -> None:
    broken = breach(new.safety, cursor.progress, reading)
    if broken is not None and breach(old.safety, cursor.progress, reading) is None:
        message = f"the run would trip at once: {broken.words}"
        raise RigError(message, remedy="bring the cell there first, or stop the run")


def revised(
    old: Program, new: Program, cursor: Cursor, action: Action | None
) -> tuple[Cursor, Action | None]:
    """Return the cursor in the new program, and ``action``, or another where the set point changed.

    ``action`` is what the fold wants next; None while the run is paused, when nothing is to be done.
    Raises RigError where the place, or what is going on, cannot be carried over; nothing has changed.
    """
    place = carried(old, new, cursor.place)._replace(revision=cursor.place.revision + 1)
    moved = cursor._replace(place=place)
    if not place.step_open:
        return moved, action
    before, step = old.instructions[cursor.place.pc], new.instructions[place.pc]
    assert isinstance(before, Step)
    assert isinstance(step, Step)
    if before.temperature is not None:
        return _soak(before, step, moved, action)
    if before.kind in (StepKind.EIS, StepKind.RESISTANCE):
        _require_same_spectrum(before, step, action)
        return moved, action
    if action is None or moved.suspension.on:
        return moved, action
    is_armed = _armed_with(old, before) == _armed_with(new, step)
    return (moved, action) if is_armed and action.command is None else _armed_again(moved, step)


def _armed_with(program: Program, step: Step) -> tuple[object, ...]:
    times = [end.value for end in step.ends if end.quantity == "time"]
    return step.drive, min(times, default=None), program.safety


def _armed_again(cursor: Cursor, step: Step) -> tuple[Cursor, Action]:
    """Give the instrument set point, limits and time anew, as from one step to the next."""
    now = cursor.progress.test_time_second
    place = cursor.place._replace(applied_second=now)
    return cursor._replace(place=place), Action(now, command_of(step, place, now))


def _soak(
    before: Step, step: Step, cursor: Cursor, action: Action | None
) -> tuple[Cursor, Action | None]:
    """On its way to another temperature the soak begins again; else it goes on by the new rules."""
    assert before.temperature is not None
    assert step.temperature is not None
    if before.temperature == step.temperature:
        return cursor, action
    if cursor.soak.probing and action is not None:
        raise RigError(
            "the sample's impedance is being read just now", remedy="ask again in a minute"
        )
    if before.temperature.celsius == step.temperature.celsius:
        return cursor, action
    place = cursor.place._replace(chamber_celsius=step.temperature.celsius)
    cursor = cursor._replace(place=place, soak=Soak())
    if action is None or cursor.suspension.on:
        return cursor, action
    now = cursor.progress.test_time_second
    return cursor, Action(now, SetTemperature(step.temperature.celsius))


def _require_same_spectrum(before: Step, step: Step, action: Action | None) -> None:
    """A spectrum is of one sweep; one that is paused begins again anyway."""
    if action is not None and (before.sweep, before.repeat) != (step.sweep, step.repeat):
        message = f"a spectrum is being measured ({before.words}) and cannot become another now"
        raise RigError(message, remedy="ask again when it is complete, or pause the run first")
