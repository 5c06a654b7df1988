"""A bench file read as wiring: the models that it names, and the simulated instruments over them.

Every channel has one cell, and all its instruments are connected to it, as on a real bench;
chambers are shared. Knows models and families, no time.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from rig.core.errors import Problem, did_you_mean
from simulators.families import (
    FAMILIES,
    ChamberFamily,
    Family,
    SwitchFamily,
)
from simulators.interfaces import Cell, Front
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
from simulators.models.stack import StackTraits
from simulators.models.switchboard import Switchboard
from simulators.sensing import PressureFamily, ScannerFamily, Sensing, Surroundings
from simulators.server import Transport

SIMULATED = "sim"  # what `connect:` says of an instrument that lives here
CELL_ROLES = ("cell", "impedance", "resistance")
CHAMBER_ROLE = "chamber"
SWITCH_ROLE = "multiplexer"
# What an instrument that no channel names is connected to: the dummy cell it came with.
DUMMY = Dummy(1000.0)
EXAMPLE = "simulate: {cell: full_cell, area: 1 cm^2}"


class Wiring:
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
