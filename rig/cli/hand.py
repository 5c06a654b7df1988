"""``rig hand``: open circuit, one spectrum, a lead check, a chamber by hand, before a run begins.

Where an engine is at work it does it, on a channel that is taken for as long; else this process does.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.hand_words import say_outcome
from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.cli.steering import Reason, who
from rig.core.errors import BadInput, Problem, RigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from rig.bench.file import BenchFile
    from rig.bench.hand_operations import ByHand, Operation
    from rig.bench.leases import Lease

app = typer.Typer(
    help="Look at a cell by hand before a run: each is a small run, with all its limits.",
    no_args_is_help=True,
)

ChannelName = Annotated[str, typer.Argument(metavar="CHANNEL", help="A channel that runs nothing.")]
CellName = Annotated[
    str, typer.Option("--cell", help="Name of the cell; its record's limits hold.")
]
Bench = Annotated[
    str | None,
    typer.Option("--bench", help="A bench file, or sim; default: sim, or that of the engine."),
]


@app.command("ocv")
def ocv(
    channel: ChannelName,
    second: Annotated[str, typer.Option("--for", help="How long, as in 10 s.")] = "10 s",
    cell: CellName = "",
    reason: Reason = "",
    bench: Bench = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Measure the open-circuit voltage for some seconds."""
    from rig.bench.hand_operations import Operation

    settings = {"for": second}
    return _do(Operation.OPEN_CIRCUIT, channel, settings, (cell, reason, bench, db), json=json)


@app.command("spectrum")
def spectrum(
    channel: ChannelName,
    start: Annotated[str, typer.Option("--from", help="Highest frequency.")] = "100 kHz",
    stop: Annotated[str, typer.Option("--to", help="Lowest frequency.")] = "1 Hz",
    amplitude: Annotated[str, typer.Option(help="RMS, in V or A.")] = "10 mV",
    points_per_decade: Annotated[int, typer.Option(min=1, max=50)] = 10,
    cell: CellName = "",
    reason: Reason = "",
    bench: Bench = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Measure one impedance spectrum; rig kk last, rig fit eis last judge it."""
    from rig.bench.hand_operations import Operation

    settings = {"from": start, "to": stop, "amplitude": amplitude}
    settings["points_per_decade"] = str(points_per_decade)
    return _do(Operation.SPECTRUM, channel, settings, (cell, reason, bench, db), json=json)


@app.command("leads")
def leads(
    channel: ChannelName,
    pulse: Annotated[
        str, typer.Option(help="Also a pulse of 2 s, as in 1 mA; none unless named.")
    ] = "",
    amplitude: Annotated[str, typer.Option(help="RMS, in V or A.")] = "10 mV",
    cell: CellName = "",
    reason: Reason = "",
    bench: Bench = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Check the leads: voltage, high frequencies, and a pulse where its current is named.

    Exit code 1 where something is ill.
    """
    from rig.bench.hand_operations import Operation

    settings = {"amplitude": amplitude, "pulse": pulse}
    return _do(Operation.LEAD_CHECK, channel, settings, (cell, reason, bench, db), json=json)


@app.command("temperature")
def temperature(
    channel: ChannelName,
    celsius: Annotated[str, typer.Argument(metavar="TEMPERATURE", help="As in '40 degC'.")],
    cell: CellName = "",
    reason: Reason = "",
    db: Database = None,
) -> int:
    """Hold the channel's chamber at a temperature until Ctrl-C; then it goes to rest. Needs an engine."""
    from rig.bench import leases
    from rig.core.units import quantity

    wanted = quantity(celsius, "temperature", "TEMPERATURE")
    with _store(db) as store:
        bench = _bench_of_engine(store)
        if bench is None:
            raise BadInput(Problem("rig hand temperature", "no engine is at work"), remedy=_ENGINE)
        with _taken(store, bench, channel, reason) as lease:
            given = leases.hold_temperature(
                store, bench, lease, wanted, cell=cell, who=who(), reason=reason
            )
            if not given.done:
                raise RigError(given.words)
            typer.echo(f"{channel}: {given.words}; Ctrl-C lets it go", err=True)
            _until_interrupted(partial(_renew, store, lease), leases.RENEW_SECOND)
    return 0


def _until_interrupted(renew: Callable[[], None], every_second: float) -> None:
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    while not over.wait(every_second):
        renew()


def _renew(store: Engine, lease: Lease) -> None:
    """Raises LeaseOver where somebody, or the engine, has ended it."""
    from rig.bench import leases

    leases.renew(store, leases.own_lease(store, lease.lease_id, lease.owner))


_ENGINE = "begin one with: rig engine --bench FILE, or rig serve"
Circumstances = tuple[str, str, str | None, str | None]  # cell, reason, bench, database


def _do(
    operation: Operation,
    channel: str,
    settings: dict[str, str],
    circumstances: Circumstances,
    *,
    json: bool,
) -> int:
    from rig.bench.hand_operations import ByHand

    cell, reason, bench_name, db = circumstances
    by_hand = ByHand(operation, settings)
    with _store(db) as store:
        bench = _bench_of_engine(store)
        if bench is not None:
            _require_same(bench, bench_name)
            outcome = _through_engine(store, bench, channel, by_hand, cell, reason)
        else:
            outcome = _ourselves(bench_name or "sim", db, channel, by_hand, cell, reason)
    if json:
        print_json(outcome)
    else:
        say_outcome(outcome)
    return 1 if outcome["state"] != "finished" or outcome["leads_well"] is False else 0


# --- through an engine ----------------------------------------------------------------------------


def _through_engine(
    store: Engine, bench: BenchFile, channel: str, by_hand: ByHand, cell: str, reason: str
) -> dict[str, Any]:
    from rig.bench import leases
    from rig.bench.by_hand import begin_by_hand
    from rig.bench.hand_outcome import await_outcome

    with _taken(store, bench, channel, reason) as lease:
        asked = begin_by_hand(store, bench, lease, by_hand, who=who(), reason=reason, cell=cell)
        if not asked.answer.done:
            raise RigError(f"channel {channel}: {asked.answer.words}")
        renew = partial(_renew, store, lease)
        return await_outcome(store, bench, asked.run.run_id, renew, leases.RENEW_SECOND)


@contextmanager
def _taken(store: Engine, bench: BenchFile, channel: str, reason: str) -> Iterator[Lease]:
    """Have the channel; it is given back whatever happens, its cell disconnected."""
    from rig.bench import leases

    lease = leases.take_channel(store, bench, channel, who=who(), reason=reason)
    try:
        yield lease
    finally:
        given = leases.give_back(store, lease, who=who(), reason=reason)
        if not given.done:
            typer.echo(f"rig: ALARM: {given.words}", err=True)


@contextmanager
def _store(db: str | None) -> Iterator[Engine]:
    """Where an engine is at work there is a database; where none is, this makes none."""
    from rig.store.database import database_url
    from rig.store.journal import open_to_look

    store = open_to_look(database_url(db))
    try:
        yield store
    finally:
        store.dispose()


def _bench_of_engine(store: Engine) -> BenchFile | None:
    """Return the bench of the engine that is at work for this database, or None where none is."""
    from rig.bench.file import load_bench
    from rig.bench.hosting import host_of

    host = host_of(store)
    return None if host is None else load_bench(host.bench)


def _require_same(bench: BenchFile, wanted: str | None) -> None:
    from rig.bench.hosting import is_same_bench

    if wanted is not None and not is_same_bench(bench.file, wanted):
        message = f"got {wanted}, but an engine is at work on {bench.file}"
        raise BadInput(Problem("--bench", message), remedy="leave it out, or name another --db")


# --- in this process ------------------------------------------------------------------------------


def _ourselves(
    bench_name: str, db: str | None, channel: str, by_hand: ByHand, cell: str, reason: str
) -> dict[str, Any]:
    """Run it here, as rig run would; the channel is ours until it has ended."""
    from rig.bench.by_hand import note_begun
    from rig.bench.choosing import choose_channels
    from rig.bench.file import load_bench
    from rig.bench.hand_operations import FILE, protocol_text
    from rig.bench.hand_outcome import outcome_by_hand
    from rig.bench.starting import Job, cell_facts, start
    from rig.cli.progress import stopping_on_signals
    from rig.protocol import loads_protocol
    from rig.store.database import database_url

    bench = load_bench(bench_name)
    url = database_url(db, bench.database)
    text = protocol_text(by_hand, bench, channel)
    with _store(url) as store:
        program = loads_protocol(text, file_name=FILE, cell=cell_facts(store, cell))
    (spec,) = choose_channels(bench, program, channel)
    session = start([Job(program, FILE, spec, cell)], bench, database=url)
    run_id = session.runs[0].run_id
    note_begun(session.engine, run_id, who=who(), reason=reason)
    with stopping_on_signals(session):
        session.run()
    with _store(url) as store:
        return outcome_by_hand(store, bench, run_id)
