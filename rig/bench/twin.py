"""One channel of a bench as simulated instruments: the same drivers and limits, and a cell like the one meant.

For rehearsals. Knows no simulator: it writes a bench file, as a person would, and lets it be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rig.bench.file import ROLES, SIMULATED, BenchFile, ChannelSpec, parse_bench
from rig.bench.sensing import AUX
from rig.protocol.check import steps_of
from rig.protocol.program import CellFacts, Program, StepKind

_MOVES_CHARGE = frozenset({StepKind.CHARGE, StepKind.DISCHARGE, StepKind.CCCV, StepKind.HOLD})
_NOT_SIMULATED = ("correction",)  # a fixture that was measured is not the simulated one
USUAL_AREA_SQUARE_CENTIMETRE = 0.785
USUAL_THICKNESS_CENTIMETRE = 0.05
USUAL_CELLS: Mapping[str, str] = {
    "full_cell": "NMC811 | Li6PS5Cl | Li",
    "symmetric_pellet": "Li | Li6PS5Cl | Li",
    "blocking_pellet": "Li6PS5Cl between blocking electrodes",
    "dummy": "a dummy resistor",
}


@dataclass(frozen=True, slots=True)
class Twin:
    """A bench of one simulated channel, and in words what cell was put into it."""

    bench: BenchFile
    channel: ChannelSpec
    cell_words: str


def simulated_twin(bench: BenchFile, channel: ChannelSpec, program: Program) -> Twin:
    """Return the channel as it would be simulated.

    A channel with a ``simulate:`` block of its own keeps it; else the cell is a full cell of the
    program's area and capacity where charge moves, and a pellet where none does. Raises BadInput
    where a family has no simulator.
    """
    spec = dict(bench.plain["channels"][channel.name])
    cell = spec.get("simulate") or cell_like(program)
    used = {path.partition("/")[0] for path in _paths(spec)}
    plain = {
        "bench": 1,
        "watchdog": "off",
        "instruments": {
            name: _simulated(entry)
            for name, entry in bench.plain["instruments"].items()
            if name in used
        },
        "channels": {
            channel.name: {key: spec[key] for key in spec if key not in _NOT_SIMULATED}
            | {"simulate": cell}
        },
    }
    limits = (bench.plain.get("limits") or {}).get(channel.name)
    if limits:
        plain["limits"] = {channel.name: limits}
    twin = parse_bench(json.dumps(plain), f"{bench.file}, simulated")
    return Twin(twin, twin.channels[channel.name], cell_words(cell))


def _paths(spec: Mapping[str, Any]) -> list[str]:
    named = [spec[role] for role in ROLES if isinstance(spec.get(role), str)]
    return [*named, *(str(path) for path in (spec.get(AUX) or {}).values())]


def _simulated(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "connect": SIMULATED}


def cell_like(program: Program) -> dict[str, str]:
    """Return the ``simulate:`` block of a cell that this program is meant for, by what it does to it."""
    cell = program.cell
    area = {"area": f"{cell.area_square_centimetre or USUAL_AREA_SQUARE_CENTIMETRE:.9g} cm^2"}
    if any(step.kind in _MOVES_CHARGE for step in steps_of(program)):
        capacity = {} if cell.capacity_ah is None else {"capacity": f"{cell.capacity_ah:.9g} Ah"}
        return {"cell": "full_cell", **area, **capacity}
    thickness = f"{10.0 * (cell.thickness_centimetre or USUAL_THICKNESS_CENTIMETRE):.9g} mm"
    pellet = {"material": "Li6PS5Cl", **area, "thickness": thickness}
    if not _is_symmetric(cell):
        return {"cell": "blocking_pellet", **pellet}
    interface = {
        "interface_resistance": "10 ohm*cm^2",
        "interface_activation_energy": "0.50 eV",
    }
    return {"cell": "symmetric_pellet", **pellet, **interface}


def _is_symmetric(cell: CellFacts) -> bool:
    return bool(cell.symmetric)


def cell_words(cell: Mapping[str, Any]) -> str:
    """Say what the simulated cell is, and how large."""
    kind = str(cell.get("cell", ""))
    sizes = [f"{key} {cell[key]}" for key in ("area", "thickness", "capacity") if key in cell]
    return ", ".join([USUAL_CELLS.get(kind, kind), *sizes])
