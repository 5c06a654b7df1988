"""A circuit seen as a chain of arcs: which parts are ``p(R, C or CPE)``, which resistors add up.

Most solid-state cells are such chains, and a chain of arcs has more structure than a circuit in
general: starting values, effective capacitances and direct-current resistance all follow from it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from rig.analysis.circuit import Circuit, Element, Parallel


@dataclass(frozen=True, slots=True)
class Arc:
    """A resistor beside a capacitor or CPE, and where their values stand in the circuit's."""

    resistor: Element
    storage: Element
    resistor_at: int
    storage_at: int


@functools.lru_cache(maxsize=256)
def arcs(circuit: Circuit) -> tuple[Arc, ...]:
    """Return the circuit's ``p(R, C or CPE)`` parts that stand in the outermost chain."""
    pairs = (_pair(part) for part in circuit.chain.parts if isinstance(part, Parallel))
    return tuple(
        Arc(*pair, *(circuit.position(one.parameters[0].name) for one in pair))
        for pair in pairs
        if pair is not None
    )


def _pair(part: Parallel) -> tuple[Element, Element] | None:
    """Return (resistor, storage) when that is all the part holds, in whichever order."""
    leaves = [leaf for branch in part.branches for leaf in branch.parts]
    if len(leaves) != 2 or len(part.branches) != 2:
        return None
    by_kind = {leaf.kind: leaf for leaf in leaves if isinstance(leaf, Element)}
    storage = by_kind.get("C") or by_kind.get("CPE")
    return (by_kind["R"], storage) if "R" in by_kind and storage else None


@functools.lru_cache(maxsize=256)
def resistor_names(circuit: Circuit) -> tuple[str, ...]:
    """Return the resistors that carry direct current one after the other: alone, or in arcs."""
    alone = (p.name for p in circuit.chain.parts if isinstance(p, Element) and p.kind == "R")
    whole = (
        f"{p.name}_R" for p in circuit.chain.parts if isinstance(p, Element) and p.kind == "ZARC"
    )
    return (*alone, *(arc.resistor.name for arc in arcs(circuit)), *whole)
