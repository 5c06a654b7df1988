"""A pellet's spectra at several temperatures: conductivity, activation energy, interfaces.

What is known of geometry, leads and sample temperature goes into the uncertainties here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rig.analysis.arrhenius import fit_arrhenius
from rig.analysis.arrhenius_result import ROOM_KELVIN, ZERO_CELSIUS_KELVIN, ArrheniusResult
from rig.analysis.capacitance import Geometry
from rig.analysis.conductivity import conductivity
from rig.analysis.interface import InterfaceSeries, interface_series
from rig.analysis.pellet import (
    Leads,
    PelletResistance,
    SymmetricCell,
    pellet_resistance,
    symmetric_cell,
)
from rig.analysis.spectrum import Spectrum
from rig.core.errors import AnalysisError, BadInput
from rig.core.units import quantity
from rig.report.findings import (
    PelletFinding,
    Quantity,
    SpectrumFinding,
)
from rig.store import queries

# science.md 1.1: 10 um on the thickness (taken under or after load), 0.5 % on the diameter.
THICKNESS_UNCERTAINTY_CENTIMETRE = 0.001
AREA_RELATIVE_UNCERTAINTY = 0.01
# How well a short in place of the cell tells the leads: a tenth, contacts never better than this.
LEADS_RELATIVE_UNCERTAINTY = 0.1
LEADS_LEAST_UNCERTAINTY_OHM = 0.02
# The sample behind the chamber's thermometer, after a soak that ended on a stable impedance
# (0.5 % of |Z|, which is 0.1 K at 0.35 eV) and with the air's own ripple of about as much.
TEMPERATURE_UNCERTAINTY_KELVIN = 0.2
FEWEST_TEMPERATURES = 3


def evaluate_pellet(
    measured: list[SpectrumFinding], cell: Mapping[str, Any], leads: Leads | None
) -> tuple[list[SpectrumFinding], PelletFinding | None, list[Quantity]]:
    """Return the spectra with their fits, the temperature series, and the quantities it gives.

    A spectrum that cannot be fitted says why and is left out; below three temperatures there is
    no series.
    """
    area, thickness = cell.get("area_square_centimetre"), cell.get("thickness_centimetre")
    if not area or not thickness:
        why = "no conductivity without area and thickness of the cell"
        return [replace(one, problem=why) for one in measured], None, []
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
            shown.append(replace(one, problem=str(error)))
            continue
        shown.append(replace(one, fit=answer.fit))
        answers.append((shown[-1], answer))
    if len(answers) < FEWEST_TEMPERATURES:
        return shown, None, []
    finding, quantities = _temperature_series(answers, geometry)
    return shown, finding, quantities


def _blocking(measured: Spectrum) -> bool:
    """An ion-blocking electrode ends in a capacitive tail, a lithium electrode on the real axis."""
    lowest = measured.impedance_ohm[int(np.argmin(measured.frequency_hertz))]
    return bool(-lowest.imag > lowest.real)


def leads_of(run: queries.RunRecord) -> Leads | None:
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
