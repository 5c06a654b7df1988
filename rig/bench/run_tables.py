"""A run of the database as the table that ``rig fit`` would otherwise read from a file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from rig.bench.evaluation import evaluate
from rig.bench.pellet_evaluation import AREA_RELATIVE_UNCERTAINTY
from rig.core.errors import BadInput, Problem
from rig.report.findings import PelletFinding, RunFindings
from rig.store import queries
from rig.store.samples import sample_frame


def run_table(engine: Engine, run: queries.RunRecord, fit: str) -> pd.DataFrame:
    """Return the columns that this fit takes; the cell's ``area`` and ``thickness`` are in ``attrs``.

    Raises BadInput when the run holds no such data.
    """
    make = _TABLES.get(fit)
    if make is None:
        message = f"rig fit {fit} takes a file; runs can be fitted with: {', '.join(_TABLES)}"
        raise BadInput(Problem(f"run {run.run_id[:12]}", message))
    frame = make(engine, run)
    if frame is None or frame.empty:
        message = f"protocol {run.protocol_name!r} left no data for rig fit {fit} ({run.state})"
        raise BadInput(Problem(f"run {run.run_id[:12]}", message))
    cell = queries.load_cell(engine, run.values["cell_id"]) or {}
    if cell.get("area_square_centimetre"):
        frame.attrs["area"] = f"{cell['area_square_centimetre']} cm^2"
    if cell.get("thickness_centimetre"):
        frame.attrs["thickness"] = f"{cell['thickness_centimetre']} cm"
    return frame


def _pellet(engine: Engine, run: queries.RunRecord) -> tuple[RunFindings, PelletFinding | None]:
    findings = evaluate(engine, run)
    return findings, findings.pellet


def _arrhenius(engine: Engine, run: queries.RunRecord) -> pd.DataFrame | None:
    _, pellet = _pellet(engine, run)
    if pellet is None:
        return None
    whose = "surface" if pellet.of_sample else "ambient"
    frame = pd.DataFrame(
        {
            f"{whose}_temperature_celsius": pellet.temperature_celsius,
            "conductivity_siemens_per_centimetre": pellet.conductivity_siemens_per_centimetre,
            "relative_uncertainty": pellet.relative_uncertainty,
        }
    )
    # What the rig knows of its own doubts; a command-line option wins.
    frame.attrs["temperature_uncertainty"] = f"{pellet.temperature_uncertainty_kelvin} K"
    frame.attrs["area_uncertainty"] = f"{100 * AREA_RELATIVE_UNCERTAINTY} %"
    return frame


def _conductivity(engine: Engine, run: queries.RunRecord) -> pd.DataFrame | None:
    findings, pellet = _pellet(engine, run)
    if pellet is None:
        return None
    thickness, area = (
        findings.cell[key] for key in ("thickness_centimetre", "area_square_centimetre")
    )
    return pd.DataFrame(
        {
            "temperature_celsius": pellet.temperature_celsius,
            "resistance_ohm": thickness / (pellet.conductivity_siemens_per_centimetre * area),
            "relative_uncertainty": pellet.relative_uncertainty,
        }
    )


def _interface(engine: Engine, run: queries.RunRecord) -> pd.DataFrame | None:
    findings, pellet = _pellet(engine, run)
    if pellet is None or pellet.interfaces is None:
        return None
    area = findings.cell["area_square_centimetre"]
    series = pellet.interfaces
    asr = np.array(series.area_specific_resistance_ohm_square_centimetre)
    both = 2.0 * asr / area  # two interfaces in series
    return pd.DataFrame(
        {
            "temperature_celsius": series.temperature_celsius,
            "interfaces_resistance_ohm": both,
            "interfaces_standard_error_ohm": both * np.array(series.relative_uncertainty),
        }
    )


def _newest_spectrum(engine: Engine, run: queries.RunRecord) -> pd.DataFrame | None:
    findings = evaluate(engine, run)
    if not findings.spectra:
        return None
    newest = findings.spectra[-1]
    return pd.DataFrame(
        {
            "frequency_hertz": newest.spectrum.frequency_hertz,
            "real_impedance_ohm": newest.spectrum.impedance_ohm.real,
            "imaginary_impedance_ohm": newest.spectrum.impedance_ohm.imag,
        }
    )


def _fade(engine: Engine, run: queries.RunRecord) -> pd.DataFrame | None:
    cycling = evaluate(engine, run).cycling
    if cycling is None:
        return None
    ageing = [
        (cycle.cycle_count, cycle.discharging_capacity_ah)
        for cycle in cycling.table.cycles
        if cycle.cycle_count not in cycling.formation_cycles
    ]
    return pd.DataFrame(ageing, columns=["cycle_count", "discharging_capacity_ah"])


def _cycles(engine: Engine, run: queries.RunRecord) -> pd.DataFrame:
    samples = cycling_samples(engine, run)
    return samples[samples["cycle_count"] > 0]


def cycling_samples(engine: Engine, run: queries.RunRecord) -> pd.DataFrame:
    """Return a run's samples, without counters that were no instrument's but integrated at import."""
    samples = sample_frame(engine, run.run_id)
    origin = run.values["origin"] or {}
    unreal = [
        f"{flow}_{column}"
        for source, column in (("capacities", "capacity_ah"), ("energies", "energy_wh"))
        if origin.get(source) == "integrated"
        for flow in ("charging", "discharging")
    ]
    return samples.drop(columns=unreal)


_TABLES: dict[str, Callable[[Engine, queries.RunRecord], pd.DataFrame | None]] = {
    "arrhenius": _arrhenius,
    "conductivity": _conductivity,
    "interface": _interface,
    "eis": _newest_spectrum,
    "fade": _fade,
    "cycles": _cycles,
}
