"""What an EIS step does in which order: open circuit, the spectrum, its lowest points again, open circuit.

A slow drift passes the Kramers-Kronig test (science.md S6: 10 % over a sweep leave a residual
below 1 %); the repeated points and the voltage before and after show it. Pure, as soak.py.
"""

from __future__ import annotations

from typing import NamedTuple

from rig.core.instruments import OpenCircuit
from rig.engine.action import Apply, BeginSweep, Command, Purpose, Reading
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
