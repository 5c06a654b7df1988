"""A dummy cell: one resistor, as comes with a potentiostat to try cables and software with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.models.circuit import Circuit, Part
from simulators.models.elements import Resistor
from simulators.models.storage import ChargeStore, NoStorage


@dataclass(frozen=True, slots=True)
class Dummy:
    resistance_ohm: float

    def circuit(self) -> Circuit:
        return Circuit((Part(Resistor(self.resistance_ohm)),))

    def store(self) -> ChargeStore:
        return NoStorage()

    def truth(self, temperatures_celsius: Sequence[float]) -> dict[str, float]:
        return {"resistance_25_celsius_ohm": self.resistance_ohm}
