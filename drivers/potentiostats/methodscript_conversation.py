"""Talking to a MethodSCRIPT device: commands, scripts, the stream of a running script, its end.

Knows lines and the three states of the device (idle, running, out of step); knows no set point, no
technique and no number. Every way a script can die ends here with the cell switched off. Sources:
the communication protocols and the MethodSCRIPT manual that the sheet names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from rig.core.errors import (
    InstrumentError,
    LinkError,
    LinkTimeout,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
)
from rig.core.link import Link
from rig.core.sheet import Sheet

ABORT_SECOND = 10.0  # the point that is being measured is finished first
QUIET_SECOND = 0.2  # an empty line may or may not follow the line of a runtime error
LINES_AT_MOST = 100_000  # a day of unread points; who goes on after that does not obey
WAITED_LINES_AT_MOST = 100  # it ends after the point under way; that many are minutes of points

_XON_XOFF_CR = dict.fromkeys(map(ord, "\x11\x13\r"))
_ERROR = re.compile(r"[A-Za-z]?!([0-9A-F]{4})(: .*)?")


class State(Enum):
    """What the device does, as far as the lines that were read tell."""

    OUT_OF_STEP = "out of step"  # just opened, or an exchange broke off
    IDLE = "idle"
    RUNNING = "running"


class Conversation:
    """One device on one link. ``where`` names both in every message.

    ``cell_off`` is the script that switches the cell off, whatever went before.
    """

    def __init__(self, link: Link, name: str, sheet: Sheet, cell_off: tuple[str, ...]) -> None:
        self._link = link
        self._name = name
        self._sheet = sheet
        self._cell_off = cell_off
        self._state = State.OUT_OF_STEP
        self._abort_second = ABORT_SECOND

    @property
    def where(self) -> str:
        return f"{self._name} ({self._sheet.family}, {self._link.name})"

    @property
    def running(self) -> bool:
        return self._state is State.RUNNING

    # --- commands and scripts --------------------------------------------------------------------

    def ask(self, command: str) -> str:
        """Send a one-letter command; return its reply without the letter that is repeated."""
        self._link.write(f"{command}\n".encode("ascii"))
        reply = self.read_line()
        if _ERROR.fullmatch(reply):
            raise self._refused(command, reply)
        if not reply.startswith(command):
            raise self.unreadable(command, reply, f"a line that starts with {command}")
        return reply[1:]

    def run(self, script: tuple[str, ...], abort_second: float = ABORT_SECOND) -> str:
        """End what runs, run ``script``, and return the first line it sends.

        ``abort_second`` is how long it may take until this script has ended after ``Z``.
        """
        if self._state is not State.IDLE:
            self.abort()
        rest = self._upload(script)
        self._state, self._abort_second = State.RUNNING, abort_second
        return self._judge(rest or self.read_line())

    def next_line(self, timeout_second: float) -> str:
        """Return the next line of the running script; the empty line is its end.

        Raises LinkTimeout, and Refused when the script died: the cell is off then.
        """
        return self._judge(self.read_line(timeout_second))

    def next_line_if_any(self) -> str | None:
        """Return the next line if a whole one has arrived."""
        line = self._read_line_within(0.0)
        return None if line is None else self._judge(line)

    def _judge(self, line: str) -> str:
        if line.startswith("!"):
            raise self._death(line)
        if not line:
            self._state = State.IDLE
        return line

    def _upload(self, script: tuple[str, ...]) -> str:
        """Load and execute; return what shares a line with the acknowledgement (``eM0000``)."""
        self._state = State.OUT_OF_STEP
        self._link.write("\n".join(("e", *script, "", "")).encode("ascii"))
        reply = self.read_line()
        if _ERROR.fullmatch(reply):
            self._drain()
            raise self._refused("e", reply)
        if not reply.startswith("e"):
            raise self.unreadable("e", reply, "e")
        return reply[1:]

    # --- ends ------------------------------------------------------------------------------------

    def abort(self) -> None:
        """Send ``Z``, read on to ``Z!0006`` or to the empty line after ``Z``; nothing runs then."""
        if self._state is State.OUT_OF_STEP:
            self._end_broken_exchange()
        self._state = State.OUT_OF_STEP
        self._link.write(b"Z\n")
        acknowledged = False
        for line in self._lines(self._abort_second):
            if line == "Z!0006" or (acknowledged and not line):
                break
            if line.startswith("Z!"):
                raise self._refused("Z", line)
            if line.startswith("!"):  # died by itself: on_finished was not executed
                self._drain()
                self.switch_cell_off()
                break
            acknowledged = acknowledged or line == "Z"
        self._state, self._abort_second = State.IDLE, ABORT_SECOND

    def switch_cell_off(self) -> None:
        """Run a script that switches the cell off and does nothing else; see it end."""
        end = self._upload(self._cell_off) or self.read_line()
        if end:
            raise self.unreadable("cell_off", end, "an empty line")
        self._state = State.IDLE

    def _end_broken_exchange(self) -> None:
        """Let an empty line end a script that was half sent; forget what had come before.

        What a device answers to an empty line is not documented: one line is taken if it comes, so
        that an error is followed by the silence that the device needs before ``Z``.
        """
        self._forget_unread()
        self._link.write(b"\n")
        self._read_line_within(QUIET_SECOND)

    def _death(self, line: str) -> Refused:
        """Switch the cell off after a runtime error; return what to raise."""
        self._drain()
        try:
            self.switch_cell_off()
        except (LinkError, InstrumentError) as problem:
            raise UnconfirmedSafeState(
                f"{self.where}: the script died with {line!r}; cell off not confirmed: {problem}",
                remedy="disconnect the cell by hand",
            ) from problem
        return self._refused("a script", line)

    # --- lines -----------------------------------------------------------------------------------

    def read_line(self, timeout_second: float | None = None) -> str:
        """Return the next line, within the sheet's timeout unless another is given.

        Blanks and empty lines mean something and stay; CR and XON/XOFF do not.
        """
        timeout = self._sheet.timeout_second if timeout_second is None else timeout_second
        raw = self._link.read_until(self._sheet.terminator, timeout)
        return raw.decode("ascii", errors="backslashreplace").translate(_XON_XOFF_CR)

    def _read_line_within(self, timeout_second: float) -> str | None:
        try:
            return self.read_line(timeout_second)
        except LinkTimeout:
            return None

    def _lines(self, timeout_second: float) -> Iterator[str]:
        """Yield all that has arrived, however much, and a bounded number that is waited for.

        A script whose lines come damaged would otherwise be listened to until it ends, for a day.
        """
        waited = 0
        for _ in range(LINES_AT_MOST):
            line = self._read_line_within(0.0)
            if line is None:
                waited += 1
                if waited > WAITED_LINES_AT_MOST:
                    break
                line = self.read_line(timeout_second)
            yield line
        raise UnreadableReply(
            f"{self.where}: told to stop, it goes on sending lines, none of them the end"
        )

    def _drain(self) -> None:
        for _ in range(LINES_AT_MOST):
            if self._read_line_within(QUIET_SECOND) is None:
                return

    def _forget_unread(self) -> None:
        try:
            while True:
                self._link.read_exactly(1, 0.0)
        except LinkTimeout:
            return

    # --- messages --------------------------------------------------------------------------------

    def unreadable(self, sent: str, got: str, expected: str) -> UnreadableReply:
        return UnreadableReply(f"{self.where}: sent {sent!r}, got {got!r}, expected {expected}")

    def _refused(self, sent: str, reply: str) -> Refused:
        match = _ERROR.match(reply)
        meaning = self._sheet.refusals.get(match[1] if match else "", "error not in the sheet")
        return Refused(f"{self.where}: sent {sent!r}, got {reply!r}: {meaning}")
