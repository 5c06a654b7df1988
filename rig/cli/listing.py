"""``rig runs``: what is in the database, and out of it as files."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.output import duration, output_file, print_json
from rig.cli.running import Database, Json
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from pandas import DataFrame
    from sqlalchemy import Engine

    from rig.store.queries import RunRecord

app = typer.Typer(help="Runs in the database: list, show, export.", no_args_is_help=True)
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
            run.run_id[:12], run.channel, run.protocol_name, run.state, _when(run), reason
        )
    Console().print(table)
    return 0


@app.command("show")
def show(run: RunId, db: Database = None, json: Json = False) -> int:
    """Show one run: its steps, cycles and events."""
    from rig.store import queries, tables

    shown = {"steps": tables.step, "cycles": tables.cycle, "events": tables.event}
    with _opened(db) as engine:
        record = queries.find_run(engine, run)
        parts: dict[str, list[dict[str, Any]]] = {
            name: queries.table_rows(engine, table, record.run_id) for name, table in shown.items()
        }
    if json:
        print_json(_plain(record) | parts)
        return 0
    typer.echo(
        f"run {record.run_id}  channel {record.channel}  {record.state}: {record.values['reason']}"
    )
    typer.echo(f"protocol {record.protocol_name}, sha256 {record.values['protocol_sha256'][:16]}")
    for step in parts["steps"]:
        took = duration(step["ended_second"] - step["began_second"])
        what = "{step_count:>5}  cycle {cycle_count:>4}  {words}".format(**step)
        typer.echo(f"  {what}  {took}: {step['reason']}")
    for event in parts["events"]:
        typer.echo("  {test_time_second:>12.1f} s  {kind}: {message}".format(**event))
    return 0


@app.command("export")
def export(
    run: RunId,
    format_name: Annotated[
        str, typer.Option("--format", help="bdf-csv, bdf-parquet, csv, or eis-csv for spectra.")
    ] = "bdf-csv",
    spectrum: Annotated[
        int | None,
        typer.Option("--spectrum", help="With eis-csv: only the spectrum of this number."),
    ] = None,
    out: Annotated[str | None, typer.Option("--out", help="The file to write.")] = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Write a run's samples as a file (Battery Data Format, or every column), or its spectra."""
    from rig.store import queries
    from rig.store.export import FORMATS, write_frame, write_samples

    if spectrum is not None and format_name != "eis-csv":
        raise BadInput(Problem("--spectrum", "goes with --format eis-csv only"))
    if format_name not in FORMATS:
        message = f"got {format_name!r}, expected one of {', '.join(FORMATS)}"
        raise BadInput(Problem("--format", message, example="--format bdf-csv"))
    with _opened(db) as engine:
        record = queries.find_run(engine, run)
        usual = f"{record.channel}_{record.run_id[:8]}{FORMATS[format_name]}"
        path = output_file("--out", usual if out is None else out)
        if format_name == "eis-csv":
            rows = write_frame(_spectra(engine, record, spectrum), path, format_name)
        else:
            rows = write_samples(queries.samples(engine, record.run_id), path, format_name)
    if json:
        print_json({"run_id": record.run_id, "file": str(path), "rows": rows})
    else:
        typer.echo(f"{rows} {'points' if format_name == 'eis-csv' else 'samples'}: {path}")
    return 0


def _spectra(engine: Engine, run: RunRecord, wanted: int | None) -> DataFrame:
    from rig.store import queries, tables
    from rig.store.export import spectra_frame

    heads, points = (
        queries.table_frame(engine, table, run.run_id)
        for table in (tables.spectrum, tables.impedance_point)
    )
    return spectra_frame(heads, points, wanted)


def _plain(run: RunRecord) -> dict[str, Any]:
    keys = ("run_id", "channel", "protocol_name", "protocol_sha256", "state", "reason")
    return {key: run.values[key] for key in keys} | {"started": _when(run)}


def _when(run: RunRecord) -> str:
    started = run.values["started_us"]
    if started is None:
        return ""
    moment = datetime.datetime.fromtimestamp(started / 1e6, tz=datetime.UTC)
    return moment.isoformat(sep=" ", timespec="seconds")
