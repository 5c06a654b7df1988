"""What stands between physics and bytes: models know no bytes, fronts know no physics.

Time is handed in with every call (seconds); a model advances lazily to that time and ignores one
that lies before its own. Positive current charges. Both sides import this file and not each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol


class DriveMode(Enum):
    """How an instrument's output stage acts on the cell."""

    OPEN = "open"  # relay open, high impedance: no current flows
    VOLTAGE = "voltage"  # source voltage, limit current
    CURRENT = "current"  # source current, limit voltage


@dataclass(frozen=True, slots=True)
class Drive:
    """What an output stage does: ``level`` in volt or ampere, ``limit`` the magnitude of the other.

    In VOLTAGE mode the current stays within +-limit ampere. In CURRENT mode the terminal voltage
    stays within +-limit volt: when the cell lies outside, the stage clamps to the limit and
    whatever current that takes flows.
    """

    mode: DriveMode
    level: float = 0.0
    limit: float = float("inf")


OPEN = Drive(DriveMode.OPEN)


class Terminals(NamedTuple):
    """The truth at the cell's terminals, without any instrument's noise; ``limited``: the limit acts."""

    voltage_volt: float
    current_ampere: float
    limited: bool


class Cell(Protocol):
    """A cell or pellet as instruments see it."""

    def drive(self, source: str, drive: Drive, now_second: float) -> None:
        """Let ``source`` (an instrument's name) act on the cell from this moment on.

        Two sources that are not OPEN at once are a wiring fault that burns real cells: the model
        counts it in ``conflicts`` and lets the newest win, so that tests can demand zero.
        """
        ...

    def terminals(self, now_second: float) -> Terminals:
        """Advance to ``now_second`` under the present drive and return voltage and current."""
        ...

    def impedance(self, frequency_hertz: float, now_second: float) -> complex:
        """Return the small-signal impedance in ohm at the present state and sample temperature."""
        ...

    def sample_temperature_celsius(self, now_second: float) -> float: ...

    @property
    def conflicts(self) -> int: ...

    def truth(self) -> dict[str, float]: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


class ChamberAir(Protocol):
    """The air of a temperature chamber; ``None`` as set point means the machine is off."""

    def set_point(self, celsius: float | None, now_second: float) -> None: ...

    def air_temperature_celsius(self, now_second: float) -> float: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


class Probe(Protocol):
    """What hangs at the end of a scanner's pair of wires, as a thermometer or a voltmeter finds it."""

    def temperature_celsius(self, now_second: float) -> float:
        """Return what a thermometer there feels; NaN where there is none."""
        ...

    def voltage_volt(self, now_second: float) -> float: ...


class Load(Protocol):
    """What presses on a sensor."""

    def pressure_pascal(self, now_second: float) -> float:
        """Return the pressure above that of the air; compression is positive."""
        ...


class Front(Protocol):
    """An instrument's wire side: takes and emits bytes as the manual says, at handed-in times."""

    def receive(self, data: bytes, now_second: float) -> None:
        """Take bytes from the host; they may end in the middle of a line."""
        ...

    def transmit(self, now_second: float) -> bytes:
        """Return the bytes that the instrument has sent up to ``now_second`` and not yet returned."""
        ...

    def next_output_second(self) -> float | None:
        """Return when the next byte will be sent, as far as the front knows now; None: not by itself."""
        ...

    def disconnected(self, now_second: float) -> None:
        """The host's side of the link went away; what that does is the manual's business."""
        ...
