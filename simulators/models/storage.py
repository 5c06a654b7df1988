"""Where the charge goes: nowhere in particular (a pellet), or into a cathode (a full cell).

Knows no resistance and no drive; charge comes in and an open-circuit voltage follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from simulators.models.ocv import OpenCircuitTable

COULOMB_PER_AMPERE_HOUR = 3600.0
# A cycle is a discharge of at least this part of the capacity ...
CYCLE_DEPTH = 0.5
# ... followed by a charge of at least this part; a pulse or a spectrum is no charge.
CHARGE_COUNTS = 0.01
# The most charge, as part of the capacity, that may pass in one step of the solution.
LARGEST_PART = 0.005


class ChargeStore(Protocol):
    """What gives the cell its open-circuit voltage. Charge in coulomb, positive into the cell."""

    voltage_volt: float
    slope_volt_per_coulomb: float

    @property
    def largest_charge_coulomb(self) -> float:
        """The most that may pass in one step without losing accuracy."""
        ...

    def after(self, coulomb: float) -> tuple[float, float]:
        """Return (voltage, slope) as they would be after ``coulomb`` more; changes nothing."""
        ...

    def accept(self, coulomb: float) -> None:
        """Take the charge."""
        ...

    def set_temperature(self, celsius: float) -> None: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


class NoStorage:
    """A symmetric cell, a pellet or a resistor: no voltage of its own, whatever has passed."""

    voltage_volt = 0.0
    slope_volt_per_coulomb = 0.0
    largest_charge_coulomb = math.inf

    def after(self, coulomb: float) -> tuple[float, float]:
        return 0.0, 0.0

    def accept(self, coulomb: float) -> None:
        pass

    def set_temperature(self, celsius: float) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


@dataclass(frozen=True, slots=True)
class StorageTraits:
    """``capacity_ah`` at 25 degC when new; ``alpha_per_cycle`` of Q(N) = Q0 exp(-alpha N).

    ``coulombic_efficiency`` is the part of the charging current that is stored; the rest goes
    into a side reaction.
    """

    capacity_ah: float
    alpha_per_cycle: float
    coulombic_efficiency: float
    capacity_per_kelvin: float
    state_of_charge: float


class IntercalationStorage:
    """A cathode against lithium with fade, side reaction and a capacity that shrinks in the cold.

    The state is the state of charge, so that neither ageing nor a change of temperature makes a
    step in voltage; the charge that this loses or gains is not accounted for.
    """

    def __init__(self, traits: StorageTraits, table: OpenCircuitTable) -> None:
        self._traits = traits
        self._table = table
        self._state_of_charge = traits.state_of_charge
        self._cycles = 0
        self._faded_ah = traits.capacity_ah
        self._discharged = 0.0  # since the last charge that counts, as part of the capacity
        self._charged = 0.0  # since the last discharge
        self._celsius = 25.0
        self._refresh()

    @property
    def largest_charge_coulomb(self) -> float:
        return LARGEST_PART / self._per_coulomb

    def after(self, coulomb: float) -> tuple[float, float]:
        efficiency = self._traits.coulombic_efficiency if coulomb > 0.0 else 1.0
        change = coulomb * efficiency * self._per_coulomb
        voltage, slope = self._table.at(self._state_of_charge + change)
        return voltage, slope * efficiency * self._per_coulomb

    def accept(self, coulomb: float) -> None:
        if coulomb > 0.0:
            change = coulomb * self._traits.coulombic_efficiency * self._per_coulomb
            self._charged += change
            if self._discharged and self._charged >= CHARGE_COUNTS:
                self._end_discharge()
        else:
            change = coulomb * self._per_coulomb
            if change:
                self._charged = 0.0
            self._discharged -= change
        self._state_of_charge += change
        self.voltage_volt, slope = self._table.at(self._state_of_charge)
        self.slope_volt_per_coulomb = slope * self._per_coulomb

    def set_temperature(self, celsius: float) -> None:
        self._celsius = celsius
        self._refresh()

    def state(self) -> dict[str, Any]:
        return {
            "state_of_charge": self._state_of_charge,
            "cycles": self._cycles,
            "discharged": self._discharged,
            "charged": self._charged,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._state_of_charge = float(state["state_of_charge"])
        self._cycles = int(state["cycles"])
        self._discharged = float(state["discharged"])
        self._charged = float(state["charged"])
        self._fade()

    def _end_discharge(self) -> None:
        if self._discharged >= CYCLE_DEPTH:
            self._cycles += 1
            self._fade()
        self._discharged = 0.0

    def _fade(self) -> None:
        """Recompute all that follows from the number of cycles."""
        traits = self._traits
        self._faded_ah = traits.capacity_ah * math.exp(-traits.alpha_per_cycle * self._cycles)
        self._refresh()

    def _refresh(self) -> None:
        """Recompute all that follows from fade, temperature and state of charge."""
        warmer_kelvin = self._celsius - 25.0
        available_ah = self._faded_ah * (1.0 + self._traits.capacity_per_kelvin * warmer_kelvin)
        self._per_coulomb = 1.0 / (available_ah * COULOMB_PER_AMPERE_HOUR)
        self.voltage_volt, slope = self._table.at(self._state_of_charge)
        self.slope_volt_per_coulomb = slope * self._per_coulomb
