"""When to look again, and whether what was seen is worth a sample. Pure, as the fold is."""

from __future__ import annotations

import math
from math import floor, isnan

from rig.engine.action import Reading
from rig.engine.cursor import Place, Progress
from rig.protocol.program import Program, RecordPhase, Step

NAN = math.nan
LEAST_LOOK_SECOND = 1.0


def record_phase(step: Step, elapsed_second: float) -> RecordPhase:
    for phase in step.record:
        if phase.for_second is None or elapsed_second < phase.for_second:
            return phase
    return step.record[-1]


def worth_keeping(phase: RecordPhase, place: Place, progress: Progress, reading: Reading) -> bool:
    """Keep the first point of a step, the first in each ``every`` of it, and what has changed.

    Counted from the step's begin, as the looks are. The time since the last sample would not do: one
    look is 2 ms late and the next 1 ms, less than ``every`` lies between them, and every other sample
    would be missing.
    """
    every, began = phase.every_second, place.counted_from_second
    if isnan(progress.recorded_second) or (
        _number(reading.test_time_second - began, every)
        > _number(progress.recorded_second - began, every)
    ):
        return True
    delta = phase.voltage_delta_volt
    if delta is not None and abs(reading.voltage_volt - progress.recorded_volt) >= delta:
        return True
    fraction = phase.current_delta_fraction
    change = abs(reading.current_ampere - progress.recorded_ampere)
    return fraction is not None and change > fraction * abs(progress.recorded_ampere)


def next_look(
    program: Program, step: Step, phase: RecordPhase, place: Place, reading: Reading
) -> float:
    """Return when to measure next: on a grid from the step's begin, or at its time end if sooner."""
    began = place.counted_from_second
    period = min(program.safety.check_every_second, phase.every_second)
    elapsed = reading.test_time_second - began
    due = began + (_number(elapsed, period) + 1) * period
    for end in step.ends:
        if end.quantity == "time" and began + end.value < due:
            due = began + end.value
    return due


def _number(elapsed_second: float, period_second: float) -> int:
    """Return which period a time is in; the least that floating point may be short is forgiven."""
    return floor(elapsed_second / period_second + 1e-6)


def before_the_end(step: Step, before: Progress, reading: Reading, due_second: float) -> float:
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
