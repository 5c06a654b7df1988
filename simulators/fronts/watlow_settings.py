"""The words of a Watlow F4T and how a chamber builder has set one up: codes, machine, ramp.

Values of the codes are those of the Modbus registers. Knows no registers, no SCPI and no air.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from simulators.fronts.watlow_profile import ProfileStep, StepKind

EVENTS = 8
ALARMS = 8


class Units(IntEnum):
    """What temperatures are told in; the values are those of register 1328."""

    FAHRENHEIT = 30
    CELSIUS = 15


class Mode(IntEnum):
    """Control modes, register 2730."""

    AUTO = 10
    OFF = 62
    MANUAL = 54


class RampAction(IntEnum):
    """When the set point ramps, register 2794."""

    OFF = 62
    STARTUP = 88
    SETPOINT = 85
    BOTH = 13


class RampScale(IntEnum):
    """What the ramp rate is per, register 2796."""

    MINUTES = 57
    HOURS = 39


class ProfileState(IntEnum):
    """Register 16568."""

    OFF = 62
    RUNNING = 149
    PAUSED = 146
    NOT_STARTED = 251
    COMPLETE = 252
    TERMINATED = 253


class ValueRefused(Exception):
    """A value the controller does not take; nothing has changed."""


_ONE_PROFILE = {
    1: (
        ProfileStep(StepKind.RAMP_RATE, celsius=60.0, kelvin_per_minute=1.0),
        ProfileStep(StepKind.SOAK, duration_second=1800.0),
        ProfileStep(StepKind.RAMP_TIME, celsius=25.0, duration_second=3600.0),
        ProfileStep(StepKind.END),
    )
}


@dataclass(frozen=True, slots=True)
class Machine:
    """How a chamber builder has set up its F4T; temperatures in degC.

    ``clamps``: a set point beyond the limits is clamped rather than refused (which of the two a real
    one does is unknown). ``run_event``: the event that switches conditioning; None: none does.
    """

    low_celsius: float = -70.0
    high_celsius: float = 180.0
    clamps: bool = False
    run_event: int | None = 1
    units: Units = Units.CELSIUS
    profiles: Mapping[int, tuple[ProfileStep, ...]] = field(default_factory=lambda: _ONE_PROFILE)


@dataclass(frozen=True, slots=True)
class Ramp:
    """The working set point on its way: a straight line, then the target."""

    from_celsius: float
    to_celsius: float
    kelvin_per_second: float
    start_second: float

    @property
    def end_second(self) -> float:
        """When the target is reached."""
        return self.start_second + abs(self.to_celsius - self.from_celsius) / self.kelvin_per_second

    def celsius(self, second: float) -> float:
        """Return the working set point at ``second``."""
        moved = self.kelvin_per_second * max(0.0, second - self.start_second)
        change = self.to_celsius - self.from_celsius
        return self.from_celsius + math.copysign(min(moved, abs(change)), change)
