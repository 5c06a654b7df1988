"""Any switch matrix or scanner that keeps to the ROUTe commands of SCPI-1999.

Uses ``ROUT:CLOS (@101)``, ``ROUT:CLOS? (@101)`` and ``ROUT:OPEN:ALL`` and nothing else of the
instrument. Knows no card, no port and no engine; facts stand in ``scpi_matrix.toml``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from rig.core.errors import (
    InstrumentError,
    LinkClosed,
    LinkError,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Identity
from rig.core.link import Link
from rig.core.sheet import Sheet, load_sheet
from rig.wire.conversation import Conversation

# IEEE 488.2 joins the answers of one message by semicolons, which no other answer here holds.
_MARKER = ("*OPC?;*OPC?", "1;1")
# One channel of a SCPI-1999 channel list: a number, or row!column of a matrix.
_PATH = re.compile(r"[0-9]+(?:![0-9]+)*")


class ScpiMatrix:
    """A scanner with one path closed at a time.

    SCPI-1999 cannot name all channels of an instrument, so what is read back are the paths that
    this object knows: those it was made with and those it was asked to close.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(self, link: Link, name: str, paths: tuple[str, ...] = ()) -> None:
        """Store the link; ``paths`` are all that the bench uses, to be read back from the start."""
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._talk = Conversation(link, self._who, self.sheet.timeout_second, _MARKER)
        self._paths = dict.fromkeys(paths)  # in order, each once

    def identify(self) -> Identity:
        """Return the instrument's own words: any maker and model may be a switch."""
        answer = self._talk.query("*IDN?")
        fields = [field.strip() for field in answer.split(",", 3)]
        if len(fields) != 4:
            raise WrongInstrument(
                f"{self._who}: sent '*IDN?', got {answer!r}, expected maker, model, serial, firmware",
                remedy="check this instrument's connect: in the bench file",
            )
        return Identity(*fields)

    def connect(self, path: str) -> None:
        """Open all, see that all known paths are open, close this one, see that only it is closed."""
        if _PATH.fullmatch(path) is None:
            raise OutOfRange(
                f"{self._who}: path {path!r} is no channel, expected a number such as 101; "
                "nothing was sent"
            )
        self._do("*CLS", "ROUT:OPEN:ALL")
        self._confirm("")
        self._close(path)
        self._confirm(path)

    def make_safe(self) -> None:
        """Open every path; the known ones are read back, with none known the error queue decides."""
        try:
            self._open_all()
            self._confirm("")
        except (LinkError, InstrumentError) as error:
            raise UnconfirmedSafeState(
                f"{self._who}: the paths are not confirmed open: {error}",
                remedy="disconnect the cells from the switch, or switch it off",
            ) from error

    def _close(self, path: str) -> None:
        """Close one path; known from now on, unless the instrument says that it has none such."""
        try:
            self._do(f"ROUT:CLOS (@{path})")
        except (LinkError, UnreadableReply):
            self._paths[path] = None  # perhaps closed
            raise
        self._paths[path] = None

    def _open_all(self) -> None:
        """Open all; a second time, in step, where the first answer was none.

        What is left over from a broken exchange must not keep a cell from being declared safe.
        """
        try:
            self._do("*CLS", "ROUT:OPEN:ALL")
        except LinkClosed:
            raise
        except (LinkError, UnreadableReply):
            self._do("*CLS", "ROUT:OPEN:ALL")

    def _do(self, *commands: str) -> None:
        """Send commands, wait for the relays, and raise Refused where an error is reported."""
        self._talk.send(*commands)
        if not self._talk.switch("*OPC?"):
            raise UnreadableReply(f"{self._who}: sent '*OPC?', got '0', expected '1'")
        if errors := self._talk.errors():
            meanings = [self.sheet.refusals.get(str(error.code), "unknown") for error in errors]
            words = [
                f"{error} ({meaning})" for error, meaning in zip(errors, meanings, strict=True)
            ]
            raise Refused(f"{self._who}: sent {commands[-1]!r}, got {'; '.join(words)}")

    def _confirm(self, closed_path: str) -> None:
        """Raise Refused unless of all known paths exactly this one (empty: none) is closed."""
        for path in self._paths:
            question = f"ROUT:CLOS? (@{path})"
            closed = self._talk.switch(question)
            if closed != (path == closed_path):
                raise Refused(
                    f"{self._who}: path {path} should be "
                    f"{'closed' if path == closed_path else 'open'}, {question!r} says {closed:d}"
                )
