"""A voltage source behind a resistor: a cell whose every answer can be worked out by hand."""

from __future__ import annotations

from typing import Any

from simulators.interfaces import OPEN, Drive, DriveMode, Terminals


class IdealCell:
    """``volt`` behind ``ohm``; counts the charge that flows, in coulomb, positive when charging."""

    def __init__(self, volt: float = 3.7, ohm: float = 0.1) -> None:
        self.volt = volt
        self.ohm = ohm
        self.charge_coulomb = 0.0
        self.drives: dict[str, Drive] = {}
        self._newest = ""
        self._second: float | None = None
        self.conflicts = 0

    def drive(self, source: str, drive: Drive, now_second: float) -> None:
        self.terminals(now_second)
        self.drives[source] = drive
        self._newest = source
        self.conflicts += (
            sum(other.mode is not DriveMode.OPEN for other in self.drives.values()) > 1
        )

    def terminals(self, now_second: float) -> Terminals:
        voltage, current, limited = self._solve(self.drives.get(self._newest, OPEN))
        before = now_second if self._second is None else self._second
        self._second = max(before, now_second)
        self.charge_coulomb += current * (self._second - before)
        return Terminals(voltage, current, limited)

    def _solve(self, drive: Drive) -> tuple[float, float, bool]:
        if drive.mode is DriveMode.OPEN:
            return self.volt, 0.0, False
        if drive.mode is DriveMode.VOLTAGE:
            wanted = (drive.level - self.volt) / self.ohm
            current = max(-drive.limit, min(drive.limit, wanted))
            return self.volt + current * self.ohm, current, current != wanted
        wanted = self.volt + drive.level * self.ohm
        voltage = max(-drive.limit, min(drive.limit, wanted))
        return voltage, (voltage - self.volt) / self.ohm, voltage != wanted

    def impedance(self, frequency_hertz: float, now_second: float) -> complex:
        return complex(self.ohm, 0.0)

    def sample_temperature_celsius(self, now_second: float) -> float:
        return 25.0

    def truth(self) -> dict[str, float]:
        return {"resistance_ohm": self.ohm}

    def state(self) -> dict[str, Any]:
        return {"charge_coulomb": self.charge_coulomb}

    def restore(self, state: dict[str, Any]) -> None:
        self.charge_coulomb = state["charge_coulomb"]


class IdealAir:
    """Air that is at its set point at once, and at 22 degC when the machine is off."""

    def __init__(self) -> None:
        self.celsius: float | None = None

    def set_point(self, celsius: float | None, now_second: float) -> None:
        self.celsius = celsius

    def air_temperature_celsius(self, now_second: float) -> float:
        return 22.0 if self.celsius is None else self.celsius

    def state(self) -> dict[str, Any]:
        return {"celsius": self.celsius}

    def restore(self, state: dict[str, Any]) -> None:
        self.celsius = state["celsius"]
