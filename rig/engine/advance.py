"""The engine as a fold: ``advance(program, cursor, reading) -> (cursor, action)``.

No clock, no port, no database: every decision about a cell is made here and can be replayed.
Safety comes before step logic, and after a halt nothing is ever commanded but safety.
"""

from __future__ import annotations

import math
from math import isnan

from rig.core.instruments import OpenCircuit, Regulation
from rig.engine.action import (
    Action,
    Apply,
    BeginSweep,
    Breach,
    Event,
    MakeSafe,
    Note,
    Purpose,
    Reading,
    SpectrumEnded,
    StepEnded,
)
from rig.engine.arming import LONGEST_SECOND, MARGIN_SECOND, command_of, longest_second
from rig.engine.conditions import ENDING_ITS_STEP, reached, soft_breach
from rig.engine.counting import blind, counted, kept
from rig.engine.cursor import Cursor, Halt, Place, Progress, Soak, Suspension, Watch
from rig.engine.leaving import left
from rig.engine.soak import soak_begins, soak_goes_on
from rig.engine.spectrum import (
    is_repeated,
    objection_note,
    repetition,
    spectrum_begins,
    spectrum_goes_on,
    still_a_repetition,
)
from rig.engine.suspend import LOOK_SECOND as SUSPENDED_LOOK_SECOND
from rig.engine.suspend import (
    Reason,
    reason_to_suspend,
    suspension_begins,
    suspension_goes_on,
)
from rig.engine.timing import before_the_end, next_look, record_phase, worth_keeping
from rig.engine.walk import find_step, leave_loop, step_results
from rig.engine.watch import look_again_second, watched
from rig.protocol.program import (
    End,
    Program,
    Step,
    StepKind,
    Target,
)

NAN = math.nan
SWEEP_LOOK_SECOND = 2.0  # how often a running spectrum is asked for its new points


def begin(program: Program) -> tuple[Cursor, Action]:
    """Return the cursor at the program's first step and the action that starts it."""
    return enter_step(program, Cursor(), ())


def resume(
    program: Program, cursor: Cursor, reason: str = "resumed", *, restart: bool = False
) -> tuple[Cursor, Action]:
    """Return the action that takes up a run again where its cursor stands.

    Charge that has passed cannot be undone, so a step *continues* with its remaining time and
    charge; it begins again when somebody wants it to, or the protocol says ``on_resume: restart``. A
    spectrum always
    begins again: half of one is none. What happened in the gap is unknown: no charge is counted
    across it.
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
    step = _step(program, cursor.place)
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
    step = _step(program, place)
    suspended = cursor.suspension.on
    conditioning = suspended or step.temperature is not None
    watch, broken = watched(
        program.safety, cursor.watch, progress, reading, conditioning=conditioning
    )
    if broken is not None:
        return _trip(program, cursor._replace(progress=progress), reading, broken)
    cursor = cursor._replace(watch=watch) if watch is not cursor.watch else cursor
    if suspended:
        return _suspended(program, cursor._replace(progress=progress), reading)
    reason = reason_to_suspend(program.suspend, place, step, reading)
    if reason is not None:
        return _suspend(cursor._replace(progress=progress), reading, reason)
    if step.drive is not None or step.kind is StepKind.REST:
        return _drive(program, cursor, progress, step, reading)
    return _BY_ITSELF[step.kind](program, cursor._replace(progress=progress), step, reading)


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
        return _pause_here(cursor._replace(progress=progress), reading, soft.words)
    if soft is not None:
        end = End("", "", 0.0, words=f"soft limit: {soft.words}")
    if end is not None:
        return _end_step(program, cursor._replace(progress=kept(progress, reading)), reading, end)
    if reading.regulation is Regulation.STOPPED:
        return _stopped_by_itself(program, cursor._replace(progress=progress), step, reading)
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


# --- steps ---------------------------------------------------------------------------------------


def _step(program: Program, place: Place) -> Step:
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
    step = _step(program, place)
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


def _end_step(
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
    step = _step(program, cursor.place)
    results = step_results(step, cursor.place.results, cursor.progress.step_capacity_ah)
    return cursor.place._replace(results=results)


def _trip(
    program: Program, cursor: Cursor, reading: Reading, broken: Breach
) -> tuple[Cursor, Action]:
    """A limit is broken: keep the reading that shows it, disconnect, and stay so."""
    why = broken.words
    cursor = cursor._replace(progress=kept(cursor.progress, reading))
    row = step_row(cursor, f"tripped: {why}")
    cursor = cursor._replace(halt=Halt.TRIPPED, reason=why)
    events = (row, Note("tripped", why), broken)
    return cursor, Action(reading.test_time_second, MakeSafe(why), record=True, events=events)


def _pause_here(cursor: Cursor, reading: Reading, why: str) -> tuple[Cursor, Action]:
    """Disconnect and wait for a person; what remains of the step is still to be done."""
    cursor = cursor._replace(
        progress=kept(cursor.progress, reading), halt=Halt.PAUSED, reason=f"soft limit: {why}"
    )
    note = Note("soft limit", why)
    return cursor, Action(reading.test_time_second, MakeSafe(why), record=True, events=(note,))


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
        return cursor, Action(now + SUSPENDED_LOOK_SECOND)
    stood = place.suspended_second + now - cursor.suspension.since_second
    cursor = cursor._replace(place=place._replace(suspended_second=stood))
    return resume(program, cursor, verdict.over)


def _stopped_by_itself(
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
    return _trip(program, cursor, reading, broken)


def _spectrum(
    program: Program, cursor: Cursor, step: Step, reading: Reading
) -> tuple[Cursor, Action]:
    """A spectrum and what frames it: see rig/engine/spectrum.py for the order of its parts."""
    now = reading.test_time_second
    turn = spectrum_goes_on(step, cursor.place.spectrum_part, reading)
    place = cursor.place._replace(spectrum_part=turn.part)
    if reading.objection:
        place = place._replace(spectrum_objection=reading.objection)
    if turn.done:
        return _spectrum_over(program, cursor, step, reading)
    if turn.command is None:
        return cursor._replace(place=place), Action(now + SWEEP_LOOK_SECOND)
    seen = not isnan(reading.voltage_volt)  # the open-circuit voltage before the spectrum
    progress = kept(cursor.progress, reading) if seen else cursor.progress
    # While the analyser drives the cell nobody counts charge.
    return Cursor(place, blind(progress), cursor.soak), Action(now, turn.command, seen)


def _spectrum_over(
    program: Program, cursor: Cursor, step: Step, reading: Reading
) -> tuple[Cursor, Action]:
    """The spectrum is whole: the step is over, or it begins again because something speaks against it."""
    place, now = cursor.place, reading.test_time_second
    ended = SpectrumEnded(reading.voltage_volt, place.spectrum_objection)
    told = objection_note(place, step.repeat_if_invalid)
    events: tuple[Event, ...] = (ended,) if told is None else (ended, told)
    if not is_repeated(place, step.repeat_if_invalid):
        cursor, action = _end_with(program, cursor, reading, "spectrum complete")
        return cursor, action._replace(events=(*events, *action.events))
    seen = not isnan(reading.voltage_volt)
    progress = kept(cursor.progress, reading) if seen else cursor.progress
    cursor = Cursor(repetition(place, now), blind(progress), cursor.soak)
    return cursor, Action(now, spectrum_begins(), seen, events)


def _end_with(
    program: Program, cursor: Cursor, reading: Reading, words: str
) -> tuple[Cursor, Action]:
    """End a step that ends by itself; keep the reading where the cell was measured."""
    seen = not isnan(reading.voltage_volt)
    if seen:
        cursor = cursor._replace(progress=kept(cursor.progress, reading))
    return _end_step(program, cursor, reading, End("", "", 0.0, words=words), record=seen)


def _soak(program: Program, cursor: Cursor, step: Step, reading: Reading) -> tuple[Cursor, Action]:
    """The chamber is on its way, the sample soaks: see rig/engine/soak.py for when it is over."""
    assert step.temperature is not None
    target = step.temperature
    if reading.regulation is Regulation.STOPPED:
        return _stopped_by_itself(program, cursor, step, reading)
    if isnan(cursor.soak.granted_second) and reading.granted:
        cursor = cursor._replace(soak=soak_begins(reading.test_time_second))
    verdict = soak_goes_on(target, cursor.soak, reading)
    if verdict.failed:
        return _trip(program, cursor, reading, Breach("soak-timeout", verdict.failed))
    cursor = cursor._replace(soak=verdict.soak)
    if verdict.done:
        return _end_with(program, cursor, reading, verdict.done)  # after a probe nothing is seen
    if verdict.probe is not None:
        cursor = cursor._replace(progress=blind(cursor.progress))
        command = BeginSweep(verdict.probe, Purpose.PROBE)
        return cursor, Action(reading.test_time_second, command)
    if cursor.soak.probing:
        return cursor, Action(reading.test_time_second + SWEEP_LOOK_SECOND)
    command_now = Apply(OpenCircuit(), LONGEST_SECOND) if verdict.probe_over else None
    phase = record_phase(step, reading.test_time_second - cursor.place.counted_from_second)
    record = not isnan(reading.voltage_volt) and worth_keeping(
        phase, cursor.place, cursor.progress, reading
    )
    if record:
        cursor = cursor._replace(progress=kept(cursor.progress, reading))
    due = next_look(program, step, phase, cursor.place, reading)
    return cursor, Action(reading.test_time_second if command_now else due, command_now, record)


def _resistance(
    program: Program, cursor: Cursor, _step: Step, reading: Reading
) -> tuple[Cursor, Action]:
    return _end_with(program, cursor, reading, "resistance read")


# Steps that are not over by an end of theirs, but when what they do is done.
_BY_ITSELF = {
    StepKind.EIS: _spectrum,
    StepKind.RESISTANCE: _resistance,
    StepKind.SET_TEMPERATURE: _soak,
}
