"""``rig analyse``: one analysis over all the runs that a condition names, on all processors or a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.output import output_file, print_json
from rig.cli.running import Database, Json, variables_of
from rig.cli.steering import who
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.store.address import without_password

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Engine

    from rig.bench.run_fits import Outcome

Kind = Annotated[str, typer.Argument(help="fade, eis or arrhenius.")]
Where = Annotated[
    str | None, typer.Option(help="An SQL condition: \"chemistry = 'NMC' and cycles > 99\".")
]
# What a table for people shows of each analysis: heading, and the key of the value.
_SHOWN: Mapping[str, Mapping[str, str]] = {
    "fade": {
        "law": "selected",
        "alpha / cycle": "alpha_per_cycle",
        "±": "alpha_per_cycle_standard_error",
        "cycles": "n",
    },
    "arrhenius": {
        "Ea / eV": "activation_energy_electronvolt",
        "±": "activation_energy_electronvolt_standard_error",
        "S/cm at 25 degC": "conductivity_25_celsius_siemens_per_centimetre",
        "n": "n",
    },
    "eis": {"spectra": "n", "fitted": "fitted"},
}


def analyse(
    kind: Kind,
    where: Where = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one for each processor.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(help="A Dask scheduler's address instead of processes here.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the results in the database.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Analyse otherwise: circuit=R0-p(R1,CPE1)-CPE2, end_of_life=70%."
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Also write the values to a CSV file.")] = None,
    db: Database = None,
    json: Json = False,
) -> int:
    """Fit every run that the condition names; a run that cannot be fitted says why."""
    from rig.bench.run_choice import choose_runs
    from rig.store.database import database_url
    from rig.store.reading import open_to_read

    chosen_settings = variables_of(settings)
    path = _require(kind, dask, workers, out, chosen_settings)
    url = database_url(db)
    engine = open_to_read(url)
    try:
        chosen = choose_runs(engine, where)
        if chosen.empty:
            raise BadInput(
                Problem("--where", f"no run of {without_password(url)} is meant by {where!r}")
            )
        run_ids = list(chosen["run_id"])
        outcomes = _fitted(kind, url, run_ids, workers, dask, chosen_settings)
        if keep:
            _keep(engine, kind, outcomes, chosen_settings)
    finally:
        engine.dispose()
    if path is not None:
        _frame(chosen, outcomes).to_csv(path, index=False)
    failed = [outcome for outcome in outcomes if outcome.problem]
    if json:
        print_json(_plain(kind, chosen, outcomes))
    else:
        _show(kind, chosen, outcomes)
    return 1 if len(failed) == len(outcomes) else 0


def _require(
    kind: str,
    dask: str | None,
    workers: int | None,
    out: str | None,
    settings: Mapping[str, str],
) -> Path | None:
    """Refuse all that is wrong on the command line at once; return the file to be written."""
    problems = []
    if kind not in _SHOWN:
        known = ", ".join(_SHOWN)
        suggestion = did_you_mean(kind, list(_SHOWN))
        problems.append(
            Problem("rig analyse", f"got {kind!r}, expected one of {known}", suggestion=suggestion)
        )
    elif settings:
        problems += _wrong_settings(kind, settings)
    if dask is not None and workers is not None:
        problems.append(Problem("--workers", "a Dask cluster has workers of its own; give one"))
    path = None
    try:
        path = output_file("--out", out) if out else None
    except BadInput as bad:
        problems += bad.problems
    if problems:
        raise BadInput(problems)
    return path


def _wrong_settings(kind: str, settings: Mapping[str, str]) -> Sequence[Problem]:
    from rig.bench.analysis_settings import read_settings_of

    try:
        read_settings_of(kind, settings, "--set")
    except BadInput as bad:
        return bad.problems
    return ()


def _fitted(
    kind: str,
    url: str,
    run_ids: Sequence[str],
    workers: int | None,
    dask: str | None,
    settings: Mapping[str, str],
) -> list[Outcome]:
    from rig.bench.workforce import in_order, in_processes, on_dask, tasks_of

    count = workers or os.cpu_count() or 1
    tasks = tasks_of(kind, url, run_ids, count, settings)
    coming = on_dask(dask, tasks) if dask else in_processes(tasks, count)
    return in_order(list(_with_progress(coming, len(run_ids))), run_ids)


def _with_progress(coming: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """Show how far it is on a terminal's stderr; say nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=total < 2) as progress:
        bar = progress.add_task("runs", total=total)
        for outcome in coming:
            progress.advance(bar)
            yield outcome


def _keep(
    engine: Engine, kind: str, outcomes: Sequence[Outcome], settings: Mapping[str, str]
) -> None:
    from rig.bench.results import keep_outcome

    for outcome in outcomes:
        if not outcome.problem:
            keep_outcome(engine, kind, outcome, settings, who())


def _frame(chosen: pd.DataFrame, outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return one row a run: what is known of it, its plain values, its flags and its problem."""
    import pandas as pd

    rows = [
        {
            **{key: value for key, value in one.values.items() if _is_plain(value)},
            "flags": " ".join(dict.fromkeys(note["code"] for note in one.flags)),
            "problem": one.problem,
        }
        for one in outcomes
    ]
    return pd.concat([chosen, pd.DataFrame(rows)], axis=1)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _plain(kind: str, chosen: pd.DataFrame, outcomes: Sequence[Outcome]) -> dict[str, object]:
    known = chosen[["run_id", "cell", "channel", "protocol"]].to_dict("records")
    rows = [row | one.to_dict() for row, one in zip(known, outcomes, strict=True)]
    failed = sum(bool(one.problem) for one in outcomes)
    return {"analysis": kind, "runs": rows, "n": len(rows), "failed": failed}


def _show(kind: str, chosen: pd.DataFrame, outcomes: Sequence[Outcome]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = _SHOWN[kind]
    table = Table("run", "cell", *shown, "flags", title=f"{kind} of {len(outcomes)} runs")
    for cell, one in zip(chosen["cell"], outcomes, strict=True):
        if not one.problem:
            codes = ", ".join(dict.fromkeys(note["code"] for note in one.flags))
            values = [_shown(one.values.get(key)) for key in shown.values()]
            table.add_row(one.run_id[:12], str(cell), *values, codes)
    if table.row_count:
        Console().print(table)
    for one in outcomes:
        if one.problem:
            typer.echo(f"rig: run {one.run_id[:12]}: {one.problem}", err=True)


def _shown(value: object) -> str:
    if value is None:
        return "not determined"
    return f"{value:.5g}" if isinstance(value, float) else str(value)
