"""What goes into the fold and what comes out of it: frozen messages, no behaviour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from rig.core.instruments import Regulation, Setpoint, Sweep

NAN = math.nan


class Overdue(NamedTuple):
    """A sensor without a value for longer than it may be; ``trouble`` says where and why."""

    age_second: float
    oldest_second: float
    trouble: str

    @property
    def words(self) -> str:
        return f"no valid value for {self.age_second:.0f} s ({self.trouble})"


class Sensed(NamedTuple):
    """What the sensors beside a cell said last, by name: temperature, pressure, an auxiliary's.

    In degree Celsius, pascal, newton, volt. NaN before the first value and where the newest is too
    old: those are ``overdue``.
    """

    values: Mapping[str, float] = {}
    overdue: Mapping[str, Overdue] = {}


class Reading(NamedTuple):
    """One look at a channel. NaN where nothing was measured: never a number that is none.

    ``temperature_celsius`` is the chamber's; what sensors say is in ``sensed``, None on a channel
    that has none. ``granted`` says that the channel's chamber works for this run's set point. ``sweep_done``
    says that the spectrum that was begun has come in whole, ``objection`` what speaks against it;
    ``probe_ohm`` is |Z| where it was a single point.
    """

    test_time_second: float
    voltage_volt: float = NAN
    current_ampere: float = NAN
    regulation: Regulation = Regulation.OPEN
    flags: int = 0
    temperature_celsius: float = NAN
    granted: bool = False
    sweep_done: bool = False
    probe_ohm: float = NAN
    sensed: Sensed | None = None
    objection: str = ""


class Apply(NamedTuple):
    """Put a set point on the cell. The instrument ends it by itself after ``longest_second``."""

    setpoint: Setpoint
    longest_second: float


class Purpose(Enum):
    """What a sweep is for."""

    SPECTRUM = "spectrum"
    REPETITION = "repetition"  # the lowest points of the spectrum before it, once more
    PROBE = "probe"  # one |Z| that tells whether the sample is at temperature; not kept


class BeginSweep(NamedTuple):
    """Hand the cell to the analyser and start a sweep."""

    sweep: Sweep
    purpose: Purpose = Purpose.SPECTRUM


class ReadResistance(NamedTuple):
    """Disconnect the cell and have the resistance meter read it once."""


class SetTemperature(NamedTuple):
    """Ask the chamber for a temperature, with the cell at open circuit meanwhile."""

    celsius: float


class MakeSafe(NamedTuple):
    """Disconnect the cell, confirmed."""

    reason: str


Command = Apply | BeginSweep | ReadResistance | SetTemperature | MakeSafe


class StepEnded(NamedTuple):
    """A row of the step table."""

    step_count: int
    step_id: int
    cycle_count: int
    began_second: float
    ended_second: float
    seq_first: int
    seq_last: int
    capacity_ah: float
    energy_wh: float
    reason: str


class CycleEnded(NamedTuple):
    """A row of the cycle table; capacities in Ah, energies in Wh of this cycle alone."""

    cycle_count: int
    phase: str
    seq_first: int
    seq_last: int
    charging_capacity_ah: float
    discharging_capacity_ah: float
    charging_energy_wh: float
    discharging_energy_wh: float


class Note(NamedTuple):
    """Something worth a line in the run's event log."""

    kind: str
    message: str


class Breach(NamedTuple):
    """What tripped the run; ``kind`` is an alarm's. NaN where it is no number against a limit."""

    kind: str
    words: str
    value: float = NAN
    limit: float = NAN
    unit: str = ""


class SpectrumEnded(NamedTuple):
    """Every point has come, the repeated ones too; the open-circuit voltage after it, or NaN.

    ``objection`` is what speaks against it, empty for nothing.
    """

    open_circuit_volt: float
    objection: str = ""


Event = StepEnded | CycleEnded | SpectrumEnded | Note | Breach


class Action(NamedTuple):
    """What to do now: perhaps one command, perhaps keep the reading, and when to look again."""

    due_second: float
    command: Command | None = None
    record: bool = False
    events: tuple[Event, ...] = ()
