"""Which repeat counts cycles. Pure, over flat instructions.

Unless told otherwise, the outermost loop that both charges and discharges counts. Several such
loops one after the other go on counting: formation 1, 2, then ageing 3, 4, ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rig.protocol.program import Galvanostat, Instruction, LoopStart, Step


def mark_counting_loops(
    instructions: Sequence[Instruction], told: Mapping[int, str]
) -> tuple[list[Instruction], list[int]]:
    """Return the instructions with ``counts_cycles`` set, and the loops that wrongly count inside one.

    ``told`` holds, per address of a LoopStart, ``cycles`` or ``nothing`` as written in the file.
    """
    marked = list(instructions)
    nested: list[int] = []
    address = 0
    while address < len(marked):
        loop = marked[address]
        if isinstance(loop, LoopStart) and _counts(instructions, address, loop.end, told):
            marked[address] = replace(loop, counts_cycles=True)
            nested += _told_to_count(told, address + 1, loop.end)
            address = loop.end
        address += 1
    return marked, nested


def _counts(
    instructions: Sequence[Instruction], start: int, end: int, told: Mapping[int, str]
) -> bool:
    if start in told:
        return told[start] == "cycles"
    if _told_to_count(told, start + 1, end):
        return False
    directions = {_direction(instruction) for instruction in instructions[start:end]}
    return {1, -1} <= directions


def _told_to_count(told: Mapping[int, str], start: int, end: int) -> list[int]:
    return [
        address for address, what in told.items() if what == "cycles" and start <= address < end
    ]


def _direction(instruction: Instruction) -> int:
    """Return 1 where a step charges, -1 where it discharges, 0 otherwise."""
    if not isinstance(instruction, Step) or not isinstance(instruction.drive, Galvanostat):
        return 0
    return 1 if instruction.drive.current_ampere > 0 else -1
