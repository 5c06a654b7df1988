"""Simulated instruments over simulated cells and chambers, wired as a bench file says.

Implements rig.core.simulation.World: links, truths, and a state that can be kept and put back.
Knows no family of instruments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rig.core.clock import Clock
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.link import Link
from simulators.interfaces import Front
from simulators.link import InMemoryLink
from simulators.models.cell import CircuitCell
from simulators.models.chamber import SimulatedChamber
from simulators.models.stack import StackPressure
from simulators.wiring import Wiring


class SimulatedWorld:
    """All that a bench names with ``connect: sim``, in one process and one time.

    Names of instruments and channels give each object its own seed, so that adding one changes
    no other. Raises BadInput with all problems of the bench.
    """

    def __init__(self, bench: Mapping[str, Any], clock: Clock, seed: int = 1) -> None:
        self._clock = clock
        wiring = Wiring(bench, seed)
        if wiring.problems:
            raise BadInput(wiring.problems)
        self._cells = wiring.cells
        self._chambers = wiring.chambers
        self.fronts = wiring.fronts()
        self._stacks = wiring.sensing.stacks

    def front(self, instrument: str) -> Front:
        """Return the wire side of ``instrument``."""
        _known(instrument, self.fronts, "simulated instrument")
        return self.fronts[instrument][0]

    def link(self, instrument: str) -> Link:
        """Return an in-memory link that carries the instrument's real wire bytes."""
        return InMemoryLink(self.front(instrument), self._clock, instrument)

    def truth(self, channel: str) -> dict[str, float]:
        """Return what was put into the channel's cell; energies in the ln(sigma T) convention."""
        return self.cell(channel).truth()

    def cell(self, channel: str) -> CircuitCell:
        """Return the model behind ``channel``, to look at what no instrument shows."""
        _known(channel, self._cells, "simulated channel")
        return self._cells[channel]

    def chamber(self, instrument: str) -> SimulatedChamber:
        """Return the air that the chamber ``instrument`` conditions, without its sensor."""
        _known(instrument, self._chambers, "simulated chamber")
        return self._chambers[instrument]

    def stack(self, channel: str) -> StackPressure:
        """Return the press around the cell of ``channel``, where a sensor feels it."""
        _known(channel, self._stacks, "simulated press")
        return self._stacks[channel]

    def state(self) -> dict[str, Any]:
        """Return all cells, chambers and presses as they were last looked at, as plain data.

        Without absolute times, and not advanced to now: what nobody has measured yet has not
        happened for a run that resumes from here, so its counters and its cell agree.
        """
        return {
            "cells": {name: cell.state() for name, cell in self._cells.items()},
            "chambers": {name: chamber.state() for name, chamber in self._chambers.items()},
            "presses": {name: stack.state() for name, stack in self._stacks.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put cells and chambers back, before the first link is used.

        Cells come back driven by nobody and chambers switched off, as after a mains failure; no
        time has passed for them. Raises BadInput when the state is of another bench.
        """
        problems = [
            *_differences(state["cells"], self._cells, "channel"),
            *_differences(state["chambers"], self._chambers, "chamber"),
        ]
        if problems:
            raise BadInput(problems, remedy="resume with the bench file that the run began with")
        for name, cell in self._cells.items():
            cell.restore(state["cells"][name])
        for name, chamber in self._chambers.items():
            chamber.restore(state["chambers"][name])
        # A press that the state does not know was closed after it was saved.
        for name, saved in state.get("presses", {}).items():
            if name in self._stacks:
                self._stacks[name].restore(saved)


def _known(name: str, known: Mapping[str, object], what: str) -> None:
    if name not in known:
        message = f"no {what} is called {name!r}, there are {', '.join(known) or 'none'}"
        raise BadInput(Problem("bench", message, suggestion=did_you_mean(name, known)))


def _differences(saved: Mapping[str, Any], own: Mapping[str, Any], what: str) -> list[Problem]:
    missing = [
        Problem("saved state", f"{what} {name} is missing") for name in own if name not in saved
    ]
    unknown = [
        Problem("saved state", f"the bench has no simulated {what} {name}")
        for name in saved
        if name not in own
    ]
    return missing + unknown
