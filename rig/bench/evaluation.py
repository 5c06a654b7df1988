"""From a run in the database to what it means: every analysis that its data allow, with flags.

The one place that joins store and analysis; the report, ``rig fit RUN`` and the demo's table of
truths are all made from what comes out here.
"""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from rig.analysis.arrhenius import fit_arrhenius
from rig.analysis.arrhenius_result import ROOM_KELVIN, ZERO_CELSIUS_KELVIN, ArrheniusResult
from rig.analysis.capacitance import Geometry
from rig.analysis.conductivity import conductivity
from rig.analysis.cycles import cycle_table
from rig.analysis.fade import FadeResult, fit_fade
from rig.analysis.flags import ARR_TSAMPLE, FlagNote, flag
from rig.analysis.impedance_fit import CircuitFit, fit_circuit
from rig.analysis.interface import InterfaceSeries, interface_series
from rig.analysis.pellet import (
    Leads,
    PelletResistance,
    SymmetricCell,
    pellet_resistance,
    symmetric_cell,
)
from rig.analysis.spectrum import Spectrum, spectrum
from rig.bench.file import ROLES
from rig.core.errors import AnalysisError, BadInput
from rig.core.units import quantity
from rig.report.findings import (
    Array,
    CyclingFinding,
    PelletFinding,
    Quantity,
    RunFindings,
    SpectrumFinding,
    Traces,
)
from rig.store import queries, tables

# science.md 1.1: 10 um on the thickness (taken under or after load), 0.5 % on the diameter.
THICKNESS_UNCERTAINTY_CENTIMETRE = 0.001
AREA_RELATIVE_UNCERTAINTY = 0.01
# How well a short in place of the cell tells the leads: a tenth, contacts never better than this.
LEADS_RELATIVE_UNCERTAINTY = 0.1
LEADS_LEAST_UNCERTAINTY_OHM = 0.02
# The sample behind the chamber's thermometer, after a soak that ended on a stable impedance
# (0.5 % of |Z|, which is 0.1 K at 0.35 eV) and with the air's own ripple of about as much.
TEMPERATURE_UNCERTAINTY_KELVIN = 0.2
# Separator and leads, three interfaces (cathode, anode, charge transfer), then diffusion.
FULL_CELL_CIRCUIT = "L0-R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)-CPE4"
# A current source's gain drifts, and what a cut-off voltage leaves in a cell changes a little with
# its capacity: 0.02 % of capacity from the first to the last cycle cannot be told from fade.
CAPACITY_DRIFT_RELATIVE = 2e-4
FEWEST_TEMPERATURES = 3
FEWEST_CYCLES = 5
TRACE_POINTS = 4_000

Truth = Mapping[str, float]


def evaluate(engine: Engine, run: queries.RunRecord, truth: Truth | None = None) -> RunFindings:
    """Return everything that this run's data support.

    ``truth`` is what was put into a simulated cell, by the keys of the quantities.
    """
    cell = queries.load_cell(engine, run.values["cell_id"]) or {}
    samples = queries.samples(engine, run.run_id)
    measured = _spectra(engine, run.run_id)
    cycles = queries.table_frame(engine, tables.cycle, run.run_id)
    pellet_quantities: list[Quantity] = []
    cycling_quantities: list[Quantity] = []
    pellet, cycling = None, None
    if cycles.empty and measured:
        measured, pellet, pellet_quantities = _pellet(measured, cell, _leads(run))
    elif not cycles.empty:
        measured = [_fit_full_cell(one) for one in measured]
        cycling, cycling_quantities = _cycling(samples, cycles)
    quantities = [
        _with_truth(one, truth or {}) for one in (*pellet_quantities, *cycling_quantities)
    ]
    return RunFindings(
        **_facts(engine, run, cell, samples),
        traces=_traces(samples),
        spectra=tuple(measured),
        pellet=pellet,
        cycling=cycling,
        quantities=tuple(quantities),
        flags=_all_flags(pellet, cycling),
    )


def _facts(
    engine: Engine, run: queries.RunRecord, cell: Mapping[str, Any], samples: pd.DataFrame
) -> dict[str, Any]:
    values = run.values
    events = queries.table_frame(engine, tables.event, run.run_id)
    bench = values["bench"]
    content = bench.get("content", {})
    connects = [entry.get("connect") for entry in content.get("instruments", {}).values()]
    channel = content.get("channels", {}).get(run.channel, {})
    own = {channel[role] for role in ROLES if role in channel}
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
        "events": tuple(
            zip(events["test_time_second"], events["kind"], events["message"], strict=True)
        ),
    }


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
    pellet: PelletFinding | None, cycling: CyclingFinding | None
) -> tuple[FlagNote, ...]:
    notes: list[FlagNote] = []
    if pellet is not None:
        for fitted in (pellet.arrhenius, pellet.interface_arrhenius):
            notes += fitted.flags if fitted else ()
        notes.append(flag(ARR_TSAMPLE, "chamber temperature used: no thermometer on the sample"))
    if cycling is not None:
        notes += cycling.table.flags
        notes += cycling.fade.flags if cycling.fade else ()
    return tuple(dict.fromkeys(notes))


def _traces(samples: pd.DataFrame) -> Traces:
    """Thin to the extremes of voltage in equal stretches of samples: no spike is lost."""
    volt = samples["voltage_volt"].to_numpy(float)
    kept = _extremes(volt, TRACE_POINTS)
    columns = ("test_time_second", "voltage_volt", "current_ampere", "ambient_temperature_celsius")
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


# --- spectra -------------------------------------------------------------------------------------


def _spectra(engine: Engine, run_id: str) -> list[SpectrumFinding]:
    """Return every complete spectrum, not yet fitted."""
    frame = queries.table_frame(engine, tables.spectrum, run_id)
    points = queries.table_frame(engine, tables.impedance_point, run_id)
    found = []
    for row in frame[frame["complete"].astype(bool)].itertuples():
        own = points[points["spectrum_count"] == row.spectrum_count]
        measured = spectrum(
            own["frequency_hertz"], own["real_impedance_ohm"], own["imaginary_impedance_ohm"]
        )
        celsius = row.ambient_temperature_celsius
        found.append(
            SpectrumFinding(
                int(row.spectrum_count),  # type: ignore[arg-type]
                int(row.cycle_count),  # type: ignore[arg-type]
                math.nan if celsius is None else float(celsius),  # type: ignore[arg-type]
                measured,
                None,
            )
        )
    return found


def _fitted(finding: SpectrumFinding, fit: CircuitFit | None, problem: str = "") -> SpectrumFinding:
    return SpectrumFinding(
        finding.spectrum_count,
        finding.cycle_count,
        finding.temperature_celsius,
        finding.spectrum,
        fit,
        problem,
    )


def _fit_full_cell(finding: SpectrumFinding) -> SpectrumFinding:
    try:
        return _fitted(finding, fit_circuit(finding.spectrum, FULL_CELL_CIRCUIT))
    except AnalysisError as error:
        return _fitted(finding, None, str(error))


# --- pellets -------------------------------------------------------------------------------------


def _pellet(
    measured: list[SpectrumFinding], cell: Mapping[str, Any], leads: Leads | None
) -> tuple[list[SpectrumFinding], PelletFinding | None, list[Quantity]]:
    area, thickness = cell.get("area_square_centimetre"), cell.get("thickness_centimetre")
    if not area or not thickness:
        why = "no conductivity without area and thickness of the cell"
        return [_fitted(one, None, why) for one in measured], None, []
    geometry = Geometry(thickness, area)
    symmetric = cell.get("symmetric")
    if symmetric is None:
        symmetric = not _blocking(measured[0].spectrum)
    answers: list[tuple[SpectrumFinding, PelletResistance | SymmetricCell]] = []
    shown = []
    for one in measured:
        try:
            answer = _resistance(one.spectrum, geometry, leads, symmetric=bool(symmetric))
        except (AnalysisError, BadInput) as error:
            shown.append(_fitted(one, None, str(error)))
            continue
        shown.append(_fitted(one, answer.fit))
        answers.append((shown[-1], answer))
    if len(answers) < FEWEST_TEMPERATURES:
        return shown, None, []
    finding, quantities = _temperature_series(answers, geometry)
    return shown, finding, quantities


def _blocking(measured: Spectrum) -> bool:
    """An ion-blocking electrode ends in a capacitive tail, a lithium electrode on the real axis."""
    lowest = measured.impedance_ohm[int(np.argmin(measured.frequency_hertz))]
    return bool(-lowest.imag > lowest.real)


def _leads(run: queries.RunRecord) -> Leads | None:
    """Return the leads of the run's channel as its bench file knew them, or None."""
    channel = run.values["bench"].get("content", {}).get("channels", {}).get(run.channel, {})
    if "leads" not in channel:
        return None
    ohm = quantity(channel["leads"], "resistance", "leads")
    return Leads(ohm, max(LEADS_LEAST_UNCERTAINTY_OHM, LEADS_RELATIVE_UNCERTAINTY * ohm))


def _resistance(
    measured: Spectrum, geometry: Geometry, leads: Leads | None, *, symmetric: bool
) -> PelletResistance | SymmetricCell:
    if symmetric:
        return symmetric_cell(measured, geometry, leads=leads)
    return pellet_resistance(measured, geometry, leads=leads)


def _temperature_series(
    answers: list[tuple[SpectrumFinding, PelletResistance | SymmetricCell]], geometry: Geometry
) -> tuple[PelletFinding, list[Quantity]]:
    celsius = np.array([finding.temperature_celsius for finding, _ in answers])
    thickness_relative = THICKNESS_UNCERTAINTY_CENTIMETRE / geometry.thickness_centimetre
    rows = [
        conductivity(
            answer.electrolyte.resistance_ohm,
            geometry.thickness_centimetre,
            geometry.area_square_centimetre,
            resistance_relative_uncertainty=(
                answer.electrolyte.standard_error_ohm / answer.electrolyte.resistance_ohm
            ),
        )
        for _, answer in answers
    ]
    sigma = np.array([row.conductivity_siemens_per_centimetre for row in rows])
    relative = np.array([row.relative_uncertainty for row in rows])
    fitted = fit_arrhenius(
        celsius + ZERO_CELSIUS_KELVIN,
        sigma,
        relative,
        temperature_uncertainty_kelvin=TEMPERATURE_UNCERTAINTY_KELVIN,
        common_relative_uncertainty=math.hypot(thickness_relative, AREA_RELATIVE_UNCERTAINTY),
    )
    quantities = _arrhenius_quantities(fitted)
    symmetric = [answer for _, answer in answers if isinstance(answer, SymmetricCell)]
    series, interface_fit = None, None
    if symmetric:
        series = interface_series(celsius.tolist(), [answer.interface for answer in symmetric])
        interface_fit = _interface_arrhenius(series)
    if interface_fit is not None:
        quantities += _interface_quantities(interface_fit)
    electrodes = "symmetric" if symmetric else "blocking"
    finding = PelletFinding(
        electrodes,  # type: ignore[arg-type]
        celsius,
        sigma,
        relative,
        fitted,
        series,
        interface_fit,
    )
    return finding, quantities


def _interface_arrhenius(series: InterfaceSeries) -> ArrheniusResult | None:
    resolved = series.resolved()
    asr = np.array(resolved.area_specific_resistance_ohm_square_centimetre)
    if asr.size < FEWEST_TEMPERATURES:
        return None
    return fit_arrhenius(
        np.array(resolved.temperature_celsius) + ZERO_CELSIUS_KELVIN,
        1.0 / asr,
        np.array(resolved.relative_uncertainty),
        temperature_uncertainty_kelvin=TEMPERATURE_UNCERTAINTY_KELVIN,
        common_relative_uncertainty=AREA_RELATIVE_UNCERTAINTY,
    )


def _arrhenius_quantities(fitted: ArrheniusResult) -> list[Quantity]:
    sigma, relative = fitted.conductivity(ROOM_KELVIN)
    quantities = [
        Quantity(
            "conductivity_25_celsius_siemens_per_centimetre",
            "ionic conductivity at 25 °C",
            sigma,
            sigma * relative,
            "S/cm",
            flags=fitted.flags,
        )
    ]
    energy = _energy(fitted, "activation_energy_electronvolt", "activation energy (ln σT)")
    return [*quantities, *energy]


def _energy(fitted: ArrheniusResult, key: str, title: str) -> list[Quantity]:
    segment = fitted.only_segment
    if segment is None:
        return []
    error = segment.activation_energy_standard_error_electronvolt
    # Where the scatter is larger than the errors that were given, believe the scatter.
    error *= math.sqrt(max(1.0, fitted.reduced_chi_squared))
    return [
        Quantity(
            key, title, segment.activation_energy_electronvolt, error, "eV", flags=fitted.flags
        )
    ]


def _interface_quantities(fitted: ArrheniusResult) -> list[Quantity]:
    conductance, relative = fitted.conductivity(ROOM_KELVIN)
    asr = Quantity(
        "area_specific_resistance_ohm_square_centimetre",
        "interface resistance at 25 °C, per interface",
        1.0 / conductance,
        relative / conductance,
        "Ω cm²",
        flags=fitted.flags,
    )
    key, title = (
        "interface_activation_energy_electronvolt",
        "activation energy of the interface (ln T/ASR)",
    )
    return [asr, *_energy(fitted, key, title)]


# --- cycling -------------------------------------------------------------------------------------


def _cycling(
    samples: pd.DataFrame, cycles: pd.DataFrame
) -> tuple[CyclingFinding | None, list[Quantity]]:
    counted = samples[samples["cycle_count"] > 0]
    if counted.empty:
        return None, []
    table = cycle_table(counted)
    formation = frozenset(int(n) for n in cycles.loc[cycles["phase"] == "formation", "cycle_count"])
    ended = {int(n) for n in cycles["cycle_count"]}
    numbers = table.column("cycle_count")
    ageing = np.array([int(n) in ended and int(n) not in formation for n in numbers])
    capacity = table.column("discharging_capacity_ah")
    fade = None
    if int(ageing.sum()) >= FEWEST_CYCLES:
        fade = fit_fade(numbers[ageing], capacity[ageing])
    finding = CyclingFinding(table, formation, fade)
    if fade is None:
        return finding, []
    return finding, _fade_quantities(fade, float(np.ptp(numbers[ageing])))


def _fade_quantities(fade: FadeResult, cycles: float) -> list[Quantity]:
    alpha = fade.to_dict()
    value, error = alpha["alpha_per_cycle"], alpha["alpha_standard_error_per_cycle"]
    assert isinstance(value, float)
    assert isinstance(error, float)
    error = math.hypot(error, CAPACITY_DRIFT_RELATIVE / cycles)
    # Correlated residuals leave fewer independent points than cycles.
    effective = max(2.0, fade.n / fade.inflation**2 - 2.0)
    return [
        Quantity(
            "alpha_per_cycle",
            "capacity fade (exponential)",
            value,
            error,
            "1/cycle",
            effective,
        )
    ]
