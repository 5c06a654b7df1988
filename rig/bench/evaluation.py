"""From a run in the database to what it means: every analysis that its data allow, with flags.

The one place that joins store and analysis; the report, ``rig fit RUN`` and the demo's table of
truths are all made from what comes out here.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from rig.analysis.flags import ARR_TSAMPLE, FlagNote, flag
from rig.analysis.impedance_fit import fit_circuit
from rig.bench.cycling_evaluation import evaluate_cycling
from rig.bench.file import ROLES
from rig.bench.pellet_evaluation import evaluate_pellet, leads_of
from rig.bench.sensing import AUX
from rig.bench.spectra import Event, load_spectra, with_fit
from rig.core.errors import AnalysisError, BadInput
from rig.report.findings import (
    Array,
    CyclingFinding,
    PelletFinding,
    ProtocolRevision,
    Quantity,
    RunFindings,
    SpectrumFinding,
    Traces,
)
from rig.store import queries, tables
from rig.store.revisions import revisions
from rig.store.samples import sample_frame

# Separator and leads, three interfaces (cathode, anode, charge transfer), then diffusion.
FULL_CELL_CIRCUIT = "L0-R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)-CPE4"
TRACE_POINTS = 4_000

Truth = Mapping[str, float]


def evaluate(engine: Engine, run: queries.RunRecord, truth: Truth | None = None) -> RunFindings:
    """Return everything that this run's data support.

    ``truth`` is what was put into a simulated cell, by the keys of the quantities.
    """
    cell = queries.load_cell(engine, run.values["cell_id"]) or {}
    samples = sample_frame(engine, run.run_id)
    leads = leads_of(run)
    measured, left_out = load_spectra(engine, run.run_id, leads_known=leads is not None)
    cycles = queries.table_frame(engine, tables.cycle, run.run_id)
    pellet_quantities: list[Quantity] = []
    cycling_quantities: list[Quantity] = []
    pellet, cycling = None, None
    if cycles.empty and measured:
        measured, pellet, pellet_quantities = evaluate_pellet(measured, cell, leads)
    elif not cycles.empty:
        measured = [_fit_full_cell(one) for one in measured]
        cycling, cycling_quantities = evaluate_cycling(samples, cycles)
    quantities = [
        _with_truth(one, truth or {}) for one in (*pellet_quantities, *cycling_quantities)
    ]
    return RunFindings(
        **_facts(run, cell, samples),
        revisions=_revisions(engine, run.run_id),
        events=(*_events(engine, run.run_id), *left_out),
        traces=_traces(samples),
        spectra=tuple(measured),
        pellet=pellet,
        cycling=cycling,
        quantities=tuple(quantities),
        flags=_all_flags(measured, pellet, cycling),
    )


def _facts(
    run: queries.RunRecord, cell: Mapping[str, Any], samples: pd.DataFrame
) -> dict[str, Any]:
    values = run.values
    bench = values["bench"]
    content = bench.get("content", {})
    connects = [entry.get("connect") for entry in content.get("instruments", {}).values()]
    channel = content.get("channels", {}).get(run.channel, {})
    named = [*(channel[role] for role in ROLES if role in channel), *channel.get(AUX, {}).values()]
    own = {str(name).partition("/")[0] for name in named}
    identities = {name: who for name, who in bench.get("identities", {}).items() if name in own}
    return {
        "run_id": run.run_id,
        "channel": run.channel,
        "cell_name": str(cell.get("name", "")),
        "cell": cell,
        "protocol_name": run.protocol_name,
        "protocol_text": values["protocol_text"],
        "state": run.state,
        "reason": values["reason"] or "",
        "started": _iso(values["started_us"]),
        "ended": _iso(values["ended_us"]),
        "software_version": values["software_version"],
        "identities": identities,
        "simulated": bool(connects) and all(connect == "sim" for connect in connects),
        "samples": len(samples),
        "test_time_second": float(samples["test_time_second"].max()) if len(samples) else 0.0,
    }


def _revisions(engine: Engine, run_id: str) -> tuple[ProtocolRevision, ...]:
    names = ("number", "test_time_second", "seq_first", "who", "reason")
    return tuple(
        ProtocolRevision(
            **{name: row[name] for name in names}, changes=tuple(row["difference"] or ())
        )
        for row in revisions(engine, run_id)
    )


def _events(engine: Engine, run_id: str) -> tuple[Event, ...]:
    events = queries.table_frame(engine, tables.event, run_id)
    columns = (events[name] for name in ("test_time_second", "kind", "message"))
    return tuple(zip(*columns, strict=True))


def _iso(wall_us: int | None) -> str:
    if wall_us is None:
        return ""
    moment = datetime.datetime.fromtimestamp(wall_us / 1e6, tz=datetime.UTC)
    return moment.isoformat(timespec="seconds")


def _with_truth(quantity: Quantity, truth: Truth) -> Quantity:
    if quantity.key not in truth:
        return quantity
    values = {name: getattr(quantity, name) for name in Quantity.__slots__}
    return Quantity(**values | {"truth": truth[quantity.key]})


def _all_flags(
    spectra: list[SpectrumFinding], pellet: PelletFinding | None, cycling: CyclingFinding | None
) -> tuple[FlagNote, ...]:
    notes = [note for one in spectra for note in one.flags]
    if pellet is not None:
        for fitted in (pellet.arrhenius, pellet.interface_arrhenius):
            notes += fitted.flags if fitted else ()
        if not pellet.of_sample:
            words = "chamber temperature used: no thermometer on the sample"
            notes.append(flag(ARR_TSAMPLE, words))
    if cycling is not None:
        notes += cycling.table.flags
        notes += cycling.fade.flags if cycling.fade else ()
    return tuple(dict.fromkeys(notes))


def _traces(samples: pd.DataFrame) -> Traces:
    """Thin to the extremes of voltage in equal stretches of samples: no spike is lost."""
    volt = samples["voltage_volt"].to_numpy(float)
    kept = _extremes(volt, TRACE_POINTS)
    columns = [field.name for field in fields(Traces)]
    return Traces(*(samples[name].to_numpy(float)[kept] for name in columns))


def _extremes(values: Array, points: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    if values.size <= points:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, points // 2 + 1).astype(int)
    kept = {0, values.size - 1}
    for start, stop in itertools.pairwise(edges):
        stretch = values[start:stop]
        if np.isfinite(stretch).any():
            kept |= {start + int(np.nanargmin(stretch)), start + int(np.nanargmax(stretch))}
    return np.array(sorted(kept))


def _fit_full_cell(finding: SpectrumFinding) -> SpectrumFinding:
    try:
        return with_fit(finding, fit_circuit(finding.spectrum, FULL_CELL_CIRCUIT))
    except (AnalysisError, BadInput) as error:
        return replace(finding, problem=str(error))
