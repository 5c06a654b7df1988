"""The 2450 behind its wire: stage, buffers, status, event log and the readings under way.

Commands act on this; it knows neither their spelling nor bytes. ``now`` is the instrument's own
time: that of the command it is executing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from simulators.fronts.keithley_buffers import Acquisition, Element, ReadingBuffer, write
from simulators.fronts.keithley_settings import OffState
from simulators.fronts.keithley_stage import Stage
from simulators.fronts.scpi import EventQueue, ScpiError

_LOG_CAPACITY = 1000  # [V] in the sheet
# Standard event status register, IEEE 488.2, and the bit that each class of error sets.
_POWER_ON, _OPERATION_COMPLETE = 128, 1
_EVENT_CLASSES = ((-199, -100, 32), (-299, -200, 16), (-399, -300, 8), (-499, -400, 4))


class SourceMeter:
    """The instrument's state; what its commands do beyond one setting are the methods."""

    def __init__(self, identity: str, stage: Stage) -> None:
        self.identity = identity
        self.stage = stage
        self.log = EventQueue(_LOG_CAPACITY)
        self.now = -math.inf
        self.next_language = "SCPI"  # another command set is only taken up at a power cycle
        self.power_up(OffState.NORMAL, None)

    def power_up(self, saved: OffState, now_second: float | None) -> None:
        """Start as after the mains came; None: nothing is connected to the cell yet."""
        self.language = self.next_language
        self.event_status = _POWER_ON
        self.event_enable = 0
        self.service_enable = 0
        self.log.clear()
        self.blocked_by: Acquisition | None = None
        self.reset_measuring()
        if now_second is not None:
            self.now = now_second
            self.stage.power_up(saved, now_second)

    def reset_measuring(self) -> None:
        """Put buffers, trigger model, number format and digital lines back to ``*RST`` state."""
        self.buffers = {"defbuffer1": ReadingBuffer(), "defbuffer2": ReadingBuffer()}
        self.number_format = "%.6E"  # 7 digits, as in the sheet's transcripts; default unknown
        self.lines: dict[str, str] = {}
        self.loaded: Callable[[SourceMeter], Acquisition] | None = None
        self.loop: Acquisition | None = None
        self.loop_done = 0

    def buffer(self, name: str) -> ReadingBuffer:
        """Return the buffer of that name; raises -224."""
        try:
            return self.buffers[name]
        except KeyError:
            raise ScpiError(-224, f"no buffer {name!r}") from None

    def report(self, error: ScpiError) -> None:
        """Log an event and set its class in the event status register."""
        self.log.add(error, self.now)
        for lowest, highest, bit in _EVENT_CLASSES:
            if lowest <= error.code <= highest:
                self.event_status |= bit

    def complete_operation(self) -> None:
        """Set the operation-complete bit of the event status register."""
        self.event_status |= _OPERATION_COMPLETE

    def spend(self, seconds: float) -> None:
        """Let the present command take time; later ones wait."""
        self.now += seconds

    # -- readings ------------------------------------------------------------------------------

    def begin_reading(self, buffer: str, elements: tuple[Element, ...]) -> None:
        """Start the readings of one query; later commands wait until its answer is complete."""
        if self.loop is not None:
            raise ScpiError(-200, "trigger model is running")
        seconds = self.stage.reading_seconds()
        self.blocked_by = Acquisition(
            self.buffer(buffer),
            self.now + seconds,
            seconds,
            self.stage.settings.count,
            elements=elements,
        )

    def begin_loop(self) -> None:
        """Start the loaded trigger model; raises -200 when none is loaded or one runs."""
        if self.loop is not None:
            raise ScpiError(-200, "trigger model is running")
        if self.loaded is None:
            raise ScpiError(-200, "no trigger model loaded")
        self.loop_done = 0
        self.loop = self.loaded(self)
        self._step_level(self.loop)

    def wait_for_loop(self) -> None:
        """Hold later commands back until the trigger model is idle."""
        self.blocked_by = self.loop

    def forget_answer(self) -> None:
        """Whoever asked has gone: the readings under way are still taken, but not sent."""
        if self.blocked_by is not None:
            self.blocked_by.elements = ()

    def finish_blocking(self, now_second: float) -> str | None:
        """Take what holds commands back as far as ``now_second`` allows.

        Returns the query's answer when that is complete. ``blocked_by`` is None when free.
        """
        blocking = self.blocked_by
        if blocking is None:
            return None
        if blocking is self.loop:
            self.advance_loop(now_second)
        while blocking.remaining and blocking.next_second <= now_second:
            self._take(blocking)
        if blocking.remaining:
            return None
        self.blocked_by = None
        if not blocking.elements:
            return None
        buffer = blocking.buffer
        return write(buffer.last(), buffer.first_second, blocking.elements, self.number_format)

    def advance_loop(self, now_second: float) -> None:
        """Let the trigger model take the readings that are complete by ``now_second``."""
        loop = self.loop
        while loop is not None and loop.remaining and loop.next_second <= now_second:
            self._take(loop)
            self.loop_done += 1
            if loop.remaining:
                self._step_level(loop)
        if loop is not None and not loop.remaining:
            self.loop = None

    def _take(self, acquisition: Acquisition) -> None:
        second = acquisition.next_second
        self.now = max(self.now, second)
        acquisition.buffer.append(self.stage.measure(second))
        acquisition.remaining -= 1
        acquisition.next_second = second + acquisition.period_second
        if acquisition.next_second > acquisition.end_second:
            acquisition.remaining = 0

    def _step_level(self, loop: Acquisition) -> None:
        level = next(loop.levels, None)
        if level is not None:
            self.stage.set_level(self.stage.settings.source, level, self.now)
