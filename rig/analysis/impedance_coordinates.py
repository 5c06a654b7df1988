"""The coordinates that a circuit is fitted in, one per value: where the descent is short.

Scale quantities as logarithms, exponents as they are. The Q of an arc's CPE gives way to the
logarithm of the arc's time constant, ln tau = (ln R + ln Q) / alpha: Q changes over decades when
alpha moves a little, tau stays where the arc is seen. Measured on three overlapping arcs from
detuned starts, this finds the minimum 60 times of 60 in 12 steps; ln Q does 58 times in 19.

Arrays end in the axis of parameters and may have any axes before it. Knows no data.
"""

from __future__ import annotations

import functools
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from rig.analysis.arcs import arcs
from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import LEVEL_POWERS, Real
from rig.analysis.impedance_descent import Levels


class Coordinates:
    """Values to coordinates and back; ``keep`` are positions of values that must stay their own."""

    def __init__(self, circuit: Circuit, keep: Collection[int] = ()) -> None:
        self.logarithmic: NDArray[np.bool_] = np.array(
            [not parameter.exponent for parameter in circuit.parameters], dtype=bool
        )
        found = [
            (arc.resistor_at, arc.storage_at, arc.storage_at + 1)
            for arc in arcs(circuit)
            if arc.storage.kind == "CPE" and arc.storage_at not in keep
        ]
        self._r, self._q, self._alpha = np.array(found, dtype=int).reshape(-1, 3).T

    @property
    def times(self) -> NDArray[np.int_]:
        """Return the positions whose coordinate is ln tau."""
        return self._q

    def own(self, values: Real) -> Real:
        """Return each value's own coordinate: its logarithm, or itself for an exponent."""
        return np.where(self.logarithmic, np.log(np.where(self.logarithmic, values, 1.0)), values)

    def of(self, values: Real) -> Real:
        theta = self.own(values)
        theta[..., self._q] = (theta[..., self._r] + theta[..., self._q]) / values[..., self._alpha]
        return theta

    def values(self, theta: Real) -> Real:
        own = theta.copy()
        own[..., self._q] = theta[..., self._q] * theta[..., self._alpha] - theta[..., self._r]
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, own, 0.0)), own)

    def slopes(self, theta: Real, values: Real) -> Real:
        """Return d value / d theta, shape (..., parameters, parameters)."""
        own = np.where(self.logarithmic, values, 1.0)
        slopes = np.zeros((*theta.shape, theta.shape[-1]))
        np.einsum("...ii->...i", slopes)[...] = own
        q, by = self._q, own[..., self._q]
        slopes[..., q, self._r] = -by
        slopes[..., q, self._alpha] = by * theta[..., q]
        slopes[..., q, q] = by * theta[..., self._alpha]
        return slopes


def levels_of(circuit: Circuit, coordinates: Coordinates, free_at: NDArray[np.int_]) -> Levels:
    """Return the level of each part of the chain all of whose scale values are free."""
    return _levels(circuit, tuple(coordinates.times.tolist()), tuple(free_at.tolist()))


@functools.lru_cache(maxsize=256)  # each fit asks some times, and most fits are of few circuits
def _levels(circuit: Circuit, times: tuple[int, ...], free: tuple[int, ...]) -> Levels:
    directions: list[Real] = []
    owner = np.full(len(circuit.parameters), -1)
    begin = 0
    for part in circuit.chain.parts:
        powers = [LEVEL_POWERS[parameter.kind] for parameter in part.parameters]
        own = range(begin, begin + len(powers))
        begin += len(powers)
        if any(power and i not in free for power, i in zip(powers, own, strict=True)):
            continue
        owner[list(own)] = len(directions)
        direction = np.zeros(len(circuit.parameters))
        direction[list(own)] = powers
        directions.append(direction)
    matrix = np.array(directions).reshape(-1, len(circuit.parameters))
    matrix[:, list(times)] = 0.0  # a time constant does not know its level
    owner[owner < 0] = len(directions)
    return Levels(matrix[:, list(free)], owner[list(free)])
