"""One impedance spectrum as a file holds it, in base units. Knows no vendor and no analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Impedances = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSpectrum:
    """Frequencies in hertz and impedances in ohm in the order of measurement; capacitive is negative.

    ``number`` counts the spectra of a file from 1. ``statements`` says in words what was done to
    the numbers on the way in (converted, left out), so that no result has to be guessed at.
    ``repeated_*`` are points measured once more to see drift: they belong to no fit.
    """

    frequency_hertz: Floats
    impedance_ohm: Impedances
    source: str
    vendor: str
    number: int = 1
    time_second: Floats | None = None
    temperature_celsius: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[str, ...] = ()
    repeated_hertz: Floats = field(default_factory=lambda: np.empty(0))
    repeated_ohm: Impedances = field(default_factory=lambda: np.empty(0, dtype=np.complex128))

    def __len__(self) -> int:
        return len(self.frequency_hertz)

    @property
    def name(self) -> str:
        return f"{self.source}, spectrum {self.number}"


@dataclass(frozen=True, slots=True)
class Block:
    """A table cut out of a file: labels, and rows of text with the line of the file each is on.

    ``separator`` is what stands between the fields of a row.
    """

    vendor: str
    labels: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[str, ...] = ()
    separator: str = ","
