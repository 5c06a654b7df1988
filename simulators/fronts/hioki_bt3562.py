"""A Hioki BT3562 battery tester: resistance at 1 kHz and voltage, in numbers of fixed width.

Knows readings and ranges; triggers and registers are in hioki_meter, bytes in hioki_text. The test
current is alternating, so the cell is not driven; the 90 kohm of the voltage input is left out.

Simulator's choices where the sheet is silent: the measuring times, the noise, that a range
overflows beyond its nominal value, that the minus sign stands in the first place, how range
queries are answered, and the version. Left out for want of facts: memory, comparator, averaging,
the EXT I/O (of which ``:SYST:ERR`` is a part, no error queue), adjustment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from rig.core.errors import BadInput, Problem, did_you_mean
from simulators.fronts import scpi_rows as rows
from simulators.fronts.hioki_meter import HiokiMeter, Reading
from simulators.fronts.hioki_rows import Rows, common_rows, setting, switch, word
from simulators.fronts.hioki_text import HiokiFront
from simulators.fronts.scpi import CommandTree, ScpiError
from simulators.interfaces import Cell

_FREQUENCY_HERTZ = 1000.0
_RESISTANCE_NOISE = 5e-4
_VOLTAGE_NOISE_VOLT = 10e-6
_FUNCTIONS = ("RV", "RESistance", "VOLTage")
_RATES = ("EXFast", "FAST", "MEDium", "SLOW")
_RATE_SECOND = {"EXFAST": 0.004, "FAST": 0.012, "MEDIUM": 0.035, "SLOW": 0.150}
_OVERFLOW, _FAULT = 9, 10  # the powers of ten that are no measurement


@dataclass(frozen=True, slots=True)
class Range:
    """A measuring range in ohm or volt, and its reply: ``digits.decimals`` E ``exponent``."""

    full_scale: float
    digits: int
    decimals: int
    exponent: int = 0

    def shown(self, value: float) -> str:
        """Return ``value`` as the reply gives it; plus sign and leading zeros are blanks.

        >>> Range(0.3, 4, 2, -3).shown(15.03e-3)
        '   15.03E-3'
        """
        if abs(value) > self.full_scale:
            return self.no_measurement(_OVERFLOW, "-" if value < 0 else "+")
        sign = "-" if value < 0 else " "
        width = self.digits + 1 + self.decimals
        mantissa = abs(value) / 10.0**self.exponent
        return f"{sign}{mantissa:{width}.{self.decimals}f}E{self.exponent:+d}"

    def no_measurement(self, power: int, sign: str = "+") -> str:
        """Return ten to ``power`` in the digits of this range.

        >>> Range(0.3, 4, 2, -3).no_measurement(10)
        '+1000.00E+7'
        """
        shift = self.digits - 1
        return f"{sign}{10**shift:.{self.decimals}f}E{power - shift:+d}"


RESISTANCE_RANGES = (
    Range(3e-3, 2, 4, -3),
    Range(30e-3, 3, 3, -3),
    Range(300e-3, 4, 2, -3),
    Range(3.0, 2, 4),
    Range(30.0, 3, 3),
    Range(300.0, 4, 2),
    Range(3000.0, 2, 4, 3),
)
_6_VOLT, _60_VOLT = Range(6.0, 1, 5), Range(60.0, 2, 4)
_100_VOLT, _300_VOLT = Range(100.0, 3, 3), Range(300.0, 3, 3)
VOLTAGE_RANGES: Mapping[str, tuple[Range, ...]] = {
    "BT3562": (_6_VOLT, _60_VOLT),
    "BT3562A": (_6_VOLT, _60_VOLT, _100_VOLT),
    "BT3563": (_6_VOLT, _60_VOLT, _300_VOLT),
    "BT3563A": (_6_VOLT, _60_VOLT, _300_VOLT),
}
MODELS = tuple(VOLTAGE_RANGES)


class BatteryTester(HiokiMeter):
    """The tester on its cell."""

    function: str
    rate: str
    automatic: bool
    resistance_range: Range
    voltage_range: Range

    def __init__(self, cell: Cell, model: str, seed: int, noise: bool) -> None:
        super().__init__(f"HIOKI,{model},0,V1.00")
        self._cell = cell
        self._voltage_ranges = VOLTAGE_RANGES[model]
        self._random = Random(seed)
        self._noise = float(noise)

    def reset_conditions(self) -> None:
        self.function, self.rate, self.automatic = "RV", "SLOW", True
        self.resistance_range, self.voltage_range = RESISTANCE_RANGES[0], self._voltage_ranges[0]

    def measuring_second(self) -> float:
        return _RATE_SECOND[self.rate] * (2 if self.function == "RV" else 1)

    def measure(self, second: float) -> Reading:
        impedance = self._cell.impedance(_FREQUENCY_HERTZ, second)
        if self.touches_nothing(impedance):
            return Reading(self.no_reading(), fault=True)
        gauss = self._random.gauss
        resistance = impedance.real * (1 + self._noise * gauss(0.0, _RESISTANCE_NOISE))
        voltage = self._cell.terminals(second).voltage_volt
        voltage += self._noise * gauss(0.0, _VOLTAGE_NOISE_VOLT)
        if self.automatic:
            self.resistance_range = _smallest(RESISTANCE_RANGES, resistance)
            self.voltage_range = _smallest(self._voltage_ranges, voltage)
        return Reading(
            self._joined(
                self.resistance_range.shown(resistance), self.voltage_range.shown(voltage)
            ),
            fault=False,
        )

    def no_reading(self) -> str:
        return self._joined(
            self.resistance_range.no_measurement(_FAULT), self.voltage_range.no_measurement(_FAULT)
        )

    def set_resistance_range(self, ohm: float) -> None:
        """Take the smallest range that holds ``ohm``, and no longer an automatic one."""
        self.resistance_range = _holding(RESISTANCE_RANGES, ohm)
        self._fix_ranges()

    def set_voltage_range(self, volt: float) -> None:
        """Take the smallest range that holds ``volt``, and no longer an automatic one."""
        self.voltage_range = _holding(self._voltage_ranges, volt)
        self._fix_ranges()

    def _fix_ranges(self) -> None:
        self.automatic = False
        self.changed()

    def _joined(self, resistance: str, voltage: str) -> str:
        alone = {"RESISTANCE": resistance, "VOLTAGE": voltage}
        return alone.get(self.function, f"{resistance},{voltage}")


def _smallest(ranges: tuple[Range, ...], value: float) -> Range:
    return next((one for one in ranges if abs(value) <= one.full_scale), ranges[-1])


def _holding(ranges: tuple[Range, ...], value: float) -> Range:
    if not 0 <= value <= ranges[-1].full_scale:
        raise ScpiError(-222, f"{value:g}")
    return _smallest(ranges, value)


def _rows() -> Rows[BatteryTester]:
    return {
        **common_rows(BatteryTester),
        **word("FUNCtion", "function", _FUNCTIONS),
        **word("SAMPle:RATE", "rate", _RATES),
        **switch("AUTorange", "automatic"),
        **setting(
            "RESistance:RANGe",
            rows.set_number(BatteryTester.set_resistance_range),
            lambda meter: meter.resistance_range.shown(meter.resistance_range.full_scale),
        ),
        **setting(
            "VOLTage:RANGe",
            rows.set_number(BatteryTester.set_voltage_range),
            lambda meter: meter.voltage_range.shown(meter.voltage_range.full_scale),
        ),
    }


_TREE = CommandTree(_rows())


class HiokiBT3562Front(HiokiFront[BatteryTester]):
    """One tester on one cell; ``model`` is one of MODELS."""

    def __init__(
        self, name: str, cell: Cell, *, model: str = "BT3562", seed: int, noise: bool = True
    ) -> None:
        if model not in MODELS:
            message = f"got model {model!r}, expected one of {', '.join(MODELS)}"
            near = did_you_mean(model, MODELS)
            raise BadInput(Problem(name, message, example=MODELS[0], suggestion=near))
        super().__init__(BatteryTester(cell, model, seed, noise), _TREE)
