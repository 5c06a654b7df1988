"""The outlet of samples: every sample of this rig's runs, in order, once, into a stream that keeps them.

Where to go on is asked of the stream itself, never remembered here: its last message of a run says up to
which sample it has it. Each message is written only after the very one that was last when we looked, so
two publishers by mistake, or one that died with an answer on its way, double nothing. Knows no broker's
protocol.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from rig.core.records import ENDED
from rig.store.fresh import FreshSamples, RigPlace, RunPlace
from rig.store.live import ALIVE

SUBJECT = "cellrig.samples"
MESSAGE_ROWS = 1_000  # some 200 kB as JSON
MESSAGE_BYTES = 900_000  # a NATS server takes 1 MiB, headers included, unless told otherwise
READ_ROWS = 20_000
# Clocks of rig and broker differ: a run that began so long before the stream is still its business.
CLOCKS_APART_US = 600 * 1_000_000
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_ENDED, _MOVING = {state.value for state in ENDED}, {state.value for state in ALIVE}


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a stream has a run: the next sample, and the number of its last message (0: none)."""

    seq_next: int = 0
    message: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """Samples of one run from ``seq_first`` to ``seq_last``, as JSON."""

    subject: str
    run_id: str
    seq_first: int
    seq_last: int
    data: bytes

    @property
    def message_id(self) -> str:
        return f"{self.run_id}:{self.seq_first}-{self.seq_last}"


class Stream(Protocol):
    """Where messages are kept in order; every call raises BrokerAway where it did not work."""

    @property
    def name(self) -> str: ...

    def connect(self) -> bool:
        """Be connected, and the stream there; say whether that is so only now."""
        ...

    def made_us(self) -> int:
        """Return when the stream was made, in UTC microseconds."""
        ...

    def subjects(self, under: str) -> set[str]:
        """Return the subjects that it has messages of."""
        ...

    def position(self, subject: str) -> Position:
        """Return up to where the stream has the run of this subject."""
        ...

    def publish(self, message: Message, after: Position) -> Position | None:
        """Keep a message, if the last of its subject is ``after``; None where it is another one."""
        ...

    def close(self) -> None: ...


@dataclass
class SampleOutlet:
    """Publishes the runs that go on and all that began since the stream was made; or, with
    ``from_start``, every run of this rig that there is.
    """

    fresh: FreshSamples
    stream: Stream
    from_start: bool = False
    _rig: RigPlace | None = None
    _asked: bool = False  # the stream, since we are connected
    _positions: dict[str, Position] = field(default_factory=dict)
    _settled: set[tuple[str, str]] = field(default_factory=set)  # run and state: nothing more comes
    _known: set[str] = field(default_factory=set)  # subjects that were there when we connected
    _made_us: int = 0

    @property
    def name(self) -> str:
        return self.stream.name

    def look(self) -> None:
        """Bring the stream up to the newest sample of every run. Raises RigError."""
        self._asked = not self.stream.connect() and self._asked
        self._rig = self._rig or self.fresh.own_rig()
        if self._rig is None:
            return  # no run was ever made here
        if not self._asked:
            self._ask(self._rig)
        for place in self.fresh.runs(self._rig.rig_id):
            if (place.run_id, place.state) not in self._settled:
                self._bring(self._rig, place)

    def close(self) -> None:
        self.stream.close()

    def _ask(self, rig: RigPlace) -> None:
        """Ask the stream for everything anew: who knows what has become of it."""
        self._positions.clear()
        self._settled.clear()
        self._made_us = self.stream.made_us()
        self._known = self.stream.subjects(f"{SUBJECT}.{word(rig.name)}")
        self._asked = True

    def _bring(self, rig: RigPlace, place: RunPlace) -> None:
        """Publish what is new of a run; the state was read before its samples, so none comes later."""
        subject = f"{SUBJECT}.{word(rig.name)}.{word(place.channel)}.{place.run_id}"
        if self._is_wanted(place, subject):
            while not self._publish(rig, place, subject):
                pass
        if place.state not in _MOVING:
            self._settled.add((place.run_id, place.state))

    def _is_wanted(self, place: RunPlace, subject: str) -> bool:
        begun_since = place.created_us >= self._made_us - CLOCKS_APART_US
        goes_on = place.state not in _ENDED
        return self.from_start or goes_on or begun_since or subject in self._known

    def _publish(self, rig: RigPlace, place: RunPlace, subject: str) -> bool:
        """Publish what one look at the store gives; say whether that was all."""
        position = self._positions.get(place.run_id)
        if position is None:
            position = self._positions[place.run_id] = self.stream.position(subject)
        table = self.fresh.after(place.run_id, position.seq_next, READ_ROWS)
        for message in messages_of(subject, rig.name, place, table):
            position = self.stream.publish(message, position)
            if position is None:  # somebody else has gone on with it: ask again
                del self._positions[place.run_id]
                return False
            self._positions[place.run_id] = position
        return bool(table.num_rows < READ_ROWS)


def messages_of(subject: str, rig: str, place: RunPlace, table: pa.Table) -> Iterator[Message]:
    """Cut samples into messages that a server takes: samples with many sensors are long."""
    for first in range(0, table.num_rows, MESSAGE_ROWS):
        part = table.slice(first, MESSAGE_ROWS)
        message = message_of(subject, rig, place, part)
        pieces = -(-len(message.data) // MESSAGE_BYTES)
        if pieces == 1:
            yield message
            continue
        rows = max(1, MESSAGE_ROWS // (2 * pieces))  # some are longer than others
        for at in range(0, part.num_rows, rows):
            yield message_of(subject, rig, place, part.slice(at, rows))


def message_of(subject: str, rig: str, place: RunPlace, table: pa.Table) -> Message:
    """Return samples as a message: each column a list, its unit in its name, null for no number."""
    columns = {
        name: _plain(name, table.column(name).to_pylist())
        for name in table.column_names
        if name != "run_id"
    }
    first, last = columns["seq"][0], columns["seq"][-1]
    content = {
        "rig": rig,
        "channel": place.channel,
        "run_id": place.run_id,
        "seq_first": first,
        "seq_last": last,
        "columns": columns,
    }
    data = json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
    return Message(subject, place.run_id, first, last, data)


def _plain(name: str, values: list[Any]) -> list[Any]:
    decode = _sensed if name == "aux" else _finite
    return [None if value is None else decode(value) for value in values]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sensed(text: str) -> Any:
    return json.loads(text, parse_constant=lambda _word: None)


def word(name: str) -> str:
    """Return a name as one word of a subject or topic: what separates or matches words goes.

    >>> word("lab pc.3/left")
    'lab_pc_3_left'
    """
    return _ODD.sub("_", name) or "_"
