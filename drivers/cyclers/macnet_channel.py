"""What a Maccor channel can do, does, and is told to do, as plain data. Knows no link and no bytes.

Current is a magnitude on this wire, with its direction beside it; here it is signed as everywhere:
positive charges. Section numbers: the MacNet reference that the sheet names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from drivers.cyclers.macnet_conversation import Reply
from rig.core.instruments import (
    CellReading,
    ConstantCurrent,
    ConstantVoltage,
    Flag,
    Limits,
    Regulation,
)

_RANGES = (1, 2, 3, 4)
# Outside every channel's range, which means "ignore this one"; the value of the known rest frame.
_POWER_IGNORED, _RESISTANCE_IGNORED = 65536.0, 0.0
# Voltage and current of a regulated channel lie this close to their set points.
_REACHED_VOLT, _NEAR_VOLT, _FULL_CURRENT = 1e-5, 5e-3, 0.995


class Stat(IntEnum):
    """Status of a channel, section 4."""

    AVAILABLE = 0
    SELECTED = 1
    ACTIVE = 2
    SUSPENDED = 3
    COMPLETED = 4
    PROBLEM = 5
    NOT_AVAILABLE = 6
    RESET = 7
    START = 8
    POWER_FAIL = 9
    NO_CONTROLLER = 10
    SHUTDOWN = 11
    STARTING = 12
    BLOCKED = 13
    WAITING = 14
    FRA = 15
    REMOTE_MAINTENANCE = 16


CHARGING, DISCHARGING, RESTING = 1, 2, 4  # values of RF1
# Charge and discharge, external charge and discharge, pulses.
_DRIVING = frozenset({CHARGING, DISCHARGING, 8, 9, 19, 20})
_DISCONNECTED = (Stat.AVAILABLE, Stat.SUSPENDED, Stat.COMPLETED, Stat.RESET)  # section 8
ON_THE_WAY = (
    Stat.AVAILABLE,
    Stat.SELECTED,
    Stat.RESET,
    Stat.START,
    Stat.STARTING,
    Stat.WAITING,
)


class Mode(Enum):
    """ChMode of direct mode, and what RF1 says once it is in force."""

    CHARGE = "C"
    DISCHARGE = "D"
    REST = "R"

    @property
    def activity(self) -> int:
        return {Mode.CHARGE: CHARGING, Mode.DISCHARGE: DISCHARGING, Mode.REST: RESTING}[self]

    @property
    def sign(self) -> int:
        return {Mode.CHARGE: 1, Mode.DISCHARGE: -1, Mode.REST: 0}[self]


@dataclass(frozen=True, slots=True)
class Specification:
    """What a channel can hold: voltages, and the full scales of its current ranges 1 to 4.

    Power safeties are kept as the tester has them: a cell's limits say nothing about power.
    """

    lowest_volt: float
    highest_volt: float
    charge_ranges_ampere: tuple[float, ...]
    discharge_ranges_ampere: tuple[float, ...]
    charge_power_safety_watt: float
    discharge_power_safety_watt: float

    @classmethod
    def read(cls, reply: Reply) -> Specification:
        """Read the reply to 3,1."""
        return cls(
            reply.number("Vmin"),
            reply.number("Vmax"),
            tuple(reply.number(f"IR{number}Chg") for number in _RANGES),
            tuple(reply.number(f"IR{number}Dis") for number in _RANGES),
            reply.number("PBatSafeChg"),
            reply.number("PBatSafeDis"),
        )

    def ranges_ampere(self, mode: Mode) -> tuple[float, ...]:
        """Return the full scales in this direction."""
        return self.charge_ranges_ampere if mode is Mode.CHARGE else self.discharge_ranges_ampere

    def current_range(self, mode: Mode, current_ampere: float) -> int:
        """Return the number of the smallest range that holds this magnitude."""
        fitting = [
            (full_scale, number)
            for number, full_scale in zip(_RANGES, self.ranges_ampere(mode), strict=True)
            if full_scale >= current_ampere
        ]
        return min(fitting)[1]


@dataclass(frozen=True, slots=True)
class Safeties:
    """What the tester itself ends a test by (6,10); currents are magnitudes."""

    highest_volt: float
    lowest_volt: float
    charge_ampere: float
    discharge_ampere: float
    charge_watt: float
    discharge_watt: float

    @classmethod
    def within(cls, limits: Limits, specification: Specification) -> Safeties:
        """Return the tighter of the limits and what the channel can do."""
        return cls(
            min(limits.voltage_max_volt, specification.highest_volt),
            max(limits.voltage_min_volt, specification.lowest_volt),
            min(limits.current_max_ampere, max(specification.charge_ranges_ampere)),
            min(limits.current_max_ampere, max(specification.discharge_ranges_ampere)),
            specification.charge_power_safety_watt,
            specification.discharge_power_safety_watt,
        )

    def params(self) -> dict[str, float]:
        """Return them as 6,10 takes and repeats them."""
        return {
            "VSafeMax": single(self.highest_volt),
            "VSafeMin": single(self.lowest_volt),
            "ISafeChg": single(self.charge_ampere),
            "ISafeDis": single(self.discharge_ampere),
            "PBatSafeChg": single(self.charge_watt),
            "PBatSafeDis": single(self.discharge_watt),
        }


@dataclass(frozen=True, slots=True)
class Output:
    """A set point of direct mode: the current flows until the voltage is reached, which is then held."""

    mode: Mode
    current_ampere: float = 0.0  # magnitude
    voltage_volt: float = 0.0
    current_range: int = _RANGES[-1]

    def params(self) -> dict[str, float | str]:
        """Return the set points as 6,7 and 6,8 take them."""
        return {
            "Current": single(self.current_ampere),
            "Voltage": single(self.voltage_volt),
            "Power": _POWER_IGNORED,
            "Resistance": _RESISTANCE_IGNORED,
            "CurrentRange": self.current_range,
            "ChMode": self.mode.value,
        }

    def regulation(self, voltage_volt: float, current_ampere: float) -> Regulation:
        """Tell CC from CV, which the tester does not say.

        The voltage is held once it is reached, or when it is near and the current falls short.
        """
        if self.mode is Mode.REST:
            return Regulation.OPEN
        missing_volt = self.mode.sign * (self.voltage_volt - voltage_volt)
        falls_short = abs(current_ampere) < _FULL_CURRENT * self.current_ampere
        reached = missing_volt <= (_NEAR_VOLT if falls_short else _REACHED_VOLT)
        return Regulation.VOLTAGE if reached else Regulation.CURRENT


REST = Output(Mode.REST)


@dataclass(frozen=True, slots=True)
class ChannelReading:
    """One reading of a channel (4,7); ``activity`` is RF1, ``reason`` RF2."""

    activity: int
    reason: int
    stat: int
    voltage_volt: float
    current_ampere: float  # signed by RF1: the sign on the wire is not known

    @classmethod
    def read(cls, reply: Reply) -> ChannelReading:
        """Read the reply to 4,7."""
        activity, current = reply.whole("RF1"), reply.number("Current")
        if activity in (CHARGING, DISCHARGING):
            current = abs(current) if activity == CHARGING else -abs(current)
        return cls(
            activity, reply.whole("RF2"), reply.whole("Stat"), reply.number("Voltage"), current
        )

    @property
    def is_disconnected(self) -> bool:
        return self.stat in _DISCONNECTED and self.activity not in _DRIVING

    def does(self, output: Output) -> bool:
        """Say whether the channel does what it was told."""
        return self.stat == Stat.ACTIVE and self.activity == output.mode.activity

    def as_cell_reading(self, regulation: Regulation) -> CellReading:
        """Return voltage and current in the contract's words."""
        held = regulation is Regulation.VOLTAGE
        flags = int(Flag.VOLTAGE_HELD) if held else 0
        return CellReading(self.voltage_volt, self.current_ampere, regulation, flags)

    def __str__(self) -> str:
        known = self.stat in set(Stat)
        word = Stat(self.stat).name.lower() if known else "not in the reference"
        return f"Stat {self.stat} ({word}), RF1 {self.activity}, RF2 {self.reason}"


def refusals(
    setpoint: ConstantCurrent | ConstantVoltage, limits: Limits, specification: Specification
) -> list[str]:
    """Return everything why this channel within these limits cannot do it.

    A value beyond the channel's range would not be refused by the tester but ignored (section 5).
    """
    found: list[str] = []
    volt, ampere = volt_and_ampere(setpoint)
    lowest = max(limits.voltage_min_volt, specification.lowest_volt)
    highest = min(limits.voltage_max_volt, specification.highest_volt)
    full_scales = [max(specification.ranges_ampere(mode)) for mode in _modes(setpoint)]
    largest = min(limits.current_max_ampere, *full_scales)
    if not lowest <= volt <= highest:
        found.append(f"voltage {volt:g} V is outside {lowest:g} to {highest:g} V")
    if not 0 < ampere <= largest:
        found.append(f"current {ampere:g} A is not above 0 and up to {largest:g} A")
    return found


def plan(
    setpoint: ConstantCurrent | ConstantVoltage,
    specification: Specification,
    present: ChannelReading,
) -> Output:
    """Put a set point that was not refused into the tester's terms.

    A channel drives one way at a time. The way to hold a voltage is the one that leads to it from
    where the cell is; where it is there already, the way that current flows now.
    """
    volt, ampere = volt_and_ampere(setpoint)
    if isinstance(setpoint, ConstantCurrent):
        mode = Mode.CHARGE if setpoint.current_ampere > 0 else Mode.DISCHARGE
    elif abs(volt - present.voltage_volt) <= _NEAR_VOLT and present.activity in _DRIVING:
        mode = Mode.DISCHARGE if present.activity == DISCHARGING else Mode.CHARGE
    else:
        mode = Mode.CHARGE if volt >= present.voltage_volt else Mode.DISCHARGE
    return Output(mode, ampere, volt, specification.current_range(mode, ampere))


def volt_and_ampere(setpoint: ConstantCurrent | ConstantVoltage) -> tuple[float, float]:
    """Return the voltage to end at or hold, and the magnitude of the current."""
    if isinstance(setpoint, ConstantCurrent):
        return setpoint.voltage_limit_volt, abs(setpoint.current_ampere)
    return setpoint.voltage_volt, setpoint.current_limit_ampere


def _modes(setpoint: ConstantCurrent | ConstantVoltage) -> tuple[Mode, ...]:
    if isinstance(setpoint, ConstantVoltage):
        return (Mode.CHARGE, Mode.DISCHARGE)  # which way is known when the cell has been measured
    return (Mode.CHARGE,) if setpoint.current_ampere > 0 else (Mode.DISCHARGE,)


def single(value: float) -> float:
    """Round to what a 32-bit float can hold, so that the request reads like the reply."""
    return float(f"{value:.7g}")
