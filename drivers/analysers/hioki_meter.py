"""What Hioki's battery meters have in common: identity, settings confirmed, answers kept in step.

Knows the message rules that the meters share and no measurement. There is no error queue: a wrong
setting is silent and sets a bit of ``*ESR?``, a wrong query is not answered at all. Source: the
communication manuals that the sheets name, chapter on messages.
"""

from __future__ import annotations

import re

from rig.core.errors import (
    InstrumentError,
    LinkError,
    LinkTimeout,
    Refused,
    RigError,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Identity
from rig.core.link import Link
from rig.core.sheet import Model, Sheet
from rig.wire import scpi

# From here on a value says overflow or open leads, and is not a measurement.
NOT_MEASURED = 1e8
# Single measurements: between two of them no test current flows.
IDLE = ":INIT:CONT OFF"

_STATUS = re.compile(r"[0-9]{1,3}")
_MOST_STALE_LINES = 10


class HiokiMeter:
    """One meter on one link; ``where`` names both in every message."""

    def __init__(self, link: Link, name: str, sheet: Sheet) -> None:
        self._link = link
        self._sheet = sheet
        self.where = f"{name} ({sheet.family}, {link.name})"
        self._model: Model | None = None
        # False until an exchange ends well: an answer that comes too late would be the next one's.
        self._in_step = False
        self._owed_second = sheet.timeout_second

    # --- identity and safe state -----------------------------------------------------------------

    def identify(self) -> Identity:
        """Ask who this is; the serial number that the meters send is always 0 and left out."""
        answer = self._fall_into_step()
        fields = [field.strip() for field in answer.split(",")]
        model = self._sheet.model(fields[1]) if len(fields) == 4 and fields[0] == "HIOKI" else None
        if model is None:
            known = ", ".join(entry.name for entry in self._sheet.models)
            raise WrongInstrument(
                f"{self.where}: sent '*IDN?', got {answer!r}, expected HIOKI and one of {known}",
                remedy="correct the driver or the connection of this instrument in the bench file",
            )
        self._model = model
        return Identity(self._sheet.maker, model.name, serial="", firmware=fields[3])

    @property
    def model(self) -> Model:
        if self._model is None:
            raise InstrumentError(
                f"{self.where}: the model is not known yet: nothing to check ranges by",
                remedy="call identify() first",
            )
        return self._model

    def stop(self) -> None:
        """End continuous measurement, confirmed; a measurement under way is waited for.

        No query of the trigger state is known. Settings are taken in order and a measurement is
        not overtaken, so an ``*ESR?`` of 0 behind the setting, in its line, says that it is in force.
        """
        try:
            self.idle()
        except (LinkError, InstrumentError) as problem:
            raise UnconfirmedSafeState(
                f"{self.where}: end of measurement not confirmed: {problem}",
                remedy="take the probes off the cell; the meter injects a small AC current only",
            ) from problem

    # --- settings --------------------------------------------------------------------------------

    def configure(self, *lines: str) -> None:
        """Forget old errors, send settings, and see that none was refused.

        A line that is lost on its way is not refused: see ``change``.
        """
        self.forget_errors()
        for line in lines:
            self._write(line)
        self._raise_refusal(" | ".join(lines), self._event_status())

    def change(self, *lines: str) -> None:
        """Send settings, each line with its question in the same message: a lost one has no answer.

        Without ``*CLS`` before it, a meter that lost its settings in a power dip shows by the
        power-on bit. Raises Refused, LinkTimeout.
        """
        for line in lines:
            command = f"{line};*ESR?"
            self._raise_refusal(line, self._as_status(command, self.query(command)))

    def idle(self) -> None:
        """End continuous measurement."""
        self.forget_errors()
        self.change(IDLE)

    def forget_errors(self) -> None:
        """Clear the event status register, the power-on bit included."""
        self._get_into_step()
        self._write("*CLS")

    def _raise_refusal(self, sent: str, status: int) -> None:
        if status:
            raise self._refused(sent, status)

    def _event_status(self) -> int:
        """Return the event status register, which reading clears."""
        self.ask("*ESR?")
        return self._as_status("*ESR?", self.answer())

    def _as_status(self, command: str, answer: str) -> int:
        if _STATUS.fullmatch(answer) is None or int(answer) > 255:
            raise self.unreadable(command, answer, "a number from 0 to 255")
        return int(answer)

    # --- queries ---------------------------------------------------------------------------------

    def query(self, command: str) -> str:
        """Return the line that answers ``command``; raises Refused where silence meant refusal."""
        self.ask(command)
        try:
            return self.answer()
        except LinkTimeout as silence:
            raise self.meaning_of(silence, command) from silence

    def ask(self, command: str, longest_second: float | None = None) -> None:
        """Send a query and leave its answer for later; it may take ``longest_second``."""
        self._get_into_step()
        self._in_step = False
        self._owed_second = longest_second or self._sheet.timeout_second
        self._write(command)

    def answer(self, timeout_second: float | None = None) -> str:
        """Return the answer to what was asked. Raises LinkTimeout; it may still come then."""
        timeout = self._sheet.timeout_second if timeout_second is None else timeout_second
        line = self._read_line(timeout)
        self._in_step = True
        return line

    def meaning_of(self, silence: LinkTimeout, command: str) -> RigError:
        """Return what to raise where ``command`` was not answered: Refused if the meter says so."""
        self._owed_second = self._sheet.timeout_second  # what was owed did not come
        try:
            status = self._event_status()
        except (LinkError, InstrumentError):
            return silence
        return self._refused(command, status) if status else silence

    # --- staying in step -------------------------------------------------------------------------

    def _get_into_step(self) -> None:
        if not self._in_step:
            self._fall_into_step()

    def _fall_into_step(self) -> str:
        """Ask for the identity and drop what comes before it; return the identity.

        Commands are taken in order, so an answer still owed comes first, when it is ready.
        """
        self._in_step = False
        scpi.discard_received(self._link)
        self._write("*IDN?")
        for _ in range(_MOST_STALE_LINES):
            line = self._read_line(self._owed_second)
            if line.count(",") >= 3:  # no measurement and no status has four fields
                self._in_step = True
                self._owed_second = self._sheet.timeout_second
                return line
        raise UnreadableReply(
            f"{self.where}: sent '*IDN?', got {_MOST_STALE_LINES} other lines, expected four fields"
        )

    def _write(self, line: str) -> None:
        self._link.write(line.encode("ascii") + self._sheet.terminator)

    def _read_line(self, timeout_second: float) -> str:
        raw = self._link.read_until(self._sheet.terminator, timeout_second)
        return raw.decode("ascii", errors="backslashreplace")

    # --- messages --------------------------------------------------------------------------------

    def unreadable(self, sent: str, got: str, expected: str) -> UnreadableReply:
        self._in_step = False  # this line may have belonged to another query
        return UnreadableReply(f"{self.where}: sent {sent!r}, got {got!r}, expected {expected}")

    def _refused(self, sent: str, status: int) -> Refused:
        meanings = [
            self._sheet.refusals.get(str(1 << bit), f"bit {bit}, not in the sheet")
            for bit in range(8)
            if status & 1 << bit
        ]
        return Refused(f"{self.where}: sent {sent!r}, '*ESR?' says {status}: {'; '.join(meanings)}")
