"""Results kept beside the data they came from: run, method, version, inputs, values, flags.

The same method on the same inputs replaces its predecessor, so a report may be made as often as
wanted; new samples or another version of the software give a new row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from rig import __version__
from rig.core.clock import RealClock
from rig.report.findings import RunFindings
from rig.store import queries

if TYPE_CHECKING:
    from rig.bench.run_fits import Outcome


def keep_results(engine: Engine, findings: RunFindings) -> None:
    """Write every quantity of a run into the ``result`` table."""
    inputs = inputs_sha256(findings)
    for quantity in findings.quantities:
        values = quantity.to_dict()
        flags = values.pop("flags")
        _keep(engine, findings.run_id, quantity.key, inputs, values=values, flags=flags)


def keep_outcome(
    engine: Engine,
    method: str,
    outcome: Outcome,
    settings: Mapping[str, str] | None = None,
    who: str = "",
) -> dict[str, Any]:
    """Write what a whole analysis gave for a run, and return the row.

    The same values replace their predecessor. What was found with settings of its own stands beside
    the usual result, with them and with who wanted it.
    """
    text = json.dumps(dict(outcome.values), sort_keys=True, default=str)
    chosen = json.dumps(dict(settings), sort_keys=True) if settings else ""
    inputs = hashlib.sha256(f"{__version__} {text}{chosen}".encode()).hexdigest()
    values = json.loads(text)
    if settings:
        values |= {"settings": dict(settings), "who": who}
    flags = [dict(note) for note in outcome.flags]
    return _keep(engine, outcome.run_id, method, inputs, values=values, flags=flags)


def _keep(
    engine: Engine, run_id: str, method: str, inputs: str, *, values: object, flags: object
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "run_id": run_id,
        "method": method,
        "version": __version__,
        "inputs_sha256": inputs,
        "created_us": RealClock().wall_us(),
        "values": values,
        "flags": flags,
    }
    queries.replace_result(engine, row)
    return row


def inputs_sha256(findings: RunFindings) -> str:
    """Return a digest of what the results were made from: spectra, cycles, geometry, software."""
    digest = hashlib.sha256(f"{__version__} {findings.samples}".encode())
    for key in ("area_square_centimetre", "thickness_centimetre", "symmetric"):
        digest.update(f"{key}={findings.cell.get(key)}".encode())
    for finding in findings.spectra:
        digest.update(finding.spectrum.frequency_hertz.tobytes())
        digest.update(finding.spectrum.impedance_ohm.tobytes())
    if findings.cycling is not None:
        digest.update(findings.cycling.table.column("discharging_capacity_ah").tobytes())
    return digest.hexdigest()
