"""``rig rehearse``: what a protocol does on a simulated cell, before it is started on a real one."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from rig.cli.output import duration, output_file, print_json
from rig.cli.running import BenchOption, Database, Json, Settings, variables_of
from rig.core.errors import BadInput, Problem

_ROWS = (
    ("voltage", "voltage_volt", 1.0, "V"),
    ("current", "current_ampere", 1000.0, "mA"),
    ("chamber", "ambient_temperature_celsius", 1.0, "degC"),
)


def rehearse(
    protocol: Annotated[str, typer.Argument(help="A protocol file.")],
    bench: BenchOption = "sim",
    channel: Annotated[
        str | None, typer.Option(help="As which channel; else the first fit.")
    ] = None,
    cell: Annotated[str, typer.Option(help="The cell whose record wins over the file.")] = "",
    settings: Settings = None,
    within: Annotated[float, typer.Option(min=1.0, max=3600.0, help="Seconds to spend.")] = 60.0,
    out: Annotated[str | None, typer.Option(help="Also write the profile to a CSV file.")] = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Run a protocol on a simulated cell at full speed: the expected profile, and whether it ends well.

    The drivers and limits of the bench, no instrument of it. 1 where the simulated run did not finish.
    """
    from rig.bench.choosing import choose_channels
    from rig.bench.file import load_bench
    from rig.bench.rehearsal import Rehearsal
    from rig.bench.rehearsal import rehearse as expected
    from rig.protocol import load_protocol

    path = None if out is None else output_file("--out", out)
    facts = _facts(db, cell)
    program = load_protocol(protocol, variables=variables_of(settings), cell=facts)
    loaded = load_bench(bench)
    (spec, *others) = choose_channels(loaded, program, channel)
    if others:
        raise BadInput(Problem("--channel", "one channel is rehearsed at a time", "--channel A1"))
    wanted = Rehearsal(
        loaded,
        spec.name,
        program.text,
        Path(protocol).name,
        dict(program.variables),
        facts,
        within,
    )
    profile = expected(wanted)
    if path is not None:
        _write(path, profile)
    if json:
        print_json(profile)
    else:
        _show(profile)
    return 0 if profile["complete"] or profile["cut"] else 1


def _facts(db: str | None, cell: str) -> Any:
    from rig.bench.cell_record import facts_of
    from rig.bench.cells import record_of_cell
    from rig.store.database import database_url

    if not cell:
        return None
    remedy = f"make it first: rig cells add {cell}"
    return facts_of(record_of_cell(database_url(db), cell, remedy=remedy))


def _write(path: Path, profile: dict[str, Any]) -> None:
    import pandas as pd

    pd.DataFrame(profile["columns"]).to_csv(path, index=False)


def _show(profile: dict[str, Any]) -> None:
    shown = duration(profile["test_time_second"])
    typer.echo(f"{profile['words']}: {profile['cell']}, as on {profile['channel']}")
    for name, column, factor, unit in _ROWS:
        values = [factor * one for one in profile["columns"][column] if isfinite(one)]
        if values:
            typer.echo(f"  {name:8} {min(values):.5g} to {max(values):.5g} {unit}")
    cycles = f", {profile['cycles']} cycles" if profile["cycles"] else ""
    if profile["complete"]:
        typer.echo(f"  came to its end after {shown}{cycles}")
    elif profile["cut"]:
        whole = duration(profile["duration_second"])
        typer.echo(f"  the first {shown} of about {whole}{cycles}: {profile['cut']}")
    else:
        typer.echo(f"  {profile['state']} after {shown}: {profile['reason']}", err=True)
