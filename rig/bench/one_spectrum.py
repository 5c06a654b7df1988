"""One spectrum as a person looks at it: its points, a fit where one holds, what Kramers-Kronig says.

For whoever watches a run; the report and ``rig fit`` judge whole runs in ``evaluation``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Engine

from rig.analysis.impedance_fit import CircuitFit, fit_circuit
from rig.analysis.kramers_kronig import check
from rig.bench.evaluation import FULL_CELL_CIRCUIT
from rig.bench.pellet_evaluation import evaluate_pellet, leads_of
from rig.bench.spectra import load_spectra
from rig.core.errors import AnalysisError, BadInput
from rig.report.findings import SpectrumFinding
from rig.report.spectra import arcs_side_ohm
from rig.store import queries, tables

CURVE_POINTS = 200


def judge_spectrum(engine: Engine, run: queries.RunRecord, spectrum_count: int) -> dict[str, Any]:
    """Return a complete spectrum with fit and verdict as one JSON object.

    Impedance in ohm, imaginary part as measured. ``arcs_side_ohm`` is the side of a square that shows
    the arcs, None where no tail hides them. ``fit`` is None where no circuit holds, and
    ``problem`` says why. Raises BadInput for a spectrum that is not there or not complete.
    """
    leads = leads_of(run)
    found, left_out = load_spectra(
        engine, run.run_id, leads_known=leads is not None, with_repeated=True
    )
    wanted = [one for one in found if one.spectrum_count == spectrum_count]
    if not wanted:
        raise AnalysisError(_why_not(spectrum_count, [message for _, _, message in left_out]))
    cell = queries.load_cell(engine, run.values["cell_id"]) or {}
    is_cycled = not queries.table_frame(engine, tables.cycle, run.run_id).empty
    return _plain(_fitted(wanted[0], None if is_cycled else cell, leads))


def _why_not(spectrum_count: int, left_out: list[str]) -> str:
    own = [message for message in left_out if message.startswith(f"spectrum {spectrum_count}")]
    return "; ".join(own) or f"spectrum {spectrum_count} is not there, or not complete yet"


def _fitted(one: SpectrumFinding, pellet: Mapping[str, Any] | None, leads: Any) -> SpectrumFinding:
    """A cell that cycles has three arcs; what never cycled is a pellet."""
    if pellet is not None:
        return evaluate_pellet([one], pellet, leads)[0][0]
    try:
        return replace(one, fit=fit_circuit(one.spectrum, FULL_CELL_CIRCUIT))
    except (AnalysisError, BadInput) as error:
        return replace(one, problem=str(error))


def _plain(one: SpectrumFinding) -> dict[str, Any]:
    measured, verdict = one.spectrum, check(one.spectrum)
    return {
        "spectrum_count": one.spectrum_count,
        "cycle_count": one.cycle_count,
        "temperature_celsius": one.temperature_celsius,
        "frequency_hertz": measured.frequency_hertz.tolist(),
        **_parts(measured.impedance_ohm),
        "arcs_side_ohm": arcs_side_ohm([one]),
        "kramers_kronig": verdict.to_dict(),
        "fit": None if one.fit is None else one.fit.to_dict() | {"curve": _curve(one, one.fit)},
        "problem": one.problem,
        "flags": [note.to_dict() for note in one.flags],
    }


def _curve(one: SpectrumFinding, fit: CircuitFit) -> dict[str, list[float]]:
    band = one.spectrum.frequency_hertz
    frequency = np.geomspace(band.max(), band.min(), CURVE_POINTS)
    return _parts(np.asarray(fit.impedance(frequency)))


def _parts(impedance_ohm: Any) -> dict[str, list[float]]:
    return {
        "real_impedance_ohm": impedance_ohm.real.tolist(),
        "imaginary_impedance_ohm": impedance_ohm.imag.tolist(),
    }
