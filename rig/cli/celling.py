"""``rig cells``: records of cells, and what a cell may see, whatever protocol runs on it and wherever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.cli.steering import Reason, who
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from rig.store.accounts import Change

app = typer.Typer(help="Records of cells.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A cell's name, as in: rig run --cell NAME.")]
Fields = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FIELD=VALUE]...",
        help="chemistry, area, diameter, thickness, mass (active, positive electrode), "
        "negative_mass, electrolyte_mass, cell_mass, capacity (rated), symmetric, note.",
    ),
]
_EXAMPLE = 'rig cells limits LPS-17 "{voltage: [2.5 V, 4.3 V], pressure: [1 MPa, 12 MPa]}"'


@app.command("add")
def add(
    name: Name, fields: Fields = None, reason: Reason = "", db: Database = None, json: Json = False
) -> int:
    """Make a cell's record: rig cells add LPS-17 area="0.785 cm^2" mass="12.3 mg" capacity="2 mAh"."""
    from rig.bench.cell_fields import cell_words, read_cell_name
    from rig.store.cells import add_cell

    values, name = _read(fields), read_cell_name(name)
    with _opened(db, name) as engine:
        add_cell(engine, name, values, _change(reason), cell_words(values))
    return _tell(db, name, as_json=json)


@app.command("change")
def change(
    name: Name, fields: Fields = None, reason: Reason = "", db: Database = None, json: Json = False
) -> int:
    """Change what is given of a cell's record; results that were kept stay as they were found."""
    from rig.bench.cell_fields import cell_words
    from rig.store.cells import change_cell

    values = _read(fields)
    if not values:
        message = "no field is given: nothing would change"
        raise BadInput(
            Problem("rig cells change", message, f'rig cells change {name} mass="12 mg"')
        )
    _record(db, name)
    with _opened(db, name) as engine:
        change_cell(engine, name, values, _change(reason), cell_words(values))
    return _tell(db, name, as_json=json)


@app.command("show")
def show(name: Name, db: Database = None, json: Json = False) -> int:
    """Show a cell's record."""
    return _tell(db, name, as_json=json)


@app.command("list")
def list_all(db: Database = None, json: Json = False) -> int:
    """List all cells with what is written down of them."""
    from rig.store.cells import list_cells
    from rig.store.database import database_url
    from rig.store.reading import open_to_read

    engine = open_to_read(database_url(db))
    try:
        cells = list_cells(engine)
    finally:
        engine.dispose()
    if json:
        print_json({"cells": cells})
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("cell", "chemistry", "area / cm2", "thickness / cm", "mass / g", "Ah", "runs")
    columns = ("name", "chemistry", "area_square_centimetre", "thickness_centimetre")
    for cell in cells:
        shown = [cell[key] for key in (*columns, "mass_gram", "capacity_ah", "runs")]
        table.add_row(*("" if one is None else f"{one}" for one in shown))
    Console().print(table)
    return 0


def _read(fields: list[str] | None) -> dict[str, Any]:
    from rig.bench.cell_fields import read_cell_fields

    pairs = [field.partition("=") for field in fields or []]
    problems = [
        Problem("rig cells", f"got {''.join(pair)!r}, expected FIELD=VALUE", 'area="0.785 cm^2"')
        for pair in pairs
        if not (pair[0].strip() and pair[1])
    ]
    values: dict[str, Any] = {}
    try:
        given = {field.strip().replace("-", "_"): text for field, equals, text in pairs if equals}
        values = read_cell_fields(given)
    except BadInput as bad:
        problems += bad.problems
    if problems:
        raise BadInput(problems)
    return values


@contextmanager
def _opened(db: str | None, name: str) -> Iterator[Engine]:
    """Where this computer's runs are; a cell that only the server knows is taken over first."""
    from rig.bench.cells import database_with_cell
    from rig.store.database import database_url
    from rig.store.journal import open_store

    url = database_url(db)
    engine = database_with_cell(url, name) or open_store(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _change(reason: str) -> Change:
    from rig.core.clock import RealClock
    from rig.store.accounts import Change

    return Change(who(), RealClock().wall_us(), reason)


def _record(db: str | None, name: str) -> dict[str, Any]:
    from rig.bench.cells import record_of_cell
    from rig.store.database import database_url

    return record_of_cell(database_url(db), name)


def _tell(db: str | None, name: str, *, as_json: bool) -> int:
    record = _record(db, name)
    if as_json:
        print_json(record)
        return 0
    for key, value in record.items():
        if value is not None and key != "cell_id":
            typer.echo(f"{key}: {_shown(value)}")
    return 0


@app.command("limits")
def limits(
    name: Name,
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="[LIMITS]", help="As in a bench file; without it they are only shown."
        ),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take its own limits away.")] = False,
    db: Database = None,
    json: Json = False,
) -> int:
    """Show or set the limits of a cell; every run with --cell NAME keeps to them, too."""
    from rig.bench.cell_record import limits_in_force, set_limits
    from rig.store.database import database_url

    if wanted is not None and clear:
        raise BadInput(Problem("rig cells limits", "limits and --clear at once", _EXAMPLE))
    url = database_url(db)
    if wanted is not None or clear:
        set_limits(url, name, wanted)
    found = limits_in_force(url, name)
    if json:
        print_json({"cell": name, "limits": found})
        return 0
    for quantity, value in (found or {}).items():
        typer.echo(f"{quantity}: {_shown(value)}")
    if not found:
        typer.echo(f"cell {name} has no limits of its own")
    return 0


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " to ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    return str(value)
