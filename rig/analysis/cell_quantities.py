"""From a fitted circuit and a sample's geometry to conductivity and resistance of an interface.

Which resistor belongs to what is decided by effective capacitances (``capacitance.assign``): arcs of
interfaces and electrode reactions are interfaces, all other resistors in the chain are electrolyte.
Where a capacitance leaves that open, a resistor is counted as electrolyte, named, and the conductivity
without it stands beside. Covariances are carried. Knows no spectrum and no file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.analysis.arcs import arcs, resistor_names
from rig.analysis.capacitance import AMBIGUOUS, INTERFACE, REACTION, UNKNOWN, Geometry
from rig.analysis.flags import FlagNote
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


@dataclass(frozen=True, slots=True)
class CellQuantities:
    """What a fit says of the material; a conductivity is S/cm with its standard error, or None twice.

    ``electrolyte_resistors`` make the conductivity, ``doubtful_resistors`` are those among them that
    may be interfaces, and ``conductivity_without_doubtful`` is what it were then. ``interfaces``: of
    each interface's resistor, and of all of them together.
    """

    conductivity: tuple[float | None, float | None]
    conductivity_without_doubtful: tuple[float | None, float | None]
    electrolyte_resistors: tuple[str, ...]
    doubtful_resistors: tuple[str, ...]
    interfaces: dict[str, InterfaceResistance]
    all_interfaces: InterfaceResistance | None
    like_interfaces: int

    @property
    def flags(self) -> tuple[FlagNote, ...]:
        """Return SYM-SMALL of every interface that has an upper limit only."""
        return tuple(note for one in self.interfaces.values() for note in one.flags)

    def to_dict(self) -> dict[str, object]:
        value, error = self.conductivity
        without, without_error = self.conductivity_without_doubtful
        every = self.all_interfaces
        return {
            "conductivity_siemens_per_centimetre": value,
            "conductivity_standard_error_siemens_per_centimetre": error,
            "electrolyte_resistors": list(self.electrolyte_resistors),
            "doubtful_resistors": list(self.doubtful_resistors),
            "conductivity_without_doubtful_siemens_per_centimetre": without,
            "conductivity_without_doubtful_standard_error_siemens_per_centimetre": without_error,
            **_by_resistor(self.interfaces),
            "interface_resistance_ohm_square_centimetre": _value(every) if every else None,
            "interface_resistance_standard_error_ohm_square_centimetre": (
                every.combined_standard_error_ohm_square_centimetre if every else None
            ),
            "interface_resistance_upper_limit_ohm_square_centimetre": (
                every.upper_limit_ohm_square_centimetre if every else None
            ),
            "interfaces": self.like_interfaces,
        }


def _by_resistor(interfaces: dict[str, InterfaceResistance]) -> dict[str, object]:
    return {
        "area_specific_resistance_ohm_square_centimetre": {
            name: _value(one) for name, one in interfaces.items()
        },
        "area_specific_resistance_standard_error_ohm_square_centimetre": {
            name: one.combined_standard_error_ohm_square_centimetre
            for name, one in interfaces.items()
        },
        "area_specific_resistance_upper_limit_ohm_square_centimetre": {
            name: one.upper_limit_ohm_square_centimetre for name, one in interfaces.items()
        },
    }


def _value(one: InterfaceResistance) -> float | None:
    return one.area_specific_resistance_ohm_square_centimetre if one.resolved else None


def cell_quantities(
    fit: CircuitFit, sample: Sample, electrolyte: Resistance | None = None
) -> CellQuantities:
    """Return what the fit says of the material, in S/cm and ohm cm2 of one interface.

    ``electrolyte`` where something better than this circuit's own is known, such as a family's.
    An interface below twice its error has an upper limit and no value. Errors include geometry, and
    the fit's covariances: overlapping arcs trade resistance, their sum is known better than each.
    """
    at_interfaces = interface_resistors(fit)
    inside = [name for name in resistor_names(fit.circuit) if name not in at_interfaces]
    doubtful = [name for name in _beside(fit, {AMBIGUOUS, UNKNOWN}) if name in inside]
    certain = [name for name in inside if name not in doubtful]
    found = {name: sample.interface(fit.sum_of([name])) for name in at_interfaces}
    return CellQuantities(
        _conductivity(fit, sample, inside, electrolyte),
        _conductivity(fit, sample, certain) if doubtful else (None, None),
        tuple(inside),
        tuple(doubtful),
        found,
        sample.interface(fit.sum_of(at_interfaces)) if found else None,
        2 if sample.symmetric else 1,
    )


def _conductivity(
    fit: CircuitFit, sample: Sample, names: list[str], known: Resistance | None = None
) -> tuple[float | None, float | None]:
    if known is None and not names:
        return None, None
    return sample.conductivity(fit.sum_of(names) if known is None else known)


def interface_resistors(fit: CircuitFit) -> list[str]:
    """Return the resistors beside a capacitance that only an interface or an electrode has."""
    return _beside(fit, {INTERFACE, REACTION})


def _beside(fit: CircuitFit, processes: set[str]) -> list[str]:
    """Return the chain's resistors beside a capacitance that stands for one of these processes."""
    chain = resistor_names(fit.circuit)
    beside = {arc.storage.name: arc.resistor.name for arc in arcs(fit.circuit)}
    found = [
        beside.get(name, f"{name}_R")  # an element ZARC has its own
        for name, process in fit.assignment.items()
        if process in processes
    ]
    return [name for name in found if name in chain]
