"""Why a run does what it does, and what comes next, in words: pure, for page, command line and REST.

Reads a program, the cursor as committed last and the newest samples of the present step. Estimates are
straight lines through those samples, and say "about"; where the samples show no direction nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from rig.bench.estimates import ChamberUse, Outlook, Point, ahead, roughly, slope_of, time_pair
from rig.bench.waits import chamber_wait, suspension_wait
from rig.core.errors import RigError
from rig.core.instruments import Sweep
from rig.core.units import duration, show_pair
from rig.engine.cursor import Cursor
from rig.engine.leaving import FINISH_AFTER_STEP, leaving_words
from rig.engine.walk import find_step
from rig.protocol.duration import sweep_second
from rig.protocol.program import End, Galvanostat, Program, Step

HELD = "the voltage of a CC-CV is reached"
_NO_STEP = "nothing: the protocol is at its end"


def outlook(
    program: Program,
    cursor: Cursor,
    points: Sequence[Point],
    others: Sequence[ChamberUse] = (),
) -> Outlook:
    """Say what a run that is alive works towards, or waits for.

    ``points`` are the newest samples of its step, oldest first; ``others`` are those runs that hold
    its chamber at another temperature.
    """
    step = step_at(program, cursor)
    if step is None:
        return Outlook(_NO_STEP)
    now = cursor.progress.test_time_second
    if cursor.suspension.on:
        return suspension_wait(program.suspend, cursor, points)
    then = _then(program, cursor, None)
    if step.temperature is not None:
        return replace(chamber_wait(step.temperature, cursor, points, others), then=then)
    if step.sweep is not None:
        elapsed = now - cursor.place.counted_from_second
        return replace(_spectrum(step.sweep, step.repeat, elapsed), then=then)
    nearest = _nearest(step, cursor, points)
    if nearest is None:
        return Outlook("no end of its own", then=then)
    end, words, second = nearest
    return Outlook(f"{words}{_in(second, end)}", second, _then(program, cursor, end))


def step_at(program: Program, cursor: Cursor) -> Step | None:
    """Return the step a cursor stands at, or None at the end of the program."""
    pc = cursor.place.pc
    item = program.instructions[pc] if pc < len(program.instructions) else None
    return item if isinstance(item, Step) else None


# --- ends ----------------------------------------------------------------------------------------


def _nearest(
    step: Step, cursor: Cursor, points: Sequence[Point]
) -> tuple[End, str, float | None] | None:
    """Return the end that comes first; those whose time nobody can tell come last, in file order."""
    ends = [*step.ends, *_held_at(step, cursor)]
    judged = [(end, *_margin(step, end, cursor, points)) for end in ends]
    judged = [one for one in judged if one[1]]
    return min(judged, key=lambda one: math.inf if one[2] is None else one[2], default=None)


def _held_at(step: Step, cursor: Cursor) -> list[End]:
    """In the constant-current part of a CC-CV the voltage to be held is what comes next."""
    drive = step.drive
    if not isinstance(drive, Galvanostat) or not drive.hold or _tapers(step, cursor):
        return []
    operator = ">=" if drive.current_ampere > 0 else "<="
    return [End("voltage", operator, drive.voltage_limit_volt, words=HELD)]


def _margin(
    step: Step, end: End, cursor: Cursor, points: Sequence[Point]
) -> tuple[str, float | None]:
    """Return ``4.13 of 4.20 V`` and the seconds until then; empty words where nothing was measured."""
    if end.quantity == "time":
        elapsed = max(0.0, cursor.progress.test_time_second - cursor.place.counted_from_second)
        return f"{time_pair(elapsed, end.value)}", max(0.0, end.value - elapsed)
    measured = _VALUES.get(end.quantity)
    if measured is None:
        return _sensed_margin(end, points)
    value = measured(cursor, points)
    if math.isnan(value):
        return "", None
    words = show_pair(value, end.value, _UNITS[end.quantity])
    if end.operator == "<=":
        words = words.replace(" of ", " down to ")
    if end.quantity == "current" and not _tapers(step, cursor):
        return "", None  # it counts once the voltage is held
    return words, _second_until(end, value, cursor, points)


def _sensed_margin(end: End, points: Sequence[Point]) -> tuple[str, float | None]:
    """The same for an auxiliary: the protocol's own words have its unit."""
    values = [point.surroundings(end.quantity) for point in points]
    if not values or math.isnan(values[-1]):
        return "", None
    slope = slope_of([point.test_time_second for point in points], values)
    return f"{end.words}: {values[-1]:.4g} now", ahead(end.value - values[-1], slope)


def _second_until(end: End, value: float, cursor: Cursor, points: Sequence[Point]) -> float | None:
    """Return when a straight line through the newest samples reaches the end; None for no direction."""
    if end.quantity in ("capacity", "energy"):
        rate = abs(cursor.progress.current_ampere) / 3600.0
        if end.quantity == "energy":
            rate *= abs(cursor.progress.voltage_volt)
        return ahead(end.value - value, rate)
    series = _SERIES[end.quantity]
    times = [point.test_time_second for point in points]
    values = [series(point) for point in points]
    if end.quantity in (
        "current",
        "power",
    ):  # a held voltage: it decays, so its logarithm is straight
        if value <= 0 or end.value <= 0:
            return None
        slope = slope_of(times, [math.log(v) if v > 0 else math.nan for v in values])
        return ahead(math.log(end.value / value), slope)
    return ahead(end.value - value, slope_of(times, values))


def _tapers(step: Step, cursor: Cursor) -> bool:
    """Say whether the current end of a CC-CV counts yet: the voltage has arrived where it is held."""
    drive = step.drive
    if not isinstance(drive, Galvanostat) or not drive.hold:
        return True
    return abs(cursor.progress.current_ampere) < 0.98 * abs(drive.current_ampere)


def _in(second: float | None, end: End) -> str:
    """Say when: a time end to the second, everything else is an estimate and looks like one."""
    if second is None:
        return ""
    return f", {duration(second)} left" if end.quantity == "time" else f", about {roughly(second)}"


def _then(program: Program, cursor: Cursor, end: End | None) -> str:
    """Return what comes after this step: by the protocol, and by how somebody wants the run to end."""
    leaving, following = leaving_words(cursor.place), _following(program, cursor, end)
    if not leaving or cursor.place.leaving == FINISH_AFTER_STEP:
        return leaving or following
    return f"{following}; {leaving}"


def _following(program: Program, cursor: Cursor, end: End | None) -> str:
    """Return what the protocol does after this step, as far as it is known now."""
    if end is not None and end.words == HELD:
        return "holds that voltage"
    if end is not None and end.target.value != "next":
        return {"break": "leaves its loop", "pause": "pauses", "stop": "stops"}[end.target.value]
    place = cursor.place._replace(pc=cursor.place.pc + 1)
    try:
        following, _ = find_step(program, place, cursor.progress)
    except (RigError, IndexError, AssertionError):  # a place between two steps has no next one yet
        return ""
    step = step_at(program, cursor._replace(place=following))
    return "the end of the protocol" if step is None else step.words


# --- spectra -------------------------------------------------------------------------------------


def _spectrum(sweep: Sweep, repeat: Sweep | None, elapsed: float) -> Outlook:
    whole = sweep_second(sweep) + (sweep_second(repeat) if repeat else 0.0)
    left = max(0.0, whole - elapsed)
    return Outlook(
        f"measures {sweep.points} frequencies, {duration(elapsed)} of about {duration(whole)}", left
    )


# --- quantities ----------------------------------------------------------------------------------


def _temperature_now(cursor: Cursor, points: Sequence[Point]) -> float:
    del cursor
    return _celsius(points[-1]) if points else math.nan


def _celsius(point: Point) -> float:
    """The cell's own temperature, the chamber's where nobody reads it: as the engine's ends do."""
    return point.temperature_celsius if math.isnan(point.cell_celsius) else point.cell_celsius


def _pressure_now(cursor: Cursor, points: Sequence[Point]) -> float:
    del cursor
    return points[-1].surroundings("pressure") if points else math.nan


def _power(cursor: Cursor, points: Sequence[Point]) -> float:
    del points
    return abs(cursor.progress.voltage_volt * cursor.progress.current_ampere)


_VALUES: dict[str, Callable[[Cursor, Sequence[Point]], float]] = {
    "voltage": lambda cursor, _: cursor.progress.voltage_volt,
    "current": lambda cursor, _: abs(cursor.progress.current_ampere),
    "power": _power,
    "capacity": lambda cursor, _: abs(cursor.progress.step_capacity_ah),
    "energy": lambda cursor, _: abs(cursor.progress.step_energy_wh),
    "temperature": _temperature_now,
    "pressure": _pressure_now,
}
_SERIES: dict[str, Callable[[Point], float]] = {
    "voltage": lambda point: point.voltage_volt,
    "current": lambda point: abs(point.current_ampere),
    "power": lambda point: abs(point.voltage_volt * point.current_ampere),
    "temperature": _celsius,
    "pressure": lambda point: point.surroundings("pressure"),
}
_UNITS = {
    "voltage": "V",
    "current": "A",
    "power": "W",
    "capacity": "Ah",
    "energy": "Wh",
    "temperature": "degC",
    "pressure": "Pa",
}
