"""The small interfaces that drivers fulfil and the engine uses; what travels over them is frozen.

Signs: positive current charges the cell. Imaginary impedance as measured (capacitive is
negative). Base units throughout: volt, ampere, ohm, hertz, second; temperatures in degree
Celsius, as in the Battery Data Format.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import NamedTuple, Protocol

from rig.core.link import Link
from rig.core.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Identity:
    """What an instrument says it is; ``model`` is the sheet's spelling, e.g. ``2450``."""

    maker: str
    model: str
    serial: str
    firmware: str


class Regulation(Enum):
    """What a cell channel is doing at the moment of a reading."""

    OPEN = "open"  # output off or zero current: the reading is the open-circuit voltage
    CURRENT = "current"  # the current is held
    VOLTAGE = "voltage"  # the voltage is held: CV, or the voltage limit of a CC set point
    STOPPED = "stopped"  # the instrument ended the set point by itself and disconnected the cell


class Flag(IntFlag):
    """What is wrong or special with a value; stored with it, never hidden in it."""

    NONE = 0
    OVERLOAD = 1  # beyond what the range can show: the value is not a measurement
    UNDERLOAD = 2  # too small for the range: poor accuracy
    OVERLOAD_WARNING = 4
    TIMING = 8  # the instrument could not keep its own time
    COMPLIANCE = 16  # an instrument limit other than the one of the set point is active
    OVERTEMPERATURE = 32
    VOLTAGE_HELD = 64  # regulation was VOLTAGE: the CV part
    SETTLING = 128
    STALE = 256  # nothing new since the last look


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """No current; the voltage is measured."""


@dataclass(frozen=True, slots=True)
class ConstantCurrent:
    """Drive ``current_ampere`` (signed) until the cell reaches ``voltage_limit_volt``.

    The instrument itself never lets the cell pass the limit. At the limit it holds the voltage
    (CC-CV) when ``hold_at_limit``; otherwise it may hold it or open the cell, whichever it does
    in hardware, and says so by VOLTAGE or STOPPED in the next reading.
    """

    current_ampere: float
    voltage_limit_volt: float
    hold_at_limit: bool = False


@dataclass(frozen=True, slots=True)
class ConstantVoltage:
    """Hold ``voltage_volt``; the current never exceeds ``current_limit_ampere`` either way."""

    voltage_volt: float
    current_limit_ampere: float


Setpoint = OpenCircuit | ConstantCurrent | ConstantVoltage


@dataclass(frozen=True, slots=True)
class Limits:
    """Absolute bounds that the instrument itself is armed with at every apply, as far as it can.

    ``longest_second`` is the dead-man: an instrument that can stop by itself ends the set point
    after this time even when nobody speaks to it any more.
    """

    voltage_min_volt: float
    voltage_max_volt: float
    current_max_ampere: float
    longest_second: float = 86_400.0


class CellReading(NamedTuple):
    """One measurement of a cell channel. A tuple: one is made for every sample."""

    voltage_volt: float
    current_ampere: float
    regulation: Regulation
    flags: int = 0


class CellChannel(Protocol):
    """Something that drives a cell and measures it: an SMU, a potentiostat, a cycler channel."""

    def identify(self) -> Identity: ...

    def apply(self, setpoint: Setpoint, limits: Limits) -> None:
        """Command the set point and arm the instrument's own limits with it; confirmed.

        Raises OutOfRange before any byte is sent when the instrument or ``limits`` cannot hold
        it; Refused when the instrument reports an error.
        """
        ...

    def measure(self) -> CellReading:
        """Return the newest voltage and current; overloads are flagged, never a number like 9.9e37."""
        ...

    def make_safe(self) -> None:
        """Disconnect the cell and read back that it is so; idempotent.

        Raises UnconfirmedSafeState when the instrument does not confirm it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sweep:
    """One impedance spectrum: ``points`` log-spaced frequencies from ``start`` to ``stop``, in order.

    Exactly one of the amplitudes (rms) is given: volt for a potentiostatic, ampere for a
    galvanostatic spectrum. ``bias_volt`` None means at the open-circuit voltage, which the driver
    measures first.
    """

    start_hertz: float
    stop_hertz: float
    points: int
    amplitude_volt: float | None = None
    amplitude_ampere: float | None = None
    bias_volt: float | None = None


class ImpedancePoint(NamedTuple):
    """One point of a spectrum; imaginary part as measured."""

    frequency_hertz: float
    real_impedance_ohm: float
    imaginary_impedance_ohm: float
    flags: int = 0


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """The points that came since the last poll, and whether the sweep has ended, cell off."""

    points: tuple[ImpedancePoint, ...]
    done: bool


class ImpedanceAnalyser(Protocol):
    """Something that measures spectra; begin returns at once, poll collects what has come."""

    def identify(self) -> Identity: ...

    def begin(self, sweep: Sweep, limits: Limits) -> None:
        """Start a spectrum. Raises OutOfRange before any byte is sent, Refused."""
        ...

    def poll(self) -> SweepProgress:
        """Return what has arrived; never waits for the next point."""
        ...

    def make_safe(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ChamberReading:
    """``alarms`` holds the chamber's own alarm codes; ``running`` is false in standby or off."""

    temperature_celsius: float
    setpoint_celsius: float
    running: bool
    alarms: tuple[int, ...] = ()


class Chamber(Protocol):
    """Something that holds the temperature around cells."""

    def identify(self) -> Identity: ...

    def set_temperature(self, temperature_celsius: float) -> None:
        """Command the set point, start conditioning, and read it back.

        Raises OutOfRange before any byte is sent, Refused.
        """
        ...

    def read_temperature(self) -> ChamberReading: ...

    def make_safe(self) -> None:
        """Bring the air back to 25 degC and leave the chamber in standby, confirmed; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class ResistanceReading:
    """AC resistance at the instrument's own frequency and the voltage beside it; NaN if flagged."""

    resistance_ohm: float
    voltage_volt: float
    flags: int = 0


class ResistanceMeter(Protocol):
    """A battery tester that shows one AC resistance and the open-circuit voltage."""

    def identify(self) -> Identity: ...

    def read_resistance(self) -> ResistanceReading: ...

    def make_safe(self) -> None: ...


class Multiplexer(Protocol):
    """A scanner that connects one instrument to one of many cells; one path at a time.

    A path is named as the instrument names it (``101``).
    """

    def identify(self) -> Identity: ...

    def connect(self, path: str) -> None:
        """Open every other path, then close this one; both read back. Raises OutOfRange, Refused."""
        ...

    def make_safe(self) -> None:
        """Open every path, confirmed; idempotent."""
        ...


class Quantity(Enum):
    """What a sensor's path measures; the value says the unit of its readings."""

    TEMPERATURE = "celsius"
    DEW_POINT = "dew point celsius"
    PRESSURE = "pascal"
    FORCE = "newton"
    VOLTAGE = "volt"


class SensorReading(NamedTuple):
    """One value in the unit of its quantity; NaN with a flag where there is none to be had.

    An open thermocouple is OVERLOAD, a scanner that has not come round since the last look STALE.
    """

    value: float
    flags: int = 0


class Sensor(Protocol):
    """Something that reads one or several quantities beside a cell; it has no dangerous output.

    A path is named as the instrument names it (``101``); an instrument with one quantity has "".
    """

    def identify(self) -> Identity: ...

    def quantity(self, path: str) -> Quantity:
        """Say what a path measures, without a byte on the wire; raises OutOfRange for none of its paths."""
        ...

    def read(self, path: str) -> SensorReading:
        """Return the newest value. Raises LinkTimeout where an instrument has fallen silent."""
        ...

    def make_safe(self) -> None:
        """End acquisition; idempotent."""
        ...


class Driver(Protocol):
    """What every entry of ``rig.drivers`` is: a class with a sheet, made from a link, silent."""

    sheet: Sheet

    def __init__(self, link: Link, name: str) -> None:
        """Store the link; send nothing. ``name`` is the bench's name, for messages."""
        ...

    def identify(self) -> Identity:
        """Ask what this is; raises WrongInstrument when the sheet does not know it."""
        ...

    def make_safe(self) -> None: ...
