"""``rig runs``: what is in the database, out of it as files, and files into it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.output import channel_words, duration, output_file, print_json
from rig.cli.running import Database, Json
from rig.core.errors import BadInput, Problem, did_you_mean

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.store.queries import RunRecord

app = typer.Typer(help="Runs in the database: list, show, export, import.", no_args_is_help=True)
RunId = Annotated[str, typer.Argument(help="A run id, a unique prefix, or last.")]


@contextmanager
def _opened(db: str | None) -> Iterator[Engine]:
    """The database that is there, with every sample in its place; closed at the end."""
    from rig.store.database import database_url
    from rig.store.reading import open_to_read

    engine = open_to_read(database_url(db))
    try:
        yield engine
    finally:
        engine.dispose()


@app.command("list")
def list_all(db: Database = None, json: Json = False) -> int:
    """List all runs, newest first."""
    from rig.store.queries import list_runs

    with _opened(db) as engine:
        runs = list_runs(engine)
    if json:
        print_json({"runs": [_plain(run) for run in runs]})
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("run", "channel", "protocol", "state", "started", "why it ended")
    for run in runs:
        reason = run.values["reason"] or ""
        table.add_row(
            run.run_id[:12], _channel(run), run.protocol_name, run.state, _when(run), reason
        )
    Console().print(table)
    return 0


@app.command("show")
def show(run: RunId, db: Database = None, json: Json = False) -> int:
    """Show one run: its steps, cycles and events; while it goes on, why and what comes next."""
    from rig.cli.status import lines, now_of
    from rig.store import queries, tables
    from rig.store.revisions import revisions

    shown = {"steps": tables.step, "cycles": tables.cycle, "events": tables.event}
    with _opened(db) as engine:
        record = queries.find_run(engine, run)
        parts: dict[str, list[dict[str, Any]]] = {
            name: queries.table_rows(engine, table, record.run_id) for name, table in shown.items()
        }
        now, revised = now_of(engine, record), revisions(engine, record.run_id)
    if json:
        print_json(
            _plain(record)
            | parts
            | {"revisions": revised}
            | {"now": None if now is None else now.plain()}
        )
        return 0
    ended = f"{record.state}: {record.values['reason']}"
    typer.echo(f"run {record.run_id}  channel {_channel(record)}  {ended}")
    origin = record.values["origin"]
    if origin:
        typer.echo(
            "from {file} ({format}), sha256 {sha256:.16}; cycles {cycle_numbers}".format(**origin)
        )
    else:
        sha256 = record.values["protocol_sha256"]
        typer.echo(f"protocol {record.protocol_name}, sha256 {sha256[:16]}")
    for one in revised[1:]:
        what = "{number}, from {test_time_second:.1f} s on, by {who}: {reason}".format(**one)
        typer.echo(f"  revision {what}: {'; '.join(one['difference'])}")
    for step in parts["steps"]:
        took = duration(step["ended_second"] - step["began_second"])
        what = "{step_id:>5}  cycle {cycle_count:>4}  {words}".format(**step)
        typer.echo(f"  {what}  {took}: {step['reason']}")
    for event in parts["events"]:
        typer.echo("  {test_time_second:>12.1f} s  {kind}: {message}".format(**event))
    for line in lines(now)[1:] if now is not None else ():
        typer.echo(line)
    return 0


@app.command("export")
def export(
    run: RunId,
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            help="bdf-csv, bdf-parquet, csv, parquet; eis-csv; results-json, results-csv; archive.",
        ),
    ] = "bdf-csv",
    spectrum: Annotated[
        int | None,
        typer.Option("--spectrum", help="With eis-csv: only the spectrum of this number."),
    ] = None,
    out: Annotated[str | None, typer.Option("--out", help="The file to write.")] = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Write a run as a file: its samples, spectra, results, or all of it as an archive."""
    from rig.bench.run_files import export_run
    from rig.store import queries
    from rig.store.exporting import FORMATS

    if spectrum is not None and format_name != "eis-csv":
        raise BadInput(Problem("--spectrum", "goes with --format eis-csv only"))
    if format_name not in FORMATS:
        message = f"got {format_name!r}, expected one of {', '.join(FORMATS)}"
        nearest = did_you_mean(format_name, FORMATS)
        raise BadInput(Problem("--format", message, example="--format bdf-csv", suggestion=nearest))
    with _opened(db) as engine:
        record = queries.find_run(engine, run)
        usual = f"{record.channel}_{record.run_id[:8]}{FORMATS[format_name]}"
        path = output_file("--out", usual if out is None else out)
        written = export_run(engine, record, path, format_name, spectrum)
    if json:
        print_json({"run_id": record.run_id} | written.to_dict())
    else:
        typer.echo(f"{written.rows} {written.what}: {written.file}")
        for other in written.beside:
            typer.echo(f"metadata: {other}")
    return 0


def _channel(run: RunRecord) -> str:
    from rig.bench.run_facts import is_simulated

    return channel_words(run.channel, simulated=is_simulated(run.values["bench"] or {}))


def _plain(run: RunRecord) -> dict[str, Any]:
    keys = ("run_id", "channel", "protocol_name", "protocol_sha256", "state", "reason", "origin")
    return {key: run.values[key] for key in keys} | {"started": _when(run)}


def _when(run: RunRecord) -> str:
    started = run.values["started_us"]
    if started is None:
        return ""
    moment = datetime.datetime.fromtimestamp(started / 1e6, tz=datetime.UTC)
    return moment.isoformat(sep=" ", timespec="seconds")
