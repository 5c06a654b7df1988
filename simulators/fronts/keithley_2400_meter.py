"""The 2400 behind its wire: stage, readings under way, buffer, status registers, error queue.

Commands act on this; it knows neither their spelling nor bytes. ``now`` is the instrument's own
time: that of the command it is executing.

Simulator's choices where the sheet is silent: INIT while readings are being taken is -213; output
off, for whatever reason, ends them; CONF sets autorange and one-shot triggering, and otherwise
leaves the settings alone; a full queue's last entry has SCPI's -350, the sheet writes 350.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from simulators.fronts.keithley_2400_settings import Reading, Status
from simulators.fronts.keithley_2400_stage import Stage
from simulators.fronts.keithley_2400_trigger import Run, Trace, TriggerSettings
from simulators.fronts.keithley_settings import Function, OffState
from simulators.fronts.scpi import EventQueue, ScpiError
from simulators.fronts.scpi_front import ScpiInstrument

ELEMENTS = ("VOLT", "CURR", "RES", "TIME", "STAT")
_QUEUE_CAPACITY = 10
_CLOCK_WRAPS_SECOND = 99_999.999
_OPERATION_COMPLETE = 1  # of the standard event status register, IEEE 488.2 section 11.5.1
_IDLE = 1 << 10  # of the operation condition register


class MeasurementEvent:
    """Bits of the measurement event register; they stay until it is read."""

    READING_AVAILABLE = 1 << 6
    OVERFLOW = 1 << 7
    BUFFER_AVAILABLE = 1 << 8
    BUFFER_FULL = 1 << 9
    OUTPUT_ENABLE = 1 << 11
    OVERTEMPERATURE = 1 << 12
    PROTECTION = 1 << 13
    COMPLIANCE = 1 << 14


_EVENTS_OF_STATUS = {
    Status.OVERFLOW: MeasurementEvent.OVERFLOW,
    Status.PROTECTION: MeasurementEvent.PROTECTION,
    Status.REAL_COMPLIANCE: MeasurementEvent.COMPLIANCE,
    Status.RANGE_COMPLIANCE: MeasurementEvent.COMPLIANCE,
}


class LegacySourceMeter(ScpiInstrument):
    """The instrument's state; what its commands do beyond one setting are the methods."""

    def __init__(self, identity: str, stage: Stage, saved_off_state: OffState) -> None:
        super().__init__(identity)
        self.stage = stage
        self.log = EventQueue(_QUEUE_CAPACITY)
        self.measurement_events = 0
        self.measurement_enable = 0
        self.trace = Trace()
        self.trigger = TriggerSettings()
        self.elements: tuple[str, ...] = ELEMENTS
        self._saved_off_state = saved_off_state
        self._on_second = 0.0
        self._run: Run | None = None
        self._last: Sequence[Reading] = ()
        self._asked: Callable[[], str] | None = None
        self._completes = False  # the end of the readings sets the operation-complete bit

    def power_up(self, now_second: float) -> None:
        self.stage.power_down(now_second)
        self.trace = Trace()
        self.measurement_events = self.measurement_enable = 0
        self._on_second = now_second
        self._last = ()
        super().power_up(now_second)
        self.stage.power_up(self._saved_off_state, now_second)

    def reset(self) -> None:
        self.abort()
        self.trigger = TriggerSettings()
        self.trace.storing = False
        self.elements = ELEMENTS
        self.stage.reset(self.now)

    def advance(self, now_second: float) -> None:
        run = self._run
        while run is not None and not run.is_over and run.due_second <= now_second:
            self._take(run)
        super().advance(now_second)

    # -- readings ----------------------------------------------------------------------------

    def initiate(self) -> None:
        """Begin to take readings; raises +803 while the output is off and stays so."""
        if self._run is not None:
            raise ScpiError(-213, "Init ignored")
        stage = self.stage
        if not stage.output_on:
            if not stage.settings.auto_off:
                raise ScpiError(803, "Not permitted with OUTPUT off")
            self.switch_output(True)
        self._run = Run(self.trigger, self.now, stage.reading_seconds())

    def read(self) -> None:
        """Take new readings and answer with them."""
        self.abort()
        self.initiate()
        self.fetch()

    def fetch(self) -> None:
        """Answer with the newest readings, as soon as none is under way; raises -230."""
        if self._run is None and not self._last:
            raise ScpiError(-230, "no reading")
        self.answer_when_idle(lambda: self.write(self._last))

    def answer_when_idle(self, answer: Callable[[], str]) -> None:
        """Answer, and run what stands behind, when the readings under way are complete."""
        self._asked = answer
        self.wait()

    def wait(self) -> None:
        """Hold back what follows until the readings under way are complete, if anybody knows when."""
        end_second = self.now if self._run is None else self._run.end_second
        if end_second < math.inf:
            self.now = max(self.now, end_second)

    def take_answer(self) -> str | None:
        """Return the answer that was asked for, once it is there."""
        if self._asked is None or self._run is not None:
            return None
        answer, self._asked = self._asked(), None
        return answer

    @property
    def is_asked(self) -> bool:
        """Whether an answer is still owed."""
        return self._asked is not None

    def forget_late_answer(self) -> None:
        self._asked = None

    def abort(self) -> None:
        """Go to idle; readings under way and their answer are lost."""
        self._run = None
        self._asked = None
        self._completes = False

    def bus_trigger(self) -> None:
        """Let the arm layer's source BUS have its event."""
        if self._run is not None:
            self._run.trigger(self.now)

    def configure(self, functions: set[Function]) -> None:
        """Prepare to measure this, and switch the output ON: the trap of CONF and MEAS?."""
        self.abort()
        self.stage.settings.measured = set(functions)
        for function in functions - {Function.RESISTANCE}:
            self.stage.set_sense_auto_range(function, True, self.now)
        self.trigger = TriggerSettings()
        self.switch_output(True)

    def write(self, readings: Sequence[Reading]) -> str:
        """Return the chosen elements of the readings, always in the instrument's own order."""
        return ",".join(
            f"{value:+.6E}" for reading in readings for value in self._chosen_values(reading)
        )

    def _chosen_values(self, reading: Reading) -> list[float]:
        second = (reading.second - self._on_second) % _CLOCK_WRAPS_SECOND
        values = (*reading[:3], second, float(reading.status))
        return [
            value for name, value in zip(ELEMENTS, values, strict=True) if name in self.elements
        ]

    def _take(self, run: Run) -> None:
        second = run.due_second
        reading = self.stage.measure(second)
        run.add(reading)
        self._note(reading)
        self._store(reading)
        if run.is_over:
            self._last, self._run = run.readings, None
            if self._completes:
                self.complete_operation()
            if self.stage.settings.auto_off:
                self.stage.switch_output(False, second)

    def _note(self, reading: Reading) -> None:
        events = MeasurementEvent.READING_AVAILABLE
        for bit, event in _EVENTS_OF_STATUS.items():
            if bit in reading.status:
                events |= event
        self.measurement_events |= events

    def _store(self, reading: Reading) -> None:
        if not self.trace.storing:
            return
        self.trace.store(reading)
        self.measurement_events |= MeasurementEvent.BUFFER_AVAILABLE
        if self.trace.is_full:
            self.measurement_events |= MeasurementEvent.BUFFER_FULL

    # -- output ------------------------------------------------------------------------------

    def switch_output(self, on: bool) -> None:
        """Switch the output, which takes the relay's time; raises +802, +810."""
        self.spend(self.stage.switch_output(on, self.now))
        if not on:
            self.abort()

    def rewire(self, connect: Callable[[float], None]) -> None:
        """Change the wiring; the output may go off with it, and with that the readings end."""
        connect(self.now)
        if not self.stage.output_on:
            self.abort()

    def fail(self, event: int, now_second: float) -> None:
        """A fault happens, even while a command is at work: output off, and the event is noted."""
        self.stage.switch_off(now_second)
        self.abort()
        self.measurement_events |= event

    # -- status ------------------------------------------------------------------------------

    def complete_operation(self) -> None:
        """Set the operation-complete bit, as soon as no readings are under way."""
        self._completes = self._run is not None
        if not self._completes:
            self.event_status |= _OPERATION_COMPLETE

    def clear_status(self) -> None:
        """Clear event registers and error queue; what enables them stays."""
        self.log.clear()
        self.event_status = self.measurement_events = 0

    def read_measurement_events(self) -> int:
        """Return the measurement event register and clear it."""
        events, self.measurement_events = self.measurement_events, 0
        return events

    def status_byte(self) -> int:
        """Bit 0 measurement summary, 2 error available, 5 event summary, 6 request for service."""
        status = 4 if len(self.log) else 0
        if self.measurement_events & self.measurement_enable:
            status |= 1
        if self.event_status & self.event_enable:
            status |= 32
        if status & self.service_enable:
            status |= 64
        return status

    def operation_condition(self) -> int:
        """Return the operation condition register, of which only idle is shown."""
        return 0 if self._run is not None else _IDLE
