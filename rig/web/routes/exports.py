"""A run as a file, whole; where metadata belong beside a table, both in one zip."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from rig.bench.run_files import Written, export_run
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.store.exporting import FORMATS
from rig.store.queries import find_run
from rig.web.access import TheHouse, Viewer
from rig.web.answers import RunId, run_of
from rig.web.house import Found

router = APIRouter(tags=["samples"])


@router.get("/runs/{run_id}/export")
def export(
    house: TheHouse,
    _: Viewer,
    run_id: RunId,
    format_name: Annotated[str, Query(alias="format", max_length=40)] = "bdf-csv",
    with_metadata: Annotated[
        bool,
        Query(description="Of a Battery Data Format table: a zip with its metadata beside it."),
    ] = False,
) -> FileResponse:
    """A run as a file, whole: Battery Data Format, plain columns, spectra, results, an archive."""
    if format_name not in FORMATS:
        message = f"got {format_name!r}, expected one of {', '.join(FORMATS)}"
        raise BadInput(Problem("format", message, suggestion=did_you_mean(format_name, FORMATS)))
    if with_metadata and not format_name.startswith("bdf"):
        message = f"{format_name} has no metadata beside it; the archive holds everything"
        raise BadInput(Problem("with_metadata", message, example="format=bdf-csv"))
    found = run_of(house, run_id)
    folder = tempfile.TemporaryDirectory(prefix="cellrig-export-")
    try:
        path = _written(Path(folder.name), found, format_name, with_metadata=with_metadata)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(path, filename=path.name, background=BackgroundTask(folder.cleanup))


def _written(folder: Path, found: Found, format_name: str, *, with_metadata: bool) -> Path:
    run = found.run
    path = folder / f"{run['channel']}_{run['run_id'][:8]}{FORMATS[format_name]}"
    written = export_run(found.samples, find_run(found.samples, run["run_id"]), path, format_name)
    return _zipped(written) if with_metadata else path


def _zipped(written: Written) -> Path:
    """Put a table and what belongs beside it into one zip; Parquet is packed already."""
    path = written.file.with_name(written.file.name + ".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in (written.file, *written.beside):
            packed.write(one, one.name)
    return path
