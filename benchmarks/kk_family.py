"""Spectra of many kinds of cell, sound ones and ones with a known fault, to measure a verdict by.

One to four arcs with exponents from 0.6 to 1, some beyond the window, with and without a diffusion or
blocking tail and a lead's inductance; windows of 3 to 8 decades with 5 to 20 points a decade. Each
fault is what happens at a rig. Drawn from a generator that is handed in; knows no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Impedances = NDArray[np.complex128]
Random = np.random.Generator

DENSITIES = (5, 10, 20)  # points a decade


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A clean spectrum and the grid it stands on."""

    hertz: Floats
    ohm: Impedances
    per_decade: int

    @property
    def decades(self) -> float:
        return float(np.ptp(np.log10(self.hertz)))


def drawn_cell(random: Random) -> Cell:
    """Draw a grid, and a cell whose arcs lie in its window or up to half a decade outside."""
    decades, per_decade = random.uniform(3.0, 8.0), int(random.choice(DENSITIES))
    top = 10.0 ** random.uniform(max(3.5, decades - 3.0), 6.5)
    hertz = top / np.logspace(0.0, decades, round(decades * per_decade) + 1)
    jw = 2j * math.pi * hertz
    ohm = np.full(hertz.size, 10.0 ** random.uniform(-0.5, 1.5), dtype=np.complex128)
    for _ in range(int(random.integers(1, 5))):
        ohm += _arc(jw, random)
    resistance = float(ohm.real.max())
    if random.random() < 0.4:
        ohm += _tail(jw, resistance, random)
    if random.random() < 0.4:
        ohm += jw * resistance * 10.0 ** random.uniform(-2.5, -0.5) / abs(jw[0])
    return Cell(hertz, ohm, per_decade)


def _arc(jw: Impedances, random: Random) -> Impedances:
    slowest, fastest = 1.0 / abs(jw[-1]), 1.0 / abs(jw[0])
    tau = 10.0 ** random.uniform(math.log10(fastest) - 0.5, math.log10(slowest) + 0.5)
    ohm, alpha = 10.0 ** random.uniform(0.5, 2.0), random.uniform(0.6, 1.0)
    return np.asarray(ohm / (1.0 + (jw * tau) ** alpha))


def _tail(jw: Impedances, resistance: float, random: Random) -> Impedances:
    """Return a Warburg or blocking CPE that passes the resistance 0 to 3 decades above the slow end."""
    alpha = 0.5 if random.random() < 0.3 else random.uniform(0.6, 1.0)
    crossing = abs(jw[-1]) * 10.0 ** random.uniform(0.0, 3.0)
    return np.asarray(resistance / (jw / crossing) ** alpha)


def with_noise(ohm: Impedances, relative: float, random: Random) -> Impedances:
    """Return ``ohm`` with normal noise of this part of |Z| on real and imaginary part each."""
    scatter = random.standard_normal((2, *ohm.shape))
    return np.asarray(ohm + relative * np.abs(ohm) * (scatter[0] + 1j * scatter[1]))


# --- faults --------------------------------------------------------------------------------------


def drift_by_point(cell: Cell, size: float, _random: Random) -> Impedances:
    """Every resistance grows evenly from the first point to the last."""
    return np.asarray(cell.ohm * (1.0 + size * np.linspace(0.0, 1.0, cell.hertz.size)))


def drift_in_time(cell: Cell, size: float, _random: Random) -> Impedances:
    """The same in time, when each point takes three periods: nearly all of it at the slow end."""
    gone = np.cumsum(3.0 / cell.hertz)
    return np.asarray(cell.ohm * (1.0 + size * gone / gone[-1]))


def step(cell: Cell, size: float, random: Random) -> Impedances:
    """From one point on, everything is larger: a contact that gave way."""
    at = random.integers(cell.hertz.size // 5, 4 * cell.hertz.size // 5)
    return np.asarray(np.where(np.arange(cell.hertz.size) >= at, 1.0 + size, 1.0) * cell.ohm)


def range_factor(cell: Cell, size: float, random: Random) -> Impedances:
    """One current range, of half a decade to a decade and a half, has a wrong factor."""
    width = round(random.uniform(0.5, 1.5) * cell.per_decade)
    first = random.integers(cell.hertz.size // 5, max(4 * cell.hertz.size // 5 - width, 1) + 1)
    inside = (np.arange(cell.hertz.size) >= first) & (np.arange(cell.hertz.size) < first + width)
    return np.asarray(np.where(inside, 1.0 + size, 1.0) * cell.ohm)


def bad_point(cell: Cell, size: float, random: Random) -> Impedances:
    """One point is disturbed, in any direction."""
    ohm = cell.ohm.copy()
    at = random.integers(cell.hertz.size // 5, 4 * cell.hertz.size // 5)
    ohm[at] *= 1.0 + size * np.exp(2j * math.pi * random.random())
    return ohm


def saturation(cell: Cell, size: float, _random: Random) -> Impedances:
    """The voltage input is overdriven: |Z| beyond what it takes is reported too small by this part.

    The limit lies between the smallest and the largest |Z|; a third harmonic of relative size h
    lowers the fundamental by about as much, more the further beyond (third-order compression).
    """
    modulus = np.abs(cell.ohm)
    limit = math.sqrt(float(modulus.min() * modulus.max()))
    beyond = np.clip(modulus / limit - 1.0, 0.0, None)
    return np.asarray(cell.ohm * (1.0 - size * beyond / (1.0 + beyond)))


Fault = Callable[[Cell, float, Random], Impedances]
FAULTS: dict[str, tuple[Fault, tuple[float, ...]]] = {
    "drift, even by point": (drift_by_point, (0.05, 0.1, 0.2, 0.5)),
    "drift, even in time": (drift_in_time, (0.05, 0.1, 0.2, 0.5)),
    "step": (step, (0.02, 0.05, 0.1)),
    "wrong factor of a range": (range_factor, (0.02, 0.05, 0.1)),
    "one bad point": (bad_point, (0.03, 0.05, 0.1)),
    "saturation": (saturation, (0.05, 0.1, 0.3)),
}
