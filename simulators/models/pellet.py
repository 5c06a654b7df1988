"""Pellets of a solid electrolyte: between blocking electrodes, or symmetric between lithium.

Bulk arc, grain-boundary arc, then what the electrodes do. Areas in cm^2, thickness in cm.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.models.circuit import Circuit, Part
from simulators.models.elements import BlockingCpe, Zarc
from simulators.models.laws import (
    BOLTZMANN_ELECTRONVOLT_PER_KELVIN,
    ZERO_CELSIUS_KELVIN,
    Hopping,
)
from simulators.models.materials import Conductor, Material
from simulators.models.storage import ChargeStore, NoStorage

VACUUM_PERMITTIVITY_FARAD_PER_CENTIMETRE = 8.854e-14
BULK_EXPONENT, BOUNDARY_EXPONENT, INTERFACE_EXPONENT = 0.98, 0.9, 0.9
# Per electrode and cm^2; both electrodes are in series.
DOUBLE_LAYER_Q_FARAD = 5e-6  # F s^(a-1), blocking metal, 2-10 uF/cm^2
INTERFACE_CAPACITANCE_FARAD = 1e-6  # lithium, 1e-8 (constriction) to 1e-6 F/cm^2


@dataclass(frozen=True, slots=True)
class Pellet:
    """A disc of ``material``; a part of both cells below."""

    material: Material
    area_square_centimetre: float
    thickness_centimetre: float

    def parts(self) -> tuple[Part, ...]:
        capacitance = (
            self.material.relative_permittivity
            * VACUUM_PERMITTIVITY_FARAD_PER_CENTIMETRE
            * self.area_square_centimetre
            / self.thickness_centimetre
        )
        bulk = self._arc(self.material.bulk, capacitance, BULK_EXPONENT)
        if self.material.boundary is None:
            return (bulk,)
        capacitance *= self.material.boundary_capacitance_ratio
        return (bulk, self._arc(self.material.boundary, capacitance, BOUNDARY_EXPONENT))

    def _arc(self, conductor: Conductor, capacitance_farad: float, exponent: float) -> Part:
        return Part(Zarc(self._resistance(conductor), capacitance_farad, exponent), conductor.law)

    def _resistance(self, conductor: Conductor) -> float:
        return self.thickness_centimetre / (
            self.area_square_centimetre * conductor.conductivity_siemens_per_centimetre
        )

    def conductivity(self, temperature_celsius: float) -> float:
        """Return the total conductivity of bulk and boundaries in S/cm."""
        conductors = [self.material.bulk]
        if self.material.boundary is not None:
            conductors.append(self.material.boundary)
        return 1.0 / sum(
            conductor.law.factor(temperature_celsius)
            / conductor.conductivity_siemens_per_centimetre
            for conductor in conductors
        )

    def truth(self, temperatures_celsius: Sequence[float]) -> dict[str, float]:
        """Return the noise-free answers; the energy in the convention ln(sigma T).

        Bulk and boundary with different energies make no straight line: the energy is that of
        an unweighted fit over the given temperatures.
        """
        kelvins = [celsius + ZERO_CELSIUS_KELVIN for celsius in temperatures_celsius]
        line = statistics.linear_regression(
            [1.0 / kelvin for kelvin in kelvins],
            [
                math.log(self.conductivity(celsius) * kelvin)
                for celsius, kelvin in zip(temperatures_celsius, kelvins, strict=True)
            ],
        )
        return {
            "conductivity_25_celsius_siemens_per_centimetre": self.conductivity(25.0),
            "activation_energy_electronvolt": -line.slope * BOLTZMANN_ELECTRONVOLT_PER_KELVIN,
        }


@dataclass(frozen=True, slots=True)
class BlockingPellet:
    """Metal | electrolyte | metal: no direct current passes."""

    pellet: Pellet

    def circuit(self) -> Circuit:
        q_farad = DOUBLE_LAYER_Q_FARAD * self.pellet.area_square_centimetre / 2.0
        return Circuit((*self.pellet.parts(), Part(BlockingCpe(q_farad))))

    def store(self) -> ChargeStore:
        return NoStorage()

    def truth(self, temperatures_celsius: Sequence[float]) -> dict[str, float]:
        return self.pellet.truth(temperatures_celsius)


@dataclass(frozen=True, slots=True)
class SymmetricPellet:
    """Li | electrolyte | Li with two like interfaces; resistances per interface in ohm cm^2.

    ``interface_growth`` is k of R(t) = R0 + k sqrt(t) at 25 degC, in ohm cm^2 per root hour.
    """

    pellet: Pellet
    interface_resistance_ohm_square_centimetre: float
    interface_activation_energy_electronvolt: float
    interface_growth_ohm_square_centimetre_per_root_hour: float = 0.0

    def circuit(self) -> Circuit:
        area = self.pellet.area_square_centimetre
        specific_ohm = self.interface_resistance_ohm_square_centimetre
        both = Part(
            Zarc(
                2.0 * specific_ohm / area,
                INTERFACE_CAPACITANCE_FARAD * area / 2.0,
                INTERFACE_EXPONENT,
                branch_count=3,
            ),
            Hopping(self.interface_activation_energy_electronvolt),
            self.interface_growth_ohm_square_centimetre_per_root_hour / specific_ohm,
        )
        return Circuit((*self.pellet.parts(), both))

    def store(self) -> ChargeStore:
        return NoStorage()

    def truth(self, temperatures_celsius: Sequence[float]) -> dict[str, float]:
        """Return the pellet's truth and that of one interface, before any growth."""
        return self.pellet.truth(temperatures_celsius) | {
            "area_specific_resistance_ohm_square_centimetre": (
                self.interface_resistance_ohm_square_centimetre
            ),
            "interface_activation_energy_electronvolt": (
                self.interface_activation_energy_electronvolt
            ),
        }
