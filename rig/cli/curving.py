"""``rig runs curves``: voltage against charge and dQ/dV of chosen cycles, as a table or a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rig.cli.listing import RunId
from rig.cli.output import output_file, print_json
from rig.cli.running import Database, Json


def curves(
    run: RunId,
    cycles: Annotated[
        str, typer.Option(help='As in "1, 2, 10-50/10, last, now"; default: a few of all.')
    ] = "",
    voltage_step: Annotated[str, typer.Option(help="Bins of dQ/dV.")] = "5 mV",
    out: Annotated[str | None, typer.Option(help="Write dQ/dV to a CSV file, a row a bin.")] = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Capacity, end voltages and dQ/dV peaks of chosen cycles; with --json every curve."""
    from rig.bench.cycle_curves import cycle_curves, rows_of
    from rig.core.units import quantity
    from rig.store.database import database_url
    from rig.store.queries import find_run
    from rig.store.reading import open_to_read

    path = None if out is None else output_file("--out", out)
    step_volt = quantity(voltage_step, "voltage", "--voltage-step")
    engine = open_to_read(database_url(db))
    try:
        found = cycle_curves(
            engine, find_run(engine, run), cycles, voltage_step_volt=step_volt, where="--cycles"
        )
    finally:
        engine.dispose()
    if path is not None:
        import pandas as pd

        pd.DataFrame(rows_of(found)).to_csv(path, index=False)
    if json:
        print_json(found)
    else:
        _show(found)
    return 0


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("cycle", "half", "mAh", "of it held", "V", "highest dQ/dV", "at")
    for cycle in found["cycles"]:
        for half in ("charge", "discharge"):
            if cycle[half] is not None:
                count = f"{cycle['cycle_count']}{'' if cycle['ended'] else ', now'}"
                table.add_row(count, half, *_row(cycle[half]))
    Console().print(table)
    typer.echo(f"dQ/dV in bins of {found['voltage_step_volt']:g} V: {found['method']}")


def _row(half: dict[str, Any]) -> tuple[str, ...]:
    bins, volt = half["incremental_capacity"], half["voltage_volt"]
    rate = bins["incremental_capacity_ah_per_volt"]
    at = max(range(len(rate)), key=rate.__getitem__) if rate else None
    peak = (
        ("", "")
        if at is None
        else (f"{1000 * rate[at]:.4g} mAh/V", f"{bins['voltage_volt'][at]:.4f} V")
    )
    charge = (f"{1000 * half['capacity_ah'][-1]:.5g}", f"{1000 * bins['held_capacity_ah']:.4g}")
    return (*charge, f"{volt[0]:.4f} to {volt[-1]:.4f}", *peak)
