"""``rig fit transference`` and ``rig fit diffusion``: closed formulas, one row each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rig.cli.fit_options import Database, Json, Source, length_of
from rig.cli.fit_output import show_result
from rig.cli.tables import load_source, numbers


def transference(source: Source, db: Database = None, json: Json = False) -> None:
    """Bruce-Vincent-Evans t+ for each row of a file.

    Columns: voltage_step_volt, initial_current_ampere, initial_resistance_ohm,
    steady_current_ampere, steady_resistance_ohm; optional electrolyte_resistance_ohm.
    """
    from rig.analysis.transport import bruce_vincent

    names = ["voltage_step_volt", "initial_current_ampere", "initial_resistance_ohm"]
    names += ["steady_current_ampere", "steady_resistance_ohm"]
    columns = numbers(
        load_source(source, db, "transference"), source, names, ["electrolyte_resistance_ohm"]
    )
    known = columns.get("electrolyte_resistance_ohm")
    results = [
        bruce_vincent(
            *(float(columns[name][row]) for name in names),
            electrolyte_resistance_ohm=None if known is None else float(known[row]),
        )
        for row in range(columns[names[0]].size)
    ]
    entries = [result.to_dict() for result in results]
    rows = [(f"row {i}", f"{one.transference_number:.4f}") for i, one in enumerate(results, 1)]
    flags = [note.to_dict() for result in results for note in result.flags]
    single = entries[0] if len(entries) == 1 else {}
    values = {**single, "rows": entries, "n": len(entries), "flags": flags}
    show_result(values, f"Transference number, {source}", rows, as_json=json)


def diffusion(
    source: Source,
    length: Annotated[
        str, typer.Option(help="Diffusion length V/S, r/3 of a sphere, for example 2 um.")
    ],
    db: Database = None,
    json: Json = False,
) -> None:
    """Diffusivity from titration pulses (GITT), one per row.

    Columns: pulse_second, steady_change_volt, transient_change_volt.
    """
    from rig.analysis.transport import pulse_diffusivity

    names = ["pulse_second", "steady_change_volt", "transient_change_volt"]
    columns = numbers(load_source(source, db, "diffusion"), source, names)
    centimetre = length_of(length, "--length")
    found = [
        pulse_diffusivity(centimetre, *(float(columns[name][row]) for name in names))
        for row in range(columns[names[0]].size)
    ]
    values: dict[str, Any] = {
        "diffusivity_square_centimetre_per_second": found,
        "n": len(found),
        "flags": [],
    }
    rows = [(f"pulse {i}", f"{one:.4g} cm2/s") for i, one in enumerate(found, 1)]
    show_result(values, f"Diffusivity, {source}", rows, as_json=json)
