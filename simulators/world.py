"""Simulated instruments over simulated cells and chambers, wired as a bench file says.

Implements rig.core.simulation.World. Every channel has one cell, and all its instruments are
connected to it, as on a real bench; chambers are shared. Knows models and fronts, no driver.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rig.core.clock import Clock
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.link import Link
from simulators.fronts.espec_p300 import EspecP300Front
from simulators.fronts.hioki_bt3562 import MODELS as BT3562_MODELS
from simulators.fronts.hioki_bt3562 import HiokiBT3562Front
from simulators.fronts.hioki_bt4560 import MODELS as BT4560_MODELS
from simulators.fronts.hioki_bt4560 import RANGE_SETS, HiokiBT4560Front
from simulators.fronts.keithley_2400 import TERMINATORS, Keithley2400Front
from simulators.fronts.keithley_2400_settings import MODELS as K2400_MODELS
from simulators.fronts.keithley_2450 import Keithley2450Front
from simulators.fronts.keithley_settings import OffState
from simulators.fronts.keysight_e4980a import KeysightE4980AFront
from simulators.fronts.maccor_macnet import MacNetFront
from simulators.fronts.maccor_tester import MaccorSetup
from simulators.fronts.methodscript import MethodScriptFront
from simulators.fronts.methodscript_models import MODELS as PALMSENS_MODELS
from simulators.fronts.rodeostat import RodeostatFront
from simulators.fronts.rohde_schwarz_ng import RohdeSchwarzNgFront
from simulators.fronts.scpi_matrix import ScpiMatrixFront
from simulators.fronts.watlow_f4t import WatlowF4TFront
from simulators.fronts.watlow_f4t_scpi import WatlowF4TScpiFront
from simulators.interfaces import Cell, ChamberAir, Front
from simulators.link import InMemoryLink
from simulators.models.blocks import (
    THERMAL_LAG_SECOND,
    read_cell,
    read_chamber,
    read_choices,
    read_press,
)
from simulators.models.cell import CircuitCell
from simulators.models.chamber import ChamberTraits, SimulatedChamber
from simulators.models.dummy import Dummy
from simulators.models.stack import StackPressure, StackTraits
from simulators.models.switchboard import Switchboard
from simulators.sensing import SENSORS, PressureFamily, ScannerFamily, Sensing, Surroundings
from simulators.server import Transport

SIMULATED = "sim"  # what `connect:` says of an instrument that lives here
CELL_ROLES = ("cell", "impedance", "resistance")
CHAMBER_ROLE = "chamber"
SWITCH_ROLE = "multiplexer"
# What an instrument that no channel names is connected to: the dummy cell it came with.
DUMMY = Dummy(1000.0)
EXAMPLE = "simulate: {cell: full_cell, area: 1 cm^2}"


@dataclass(frozen=True, slots=True)
class CellFamily:
    """A driver's instruments that drive a cell; ``build`` takes name, cell, choices and seed.

    ``choices`` is what a ``simulate:`` block may choose, the default first.
    """

    transport: Transport
    choices: Mapping[str, tuple[str, ...]]
    build: Callable[[str, Cell, Mapping[str, str], int], Front]


@dataclass(frozen=True, slots=True)
class ChamberFamily:
    """A driver's temperature chambers; ``build`` takes name, air and seed."""

    transport: Transport
    build: Callable[[str, ChamberAir, int], Front]


@dataclass(frozen=True, slots=True)
class SwitchFamily:
    """A driver's multiplexers; ``build`` takes name, switchboard and seed."""

    transport: Transport
    build: Callable[[str, Switchboard, int], Front]


Family = CellFamily | ChamberFamily | SwitchFamily | PressureFamily | ScannerFamily

FAMILIES: dict[str, Family] = {
    "keithley.smu2450": CellFamily(
        Transport.TCP,
        {"model": ("2450",), "saved_off_state": ("normal", "high_impedance")},
        lambda name, cell, chosen, seed: Keithley2450Front(
            name,
            cell,
            model=chosen["model"],
            saved_off_state=OffState[chosen["saved_off_state"].upper()],
            seed=seed,
        ),
    ),
    "keithley.smu2400": CellFamily(
        Transport.PTY,
        {
            "model": tuple(K2400_MODELS),
            "terminator": tuple(TERMINATORS),
            "saved_off_state": ("normal", "high_impedance"),
        },
        lambda name, cell, chosen, seed: Keithley2400Front(
            name,
            cell,
            model=chosen["model"],
            terminator=chosen["terminator"],
            saved_off_state=OffState[chosen["saved_off_state"].upper()],
            seed=seed,
        ),
    ),
    "palmsens.methodscript": CellFamily(
        Transport.PTY,
        {"model": ("nexus1", *(name for name in PALMSENS_MODELS if name != "nexus1"))},
        lambda name, cell, chosen, seed: MethodScriptFront(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "rohde_schwarz.ngu401": CellFamily(
        Transport.TCP,
        {"model": ("NGU401",)},
        lambda name, cell, chosen, seed: RohdeSchwarzNgFront(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "rohde_schwarz.ngm202": CellFamily(
        Transport.TCP,
        {"model": ("NGM202",)},
        lambda name, cell, chosen, seed: RohdeSchwarzNgFront(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "maccor.macnet": CellFamily(
        Transport.TCP,
        {"json_rest": ("works", "ignored"), "watchdog": ("off", "60 s")},
        lambda name, cell, chosen, seed: MacNetFront(
            name,
            cell,
            setup=MaccorSetup(watchdog_second=60.0 if chosen["watchdog"] == "60 s" else 0.0),
            json_rest_defect=chosen["json_rest"] == "ignored",
            seed=seed,
        ),
    ),
    "rodeostat.json": CellFamily(
        Transport.PTY,
        {"hardware": ("V0.2", "V0.1")},
        lambda name, cell, chosen, seed: RodeostatFront(
            name, cell, hardware=chosen["hardware"], seed=seed
        ),
    ),
    "keysight.e4980a": CellFamily(
        Transport.TCP,
        {
            "model": ("E4980A", "E4980AL"),
            "option_001": ("yes", "no"),
            "dc_block": ("no", "yes"),
        },
        lambda name, cell, chosen, seed: KeysightE4980AFront(
            name,
            cell,
            model=chosen["model"],
            option_001=chosen["option_001"] == "yes",
            dc_blocked=chosen["dc_block"] == "yes",
            seed=seed,
        ),
    ),
    "hioki.bt4560": CellFamily(
        Transport.PTY,
        {"model": BT4560_MODELS, "ranges": tuple(RANGE_SETS)},
        lambda name, cell, chosen, seed: HiokiBT4560Front(
            name, cell, model=chosen["model"], ranges=chosen["ranges"], seed=seed
        ),
    ),
    "hioki.bt3562": CellFamily(
        Transport.PTY,
        {"model": BT3562_MODELS},
        lambda name, cell, chosen, seed: HiokiBT3562Front(
            name, cell, model=chosen["model"], seed=seed
        ),
    ),
    "espec.p300": ChamberFamily(
        Transport.PTY, lambda name, air, seed: EspecP300Front(name, air, seed=seed)
    ),
    "watlow.f4t": ChamberFamily(
        Transport.TCP, lambda name, air, seed: WatlowF4TFront(name, air, seed=seed)
    ),
    "watlow.f4t_scpi": ChamberFamily(
        Transport.TCP, lambda name, air, seed: WatlowF4TScpiFront(name, air, seed=seed)
    ),
    "scpi.matrix": SwitchFamily(
        Transport.TCP, lambda name, board, seed: ScpiMatrixFront(name, board, seed=seed)
    ),
    **SENSORS,
}


class SimulatedWorld:
    """All that a bench names with ``connect: sim``, in one process and one time.

    Names of instruments and channels give each object its own seed, so that adding one changes
    no other. Raises BadInput with all problems of the bench.
    """

    def __init__(self, bench: Mapping[str, Any], clock: Clock, seed: int = 1) -> None:
        self._clock = clock
        plan = _Plan(bench, seed)
        if plan.problems:
            raise BadInput(plan.problems)
        self._cells = plan.cells
        self._chambers = plan.chambers
        self.fronts = plan.fronts()
        self._stacks = plan.sensing.stacks

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


class _Plan:
    """A bench being read: the models and, when there are no problems, the fronts over them."""

    def __init__(self, bench: Mapping[str, Any], seed: int) -> None:
        self.problems: list[Problem] = []
        self.cells: dict[str, CircuitCell] = {}
        self.chambers: dict[str, SimulatedChamber] = {}
        self._seed = seed
        self._wired: dict[str, tuple[str, CircuitCell]] = {}  # instrument -> channel, its cell
        self._families: dict[str, Family] = {}
        self._paths: dict[str, dict[str, CircuitCell]] = {}  # switch -> path -> cell
        self._behind: dict[str, str] = {}  # instrument -> the switch that leads to its cells
        self._chosen: dict[str, dict[str, str]] = {}
        self.sensing = Sensing(self.problems, self._seed_of, self._room)
        instruments = self._mapping(bench.get("instruments"), "instruments")
        for name, content in instruments.items():
            self._read_instrument(name, self._mapping(content, f"instruments.{name}"))
        for name, content in self._mapping(bench.get("channels"), "channels").items():
            self._read_channel(name, self._mapping(content, f"channels.{name}"), instruments)

    def fronts(self) -> dict[str, tuple[Front, Transport]]:
        """Build every instrument; only when there are no problems."""
        self._boards = {
            name: Switchboard(self._paths.get(name, {}))
            for name, family in self._families.items()
            if isinstance(family, SwitchFamily)
        }
        return {
            name: (self._front(name, family), family.transport)
            for name, family in self._families.items()
        }

    def _front(self, name: str, family: Family) -> Front:
        if isinstance(family, ChamberFamily):
            return family.build(name, self.chambers[name], self._seed_of(name))
        if isinstance(family, SwitchFamily):
            return family.build(name, self._boards[name], self._seed_of(name))
        if isinstance(family, PressureFamily | ScannerFamily):
            return self.sensing.front(name)
        if name in self._behind:
            cell: Cell = self._boards[self._behind[name]]
        elif name in self._wired:
            cell = self._wired[name][1]
        else:
            cell = CircuitCell(DUMMY, self._room(name), THERMAL_LAG_SECOND)
        return family.build(name, cell, self._chosen[name], self._seed_of(name))

    def _read_instrument(self, name: str, content: Mapping[str, Any]) -> None:
        if content.get("connect") != SIMULATED:
            return
        where = f"instruments.{name}"
        driver = str(content.get("driver"))
        family = FAMILIES.get(driver)
        if family is None:
            message = f"no simulator for driver {driver!r}, there are {', '.join(FAMILIES)}"
            suggestion = did_you_mean(driver, FAMILIES)
            self.problems.append(Problem(f"{where}.driver", message, suggestion=suggestion))
            return
        self._families[name] = family
        options = self._mapping(content.get("simulate", {}), f"{where}.simulate")
        place = f"{where}.simulate"
        if isinstance(family, ChamberFamily):
            traits = read_chamber(options, place, self.problems)
            self.chambers[name] = SimulatedChamber(traits, seed=self._seed_of(f"{name}/air"))
        elif isinstance(family, SwitchFamily):
            read_choices(options, {}, place, self.problems)
        elif isinstance(family, PressureFamily | ScannerFamily):
            self.sensing.add(name, family, options, content.get("options"))
        else:
            self._chosen[name] = read_choices(options, family.choices, place, self.problems)

    def _read_channel(
        self, name: str, content: Mapping[str, Any], instruments: Mapping[str, Any]
    ) -> None:
        where = f"channels.{name}"
        roles = {
            role: str(content[role]) for role in (*CELL_ROLES, CHAMBER_ROLE) if role in content
        }
        for role, instrument in roles.items():
            self._check_role(role, instrument, instruments, f"{where}.{role}")
        air = self.chambers.get(roles.get(CHAMBER_ROLE, "")) or self._room(name)
        connected = {roles[role] for role in CELL_ROLES if role in roles} & self._chosen.keys()
        if connected:
            press = self._read_cell(name, content, roles, connected, air)
        elif self.sensing.names(content):
            press = self._read_press(content.get("simulate", {}), f"{where}.simulate")
        else:
            return
        # Where no simulated instrument is on a cell, sensors are beside a dummy.
        cell = self.cells.get(name) or CircuitCell(DUMMY, air, THERMAL_LAG_SECOND)
        self.sensing.attach(content, Surroundings(name, cell, air, press))

    def _read_press(self, simulate: object, where: str) -> StackTraits:
        return read_press(self._mapping(simulate, where), where, self.problems)

    def _read_cell(
        self,
        name: str,
        content: Mapping[str, Any],
        roles: Mapping[str, str],
        connected: set[str],
        air: SimulatedChamber,
    ) -> StackTraits:
        """Build the channel's cell and wire its instruments to it; return the press around it."""
        where = f"channels.{name}"
        if "simulate" not in content:
            message = "the channel's instruments are simulated: say which cell is in it"
            self.problems.append(Problem(where, message, example=EXAMPLE))
            return StackTraits()
        options = self._mapping(content["simulate"], f"{where}.simulate")
        setup = read_cell(options, f"{where}.simulate", self.problems)
        if setup is None:
            return StackTraits()
        self.cells[name] = CircuitCell(
            setup.recipe, air, setup.thermal_lag_second, setup.fixture, setup.drift_per_hour
        )
        switch, _, path = str(content.get(SWITCH_ROLE, "")).partition("/")
        if switch:
            self._paths.setdefault(switch, {})[path] = self.cells[name]
        for instrument in sorted(connected):
            if switch and instrument == roles.get("impedance") != roles.get("cell"):
                self._behind[instrument] = switch
            else:
                self._wire(instrument, name)
        return setup.press

    def _check_role(
        self, role: str, instrument: str, instruments: Mapping[str, Any], where: str
    ) -> None:
        if instrument not in instruments:
            suggestion = did_you_mean(instrument, instruments)
            message = f"no instrument is called {instrument!r}"
            self.problems.append(Problem(where, message, suggestion=suggestion))
        family = self._families.get(instrument)
        if family and isinstance(family, ChamberFamily) != (role == CHAMBER_ROLE):
            is_what = "a chamber" if isinstance(family, ChamberFamily) else "no chamber"
            self.problems.append(Problem(where, f"{instrument} is {is_what}"))

    def _wire(self, instrument: str, channel: str) -> None:
        if instrument in self._wired:
            other = self._wired[instrument][0]
            message = f"{instrument} is already connected to the cell of channel {other}"
            self.problems.append(Problem(f"channels.{channel}", message))
        self._wired[instrument] = channel, self.cells[channel]

    def _room(self, name: str) -> SimulatedChamber:
        """Return the air of a room: a chamber that nobody ever switches on."""
        return SimulatedChamber(ChamberTraits(), seed=self._seed_of(f"{name}/room"))

    def _mapping(self, content: object, where: str) -> Mapping[str, Any]:
        if isinstance(content, Mapping):
            return content
        self.problems.append(Problem(where, f"got {content!r}, expected a mapping"))
        return {}

    def _seed_of(self, name: str) -> int:
        # Not hash(): that is another one in every process.
        return zlib.crc32(f"{self._seed}:{name}".encode())


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
