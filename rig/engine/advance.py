"""The engine as a fold: ``advance(program, cursor, reading) -> (cursor, action)``.

No clock, no port, no database: every decision about a cell is made here and can be replayed.
Safety comes before step logic, and after a halt nothing is ever commanded but safety.
"""

from __future__ import annotations

from math import isnan

from rig.core.instruments import Regulation
from rig.engine.action import Action, MakeSafe, Note, Reading
from rig.engine.arming import command_of
from rig.engine.by_itself import BY_ITSELF
from rig.engine.conditions import ENDING_ITS_STEP, reached, soft_breach
from rig.engine.counting import blind, counted, kept
from rig.engine.cursor import Cursor, Halt, Progress, Soak, Suspension, Watch
from rig.engine.spectrum import still_a_repetition
from rig.engine.stepping import (
    end_step,
    enter_step,
    pause_here,
    step_at,
    step_row,
    stopped_by_itself,
    trip,
)
from rig.engine.suspend import (
    LOOK_SECOND,
    Reason,
    reason_to_suspend,
    suspension_begins,
    suspension_goes_on,
)
from rig.engine.timing import before_the_end, next_look, record_phase, worth_keeping
from rig.engine.watch import look_again_second, watched
from rig.protocol.program import End, Program, Step, StepKind


def begin(program: Program) -> tuple[Cursor, Action]:
    """Return the cursor at the program's first step and the action that starts it."""
    return enter_step(program, Cursor(), ())


def resume(
    program: Program, cursor: Cursor, reason: str = "resumed", *, restart: bool = False
) -> tuple[Cursor, Action]:
    """Return the action that takes up a run again where its cursor stands.

    Charge that has passed cannot be undone, so a step *continues* with its remaining time and
    charge; it begins again when somebody wants it to, or the protocol says ``on_resume: restart``. A
    spectrum always begins again: half of one is none. What happened in the gap is unknown: no
    charge is counted across it.
    """
    cursor = cursor._replace(
        halt=Halt.NONE,
        reason="",
        progress=blind(cursor.progress),
        watch=Watch(),
        suspension=Suspension(),
    )
    if not cursor.place.step_open:  # it stopped between two steps
        return enter_step(program, cursor, (Note("resumed", f"{reason}; next step begins"),))
    step = step_at(program, cursor.place)
    if restart or step.restart_on_resume or step.kind is StepKind.EIS:
        # What was done of it stays under its own number; its points stay with a spectrum of
        # their own, incomplete.
        events = (
            step_row(cursor, f"{reason}: begun again"),
            Note("resumed", f"{reason}; step begins again"),
        )
        again, action = enter_step(program, cursor, events)
        if not restart:
            again = again._replace(place=still_a_repetition(again.place, cursor.place))
        return again, action
    now = cursor.progress.test_time_second
    cursor = cursor._replace(place=cursor.place._replace(applied_second=now), soak=Soak())
    note = Note("resumed", f"{reason}; step continues")
    command = command_of(step, cursor.place, now)
    return cursor, Action(now, command, events=(note,))


def advance(program: Program, cursor: Cursor, reading: Reading) -> tuple[Cursor, Action]:
    """Take one reading and return where the run stands now and what to do.

    Order: count charge, check safety, then the step's ends, then whether to keep the sample.
    """
    if cursor.halt is not Halt.NONE:
        return cursor, Action(reading.test_time_second, MakeSafe(cursor.reason))
    progress = counted(cursor.progress, reading)
    place = cursor.place
    step = step_at(program, place)
    suspended = cursor.suspension.on
    conditioning = suspended or step.temperature is not None
    watch, broken = watched(
        program.safety, cursor.watch, progress, reading, conditioning=conditioning
    )
    if broken is not None:
        return trip(program, cursor._replace(progress=progress), reading, broken)
    cursor = cursor._replace(watch=watch) if watch is not cursor.watch else cursor
    if suspended:
        return _suspended(program, cursor._replace(progress=progress), reading)
    reason = reason_to_suspend(program.suspend, place, step, reading)
    if reason is not None:
        return _suspend(cursor._replace(progress=progress), reading, reason)
    if step.drive is not None or step.kind is StepKind.REST:
        return _drive(program, cursor, progress, step, reading)
    return BY_ITSELF[step.kind](program, cursor._replace(progress=progress), step, reading)


def _drive(
    program: Program, cursor: Cursor, progress: Progress, step: Step, reading: Reading
) -> tuple[Cursor, Action]:
    """A step that drives the cell, or lets it rest: is it at its end, is the reading worth keeping?"""
    place = cursor.place
    end = reached(step, place.counted_from_second, progress, reading)
    soft = None
    if end is None and program.soft is not None:
        soft = soft_breach(program.soft, progress, reading)
    if soft is not None and soft.kind not in ENDING_ITS_STEP:
        return pause_here(cursor._replace(progress=progress), reading, soft.words)
    if soft is not None:
        end = End("", "", 0.0, words=f"soft limit: {soft.words}")
    if end is not None:
        return end_step(program, cursor._replace(progress=kept(progress, reading)), reading, end)
    if reading.regulation is Regulation.STOPPED:
        return stopped_by_itself(program, cursor._replace(progress=progress), step, reading)
    phase = record_phase(step, reading.test_time_second - place.counted_from_second)
    record = worth_keeping(phase, place, progress, reading)
    if record:
        progress = kept(progress, reading)
    due = before_the_end(
        step, cursor.progress, reading, next_look(program, step, phase, place, reading)
    )
    if cursor.watch.kind:
        due = look_again_second(program.safety, cursor.watch, due)
    return Cursor(place, progress, cursor.soak, watch=cursor.watch), Action(due, None, record)


def _suspend(cursor: Cursor, reading: Reading, reason: Reason) -> tuple[Cursor, Action]:
    """Disconnect, and keep the reading that says why, where the cell was seen."""
    now = reading.test_time_second
    seen = not isnan(reading.voltage_volt)
    progress = kept(cursor.progress, reading) if seen else cursor.progress
    suspension = suspension_begins(now, reason.cause)
    cursor = cursor._replace(progress=blind(progress), suspension=suspension)
    return cursor, Action(now, MakeSafe(reason.words), seen, (Note("suspended", reason.words),))


def _suspended(program: Program, cursor: Cursor, reading: Reading) -> tuple[Cursor, Action]:
    """Look at the air alone; go on with the step, whose time stood still, when it is back."""
    assert program.suspend is not None
    now, place = reading.test_time_second, cursor.place
    verdict = suspension_goes_on(program.suspend, cursor.suspension, place, reading)
    if verdict.failed:
        cursor = cursor._replace(halt=Halt.PAUSED, reason=verdict.failed)
        return cursor, Action(now, MakeSafe(verdict.failed))
    cursor = cursor._replace(suspension=verdict.suspension)
    if not verdict.over:
        return cursor, Action(now + LOOK_SECOND)
    stood = place.suspended_second + now - cursor.suspension.since_second
    cursor = cursor._replace(place=place._replace(suspended_second=stood))
    return resume(program, cursor, verdict.over)
