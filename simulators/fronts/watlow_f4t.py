"""A Watlow F4T on Modbus TCP: frames in, frames out, registers of data map 1.

The frames are in modbus.py, the registers in watlow_registers.py, the controller itself in
watlow_controller.py. Simulator's choice: 10 ms from a request to its response.
"""

from __future__ import annotations

from collections import deque

from simulators.fronts.modbus import Frame, FrameReader, answer
from simulators.fronts.watlow_controller import F4T
from simulators.fronts.watlow_registers import WatlowRegisters
from simulators.fronts.watlow_settings import Machine
from simulators.interfaces import ChamberAir

_RESPONSE_SECOND = 0.01


class WatlowF4TFront:
    """The chamber as a Front: simulators.interfaces says what the four calls mean.

    A request for another unit than ``address`` gets no response. ``low_word_first``: the order of a
    float's words, a setting of the controller's menu.
    """

    def __init__(
        self,
        name: str,
        air: ChamberAir,
        *,
        seed: int,
        machine: Machine | None = None,
        address: int = 1,
        low_word_first: bool = True,
    ) -> None:
        self.controller = F4T(name, air, seed=seed, machine=machine or Machine())
        self._registers = WatlowRegisters(self.controller, low_word_first=low_word_first)
        self._address = address
        self._reader = FrameReader()
        self._responses: deque[tuple[float, bytes]] = deque()

    def receive(self, data: bytes, now_second: float) -> None:
        """Take requests; each is done at once and answered after a moment."""
        for frame in self._reader.feed(data):
            if frame.unit != self._address:
                continue
            self.controller.advance(now_second)
            response = Frame(frame.transaction, frame.unit, answer(frame.pdu, self._registers))
            self._responses.append((now_second + _RESPONSE_SECOND, response.encode()))

    def transmit(self, now_second: float) -> bytes:
        """Return the responses that are due."""
        due = b""
        while self._responses and self._responses[0][0] <= now_second:
            due += self._responses.popleft()[1]
        return due

    def next_output_second(self) -> float | None:
        """Return when the oldest response is sent."""
        return self._responses[0][0] if self._responses else None

    def disconnected(self, now_second: float) -> None:
        """The loop stays at its last set point: nobody watches the link."""
        self.controller.advance(now_second)
        self._reader.clear()
        self._responses.clear()

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let a fault of the machine happen; see F4T.inject."""
        self.controller.inject(kind, value, now_second)
