"""An ESPEC chamber with a P300 controller on its wire: ASCII lines that end in CR LF.

Knows lines, the RS-485 address, the spacing between commands and when a reply is sent; what a
command does stands in espec_controller.py. Simulator's choice: 50 ms from a command to its reply.
"""

from __future__ import annotations

from collections import deque

from simulators.fronts.espec_controller import Controller
from simulators.interfaces import ChamberAir

_END = b"\r\n"
_REPLY_SECOND = 0.05
_LARGEST_LINE = 1024
# The silence the controller needs after a command, seconds: (set, query).
_SPACING_SECOND = (0.5, 0.2)
_PROGRAM_SPACING_SECOND = (1.0, 0.3)


class EspecP300Front:
    """The chamber as a Front; simulators.interfaces says what the four calls mean.

    ``low`` and ``high`` are the machine's range in degC. With ``strict_spacing`` a command that
    comes sooner after the last one than the sheet allows is lost. ``address``: RS-485 prefix; a
    command for another address, or for none, gets no reply.
    """

    def __init__(
        self,
        name: str,
        air: ChamberAir,
        *,
        seed: int,
        low: float = -70.0,
        high: float = 180.0,
        address: int | None = None,
        strict_spacing: bool = False,
        rom: str = "P3F00021",
    ) -> None:
        self.controller = Controller(name, air, seed=seed, low=low, high=high, rom=rom)
        self._address = address
        self._strict_spacing = strict_spacing
        self._unread = b""
        self._replies: deque[tuple[float, bytes]] = deque()
        self._quiet_until = float("-inf")

    def receive(self, data: bytes, now_second: float) -> None:
        """Take command lines; each is answered after a moment."""
        *lines, self._unread = (self._unread + data).split(_END)
        self._unread = self._unread[-_LARGEST_LINE:]
        for line in lines:
            command = self._addressed(line.decode("latin-1"))
            if command is None or not self._is_ready(command, now_second):
                continue
            reply = self.controller.reply(command, now_second).encode("latin-1") + _END
            self._replies.append((now_second + _REPLY_SECOND, reply))

    def transmit(self, now_second: float) -> bytes:
        """Return the replies that are due."""
        due = b""
        while self._replies and self._replies[0][0] <= now_second:
            due += self._replies.popleft()[1]
        return due

    def next_output_second(self) -> float | None:
        """Return when the oldest reply is sent."""
        return self._replies[0][0] if self._replies else None

    def disconnected(self, now_second: float) -> None:
        """The chamber stays in its last mode and will not stop by itself."""
        self.controller.advance(now_second)
        self._unread = b""
        self._replies.clear()

    def inject(self, kind: str, value: int | None, now_second: float) -> None:
        """Let a fault of the machine happen; see Controller.inject."""
        self.controller.inject(kind, value, now_second)

    def _addressed(self, line: str) -> str | None:
        """Return the command without its RS-485 prefix; None when there is none for us."""
        if self._address is None:
            return line if line.strip() else None
        prefix, _, command = line.partition(",")
        return command if prefix.strip() == str(self._address) else None

    def _is_ready(self, command: str, now_second: float) -> bool:
        """Return whether the silence after the last command was kept, and begin a new one."""
        if self._strict_spacing and now_second < self._quiet_until:
            return False
        spacing = _PROGRAM_SPACING_SECOND if "PRGM" in command.upper() else _SPACING_SECOND
        self._quiet_until = now_second + spacing["?" in command]
        return True
