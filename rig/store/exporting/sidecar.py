"""What stands beside a Battery Data Format table: whose data these are, and what the table lacks.

The format keeps metadata out of the table; ``FILE.metadata.json`` is where its own library looks.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rig import __version__
from rig.formats.vocabulary import LABELS
from rig.store.exporting.bdf import complete_rows

ONTOLOGY = "1.3.0"
_CELL = ("name", "chemistry", "area_square_centimetre", "thickness_centimetre", "mass_gram")


def sidecar_path(path: Path) -> Path:
    """Return where the metadata of a table stand."""
    return path.with_name(path.name + ".metadata.json")


def sidecar(
    run: Mapping[str, Any],
    cell: Mapping[str, Any] | None,
    samples: pd.DataFrame,
    written: pd.DataFrame,
    revisions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return run, cell, protocol, instruments, columns with their machine names, and what is lost."""
    by_label = {label: name for name, label in LABELS.items()}
    bench = run["bench"] or {}
    return {
        "format": {"name": "Battery Data Format", "ontology_version": ONTOLOGY},
        "sign": "positive current charges the cell",
        "run": {
            "run_id": run["run_id"],
            "channel": run["channel"],
            "state": run["state"],
            "reason": run["reason"],
            "started": _iso(run["started_us"]),
            "ended": _iso(run["ended_us"]),
        },
        "cell": {key: (cell or {}).get(key) for key in (*_CELL, "capacity_ah", "symmetric")},
        "protocol": {
            "name": run["protocol_name"],
            "file": run["protocol_file"],
            "sha256": run["protocol_sha256"],
            "variables": run["variables"],
            "revisions": [_revision(row) for row in revisions],
        },
        "instruments": bench.get("identities", {}),
        "software": {
            "measured_by": None if run.get("origin") else f"cellrig {run['software_version']}",
            "written_by": f"cellrig {__version__}",
        },
        "origin": run.get("origin"),
        "columns": {label: by_label[label] for label in written.columns},
        "rows": len(written),
        "lost": _lost(samples, written),
    }


def _revision(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return from which sample on a text held, and what it changed; the text itself is in the archive."""
    names = ("number", "seq_first", "test_time_second", "who", "reason", "difference")
    return {name: row[name] for name in names} | {
        "sha256": row["protocol_sha256"],
        "applied": _iso(row["applied_us"]),
    }


def _lost(samples: pd.DataFrame, written: pd.DataFrame) -> list[str]:
    """Return, in words, what the run has and this table has not."""
    lost = []
    left_out = int((~complete_rows(samples)).sum())
    if left_out:
        lost.append(f"{left_out} samples without a voltage or a current reading")
    if (samples["cycle_count"].cummax() != samples["cycle_count"]).any():
        lost.append("which samples lie outside of cycles: they carry the last cycle's number")
    said = [name for name in ("phase", "tag") if samples[name].fillna("").ne("").any()]
    lost += [f"{name} of each sample" for name in said]
    if samples["flags"].ne(0).any():
        lost.append("flags of each sample (overload, voltage held, ...)")
    other = _other_readings(samples, written)
    if other:
        lost.append(f"other readings, of which the format knows no column: {', '.join(other)}")
    lost.append("spectra, events, alarms, results: see the formats eis-csv, results-json, archive")
    return lost


def _other_readings(samples: pd.DataFrame, written: pd.DataFrame) -> list[str]:
    if "aux" not in samples or not samples["aux"].notna().any():
        return []
    names = dict.fromkeys(
        name for entry in samples["aux"] if isinstance(entry, dict) for name in entry
    )
    return [name for name in names if LABELS.get(name) not in written.columns]


def _iso(wall_us: int | None) -> str | None:
    if wall_us is None:
        return None
    return datetime.datetime.fromtimestamp(wall_us / 1e6, tz=datetime.UTC).isoformat()
