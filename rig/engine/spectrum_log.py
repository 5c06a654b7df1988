"""A spectrum on its way to the keeper: its head when it begins and when it is whole, its points.

Points are kept corrected for the fixture, with what the analyser itself said beside them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rig.core.fixture import Fixture
from rig.core.instruments import ImpedancePoint, Sweep
from rig.engine.action import Sensed
from rig.engine.surroundings import PRESSURE, TEMPERATURE

Row = Callable[[str, dict[str, object]], None]
Point = tuple[float, float, float]  # frequency in hertz, real and imaginary part in ohm
_POINT = ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm")


class Around(NamedTuple):
    """What was around a cell while some points were taken; NaN where nobody reads it."""

    ambient_celsius: float
    surface_celsius: float = math.nan
    pressure_pascal: float = math.nan

    @staticmethod
    def of(ambient_celsius: float, sensed: Sensed | None) -> Around:
        """Return the chamber's temperature with what sensors said."""
        if sensed is None:
            return Around(ambient_celsius)
        values = sensed.values
        return Around(
            ambient_celsius, values.get(TEMPERATURE, math.nan), values.get(PRESSURE, math.nan)
        )


class SpectrumLog:
    """Keeps one spectrum at a time, through ``row(table, values)``."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._head: dict[str, object] = {}
        self._fixture: Fixture | None = None
        self._around: list[Around] = []
        self._points = 0
        self._own: list[Point] = []

    @property
    def own_points(self) -> tuple[Point, ...]:
        """The spectrum's points so far as they are kept, without those that were repeated."""
        return tuple(self._own)

    def begin(self, labels: dict[str, object], sweep: Sweep, fixture: Fixture | None) -> None:
        """Keep the head of a spectrum that begins; ``labels`` say where in the run it stands."""
        self._fixture, self._around, self._points, self._own = fixture, [], 0, []
        self._head = labels | {
            "amplitude_volt": sweep.amplitude_volt,
            "amplitude_ampere": sweep.amplitude_ampere,
            "bias_volt": sweep.bias_volt,
            "correction": dict(fixture.source) if fixture is not None else None,
        }
        self._tell(None, complete=False)

    def points(
        self, points: Sequence[ImpedancePoint], ts_us: int, around: Around, *, repeated: bool
    ) -> None:
        """Keep points as they come, with temperatures and pressure that they were measured at."""
        self._around.append(around)
        for point in points:
            values = self._values(point) | {"ts_us": ts_us, "repeated": repeated}
            key = {"spectrum_count": self._head["spectrum_count"], "point_index": self._points}
            self._row("impedance_point", key | values)
            self._points += 1
            if not repeated:
                self._own.append(tuple(values[name] for name in _POINT))

    def end(self, open_circuit_volt: float, objection: str) -> None:
        """Keep the head again: every point has come; ``objection`` is what speaks against it."""
        self._tell(open_circuit_volt, complete=True, objection=objection)
        self._own = []

    def _values(self, point: ImpedancePoint) -> dict[str, Any]:
        values: dict[str, Any] = point._asdict()
        if self._fixture is not None:
            measured = complex(point.real_impedance_ohm, point.imaginary_impedance_ohm)
            corrected = self._fixture.corrected(point.frequency_hertz, measured)
            values["measured_real_impedance_ohm"] = measured.real
            values["measured_imaginary_impedance_ohm"] = measured.imag
            values["real_impedance_ohm"] = corrected.real
            values["imaginary_impedance_ohm"] = corrected.imag
        return values

    def _tell(
        self, open_circuit_after_volt: float | None, *, complete: bool, objection: str = ""
    ) -> None:
        ambient, ambient_span = _mean_and_span([at.ambient_celsius for at in self._around])
        surface, surface_span = _mean_and_span([at.surface_celsius for at in self._around])
        pressure, _ = _mean_and_span([at.pressure_pascal for at in self._around])
        self._row(
            "spectrum",
            self._head
            | {
                "open_circuit_after_volt": open_circuit_after_volt,
                "ambient_temperature_celsius": ambient,
                "ambient_temperature_span_kelvin": ambient_span,
                "surface_temperature_celsius": surface,
                "surface_temperature_span_kelvin": surface_span,
                "applied_pressure_pa": pressure,
                "complete": complete,
                "objection": objection or None,
            },
        )


def _mean_and_span(values: Sequence[float]) -> tuple[float | None, float | None]:
    known = [value for value in values if not math.isnan(value)]
    return (sum(known) / len(known), max(known) - min(known)) if known else (None, None)
