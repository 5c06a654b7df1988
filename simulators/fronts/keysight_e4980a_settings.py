"""The E4980A's settings, ratings and ranges, as plain data. Knows no cell and no bytes."""

from __future__ import annotations

from dataclasses import dataclass

RANGES_OHM = (0.1, 1.0, 10.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5)
LOWEST_HERTZ = 20.0
FIXED_BIASES_VOLT = (0.0, 1.5, 2.0)
LARGEST_BIAS_VOLT = 40.0
MOST_LIST_POINTS = 201  # [V]
# The largest dc current of a normal measurement up to a range in ohm, isolation off and on. [M]
LARGEST_DC_AMPERE = {
    False: ((100.0, 20e-3), (1e3, 2e-3), (1e4, 200e-6), (1e5, 20e-6)),
    True: ((300.0, 100e-3), (3e3, 20e-3), (3e4, 2e-3), (1e5, 200e-6)),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is measured and how; the defaults are those of power-on (most of them [V])."""

    function: str = "CPD"
    frequency_hertz: float = 1000.0
    in_current: bool = False  # the level is a current
    level: float = 1.0  # rms, volt or ampere
    level_control: bool = False
    range_ohm: float = 100.0
    auto_range: bool = True
    speed: str = "MED"
    averages: int = 1
    bias_volt: float = 0.0
    bias_on: bool = False
    isolation: bool = False
    trigger: str = "INT"
    delay_second: float = 0.0
    list_page: bool = False
    list_hertz: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One measured point: the two quantities, R and X beside them, and the status."""

    shown: tuple[float, float]
    impedance_ohm: complex
    status: int


@dataclass(frozen=True, slots=True)
class Ratings:
    """One model with its options."""

    highest_hertz: float
    option_001: bool

    @property
    def volt(self) -> float:
        """The largest ac voltage level, rms."""
        return 20.0 if self.option_001 else 2.0

    @property
    def ampere(self) -> float:
        """The largest ac current level, rms."""
        return 0.1 if self.option_001 else 0.02
