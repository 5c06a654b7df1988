"""How a step begins and how it ends: by its ends, by itself, by a limit, by a person's pause.

Pure as the fold that calls it: no clock, no port, no database.
"""

from __future__ import annotations

import math
from math import isnan

from rig.engine.action import Action, Breach, Event, MakeSafe, Note, Reading, StepEnded
from rig.engine.arming import MARGIN_SECOND, command_of, longest_second
from rig.engine.counting import kept
from rig.engine.cursor import Cursor, Halt, Place, Soak
from rig.engine.leaving import left
from rig.engine.walk import find_step, leave_loop, step_results
from rig.protocol.program import End, Program, Step, StepKind, Target

NAN = math.nan


def step_at(program: Program, place: Place) -> Step:
    """Return the step that the run stands at."""
    step = program.instructions[place.pc]
    assert isinstance(step, Step)
    return step


def enter_step(
    program: Program, cursor: Cursor, events: tuple[Event, ...]
) -> tuple[Cursor, Action]:
    """Find the next step from ``cursor.place.pc`` on, and start it, unless the run is to end here."""
    place, cycles = find_step(program, cursor.place, cursor.progress)
    now = cursor.progress.test_time_second
    events = (*events, *cycles)
    halt, place, reason = left(program, cursor.place, place, events)
    if halt is not Halt.NONE:
        cursor = cursor._replace(place=place, halt=halt, reason=reason)
        return cursor, Action(now, MakeSafe(reason), events=events)
    step = step_at(program, place)
    place = place._replace(
        step_count=place.step_count + 1,
        step_open=True,
        step_began_second=now,
        suspended_second=0.0,
        step_seq_first=cursor.progress.seq,
        applied_second=now,
        spectrum_count=place.spectrum_count + (step.kind is StepKind.EIS),
        spectrum_part=0,
        spectrum_objection="",
        spectrum_repeats=0,
        repeat_of=0,
        chamber_celsius=step.temperature.celsius if step.temperature else place.chamber_celsius,
    )
    progress = cursor.progress._replace(
        step_capacity_ah=0.0, step_energy_wh=0.0, recorded_second=NAN
    )
    cursor = Cursor(place, progress, Soak())
    return cursor, Action(now, command_of(step, place, now), events=events)


def end_step(
    program: Program, cursor: Cursor, reading: Reading, end: End, *, record: bool = True
) -> tuple[Cursor, Action]:
    """Close the step at this reading, which is its last point, and go where the end points."""
    ended = step_row(cursor, end.words)
    cursor = cursor._replace(place=with_results(program, cursor))
    if end.target in {Target.STOP, Target.PAUSE}:
        halt = Halt.STOPPED if end.target is Target.STOP else Halt.PAUSED
        place = cursor.place._replace(pc=cursor.place.pc + 1, step_open=False)
        cursor = cursor._replace(place=place, halt=halt, reason=end.words)
        return cursor, Action(reading.test_time_second, MakeSafe(end.words), record, (ended,))
    if end.target is Target.BREAK:
        place, cycles = leave_loop(program, cursor.place, cursor.progress)
        events: tuple[Event, ...] = (ended, *cycles)
    else:
        place, events = cursor.place._replace(pc=cursor.place.pc + 1), (ended,)
    cursor, action = enter_step(program, cursor._replace(place=place), events)
    return cursor, action._replace(record=record)


def end_with(
    program: Program, cursor: Cursor, reading: Reading, words: str
) -> tuple[Cursor, Action]:
    """End a step that ends by itself; keep the reading where the cell was measured."""
    seen = not isnan(reading.voltage_volt)
    if seen:
        cursor = cursor._replace(progress=kept(cursor.progress, reading))
    return end_step(program, cursor, reading, End("", "", 0.0, words=words), record=seen)


def step_row(cursor: Cursor, reason: str) -> StepEnded:
    place, progress = cursor.place, cursor.progress
    return StepEnded(
        place.step_count,
        place.pc,
        place.cycle_count if place.cycle_open else 0,
        place.step_began_second,
        progress.test_time_second,
        place.step_seq_first,
        progress.seq - 1,
        progress.step_capacity_ah,
        progress.step_energy_wh,
        reason,
    )


def with_results(program: Program, cursor: Cursor) -> Place:
    step = step_at(program, cursor.place)
    results = step_results(step, cursor.place.results, cursor.progress.step_capacity_ah)
    return cursor.place._replace(results=results)


def trip(
    program: Program, cursor: Cursor, reading: Reading, broken: Breach
) -> tuple[Cursor, Action]:
    """A limit is broken: keep the reading that shows it, disconnect, and stay so."""
    why = broken.words
    cursor = cursor._replace(progress=kept(cursor.progress, reading))
    row = step_row(cursor, f"tripped: {why}")
    cursor = cursor._replace(halt=Halt.TRIPPED, reason=why)
    events = (row, Note("tripped", why), broken)
    return cursor, Action(reading.test_time_second, MakeSafe(why), record=True, events=events)


def pause_here(cursor: Cursor, reading: Reading, why: str) -> tuple[Cursor, Action]:
    """Disconnect and wait for a person; what remains of the step is still to be done."""
    cursor = cursor._replace(
        progress=kept(cursor.progress, reading), halt=Halt.PAUSED, reason=f"soft limit: {why}"
    )
    note = Note("soft limit", why)
    return cursor, Action(reading.test_time_second, MakeSafe(why), record=True, events=(note,))


def stopped_by_itself(
    program: Program, cursor: Cursor, step: Step, reading: Reading
) -> tuple[Cursor, Action]:
    """The instrument ended the set point: arm it again if its dead-man ran out, else trip."""
    place, now = cursor.place, reading.test_time_second
    if (
        now - place.applied_second
        >= longest_second(step, place, place.applied_second) - MARGIN_SECOND
    ):
        cursor = cursor._replace(place=place._replace(applied_second=now))
        note = Note("rearmed", "the instrument's own time limit ran out; set point applied again")
        return cursor, Action(now, command_of(step, place, now), events=(note,))
    broken = Breach("set-point-ended", "the instrument ended the set point by itself")
    return trip(program, cursor, reading, broken)
