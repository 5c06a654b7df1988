"""The engine as a fold: ``advance(program, cursor, reading) -> (cursor, action)``.

No clock, no port, no database: every decision about a cell is made here and can be replayed.
Safety comes before step logic, and after a halt nothing is ever commanded but safety.
"""

from __future__ import annotations

import math
from math import floor, isnan

from rig.core.instruments import ConstantCurrent, ConstantVoltage, Flag, OpenCircuit, Regulation
from rig.engine.action import (
    Action,
    Apply,
    BeginSweep,
    Command,
    Event,
    MakeSafe,
    Note,
    Purpose,
    Reading,
    ReadResistance,
    SetTemperature,
    SpectrumEnded,
    StepEnded,
)
from rig.engine.conditions import breach, reached
from rig.engine.cursor import Cursor, Halt, Place, Progress, Soak
from rig.engine.soak import soak_begins, soak_goes_on
from rig.engine.spectrum import spectrum_begins, spectrum_goes_on
from rig.engine.walk import find_step, leave_loop, step_results
from rig.protocol.program import (
    End,
    Galvanostat,
    Potentiostat,
    Program,
    RecordPhase,
    Step,
    StepKind,
    Target,
)

NAN = math.nan
LONGEST_SECOND = 86_400.0  # the dead-man of a set point that has no time end of its own
MARGIN_SECOND = 60.0
LEAST_LOOK_SECOND = 1.0
SWEEP_LOOK_SECOND = 2.0  # how often a running spectrum is asked for its new points
_UNMEASURED = Flag.OVERLOAD.value


def begin(program: Program) -> tuple[Cursor, Action]:
    """Return the cursor at the program's first step and the action that starts it."""
    return _enter_step(program, Cursor(), ())


def resume(program: Program, cursor: Cursor, reason: str = "resumed") -> tuple[Cursor, Action]:
    """Return the action that takes up a run again where its cursor stands.

    Charge that has passed cannot be undone, so a step *continues* with its remaining time and
    charge; it begins again only when the protocol says ``on_resume: restart``. A spectrum always
    begins again: half of one is none. What happened in the gap is unknown: no charge is counted
    across it.
    """
    cursor = cursor._replace(halt=Halt.NONE, reason="", progress=_blind(cursor.progress))
    if not cursor.place.step_open:  # it stopped between two steps
        return _enter_step(program, cursor, (Note("resumed", f"{reason}; next step begins"),))
    step = _step(program, cursor.place)
    if step.restart_on_resume or step.kind is StepKind.EIS:
        # What was done of it stays under its own number; its points stay with a spectrum of
        # their own, incomplete.
        events = (
            _step_row(cursor, f"{reason}: begun again"),
            Note("resumed", f"{reason}; step begins again"),
        )
        return _enter_step(program, cursor, events)
    now = cursor.progress.test_time_second
    cursor = cursor._replace(place=cursor.place._replace(applied_second=now), soak=Soak())
    note = Note("resumed", f"{reason}; step continues")
    command = _command(step, cursor.place, now)
    return cursor, Action(now, command, events=(note,))


def advance(program: Program, cursor: Cursor, reading: Reading) -> tuple[Cursor, Action]:
    """Take one reading and return where the run stands now and what to do.

    Order: count charge, check safety, then the step's ends, then whether to keep the sample.
    """
    if cursor.halt is not Halt.NONE:
        return cursor, Action(reading.test_time_second, MakeSafe(cursor.reason))
    progress = _counted(cursor.progress, reading)
    broken = breach(program.safety, progress, reading)
    if broken:
        return _trip(program, cursor._replace(progress=progress), reading, broken)
    place = cursor.place
    step = _step(program, place)
    if step.kind is StepKind.EIS:
        return _spectrum(program, cursor._replace(progress=progress), step, reading)
    if step.kind is StepKind.RESISTANCE:
        return _end_with(program, cursor._replace(progress=progress), reading, "resistance read")
    if step.kind is StepKind.SET_TEMPERATURE:
        return _soak(program, cursor._replace(progress=progress), step, reading)
    end = reached(step, place.step_began_second, progress, reading)
    if end is not None:
        return _end_step(program, cursor._replace(progress=_kept(progress, reading)), reading, end)
    if reading.regulation is Regulation.STOPPED:
        return _stopped_by_itself(program, cursor._replace(progress=progress), step, reading)
    phase = _record_phase(step, reading.test_time_second - place.step_began_second)
    record = _worth_keeping(phase, progress, reading)
    if record:
        progress = _kept(progress, reading)
    due = _before_the_end(
        step, cursor.progress, reading, _next_look(program, step, phase, place, reading)
    )
    return Cursor(place, progress, cursor.soak), Action(due, None, record)


# --- counting ------------------------------------------------------------------------------------


def _counted(before: Progress, reading: Reading) -> Progress:
    """Integrate charge and energy by the trapezoid with the real times of both readings.

    Split by sign of the mean current. Nothing is counted where one end is unknown (NaN).
    """
    time, volt, ampere = reading.test_time_second, reading.voltage_volt, reading.current_ampere
    if isnan(volt) or isnan(ampere):
        bad = before.bad_readings + 1 if reading.flags & _UNMEASURED else before.bad_readings
        # Counted again from the next good reading on, by the trapezoid from the last good one.
        return before._replace(test_time_second=time, bad_readings=bad)
    hours = (time - before.counted_second) / 3600.0
    mean = 0.5 * (before.current_ampere + ampere)
    charge = mean * hours
    if isnan(charge):
        charge = 0.0
    energy = charge * 0.5 * (before.voltage_volt + volt) if charge else 0.0
    charged, discharged = (charge, 0.0) if charge > 0 else (0.0, -charge)
    stored, released = (energy, 0.0) if charge > 0 else (0.0, -energy)
    return Progress(
        time,
        before.seq,
        volt,
        ampere,
        before.charging_capacity_ah + charged,
        before.discharging_capacity_ah + discharged,
        before.charging_energy_wh + stored,
        before.discharging_energy_wh + released,
        before.step_capacity_ah + charge,
        before.step_energy_wh + energy,
        before.recorded_second,
        before.recorded_volt,
        before.recorded_ampere,
        0,
        time,
    )


def _blind(progress: Progress) -> Progress:
    """Forget the last reading: nobody knows what the current was since."""
    return progress._replace(
        voltage_volt=NAN, current_ampere=NAN, bad_readings=0, recorded_second=NAN
    )


def _kept(progress: Progress, reading: Reading) -> Progress:
    return Progress(  # spelled out: once a sample, and _replace takes twice as long
        progress.test_time_second,
        progress.seq + 1,
        progress.voltage_volt,
        progress.current_ampere,
        progress.charging_capacity_ah,
        progress.discharging_capacity_ah,
        progress.charging_energy_wh,
        progress.discharging_energy_wh,
        progress.step_capacity_ah,
        progress.step_energy_wh,
        reading.test_time_second,
        reading.voltage_volt,
        reading.current_ampere,
        progress.bad_readings,
        progress.counted_second,
    )


# --- recording and timing ------------------------------------------------------------------------


def _record_phase(step: Step, elapsed_second: float) -> RecordPhase:
    for phase in step.record:
        if phase.for_second is None or elapsed_second < phase.for_second:
            return phase
    return step.record[-1]


def _worth_keeping(phase: RecordPhase, progress: Progress, reading: Reading) -> bool:
    since = reading.test_time_second - progress.recorded_second
    if isnan(since) or since >= phase.every_second - 1e-6:  # the first point of the step
        return True
    delta = phase.voltage_delta_volt
    if delta is not None and abs(reading.voltage_volt - progress.recorded_volt) >= delta:
        return True
    fraction = phase.current_delta_fraction
    change = abs(reading.current_ampere - progress.recorded_ampere)
    return fraction is not None and change > fraction * abs(progress.recorded_ampere)


def _next_look(
    program: Program, step: Step, phase: RecordPhase, place: Place, reading: Reading
) -> float:
    """Return when to measure next: on a grid from the step's begin, or at its time end if sooner."""
    began = place.step_began_second
    period = min(program.safety.check_every_second, phase.every_second)
    elapsed = reading.test_time_second - began
    due = began + (floor(elapsed / period + 1e-6) + 1) * period
    for end in step.ends:
        if end.quantity == "time" and began + end.value < due:
            due = began + end.value
    return due


def _before_the_end(step: Step, before: Progress, reading: Reading, due_second: float) -> float:
    """Look sooner where the voltage is about to reach its end, else up to a period's charge is lost.

    Half of the time that is left in a straight line: a few looks close in on the end, and the
    capacity of a cycle is not known to one sampling period (0.3 % at 1C and 10 s) but to a tenth.
    """
    for end in step.ends:
        if end.quantity == "voltage":
            now, volt = reading.test_time_second, reading.voltage_volt
            rise, lapse = volt - before.voltage_volt, now - before.counted_second
            left = (end.value - volt) * lapse / rise if rise else NAN
            if 0.0 < left < 2.0 * (due_second - now):
                due_second = min(due_second, now + max(LEAST_LOOK_SECOND, 0.5 * left))
    return due_second


# --- steps ---------------------------------------------------------------------------------------


def _step(program: Program, place: Place) -> Step:
    step = program.instructions[place.pc]
    assert isinstance(step, Step)
    return step


def _enter_step(
    program: Program, cursor: Cursor, events: tuple[Event, ...]
) -> tuple[Cursor, Action]:
    """Find the next step from ``cursor.place.pc`` on, and start it; finish when there is none."""
    place, cycles = find_step(program, cursor.place, cursor.progress)
    now = cursor.progress.test_time_second
    events = (*events, *cycles)
    if place.pc >= len(program.instructions):
        place = place._replace(step_open=False)
        cursor = cursor._replace(place=place, halt=Halt.FINISHED, reason="protocol finished")
        return cursor, Action(now, MakeSafe("protocol finished"), events=events)
    step = _step(program, place)
    place = place._replace(
        step_count=place.step_count + 1,
        step_open=True,
        step_began_second=now,
        step_seq_first=cursor.progress.seq,
        applied_second=now,
        spectrum_count=place.spectrum_count + (step.kind is StepKind.EIS),
        spectrum_part=0,
        chamber_celsius=step.temperature.celsius if step.temperature else place.chamber_celsius,
    )
    progress = cursor.progress._replace(
        step_capacity_ah=0.0, step_energy_wh=0.0, recorded_second=NAN
    )
    cursor = Cursor(place, progress, Soak())
    return cursor, Action(now, _command(step, place, now), events=events)


def _command(step: Step, place: Place, now_second: float) -> Command:
    if step.sweep is not None:
        return spectrum_begins()
    if step.kind is StepKind.RESISTANCE:
        return ReadResistance()
    if step.temperature is not None:
        return SetTemperature(step.temperature.celsius)
    longest = _longest(step, place, now_second)
    match step.drive:
        case Galvanostat(ampere, limit, hold):
            return Apply(ConstantCurrent(ampere, limit, hold), longest)
        case Potentiostat(volt, limit):
            return Apply(ConstantVoltage(volt, limit), longest)
    return Apply(OpenCircuit(), longest)


def _longest(step: Step, place: Place, now_second: float) -> float:
    """Return how long the instrument may go on by itself: what is left of the step, and a margin."""
    times = [end.value for end in step.ends if end.quantity == "time"]
    if not times:
        return LONGEST_SECOND
    return max(0.0, place.step_began_second + min(times) - now_second) + MARGIN_SECOND


def _end_step(
    program: Program, cursor: Cursor, reading: Reading, end: End, *, record: bool = True
) -> tuple[Cursor, Action]:
    """Close the step at this reading, which is its last point, and go where the end points."""
    ended = _step_row(cursor, end.words)
    cursor = cursor._replace(place=_with_results(program, cursor))
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
    cursor, action = _enter_step(program, cursor._replace(place=place), events)
    return cursor, action._replace(record=record)


def _step_row(cursor: Cursor, reason: str) -> StepEnded:
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


def _with_results(program: Program, cursor: Cursor) -> Place:
    step = _step(program, cursor.place)
    results = step_results(step, cursor.place.results, cursor.progress.step_capacity_ah)
    return cursor.place._replace(results=results)


def _trip(program: Program, cursor: Cursor, reading: Reading, why: str) -> tuple[Cursor, Action]:
    """A limit is broken: keep the reading that shows it, disconnect, and stay so."""
    cursor = cursor._replace(progress=_kept(cursor.progress, reading))
    row = _step_row(cursor, f"tripped: {why}")
    cursor = cursor._replace(halt=Halt.TRIPPED, reason=why)
    events = (row, Note("tripped", why))
    return cursor, Action(reading.test_time_second, MakeSafe(why), record=True, events=events)


def _stopped_by_itself(
    program: Program, cursor: Cursor, step: Step, reading: Reading
) -> tuple[Cursor, Action]:
    """The instrument ended the set point: arm it again if its dead-man ran out, else trip."""
    place, now = cursor.place, reading.test_time_second
    if now - place.applied_second >= _longest(step, place, place.applied_second) - MARGIN_SECOND:
        cursor = cursor._replace(place=place._replace(applied_second=now))
        note = Note("rearmed", "the instrument's own time limit ran out; set point applied again")
        return cursor, Action(now, _command(step, place, now), events=(note,))
    return _trip(program, cursor, reading, "the instrument ended the set point by itself")


def _spectrum(
    program: Program, cursor: Cursor, step: Step, reading: Reading
) -> tuple[Cursor, Action]:
    """A spectrum and what frames it: see rig/engine/spectrum.py for the order of its parts."""
    now = reading.test_time_second
    turn = spectrum_goes_on(step, cursor.place.spectrum_part, reading)
    place = cursor.place._replace(spectrum_part=turn.part)
    if turn.done:
        events = (SpectrumEnded(reading.voltage_volt),)
        cursor, action = _end_with(program, cursor, reading, "spectrum complete")
        return cursor, action._replace(events=(*events, *action.events))
    if turn.command is None:
        return cursor._replace(place=place), Action(now + SWEEP_LOOK_SECOND)
    seen = not isnan(reading.voltage_volt)  # the open-circuit voltage before the spectrum
    progress = _kept(cursor.progress, reading) if seen else cursor.progress
    # While the analyser drives the cell nobody counts charge.
    return Cursor(place, _blind(progress), cursor.soak), Action(now, turn.command, seen)


def _end_with(
    program: Program, cursor: Cursor, reading: Reading, words: str
) -> tuple[Cursor, Action]:
    """End a step that ends by itself; keep the reading where the cell was measured."""
    seen = not isnan(reading.voltage_volt)
    if seen:
        cursor = cursor._replace(progress=_kept(cursor.progress, reading))
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
        return _trip(program, cursor, reading, verdict.failed)
    cursor = cursor._replace(soak=verdict.soak)
    if verdict.done:
        return _end_with(program, cursor, reading, verdict.done)  # after a probe nothing is seen
    if verdict.probe is not None:
        cursor = cursor._replace(progress=_blind(cursor.progress))
        command = BeginSweep(verdict.probe, Purpose.PROBE)
        return cursor, Action(reading.test_time_second, command)
    if cursor.soak.probing:
        return cursor, Action(reading.test_time_second + SWEEP_LOOK_SECOND)
    command_now = Apply(OpenCircuit(), LONGEST_SECOND) if verdict.probe_over else None
    phase = _record_phase(step, reading.test_time_second - cursor.place.step_began_second)
    record = not isnan(reading.voltage_volt) and _worth_keeping(phase, cursor.progress, reading)
    if record:
        cursor = cursor._replace(progress=_kept(cursor.progress, reading))
    due = _next_look(program, step, phase, cursor.place, reading)
    return cursor, Action(reading.test_time_second if command_now else due, command_now, record)
