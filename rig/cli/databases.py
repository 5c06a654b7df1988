"""``rig db``: where the data are, how far the server is behind, and what keeps them for years."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import duration, print_json
from rig.cli.running import Database, Json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.bench.delivery_state import DeliveryState
    from rig.bench.sealing import Sealed
    from rig.store.queries import RunRecord

app = typer.Typer(help="The database: check, deliver, upgrade, seal, backup.", no_args_is_help=True)


@app.command("check")
def check(
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every byte of the file and of the sealed runs.")
    ] = False,
    db: Database = None,
    json: Json = False,
) -> int:
    """Say whether the database can be read, and what its server does not have yet.

    Ends with 1 when the server is away, more than a minute behind a run that goes on here, or
    something is damaged.
    """
    from rig.bench.delivery_state import look_at
    from rig.store.database import database_url

    url = database_url(db)
    state = look_at(url)
    found = _damages(url) if deep and not state.failure else None
    if json:
        print_json(state.plain() | ({} if found is None else {"damages": found}))
    else:
        for line in [*_lines(state), *_damage_lines(found)]:
            typer.echo(line)
    return 0 if state.is_well and not found else 1


def _damages(url: str) -> list[str]:
    from rig.store.checking import damages
    from rig.store.database import open_database
    from rig.store.disk import Disk

    engine = open_database(url, create=False)
    try:
        return damages(engine, Disk())
    finally:
        engine.dispose()


def _damage_lines(found: list[str] | None) -> list[str]:
    if found is None:
        return []
    return [f"  DAMAGED: {damage}" for damage in found] or ["  every byte reads as it was written"]


def _lines(state: DeliveryState) -> list[str]:
    trouble = "REFUSED" if state.refused else "AWAY"
    found = trouble if state.failure else f"{state.runs} runs"
    lines = [f"database {state.database}: {found}"]
    if state.failure:
        lines.append(f"  {state.failure}")
    if state.waiting is not None:
        waiting = state.waiting
        behind = f", the oldest for {duration(waiting.behind_second)}" if waiting.rows else ""
        lines += [
            f"journal {state.journal}: {state.runs_alive} runs go on here",
            f"  {waiting.samples} samples and {waiting.rows} other rows wait{behind}",
        ]
    if state.delivery_failure:
        lines.append(f"  the last delivery failed: {state.delivery_failure}")
    if state.is_late:
        lines.append("  LATE: the server has had nothing for more than a minute")
    lines += [f"  LOST on the server: samples of run {run_id}" for run_id in state.gaps]
    return lines


@app.command("deliver")
def deliver(db: Database = None, json: Json = False) -> int:
    """Bring everything that waits in this computer's journal to the database server, now."""
    from rig.core.errors import BadInput, Problem
    from rig.store.address import is_server, without_password
    from rig.store.database import database_url, open_database
    from rig.store.delivery import deliver as deliver_all
    from rig.store.journal import open_store
    from rig.store.waiting import waiting_in

    url = database_url(db)
    if not is_server(url):
        problem = Problem(f"database {without_password(url)}", "is a file: there is no way to go")
        raise BadInput(problem, remedy="name a server: --db postgresql://...")
    journal = open_store(url, create=False)
    try:
        server = open_database(url)
        try:
            moved = deliver_all(journal, server)
        finally:
            server.dispose()
        left = waiting_in(journal)
    finally:
        journal.dispose()
    if json:
        print_json({"rows": moved, "waiting_samples": left.samples, "waiting_rows": left.rows})
    else:
        typer.echo(f"{moved} rows delivered; {left.samples + left.rows} wait")
    return 0


@app.command("upgrade")
def upgrade(db: Database = None, json: Json = False) -> int:
    """Bring a database of an older version to this one's tables; a copy of the file is kept."""
    from rig.bench.upgrading import upgrade_database
    from rig.store.database import database_url

    done = upgrade_database(database_url(db), lambda line: typer.echo(line, err=json))
    if json:
        print_json(
            {
                "databases": [
                    {
                        "database": one.database,
                        "version_before": one.version_before,
                        "version": one.version,
                        "copy": one.copy,
                    }
                    for one in done
                ]
            }
        )
        return 0
    for one in done:
        was = "already" if one.version_before == one.version else f"was {one.version_before}"
        typer.echo(f"{one.database}: version {one.version} ({was})")
    return 0


@app.command("backup")
def backup(
    file: Annotated[str, typer.Argument(help="The file to write; none is written over.")],
    db: Database = None,
    json: Json = False,
) -> int:
    """Copy an SQLite database and its sealed runs, also while runs go on."""
    from pathlib import Path

    from rig.store.backup import back_up
    from rig.store.database import database_url
    from rig.store.disk import Disk

    done = back_up(database_url(db), Path(file), Disk())
    if json:
        print_json({"file": str(done.file), "bytes": done.bytes, "segments": done.segments})
    else:
        sealed = f", {done.segments} sealed files beside it" if done.segments else ""
        typer.echo(f"{done.file}: {done.bytes / 1e6:.1f} MB{sealed}")
    return 0


@app.command("seal")
def seal(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Run ids, prefixes, or last.")
    ] = None,
    finished: Annotated[
        bool, typer.Option("--finished", help="Every run that has ended, however it ended.")
    ] = False,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", help="With --finished: that ended so long ago, as 30 days."),
    ] = None,
    drop_rows: Annotated[
        bool,
        typer.Option("--drop-rows", help="Then delete the rows that read the same from the file."),
    ] = False,
    db: Database = None,
    json: Json = False,
) -> int:
    """Write runs that have ended to Parquet, a fifth of their size; every command reads them there.

    Ends with 1 when a run could not be sealed; the others are.
    """
    from rig.bench.sealing import seal_runs
    from rig.core.clock import RealClock
    from rig.store.database import database_url
    from rig.store.disk import Disk
    from rig.store.reading import open_to_read
    from rig.store.sealed import segments_folder
    from rig.store.sealing import Place

    now_us = RealClock().wall_us()
    before_us = _require_choice(runs, older_than, now_us, finished=finished)
    engine = open_to_read(database_url(db))
    try:
        chosen = _chosen(engine, runs, before_us)
        place = Place(segments_folder(engine), Disk())
        done = []
        for one in seal_runs(engine, chosen, place, now_us, with_rows=drop_rows):
            done.append(one)
            if not json:
                typer.echo(_sealed_line(one))
    finally:
        engine.dispose()
    if json:
        print_json({"folder": str(place.folder), "runs": [asdict(one) for one in done]})
    elif not done:
        typer.echo("no run has ended so long ago" if older_than else "no run has ended")
    return 1 if any(one.failure for one in done) else 0


def _require_choice(
    runs: list[str] | None, older_than: str | None, now_us: int, *, finished: bool
) -> int:
    """Return the moment before which runs must have ended; raises BadInput with all that is wrong."""
    from rig.core.errors import BadInput, Problem
    from rig.core.units import quantity

    example = "rig db seal --finished --older-than '30 days'"
    problems = []
    if bool(runs) == finished:
        message = "expected either runs or --finished"
        problems.append(Problem("rig db seal", message, example))
    if older_than is not None and not finished:
        problems.append(Problem("--older-than", "goes with --finished", example))
    second = 0.0
    try:
        second = 0.0 if older_than is None else quantity(older_than, "time", "--older-than")
    except BadInput as unreadable:
        problems.extend(unreadable.problems)
    if second < 0:
        problems.append(Problem("--older-than", f"got {older_than!r}, expected no less than 0 s"))
    if problems:
        raise BadInput(problems)
    return now_us - round(second * 1e6)


def _chosen(engine: Engine, runs: list[str] | None, before_us: int) -> list[RunRecord]:
    from rig.bench.sealing import chosen_runs, ended_runs

    return chosen_runs(engine, runs) if runs else ended_runs(engine, before_us)


def _sealed_line(one: Sealed) -> str:
    run = f"{one.channel}  run {one.run_id[:12]}"
    if one.failure:
        return f"{run}  NOT SEALED: {one.failure}"
    what = "sealed already" if not one.segments else f"{one.samples} samples sealed"
    size = f", {one.bytes / one.samples:.1f} bytes each" if one.samples else ""
    dropped = f"; {one.rows_dropped} rows dropped" if one.rows_dropped else ""
    return f"{run}  {what}{size}{dropped}"
