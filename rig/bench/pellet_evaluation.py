"""A pellet's spectra at several temperatures: conductivity, activation energy, interfaces.

What is known of geometry, leads and sample temperature goes into the uncertainties here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rig.analysis.arrhenius import Model, fit_arrhenius
from rig.analysis.arrhenius_result import ZERO_CELSIUS_KELVIN, ArrheniusResult, Convention
from rig.analysis.capacitance import Geometry
from rig.analysis.conductivity import conductivity
from rig.analysis.interface import InterfaceSeries, interface_series
from rig.analysis.pellet import (
    Leads,
    PelletResistance,
    SymmetricCell,
    pellet_resistances,
    symmetric_cells,
)
from rig.analysis.spectrum import Spectrum
from rig.bench.pellet_quantities import arrhenius_quantities, interface_quantities
from rig.bench.spectra import undescribed, with_fit
from rig.core.errors import AnalysisError, BadInput
from rig.core.units import quantity
from rig.report.findings import Array, PelletFinding, Quantity, SpectrumFinding
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
# A sensor on the sample, of one reading against the next: noise, and the gradient to where it sits.
# What all its readings have in common moves no activation energy (1 K at 300 K: 0.7 %).
SAMPLE_TEMPERATURE_UNCERTAINTY_KELVIN = 0.1
FEWEST_TEMPERATURES = 3


@dataclass(frozen=True, slots=True)
class ConductivityPoint:
    """What one spectrum adds to the series: conductivity in S/cm, its uncertainty without geometry."""

    spectrum_count: int
    celsius: float
    answer: PelletResistance | SymmetricCell
    conductivity_siemens_per_centimetre: float
    relative_uncertainty: float
    of_sample: bool = False
    span_kelvin: float = math.nan


def evaluate_pellet(
    measured: list[SpectrumFinding], cell: Mapping[str, Any], leads: Leads | None
) -> tuple[list[SpectrumFinding], PelletFinding | None, list[Quantity]]:
    """Return the spectra with their fits, the temperature series, and the quantities it gives.

    A spectrum that gives no conductivity says why and is left out; below three of them there is
    no series.
    """
    shown, points, geometry = conductivity_points(measured, cell, leads)
    if geometry is None or len(points) < FEWEST_TEMPERATURES:
        return shown, None, []
    finding, quantities = temperature_series(points, geometry)
    return shown, finding, quantities


def conductivity_points(
    measured: list[SpectrumFinding], cell: Mapping[str, Any], leads: Leads | None
) -> tuple[list[SpectrumFinding], list[ConductivityPoint], Geometry | None]:
    """Return the spectra with their fits, or why there is none, and the points of those that give one.

    Without area and thickness in the cell's record there are no points and no geometry.
    """
    area, thickness = cell.get("area_square_centimetre"), cell.get("thickness_centimetre")
    if not area or not thickness:
        why = "no conductivity without area and thickness of the cell"
        return [replace(one, problem=why) for one in measured], [], None
    geometry = Geometry(thickness, area)
    symmetric = cell.get("symmetric")
    if symmetric is None:
        symmetric = not _blocking(measured[0].spectrum)
    points: list[ConductivityPoint] = []
    shown = []
    for one, answer in zip(
        measured, _resistances(measured, geometry, leads, symmetric=bool(symmetric)), strict=True
    ):
        try:
            if isinstance(answer, AnalysisError | BadInput):
                raise answer
            fitted = with_fit(one, answer.fit)
            if why := undescribed(fitted):
                raise AnalysisError(why)
            points.append(_point(one, answer, geometry))
        except (AnalysisError, BadInput) as error:
            shown.append(replace(one, problem=str(error)))
        else:
            shown.append(fitted)
    return shown, points, geometry


def _blocking(measured: Spectrum) -> bool:
    """An ion-blocking electrode ends in a capacitive tail, a lithium electrode on the real axis."""
    lowest = measured.impedance_ohm[int(np.argmin(measured.frequency_hertz))]
    return bool(-lowest.imag > lowest.real)


def leads_of(run: queries.RunRecord) -> Leads | None:
    """Return the leads of the run's channel as its bench file knew them, or None."""
    channel = run.values["bench"].get("content", {}).get("channels", {}).get(run.channel, {})
    if "short" in channel.get("correction", {}):  # taken away point by point; contacts remain
        return Leads(0.0, LEADS_LEAST_UNCERTAINTY_OHM)
    if "leads" not in channel:
        return None
    ohm = quantity(channel["leads"], "resistance", "leads")
    return Leads(ohm, max(LEADS_LEAST_UNCERTAINTY_OHM, LEADS_RELATIVE_UNCERTAINTY * ohm))


def _resistances(
    measured: list[SpectrumFinding], geometry: Geometry, leads: Leads | None, *, symmetric: bool
) -> list[PelletResistance | SymmetricCell | AnalysisError | BadInput]:
    """Return the answer of each spectrum, or why there is none.

    Fitted as one series from cold to hot, so that arcs keep their labels; where one of them cannot
    be fitted, each by itself.
    """
    order = np.argsort([one.temperature_celsius for one in measured], kind="stable").tolist()
    spectra = [measured[i].spectrum for i in order]
    try:
        found = _answers(spectra, geometry, leads, symmetric=symmetric)
    except (AnalysisError, BadInput):
        return [_answer(one.spectrum, geometry, leads, symmetric=symmetric) for one in measured]
    return [found[order.index(i)] for i in range(len(measured))]


def _answers(
    spectra: list[Spectrum], geometry: Geometry, leads: Leads | None, *, symmetric: bool
) -> Sequence[PelletResistance | SymmetricCell]:
    if symmetric:
        return symmetric_cells(spectra, geometry, leads=leads)
    return pellet_resistances(spectra, geometry, leads=leads)


def _answer(
    measured: Spectrum, geometry: Geometry, leads: Leads | None, *, symmetric: bool
) -> PelletResistance | SymmetricCell | AnalysisError | BadInput:
    try:
        return _answers([measured], geometry, leads, symmetric=symmetric)[0]
    except (AnalysisError, BadInput) as error:
        return error


def _point(
    measured: SpectrumFinding, answer: PelletResistance | SymmetricCell, geometry: Geometry
) -> ConductivityPoint:
    """Return what goes into the series; raises AnalysisError or BadInput where nothing can."""
    celsius = measured.temperature_celsius
    ohm, error_ohm = answer.electrolyte.resistance_ohm, answer.electrolyte.standard_error_ohm
    if not math.isfinite(celsius):
        raise AnalysisError("no temperature was recorded with this spectrum")
    if ohm <= 0 or not math.isfinite(error_ohm):
        raise AnalysisError(
            f"got {ohm:.3g} ± {error_ohm:.2g} ohm of electrolyte after leads and contacts, "
            "expected more than zero"
        )
    row = conductivity(
        ohm,
        geometry.thickness_centimetre,
        geometry.area_square_centimetre,
        resistance_relative_uncertainty=error_ohm / ohm,
    )
    sigma = row.conductivity_siemens_per_centimetre
    where = measured.of_sample, measured.temperature_span_kelvin
    count = measured.spectrum_count
    return ConductivityPoint(count, celsius, answer, sigma, row.relative_uncertainty, *where)


def _temperature_uncertainty_kelvin(points: list[ConductivityPoint]) -> float:
    """Return that of one temperature against the others: the sensor's, and what moved meanwhile."""
    if not all(point.of_sample for point in points):
        return TEMPERATURE_UNCERTAINTY_KELVIN
    moved = max((point.span_kelvin for point in points), default=0.0) / math.sqrt(12.0)
    return math.hypot(SAMPLE_TEMPERATURE_UNCERTAINTY_KELVIN, moved)


def temperature_series(
    points: list[ConductivityPoint],
    geometry: Geometry,
    convention: Convention = Convention.LN_SIGMA_T,
    model: Model = "auto",
) -> tuple[PelletFinding, list[Quantity]]:
    """Return the series of these points, with the law that they support, and the quantities it gives."""
    celsius = np.array([point.celsius for point in points])
    sigma = np.array([point.conductivity_siemens_per_centimetre for point in points])
    relative = np.array([point.relative_uncertainty for point in points])
    thickness_relative = THICKNESS_UNCERTAINTY_CENTIMETRE / geometry.thickness_centimetre
    law = _Law(
        math.hypot(thickness_relative, AREA_RELATIVE_UNCERTAINTY),
        _temperature_uncertainty_kelvin(points),
        convention,
        model,
    )
    fitted = law.fit(celsius, sigma, relative)
    quantities = arrhenius_quantities(fitted) if fitted is not None else []
    answers = [point.answer for point in points]
    symmetric = [answer for answer in answers if isinstance(answer, SymmetricCell)]
    series, interface_fit = None, None
    if symmetric:
        series = interface_series(celsius.tolist(), [answer.interface for answer in symmetric])
        interface_fit = _interface_arrhenius(series, law)
    if interface_fit is not None:
        quantities += interface_quantities(interface_fit)
    finding = PelletFinding(
        "symmetric" if symmetric else "blocking",
        celsius,
        sigma,
        relative,
        fitted,
        series,
        interface_fit,
        all(point.of_sample for point in points),
        law.temperature_uncertainty_kelvin,
    )
    return finding, quantities


@dataclass(frozen=True, slots=True)
class _Law:
    """How a series is fitted, and what all its points have in common."""

    common_relative_uncertainty: float
    temperature_uncertainty_kelvin: float
    convention: Convention
    model: Model

    def fit(self, celsius: Array, conducting: Array, relative: Array) -> ArrheniusResult | None:
        """Return the law of a conductivity or conductance, or None where the data support none."""
        try:
            return fit_arrhenius(
                celsius + ZERO_CELSIUS_KELVIN,
                conducting,
                relative,
                convention=self.convention,
                temperature_uncertainty_kelvin=self.temperature_uncertainty_kelvin,
                common_relative_uncertainty=self.common_relative_uncertainty,
                model=self.model,
            )
        except (AnalysisError, BadInput):
            return (
                None  # three spectra at one temperature, say; the report tells that there is no law
            )


def _interface_arrhenius(series: InterfaceSeries, law: _Law) -> ArrheniusResult | None:
    resolved = series.resolved()
    asr = np.array(resolved.area_specific_resistance_ohm_square_centimetre)
    if asr.size < FEWEST_TEMPERATURES:
        return None
    own = replace(law, common_relative_uncertainty=AREA_RELATIVE_UNCERTAINTY)
    celsius, relative = np.array(resolved.temperature_celsius), resolved.relative_uncertainty
    return own.fit(celsius, 1.0 / asr, np.array(relative))
