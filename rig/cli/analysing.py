"""``rig report``: what runs mean, as one self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import output_file, print_json
from rig.cli.running import Database, Json

if TYPE_CHECKING:
    from rig.report.findings import Quantity, RunFindings


def report(
    runs: Annotated[list[str], typer.Argument(help="Run ids, prefixes, or last.")],
    out: Annotated[str, typer.Option("--out", help="The HTML file to write.")] = "report.html",
    db: Database = None,
    json: Json = False,
) -> int:
    """Write one self-contained HTML report of runs: figures, fits, results with uncertainties."""
    from rig.report import render_report

    path = output_file("--out", out)
    findings = findings_of(runs, db)
    names = ", ".join(dict.fromkeys(one.protocol_name for one in findings))
    render_report(findings, title=names, path=path)
    if json:
        print_json({"report": str(path), "runs": [one.to_dict() for one in findings]})
    else:
        print_quantities(findings)
        typer.echo(f"report: {path}")
    return 0


def findings_of(runs: list[str], db: str | None) -> list[RunFindings]:
    """Evaluate these runs and keep their results; raises BadInput for a run that is not there."""
    from rig.bench.evaluation import evaluate
    from rig.bench.results import keep_results
    from rig.bench.simulated_truth import truth_of
    from rig.store.database import database_url
    from rig.store.queries import find_run
    from rig.store.reading import open_to_read

    engine = open_to_read(database_url(db))
    try:
        records = [find_run(engine, wanted) for wanted in runs]
        findings = [evaluate(engine, record, truth_of(record)) for record in records]
        for finding in findings:
            keep_results(engine, finding)
        return findings
    finally:
        engine.dispose()


def print_quantities(findings: list[RunFindings]) -> bool:
    """Print the table of results; return whether every known truth lies in its 99 % interval."""
    from rich.console import Console
    from rich.table import Table

    from rig.report.facts import missing
    from rig.report.results import has_truth

    known = has_truth(findings)
    truth = ["truth", "recovered"] if known else []
    table = Table("cell", "result", "value", "99 % interval", *truth, "flags")
    quantities = [(one, quantity) for one in findings for quantity in one.quantities]
    for finding, quantity in quantities:
        table.add_row(finding.channel, *_quantity_cells(quantity, known=known))
    if quantities:
        Console().print(table)
    for finding in findings:
        for sentence in missing(finding):
            typer.echo(f"{finding.channel}: {sentence}")
    return all(quantity.recovered is not False for _, quantity in quantities)


def _quantity_cells(quantity: Quantity, *, known: bool) -> list[str]:
    """Return a row of the table of results; with the truth where one is ``known`` of some cell."""
    from rig.report.numbers import plus_minus

    low, high = quantity.interval(0.99)
    truth = [
        "" if quantity.truth is None else f"{quantity.truth:.4g}",
        {None: "", True: "[green]yes[/]", False: "[red]NO[/]"}[quantity.recovered],
    ]
    return [
        quantity.title,
        f"{plus_minus(quantity.value, quantity.standard_error)} {quantity.unit}",
        f"{low:.4g} to {high:.4g}",
        *(truth if known else []),
        ", ".join(dict.fromkeys(note.code for note in quantity.flags)),
    ]
