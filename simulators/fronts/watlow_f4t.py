"""A Watlow F4T on Modbus TCP: frames in, frames out, registers of data map 1.

The frames are in modbus.py, the registers in watlow_registers.py, the controller itself in
watlow_controller.py. Simulator's choice: 10 ms from a request to its response.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulators.fronts.chamber_front import ChamberFront
from simulators.fronts.modbus import Frame, FrameReader, answer
from simulators.fronts.watlow_controller import F4T
from simulators.fronts.watlow_registers import WatlowRegisters
from simulators.fronts.watlow_settings import Machine
from simulators.interfaces import ChamberAir

_RESPONSE_SECOND = 0.01


class WatlowF4TFront(ChamberFront[F4T]):
    """The chamber as a Front.

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
        super().__init__(F4T(name, air, seed=seed, machine=machine or Machine()), _RESPONSE_SECOND)
        self._registers = WatlowRegisters(self.controller, low_word_first=low_word_first)
        self._address = address
        self._reader = FrameReader()

    def replies(self, data: bytes, now_second: float) -> Iterator[bytes]:
        """Answer every request for this unit."""
        for frame in self._reader.feed(data):
            if frame.unit == self._address:
                pdu = answer(frame.pdu, self._registers)
                yield Frame(frame.transaction, frame.unit, pdu).encode()

    def forget(self) -> None:
        self._reader.clear()
