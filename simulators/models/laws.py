"""How a resistance changes with temperature: Arrhenius hopping, polymer VTF, or not at all.

Every law returns a factor to the resistance at 25 degC, so that a resistor, an arc and a diffusion
element share them. Knows no circuit and no geometry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

BOLTZMANN_ELECTRONVOLT_PER_KELVIN = 8.617333262e-5  # CODATA 2018
ZERO_CELSIUS_KELVIN = 273.15
REFERENCE_KELVIN = 298.15


class Law(Protocol):
    """A temperature dependence."""

    def factor(self, temperature_celsius: float) -> float:
        """Return R(T) / R(25 degC)."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """No temperature dependence: leads, double layers."""

    def factor(self, temperature_celsius: float) -> float:
        return 1.0


@dataclass(frozen=True, slots=True)
class Hopping:
    """Arrhenius in the convention of hopping theory: ln(sigma T) is linear in 1/T.

    R(T) = R25 (T / 298.15 K) exp(Ea/k (1/T - 1/298.15 K)). The energy is larger by k T, about
    26 meV at room temperature, than that of a straight line in ln(sigma).
    """

    activation_energy_electronvolt: float

    def factor(self, temperature_celsius: float) -> float:
        kelvin = temperature_celsius + ZERO_CELSIUS_KELVIN
        slope_kelvin = self.activation_energy_electronvolt / BOLTZMANN_ELECTRONVOLT_PER_KELVIN
        return (kelvin / REFERENCE_KELVIN) * math.exp(
            slope_kelvin * (1.0 / kelvin - 1.0 / REFERENCE_KELVIN)
        )


@dataclass(frozen=True, slots=True)
class MeltingPolymer:
    """VTF above the melting of the crystalline phase, a steep straight line in ln(sigma) below.

    Above: sigma = A T^-1/2 exp(-B / (k (T - T0))), A in S K^0.5/cm, B in eV. Below: continuous at
    the melting point and falling with its own energy, because the crystalline part conducts
    nothing. Extrapolating VTF below melting is 1-2 decades too high, and this law lets it fail.
    """

    prefactor: float
    pseudo_energy_electronvolt: float
    ideal_glass_kelvin: float
    melting_celsius: float
    energy_below_melting_electronvolt: float

    def conductivity_siemens_per_centimetre(self, temperature_celsius: float) -> float:
        kelvin = temperature_celsius + ZERO_CELSIUS_KELVIN
        melting_kelvin = self.melting_celsius + ZERO_CELSIUS_KELVIN
        if kelvin >= melting_kelvin:
            return self._molten(kelvin)
        slope_kelvin = self.energy_below_melting_electronvolt / BOLTZMANN_ELECTRONVOLT_PER_KELVIN
        return self._molten(melting_kelvin) * math.exp(
            -slope_kelvin * (1.0 / kelvin - 1.0 / melting_kelvin)
        )

    def _molten(self, kelvin: float) -> float:
        thermal = BOLTZMANN_ELECTRONVOLT_PER_KELVIN * (kelvin - self.ideal_glass_kelvin)
        return (
            self.prefactor
            / math.sqrt(kelvin)
            * math.exp(-self.pseudo_energy_electronvolt / thermal)
        )

    def factor(self, temperature_celsius: float) -> float:
        return self.conductivity_siemens_per_centimetre(
            25.0
        ) / self.conductivity_siemens_per_centimetre(temperature_celsius)
