"""``rig demo``: the main job, whole, on simulated instruments: run, store, fit, report, compare."""

from __future__ import annotations

import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import print_json
from rig.cli.running import Json, Seed
from rig.core.errors import BadInput, Problem, StoreError

if TYPE_CHECKING:
    from rig.bench.file import BenchFile, ChannelSpec
    from rig.bench.starting import Job

PELLETS, FULL_CELLS = ("P1", "P2"), ("C1", "C2")


def demo(
    out: Annotated[str, typer.Option("--out", help="Folder for rig.db and report.html.")] = ".",
    cells: Annotated[int, typer.Option(help="How many cells of each kind: 1 or 2.")] = 2,
    seed: Seed = 1,
    json: Json = False,
) -> int:
    """Cycle simulated solid-state cells, measure their impedance, and find the truth again."""
    from rig.bench.file import BUILT_IN, load_bench
    from rig.bench.starting import start
    from rig.cli.analysing import findings_of, print_quantities
    from rig.cli.running import run_session
    from rig.report import render_report

    if cells not in {1, 2}:
        raise BadInput(
            Problem("--cells", f"got {cells}, expected 1 or 2", example="rig demo --cells 1")
        )
    folder = _folder(out)
    database = f"sqlite:///{folder / 'rig.db'}"
    bench = load_bench(BUILT_IN)
    began = time.monotonic()
    session = start(_jobs(bench, cells), bench, database=database, speed="max", seed=seed)
    code = run_session(session, json=False, quiet=json)
    findings = findings_of([run.run_id for run in session.runs], database)
    page = folder / "report.html"
    render_report(findings, title="Demo: simulated solid-state cells", path=page)
    recovered = all(q.recovered is not False for one in findings for q in one.quantities)
    known = all(any(q.recovered is not None for q in one.quantities) for one in findings)
    if json:
        print_json(
            {
                "runs": [one.to_dict() for one in findings],
                "report": str(page),
                "recovered": recovered,
            }
        )
    else:
        print_quantities(findings)
        hours = max(one.test_time_second for one in findings) / 3600
        typer.echo(f"{hours:.0f} h of testing in {time.monotonic() - began:.0f} s; report: {page}")
        typer.echo(f"data: {folder / 'rig.db'}; look at it with: rig runs list --db {database}")
        typer.echo(f"or in the browser: rig serve --observe --db {database}")
        if not (recovered and known):
            typer.echo("a truth lies outside its 99 % interval, or was not determined", err=True)
    return code or (0 if recovered and known else 1)


def _folder(out: str) -> Path:
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(Problem("--out", f"{out!r} cannot be made: {error.strerror}")) from error
    return folder


def _jobs(bench: BenchFile, cells: int) -> list[Job]:
    pellets = [bench.channels[name] for name in PELLETS[:cells]]
    full_cells = [bench.channels[name] for name in FULL_CELLS[:cells]]
    return [
        *_on(pellets, "arrhenius_eis.yaml"),
        *_on(full_cells, "formation_and_cycling.yaml"),
    ]


def _on(channels: list[ChannelSpec], protocol: str) -> list[Job]:
    from rig.bench.starting import Job
    from rig.protocol import load_protocol

    shipped = resources.files("protocols").joinpath(protocol)
    if not isinstance(shipped, Path):
        raise StoreError(f"the shipped protocol {protocol} is not a file here: {shipped}")
    program = load_protocol(shipped)
    return [Job(program, protocol, channel) for channel in channels]
