"""From a fitted circuit and a sample's geometry to conductivity and resistance of an interface.

Which resistor belongs to what is decided by effective capacitances (``capacitance.assign``): arcs of
interfaces and electrode reactions are interfaces, all other resistors in the chain are electrolyte.
Covariances are carried. Knows no spectrum and no file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.analysis.arcs import arcs, resistor_names
from rig.analysis.capacitance import INTERFACE, REACTION, Geometry
from rig.analysis.impedance_result import UNDETERMINED, CircuitFit
from rig.analysis.interface import InterfaceResistance, interface_resistance

Resistance = tuple[float, float]  # ohm and its standard error


@dataclass(frozen=True, slots=True)
class Sample:
    """Geometry with relative standard uncertainties; ``symmetric``: two like interfaces in series."""

    geometry: Geometry
    symmetric: bool = False
    thickness_relative_uncertainty: float = 0.0
    area_relative_uncertainty: float = 0.0

    def conductivity(self, resistance: Resistance) -> tuple[float | None, float | None]:
        """Return L / (R A) in S/cm with its standard error; None where R is not determined."""
        ohm, error = resistance
        if not (ohm > 0 and error <= UNDETERMINED * ohm):
            return None, None
        cell = self.geometry
        value = cell.thickness_centimetre / (ohm * cell.area_square_centimetre)
        shares = (error / ohm, self.thickness_relative_uncertainty, self.area_relative_uncertainty)
        return value, value * math.hypot(*shares)

    def interface(self, resistance: Resistance) -> InterfaceResistance:
        """Return the resistance of one interface, ohm cm2."""
        return interface_resistance(
            *resistance,
            self.geometry.area_square_centimetre,
            symmetric=self.symmetric,
            area_relative_uncertainty=self.area_relative_uncertainty,
        )


def cell_quantities(
    fit: CircuitFit, sample: Sample, electrolyte: Resistance | None = None
) -> dict[str, object]:
    """Return what the fit says of the material: keys with units, None where it says nothing.

    ``electrolyte`` where something better than this circuit's own is known, such as a family's.
    An interface below twice its error has an upper limit and no value. Errors include geometry.
    """
    at_interfaces = interface_resistors(fit)
    inside = [name for name in resistor_names(fit.circuit) if name not in at_interfaces]
    if electrolyte is None and inside:
        electrolyte = fit.sum_of(inside)
    value, error = (None, None) if electrolyte is None else sample.conductivity(electrolyte)
    found = {name: sample.interface(fit.sum_of([name])) for name in at_interfaces}
    return {
        "conductivity_siemens_per_centimetre": value,
        "conductivity_standard_error_siemens_per_centimetre": error,
        "electrolyte_resistors": inside,
        "area_specific_resistance_ohm_square_centimetre": {
            name: one.area_specific_resistance_ohm_square_centimetre if one.resolved else None
            for name, one in found.items()
        },
        "area_specific_resistance_standard_error_ohm_square_centimetre": {
            name: one.combined_standard_error_ohm_square_centimetre for name, one in found.items()
        },
        "area_specific_resistance_upper_limit_ohm_square_centimetre": {
            name: one.upper_limit_ohm_square_centimetre for name, one in found.items()
        },
        "interfaces": 2 if sample.symmetric else 1,
    }


def interface_resistors(fit: CircuitFit) -> list[str]:
    """Return the resistors beside a capacitance that only an interface or an electrode has."""
    chain = resistor_names(fit.circuit)
    beside = {arc.storage.name: arc.resistor.name for arc in arcs(fit.circuit)}
    found = [
        beside.get(name, f"{name}_R")  # an element ZARC has its own
        for name, process in fit.assignment.items()
        if process in {INTERFACE, REACTION}
    ]
    return [name for name in found if name in chain]
