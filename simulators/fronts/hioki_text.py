"""The wire of a Hioki battery meter: lines in, commands one after the other, replies in CR LF.

Knows Hioki's message rules and no instrument; what commands do is in the meter and its table. A
command that takes time makes those behind it wait, and its reply is sent when it is done.

Simulator's choices where the sheet is silent: a line beyond the input buffer is lost as a device
error; an empty command after the last semicolon is nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, NoReturn, TypeVar

from simulators.fronts.hioki_meter import HiokiMeter
from simulators.fronts.scpi import Action, CommandTree, ScpiError

M = TypeVar("M", bound=HiokiMeter)

_INPUT_BUFFER_BYTE = 256
_END = b"\r\n"


class HiokiFront(Generic[M]):
    """A Front over ``meter``: simulators.interfaces says what the four calls mean.

    The meter is switched on when it is first spoken to. No command but a query is ever answered,
    and a query that is wrong is not answered either: the host has to time out.
    """

    def __init__(self, meter: M, tree: CommandTree[M]) -> None:
        self.meter = meter
        self._tree = tree
        self._powered = False
        self._unread = b""
        # What was sent and has not run yet: when it arrived, and the commands left of it.
        self._waiting: deque[tuple[float, Iterator[Action[M]]]] = deque()
        self._output: deque[tuple[float, bytes]] = deque()

    def receive(self, data: bytes, now_second: float) -> None:
        """Take lines that end in LF or CR LF."""
        if not self._powered:
            self._powered = True
            self.meter.power_up(now_second)
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._waiting.append((now_second, iter(self._compile(line.removesuffix(b"\r")))))
        # One byte more than the buffer holds is enough to know that the line is too long.
        self._unread = self._unread[: _INPUT_BUFFER_BYTE + 1]
        self._run(now_second)

    def transmit(self, now_second: float) -> bytes:
        """Return the replies that are due."""
        self._run(now_second)
        due = b""
        while self._output and self._output[0][0] <= now_second:
            due += self._output.popleft()[1]
        return due

    def next_output_second(self) -> float | None:
        """Return when to ask again; None when nobody waits for a reply."""
        if self._output:
            return self._output[0][0]
        return self.meter.now if self._waiting or self.meter.owes_reading else None

    def disconnected(self, now_second: float) -> None:
        """Lose bytes and replies; a measurement under way goes on and FETCh? still gives it."""
        self._run(now_second)
        self._lose_bytes()

    def power_cycle(self, now_second: float) -> None:
        """Pull the mains plug and put it back."""
        self._lose_bytes()
        self._powered = True
        self.meter.power_up(now_second)

    def press_local(self, now_second: float) -> None:
        """Somebody presses LOCAL at the panel, which starts continuous measurement."""
        self._run(now_second)
        self.meter.go_local()

    def _lose_bytes(self) -> None:
        self._unread = b""
        self._waiting.clear()
        self._output.clear()
        self.meter.owes_reading = False

    def _compile(self, line: bytes) -> tuple[Action[M], ...]:
        """Return what a line does: up to a query that is not the last, which is a query error."""
        if len(line) > _INPUT_BUFFER_BYTE:
            return (_refuse_overrun,)
        units = line.rstrip(b"; ").split(b";")
        for place, unit in enumerate(units[:-1]):
            if unit.strip().partition(b" ")[0].endswith(b"?"):
                return (*self._tree.compile(b";".join(units[:place])), _refuse_query)
        return self._tree.compile(line)

    def _run(self, now_second: float) -> None:
        """Catch up with ``now_second``: run what can be run by then, each at its own time."""
        meter = self.meter
        while self._waiting and meter.now <= now_second:
            arrived, actions = self._waiting[0]
            self._let_pass(max(arrived, meter.now))
            if not self._run_next(actions):
                self._waiting.popleft()
        if self._powered and meter.now <= now_second:
            self._let_pass(now_second)

    def _let_pass(self, second: float) -> None:
        self.meter.advance(second)
        if self.meter.owes_reading:
            self.meter.owes_reading = False
            self._send(self.meter.reading)

    def _run_next(self, actions: Iterator[Action[M]]) -> bool:
        """Run a line's next command; false when the line is over, or the rest of it is ignored."""
        action = next(actions, None)
        if action is None:
            return False
        try:
            answer = action(self.meter)
        except ScpiError as error:
            self.meter.report(error)
            return False
        if answer is not None:
            self._send(answer)
        return True

    def _send(self, text: str) -> None:
        self._output.append((self.meter.now, text.encode("ascii") + _END))


def _refuse_query(_meter: HiokiMeter) -> NoReturn:
    raise ScpiError(-400)


def _refuse_overrun(_meter: HiokiMeter) -> NoReturn:
    raise ScpiError(-363)
