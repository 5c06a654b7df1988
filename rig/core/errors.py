"""Everything that can go wrong, as one tree. Knows nothing of instruments, files or databases.

RigError
├── BadInput                 what a person typed or wrote; exit code 2; carries every Problem found
├── LinkError                the wire: translated once, in rig/wire, from pyserial and pyvisa
│   ├── LinkTimeout          nothing (or half a reply) came in time
│   └── LinkClosed           the port is gone: cable pulled, peer closed, device unplugged
├── InstrumentError          the wire works, the instrument does not do what was asked
│   ├── OutOfRange           refused by our driver before any byte was sent
│   ├── Refused              refused by the instrument itself
│   ├── UnreadableReply      bytes that the manual does not allow
│   ├── WrongInstrument      identifies as something else than the bench file says
│   └── UnconfirmedSafeState nobody could confirm that the cell is disconnected: the loudest alarm
├── StoreError               data could not be kept
├── BrokerAway               who publishes live values reaches nobody; no run is touched by it
└── AnalysisError            the data do not support the result that was asked for
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class RigError(Exception):
    """The root: everything this software raises on purpose.

    ``remedy`` is one line that says what to do; the command line prints it under the cause.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


LONGEST_QUOTED = 80  # characters of what a person wrote that a message repeats
_QUOTED = re.compile(r"""(?<!\w)(['"])((?:(?!\1)[^\\]|\\.)*+)\1(?!\w)""", re.DOTALL)


def _cut(quoted: re.Match[str]) -> str:
    mark, text = quoted.groups()
    return f"{mark}{text[:LONGEST_QUOTED]}…{mark}" if len(text) > LONGEST_QUOTED else quoted[0]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what a person gave us.

    ``where`` is ``file:line:column`` or the place in words; ``message`` says the rule, what was
    got and what was expected; ``example`` is a valid piece to write instead; ``suggestion`` is the
    nearest known word ("did you mean"). What is quoted in ``message`` is cut where it is long: it
    may be a whole file.
    """

    where: str
    message: str
    example: str = ""
    suggestion: str = ""

    def __post_init__(self) -> None:
        if len(self.message) > LONGEST_QUOTED:
            object.__setattr__(self, "message", _QUOTED.sub(_cut, self.message))

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}"
        if self.suggestion:
            text += f"; did you mean {self.suggestion!r}?"
        if self.example:
            text += f" (example: {self.example})"
        return text


class BadInput(RigError):
    """All that is wrong with a file or a command line, reported in one go; exit code 2."""

    def __init__(self, problems: Sequence[Problem] | Problem, *, remedy: str = "") -> None:
        self.problems: tuple[Problem, ...] = (
            (problems,) if isinstance(problems, Problem) else tuple(problems)
        )
        super().__init__("\n".join(str(problem) for problem in self.problems), remedy=remedy)


class LinkError(RigError):
    """The wire failed."""


class LinkTimeout(LinkError):
    """No complete reply came in time; ``received`` holds what did come."""

    def __init__(self, message: str, *, received: bytes = b"", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.received = received


class LinkClosed(LinkError):
    """The port is gone."""


class InstrumentError(RigError):
    """The wire works; the instrument does not do what was asked."""


class OutOfRange(InstrumentError):
    """Refused by our driver before any byte was sent: out of range is never clipped."""


class Refused(InstrumentError):
    """The instrument itself said no."""


class UnreadableReply(InstrumentError):
    """Bytes came that the manual does not allow."""


class WrongInstrument(InstrumentError):
    """The thing on this port is not what the bench file says."""


class UnconfirmedSafeState(InstrumentError):
    """Nobody could confirm that the cell is disconnected. The worst error there is."""


class StoreError(RigError):
    """Data could not be kept or read back."""


class BrokerAway(RigError):
    """A message broker cannot be reached, or does not take what is published; it is tried again."""


class AnalysisError(RigError):
    """The data do not support the result that was asked for."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the known word nearest to ``word``, or the empty string when none is near.

    >>> did_you_mean("dischrage", ["charge", "discharge", "rest"])
    'discharge'
    """
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""
