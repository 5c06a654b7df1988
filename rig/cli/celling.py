"""``rig cells``: what a cell may see, whatever protocol runs on it and wherever it is."""

from __future__ import annotations

from typing import Annotated

import typer

from rig.cli.output import print_json
from rig.cli.running import Database, Json
from rig.core.errors import BadInput, Problem

app = typer.Typer(help="Records of cells.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A cell's name, as in: rig run --cell NAME.")]
_EXAMPLE = 'rig cells limits LPS-17 "{voltage: [2.5 V, 4.3 V], pressure: [1 MPa, 12 MPa]}"'


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
