"""Row makers for the 2450's command tables: one per shape of parameters.

Each returns a Prepare: it reads the parameters once and gives back what to run on the meter.
"""

from __future__ import annotations

from collections.abc import Callable

from simulators.fronts.keithley_meter import SourceMeter
from simulators.fronts.scpi import (
    Action,
    Arguments,
    Prepare,
    ScpiError,
    boolean,
    integer,
    keyword,
    number,
    take,
)

Table = dict[str, Prepare[SourceMeter]]


def do(act: Callable[[SourceMeter], None]) -> Prepare[SourceMeter]:
    """A command without parameters."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        take(arguments, 0)
        return act

    return prepare


def ask(answer: Callable[[SourceMeter], str]) -> Prepare[SourceMeter]:
    """A query without parameters."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        take(arguments, 0)
        return answer

    return prepare


def set_number(act: Callable[[SourceMeter, float], None]) -> Prepare[SourceMeter]:
    """A command with one number."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        value = number(take(arguments, 1)[0])
        return lambda meter: act(meter, value)

    return prepare


def set_boolean(act: Callable[[SourceMeter, bool], None]) -> Prepare[SourceMeter]:
    """A command with one of ON, OFF, 1, 0."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        value = boolean(take(arguments, 1)[0])
        return lambda meter: act(meter, value)

    return prepare


def set_word(
    choices: tuple[str, ...], act: Callable[[SourceMeter, str], None]
) -> Prepare[SourceMeter]:
    """A command with one word of a few; ``act`` gets its short form."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        value = keyword(take(arguments, 1)[0], choices)
        return lambda meter: act(meter, value)

    return prepare


def set_integer(
    lowest: int, highest: int, act: Callable[[SourceMeter, int], None]
) -> Prepare[SourceMeter]:
    """A command with one whole number within bounds."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[SourceMeter]:
        value = integer(take(arguments, 1)[0], lowest, highest)
        return lambda meter: act(meter, value)

    return prepare


def within(value: float, lowest: float, highest: float) -> float:
    """Return ``value``; raises -222 when it lies outside."""
    if not lowest <= value <= highest:
        raise ScpiError(-222, f"{value:g}")
    return value
