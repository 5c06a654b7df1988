"""What all Hioki battery meters share: status registers and the trigger system.

Knows no bytes, no commands and no cell; a family says how long a measurement takes and what it gives. The
measurement is taken when it is complete, at its own time, however late somebody asks.

Simulator's choices where the sheet is silent: a trigger that nobody waits for, and READ? with an
external trigger, are execution errors; changing a condition gives up the measurement under way;
beyond 1 Mohm the probes are taken to touch nothing.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

from simulators.fronts.scpi import ScpiError

_POWER_ON = 128
# *ESR? bits by the hundreds of the SCPI error class: command, execution, device, query.
_EVENT_BITS = {1: 32, 2: 16, 3: 8, 4: 4}
_END_OF_CONVERSION, _INDEX, _MEASUREMENT_FAULT = 1, 2, 32
_REPLY_SECOND = 0.004
_RESET_SECOND = 0.075
TRIGGERS = ("IMMediate", "EXTernal")
_OPEN_OHM = 1e6  # no test current flows, whatever small part of the impedance is resistance


class Reading(NamedTuple):
    """One measurement as ``READ?`` shows it; ``fault``: not one of a cell, as with open leads."""

    text: str
    fault: bool


class HiokiMeter(ABC):
    """The instrument behind the wire; ``now`` is its own time, in the future while it is busy."""

    trigger_source: str

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.now = -math.inf
        self.event_enable = self.measured_enable = self.service_enable = 0
        self.owes_reading = False  # READ? waits for the measurement under way
        self.reading = ""
        self.header = False
        self.open_leads = False  # a test hook: the probes touch nothing
        self._event_status = self._measured_status = 0
        self._continuous = True
        self._armed = False
        self._due: float | None = None

    @abstractmethod
    def measuring_second(self) -> float:
        """Return how long one measurement takes under the present conditions."""

    @abstractmethod
    def measure(self, second: float) -> Reading:
        """Return what the measurement that is complete at ``second`` gives."""

    @abstractmethod
    def reset_conditions(self) -> None:
        """Put the family's own settings to what they are at power-on."""

    @abstractmethod
    def no_reading(self) -> str:
        """Return what ``FETCh?`` gives before anything has been measured."""

    # Life

    def power_up(self, now_second: float) -> None:
        """Start as after the mains came: registers clear but for PON, continuous, header off."""
        self.now = now_second
        self._event_status, self._measured_status = _POWER_ON, 0
        self.event_enable = self.measured_enable = self.service_enable = 0
        self.header = False
        self._restore()

    def reset(self) -> None:
        """Do what ``*RST`` does: settings only, registers and interface stay."""
        self._restore()
        self.now += _RESET_SECOND

    def _restore(self) -> None:
        self._continuous = True
        self.trigger_source = TRIGGERS[0].upper()
        self.reset_conditions()
        self.reading = self.no_reading()
        self.changed()

    def advance(self, now_second: float) -> None:
        """Let time pass up to ``now_second``, and complete what is due by then."""
        self.now = max(self.now, now_second)
        if self._due is None or self._due > self.now:
            return
        if not self._runs_free():
            self._complete(self._due)
            self._due = None
            return
        # Only the last of the free-running measurements leaves a trace.
        period = self.measuring_second()
        last = self._due + math.floor((self.now - self._due) / period) * period
        self._complete(last)
        self._due = last + period

    def changed(self) -> None:
        """Begin anew after a change of conditions; whoever waits for a reading waits in vain."""
        self._armed = self.owes_reading = False
        self._due = self.now + self.measuring_second() if self._runs_free() else None

    def go_local(self) -> None:
        """Return to the panel, which starts continuous measurement."""
        self.set_continuous(True)

    def touches_nothing(self, impedance_ohm: complex) -> bool:
        """Return whether the test current finds no way, which is a measurement fault."""
        return self.open_leads or abs(impedance_ohm) > _OPEN_OHM

    # The trigger system

    @property
    def continuous(self) -> bool:
        """Whether it measures again and again, or waits for triggers again and again."""
        return self._continuous

    def set_continuous(self, on: bool) -> None:
        """Obey ``:INIT:CONT``."""
        self._continuous = on
        self.changed()

    def initiate(self) -> None:
        """Measure once, or wait for one trigger; needs continuous measurement off."""
        if self._continuous:
            raise ScpiError(-213)
        if self._is_external():
            self._armed = True
        else:
            self._begin()

    def trigger(self) -> None:
        """Obey ``*TRG``: begin to measure; commands behind it do not wait."""
        if not (self._is_external() and (self._continuous or self._armed)):
            raise ScpiError(-211)
        self._armed = False
        self._begin()

    def wait(self) -> None:
        """Obey ``*WAI``: do nothing more until the measurement under way is complete."""
        if self._due is not None and not self._runs_free():
            self.now = max(self.now, self._due)

    def read(self) -> None:
        """Begin what ``READ?`` asks for; the reading follows when it is there."""
        if self._continuous or self._is_external():
            raise ScpiError(-221)
        self.now = self._begin() + _REPLY_SECOND
        self.owes_reading = True

    def fetch(self) -> str:
        """Return the last reading, without measuring."""
        self.now += _REPLY_SECOND
        return self.reading

    def _begin(self) -> float:
        self._due = self.now + self.measuring_second()
        return self._due

    def _complete(self, second: float) -> None:
        self.reading, fault = self.measure(second)
        self._measured_status |= _END_OF_CONVERSION | _INDEX
        if fault:
            self._measured_status |= _MEASUREMENT_FAULT

    def _is_external(self) -> bool:
        return self.trigger_source == TRIGGERS[1].upper()

    def _runs_free(self) -> bool:
        return self._continuous and not self._is_external()

    # Status

    def report(self, error: ScpiError) -> None:
        """Set the bit of the error's class; there is no queue to ask for more."""
        self._event_status |= _EVENT_BITS[-error.code // 100]

    def clear_status(self) -> None:
        """Obey ``*CLS``."""
        self._event_status = self._measured_status = 0

    def take_event_status(self) -> int:
        """Read ``*ESR?``, which clears it."""
        status, self._event_status = self._event_status, 0
        return status

    def take_measured_status(self) -> int:
        """Read ``:ESR0?``, which clears it."""
        status, self._measured_status = self._measured_status, 0
        return status

    def status_byte(self) -> int:
        """Read ``*STB?``: bit 0 measured, bit 5 event, bit 6 summary; reading clears nothing."""
        status = int(bool(self._measured_status & self.measured_enable))
        status |= 32 * bool(self._event_status & self.event_enable)
        return status | 64 * bool(status & self.service_enable)
