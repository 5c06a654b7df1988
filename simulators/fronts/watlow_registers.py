"""The F4T's Modbus registers in data map 1, loop 1, as a table over the controller.

Addresses are the relative ones that go over the wire. Only registers whose meaning the sheet gives
in full are mapped; everything else is an illegal address, as are loop 2, humidity and cascade of a
temperature-only chamber.

Simulator's choices: register 1328 decides the communication units; a float must be written whole; a
read that begins or ends inside a float, or a write to what is read-only, is an illegal address; 7 is
the code of an active alarm; the part number's characters.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from simulators.fronts.modbus import ExceptionCode, ModbusRefusal
from simulators.fronts.watlow_controller import F4T
from simulators.fronts.watlow_settings import (
    ALARMS,
    Mode,
    RampAction,
    RampScale,
    Units,
    ValueRefused,
)

ON, OFF = 63, 62
_ALARM_NONE, _ALARM_ACTIVE = 61, 7
_STATUS_OK, _STATUS_FAIL = 138, 32
_START, _RESUME, _PAUSE, _TERMINATE = 1782, 147, 146, 148
_PART_NUMBER = "F4T000000000000"
_EVENT_REGISTERS = (16594, 16596, 16598, 16600, 16822, 16824, 16826, 16828)

Word = TypeVar("Word", bound=IntEnum)


@dataclass(frozen=True, slots=True)
class Whole:
    """A register of one word; ``write`` None: read-only."""

    read: Callable[[F4T], int]
    write: Callable[[F4T, int], None] | None = None
    words: int = 1


@dataclass(frozen=True, slots=True)
class Real:
    """Two registers that hold one float."""

    read: Callable[[F4T], float]
    write: Callable[[F4T, float], None] | None = None
    words: int = 2


class WatlowRegisters:
    """Implements RegisterBank. ``low_word_first``: which half of a float has the lower address."""

    def __init__(self, controller: F4T, *, low_word_first: bool) -> None:
        self._controller = controller
        self._low_word_first = low_word_first

    def read(self, address: int, count: int) -> list[int]:
        """Return the words of whole items only."""
        words: list[int] = []
        for item in _items(address, count):
            if isinstance(item, Real):
                words += self._split(item.read(self._controller))
            else:
                words.append(item.read(self._controller))
        return words

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write whole items in order; one that is refused leaves those behind it unwritten."""
        items = list(_items(address, len(words)))
        if any(item.write is None for item in items):
            raise ModbusRefusal(ExceptionCode.ILLEGAL_ADDRESS)
        position = 0
        for item in items:
            self._write_item(item, words[position : position + item.words])
            position += item.words

    def _write_item(self, item: Whole | Real, words: Sequence[int]) -> None:
        try:
            if isinstance(item, Whole) and item.write:
                item.write(self._controller, words[0])
            elif isinstance(item, Real) and item.write:
                item.write(self._controller, self._join(words))
        except ValueRefused:
            raise ModbusRefusal(ExceptionCode.ILLEGAL_VALUE) from None

    def _split(self, value: float) -> tuple[int, int]:
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        return (low, high) if self._low_word_first else (high, low)

    def _join(self, words: Sequence[int]) -> float:
        first, second = words
        high, low = (second, first) if self._low_word_first else (first, second)
        value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
        return value


def _items(address: int, count: int) -> Iterator[Whole | Real]:
    end = address + count
    while address < end:
        item = _TABLE.get(address)
        if item is None or address + item.words > end:
            raise ModbusRefusal(ExceptionCode.ILLEGAL_ADDRESS)
        yield item
        address += item.words


def _one_of(choices: type[Word], take: Callable[[F4T, Word], None]) -> Callable[[F4T, int], None]:
    """Return a writer that takes the codes of ``choices`` only."""

    def write(controller: F4T, word: int) -> None:
        try:
            choice = choices(word)
        except ValueError:
            raise ValueRefused from None
        take(controller, choice)

    return write


def _constant(word: int) -> Whole:
    return Whole(lambda _controller: word)


def _event(number: int) -> Whole:
    def write(controller: F4T, word: int) -> None:
        if word not in (ON, OFF):
            raise ValueRefused
        controller.switch_event(number, word == ON)

    return Whole(lambda controller: ON if controller.events[number - 1] else OFF, write)


def _alarm(number: int) -> Whole:
    return Whole(lambda controller: _ALARM_ACTIVE if number in controller.alarms else _ALARM_NONE)


def _command(actions: dict[int, Callable[[F4T], None]]) -> Whole:
    """A register that does something when written; reads as 0."""

    def write(controller: F4T, word: int) -> None:
        if word not in actions:
            raise ValueRefused
        actions[word](controller)

    return Whole(lambda _controller: 0, write)


def _time_left(position: int) -> Whole:
    """Hours, minutes or seconds of what is left of the profile."""

    def read(controller: F4T) -> int:
        minutes, seconds = divmod(round(controller.profile_left_second()), 60)
        return (*divmod(minutes, 60), seconds)[position]

    return Whole(read)


_PROCESS_VALUE = Real(F4T.process_value)

_TABLE: dict[int, Whole | Real] = {
    **{16 + i: _constant(ord(letter)) for i, letter in enumerate(_PART_NUMBER)},
    90: Whole(lambda controller: _STATUS_OK if controller.healthy else _STATUS_FAIL),
    1328: Whole(
        lambda controller: controller.units,
        _one_of(Units, lambda controller, units: setattr(controller, "units", units)),
    ),
    **{1356 + 100 * i: _alarm(i + 1) for i in range(ALARMS)},
    2730: Whole(lambda controller: controller.mode, _one_of(Mode, F4T.change_mode)),
    2774: Real(
        lambda controller: controller.limits[0],
        lambda controller, value: controller.change_limits(value, controller.limits[1]),
    ),
    2776: Real(
        lambda controller: controller.limits[1],
        lambda controller, value: controller.change_limits(controller.limits[0], value),
    ),
    2782: Real(lambda controller: controller.set_point, F4T.change_set_point),
    2794: Whole(
        lambda controller: controller.ramp_action,
        _one_of(RampAction, lambda controller, action: setattr(controller, "ramp_action", action)),
    ),
    2796: Whole(
        lambda controller: controller.ramp_scale,
        _one_of(RampScale, lambda controller, scale: setattr(controller, "ramp_scale", scale)),
    ),
    2798: Real(lambda controller: controller.ramp_rate, F4T.change_ramp_rate),
    2808: Real(F4T.power_percent),
    2810: Real(lambda controller: controller.working_set_point),
    2814: Whole(lambda controller: controller.mode),
    2820: _PROCESS_VALUE,
    16558: Whole(
        lambda controller: controller.profile_number,
        lambda controller, word: setattr(controller, "profile_number", word),
    ),
    16560: Whole(
        lambda controller: controller.profile_step,
        lambda controller, word: setattr(controller, "profile_step", word),
    ),
    16562: _command({_START: F4T.start_profile}),
    16564: _command({_RESUME: F4T.resume_profile}),
    16566: _command({_PAUSE: F4T.pause_profile, _TERMINATE: F4T.terminate_profile}),
    16568: Whole(lambda controller: controller.profile_state),
    16570: _time_left(0),
    16571: _time_left(1),
    16572: _time_left(2),
    16588: Whole(lambda controller: controller.profile_position()[0]),
    16590: Whole(lambda controller: controller.profile_position()[1]),
    16592: Whole(lambda controller: controller.profile_step_kind() or 0),
    16602: Real(lambda controller: controller.working_set_point),
    27586: _PROCESS_VALUE,
    **{address: _event(i + 1) for i, address in enumerate(_EVENT_REGISTERS)},
}
