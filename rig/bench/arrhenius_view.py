"""A pellet's conductivities as they come, and the law through them as soon as they support one.

For whoever watches a run; the report and ``rig fit`` judge whole runs in ``evaluation``, with the
same fits, and say the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Engine

from rig.analysis.arrhenius import Model
from rig.analysis.arrhenius_result import ZERO_CELSIUS_KELVIN, ArrheniusResult, Convention
from rig.analysis.capacitance import Geometry
from rig.analysis.flags import ARR_TSAMPLE, FlagNote, flag
from rig.bench.pellet_evaluation import (
    FEWEST_TEMPERATURES,
    ConductivityPoint,
    conductivity_points,
    leads_of,
    temperature_series,
)
from rig.bench.spectra import Event, load_spectra
from rig.report.findings import PelletFinding, Quantity, SpectrumFinding
from rig.store import queries, tables
from rig.store.database import open_database

LINE_POINTS = 60
CYCLED = "a cell that cycles: its spectra are no pellet's"
CHAMBERS = "chamber temperature used: no thermometer on the sample"


def both_views(database: str, run_id: str) -> dict[str, dict[str, Any]]:
    """Return arrhenius_view of a run in both conventions; the spectra are fitted once."""
    engine = open_database(database, create=False)
    try:
        run = queries.find_run(engine, run_id)
        series = _series(engine, run)
        return {one.value: _view(run, series, one, "auto") for one in Convention}
    finally:
        engine.dispose()


def has_series(engine: Engine, run_id: str) -> bool:
    """Say whether a run has spectra of a cell that does not cycle."""
    spectra = queries.table_rows(engine, tables.spectrum, run_id)
    return bool(spectra) and not queries.table_rows(engine, tables.cycle, run_id)


def arrhenius_view(
    engine: Engine,
    run: queries.RunRecord,
    convention: Convention = Convention.LN_SIGMA_T,
    model: Model = "auto",
) -> dict[str, Any]:
    """Return points, law and quantities of a run's temperature series as one JSON object.

    Conductivity in S/cm, uncertainties without the geometry that all points share. ``fit`` is None
    as long as the points support no law, and ``problem`` says why.
    """
    return _view(run, _series(engine, run), convention, model)


@dataclass(frozen=True, slots=True)
class _Series:
    """A run's spectra, fitted, and the points that they give."""

    spectra: list[SpectrumFinding]
    left_out: list[Event]
    points: list[ConductivityPoint]
    geometry: Geometry | None
    problem: str = ""


def _series(engine: Engine, run: queries.RunRecord) -> _Series:
    if queries.table_rows(engine, tables.cycle, run.run_id):
        return _Series([], [], [], None, CYCLED)
    leads = leads_of(run)
    measured, left_out = load_spectra(engine, run.run_id, leads_known=leads is not None)
    if not measured:
        return _Series(measured, left_out, [], None)
    cell = queries.load_cell(engine, run.values["cell_id"]) or {}
    shown, points, geometry = conductivity_points(measured, cell, leads)
    return _Series(shown, left_out, points, geometry)


def _view(
    run: queries.RunRecord, series: _Series, convention: Convention, model: Model
) -> dict[str, Any]:
    finding, quantities = None, list[Quantity]()
    if series.geometry is not None and len(series.points) >= FEWEST_TEMPERATURES:
        finding, quantities = temperature_series(series.points, series.geometry, convention, model)
    law = None if finding is None else finding.arrhenius
    problem = "" if law is not None else series.problem or _why_none(series)
    return {
        "run_id": run.run_id,
        "convention": convention.value,
        "spectra": len(series.spectra),
        "points": [_point(one) for one in series.points],
        "left_out": _left_out(series),
        "fit": None if law is None else law.to_dict() | {"line": _line(law)},
        "quantities": [one.to_dict() for one in quantities],
        "problem": problem,
        "flags": [note.to_dict() for note in _flags(series, finding)],
    }


def _point(one: ConductivityPoint) -> dict[str, Any]:
    return {
        "spectrum_count": one.spectrum_count,
        "temperature_celsius": one.celsius,
        "conductivity_siemens_per_centimetre": one.conductivity_siemens_per_centimetre,
        "relative_uncertainty": one.relative_uncertainty,
        "of_sample": one.of_sample,
    }


def _left_out(series: _Series) -> list[str]:
    own = [f"spectrum {one.spectrum_count}: {one.problem}" for one in series.spectra if one.problem]
    return [*own, *(message for _, _, message in series.left_out)]


def _line(law: ArrheniusResult) -> dict[str, list[float]]:
    """Return the law with its 95 % band, over the temperatures measured and to 25 °C."""
    ends = (law.temperature_min_kelvin, law.temperature_max_kelvin, ZERO_CELSIUS_KELVIN + 25.0)
    kelvin = 1.0 / np.linspace(1.0 / max(ends), 1.0 / min(ends), LINE_POINTS)
    band = law.band(kelvin)
    return {
        "temperature_celsius": (kelvin - ZERO_CELSIUS_KELVIN).tolist(),
        "conductivity_siemens_per_centimetre": band.mean.tolist(),
        "low_95_siemens_per_centimetre": band.low.tolist(),
        "high_95_siemens_per_centimetre": band.high.tolist(),
    }


def _why_none(series: _Series) -> str:
    if not series.points:
        problems = (one.problem for one in series.spectra if one.problem)
        return next(problems, "no complete spectrum yet")
    different = len({round(one.celsius) for one in series.points})
    if different < FEWEST_TEMPERATURES:
        return f"{different} of at least {FEWEST_TEMPERATURES} temperatures"
    return "these points support no law"


def _flags(series: _Series, finding: PelletFinding | None) -> tuple[FlagNote, ...]:
    used = {one.spectrum_count for one in series.points}
    notes = [note for one in series.spectra if one.spectrum_count in used for note in one.flags]
    if finding is not None and finding.arrhenius is not None:
        notes += finding.arrhenius.flags
    if series.points and not all(one.of_sample for one in series.points):
        notes.append(flag(ARR_TSAMPLE, CHAMBERS))
    return tuple(dict.fromkeys(notes))
