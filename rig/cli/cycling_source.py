"""SOURCE of ``rig fit cycles`` and ``rig fit fade``: a cycler's file, a plain table, or a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.tables import load_source, opened_run, require_columns
from rig.core.errors import BadInput, Problem

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Engine

    from rig.store.queries import RunRecord

GIVEN, OWN = "given", "own"
Count = Annotated[
    str, typer.Option("--count", help="Cycle numbers: given (of the file), or own (by charge).")
]


def load_cycling(source: str, db: str | None, fit: str, count: str) -> pd.DataFrame:
    """Return samples, or a per-cycle table, with machine names as columns.

    What is odd in a cycler's file goes to stderr, a line each. With ``count`` ``own`` cycles are those
    that we count by charge and discharge. Raises BadInput like ``load_source``.
    """
    if count not in (GIVEN, OWN):
        raise BadInput(Problem("--count", f"got {count!r}, expected given or own"))
    path = Path(source)
    if path.is_file():
        from rig.formats import read_log, recognised

        found = recognised(path)
        if found is not None:
            log = read_log(path, found)
            for finding in log.findings:
                print(f"rig: {source}: {finding}", file=sys.stderr)
            return log.analysis_frame(count)
        if count == OWN:
            raise BadInput(Problem("--count", f"own needs samples; {source} is another table"))
    elif count == OWN:
        with opened_run(source, db) as (engine, run):
            return _own_cycles(engine, run)
    frame = load_source(source, db, fit)
    if fit == "cycles" or {"voltage_volt", "current_ampere"} <= set(frame.columns):
        from rig.analysis.cycles import REQUIRED

        require_columns(frame, source, REQUIRED)
    return frame


def _own_cycles(engine: Engine, run: RunRecord) -> pd.DataFrame:
    """Return an imported run's samples with our cycle numbers in place of its file's."""
    from rig.bench.run_tables import cycling_samples
    from rig.store import tables
    from rig.store.queries import table_frame

    steps = table_frame(engine, tables.step, run.run_id).set_index("step_count")["own_cycle_count"]
    if steps.isna().any():
        message = f"own is for imported runs; run {run.run_id[:12]} counts what its protocol counts"
        raise BadInput(Problem("--count", message))
    samples = cycling_samples(engine, run)
    return samples.assign(cycle_count=samples["step_count"].map(steps).astype("int64"))
