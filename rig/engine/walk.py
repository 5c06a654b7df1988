"""From one step to the next: loops, branches, what a cycle is, and the results they refer to.

Runs only between steps, so it may take its time; the fold itself stays small.
"""

from __future__ import annotations

import math

from rig.core.errors import RigError
from rig.engine.action import CycleEnded
from rig.engine.cursor import CycleMark, Place, Progress
from rig.protocol.expressions import is_true
from rig.protocol.program import Branch, Jump, LoopEnd, LoopStart, Program, Step, StepKind

# A loop whose body holds no step that runs would spin for ever inside one reading.
MOST_MOVES = 100_000


def find_step(
    program: Program, place: Place, progress: Progress
) -> tuple[Place, tuple[CycleEnded, ...]]:
    """Go on from ``place.pc`` until a Step or the end of the program; return the cycles that ended.

    ``pc`` equal to the number of instructions means the program is finished.
    """
    cycles: list[CycleEnded] = []
    for _ in range(MOST_MOVES):
        if place.pc >= len(program.instructions):
            return place, tuple(cycles)
        match program.instructions[place.pc]:
            case Step():
                return place, tuple(cycles)
            case LoopStart() as start:
                place = _enter(place, start, progress)
            case LoopEnd() as end:
                place = _pass_ended(program, place, end, progress, cycles)
            case Branch() as branch:
                taken = is_true(branch.when, values(place, progress))
                place = place._replace(pc=place.pc + 1 if taken else branch.otherwise)
            case Jump() as jump:
                place = place._replace(pc=jump.to)
    raise RigError(
        f"protocol {program.name!r}: {MOST_MOVES} moves without reaching a step",
        remedy="a repeat must hold at least one step that runs",
    )


def leave_loop(
    program: Program, place: Place, progress: Progress
) -> tuple[Place, tuple[CycleEnded, ...]]:
    """Leave the innermost repeat (``break``); without one, go on with the next instruction."""
    if not place.loops:
        return place._replace(pc=place.pc + 1), ()
    start = program.instructions[place.loops[-1][0]]
    assert isinstance(start, LoopStart)
    cycles: list[CycleEnded] = []
    if start.counts_cycles:
        place = _close_cycle(program, place, progress, cycles)
    return place._replace(pc=start.end + 1, loops=place.loops[:-1]), tuple(cycles)


def jump(
    program: Program, place: Place, progress: Progress, address: int
) -> tuple[Place, tuple[CycleEnded, ...]]:
    """Leave what does not enclose the step at ``address``, enter what does, and stand there.

    A loop that encloses both keeps its pass; one that is entered begins with its first.
    """
    around = [
        start
        for start, instruction in enumerate(program.instructions)
        if isinstance(instruction, LoopStart) and start < address < instruction.end
    ]
    cycles: list[CycleEnded] = []
    while place.loops and place.loops[-1][0] not in around:
        place, ended = leave_loop(program, place, progress)
        cycles += ended
    inside = [start for start, _ in place.loops]
    for start in around:
        loop = program.instructions[start]
        if start not in inside and isinstance(loop, LoopStart):
            place = _enter(place._replace(pc=start), loop, progress)
    return place._replace(pc=address), tuple(cycles)


def _enter(place: Place, start: LoopStart, progress: Progress) -> Place:
    if start.count is not None and start.count < 1:
        return place._replace(pc=start.end + 1)
    place = place._replace(loops=(*place.loops, (place.pc, 1)), pc=place.pc + 1)
    return _open_cycle(place, progress) if start.counts_cycles else place


def _pass_ended(
    program: Program, place: Place, end: LoopEnd, progress: Progress, cycles: list[CycleEnded]
) -> Place:
    start = program.instructions[end.start]
    assert isinstance(start, LoopStart)
    if start.counts_cycles:
        place = _close_cycle(program, place, progress, cycles)
    number = place.loops[-1][1]
    over = start.count is not None and number >= start.count
    if not over and end.until is not None:
        over = is_true(end.until, values(place, progress))
    if over:
        return place._replace(loops=place.loops[:-1], pc=place.pc + 1)
    place = place._replace(loops=(*place.loops[:-1], (end.start, number + 1)), pc=end.start + 1)
    return _open_cycle(place, progress) if start.counts_cycles else place


def _open_cycle(place: Place, progress: Progress) -> Place:
    mark = CycleMark(
        progress.seq,
        progress.charging_capacity_ah,
        progress.discharging_capacity_ah,
        progress.charging_energy_wh,
        progress.discharging_energy_wh,
    )
    count = place.cycle_count + 1
    return place._replace(cycle_count=count, cycle_open=True, cycle=mark, disturbed=False)


def _close_cycle(
    program: Program, place: Place, progress: Progress, cycles: list[CycleEnded]
) -> Place:
    mark = place.cycle
    cycle = CycleEnded(
        place.cycle_count,
        _phase(program, place),
        mark.seq_first,
        progress.seq - 1,
        progress.charging_capacity_ah - mark.charging_capacity_ah,
        progress.discharging_capacity_ah - mark.discharging_capacity_ah,
        progress.charging_energy_wh - mark.charging_energy_wh,
        progress.discharging_energy_wh - mark.discharging_energy_wh,
    )
    cycles.append(cycle)
    if place.disturbed:  # its retention is missing, so no condition takes it for one
        kept = {
            name: value for name, value in place.results.items() if name != "capacity_retention"
        }
    else:
        kept = _retention(place.results, cycle)
    return place._replace(cycle_open=False, results=kept)


def _phase(program: Program, place: Place) -> str:
    """Return the phase of the innermost counting loop: that of its first step."""
    for instruction in program.instructions[place.loops[-1][0] :]:
        if isinstance(instruction, Step):
            return instruction.phase
    return ""


def _retention(results: dict[str, float], cycle: CycleEnded) -> dict[str, float]:
    """Retention refers to the first cycle that is not formation (science: state the reference)."""
    if cycle.phase == "formation":
        return results
    reference = results.get("reference.discharge.capacity", cycle.discharging_capacity_ah)
    if reference <= 0:
        return results
    return results | {
        "reference.discharge.capacity": reference,
        "capacity_retention": cycle.discharging_capacity_ah / reference,
    }


def step_results(step: Step, results: dict[str, float], capacity_ah: float) -> dict[str, float]:
    """Return the results with those of a step that has just ended; ``capacity_ah`` signed.

    A voltage that is held after a charge belongs to the charge: CC and CV are one.
    """
    if step.kind not in {StepKind.CHARGE, StepKind.DISCHARGE, StepKind.CCCV, StepKind.HOLD}:
        return results
    name = "last.charge.capacity" if capacity_ah > 0 else "last.discharge.capacity"
    moved = abs(capacity_ah)
    if step.kind is StepKind.HOLD:
        if name not in results:
            return results
        moved += results[name]
    update = {name: moved}
    charged = results.get("last.charge.capacity", math.nan)
    if name == "last.discharge.capacity" and charged > 0:
        update["last.coulombic_efficiency"] = moved / charged
    return results | update


def values(place: Place, progress: Progress) -> dict[str, float]:
    """Return every name that an expression may use, as far as it has a value now."""
    counters = {"cycle": float(place.cycle_count), "test_time": progress.test_time_second}
    if place.loops:
        counters["pass"] = float(place.loops[-1][1])
    return place.results | counters
