"""The instruments of a bench as they are now: what an engine has noted of them, and who has them.

Read from the store, as everything that is looked at: no port is opened here, and no engine asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, select

from rig.bench.file import BenchFile, ChannelSpec
from rig.bench.instrument_notes import KEY
from rig.bench.leases import read_leases
from rig.bench.locks import has_engine
from rig.core.sheet import Role
from rig.store import tables
from rig.store.database import translated
from rig.wire import HealthSeen


@dataclass(frozen=True, slots=True)
class InstrumentNow:
    """One instrument; times ending in ``_us`` are UTC microseconds.

    ``is_open``: an engine has its port now. ``identity`` is who answered when it was last opened
    by an engine, ``noted_us`` when that was noted last; None where no engine ever had it.
    """

    name: str
    driver: str
    connect: str
    channels: tuple[str, ...]
    is_open: bool
    identity: Mapping[str, str] | None
    noted_us: int | None
    link: HealthSeen

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who holds or waits for a temperature: a channel with its run, or somebody by hand."""

    who: str
    channel: str
    run_id: str | None
    temperature_celsius: float
    granted: bool


@dataclass(frozen=True, slots=True)
class ChamberNow:
    """One chamber; None where no engine reads it now.

    ``asking`` begins with those that hold it, then the queue, first come first.
    """

    name: str
    channels: tuple[str, ...]
    is_open: bool
    temperature_celsius: float | None
    setpoint_celsius: float | None
    is_running: bool | None
    alarms: tuple[int, ...]
    fault: str
    asking: tuple[Asking, ...]
    noted_us: int | None

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class BenchNow:
    """All instruments of a bench file, the chambers among them once more with what they do."""

    instruments: tuple[InstrumentNow, ...]
    chambers: tuple[ChamberNow, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON object."""
        return {
            "instruments": [one.plain() for one in self.instruments],
            "chambers": [one.plain() for one in self.chambers],
        }


def look_at_bench(engine: Engine, bench: BenchFile, store: str) -> BenchNow:
    """Return a bench as its engines have noted it; ``store`` is the URL that locks stand beside."""
    notes = _notes(engine)
    busy = {name for name in bench.channels if has_engine(name, store)}
    holders = {lease.holder: lease.owner for lease in read_leases(engine)}
    instruments = [_instrument(bench, name, notes.get(name), busy) for name in bench.instruments]
    names = {spec.instruments.get(Role.CHAMBER.value) for spec in bench.channels.values()}
    runs = _channels_of_runs(engine, notes, [one.name for one in instruments if one.is_open])
    chambers = [
        _chamber(one, notes.get(one.name), runs, holders)
        for one in instruments
        if one.name in names
    ]
    return BenchNow(tuple(instruments), tuple(chambers))


Note = dict[str, Any]


def _notes(engine: Engine) -> dict[str, Note]:
    meta = tables.meta
    statement = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(KEY, autoescape=True))
    with translated(engine), engine.connect() as connection:
        return {key[len(KEY) :]: json.loads(value) for key, value in connection.execute(statement)}


def _instrument(bench: BenchFile, name: str, note: Note | None, busy: set[str]) -> InstrumentNow:
    spec = bench.instruments[name]
    users = tuple(one.name for one in bench.channels.values() if name in _instruments_of(one))
    # What a dead engine has noted last still says that the port is open.
    is_open = note is not None and bool(note["is_open"]) and not busy.isdisjoint(users)
    return InstrumentNow(
        name,
        spec.driver,
        spec.connect,
        users,
        is_open,
        note["identity"] if note else None,
        note["noted_us"] if note else None,
        HealthSeen(**note["link"]) if note else HealthSeen(),
    )


def _instruments_of(spec: ChannelSpec) -> set[str]:
    return {*spec.instruments.values(), *(sensor.instrument for sensor in spec.sensors)}


def _chamber(
    one: InstrumentNow, note: Note | None, runs: Mapping[str, str], holders: Mapping[str, str]
) -> ChamberNow:
    content = (note or {}).get("chamber") if one.is_open else None
    known: Note = content or {}
    return ChamberNow(
        one.name,
        one.channels,
        one.is_open,
        known.get("temperature_celsius"),
        known.get("setpoint_celsius"),
        known.get("is_running"),
        tuple(known.get("alarms", ())),
        known.get("fault", ""),
        tuple(_asking(wish, runs, holders) for wish in known.get("wishes", ())),
        one.noted_us,
    )


def _asking(wish: Note, runs: Mapping[str, str], holders: Mapping[str, str]) -> Asking:
    who, channel = wish["who"], runs.get(wish["who"], "")
    words = channel or f"{holders.get(who, 'somebody')}, by hand"
    run_id = who if channel else None
    return Asking(words, channel, run_id, wish["temperature_celsius"], wish["granted"])


def _channels_of_runs(
    engine: Engine, notes: Mapping[str, Note], names: Iterable[str]
) -> dict[str, str]:
    """Return run -> channel of all that hold or wait for a chamber."""
    chambers = [notes[name]["chamber"] for name in names if notes[name]["chamber"]]
    run_ids = {wish["who"] for chamber in chambers for wish in chamber["wishes"]}
    if not run_ids:
        return {}
    run = tables.run
    statement = select(run.c.run_id, run.c.channel).where(run.c.run_id.in_(run_ids))
    with translated(engine), engine.connect() as connection:
        return {row.run_id: row.channel for row in connection.execute(statement)}
