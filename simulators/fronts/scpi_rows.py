"""Row makers for SCPI command tables, one per shape of parameters, for any instrument.

Each returns a Prepare: it reads the parameters once and gives back what to run on the instrument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

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

I = TypeVar("I")  # noqa: E741 (the instrument; one letter, as type variables are)

_CHANNELS = re.compile(r"\(@\s*(\d+(?:\s*:\s*\d+)?(?:\s*,\s*\d+(?:\s*:\s*\d+)?)*)\s*\)")


def do(act: Callable[[I], None]) -> Prepare[I]:
    """A command without parameters."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[I]:
        take(arguments, 0)
        return act

    return prepare


def ask(answer: Callable[[I], str]) -> Prepare[I]:
    """A query without parameters."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[I]:
        take(arguments, 0)
        return answer

    return prepare


def set_number(act: Callable[[I, float], None]) -> Prepare[I]:
    """A command with one number."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[I]:
        value = number(take(arguments, 1)[0])
        return lambda instrument: act(instrument, value)

    return prepare


def set_boolean(act: Callable[[I, bool], None]) -> Prepare[I]:
    """A command with one of ON, OFF, 1, 0."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[I]:
        value = boolean(take(arguments, 1)[0])
        return lambda instrument: act(instrument, value)

    return prepare


def set_word(choices: tuple[str, ...], act: Callable[[I, str], None]) -> Prepare[I]:
    """A command with one word of a few; ``act`` gets its short form."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[I]:
        value = keyword(take(arguments, 1)[0], choices)
        return lambda instrument: act(instrument, value)

    return prepare


def set_integer(lowest: int, highest: int, act: Callable[[I, int], None]) -> Prepare[I]:
    """A command with one whole number within bounds."""

    def prepare(arguments: Arguments, _suffixes: tuple[int, ...]) -> Action[I]:
        value = integer(take(arguments, 1)[0], lowest, highest)
        return lambda instrument: act(instrument, value)

    return prepare


def within(value: float, lowest: float, highest: float) -> float:
    """Return ``value``; raises -222 when it lies outside."""
    if not lowest <= value <= highest:
        raise ScpiError(-222, f"{value:g}")
    return value


def channel_list(arguments: Arguments) -> tuple[int, ...]:
    """Read ``(@101,103:105)`` (SCPI-1999 8.3.2), in order; raises -109, -171 or -222.

    The comma within the parentheses parts parameters as well, so all of ``arguments`` is one list.
    """
    take(arguments, 1, len(arguments))
    text = ",".join(argument.text for argument in arguments)
    match = _CHANNELS.fullmatch(text)
    if match is None:
        raise ScpiError(-171, f"Invalid expression: {text}")
    channels: list[int] = []
    for entry in match[1].split(","):
        first, _, last = (part.strip() for part in entry.partition(":"))
        channels.extend(range(int(first), int(last or first) + 1))
    if not channels:
        raise ScpiError(-222, text)
    return tuple(channels)


def known_channels(channels: tuple[int, ...], known: Mapping[str, object]) -> tuple[str, ...]:
    """Return ``channels`` as the names of what they lead to; raises -222 where one does not exist."""
    paths = tuple(str(channel) for channel in channels)
    for path in paths:
        if path not in known:
            raise ScpiError(-222, f"no channel {path}")
    return paths
