"""A run's spectra fitted with a circuit that somebody has chosen, instead of the usual one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from rig.analysis.impedance_fit import fit_circuit
from rig.bench.pellet_evaluation import leads_of
from rig.bench.spectra import load_spectra, with_fit
from rig.core.errors import AnalysisError, BadInput
from rig.report.findings import SpectrumFinding
from rig.store import queries


def spectra_with_circuit(
    engine: Engine, run: queries.RunRecord, settings: Mapping[str, Any]
) -> list[SpectrumFinding]:
    """Return a run's complete spectra, or the one whose number is set, each with its fit.

    ``settings`` are those of analysis_settings for ``eis``, read. One that cannot be fitted says
    why. One that was measured again is left out unless it is the one that is named.
    """
    wanted = settings.get("spectrum")
    found, _ = load_spectra(
        engine,
        run.run_id,
        leads_known=leads_of(run) is not None,
        with_repeated=wanted is not None,
    )
    chosen = [one for one in found if wanted in (None, one.spectrum_count)]
    return [_fitted(one, settings) for one in chosen]


def _fitted(one: SpectrumFinding, settings: Mapping[str, Any]) -> SpectrumFinding:
    try:
        fit = fit_circuit(
            one.spectrum, settings["circuit"], weights=settings.get("weights", "modulus")
        )
    except (AnalysisError, BadInput) as error:
        return replace(one, problem=str(error))
    return with_fit(replace(one, flags=(*one.flags, *fit.flags)), fit)
