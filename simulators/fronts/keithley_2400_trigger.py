"""The 2400's arm and trigger layers, and the buffer that readings are stored in.

Knows when the next reading is due; knows neither bytes nor how a reading is taken.

Simulator's choices where the sheet is silent: the first arm passes the timer at once; the buffer
holds 100 readings until told otherwise; ``*RST`` stops storing and keeps what is stored.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

from simulators.fronts.keithley_2400_settings import Reading
from simulators.fronts.scpi import ScpiError

MOST_READINGS = 2500
_OUTSIDE = ("BUS", "MAN", "TLIN")  # sources that wait for somebody else


@dataclass(slots=True)
class TriggerSettings:
    """Both layers: one-shot, as ``*RST`` leaves them."""

    arm_count: int = 1
    trigger_count: int = 1
    arm_source: str = "IMM"
    trigger_source: str = "IMM"
    timer_second: float = 0.1
    delay_second: float = 0.0
    kept: dict[str, str] = field(default_factory=dict)  # trigger link lines: nothing is wired


class Run:
    """Readings being taken; ``due_second`` of the next is infinite while an event is waited for."""

    def __init__(
        self, settings: TriggerSettings, begun_second: float, reading_second: float
    ) -> None:
        self.readings: list[Reading] = []
        self.due_second = math.inf
        self._settings = copy.copy(settings)
        self._left = settings.arm_count * settings.trigger_count
        self._begun_second = begun_second
        self._arms = 0
        self._period = settings.delay_second + reading_second
        if settings.trigger_source == "TLIN":
            self._period = math.inf  # the line is not wired
        self._arm(begun_second)

    @property
    def is_over(self) -> bool:
        """Whether the last reading has been taken."""
        return self._left == 0

    @property
    def end_second(self) -> float:
        """When the last reading is complete; infinity as long as nobody can know."""
        ahead = copy.copy(self)
        end = ahead.due_second
        while not ahead.is_over and end < math.inf:
            end = ahead.due_second
            ahead._step()
        return end

    def add(self, reading: Reading) -> None:
        """Take in the reading that was due, and go on to the next."""
        self.readings.append(reading)
        self._step()

    def trigger(self, now_second: float) -> None:
        """The event of source BUS came; nothing happens unless it is waited for."""
        if self._settings.arm_source == "BUS" and self.due_second == math.inf:
            self.due_second = now_second + self._period

    def _step(self) -> None:
        self._left -= 1
        if self._left % self._settings.trigger_count:
            self.due_second += self._period
        else:
            self._arm(self.due_second)

    def _arm(self, second: float) -> None:
        if self._settings.arm_source in _OUTSIDE:
            self.due_second = math.inf
            return
        if self._settings.arm_source == "TIM":
            second = max(second, self._begun_second + self._arms * self._settings.timer_second)
        self._arms += 1
        self.due_second = second + self._period


class Trace:
    """The buffer: stores readings from when it is told to until it is full."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.capacity = 100
        self.storing = False

    @property
    def is_full(self) -> bool:
        """Whether no further reading fits."""
        return len(self.readings) >= self.capacity

    def begin(self) -> None:
        """Store the next readings, over those that are there."""
        self.readings = []
        self.storing = True

    def store(self, reading: Reading) -> None:
        """Store one reading; the last that fits ends it."""
        self.readings.append(reading)
        self.storing = not self.is_full

    def resize(self, capacity: int) -> None:
        """Hold that many readings, and none at first; raises +800 while storing."""
        self.check_idle()
        self.readings = []
        self.capacity = capacity

    def check_idle(self) -> None:
        """Raise +800 while storing: nothing about the buffer may change then."""
        if self.storing:
            raise ScpiError(800, "Illegal with storage active")

    def all(self) -> list[Reading]:
        """Return what is stored; raises -230 when that is nothing."""
        if not self.readings:
            raise ScpiError(-230, "buffer is empty")
        return self.readings
