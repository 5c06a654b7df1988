"""Putting runs on record: the rows of a run, its cell and its rig, before anything is switched on.

Knows rows; what a run may do on its channel has been checked by whoever comes here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from rig import __version__
from rig.bench.file import BenchFile
from rig.bench.sensing import sensor_snapshot
from rig.core.clock import RealClock
from rig.core.records import RunState
from rig.protocol.program import Program
from rig.store import tables
from rig.store.journal import remember
from rig.store.presence import OWN_RIG_KEY, own_rig_id, rig_name

Identities = Mapping[str, Mapping[str, str]]  # instrument -> who answered, as plain data


@dataclass(frozen=True, slots=True)
class Entry:
    """What is put on record of a run: a compiled protocol, where, and on which cell.

    ``identities`` is who answers on each port, empty as long as nobody has been asked.
    """

    program: Program
    protocol_file: str
    channel: str
    cell_name: str
    bench: BenchFile
    speed: str
    seed: int
    identities: Identities


def register(connection: Connection, entry: Entry) -> str:
    """Write the row of a queued run, and those of its cell and rig where they are new; returns its id."""
    run_id = uuid.uuid4().hex
    values: dict[str, Any] = {
        "run_id": run_id,
        "rig_id": _rig_id(connection),
        "cell_id": _cell_id(connection, entry, run_id),
        "channel": entry.channel,
        "protocol_name": entry.program.name,
        "protocol_file": entry.protocol_file,
        "protocol_text": entry.program.text,
        "protocol_sha256": entry.program.sha256,
        "variables": dict(entry.program.variables),
        "software_version": __version__,
        "bench": bench_snapshot(entry.bench, entry.identities),
        "speed": entry.speed,
        "seed": entry.seed,
        "state": RunState.QUEUED.value,
        "created_us": RealClock().wall_us(),
    }
    connection.execute(insert(tables.run).values(**values))
    return run_id


def bench_snapshot(bench: BenchFile, identities: Identities) -> dict[str, Any]:
    """Return what a run keeps of its bench."""
    sensors = {name: sensor_snapshot(channel) for name, channel in bench.channels.items()}
    return {
        "file": bench.file,
        "content": bench.plain,
        "identities": dict(identities),
        "sensors": {name: read for name, read in sensors.items() if read},
    }


def _rig_id(connection: Connection) -> str:
    """Return this database's own rig, made on first use."""
    known = own_rig_id(connection)
    if known is not None:
        return known
    rig_id = uuid.uuid4().hex
    values = {"rig_id": rig_id, "name": rig_name(), "created_us": RealClock().wall_us()}
    connection.execute(insert(tables.rig).values(**values))
    remember(connection, OWN_RIG_KEY, rig_id)
    return rig_id


def _cell_id(connection: Connection, entry: Entry, run_id: str) -> str:
    """Return the named cell's record, or a new one with what the protocol says of the cell."""
    named = select(tables.cell.c.cell_id).where(tables.cell.c.name == entry.cell_name)
    known = connection.execute(named).scalar() if entry.cell_name else None
    if known is not None:
        return str(known)
    cell, cell_id = entry.program.cell, uuid.uuid4().hex
    values = {
        "cell_id": cell_id,
        "name": entry.cell_name or f"{entry.channel} {run_id[:8]}",
        "area_square_centimetre": cell.area_square_centimetre,
        "thickness_centimetre": cell.thickness_centimetre,
        "mass_gram": cell.mass_gram,
        "capacity_ah": cell.capacity_ah,
        "symmetric": cell.symmetric,
    }
    connection.execute(insert(tables.cell).values(**values))
    return cell_id
