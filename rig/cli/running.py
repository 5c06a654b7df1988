"""``rig run`` and ``rig check``: a protocol on a bench, and what is wrong with it before that."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.output import channel_words, duration, print_json
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from rig.bench.file import BenchFile
    from rig.bench.session import Session
    from rig.bench.starting import Job
    from rig.engine.runner import Run
    from rig.store.forwarding import Forwarder

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
BenchOption = Annotated[
    str, typer.Option("--bench", help="A bench file, or sim for the built-in bench.")
]
Database = Annotated[
    str | None,
    typer.Option("--db", help="Database URL; default sqlite:///rig.db or RIG_DATABASE_URL."),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0, max=2**31 - 1, help="Seed of simulated cells and noise: same, same samples."
    ),
]
INTERRUPTED = "interrupted"
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Set a protocol variable: --set cycles=50.")
]


def variables_of(settings: list[str] | None) -> dict[str, str]:
    """Read ``--set name=value`` options; raises BadInput with all that are none."""
    pairs = [setting.partition("=") for setting in settings or []]
    problems = [
        Problem("--set", f"got {''.join(pair)!r}, expected name=value", example="--set cycles=50")
        for pair in pairs
        if not (pair[0].strip() and pair[1])
    ]
    if problems:
        raise BadInput(problems)
    return {name.strip(): value.strip() for name, _, value in pairs}


def run(
    protocol: Annotated[str | None, typer.Argument(help="A protocol file.")] = None,
    bench: Annotated[
        str | None,
        typer.Option(help="A bench file, or sim; default: sim, or the bench of the run resumed."),
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="A1,A2 or all; default: the first that fits.")
    ] = None,
    cell: Annotated[
        str, typer.Option(help="Name of the cell; its record in the database wins.")
    ] = "",
    speed: Annotated[
        str | None, typer.Option(help="max, 1, 100: how many times faster than life.")
    ] = None,
    db: Database = None,
    settings: Settings = None,
    resume: Annotated[
        str | None, typer.Option(help="Continue a run: its id, a prefix, last, or interrupted.")
    ] = None,
    seed: Seed = 1,
    json: Json = False,
) -> int:
    """Run a protocol on one or more channels, or continue a run that was interrupted."""
    from rig.bench.file import BUILT_IN, load_bench
    from rig.bench.starting import start
    from rig.store.database import database_url

    if (protocol is None) == (resume is None):
        problem = Problem(
            "rig run", "needs a protocol, or --resume RUN", example="rig run p.yaml --bench sim"
        )
        raise BadInput(problem)
    bench_file = load_bench(bench or BUILT_IN) if bench or protocol else None
    url = database_url(db, bench_file.database if bench_file else None)
    if protocol is None:
        assert resume is not None
        bench_file, jobs = _resumed(resume, bench_file, url)
    else:
        assert bench_file is not None
        jobs = _fresh(protocol, bench_file, channel, variables_of(settings), url, cell)
    session = start(jobs, bench_file, database=url, speed=speed, seed=seed)
    return run_session(session, json=json)


def _resumed(wanted: str, bench: BenchFile | None, url: str) -> tuple[BenchFile, list[Job]]:
    """Return the jobs that continue runs, on the bench named or else on the runs' own.

    ``interrupted`` is every run whose process died: each does what its protocol wants then.
    """
    from rig.bench.file import load_bench
    from rig.bench.recovery import interrupted_runs
    from rig.bench.starting import resume_job
    from rig.store.journal import journal_url, open_store
    from rig.store.queries import find_run

    engine = open_store(url, create=False)  # a run goes on from its journal, never from a server
    try:
        by_itself = wanted == INTERRUPTED
        store = journal_url(url)
        runs = interrupted_runs(engine, store) if by_itself else [find_run(engine, wanted)]
        bench = bench or load_bench(runs[0].values["bench"]["file"])
        return bench, [resume_job(run, bench, engine, by_itself=by_itself) for run in runs]
    finally:
        engine.dispose()


def _fresh(
    protocol: str,
    bench_file: BenchFile,
    channel: str | None,
    variables: dict[str, str],
    url: str,
    cell: str,
) -> list[Job]:
    from rig.bench.cells import database_with_cell
    from rig.bench.choosing import choose_channels
    from rig.bench.starting import Job, load_job_program

    database = database_with_cell(url, cell) if cell else None
    try:
        program = load_job_program(protocol, variables, database, cell)
    finally:
        if database is not None:
            database.dispose()
    channels = choose_channels(bench_file, program, channel)
    if cell and len(channels) > 1:
        message = f"one cell cannot be on {len(channels)} channels"
        raise BadInput(Problem("--cell", message, example="--channel A1 --cell LPS-17"))
    if channel is None:
        name = channel_words(channels[0].name, simulated=bench_file.simulated)
        typer.echo(f"channel {name}, the first that has what the protocol needs", err=True)
    return [Job(program, protocol, spec, cell) for spec in channels]


def run_session(session: Session, *, json: bool, quiet: bool = False) -> int:
    """Run a session with its progress on screen and Ctrl-C armed; return the exit code."""
    from rig.cli.progress import Progress, stopping_on_signals

    with stopping_on_signals(session), Progress(session, quiet=quiet or json) as progress:
        session.run(progress.between)
    alarms = [chamber.alarm for chamber in session.bench.chambers.values() if chamber.alarm]
    told = [*(one.alarm for one in session.runs if one.alarm), *alarms, *session.watchdog.alarms]
    for alarm in told:
        typer.echo(f"rig: ALARM: {alarm}", err=True)
    if session.forwarder is not None:
        _say_what_waits(session.forwarder)
    if session.notifier is not None and session.notifier.undelivered:
        typer.echo(_not_told(session.notifier.undelivered), err=True)
    simulated = session.bench.bench.simulated
    summary = [_outcome(one, simulated=simulated) for one in session.runs]
    if json:
        print_json({"runs": summary})
    elif not quiet:
        for one in summary:
            words = "run {run_id:.12}  {state}: {reason}  ({samples} samples)".format(**one)
            typer.echo(f"{channel_words(one['channel'], simulated=simulated)}  {words}")
    ended_well = all(one["state"] in {"finished", "stopped"} for one in summary)
    return 0 if ended_well and not alarms else 1


def _say_what_waits(forwarder: Forwarder) -> None:
    """Say where the end of a run is, when its database server has not taken it."""
    waiting = forwarder.waiting()
    forwarder.dispose()
    if waiting.samples or waiting.rows:
        what = f"{waiting.samples} samples and {waiting.rows} other rows wait in {forwarder.place}"
        typer.echo(f"rig: {what} for the database; see: rig db check", err=True)


def _not_told(count: int) -> str:
    what = "1 notification" if count == 1 else f"{count} notifications"
    return f"rig: {what} reached nobody; see: rig alarms list, rig alarms test --bench FILE"


def _outcome(run: Run, *, simulated: bool) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "channel": run.channel.name,
        "simulated": simulated,
        "state": run.state.value,
        "reason": run.reason,
        "samples": run.cursor.progress.seq,
        "cycles": run.cursor.place.cycle_count,
        "test_time_second": run.cursor.progress.test_time_second,
        "alarm": run.alarm,
    }


def check(
    protocol: Annotated[str, typer.Argument(help="A protocol file.")],
    bench: Annotated[
        str | None, typer.Option("--bench", help="Also check against this bench.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Check against these channels only.")] = None,
    settings: Settings = None,
    json: Json = False,
) -> int:
    """Check a protocol: all problems with line and column, else its steps and how long it takes."""
    from rig.protocol import load_protocol
    from rig.protocol.check import (
        estimate_duration_second,
        needs,
        step_table,
        warnings,
    )

    program = load_protocol(protocol, variables=variables_of(settings))
    if bench is not None:
        from rig.bench.choosing import choose_channels
        from rig.bench.file import load_bench

        choose_channels(load_bench(bench), program, channel)
    rows, required = step_table(program), sorted(needs(program))
    second = estimate_duration_second(program)
    longest = estimate_duration_second(program, all_invalid=True)
    if json:
        summary = {"name": program.name, "needs": required, "duration_second": second}
        summary["duration_all_repeated_second"] = longest
        notes = [str(note) for note in warnings(program, protocol)]
        print_json(summary | {"steps": [asdict(row) for row in rows], "warnings": notes})
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("", "step", "phase", "record", title=f"{Path(protocol).name}: {program.name}")
    for row in rows:
        table.add_row(str(row.address), f"{'  ' * row.depth}{row.words}", row.phase, row.record)
    Console().print(table)
    if [row.address for row in rows] != list(range(len(rows))):
        typer.echo("numbers as rig goto takes them; one left out is where a loop or condition ends")
    for note in warnings(program, protocol):
        typer.echo(f"note: {note}", err=True)
    more = f" ({duration(longest)} with every spectrum repeated)" if longest > second else ""
    typer.echo(f"about {duration(second)}{more}; needs: {', '.join(required)}")
    return 0


def schema(
    what: Annotated[str, typer.Argument(help="protocol")] = "protocol",
    json: Json = True,
) -> int:
    """Print the JSON Schema of protocol files, for completion in an editor."""
    del json  # it is JSON in any case
    from rig.protocol import json_schema

    if what != "protocol":
        raise BadInput(
            Problem("rig schema", f"got {what!r}, expected protocol", example="rig schema protocol")
        )
    print_json(json_schema())
    return 0
