"""``rig runs import``: files of cyclers, and archives of our own, into the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.core.errors import BadInput, Problem, did_you_mean

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.bench.file_import import FileImport


def import_runs(
    files: Annotated[list[str], typer.Argument(help="Cyclers' files, or archives of runs.")],
    cell: Annotated[
        str | None, typer.Option("--cell", help="The cell; default: its name in the file.")
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", help="Instead of what the content shows.")
    ] = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Bring in files of cyclers (Battery Data Format, Neware, BioLogic, ...) and archives of runs."""
    from rig.bench.file_import import import_files
    from rig.store.database import database_url, open_database

    _refuse_unknown(format_name)
    engines: list[Engine] = []

    def opened() -> Engine:
        if not engines:
            engines.append(open_database(database_url(db)))
        return engines[0]

    try:
        paths = [Path(name) for name in files]
        outcome = import_files(opened, paths, cell_name=cell, format_name=format_name)
    finally:
        for engine in engines:
            engine.dispose()
    if json:
        refused = [str(problem) for problem in outcome.problems]
        print_json({"runs": [_plain(one) for one in outcome.imported], "refused": refused})
    else:
        for one in outcome.imported:
            _show(one)
    if outcome.problems:
        came = f"{len(outcome.imported)} of {len(files)} files came in"
        raise BadInput(outcome.problems, remedy=came)
    return 0


def _refuse_unknown(format_name: str | None) -> None:
    from rig.formats.sniffing import FORMATS

    if format_name is None or format_name in FORMATS:
        return
    message = f"got {format_name!r}, expected one of {', '.join(FORMATS)}"
    raise BadInput(Problem("--format", message, suggestion=did_you_mean(format_name, FORMATS)))


def _plain(one: FileImport) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}


def _show(one: FileImport) -> None:
    what = "already there" if one.already_there else f"{one.samples} samples"
    typer.echo(f"run {one.run_id[:12]}  cell {one.cell}  {what}  {one.file} ({one.format})")
    for check in one.checks:
        typer.echo("  {code}: {message}".format(**check))
    for note in one.notes:
        typer.echo(f"  {note}")
