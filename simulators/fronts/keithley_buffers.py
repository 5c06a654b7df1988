"""Reading buffers of the 2450 and the text of their elements.

Knows what a reading is and how it is written; knows no commands. The sheet names the elements;
the text of DATE, TIME, TST, FORM, STAT and UNIT is the simulator's choice (to be verified).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from simulators.fronts.keithley_settings import UNITS, Reading
from simulators.fronts.scpi import Argument, ScpiError, keyword, short_form

DEFAULT_CAPACITY = 100_000
LARGEST_CAPACITY = 6_875_000  # PyMeasure's bound; the sheet names none
MOST_ELEMENTS = 13
# Simulated instruments were all set to the same date at power-on, so that bytes repeat.
POWER_ON_DATE = datetime(2026, 1, 1, tzinfo=UTC)


class ReadingBuffer:
    """A ring of readings; ``first_second`` is where relative time starts."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._readings: deque[Reading] = deque(maxlen=capacity)
        self.first_second = 0.0

    @property
    def capacity(self) -> int:
        """How many readings fit before the oldest is overwritten."""
        return self._readings.maxlen or 0

    def __len__(self) -> int:
        return len(self._readings)

    def append(self, reading: Reading) -> None:
        """Keep one more reading; the first one after a clear starts relative time."""
        if not self._readings:
            self.first_second = reading.second
        self._readings.append(reading)

    def clear(self) -> None:
        """Forget all readings."""
        self._readings.clear()

    def last(self) -> Reading:
        """Return the newest reading; raises -230 when there is none."""
        if not self._readings:
            raise ScpiError(-230, "buffer is empty")
        return self._readings[-1]

    def between(self, first: int, last: int) -> Iterator[Reading]:
        """Return the readings ``first`` to ``last``, counted from 1; raises -222 outside."""
        if not 1 <= first <= last <= len(self._readings):
            raise ScpiError(-222, f"{first} to {last} of {len(self._readings)} readings")
        return islice(self._readings, first - 1, last)


_NO_LEVELS: Iterator[float] = iter(())  # at its end from the first, so all may share it

# Writes one element: the reading, the second of the buffer's first reading, the number format.
Element = Callable[[Reading, float, str], str]


@dataclass(slots=True)
class Acquisition:
    """Readings being taken: one query's, or those of the trigger model.

    ``remaining`` readings follow at most, the next one is complete at ``next_second``, further
    ones every ``period_second``, none after ``end_second``. ``levels`` are set before each.
    """

    buffer: ReadingBuffer
    next_second: float
    period_second: float
    remaining: int
    end_second: float = math.inf
    levels: Iterator[float] = _NO_LEVELS
    elements: tuple[Element, ...] = ()


def date_at(second: float) -> datetime:
    """Return the instrument's calendar time at its own ``second``."""
    return POWER_ON_DATE + timedelta(seconds=second)


_ELEMENTS: dict[str, Element] = {
    "READing": lambda reading, _first, form: form % reading.value,
    "SOURce": lambda reading, _first, form: form % reading.source,
    "RELative": lambda reading, first, form: form % (reading.second - first),
    "SOURSTATus": lambda reading, _first, _form: str(reading.status),
    "STATus": lambda _reading, _first, _form: "0",
    "UNIT": lambda reading, _first, _form: UNITS[reading.function],
    "SOURUNIT": lambda reading, _first, _form: UNITS[reading.source_function],
    "FORMatted": lambda reading, _first, form: f"{form % reading.value} {UNITS[reading.function]}",
    "SOURFORMatted": lambda reading, _first, form: (
        f"{form % reading.source} {UNITS[reading.source_function]}"
    ),
    "DATE": lambda reading, _first, _form: f"{date_at(reading.second):%m/%d/%Y}",
    "TIME": lambda reading, _first, _form: f"{date_at(reading.second):%H:%M:%S}",
    "TSTamp": lambda reading, _first, _form: f"{date_at(reading.second):%m/%d/%Y %H:%M:%S.%f}",
    "SEConds": lambda reading, _first, _form: str(int(date_at(reading.second).timestamp())),
    "FRACtional": lambda reading, _first, form: form % (reading.second % 1.0),
}
_SHORT_NAMES = {short_form(name): element for name, element in _ELEMENTS.items()}


def elements(arguments: tuple[Argument, ...]) -> tuple[Element, ...]:
    """Return the writers of the named elements, in order; READing when none is named.

    Raises -224 for a name that is none, -108 for more than 13.
    """
    if len(arguments) > MOST_ELEMENTS:
        raise ScpiError(-108)
    names = tuple(keyword(argument, tuple(_ELEMENTS)) for argument in arguments)
    return tuple(_SHORT_NAMES[name] for name in names or ("READ",))


def write(
    reading: Reading, first_second: float, chosen: tuple[Element, ...], number_format: str
) -> str:
    """Return one reading's elements, separated by commas."""
    return ",".join([element(reading, first_second, number_format) for element in chosen])
