"""What lies between the instruments of a channel and its cell: leads, and a stray capacitance.

Resistance and inductance in series, then a capacitance across the terminals, then the cell, or
nothing, or a short: as open and short correction take a fixture to be. Leads and stray are over in
nanoseconds, so the time domain knows the resistance alone. Knows no cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from simulators.interfaces import Drive, DriveMode, Terminals

# What an open circuit shows: finite, so that what is computed from it stays a number.
OPEN_CIRCUIT_OHM = 1e12


class FixtureState(Enum):
    """What is in the fixture; the values are the words of a bench file."""

    CELL = "cell"
    OPEN = "open"  # nothing: the cell lies beside it
    SHORT = "short"  # a piece of metal in the cell's place


@dataclass(frozen=True, slots=True)
class Fixture:
    """Leads and stray; ``resistance_ohm`` is above zero where a short is in it.

    Sense leads end before the series resistance, so four wires do not take it away.
    """

    resistance_ohm: float = 0.0
    inductance_henry: float = 0.0
    capacitance_farad: float = 0.0
    state: FixtureState = FixtureState.CELL

    @property
    def is_bare(self) -> bool:
        """Whether the cell is not in it."""
        return self.state is not FixtureState.CELL

    def impedance(self, frequency_hertz: float, cell_ohm: complex) -> complex:
        """Return what an analyser sees in ohm: Zs + 1/(Yo + 1/Zcell), Zs = R + jwL, Yo = jwC."""
        omega = 2.0 * math.pi * frequency_hertz
        series_ohm = complex(self.resistance_ohm, omega * self.inductance_henry)
        stray_siemens = 1j * omega * self.capacitance_farad
        if self.state is FixtureState.SHORT:
            return series_ohm
        if self.state is FixtureState.OPEN:
            return series_ohm + (1.0 / stray_siemens if stray_siemens else OPEN_CIRCUIT_OHM)
        return series_ohm + cell_ohm / (1.0 + cell_ohm * stray_siemens)

    def terminals(self, drive: Drive) -> Terminals:
        """Return what the bare fixture shows to a source."""
        if self.state is FixtureState.OPEN:
            return open_circuit(drive)
        level, limit, ohm = drive.level, drive.limit, self.resistance_ohm
        if drive.mode is DriveMode.VOLTAGE:
            if abs(level) <= limit * ohm:
                return Terminals(level, level / ohm, False)
            most = math.copysign(limit, level)
            return Terminals(most * ohm, most, True)
        if drive.mode is DriveMode.CURRENT:
            if abs(level) * ohm <= limit:
                return Terminals(level * ohm, level, False)
            most = math.copysign(limit, level)
            return Terminals(most, most / ohm, True)
        return Terminals(0.0, 0.0, False)

    def truth(self) -> dict[str, float]:
        """Return what was put in, keys with units."""
        return {
            "fixture_resistance_ohm": self.resistance_ohm,
            "fixture_inductance_henry": self.inductance_henry,
            "fixture_capacitance_farad": self.capacitance_farad,
        }


# A metre of cable: 0.3-1 uH, 0.05-0.5 ohm.
USUAL_FIXTURE = Fixture(resistance_ohm=0.2, inductance_henry=0.5e-6)
# As if soldered to the instrument.
NO_FIXTURE = Fixture()


def open_circuit(drive: Drive) -> Terminals:
    """Return what a source shows with nothing on its terminals: no current, whatever it tries."""
    if drive.mode is DriveMode.CURRENT and drive.level:
        return Terminals(math.copysign(drive.limit, drive.level), 0.0, True)
    return Terminals(drive.level if drive.mode is DriveMode.VOLTAGE else 0.0, 0.0, False)
