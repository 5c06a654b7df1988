"""A compiled program against a channel, and as a table and a duration for people.

Works on the flat program alone, so that what is shown is what will run. Knows no bench file: the
bench hands in ``ChannelFacts``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rig.core.errors import Problem
from rig.core.units import show
from rig.protocol.channel_facts import ChannelFacts
from rig.protocol.duration import estimate_duration_second
from rig.protocol.expressions import write
from rig.protocol.program import (
    Branch,
    Jump,
    LoopEnd,
    LoopStart,
    Potentiostat,
    Program,
    Safety,
    Step,
    StepKind,
)
from rig.protocol.within import BENCH_FILE, beyond, contradictions

__all__ = [
    "ChannelFacts",
    "Row",
    "check_channel",
    "estimate_duration_second",
    "needs",
    "step_table",
    "steps_of",
    "warnings",
]

CELL, IMPEDANCE, CHAMBER, RESISTANCE = "cell", "impedance", "chamber", "resistance"
TEMPERATURE, PRESSURE = "temperature", "pressure"
AUXILIARY = "auxiliary "  # before the name of one, in the roles of a channel
_NEEDS_CELL = {
    StepKind.REST,
    StepKind.CHARGE,
    StepKind.DISCHARGE,
    StepKind.HOLD,
    StepKind.CCCV,
}


def steps_of(program: Program) -> Iterator[Step]:
    """Yield every step, in the order of the program."""
    return (item for item in program.instructions if isinstance(item, Step))


def needs(program: Program) -> set[str]:
    """Return the roles a channel must have: ``cell``, ``chamber``, ``pressure``, ``auxiliary dew_point``.

    Not the temperature of a cell: the chamber's stands in for it.
    """
    found = {f"{AUXILIARY}{name}" for name in program.auxiliaries}
    if _watches_pressure(program):
        found.add(PRESSURE)
    for step in steps_of(program):
        if step.kind in _NEEDS_CELL:
            found.add(CELL)
        if step.kind is StepKind.EIS:
            found.add(IMPEDANCE)
        if step.kind is StepKind.RESISTANCE:
            found.add(RESISTANCE)
        if step.temperature is not None:
            found.add(CHAMBER)
            if step.temperature.stability is not None:
                found.add(IMPEDANCE)
    return found


def _watches_pressure(program: Program) -> bool:
    conditions = program.suspend.conditions if program.suspend is not None else ()
    return (
        program.safety.limits_pressure
        or (program.soft is not None and program.soft.limits_pressure)
        or any(condition.quantity == PRESSURE for condition in conditions)
        or any(end.quantity == PRESSURE for step in steps_of(program) for end in step.ends)
    )


# --- the channel ---------------------------------------------------------------------------------


def check_channel(program: Program, channel: ChannelFacts) -> list[Problem]:
    """Return everything that this channel cannot do for this program; empty when it fits."""
    problems = [
        Problem(channel.name, f"the protocol needs {_article(role)} {role}, the channel has none")
        for role in sorted(needs(program) - channel.roles)
    ]
    problems += _unwatched(program, channel)
    problems += contradictions(_sources(program, channel), channel.name, channel.voltage)
    problems += _other_auxiliaries(program, channel)
    for step in steps_of(program):
        place = f"{channel.name}, line {step.line} ({step.words})"
        problems += [Problem(place, message) for message in beyond(step, channel)]
    return list(dict.fromkeys(problems))


def _article(role: str) -> str:
    return "an" if role[0] in "aeiou" else "a"


def _unwatched(program: Program, channel: ChannelFacts) -> Iterator[Problem]:
    """Yield each limit on something that nothing reads: it would never trip."""
    yield from _unread_limits(program, channel)
    if channel.roles & {CHAMBER, TEMPERATURE}:
        return
    why = "the channel has no chamber, so nobody reads a temperature there"
    for source, safety in _sources(program, channel):
        if safety.limits_temperature:
            yield Problem(channel.name, f"{source} limits the temperature, but {why}")
    for step in steps_of(program):
        if any(end.quantity == "temperature" for end in step.ends):
            place = f"{channel.name}, line {step.line} ({step.words})"
            yield Problem(place, f"ends by temperature, but {why}")


def _sources(program: Program, channel: ChannelFacts) -> tuple[tuple[str, Safety], ...]:
    who = "the protocol or the cell's record" if program.cell.limits else "the protocol"
    return (who, program.safety), (BENCH_FILE, channel.safety)


def _unread_limits(program: Program, channel: ChannelFacts) -> Iterator[Problem]:
    for source, safety in _sources(program, channel):
        if safety.limits_pressure and PRESSURE not in channel.roles:
            why = "but the channel has no sensor that reads one"
            yield Problem(channel.name, f"{source} limits the pressure, {why}")
        for limit in safety.auxiliaries:
            known = channel.auxiliaries.get(limit.name)
            if known is None:
                message = f"{source} limits the auxiliary {limit.name!r}, which the channel has not"
                yield Problem(channel.name, message, example=f"aux: {{{limit.name}: daq-1/103}}")
            elif known != limit.dimension:
                message = f"{source} limits {limit.name} by a {limit.dimension}, its sensor reads a {known}"
                yield Problem(channel.name, message)


def _other_auxiliaries(program: Program, channel: ChannelFacts) -> Iterator[Problem]:
    """Yield each auxiliary that is there and measures something else than the protocol says."""
    for name, dimension in program.auxiliaries.items():
        known = channel.auxiliaries.get(name, dimension)
        if known != dimension:
            message = (
                f"the protocol's {name} is a {dimension}, the channel's sensor reads a {known}"
            )
            yield Problem(channel.name, message)


# --- warnings ------------------------------------------------------------------------------------


def warnings(program: Program, file_name: str = "protocol") -> list[Problem]:
    """Return what is allowed and yet probably not meant.

    A hold at another voltage than the charge or discharge before it ended at makes the current
    jump (the same check as aurora-unicycler's).
    """
    found = []
    for before, after in zip(program.instructions, program.instructions[1:], strict=False):
        if not isinstance(before, Step) or not isinstance(after, Step):
            continue
        ends = [end.value for end in before.ends if end.quantity == "voltage"]
        if isinstance(after.drive, Potentiostat) and before.drive is not None and ends:
            held = after.drive.voltage_volt
            if held not in ends:
                message = f"holds {show(held, 'V')} after a step that ends at {show(ends[0], 'V')}"
                found.append(Problem(f"{file_name}:{after.line}", message))
    return found


# --- the table -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the step table; ``depth`` counts the loops and conditions around it."""

    address: int
    depth: int
    words: str
    record: str = ""
    phase: str = ""
    tag: str = ""
    line: int = 0


def step_table(program: Program) -> list[Row]:
    """Return the program as people read it: one row per step, loop and condition."""
    rows = []
    closing: list[int] = []  # addresses at which a loop or condition around us ends
    for address, item in enumerate(program.instructions):
        while closing and address >= closing[-1]:
            closing.pop()
        depth = len(closing)
        match item:
            case Step():
                record = f"every {_time(item.record[-1].every_second)}"
                rows.append(
                    Row(address, depth, item.words, record, item.phase, item.tag, item.line)
                )
            case LoopStart():
                rows.append(Row(address, depth, _loop_words(program, item), line=item.line))
                closing.append(item.end)
            case Branch():
                rows.append(Row(address, depth, f"if {write(item.when)}", line=item.line))
                closing.append(_end_of_then(program, item))
            case Jump():
                rows.append(Row(address, depth, "else"))
                closing.append(item.to)
    return rows


def _end_of_then(program: Program, branch: Branch) -> int:
    """Return the address where the rows under ``if`` end: at its Jump when there is an else."""
    before = program.instructions[branch.otherwise - 1]
    return branch.otherwise - 1 if isinstance(before, Jump) else branch.otherwise


def _loop_words(program: Program, loop: LoopStart) -> str:
    end = program.instructions[loop.end]
    words = "repeat" if loop.count is None else f"repeat {loop.count} times"
    if isinstance(end, LoopEnd) and end.until is not None:
        words += f" until {write(end.until)}"
    return words + (", counts cycles" if loop.counts_cycles else "")


def _time(second: float) -> str:
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if second >= size:
            return f"{second / size:.4g} {unit}"
    return show(second, "s")
