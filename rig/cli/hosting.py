"""``rig engine`` and ``rig start``: an engine that takes runs as long as it lives, and asking it for one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import channel_words, print_json
from rig.cli.running import BenchOption, Database, Json, Seed, Settings, variables_of
from rig.cli.steering import Reason, who
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.bench.file import BenchFile
    from rig.bench.host import Host


def engine(
    bench: BenchOption = "sim",
    db: Database = None,
    speed: Annotated[
        str | None,
        typer.Option(help="max, 1, 20: how many times faster than life; simulated: 1."),
    ] = None,
    seed: Seed = 1,
) -> int:
    """Take runs for a database until Ctrl-C, which disconnects every cell: see rig start."""
    from rig.bench.file import load_bench
    from rig.bench.host import open_host
    from rig.cli.progress import stopping_on_signals
    from rig.store.address import without_password
    from rig.store.database import database_url

    bench_file = load_bench(bench)
    url = database_url(db, bench_file.database)
    host = open_host(bench_file, database=url, speed=speed, seed=seed, say=_say)
    _say(f"engine, process {os.getpid()}: bench {bench}, database {without_password(url)}")
    with stopping_on_signals(host.session):
        host.run()
    return _closing_words(host)


def _say(line: str) -> None:
    print(f"rig: {line}", file=sys.stderr, flush=True)


def _closing_words(host: Host) -> int:
    """Say what the last runs ended as, and what nobody could confirm; return the exit code."""
    session = host.session
    for run in session.runs:
        _say(f"{run.channel.name}: run {run.run_id[:8]} {run.state.value}: {run.reason}")
    alarms = [run.alarm for run in session.runs if run.alarm]
    alarms += [chamber.alarm for chamber in session.bench.chambers.values() if chamber.alarm]
    for alarm in alarms:
        _say(f"ALARM: {alarm}")
    return 1 if alarms else 0


def start(
    protocol: Annotated[str, typer.Argument(help="A protocol file.")],
    channel: Annotated[
        str | None, typer.Option(help="A1,A2 or all; default: the first free one that fits.")
    ] = None,
    cell: Annotated[
        str, typer.Option(help="Name of the cell; its record in the database wins.")
    ] = "",
    settings: Settings = None,
    reason: Reason = "",
    db: Database = None,
    json: Json = False,
) -> int:
    """Give a running engine (rig engine, rig serve) a protocol to run, and wait until it has begun."""
    from rig.bench.asking import await_starts
    from rig.bench.file import load_bench
    from rig.bench.hosting import request_start, require_host
    from rig.protocol.load import read_protocol
    from rig.store.database import database_url
    from rig.store.journal import open_store

    text = read_protocol(protocol)
    url = database_url(db)
    store = open_store(url, create=False)
    try:
        bench = load_bench(require_host(store).bench)
        _take_over_cell(url, cell)
        names = _channels(store, bench, text, protocol, channel, variables_of(settings))
        run_ids = request_start(
            store,
            bench,
            protocol_text=text,
            protocol_file=protocol,
            channels=names,
            cells={name: cell for name in names if cell},
            variables=variables_of(settings),
            who=who(),
            reason=reason,
        )
        asked = await_starts(store, run_ids)
    finally:
        store.dispose()
    outcomes = [
        {
            "run_id": one.run.run_id,
            "channel": one.run.channel,
            "outcome": one.answer.outcome,
            "answer": one.answer.words,
        }
        for one in asked
    ]
    if json:
        print_json({"runs": outcomes})
    else:
        for one in outcomes:
            words = "run {run_id:.12}  start: {outcome}: {answer}".format(**one)
            name = channel_words(one["channel"], simulated=bench.simulated)
            typer.echo(f"{name}  {words}", err=one["outcome"] != "done")
    return 0 if all(one.answer.done for one in asked) else 1


def _take_over_cell(url: str, cell: str) -> None:
    """Let a cell that only the database server knows be known here."""
    from rig.bench.cells import database_with_cell

    database = database_with_cell(url, cell) if cell else None
    if database is not None:
        database.dispose()


def _channels(
    store: Engine,
    bench: BenchFile,
    text: str,
    file: str,
    wanted: str | None,
    variables: dict[str, str],
) -> list[str]:
    """Return the channels named, or the first free one that has what the protocol needs."""
    from dataclasses import replace

    from rig.bench.choosing import choose_channels
    from rig.bench.hosting import free_channels
    from rig.protocol import loads_protocol

    if wanted == "all":
        return list(bench.channels)
    if wanted is not None:
        return [name.strip() for name in wanted.split(",")]
    free = free_channels(store, bench)
    if not free:
        raise BadInput(Problem(f"bench {bench.file}", "no channel is free; see: rig runs list"))
    left = replace(bench, channels={name: bench.channels[name] for name in free})
    program = loads_protocol(text, file_name=file, variables=variables)
    name = choose_channels(left, program, None)[0].name
    words = channel_words(name, simulated=bench.simulated)
    typer.echo(f"channel {words}, the first free one that has what the protocol needs", err=True)
    return [name]
