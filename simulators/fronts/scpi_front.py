"""An SCPI instrument on its wire, whatever it measures: lines, registers, error queue, time.

Messages end in LF and run one after the other; a command that takes time makes those behind it
wait, and an answer is sent when the command that gives it is done. Families add a command table
and the instrument it acts on. Knows no instrument and no cell.

Simulator's choices where sheets are silent: commands after a bad one in the same message still
run; the error queue holds 20 entries.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from simulators.fronts import scpi_rows as rows
from simulators.fronts.scpi import Action, CommandTree, EventQueue, Prepare, ScpiError

_QUEUE_CAPACITY = 20
_LONGEST_MESSAGE = 65_536
# Standard event status register, IEEE 488.2 section 11.5.1, and the bit of each class of error.
_POWER_ON, _OPERATION_COMPLETE = 128, 1
_EVENT_CLASSES = ((-199, -100, 32), (-299, -200, 16), (-399, -300, 8), (-499, -400, 4))


class ScpiInstrument:
    """What every SCPI instrument has; families extend ``power_up``, ``reset`` and ``advance``.

    ``now`` is the instrument's own time: that of the command it executes, and in the future of
    whoever asks while it is busy.
    """

    no_error = '0,"No error"'

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.now = -math.inf
        self.log = EventQueue(_QUEUE_CAPACITY)
        self.event_status = _POWER_ON
        self.event_enable = 0
        self.service_enable = 0

    def power_up(self, now_second: float) -> None:
        """Start as after the mains came."""
        self.log.clear()
        self.event_status = _POWER_ON
        self.event_enable = self.service_enable = 0
        self.now = now_second
        self.reset()

    def reset(self) -> None:
        """Do what ``*RST`` does; registers and queue stay, as IEEE 488.2 section 10.32 says."""

    def advance(self, now_second: float) -> None:
        """Let the instrument's own time pass up to ``now_second``."""
        self.now = max(self.now, now_second)

    def spend(self, seconds: float) -> None:
        """Let the present command take time; later ones wait."""
        self.now += seconds

    def report(self, error: ScpiError) -> None:
        """Put an error into the queue and set its class in the event status register."""
        self.log.add(error, self.now)
        for lowest, highest, bit in _EVENT_CLASSES:
            if lowest <= error.code <= highest:
                self.event_status |= bit

    def late_second(self) -> float | None:
        """Return when a query answers that could not be answered at once; None: not by itself."""
        return None

    def late_answer(self) -> str | None:
        """Take that query's answer, once it is there."""
        return None

    def forget_late_answer(self) -> None:
        """Whoever asked has gone."""

    def interrupt_late_answer(self) -> None:
        """Whoever asked has asked something else before the answer came."""


I = TypeVar("I", bound=ScpiInstrument)  # noqa: E741 (the instrument)


class ScpiFront(Generic[I]):
    """A Front over ``instrument``: simulators.interfaces says what the four calls mean.

    The instrument is switched on when it is first spoken to.
    """

    def __init__(self, instrument: I, tree: CommandTree[I]) -> None:
        self.instrument = instrument
        self._tree = tree
        self._powered = False
        self._unread = b""
        self._answers: list[str] = []
        self._output: deque[tuple[float, bytes]] = deque()
        # What was sent and has not run yet: when it arrived, and the actions left of it.
        self._waiting: deque[tuple[float, Iterator[Action[I]]]] = deque()

    def receive(self, data: bytes, now_second: float) -> None:
        """Take program messages; a message ends with LF."""
        self._switch_on(now_second)
        *messages, self._unread = (self._unread + data).split(b"\n")
        for message in messages:
            self._waiting.append((now_second, iter(self.compile(message.strip()))))
        if len(self._unread) > _LONGEST_MESSAGE:
            self._unread = b""
            self.instrument.report(ScpiError(-363))
        self._run(now_second)

    def transmit(self, now_second: float) -> bytes:
        """Return the answers that are complete by now."""
        self._run(now_second)
        data = b""
        while self._output and self._output[0][0] <= now_second:
            data += self._output.popleft()[1]
        return data

    def next_output_second(self) -> float | None:
        """Return when to ask again; None when idle."""
        if self._output:
            return self._output[0][0]
        if self._waiting:
            return self.instrument.now
        return self.instrument.late_second()

    def disconnected(self, now_second: float) -> None:
        """Output and settings persist, there is no watchdog; unread bytes are lost."""
        self._run(now_second)
        self._lose_bytes()

    def power_cycle(self, now_second: float) -> None:
        """Pull the mains plug and put it back."""
        self._lose_bytes()
        self._powered = True
        self.instrument.power_up(now_second)

    def compile(self, message: bytes) -> tuple[Action[I], ...]:
        """Return what a program message does; families may refuse more than the grammar does."""
        return self._tree.compile(message)

    def _switch_on(self, now_second: float) -> None:
        if not self._powered:
            self._powered = True
            self.instrument.power_up(now_second)

    def _lose_bytes(self) -> None:
        self._unread = b""
        self._answers.clear()
        self._output.clear()
        self._waiting.clear()
        self.instrument.forget_late_answer()

    def _run(self, now_second: float) -> None:
        """Catch up with ``now_second``: run what can be run by then, each at its own time."""
        instrument = self.instrument
        while self._waiting and instrument.now <= now_second:
            arrived, actions = self._waiting[0]
            self._let_pass(max(arrived, instrument.now))
            if self._run_message(actions, now_second):
                self._waiting.popleft()
                self._answer()
        if self._powered and instrument.now <= now_second:
            self._let_pass(now_second)

    def _let_pass(self, second: float) -> None:
        self.instrument.advance(second)
        late = self.instrument.late_answer()
        if late is not None:
            self._send(late)

    def _run_message(self, actions: Iterator[Action[I]], now_second: float) -> bool:
        """Run a message's actions until one takes until after ``now_second``; true when all have run."""
        instrument = self.instrument
        passed_second = instrument.now
        for action in actions:
            if instrument.now > passed_second:
                passed_second = instrument.now
                self._let_pass(passed_second)
            try:
                answer = action(instrument)
            except ScpiError as error:
                instrument.report(error)
                continue
            if answer is not None:
                instrument.interrupt_late_answer()
                self._answers.append(answer)
            if instrument.now > now_second:
                return False
        return True

    def _answer(self) -> None:
        """Send what the queries of one message answered, on one line, when that is done."""
        if self._answers:
            self._send(";".join(self._answers))
            self._answers.clear()

    def _send(self, text: str) -> None:
        # An error message quotes what was sent, whatever bytes that were.
        self._output.append((self.instrument.now, text.encode("ascii", "replace") + b"\n"))


def _clear_status(instrument: ScpiInstrument) -> None:
    instrument.log.clear()
    instrument.event_status = 0


def _read_event_status(instrument: ScpiInstrument) -> str:
    status, instrument.event_status = instrument.event_status, 0
    return str(status)


def _status_byte(instrument: ScpiInstrument) -> str:
    """Bit 2 error queue not empty, bit 5 event summary, bit 6 request."""
    status = 4 if len(instrument.log) else 0
    if instrument.event_status & instrument.event_enable:
        status |= 32
    if status & instrument.service_enable:
        status |= 64
    return str(status)


def _next_error(instrument: ScpiInstrument) -> str:
    event = instrument.log.pop()
    return instrument.no_error if event is None else f'{event.code},"{event.message}"'


def _complete_operation(instrument: ScpiInstrument) -> None:
    instrument.event_status |= _OPERATION_COMPLETE


# Fits every family's table: what acts on any SCPI instrument acts on this one.
COMMON: dict[str, Prepare[ScpiInstrument]] = {
    "*IDN?": rows.ask(lambda instrument: instrument.identity),
    "*RST": rows.do(lambda instrument: instrument.reset()),
    "*CLS": rows.do(_clear_status),
    "*ESR?": rows.ask(_read_event_status),
    "*ESE": rows.set_integer(
        0, 255, lambda instrument, mask: setattr(instrument, "event_enable", mask)
    ),
    "*ESE?": rows.ask(lambda instrument: str(instrument.event_enable)),
    "*SRE": rows.set_integer(
        0, 255, lambda instrument, mask: setattr(instrument, "service_enable", mask)
    ),
    "*SRE?": rows.ask(lambda instrument: str(instrument.service_enable)),
    "*STB?": rows.ask(_status_byte),
    "*OPC": rows.do(_complete_operation),
    "*OPC?": rows.ask(lambda _instrument: "1"),
    "*WAI": rows.do(lambda _instrument: None),  # every command waits for the one before
    "SYSTem:ERRor[:NEXT]?": rows.ask(_next_error),
}
