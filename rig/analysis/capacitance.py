"""From fitted constant phase elements to capacitances, and from capacitances to processes.

A CPE's Q is no capacitance and two Q are not comparable; effective capacitances are. Which process
an arc is, is decided by its capacitance scaled to the cell's geometry (Irvine, Sinclair, West,
Adv. Mater. 2, 132 (1990)), and "ambiguous" is an answer. Knows no data and no optimiser.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rig.analysis.arcs import arcs, resistor_names
from rig.analysis.circuit import Circuit, Element
from rig.analysis.circuit_elements import Real
from rig.analysis.flags import EIS_ASSIGN, FlagNote, flag
from rig.core.errors import BadInput, Problem

AMBIGUOUS = "ambiguous"
UNKNOWN = "unknown"
BULK, GRAIN_BOUNDARY, INTERFACE, REACTION = (
    "bulk",
    "grain boundary",
    "interface",
    "electrode reaction",
)
LEAST_ALPHA = 0.7  # below, a depressed arc is no longer one process
VACUUM_PERMITTIVITY = 8.8541878128e-14  # F/cm


@dataclass(frozen=True, slots=True)
class Geometry:
    """Thickness in centimetre and electrode area in square centimetre of a pellet."""

    thickness_centimetre: float
    area_square_centimetre: float

    def __post_init__(self) -> None:
        problems = [
            Problem(name, f"got {value:g}, expected above zero")
            for name, value in (
                ("thickness_centimetre", self.thickness_centimetre),
                ("area_square_centimetre", self.area_square_centimetre),
            )
            if not (value > 0 and math.isfinite(value))
        ]
        if problems:
            raise BadInput(problems)


# What the table of Irvine et al. is made for; assumed, and said so, when no geometry is given.
UNIT_CELL = Geometry(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class ProcessClass:
    """Limits of the scaled capacitance; layers through the pellet scale with L/A, surfaces with 1/A."""

    name: str
    lowest: float
    highest: float
    per_area: bool

    def holds(self, capacitance_farad: float, geometry: Geometry) -> bool:
        scaled = capacitance_farad / geometry.area_square_centimetre
        if not self.per_area:
            scaled *= geometry.thickness_centimetre
        return self.lowest <= scaled <= self.highest


# From fast to slow. Bulk ends where its relative permittivity would pass 1000; an interface begins
# at the 1e-8 F/cm2 of contact constriction and includes reaction layers and double layers.
CLASSES = (
    ProcessClass(BULK, 1e-13, 1000 * VACUUM_PERMITTIVITY, per_area=False),
    ProcessClass(GRAIN_BOUNDARY, 1e-11, 1e-8, per_area=False),
    ProcessClass(INTERFACE, 1e-8, 1e-4, per_area=True),
    ProcessClass(REACTION, 1e-4, math.inf, per_area=True),
)


def hsu_mansfeld_capacitance(q: float, alpha: float, resistance_ohm: float) -> float:
    """Return Q^(1/a) R^((1-a)/a) in farad: the capacitance of an arc, distributed through a layer."""
    return float(q ** (1 / alpha) * resistance_ohm ** ((1 - alpha) / alpha))


def brug_capacitance(
    q: float, alpha: float, series_ohm: float, transfer_ohm: float = math.inf
) -> float:
    """Return Q^(1/a) (1/Rs + 1/Rct)^((a-1)/a) in farad: a double layer, distributed over a surface.

    Without charge transfer (a blocking electrode) leave ``transfer_ohm`` out.
    """
    admittance = 1 / series_ohm + 1 / transfer_ohm
    return float(q ** (1 / alpha) * admittance ** ((alpha - 1) / alpha))


def relative_permittivity(capacitance_farad: float, geometry: Geometry) -> float:
    """Return C L / (A eps0); 5 to 60 for a solid electrolyte's bulk."""
    per_length = geometry.thickness_centimetre / geometry.area_square_centimetre
    return capacitance_farad * per_length / VACUUM_PERMITTIVITY


def effective_capacitances(circuit: Circuit, values: Real) -> dict[str, float]:
    """Return farad by element name: each arc's (Hsu-Mansfeld) and each series CPE's or C's (Brug).

    The series resistance of a blocking CPE is all that stands in the chain with it.
    """
    found: dict[str, float] = {}
    known: list[float] = values.tolist()
    for arc in arcs(circuit):
        storage = known[arc.storage_at]
        if arc.storage.kind == "CPE":
            alpha, resistance = known[arc.storage_at + 1], known[arc.resistor_at]
            storage = hsu_mansfeld_capacitance(storage, alpha, resistance)
        found[arc.storage.name] = storage
    for part in circuit.chain.parts:
        if isinstance(part, Element) and part.kind == "ZARC":
            first = circuit.position(part.parameters[0].name)
            found[part.name] = known[first + 1] / known[first]  # tau / R is Hsu-Mansfeld's
    return found | _tail_capacitances(circuit, known)


def _tail_capacitances(circuit: Circuit, values: Sequence[float]) -> dict[str, float]:
    series_ohm = sum(values[circuit.position(name)] for name in resistor_names(circuit))
    found = {}
    for part in circuit.chain.parts:
        if isinstance(part, Element) and part.kind in {"C", "CPE"}:
            first = circuit.position(part.parameters[0].name)
            if part.kind == "C":
                found[part.name] = values[first]
            elif series_ohm > 0:
                found[part.name] = brug_capacitance(values[first], values[first + 1], series_ohm)
    return found


def assign(capacitances_farad: Mapping[str, float], geometry: Geometry | None) -> dict[str, str]:
    """Return the process of each element: a class, ``ambiguous`` or ``unknown``.

    Processes come in order of capacitance and bulk and grain boundary each only once, which often
    decides what the ranges alone leave open. Without geometry L/A = 1 cm-1 and A = 1 cm2 stand in.
    """
    cell = geometry or UNIT_CELL
    names = sorted(capacitances_farad, key=lambda name: capacitances_farad[name])
    options = [
        [rank for rank, c in enumerate(CLASSES) if c.holds(capacitances_farad[name], cell)]
        for name in names
    ]
    placed = [i for i, ranks in enumerate(options) if ranks]
    orders = [o for o in itertools.product(*(options[i] for i in placed)) if _in_order(o)]
    assignment = dict.fromkeys(names, UNKNOWN)
    for column, i in enumerate(placed):
        ranks = {order[column] for order in orders}
        assignment[names[i]] = CLASSES[ranks.pop()].name if len(ranks) == 1 else AMBIGUOUS
    return assignment


def _in_order(ranks: tuple[int, ...]) -> bool:
    once = sum(CLASSES[a].per_area is False and a == b for a, b in itertools.pairwise(ranks)) == 0
    return once and list(ranks) == sorted(ranks)


def assignment_flags(
    circuit: Circuit, values: Real, assignment: Mapping[str, str]
) -> list[FlagNote]:
    """Flag elements whose process is not certain and exponents too low to be one process."""
    notes = [
        flag(EIS_ASSIGN, f"{name}: process is {process} by its effective capacitance")
        for name, process in assignment.items()
        if process in {AMBIGUOUS, UNKNOWN}
    ]
    return notes + [
        flag(EIS_ASSIGN, f"{parameter.name} = {value:.2f} is below {LEAST_ALPHA}")
        for parameter, value in zip(circuit.parameters, values, strict=True)
        if parameter.exponent and value < LEAST_ALPHA
    ]
