"""From one spectrum of a pellet to its ionic resistance, and to that of its interfaces.

Which arcs a window shows depends on temperature: cold, grain boundaries and bulk come in; hot, all
leave at the fast end and only an intercept remains. So a family of circuits is fitted, from simple
to rich, and the answer is their Akaike-weighted mean: where the data cannot tell two circuits
apart the uncertainty contains the difference between their answers.

The chain's inductance is what the leads add to first order. Everything faster than the window is
counted into the electrolyte. Knows no temperature, no file, no database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rig.analysis.arcs import Arc, arcs, resistor_names
from rig.analysis.capacitance import AMBIGUOUS, INTERFACE, REACTION, Geometry, assign
from rig.analysis.circuit_family import Candidate, CircuitFamily, Estimate, fit_families
from rig.analysis.flags import EIS_ASSIGN, EIS_CORR, EIS_UNDET, FlagNote, flag
from rig.analysis.impedance_fit import CircuitFit
from rig.analysis.interface import InterfaceResistance, interface_resistance
from rig.analysis.spectrum import Spectrum

BLOCKING_CIRCUITS = (
    "R0-CPE0",
    "p(R1,CPE1)-CPE0",
    "R0-p(R1,CPE1)-CPE0",
    "p(R1,C1)-p(R2,CPE2)-CPE0",
)
SYMMETRIC_CIRCUITS = (
    "R0-p(R1,CPE1)",
    "p(R1,CPE1)-p(R2,CPE2)",
    "R0-p(R1,CPE1)-p(R2,CPE2)",
    "p(R1,C1)-p(R2,CPE2)-p(R3,CPE3)",
)
# A blocking electrode is a CPE near the knee only; decades into the tail it bends, and those points,
# dozens of times the resistance we want, would bend the answer.
DEEPEST_TAIL = 30.0
LEADS_MATTER_OHM = 20.0  # below, uncorrected leads of 0.1 to 1 ohm decide the answer
LEADS_MATTER_HERTZ = 1.01e6  # 1 MHz as instruments set it


@dataclass(frozen=True, slots=True)
class Leads:
    """Series resistance of leads and contacts, known from a short-circuit measurement, in ohm."""

    resistance_ohm: float = 0.0
    standard_error_ohm: float = 0.0


@dataclass(frozen=True, slots=True)
class PelletResistance:
    """Ionic resistance between blocking electrodes: bulk and grain boundaries together.

    ``electrolyte_resistors`` and ``left_out_resistors`` are those of ``fit``, the likeliest circuit.
    """

    electrolyte: Estimate
    fit: CircuitFit
    electrolyte_resistors: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    flags: tuple[FlagNote, ...]

    @property
    def left_out_resistors(self) -> tuple[str, ...]:
        taken = self.electrolyte_resistors
        return tuple(name for name in resistor_names(self.fit.circuit) if name not in taken)

    def to_dict(self) -> dict[str, object]:
        return {**_resistances(electrolyte=self.electrolyte), **_common(self)}


@dataclass(frozen=True, slots=True)
class SymmetricCell:
    """Electrode | electrolyte | electrode: ``interfaces`` is both in series, ``interface`` is one."""

    electrolyte: Estimate
    interfaces: Estimate
    total: Estimate
    interface: InterfaceResistance
    fit: CircuitFit
    candidates: tuple[Candidate, ...]
    flags: tuple[FlagNote, ...]

    def to_dict(self) -> dict[str, object]:
        parts = _resistances(
            electrolyte=self.electrolyte, interfaces=self.interfaces, total=self.total
        )
        return {**self.interface.to_dict(), **parts, **_common(self)}


def _resistances(**estimates: Estimate) -> dict[str, object]:
    columns: dict[str, object] = {}
    for name, estimate in estimates.items():
        columns[f"{name}_resistance_ohm"] = estimate.resistance_ohm
        columns[f"{name}_standard_error_ohm"] = estimate.standard_error_ohm
    return columns


def _common(result: PelletResistance | SymmetricCell) -> dict[str, object]:
    return {
        "fit": result.fit.to_dict(),
        "candidates": [one.to_dict() for one in result.candidates],
        "flags": [note.to_dict() for note in result.flags],
    }


def pellet_resistance(
    spectrum: Spectrum,
    geometry: Geometry | None = None,
    *,
    inductance: bool = True,
    leads: Leads | None = None,
) -> PelletResistance:
    """Return the ionic resistance of a pellet between ion-blocking electrodes.

    Series resistors and arcs of bulk and grain boundary count; an arc with an interface's
    capacitance does not. Points deep in the blocking tail are not used. ``leads`` are subtracted;
    without them the result is flagged where they matter. The uncertainty of the geometry is not in
    it: that is common to all temperatures.
    """
    return pellet_resistances([spectrum], geometry, inductance=inductance, leads=leads)[0]


def pellet_resistances(
    spectra: Sequence[Spectrum],
    geometry: Geometry | None = None,
    *,
    inductance: bool = True,
    leads: Leads | None = None,
) -> list[PelletResistance]:
    """Return ``pellet_resistance`` for a series of spectra, in its order: arcs keep their labels."""
    near_knee = [one.below(DEEPEST_TAIL * float(one.modulus_ohm.min())) for one in spectra]
    families = fit_families(near_knee, BLOCKING_CIRCUITS, geometry, inductance)
    return [
        _pellet(spectrum, family, geometry, leads)
        for spectrum, family in zip(spectra, families, strict=True)
    ]


def _pellet(
    spectrum: Spectrum, family: CircuitFamily, geometry: Geometry | None, leads: Leads | None
) -> PelletResistance:
    electrolyte = family.estimate(lambda fit: _electrolyte_names(fit, geometry, ()))
    electrolyte = _without_leads(electrolyte, leads)
    flags = (
        *_flags(family.best),
        *_undetermined_flags(electrolyte),
        *_lead_flags(spectrum, electrolyte, leads),
    )
    taken = _electrolyte_names(family.best, geometry, ())
    return PelletResistance(electrolyte, family.best, taken, family.candidates, flags)


def symmetric_cell(
    spectrum: Spectrum,
    geometry: Geometry,
    *,
    inductance: bool = True,
    leads: Leads | None = None,
    area_relative_uncertainty: float = 0.0,
) -> SymmetricCell:
    """Return electrolyte and interface resistance of a cell with two like, non-blocking electrodes.

    The slowest arc is the interfaces', with every other arc of an interface's capacitance; the rest
    is electrolyte. When the slowest arc has no interface's capacitance the result says so.
    """
    return symmetric_cells(
        [spectrum],
        geometry,
        inductance=inductance,
        leads=leads,
        area_relative_uncertainty=area_relative_uncertainty,
    )[0]


def symmetric_cells(
    spectra: Sequence[Spectrum],
    geometry: Geometry,
    *,
    inductance: bool = True,
    leads: Leads | None = None,
    area_relative_uncertainty: float = 0.0,
) -> list[SymmetricCell]:
    """Return ``symmetric_cell`` for a series of spectra, in its order: arcs keep their labels."""
    families = fit_families(spectra, SYMMETRIC_CIRCUITS, geometry, inductance)
    return [
        _symmetric(spectrum, family, geometry, leads, area_relative_uncertainty)
        for spectrum, family in zip(spectra, families, strict=True)
    ]


def _symmetric(
    spectrum: Spectrum,
    family: CircuitFamily,
    geometry: Geometry,
    leads: Leads | None,
    area_relative_uncertainty: float,
) -> SymmetricCell:
    electrolyte = family.estimate(lambda fit: _electrolyte_names(fit, geometry, _slowest(fit)))
    electrolyte = _without_leads(electrolyte, leads)
    interfaces = family.estimate(lambda fit: _interface_names(fit, geometry))
    interface = interface_resistance(
        interfaces.resistance_ohm,
        interfaces.standard_error_ohm,
        geometry.area_square_centimetre,
        area_relative_uncertainty=area_relative_uncertainty,
    )
    flags = (
        *_flags(family.best),
        *_lead_flags(spectrum, electrolyte, leads),
        *_slowest_flags(family.best, geometry),
        *interface.flags,
    )
    total = _without_leads(family.estimate(lambda fit: resistor_names(fit.circuit)), leads)
    return SymmetricCell(
        electrolyte, interfaces, total, interface, family.best, family.candidates, flags
    )


def _slowest(fit: CircuitFit) -> tuple[str, ...]:
    def time_constant(arc: Arc) -> float:
        return float(
            fit.values[arc.resistor_at] * fit.effective_capacitance_farad[arc.storage.name]
        )

    return (max(arcs(fit.circuit), key=time_constant).resistor.name,)


def _of_interface(fit: CircuitFit, geometry: Geometry | None) -> set[str]:
    """Return the resistors of arcs whose capacitance only an interface or electrode has."""
    processes = assign(fit.effective_capacitance_farad, geometry)
    return {
        arc.resistor.name
        for arc in arcs(fit.circuit)
        if processes[arc.storage.name] in {INTERFACE, REACTION}
    }


def _electrolyte_names(
    fit: CircuitFit, geometry: Geometry | None, but: Sequence[str]
) -> tuple[str, ...]:
    left_out = _of_interface(fit, geometry) | set(but)
    return tuple(name for name in resistor_names(fit.circuit) if name not in left_out)


def _interface_names(fit: CircuitFit, geometry: Geometry) -> tuple[str, ...]:
    return tuple(_of_interface(fit, geometry) | set(_slowest(fit)))


def _without_leads(estimate: Estimate, leads: Leads | None) -> Estimate:
    if leads is None:
        return estimate
    return Estimate(
        estimate.resistance_ohm - leads.resistance_ohm,
        float(np.hypot(estimate.standard_error_ohm, leads.standard_error_ohm)),
    )


def _flags(fit: CircuitFit) -> tuple[FlagNote, ...]:
    """Return the fit's flags without those on single elements: their sums are the answer."""
    return tuple(note for note in fit.flags if note.code not in {EIS_UNDET, EIS_ASSIGN})


def _undetermined_flags(electrolyte: Estimate) -> list[FlagNote]:
    if electrolyte.determined:
        return []
    return [flag(EIS_UNDET, "the electrolyte's resistance is not determined")]


def _lead_flags(spectrum: Spectrum, electrolyte: Estimate, leads: Leads | None) -> list[FlagNote]:
    if leads is not None:
        return []
    reasons = []
    if electrolyte.determined and electrolyte.resistance_ohm < LEADS_MATTER_OHM:
        reasons.append(f"{electrolyte.resistance_ohm:.3g} ohm is below {LEADS_MATTER_OHM:g} ohm")
    if (highest := float(spectrum.frequency_hertz.max())) > LEADS_MATTER_HERTZ:
        reasons.append(f"{highest:.3g} Hz is above {LEADS_MATTER_HERTZ:g} Hz")
    if not reasons:
        return []
    return [flag(EIS_CORR, f"{' and '.join(reasons)}, and no leads were subtracted")]


def _slowest_flags(fit: CircuitFit, geometry: Geometry) -> list[FlagNote]:
    slowest = _slowest(fit)[0]
    storage = next(a.storage.name for a in arcs(fit.circuit) if a.resistor.name == slowest)
    process = assign(fit.effective_capacitance_farad, geometry)[storage]
    if process in {INTERFACE, REACTION}:
        return []
    doubt = "could also be grain boundary" if process == AMBIGUOUS else f"looks like {process}"
    return [flag(EIS_ASSIGN, f"{slowest} is taken for the interface, but {doubt}")]
