"""Steps that are over when what they do is done: a spectrum, a resistance, a soak.

Pure as the fold that calls it: no clock, no port, no database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isnan

from rig.core.instruments import OpenCircuit, Regulation
from rig.engine.action import (
    Action,
    Apply,
    BeginSweep,
    Breach,
    Event,
    Purpose,
    Reading,
    SpectrumEnded,
)
from rig.engine.arming import LONGEST_SECOND
from rig.engine.counting import blind, kept
from rig.engine.cursor import Cursor
from rig.engine.soak import soak_begins, soak_goes_on
from rig.engine.spectrum import (
    is_repeated,
    objection_note,
    repetition,
    spectrum_begins,
    spectrum_goes_on,
)
from rig.engine.stepping import end_with, stopped_by_itself, trip
from rig.engine.timing import next_look, record_phase, worth_keeping
from rig.protocol.program import Program, Step, StepKind

SWEEP_LOOK_SECOND = 2.0  # how often a running spectrum is asked for its new points

# (program, cursor, its step, reading) -> where the run stands then, and what to do
Decision = Callable[[Program, Cursor, Step, Reading], tuple[Cursor, Action]]


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
        cursor, action = end_with(program, cursor, reading, "spectrum complete")
        return cursor, action._replace(events=(*events, *action.events))
    seen = not isnan(reading.voltage_volt)
    progress = kept(cursor.progress, reading) if seen else cursor.progress
    cursor = Cursor(repetition(place, now), blind(progress), cursor.soak)
    return cursor, Action(now, spectrum_begins(), seen, events)


def _soak(program: Program, cursor: Cursor, step: Step, reading: Reading) -> tuple[Cursor, Action]:
    """The chamber is on its way, the sample soaks: see rig/engine/soak.py for when it is over."""
    assert step.temperature is not None
    target = step.temperature
    if reading.regulation is Regulation.STOPPED:
        return stopped_by_itself(program, cursor, step, reading)
    if isnan(cursor.soak.granted_second) and reading.granted:
        cursor = cursor._replace(soak=soak_begins(reading.test_time_second))
    verdict = soak_goes_on(target, cursor.soak, reading)
    if verdict.failed:
        return trip(program, cursor, reading, Breach("soak-timeout", verdict.failed))
    cursor = cursor._replace(soak=verdict.soak)
    if verdict.done:
        return end_with(program, cursor, reading, verdict.done)  # after a probe nothing is seen
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
    return end_with(program, cursor, reading, "resistance read")


BY_ITSELF: Mapping[StepKind, Decision] = {
    StepKind.EIS: _spectrum,
    StepKind.RESISTANCE: _resistance,
    StepKind.SET_TEMPERATURE: _soak,
}
