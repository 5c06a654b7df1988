"""``rig record``: one instrument's own bytes in a file, for those who write its driver."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.output import output_file, print_json
from rig.cli.running import BenchOption, Json

if TYPE_CHECKING:
    from rig.bench.recording import Recording


def record(
    name: Annotated[str, typer.Argument(help="An instrument of the bench.")],
    bench_name: BenchOption = "sim",
    out: Annotated[
        str | None, typer.Option(help="The file to write; default: NAME.transcript.")
    ] = None,
    with_rest: Annotated[
        bool,
        typer.Option("--with-rest", help="Also rest and measure the cell of a cell channel."),
    ] = False,
    json: Json = False,
) -> int:
    """Write what an instrument answers when asked who it is and what it reads; ends in its safe state.

    Nothing drives a cell. The file holds the instrument's serial number: look before you send it.
    """
    from rig.bench.file import load_bench
    from rig.bench.recording import record_instrument

    path = output_file("--out", out or f"{name}.transcript")
    recording = record_instrument(load_bench(bench_name), name, path, with_rest=with_rest)
    if json:
        from dataclasses import asdict

        print_json({"file": str(path), **asdict(recording)})
    else:
        _print(recording, path)
    for problem in recording.problems:
        print(f"rig: {name}: {problem}", file=sys.stderr)
    return 1 if recording.problems else 0


def _print(recording: Recording, path: Path) -> None:
    print(f"{recording.instrument}  {recording.driver}")
    for step in recording.steps:
        print(f"  {step.name}: {step.got or 'FAILED'}")
    print(f"written to {path}")
