"""From a database to an archive: a zip of Parquet, JSON and the protocol, with a manifest of digests.

The bytes of every member follow from the run alone (no date, no machine): the same run gives the same
members wherever it is exported with the same libraries.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, Table, select

from rig import __version__
from rig.core.errors import BadInput, Problem
from rig.core.records import ENDED, RunState
from rig.store import tables
from rig.store.archive.content import OWN_NUMBERS, PARTS, ArchivedRun, Rows
from rig.store.database import translated
from rig.store.exporting.files import write_whole
from rig.store.queries import RunRecord, load_cell
from rig.store.samples import samples

NAME, VERSION = "cellrig archive", 1
MANIFEST, SAMPLES, PROTOCOL = "manifest.json", "samples.parquet", "protocol.yaml"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's own first day: no member has a date
_READ_BY_ALL = 0o644 << 16


def archive_run(engine: Engine, run: RunRecord, path: Path) -> int:
    """Write a run that has ended as an archive, whole or not at all; returns the number of samples.

    Raises BadInput for a run that goes on: it would be continued in two places. StoreError where the
    file cannot be written.
    """
    if RunState(run.state) not in ENDED:
        message = f"the run is {run.state}; only one that has ended can be archived"
        raise BadInput(Problem(f"run {run.run_id[:12]}", message), remedy="stop it: rig stop RUN")
    content = read_run(engine, run)
    data = pack(content)
    write_whole(path, lambda partial: partial.write_bytes(data))
    return int(content.samples.num_rows)


def read_run(engine: Engine, run: RunRecord) -> ArchivedRun:
    """Return everything that a database has of a run."""
    cell_id = run.values["cell_id"]
    return ArchivedRun(
        run=_plain(dict(run.values)),
        cell=_plain(load_cell(engine, cell_id)) if cell_id else None,
        rig=_rig(engine, run.values["rig_id"]),
        samples=samples(engine, run.run_id).combine_chunks(),
        rows={part: _rows(engine, part, table, run.run_id) for part, table in PARTS.items()},
    )


def _rig(engine: Engine, rig_id: str) -> dict[str, Any]:
    wanted = select(tables.rig.c.rig_id, tables.rig.c.name).where(tables.rig.c.rig_id == rig_id)
    with translated(engine), engine.connect() as connection:
        return dict(connection.execute(wanted).mappings().one())


def _rows(engine: Engine, part: str, table: Table, run_id: str) -> Rows:
    wanted = select(table).where(table.c.run_id == run_id).order_by(*table.primary_key.columns)
    with translated(engine), engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(wanted).mappings()]
    own = OWN_NUMBERS.get(part)
    return [_plain({key: value for key, value in row.items() if key != own}) for row in rows]


def _plain(values: Any) -> Any:
    """Return values as JSON has them; NaN and infinities become words, as on a database server."""
    return json.loads(json.dumps(values), parse_constant=str)


def pack(content: ArchivedRun) -> bytes:
    """Return the archive's bytes; its manifest has the digest of every other member."""
    members = {
        SAMPLES: _parquet(content.samples),
        PROTOCOL: str(content.run["protocol_text"]).encode(),
        "bench.json": _json(content.run["bench"]),
        "run.json": _json(content.run),
        "cell.json": _json(content.cell),
        "rig.json": _json(content.rig),
        **{f"{part}.json": _json(rows) for part, rows in content.rows.items()},
    }
    members = {MANIFEST: _json(_manifest(content, members)), **members}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr, info.compress_type = _READ_BY_ALL, zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return file.getvalue()


def _manifest(content: ArchivedRun, members: dict[str, bytes]) -> dict[str, Any]:
    return {
        "format": NAME,
        "version": VERSION,
        "run_id": content.run_id,
        "schema_version": tables.SCHEMA_VERSION,
        "software_version": __version__,
        "rows": {"samples": content.samples.num_rows}
        | {part: len(rows) for part, rows in content.rows.items()},
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }


def _json(values: Any) -> bytes:
    return (json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()
