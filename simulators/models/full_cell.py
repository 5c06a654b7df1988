"""NMC811 | Li6PS5Cl | Li: open-circuit voltage, resistances with their own energies, fade.

Resistances at 25 degC, areas in cm^2, capacities in Ah.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.models.circuit import Circuit, Part
from simulators.models.elements import FiniteWarburg, Resistor, Zarc
from simulators.models.laws import Hopping
from simulators.models.materials import MATERIALS
from simulators.models.ocv import nmc811_against_lithium
from simulators.models.pellet import Pellet
from simulators.models.storage import ChargeStore, IntercalationStorage, StorageTraits

AREAL_CAPACITY_AH_PER_SQUARE_CENTIMETRE = 5e-3  # 200 mAh/g, 80 % of 31 mg/cm^2
# All lithium that goes in is in the cathode: 2.9 V, where a discharge to 2.8 V at C/2 ends. Begun
# at 0, the first cycle would give back 2 % more than it took.
AS_ASSEMBLED = -0.0178


@dataclass(frozen=True, slots=True)
class Arc:
    """One process of the cell per cm^2: ohm cm^2, F/cm^2, eV in the ln(sigma T) convention."""

    resistance_ohm_square_centimetre: float
    capacitance_farad_per_square_centimetre: float
    activation_energy_electronvolt: float
    branch_count: int = 1


# Each about a decade slower than the one before. The capacitance of the cathode's interface is
# that of its inner surface, ten times the cell's area.
ANODE_INTERFACE = Arc(10.0, 1e-6, 0.55)
CATHODE_INTERFACE = Arc(6.0, 1e-5, 0.45)
CHARGE_TRANSFER = Arc(12.0, 5e-4, 0.50, branch_count=3)
ARC_EXPONENT = 0.9
CATHODE_IONIC_OHM_SQUARE_CENTIMETRE = 3.0  # a third of the ionic path through the composite
# Diffusion in the cathode: chosen to take over below 0.1 Hz; own assumption.
DIFFUSION_OHM_SQUARE_CENTIMETRE = 8.0
DIFFUSION_SECOND = 60.0
DIFFUSION_LAW = Hopping(0.40)


@dataclass(frozen=True, slots=True)
class FullCell:
    """A cell of ``area_square_centimetre``; ``capacity_ah`` None: 5 mAh/cm^2.

    ``alpha_per_cycle`` is that of Q(N) = Q0 exp(-alpha N); the anode's interphase grows by
    ``anode_growth``, in ohm cm^2 per root hour.
    """

    area_square_centimetre: float
    capacity_ah: float | None = None
    separator_thickness_centimetre: float = 30e-4
    alpha_per_cycle: float = 5e-4
    coulombic_efficiency: float = 0.9995
    capacity_per_kelvin: float = 0.003
    state_of_charge: float = AS_ASSEMBLED
    anode_growth_ohm_square_centimetre_per_root_hour: float = 0.0

    def circuit(self) -> Circuit:
        growth = self.anode_growth_ohm_square_centimetre_per_root_hour
        return Circuit(
            (
                self._ionic(),
                self._arc(
                    ANODE_INTERFACE, growth / ANODE_INTERFACE.resistance_ohm_square_centimetre
                ),
                self._arc(CATHODE_INTERFACE),
                self._arc(CHARGE_TRANSFER),
                Part(FiniteWarburg(self._diffusion_ohm, DIFFUSION_SECOND), DIFFUSION_LAW),
            )
        )

    def store(self) -> ChargeStore:
        traits = StorageTraits(
            self._capacity_ah,
            self.alpha_per_cycle,
            self.coulombic_efficiency,
            self.capacity_per_kelvin,
            self.state_of_charge,
        )
        return IntercalationStorage(traits, nmc811_against_lithium())

    def truth(self, temperatures_celsius: Sequence[float]) -> dict[str, float]:
        """Return what was put in; the resistance is that before the diffusion tail, without leads."""
        total_ohm = self.circuit().ladder(25.0)
        return {
            "alpha_per_cycle": self.alpha_per_cycle,
            "capacity_ah": self._capacity_ah,
            "coulombic_efficiency": self.coulombic_efficiency,
            "resistance_25_celsius_ohm": total_ohm.direct_current_ohm - self._diffusion_ohm,
            "diffusion_resistance_25_celsius_ohm": self._diffusion_ohm,
        }

    @property
    def _capacity_ah(self) -> float:
        if self.capacity_ah is not None:
            return self.capacity_ah
        return self.area_square_centimetre * AREAL_CAPACITY_AH_PER_SQUARE_CENTIMETRE

    @property
    def _diffusion_ohm(self) -> float:
        return DIFFUSION_OHM_SQUARE_CENTIMETRE / self.area_square_centimetre

    def _ionic(self) -> Part:
        """Separator and composite cathode; their dielectric arc lies far above any instrument."""
        electrolyte = MATERIALS["Li6PS5Cl"]
        separator = Pellet(
            electrolyte, self.area_square_centimetre, self.separator_thickness_centimetre
        )
        specific_ohm = self.separator_thickness_centimetre / separator.conductivity(25.0)
        specific_ohm += CATHODE_IONIC_OHM_SQUARE_CENTIMETRE
        return Part(Resistor(specific_ohm / self.area_square_centimetre), electrolyte.bulk.law)

    def _arc(self, arc: Arc, growth_per_root_hour: float = 0.0) -> Part:
        area = self.area_square_centimetre
        element = Zarc(
            arc.resistance_ohm_square_centimetre / area,
            arc.capacitance_farad_per_square_centimetre * area,
            ARC_EXPONENT,
            arc.branch_count,
        )
        law = Hopping(arc.activation_energy_electronvolt)
        return Part(element, law, growth_per_root_hour)
