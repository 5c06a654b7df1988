"""A run of the database as a file of one of the formats, with what belongs beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from rig.core.errors import BadInput, Problem
from rig.store import queries, tables
from rig.store.archive import archive_run
from rig.store.exporting import (
    bdf_frame,
    result_frame,
    result_list,
    sidecar,
    sidecar_path,
    spectra_frame,
    write_frame,
    write_json,
    write_table,
)
from rig.store.revisions import revisions
from rig.store.samples import sample_frame, samples


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written: how many of what are in it, and which other files belong to it."""

    file: Path
    rows: int
    what: str = "samples"
    beside: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, object]:
        beside = [str(path) for path in self.beside]
        return {"file": str(self.file), "rows": self.rows, "beside": beside}


def export_run(
    engine: Engine,
    run: queries.RunRecord,
    path: Path,
    format_name: str,
    spectrum: int | None = None,
) -> Written:
    """Write a run as ``format_name``, one of rig.store.exporting.FORMATS, whole or not at all.

    Raises BadInput where the run has nothing of the kind, StoreError where it cannot be written.
    """
    if format_name == "eis-csv":
        return _spectra(engine, run, path, spectrum)
    return _WRITERS[format_name](engine, run, path)


def _bdf(format_name: str) -> Callable[[Engine, queries.RunRecord, Path], Written]:
    def write(engine: Engine, run: queries.RunRecord, path: Path) -> Written:
        frame = sample_frame(engine, run.run_id)
        steps = queries.table_frame(engine, tables.step, run.run_id)
        origin = run.values["origin"] or {}
        table = bdf_frame(frame, steps, dated=origin.get("dated", True))
        cell = queries.load_cell(engine, run.values["cell_id"])
        revised, beside = revisions(engine, run.run_id), sidecar_path(path)
        metadata = sidecar(run.values, cell, frame, table, revised)
        rows = write_frame(table, path, format_name)
        write_json(metadata, beside)
        return Written(path, rows, beside=(beside,))

    return write


def _csv(engine: Engine, run: queries.RunRecord, path: Path) -> Written:
    return Written(path, write_frame(samples(engine, run.run_id).to_pandas(), path, "csv"))


def _parquet(engine: Engine, run: queries.RunRecord, path: Path) -> Written:
    return Written(path, write_table(samples(engine, run.run_id), path))


def _spectra(engine: Engine, run: queries.RunRecord, path: Path, wanted: int | None) -> Written:
    heads, points = (
        queries.table_frame(engine, table, run.run_id)
        for table in (tables.spectrum, tables.impedance_point)
    )
    rows = write_frame(spectra_frame(heads, points, wanted), path, "eis-csv")
    return Written(path, rows, "points")


def _results_json(engine: Engine, run: queries.RunRecord, path: Path) -> Written:
    rows = _results(engine, run)
    write_json({"run_id": run.run_id, "results": result_list(rows)}, path)
    return Written(path, len(rows), "results")


def _results_csv(engine: Engine, run: queries.RunRecord, path: Path) -> Written:
    rows = _results(engine, run)
    return Written(path, write_frame(result_frame(rows), path, "results-csv"), "results")


def _results(engine: Engine, run: queries.RunRecord) -> list[dict[str, object]]:
    rows = queries.table_rows(engine, tables.result, run.run_id)
    if not rows:
        problem = Problem(f"run {run.run_id[:12]}", "no results are kept of it")
        raise BadInput(problem, remedy=f"let them be found first: rig report {run.run_id[:12]}")
    return rows


def _archive(engine: Engine, run: queries.RunRecord, path: Path) -> Written:
    return Written(path, archive_run(engine, run, path))


_WRITERS: dict[str, Callable[[Engine, queries.RunRecord, Path], Written]] = {
    "bdf-csv": _bdf("bdf-csv"),
    "bdf-parquet": _bdf("bdf-parquet"),
    "csv": _csv,
    "parquet": _parquet,
    "results-json": _results_json,
    "results-csv": _results_csv,
    "archive": _archive,
}
