"""Parts of a circuit's chain that have one time constant: which they are, where they stand, what it is.

Like parts, of one form, differ in their values only and are told apart by their time constants.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit import Circuit, Element, Parallel, form_of
from rig.analysis.circuit_elements import Real

ONE_TIME = {"Wo", "Ws", "G", "ZARC"}


@functools.lru_cache(maxsize=256)
def is_arc(part: Element | Parallel) -> bool:
    """Return whether the part is a resistor beside a capacitor or CPE, in whichever order."""
    return isinstance(part, Parallel) and sorted(form_of(part)[2:-1].split(",")) in (
        ["C", "R"],
        ["CPE", "R"],
    )


def has_one_time(part: Element | Parallel) -> bool:
    """Return whether the part's shape is a time constant: its candidates are a grid of them."""
    return is_arc(part) or (isinstance(part, Element) and part.kind in ONE_TIME)


@functools.lru_cache(maxsize=256)
def is_even(circuit: Circuit) -> bool:
    """Return whether the chain has elements and arcs only: its shapes are all on the grid."""
    return all(isinstance(part, Element) or is_arc(part) for part in circuit.chain.parts)


def time_constant(part: Element | Parallel, values: Real) -> Real:
    """Return the time constants in second of a gridded part from its own values (..., p)."""
    at = _positions(part)
    if "time" in at:
        return np.asarray(values[..., at["time"]])
    product = values[..., at["resistance"]] * values[..., at["capacitance"]]
    if "alpha" not in at:
        return np.asarray(product)
    return np.asarray(product ** (1.0 / values[..., at["alpha"]]))


@functools.lru_cache(maxsize=256)
def _positions(part: Element | Parallel) -> dict[str, int]:
    return {parameter.kind: i for i, parameter in enumerate(part.parameters)}


def like_places(circuit: Circuit) -> list[NDArray[np.int_]]:
    """Return where like parts with one time constant stand: for each likeness (parts, parameters)."""
    places: dict[str, list[list[int]]] = {}
    begin = 0
    for part in circuit.chain.parts:
        size = len(part.parameters)
        if has_one_time(part):
            places.setdefault(form_of(part), []).append(list(range(begin, begin + size)))
        begin += size
    return [np.array(found) for found in places.values() if len(found) > 1]


def place_times(circuit: Circuit, places: NDArray[np.int_], values: Real) -> Real:
    """Return the time constants in second, shape (spectra, parts), of the parts at ``places``."""
    begins = list(itertools.accumulate((len(p.parameters) for p in circuit.chain.parts), initial=0))
    part = circuit.chain.parts[begins.index(int(places[0, 0]))]
    return time_constant(part, values[:, places])
