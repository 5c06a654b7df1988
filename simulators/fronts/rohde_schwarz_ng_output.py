"""One output of an R&S NGU or NGM: from settings to a drive on its cell, readings, protections.

Knows ratings, priorities, protections and what a reading costs in time; knows no SCPI spelling and
nothing of the cell but its terminals. Most ratings are [V] in the sheet.

Simulator's choices where the sheet is silent: with the output off the terminals are not seen (0 V,
0 A); ``*RST`` gives the smallest positive and the largest negative current limit, so that a driver
that forgets either shows; a fixed range is exceeded at 105 % and then reads 9.9E37; noise; a fuse
trips as soon as its delay after switching on is over and the current limit acts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from simulators.fronts.scpi import ScpiError
from simulators.fronts.scpi_rows import within
from simulators.interfaces import OPEN, Cell, Drive, DriveMode

OVERFLOW = 9.9e37
SMALLEST_AMPERE = 1e-6  # what SOUR:CURR MIN gives on an NGU401 [N]
_LINE_HERTZ = 50.0
_OVER_RANGE = 1.05
_LOWEST_RANGE_AMPERE = 1e-3  # of autorange after *RST
_VOLT_SIGMA, _RELATIVE_CURRENT_SIGMA = 20e-6, 2e-6
_TOLERANCE_VOLT = 1e-9
_ENERGY_STEP_SECOND = 10.0


class Priority(Enum):
    """What is held and what only limited; the values are the instrument's own words."""

    VOLTAGE = "VOLT"
    CURRENT = "CURR"


class Condition:
    """Bits of ``STAT:QUES:INST:ISUM<n>``."""

    CONSTANT_CURRENT = 1
    CONSTANT_VOLTAGE = 2
    OVERTEMPERATURE = 16
    OVERVOLTAGE = 512
    FUSE = 1024


@dataclass(frozen=True, slots=True)
class Ratings:
    """What one model can do; ``four_quadrant`` also says that it has negative-side commands."""

    four_quadrant: bool
    low_voltage_ampere: float  # up to 6 V
    current_ranges_ampere: tuple[float, ...]
    has_nplc: bool
    outputs: int = 1
    volt: float = 20.0
    ampere: float = 3.0  # above 6 V, and whenever it sinks
    low_volt: float = 6.0


MODELS = {
    "NGU401": Ratings(
        four_quadrant=True,
        low_voltage_ampere=8.0,
        current_ranges_ampere=(1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0),
        has_nplc=True,
    ),
    "NGM202": Ratings(
        four_quadrant=False,
        low_voltage_ampere=6.0,
        current_ranges_ampere=(1e-2, 0.1, 1.0, 10.0),
        has_nplc=False,
        outputs=2,
    ),
}


@dataclass(slots=True)
class Settings:
    """Everything that ``*RST`` puts back."""

    ampere_negative: float
    priority: Priority = Priority.VOLTAGE
    volt: float = 0.0
    volt_negative: float = 0.0
    ampere: float = SMALLEST_AMPERE
    mode: str = "AUTO"
    external_sense: bool = False
    protection_on: bool = False
    protection_volt: float = 20.0
    fuse_on: bool = False
    fuse_second: float = 0.0
    limits_on: bool = False
    limit_volt: tuple[float, float] = (-20.0, 20.0)
    limit_ampere: float = 10.0
    range_ampere: float | None = None  # None: automatic
    nplc: float = 1.0
    energy_on: bool = False
    kept: dict[str, bool] = field(default_factory=dict)  # switches that change nothing here


class Output:
    """One output on one cell (None: nothing is connected). A setter that refuses changes nothing."""

    def __init__(
        self, name: str, cell: Cell | None, ratings: Ratings, *, seed: int, noise: bool
    ) -> None:
        self.name = name
        self.ratings = ratings
        self.on = False
        self.selected = False  # whether the master switch of an NGM reaches it
        self.overtemperature = False
        self.sense_lead_open = False
        self._cell = cell
        self._gauss: Callable[[float, float], float] = random.Random(seed).gauss
        self._noise = 1.0 if noise else 0.0
        self._drive = OPEN
        self._tripped = 0  # the bits of protections that have tripped
        self._on_second = 0.0
        self._second = -math.inf
        self.energy_watt_hour = 0.0
        self.settings = self._defaults()

    def _defaults(self) -> Settings:
        return Settings(ampere_negative=-self.ratings.ampere)

    def reset(self, now_second: float) -> None:
        """Put the defaults back, output off, protections off and cleared."""
        self.settings = self._defaults()
        self.selected = False
        self._tripped = 0
        self.energy_watt_hour = 0.0
        self.switch(False, now_second)

    # -- settings ------------------------------------------------------------------------------

    def bounds(self, name: str) -> tuple[float, float]:
        """Return what a setting may be now, without the user's own safety limits."""
        settings, ratings = self.settings, self.ratings
        if name == "volt":
            return (-ratings.volt if ratings.four_quadrant else 0.0), ratings.volt
        if name == "volt_negative":
            return -ratings.volt, 0.0
        if name == "ampere":
            holds = settings.priority is Priority.CURRENT
            return (0.0 if holds else SMALLEST_AMPERE), self._most_ampere(settings.volt)
        if name == "ampere_negative":
            return -ratings.ampere, 0.0
        return 0.0, ratings.volt  # the overvoltage protection

    def _most_ampere(self, volt: float) -> float:
        low = abs(volt) <= self.ratings.low_volt
        return self.ratings.low_voltage_ampere if low else self.ratings.ampere

    def set_amount(self, name: str, value: float, now_second: float) -> None:
        """Set ``volt``, ``ampere``, their negative sides or ``protection_volt``; raises -222."""
        settings = self.settings
        within(value, *self.bounds(name))
        if name == "volt" and settings.ampere > self._most_ampere(value):
            raise ScpiError(-222, f"{value:g} V does not go with {settings.ampere:g} A")
        if settings.limits_on:
            self._check_limits(name, value)
        setattr(settings, name, value)
        self.act(now_second)

    def _check_limits(self, name: str, value: float) -> None:
        if name == "volt":
            within(value, *self.settings.limit_volt)
        if name == "ampere":
            within(value, 0.0, self.settings.limit_ampere)

    def set_range(self, ampere: float) -> None:
        """Fix the current range to the smallest that holds ``ampere``; raises -222."""
        for candidate in self.ratings.current_ranges_ampere:
            if ampere <= candidate:
                self.settings.range_ampere = candidate
                return
        raise ScpiError(-222, f"{ampere:g}")

    # -- output --------------------------------------------------------------------------------

    def switch(self, on: bool, now_second: float) -> None:
        """Switch the output; raises -221 while a tripped protection has not been cleared."""
        if on and (self._tripped or self.overtemperature):
            raise ScpiError(-221, "a protection has tripped")
        self.follow(now_second)
        if on and not self.on:
            self._on_second = now_second
        self.on = on
        self.act(now_second)

    def tripped(self, bit: int) -> bool:
        """Return whether that protection has tripped and was not cleared."""
        return bool(self._tripped & bit)

    def clear_trip(self, bit: int) -> None:
        """Forget the trip, so that the output can be switched on again."""
        self._tripped &= ~bit

    def act(self, now_second: float) -> None:
        """Let the present settings act on the cell."""
        if self._cell is None:
            return
        drive = self._wanted_drive(self._cell, now_second) if self.on else OPEN
        if drive != self._drive:
            self._drive = drive
            self._cell.drive(self.name, drive, now_second)

    def _wanted_drive(self, cell: Cell, now_second: float) -> Drive:
        settings = self.settings
        voltage, current, _ = cell.terminals(now_second)
        highest = settings.protection_volt if settings.protection_on else math.inf
        if settings.priority is Priority.CURRENT:
            bound = min(settings.volt, highest) if voltage >= 0 else -settings.volt_negative
            return Drive(DriveMode.CURRENT, settings.ampere, abs(bound))
        target = min(self._held_volt(), highest)
        # Two limits, one for each direction: which one counts follows from where current would go.
        # Open terminals at the target want none: a sink that is not there must not let go of them.
        sources = current > 0.0 or (current == 0.0 and voltage <= target)
        limit = self._source_ampere() if sources else self._sink_ampere()
        return Drive(DriveMode.VOLTAGE, target, limit) if limit > 0.0 else OPEN

    def _held_volt(self) -> float:
        """Return the voltage that the loop goes for: without sense leads it sees none and rises."""
        if self.sense_lead_open and self.settings.external_sense:
            return self.ratings.volt
        return self.settings.volt

    def _source_ampere(self) -> float:
        return 0.0 if self.settings.mode == "SINK" else self.settings.ampere

    def _sink_ampere(self) -> float:
        """Return the limit when sinking; on an NGM it follows the current setting ([V])."""
        if self.settings.mode == "SOUR":
            return 0.0
        if self.ratings.four_quadrant:
            return -self.settings.ampere_negative
        return min(self.settings.ampere, self.ratings.ampere)

    # -- time ----------------------------------------------------------------------------------

    def follow(self, now_second: float) -> None:
        """Let time pass: energy is counted, protections trip, limits change sides."""
        if not self.on or self._cell is None or self._second == -math.inf:
            self._second = now_second
            return
        left = now_second - self._second
        steps = math.ceil(left / _ENERGY_STEP_SECOND) if self.settings.energy_on else 1
        for _ in range(max(steps, 1)):
            self._second += left / max(steps, 1)
            self._step(self._cell, left / max(steps, 1))
            if not self.on:
                break
        self._second = now_second

    def _step(self, cell: Cell, second: float) -> None:
        voltage, current, _ = cell.terminals(self._second)
        if self.settings.energy_on:
            self.energy_watt_hour += voltage * current * second / 3600.0
        if self._protection_acts(voltage):
            self._trip(Condition.OVERVOLTAGE)
        elif self._fuse_blows():
            self._trip(Condition.FUSE)
        else:
            self.act(self._second)

    def _protection_acts(self, voltage: float) -> bool:
        settings = self.settings
        if not settings.protection_on:
            return False
        level = settings.protection_volt
        held_back = self._held_volt() > level and voltage >= level - _TOLERANCE_VOLT
        return held_back or voltage > level + _TOLERANCE_VOLT

    def _fuse_blows(self) -> bool:
        settings = self.settings
        ready = self._second >= self._on_second + settings.fuse_second
        return settings.fuse_on and ready and self._limits_current()

    def _trip(self, bit: int) -> None:
        self._tripped |= bit
        self.on = False
        self.act(self._second)

    def overheat(self, now_second: float) -> None:
        """Too hot: the output opens and cannot be switched on."""
        self.overtemperature = True
        self.switch(False, now_second)

    # -- measurement ---------------------------------------------------------------------------

    def condition(self, now_second: float) -> int:
        """Return the questionable condition register of this moment."""
        self.follow(now_second)
        bits = self._tripped | (Condition.OVERTEMPERATURE if self.overtemperature else 0)
        if self.on:
            limits = self._limits_current()
            bits |= Condition.CONSTANT_CURRENT if limits else Condition.CONSTANT_VOLTAGE
        return bits

    def _limits_current(self) -> bool:
        if self._cell is None:
            return False
        limited = self._cell.terminals(self._second).limited
        if self.settings.priority is Priority.CURRENT:
            return not limited
        return limited or self._drive is OPEN

    def reading_second(self) -> float:
        """Return how long one reading takes."""
        return self.settings.nplc / _LINE_HERTZ

    def measure(self, now_second: float) -> tuple[float, float]:
        """Return voltage and current as the instrument shows them."""
        self.follow(now_second)
        if self._cell is None or not self.on:
            voltage, current = 0.0, 0.0
        else:
            voltage, current, _ = self._cell.terminals(now_second)
        if self.sense_lead_open and self.settings.external_sense:
            voltage = 0.0
        averaged = self._noise / math.sqrt(self.settings.nplc)
        voltage += self._gauss(0.0, _VOLT_SIGMA * averaged)
        used = self._range_for(current)
        if abs(current) > used * _OVER_RANGE:
            return voltage, math.copysign(OVERFLOW, current)
        return voltage, current + self._gauss(0.0, used * _RELATIVE_CURRENT_SIGMA * averaged)

    def range_ampere(self, now_second: float) -> float:
        """Return the current range that a reading would be taken on."""
        self.follow(now_second)
        if self._cell is None or not self.on:
            return self._range_for(0.0)
        return self._range_for(self._cell.terminals(now_second).current_ampere)

    def _range_for(self, current: float) -> float:
        if self.settings.range_ampere is not None:
            return self.settings.range_ampere
        ranges = self.ratings.current_ranges_ampere
        needed = max(abs(current), _LOWEST_RANGE_AMPERE)
        return next((ampere for ampere in ranges if needed <= ampere), ranges[-1])
