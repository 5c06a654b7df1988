"""An ESPEC chamber with a P300 controller on its wire: ASCII lines that end in CR LF.

Knows lines, the RS-485 address, the spacing between commands and when a reply is sent; what a
command does stands in espec_controller.py. Simulator's choice: 50 ms from a command to its reply.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulators.fronts.chamber_front import ChamberFront
from simulators.fronts.espec_controller import Controller
from simulators.interfaces import ChamberAir

_END = b"\r\n"
_REPLY_SECOND = 0.05
_LARGEST_LINE = 1024
# The silence the controller needs after a command, seconds: (set, query).
_SPACING_SECOND = (0.5, 0.2)
_PROGRAM_SPACING_SECOND = (1.0, 0.3)


class EspecP300Front(ChamberFront[Controller]):
    """The chamber as a Front.

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
        controller = Controller(name, air, seed=seed, low=low, high=high, rom=rom)
        super().__init__(controller, _REPLY_SECOND)
        self._address = address
        self._strict_spacing = strict_spacing
        self._unread = b""
        self._quiet_until = float("-inf")

    def replies(self, data: bytes, now_second: float) -> Iterator[bytes]:
        """Answer every command line that is for us and was not sent too soon."""
        *lines, self._unread = (self._unread + data).split(_END)
        self._unread = self._unread[-_LARGEST_LINE:]
        for line in lines:
            command = self._addressed(line.decode("latin-1"))
            if command is None or not self._is_ready(command, now_second):
                continue
            yield self.controller.reply(command, now_second).encode("latin-1") + _END

    def forget(self) -> None:
        self._unread = b""

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
