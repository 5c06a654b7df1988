"""What an E4980A can show of an impedance, how it writes numbers, and how long it takes.

Pure functions and tables; knows no cell and no command.
"""

from __future__ import annotations

import cmath
import math
from bisect import bisect_left
from collections.abc import Callable

OVERFLOW = 9.9e37
# Angular frequency in rad/s and impedance in ohm -> the two quantities of a function.
Pair = tuple[float, float]
_Show = Callable[[float, complex], Pair]

# Milliseconds at these frequencies for SHORT, MEDIUM, LONG; [V] in the sheet.
_TIMED_HERTZ = (20.0, 100.0, 1e3, 1e4, 1e6)
_TIME_MILLISECOND = {
    "SHOR": (330.0, 100.0, 20.0, 7.7, 5.6),
    "MED": (380.0, 180.0, 110.0, 92.0, 88.0),
    "LONG": (480.0, 300.0, 240.0, 230.0, 220.0),
}


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else OVERFLOW


def _parallel_capacitance(omega: float, impedance: complex) -> float:
    return (1.0 / impedance).imag / omega


def _parallel_inductance(omega: float, impedance: complex) -> float:
    return -_ratio(1.0, omega * (1.0 / impedance).imag)


def _series_capacitance(omega: float, impedance: complex) -> float:
    return -_ratio(1.0, omega * impedance.imag)


def _series_inductance(omega: float, impedance: complex) -> float:
    return impedance.imag / omega


def _conductance(_omega: float, impedance: complex) -> float:
    return (1.0 / impedance).real


def _parallel_resistance(_omega: float, impedance: complex) -> float:
    return _ratio(1.0, (1.0 / impedance).real)


def _series_resistance(_omega: float, impedance: complex) -> float:
    return impedance.real


def _capacitive_loss(_omega: float, impedance: complex) -> float:
    return -_ratio(impedance.real, impedance.imag)


def _capacitive_quality(_omega: float, impedance: complex) -> float:
    return -_ratio(impedance.imag, impedance.real)


def _inductive_loss(_omega: float, impedance: complex) -> float:
    return _ratio(impedance.real, impedance.imag)


def _inductive_quality(_omega: float, impedance: complex) -> float:
    return _ratio(impedance.imag, impedance.real)


_One = Callable[[float, complex], float]


def _both(first: _One, second: _One) -> _Show:
    return lambda omega, impedance: (first(omega, impedance), second(omega, impedance))


def _polar(value: complex, radian: float) -> Pair:
    return abs(value), cmath.phase(value) / radian


_DEGREE = math.pi / 180.0
# The sheet's list without LPRD and LSRD, whose dc resistance the sheet does not describe; VDID
# shows no impedance and stands with the dc path.
FUNCTIONS: dict[str, _Show] = {
    "CPD": _both(_parallel_capacitance, _capacitive_loss),
    "CPQ": _both(_parallel_capacitance, _capacitive_quality),
    "CPG": _both(_parallel_capacitance, _conductance),
    "CPRP": _both(_parallel_capacitance, _parallel_resistance),
    "CSD": _both(_series_capacitance, _capacitive_loss),
    "CSQ": _both(_series_capacitance, _capacitive_quality),
    "CSRS": _both(_series_capacitance, _series_resistance),
    "LPD": _both(_parallel_inductance, _inductive_loss),
    "LPQ": _both(_parallel_inductance, _inductive_quality),
    "LPG": _both(_parallel_inductance, _conductance),
    "LPRP": _both(_parallel_inductance, _parallel_resistance),
    "LSD": _both(_series_inductance, _inductive_loss),
    "LSQ": _both(_series_inductance, _inductive_quality),
    "LSRS": _both(_series_inductance, _series_resistance),
    "RX": lambda _omega, impedance: (impedance.real, impedance.imag),
    "ZTD": lambda _omega, impedance: _polar(impedance, _DEGREE),
    "ZTR": lambda _omega, impedance: _polar(impedance, 1.0),
    "GB": lambda _omega, impedance: ((1.0 / impedance).real, (1.0 / impedance).imag),
    "YTD": lambda _omega, impedance: _polar(1.0 / impedance, _DEGREE),
    "YTR": lambda _omega, impedance: _polar(1.0 / impedance, 1.0),
}
VOLTAGE_AND_CURRENT = "VDID"


def measuring_second(frequency_hertz: float, speed: str, averages: int) -> float:
    """Return how long a point takes: the sheet's table, straight between its points in log f."""
    times = _TIME_MILLISECOND[speed]
    place = bisect_left(_TIMED_HERTZ, frequency_hertz)
    if place == 0 or place == len(_TIMED_HERTZ):
        return times[max(place - 1, 0)] * 1e-3 * averages
    low, high = _TIMED_HERTZ[place - 1], _TIMED_HERTZ[place]
    part = math.log(frequency_hertz / low) / math.log(high / low)
    return (times[place - 1] + (times[place] - times[place - 1]) * part) * 1e-3 * averages


def write_number(value: float, *, long: bool) -> str:
    """Return a value as the manual's ``SN.NNNNNESNN``, or with nine decimals when ``long``.

    >>> write_number(-0.0053, long=False)
    '-5.30000E-03'
    """
    return f"{value:+.9E}" if long else f"{value:+.5E}"
