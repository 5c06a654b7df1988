"""What an EIS step does in which order: open circuit, the spectrum, its lowest points again, open circuit.

A spectrum that something speaks against is kept, and all of it begins again, as often as the step says.
A slow drift passes the Kramers-Kronig test (science.md S6: 10 % over a sweep leave a residual
below 1 %); the repeated points and the voltage before and after show it. Pure, as soak.py.
"""

from __future__ import annotations

from typing import NamedTuple

from rig.core.instruments import OpenCircuit
from rig.engine.action import Apply, BeginSweep, Command, Note, Purpose, Reading
from rig.engine.cursor import Place
from rig.protocol.program import Step

# The parts, in order; the cursor holds the number. Each begins with a command of its own.
OPEN_BEFORE, SPECTRUM, REPETITION, OPEN_AFTER = range(4)
OPEN_SECOND = 3_600.0  # the dead-man of the looks at open circuit


class Turn(NamedTuple):
    """Which part is on now, the command that begins it, or that all of them are over."""

    part: int
    command: Command | None = None
    done: bool = False


def spectrum_begins() -> Command:
    """Return the command of the first part: the voltage that the spectrum is taken at."""
    return Apply(OpenCircuit(), OPEN_SECOND)


def spectrum_goes_on(step: Step, part: int, reading: Reading) -> Turn:
    """Judge one reading: a look at open circuit is one reading, a sweep lasts until it is done."""
    assert step.sweep is not None
    if part == OPEN_BEFORE:
        return Turn(SPECTRUM, BeginSweep(step.sweep))
    if part == OPEN_AFTER:
        return Turn(part, done=True)
    if not reading.sweep_done:
        return Turn(part)
    if part == SPECTRUM and step.repeat is not None:
        return Turn(REPETITION, BeginSweep(step.repeat, Purpose.REPETITION))
    return Turn(OPEN_AFTER, Apply(OpenCircuit(), OPEN_SECOND))


# --- one that something speaks against ---------------------------------------------------------------


def is_repeated(place: Place, most: int) -> bool:
    """Say whether the spectrum that is whole now is measured once more; ``most`` times at most."""
    return bool(place.spectrum_objection) and place.spectrum_repeats < most


def repetition(place: Place, now_second: float) -> Place:
    """Return the place at the beginning of a new spectrum of the same step."""
    return place._replace(
        spectrum_count=place.spectrum_count + 1,
        spectrum_part=OPEN_BEFORE,
        spectrum_objection="",
        spectrum_repeats=place.spectrum_repeats + 1,
        repeat_of=place.spectrum_count,
        applied_second=now_second,
    )


def still_a_repetition(place: Place, before: Place) -> Place:
    """Return the place of a spectrum that begins again after an outage.

    That uses up none of its repetitions, and gives none back.
    """
    return place._replace(spectrum_repeats=before.spectrum_repeats, repeat_of=before.repeat_of)


def objection_note(place: Place, most: int) -> Note | None:
    """Return what the event log says of an objection, None where there is none."""
    if not place.spectrum_objection:
        return None
    words = f"spectrum {place.spectrum_count}: {place.spectrum_objection}"
    if is_repeated(place, most):
        words += f"; measured again, {place.spectrum_repeats + 1} of {most}"
    elif most:
        words += f"; it was measured {most + 1} times and stands as it is"
    return Note("invalid spectrum", words)
