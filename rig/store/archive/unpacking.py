"""From an archive's bytes to a run, or the reason why not: every digest is checked before anything else.

Reads members of known names into memory and writes no file: what a zip calls its members is its own
affair.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rig.core.errors import BadInput, Problem
from rig.store import tables
from rig.store.archive.content import OWN_NUMBERS, PARTS, SINCE, ArchivedRun
from rig.store.archive.packing import MANIFEST, NAME, PROTOCOL, SAMPLES, VERSION
from rig.store.arrow import sample_schema

_REMEDY = "export the run again where it was measured: rig runs export RUN --format archive"
_MEMBERS = (SAMPLES, PROTOCOL, "bench.json", "run.json", "cell.json", "rig.json")
REQUIRED = (*_MEMBERS, *(f"{part}.json" for part in PARTS))


def unpack(data: bytes, where: str) -> ArchivedRun:
    """Return the run in an archive.

    Raises BadInput for what is damaged, incomplete, another program's, or newer than this software,
    with everything that is wrong.
    """
    members = _members(data, where)
    manifest = _manifest(members, where)
    _add_what_came_since(members, manifest)
    problems = [
        Problem(where, f"{name} is {_wrong(members.get(name), manifest['sha256'].get(name))}")
        for name in sorted({*REQUIRED, *manifest["sha256"]})
        if _wrong(members.get(name), manifest["sha256"].get(name))
    ]
    if problems:
        raise BadInput(problems, remedy=_REMEDY)
    content = _content(members, where)
    _require_agreement(content, manifest, where)
    return content


def _add_what_came_since(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
    """Give an archive of an earlier version the parts that no run had then, without a row."""
    rows = manifest.get("rows")
    if not isinstance(rows, dict):
        return
    for part in SINCE - set(rows):
        name, nothing = f"{part}.json", b"[]"
        if name not in members and name not in manifest["sha256"]:
            members[name] = nothing
            manifest["sha256"][name] = hashlib.sha256(nothing).hexdigest()
            rows[part] = 0


def _members(data: bytes, where: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise BadInput(Problem(where, f"damaged or cut off: {error}"), remedy=_REMEDY) from error


def _manifest(members: dict[str, bytes], where: str) -> dict[str, Any]:
    try:
        manifest = json.loads(members.get(MANIFEST, b""))
    except ValueError as error:
        problem = Problem(where, f"no archive of a run: its {MANIFEST} cannot be read")
        raise BadInput(problem, remedy=_REMEDY) from error
    if not isinstance(manifest, dict) or manifest.get("format") != NAME:
        raise BadInput(Problem(where, f"no archive of a run: its {MANIFEST} is another program's"))
    newer = {
        "version": (manifest.get("version"), VERSION),
        "schema_version": (manifest.get("schema_version"), tables.SCHEMA_VERSION),
    }
    problems = [
        Problem(where, f"{key} is {got!r}, this software reads up to {known}")
        for key, (got, known) in newer.items()
        if not isinstance(got, int) or got > known
    ]
    if not isinstance(manifest.get("sha256"), dict):
        problems.append(Problem(where, f"its {MANIFEST} has no digests"))
    if problems:
        raise BadInput(problems, remedy="install the newer cellrig here, too")
    return manifest


def _wrong(member: bytes | None, digest: object) -> str:
    if member is None:
        return "missing"
    if digest is None:
        return "not in the manifest"
    return "" if hashlib.sha256(member).hexdigest() == digest else "damaged: its digest is another"


def _content(members: dict[str, bytes], where: str) -> ArchivedRun:
    try:
        plain = {name: json.loads(members[name]) for name in REQUIRED if name.endswith(".json")}
        table = pq.read_table(io.BytesIO(members[SAMPLES]))
        return ArchivedRun(
            run=_known(plain["run.json"], tables.run),
            cell=plain["cell.json"],
            rig=plain["rig.json"],
            samples=_of_today(table),
            rows={
                part: [_known(row, known) for row in plain[f"{part}.json"]]
                for part, known in PARTS.items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise BadInput(Problem(where, f"its content cannot be read: {reason}")) from error


def _known(row: dict[str, Any], table: Any) -> dict[str, Any]:
    """Return a row with every column of today's table; raises KeyError for one it has not."""
    names = {column.name for column in table.columns} - set(OWN_NUMBERS.values())
    strange = sorted(set(row) - names)
    if strange:
        raise KeyError(f"{table.name} has no column {', '.join(strange)}")
    return dict.fromkeys(names) | row


def _of_today(table: pa.Table) -> pa.Table:
    """Return samples of an older schema with the columns that came since, empty."""
    schema = sample_schema()
    strange = sorted(set(table.schema.names) - set(schema.names))
    if strange:
        raise KeyError(f"sample has no column {', '.join(strange)}")
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _require_agreement(content: ArchivedRun, manifest: dict[str, Any], where: str) -> None:
    """Check that every part is of the one run that the manifest names, and whole."""
    run_id = manifest.get("run_id")
    of_others = [
        part
        for part, rows in content.rows.items()
        if any(row.get("run_id") != run_id for row in rows)
    ]
    if content.run_id != run_id:
        of_others.append("run")
    if content.samples.num_rows and content.samples["run_id"].unique().to_pylist() != [run_id]:
        of_others.append("samples")
    rows = {"samples": content.samples.num_rows} | {
        part: len(found) for part, found in content.rows.items()
    }
    short = [part for part, count in rows.items() if manifest.get("rows", {}).get(part) != count]
    problems = [Problem(where, f"{part} is of another run") for part in of_others]
    problems += [
        Problem(where, f"{part} has not as many rows as the manifest says") for part in short
    ]
    if problems:
        raise BadInput(problems, remedy=_REMEDY)
