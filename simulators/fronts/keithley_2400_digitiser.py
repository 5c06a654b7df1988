"""The 2400's digitiser: what a reading shows of the terminals, and its status word.

Knows settings and ranges; knows no cell, no commands and no time.

Simulator's choices where the sheet is silent: 5½ digits, one count of white noise at 1 NPLC; the
sourced quantity is read on the source range, and always read back; auto-ohms' bit 10 never comes.
"""

from __future__ import annotations

import math
import random

from simulators.fronts.keithley_2400_settings import (
    NOT_A_NUMBER,
    Ratings,
    Reading,
    Settings,
    Status,
    holds,
)
from simulators.fronts.keithley_settings import OVERFLOW, Function
from simulators.interfaces import Terminals

_COUNTS_PER_RANGE = 200_000
_MEASURED_BITS = {
    Function.VOLTAGE: Status.VOLTAGE_MEASURED,
    Function.CURRENT: Status.CURRENT_MEASURED,
    Function.RESISTANCE: Status.RESISTANCE_MEASURED,
}
_SOURCED_BITS = {
    Function.VOLTAGE: Status.VOLTAGE_SOURCED,
    Function.CURRENT: Status.CURRENT_SOURCED,
}


class Digitiser:
    """Makes readings of what is at the terminals; its noise repeats with the seed."""

    def __init__(self, ratings: Ratings, *, seed: int, noise: bool) -> None:
        self._ratings = ratings
        self._gauss = random.Random(seed).gauss
        self._noise_counts = 1.0 if noise else 0.0

    def read(self, settings: Settings, terminals: Terminals, second: float) -> Reading:
        """Return one reading; under autorange the measure ranges follow it."""
        voltage = self._shown(settings, Function.VOLTAGE, terminals.voltage_volt)
        current = self._shown(settings, Function.CURRENT, terminals.current_ampere)
        beyond = OVERFLOW in (abs(voltage), abs(current))
        resistance = NOT_A_NUMBER
        if Function.RESISTANCE in settings.measured:
            resistance = OVERFLOW if beyond or not current else voltage / current
        status = _status(settings) | _clamps(settings, terminals.limited)
        if beyond or resistance == OVERFLOW:
            status |= Status.OVERFLOW
        return Reading(voltage, current, resistance, second, status)

    def _shown(self, settings: Settings, function: Function, value: float) -> float:
        """Return ``value`` with noise in whole counts; overflow beyond the range it is read on."""
        if function not in settings.digitised:
            return NOT_A_NUMBER
        chosen = self._range(settings, function, abs(value))
        if not holds(abs(value), chosen):
            return math.copysign(OVERFLOW, value)
        count = chosen / _COUNTS_PER_RANGE
        noise = self._noise_counts * self._gauss(0.0, 1.0) / math.sqrt(settings.averages)
        return round(value / count + noise) * count

    def _range(self, settings: Settings, function: Function, magnitude: float) -> float:
        if function is settings.source:
            return settings.sources[function].range
        sense = settings.senses[function]
        if sense.auto_range:
            ranges = self._ratings.ranges(function)
            sense.range = next((one for one in ranges if holds(magnitude, one)), ranges[-1])
        return sense.range


def _status(settings: Settings) -> Status:
    """Return the bits that only settings decide."""
    status = _SOURCED_BITS[settings.source]
    for function in settings.measured:
        status |= _MEASURED_BITS[function]
    if settings.filter_on:
        status |= Status.FILTER
    if settings.terminals == "FRON":
        status |= Status.FRONT
    if settings.remote:
        status |= Status.REMOTE_SENSE
    return status


def _clamps(settings: Settings, limited: bool) -> Status:
    """Return what holds the output back: real or range compliance, the protection, or nothing."""
    sense, protection = settings.compliance, settings.protection_volt
    real = sense.limit == sense.compliance
    clamp = Status.REAL_COMPLIANCE if real else Status.RANGE_COMPLIANCE
    if settings.source is Function.CURRENT and protection < sense.limit:
        clamp = Status.PROTECTION
    status = clamp if limited else Status(0)
    level = settings.sources[Function.VOLTAGE].level
    if settings.source is Function.VOLTAGE and abs(level) > protection:
        status |= Status.PROTECTION
    return status
