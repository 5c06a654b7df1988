"""A Hioki BT4560 impedance meter: R, X and voltage of a live cell from 0.1 Hz to 1.05 kHz.

Knows readings, ranges and how long they take; triggers and registers are in hioki_meter, bytes in
hioki_text. The test current is alternating and stops at zero, so the cell is not driven.

Simulator's choices where the sheet is silent or unsure: the grid of frequencies, measuring times,
noise, what overflows and the constants that say so, items of the functions R and Z, power-on
delay and averaging, forms of the settings' queries, the voltage that the set of higher ranges
takes. The voltage limiter, zero-cross stop and slope correction are kept and without effect.
Left out for want of facts: adjustment, calibration, memory, comparator, ``:MEAS:VAL``.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from rig.core.errors import BadInput, Problem
from simulators.fronts import scpi_rows as rows
from simulators.fronts.hioki_meter import HiokiMeter, Reading
from simulators.fronts.hioki_rows import Rows, common_rows, full_word, setting, switch, word
from simulators.fronts.hioki_text import HiokiFront
from simulators.fronts.scpi import Action, Arguments, CommandTree, ScpiError, take
from simulators.interfaces import Cell

MODELS = ("BT4560", "BT4560-50")
_IMPEDANCE_NOISE = 1e-3
_IMPEDANCE_NOISE_OF_RANGE = 1e-5
_VOLTAGE_NOISE_VOLT = 10e-6
_LOWEST_HERTZ, _HIGHEST_HERTZ = 0.1, 1050.0
_FULL_SCALE = 1.2  # of a range's nominal value
_OVER_RANGE, _FAULT = 1e9, 1e10
_FUNCTIONS = ("RV", "ZV", "R", "Z", "V")
_RATES = ("FAST", "MEDium", "SLOW")
_PERIODS = {"FAST": 1.0, "MEDIUM": 2.0, "SLOW": 4.0}
_SHORTEST_IMPEDANCE_SECOND = 0.1
_VOLTAGE_SECOND = {"FAST": 0.1, "MEDIUM": 0.4, "SLOW": 1.0}


@dataclass(frozen=True, slots=True)
class RangeSet:
    """Nominal impedances of a variant's ranges, in rising order, and the voltage it takes."""

    ohm: tuple[float, ...]
    most_volt: float


# Both sets have been seen in the field; which variant has which, the sheet leaves open.
RANGE_SETS: Mapping[str, RangeSet] = {
    "low": RangeSet((3e-3, 10e-3, 100e-3), 5.1),
    "high": RangeSet((30e-3, 300e-3, 3.0), 10.0),
}


class ImpedanceMeter(HiokiMeter):
    """The meter on its cell."""

    function: str
    impedance_rate: str
    voltage_rate: str
    frequency_hertz: float
    automatic: bool
    range_ohm: float
    delay_mode: str
    delay_period: float
    average: int
    slope_correction: bool
    limiter: bool
    zero_cross: bool

    def __init__(self, cell: Cell, model: str, ranges: RangeSet, seed: int, noise: bool) -> None:
        super().__init__(f"HIOKI,{model},0,V1.00")
        self._cell = cell
        self._ranges = ranges
        self._random = Random(seed)
        self._noise = float(noise)

    def reset_conditions(self) -> None:
        self.function = "RV"
        self.impedance_rate = self.voltage_rate = "SLOW"
        self.frequency_hertz = 1000.0
        self.automatic, self.range_ohm = True, self._ranges.ohm[0]
        self.delay_mode, self.delay_period, self.average = "WAVE", 0.0, 1
        self.slope_correction = self.limiter = self.zero_cross = False

    def measuring_second(self) -> float:
        second = 0.0
        if self.function != "V":
            periods = self.delay_period + _PERIODS[self.impedance_rate] * self.average
            second += max(periods / self.frequency_hertz, _SHORTEST_IMPEDANCE_SECOND)
        if self.function.endswith("V"):
            second += _VOLTAGE_SECOND[self.voltage_rate] * self.average
        return second

    def measure(self, second: float) -> Reading:
        true = self._cell.impedance(self.frequency_hertz, second)
        if self.touches_nothing(true):
            return Reading(self.no_reading(), fault=True)
        voltage = self._cell.terminals(second).voltage_volt
        voltage += self._noise * self._random.gauss(0.0, _VOLTAGE_NOISE_VOLT)
        impedance = self._with_noise(true)
        if self.automatic:
            self.range_ohm = _smallest(self._ranges.ohm, abs(impedance))
        if abs(voltage) > self._ranges.most_volt:
            voltage = math.copysign(_OVER_RANGE, voltage)
        if abs(impedance) > _FULL_SCALE * self.range_ohm:
            return Reading(self._joined(_OVER_RANGE, _OVER_RANGE, voltage), fault=False)
        if self.function.startswith("Z"):
            size, phase = cmath.polar(impedance)
            return Reading(self._joined(size, math.degrees(phase), voltage), fault=False)
        return Reading(self._joined(impedance.real, impedance.imag, voltage), fault=False)

    def no_reading(self) -> str:
        return self._joined(_FAULT, _FAULT, _FAULT)

    def set_range(self, ohm: float) -> None:
        """Take the smallest range that holds ``ohm``, and no longer an automatic one."""
        if not 0 <= ohm <= self._ranges.ohm[-1]:
            raise ScpiError(-222, f"{ohm:g}")
        self.range_ohm, self.automatic = _smallest(self._ranges.ohm, ohm), False
        self.changed()

    def set_frequency(self, hertz: float) -> None:
        """Take the frequency of the device's grid that is next to ``hertz``."""
        self.frequency_hertz = on_grid(rows.within(hertz, _LOWEST_HERTZ, _HIGHEST_HERTZ))
        self.changed()

    def set_delay(self, periods: float) -> None:
        """Let every point wait so many periods before it is measured."""
        self.delay_period = rows.within(periods, 0.0, 10.0)
        self.changed()

    def set_average(self, count: int) -> None:
        """Average every point over so many measurements."""
        self.average = count
        self.changed()

    def set_rate(self, item: str, rate: str) -> None:
        """Set the speed of the impedance, ``Z``, or of the voltage, ``V``."""
        if item == "Z":
            self.impedance_rate = rate
        else:
            self.voltage_rate = rate
        self.changed()

    def _with_noise(self, impedance: complex) -> complex:
        gauss = self._random.gauss
        deviation = _IMPEDANCE_NOISE * abs(impedance) + _IMPEDANCE_NOISE_OF_RANGE * self.range_ohm
        deviation *= self._noise
        return impedance + complex(gauss(0.0, deviation), gauss(0.0, deviation))

    def _joined(self, first: float, second: float, voltage: float) -> str:
        """Return the items of the present function: R and X, or Z and its phase in degrees."""
        values = [first, second] if self.function != "V" else []
        if self.function.endswith("V"):
            values.append(voltage)
        return ",".join(map(shown, values))


def shown(value: float) -> str:
    """Return a number as the meter writes it.

    >>> shown(1.06571e-3)
    '+1.06571E-03'
    """
    return f"{value:+.5E}"


def on_grid(hertz: float) -> float:
    """Return the frequency in steps of two figures, and of 10 Hz above 1 kHz.

    >>> on_grid(0.3162), on_grid(316.2), on_grid(1049.0)
    (0.32, 320.0, 1050.0)
    """
    decimals = min(1 - math.floor(math.log10(hertz)), 2)
    return round(hertz, max(decimals, -1))


def _smallest(ranges: tuple[float, ...], ohm: float) -> float:
    return next((one for one in ranges if ohm <= one), ranges[-1])


def _rate(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[ImpedanceMeter]:
    item, rate = take(arguments, 2)
    item_word, rate_word = full_word(item, ("Z", "V")), full_word(rate, _RATES)
    return lambda meter: meter.set_rate(item_word, rate_word)


def _rows() -> Rows[ImpedanceMeter]:
    return {
        **common_rows(ImpedanceMeter),
        **word("FUNCtion", "function", _FUNCTIONS),
        **setting(
            "FREQuency",
            rows.set_number(ImpedanceMeter.set_frequency),
            lambda meter: shown(meter.frequency_hertz),
        ),
        **setting(
            "RANGe",
            rows.set_number(ImpedanceMeter.set_range),
            lambda meter: shown(meter.range_ohm),
        ),
        **switch("AUTorange", "automatic"),
        "SAMPle:RATE": _rate,
        **word("SAMPle:DELay:MODE", "delay_mode", ("WAVE",)),
        **setting(
            "SAMPle:DELay:WAVE",
            rows.set_number(ImpedanceMeter.set_delay),
            lambda meter: shown(meter.delay_period),
        ),
        **setting(
            "CALCulate:AVERage",
            rows.set_integer(1, 99, ImpedanceMeter.set_average),
            lambda meter: str(meter.average),
        ),
        **switch("ADJust:SLOPe", "slope_correction"),
        **switch("LIMit", "limiter"),
        **switch("ZERO:CROSs", "zero_cross"),
        "SYSTem:BEEPer": rows.set_boolean(lambda _meter, _on: None),
    }


_TREE = CommandTree(_rows())


class HiokiBT4560Front(HiokiFront[ImpedanceMeter]):
    """One meter on one cell; ``model`` is one of MODELS, ``ranges`` one of RANGE_SETS."""

    def __init__(
        self,
        name: str,
        cell: Cell,
        *,
        model: str = "BT4560",
        ranges: str = "low",
        seed: int,
        noise: bool = True,
    ) -> None:
        problems = [
            Problem(name, f"got {what} {got!r}, expected one of {', '.join(known)}")
            for what, got, known in (("model", model, MODELS), ("ranges", ranges, RANGE_SETS))
            if got not in known
        ]
        if problems:
            raise BadInput(problems)
        super().__init__(ImpedanceMeter(cell, model, RANGE_SETS[ranges], seed, noise), _TREE)
