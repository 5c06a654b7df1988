"""Asking a running engine to begin a run: what can be refused is refused here, before it is asked.

The asker's side of a start, for the command line and a page alike: no port is opened, and nothing is
switched on. Runs and orders are written in one transaction; the engine (rig/bench/host.py) takes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from rig.bench.compiling import Wish, compiled
from rig.bench.file import BUILT_IN, BenchFile
from rig.bench.leases import by_hand_words, is_its_lease
from rig.bench.locks import has_engine, has_host, owner_of_channel, owner_of_database
from rig.bench.registering import Entry, register
from rig.core.clock import Clock, RealClock
from rig.core.errors import BadInput, Problem
from rig.core.orders import Order
from rig.core.records import ENDED, RunState
from rig.engine.states import Verb
from rig.protocol.program import Program
from rig.store import queries, tables
from rig.store.alarms import require_unblocked
from rig.store.database import translated
from rig.store.journal import recall, remember
from rig.store.orders import unanswered, write_order

_KEY = "engine"  # under which a database remembers its engine
_NO_ENGINE = "no engine takes new runs for it"


@dataclass(frozen=True, slots=True)
class HostRecord:
    """What an engine says of itself: its bench file, as it has read it, and its clock."""

    pid: int
    bench: str
    bench_sha256: str
    speed: str
    seed: int

    @staticmethod
    def of(pid: int, bench: BenchFile, speed: str, seed: int) -> HostRecord:
        """Return the record of an engine on this bench; its file is named from anywhere."""
        return HostRecord(pid, _from_anywhere(bench.file), bench.sha256, speed, seed)


def is_same_bench(one: str, other: str) -> bool:
    """Say whether these name the same bench file, as seen from this folder."""
    return _from_anywhere(one) == _from_anywhere(other)


def _from_anywhere(file: str) -> str:
    return file if file == BUILT_IN else str(Path(file).resolve())


def write_host(engine: Engine, record: HostRecord) -> None:
    """Let the database remember its engine."""
    with translated(engine), engine.begin() as connection:
        remember(connection, _KEY, json.dumps(asdict(record)))


def host_of(engine: Engine) -> HostRecord | None:
    """Return the engine that takes new runs for this database now, or None where none is alive."""
    url = str(engine.url)
    if not has_host(url):
        return None
    with translated(engine), engine.connect() as connection:
        text = recall(connection, _KEY)
    record = None if text is None else HostRecord(**json.loads(text))
    return None if record is None or _is_anothers(record, owner_of_database(url)) else record


def _is_anothers(record: HostRecord, owner: str) -> bool:
    """Say whether this is what a dead engine left: the one that is about to begin has said nothing yet."""
    return owner.startswith("process ") and not owner.startswith(f"process {record.pid} ")


def require_host(engine: Engine) -> HostRecord:
    """Return the same; raises BadInput where none is alive."""
    host = host_of(engine)
    if host is None:
        raise BadInput(Problem(f"database {engine.url}", _NO_ENGINE), remedy=_BEGIN_ONE)
    return host


_BEGIN_ONE = "begin one with: rig engine --bench FILE; or run it yourself with: rig run"


# --- asking --------------------------------------------------------------------------------------


def request_start(
    engine: Engine,
    bench: BenchFile,
    *,
    protocol_text: str,
    protocol_file: str = "protocol.yaml",
    channels: Sequence[str],
    cells: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    who: str,
    reason: str = "",
    on_behalf_of: str = "",
    lease_id: str = "",
    clock: Clock | None = None,
) -> list[str]:
    """Ask the engine of this database to run a protocol on these channels; return the runs' ids.

    ``cells`` names the cell on a channel; its record wins over the protocol. ``protocol_file`` is
    what the text is called in messages; ``lease_id`` is of who has the channel by hand. The runs are
    queued, each with an order ``start`` in the journal: see rig.bench.asking.await_starts; a stop
    cancels one. Raises BadInput with all that is wrong with any of them; none is on record then.
    """
    cells = cells or {}
    wish = Wish(
        protocol_text,
        protocol_file,
        {name: cells.get(name, "") for name in channels},
        variables or {},
        lease_id,
    )
    programs = _checked(engine, bench, wish, channels, cells)
    host = require_host(engine)
    asked_us = (clock or RealClock()).wall_us()
    giver = f"{who} for {on_behalf_of}" if on_behalf_of else who
    with translated(engine), engine.begin() as connection:
        run_ids = [
            register(
                connection,
                Entry(program, wish.file, name, wish.cells[name], bench, host.speed, host.seed, {}),
            )
            for name, program in programs.items()
        ]
        for run_id in run_ids:
            order = Order(0, run_id, Verb.START.value, lease_id, giver, reason, asked_us)
            write_order(connection, order)
    return run_ids


def free_channels(engine: Engine, bench: BenchFile) -> list[str]:
    """Return the channels on which nothing runs, or is about to."""
    starting = _starting(engine)
    busy = {name for name in bench.channels if has_engine(name, str(engine.url))}
    return [name for name in bench.channels if name not in busy and name not in starting]


def _checked(
    engine: Engine,
    bench: BenchFile,
    wish: Wish,
    channels: Sequence[str],
    cells: Mapping[str, str],
) -> dict[str, Program]:
    """Return the program of each channel, compiled for its cell. Raises BadInput with all problems."""
    programs, unfit = compiled(engine, bench, wish)
    problems = [
        *_host_problems(engine, bench),
        *_channel_problems(engine, bench, channels, wish.lease_id),
        *_cell_problems(engine, channels, cells),
        *unfit,
    ]
    if problems:
        raise BadInput(list(dict.fromkeys(problems)), remedy="nothing was put on record")
    return programs


# --- what can be wrong ---------------------------------------------------------------------------


def _host_problems(engine: Engine, bench: BenchFile) -> Iterator[Problem]:
    host = host_of(engine)
    if host is None:
        yield Problem(f"database {engine.url}", _NO_ENGINE, example="rig engine --bench bench.yaml")
    elif host.bench_sha256 != bench.sha256:
        message = (
            f"is not as the engine (process {host.pid}) has read {host.bench}: its limits would "
            "not be those that were checked here; end the engine and begin it again"
        )
        yield Problem(f"bench {bench.file}", message)


def _channel_problems(
    engine: Engine, bench: BenchFile, channels: Sequence[str], lease_id: str
) -> Iterator[Problem]:
    if not channels:
        yield Problem("channels", "got none", example=f"channel {next(iter(bench.channels))}")
    starting = _starting(engine)
    for name in dict.fromkeys(channels):
        where = f"channel {name}"
        if name not in bench.channels:
            continue  # said where the protocol is compiled for it
        if not is_its_lease(engine, name, lease_id) and has_engine(name, str(engine.url)):
            owner = owner_of_channel(name, str(engine.url))
            occupant = by_hand_words(engine, bench, name) or _occupant(engine, name)
            yield Problem(where, f"is busy: {occupant} ({owner})")
        elif name in starting:
            yield Problem(where, f"is busy: run {starting[name][:8]} is about to begin there")
        if list(channels).count(name) > 1:
            yield Problem(where, "one channel runs one thing at a time")
    try:
        require_unblocked(engine, channels)
    except BadInput as blocked:
        yield from blocked.problems


def _cell_problems(
    engine: Engine, channels: Sequence[str], cells: Mapping[str, str]
) -> Iterator[Problem]:
    """One cell is in one place."""
    for name in cells.keys() - set(channels):
        yield Problem(f"cell {cells[name]}", f"is named for channel {name}, which is not to run")
    named = [cell for cell in cells.values() if cell]
    for cell in dict.fromkeys(cell for cell in named if named.count(cell) > 1):
        yield Problem(f"cell {cell}", "one cell cannot be on several channels")
    for channel, cell in cells.items():
        elsewhere = _running_elsewhere(engine, cell, channel)
        if elsewhere:
            yield Problem(f"cell {cell}", f"is on channel {elsewhere}, where its run goes on")


def _running_elsewhere(engine: Engine, cell: str, channel: str) -> str:
    """Return the other channel on which a process runs this cell, or the empty string."""
    record = queries.find_cell(engine, cell) if cell else None
    if record is None:
        return ""
    others = {
        run.channel
        for run in queries.list_runs(engine)
        if run.values["cell_id"] == record["cell_id"] and RunState(run.state) not in ENDED
    }
    alive = (name for name in sorted(others - {channel}) if has_engine(name, str(engine.url)))
    return next(alive, "")


def _starting(engine: Engine) -> dict[str, str]:
    """Return channel -> run of the starts that no engine has answered yet."""
    ids = [order.run_id for order in unanswered(engine) if order.verb == Verb.START.value]
    table = tables.run
    statement = select(table.c.channel, table.c.run_id).where(table.c.run_id.in_(ids))
    with translated(engine), engine.connect() as connection:
        return {row.channel: row.run_id for row in connection.execute(statement)}


def _occupant(engine: Engine, channel: str) -> str:
    run = next((run for run in queries.list_runs(engine) if run.channel == channel), None)
    return "another process has it" if run is None else f"run {run.run_id[:8]} is {run.state}"
