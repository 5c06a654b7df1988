"""Keithley DAQ6510 with a multiplexer card, as thermometers and voltmeters that scan by themselves.

The instrument scans its channels endlessly into a buffer of its own; a read asks what has come and
gives the newest of one channel. Knows no port and no time: whether a value is new is all that it
can say about its age. Facts stand in ``keithley_daq6510.toml``, channels in ``daq6510_channels``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from drivers.sensors.daq6510_channels import read_channels
from rig.core.errors import (
    BadInput,
    OutOfRange,
    Problem,
    Refused,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, Quantity, SensorReading
from rig.core.link import Link
from rig.core.sheet import Sheet, load_sheet
from rig.core.units import quantity
from rig.wire import scpi
from rig.wire.conversation import Conversation

# IEEE 488.2 joins the answers of one message by semicolons, which no other answer here holds.
_MARKER = ("*OPC?;*OPC?", "1;1")
_BUFFER, _BUFFER_SIZE = "rig", 100_000
# What the instrument calls a reading after its buffer has wrapped round is not known: long before
# that the buffer is emptied and the scan begun anew.
_EMPTIED_AT = _BUFFER_SIZE // 2
_LONGEST_INTERVAL_SECOND = 3600.0


class KeithleyDaq6510:
    """One scanner; ``channels`` says what hangs on which, ``interval`` how often it comes round.

    Raises BadInput with everything wrong with its options.
    """

    sheet: ClassVar[Sheet] = load_sheet(Path(__file__).with_suffix(".toml"))

    def __init__(
        self,
        link: Link,
        name: str,
        *,
        channels: Mapping[str, object] | None = None,
        interval: str = "2 s",
    ) -> None:
        self._who = f"{name} ({self.sheet.family}, {link.name})"
        self._talk = Conversation(link, self._who, self.sheet.timeout_second, _MARKER)
        self._channels = read_channels(channels, f"{name}, options, channels")
        self._interval_second = _read_interval(interval, f"{name}, options, interval")
        self._scanning = False
        self._seen = 0  # readings of the present scan that have been looked at
        self._newest: dict[str, SensorReading] = {}
        self._fresh: set[str] = set()  # channels whose newest reading nobody has had yet

    def identify(self) -> Identity:
        self._scanning = False
        answer = self._talk.query("*IDN?")
        fields = [field.strip() for field in answer.split(",")]
        model = fields[1].removeprefix("MODEL ") if len(fields) == 4 else ""
        if not fields[0].startswith("KEITHLEY") or self.sheet.model(model) is None:
            raise WrongInstrument(
                f"{self._who}: sent '*IDN?', got {answer!r}, expected a Keithley DAQ6510",
                remedy="check this instrument's connect: in the bench file, and that it speaks SCPI",
            )
        return Identity(self.sheet.maker, model, fields[2], fields[3])

    def quantity(self, path: str) -> Quantity:
        """Say what hangs on channel ``path``; raises OutOfRange for one that options do not name."""
        if path not in self._channels:
            raise OutOfRange(
                f"{self._who}: channel {path!r} is not among the options' channels, "
                f"there are {', '.join(self._channels)}; nothing was sent"
            )
        return self._channels[path].quantity

    def read(self, path: str) -> SensorReading:
        """Return the newest reading of channel ``path``; STALE when it is the one of the last look.

        The first look begins the scan: until that has come round there is NaN, and STALE. Raises
        OutOfRange, Refused, LinkTimeout, UnreadableReply.
        """
        self.quantity(path)
        if not self._scanning:
            self._begin_scan()
        # Until this look has worked: an instrument that was switched off is set up again.
        self._scanning = False
        self._look()
        self._scanning = True
        value, flags = self._newest.get(path, SensorReading(math.nan))
        if path not in self._fresh:
            return SensorReading(value, flags | int(Flag.STALE))
        self._fresh.discard(path)
        return SensorReading(value, flags)

    def make_safe(self) -> None:
        """Stop scanning, confirmed. Raises LinkError or Refused: no cell hangs on it."""
        self._scanning = False
        self._do(":ABOR")

    # --- scanning --------------------------------------------------------------------------------

    def _begin_scan(self) -> None:
        """Set everything up from any state, and start."""
        self._newest.clear()
        paths = ",".join(self._channels)
        self._do("*CLS", "*RST")
        self._do(f':TRAC:MAKE "{_BUFFER}",{_BUFFER_SIZE}')
        for channel in self._channels.values():
            self._do(*(f":{command}" for command in channel.commands))
        self._do(
            f":ROUT:CHAN:OPEN (@{paths})",
            f':ROUT:SCAN:BUFF "{_BUFFER}"',
            f":ROUT:SCAN:CRE (@{paths})",
            ":ROUT:SCAN:COUN:SCAN 0",
            f":ROUT:SCAN:INT {self._interval_second:g}",
        )
        self._start()

    def _start(self) -> None:
        """Start the endless scan; without ``*OPC?``, which would wait for its end."""
        self._fresh.clear()
        self._seen = 0
        self._talk.send(":INIT")
        self._refuse_on_error(":INIT")

    def _look(self) -> None:
        """Take what has come since the last look: of each channel the newest."""
        count = self._count()
        if count < self._seen:
            message = f"the buffer holds {count} readings after {self._seen}: somebody emptied it"
            raise Refused(f"{self._who}: {message}")
        if count > self._seen:
            # The scan goes round in order, so the last readings are one of each channel.
            first = max(self._seen, count - len(self._channels)) + 1
            self._take(first, count)
            self._seen = count
        if count >= _EMPTIED_AT:
            self._do(":ABOR", f':TRAC:CLE "{_BUFFER}"')
            kept = set(self._fresh)
            self._start()
            self._fresh = kept

    def _count(self) -> int:
        question = f':TRAC:ACT? "{_BUFFER}"'
        answer = self._talk.query(question)
        if not answer.isdecimal():
            raise UnreadableReply(
                f"{self._who}: sent {question!r}, got {answer!r}, expected a count"
            )
        return int(answer)

    def _take(self, first: int, last: int) -> None:
        question = f':TRAC:DATA? {first},{last},"{_BUFFER}",CHAN,READ'
        fields = self._talk.query(question).split(",")
        expected = 2 * (last - first + 1)
        if len(fields) != expected or not self._channels.keys() >= set(fields[::2]):
            raise UnreadableReply(
                f"{self._who}: sent {question!r}, got {fields!r}, expected channel and reading, "
                f"{expected} fields"
            )
        for path, text in zip(fields[::2], fields[1::2], strict=True):
            where = f"{self._who}: sent {question!r}"
            number = scpi.parse_float(text.encode("ascii"), where)
            self._newest[path] = self._channels[path].reading(number)
            self._fresh.add(path)

    def _do(self, *commands: str) -> None:
        """Send commands as one message that ends in a question: a line that is lost gives no answer.

        Raises Refused where the instrument reports an error, of these or of what came before.
        """
        message = ";".join((*commands, "*OPC?"))
        if not self._talk.switch(message):
            raise UnreadableReply(f"{self._who}: sent {message!r}, got '0', expected '1'")
        self._refuse_on_error(message)

    def _refuse_on_error(self, message: str) -> None:
        if errors := self._talk.errors():
            meanings = [self.sheet.refusals.get(str(error.code), "unknown") for error in errors]
            words = [f"{error} ({word})" for error, word in zip(errors, meanings, strict=True)]
            raise Refused(f"{self._who}: sent {message!r}, got {'; '.join(words)}")


def _read_interval(text: str, where: str) -> float:
    second = quantity(text, "time", where)
    if not 0 < second <= _LONGEST_INTERVAL_SECOND:
        message = f"got {text!r}, expected above 0 and up to {_LONGEST_INTERVAL_SECOND:g} s"
        raise BadInput(Problem(where, message, example="interval: 1 s"))
    return second
