"""The flat program as the tree that people wrote: sequences of steps, loops and forks.

Addresses are those of the program. What compares two programs, or carries a place from one to the
other, walks here; the engine itself folds over the flat list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rig.protocol.expressions import write
from rig.protocol.program import (
    Branch,
    Drive,
    Galvanostat,
    Jump,
    LoopEnd,
    LoopStart,
    Potentiostat,
    Program,
    Step,
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One step; ``after`` is the address that follows it."""

    first: int
    step: Step

    @property
    def after(self) -> int:
        return self.first + 1


@dataclass(frozen=True, slots=True)
class Loop:
    """A repeat around ``body``; its LoopEnd stands at ``after`` - 1."""

    first: int
    after: int
    start: LoopStart
    end: LoopEnd
    body: Sequence


@dataclass(frozen=True, slots=True)
class Fork:
    """An ``if`` with its arms; ``otherwise`` is empty where there is no else."""

    first: int
    after: int
    branch: Branch
    then: Sequence
    otherwise: Sequence


Item = Leaf | Loop | Fork


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items in order, from address ``first`` up to, not including, ``after``."""

    first: int
    after: int
    items: tuple[Item, ...] = ()


def outline(program: Program) -> Sequence:
    """Return a program as a tree."""
    return _sequence(program, 0, len(program.instructions))


def _sequence(program: Program, first: int, after: int) -> Sequence:
    items: list[Item] = []
    address = first
    while address < after:
        items.append(_item(program, address))
        address = items[-1].after
    return Sequence(first, after, tuple(items))


def _item(program: Program, address: int) -> Item:
    match program.instructions[address]:
        case Step() as step:
            return Leaf(address, step)
        case LoopStart() as start:
            end = program.instructions[start.end]
            assert isinstance(end, LoopEnd)
            body = _sequence(program, address + 1, start.end)
            return Loop(address, start.end + 1, start, end, body)
        case Branch() as branch:
            return _fork(program, address, branch)
    raise AssertionError("a LoopEnd or Jump stands where the compiler puts it: behind its block")


def _fork(program: Program, address: int, branch: Branch) -> Fork:
    """No arm is empty, so a Jump right before ``otherwise`` ends our ``then`` and no inner one's."""
    last = program.instructions[branch.otherwise - 1]
    if not isinstance(last, Jump):
        then = _sequence(program, address + 1, branch.otherwise)
        nothing = Sequence(branch.otherwise, branch.otherwise)
        return Fork(address, branch.otherwise, branch, then, nothing)
    then = _sequence(program, address + 1, branch.otherwise - 1)
    return Fork(address, last.to, branch, then, _sequence(program, branch.otherwise, last.to))


def leaves(item: Item | Sequence) -> Iterator[Leaf]:
    """Yield every step in here, in the order of the program."""
    match item:
        case Leaf():
            yield item
        case Loop():
            yield from leaves(item.body)
        case Fork():
            yield from leaves(item.then)
            yield from leaves(item.otherwise)
        case Sequence():
            for one in item.items:
                yield from leaves(one)


def kind_of(item: Item) -> str:
    """Return what an item is, in a word: a step's kind, ``repeat`` or ``if``."""
    match item:
        case Leaf():
            return item.step.kind.value
        case Loop():
            return "repeat"
    return "if"


def meaning(item: Item) -> object:
    """Return what an item does, as a value to compare: nothing of where it stands in file or program."""
    match item:
        case Leaf():
            return replace(item.step, line=0, drive=own_drive(item.step.drive))
        case Loop():
            inside = tuple(meaning(one) for one in item.body.items)
            return ("repeat", item.start.count, item.start.counts_cycles, _until(item), inside)
    arms = [tuple(meaning(one) for one in arm.items) for arm in (item.then, item.otherwise)]
    return ("if", write(item.branch.when), *arms)


def own_drive(drive: Drive) -> Drive:
    """Return what a step itself says of its set point: a limit that is safety's or an end's is left out."""
    match drive:
        case Galvanostat() if not drive.hold:
            return replace(drive, voltage_limit_volt=0.0)
        case Potentiostat() if drive.limit_of_safety:
            return replace(drive, current_limit_ampere=0.0)
    return drive


def words_of(item: Item) -> str:
    """Return an item as people read it: ``charge at C/2 until 4.2 V``, ``repeat 500 times``."""
    match item:
        case Leaf():
            return item.step.words
        case Loop():
            times = "" if item.start.count is None else f" {item.start.count} times"
            return f"repeat{times}" + (f" until {_until(item)}" if _until(item) else "")
    return f"if {write(item.branch.when)}"


def _until(loop: Loop) -> str:
    return write(loop.end.until) if loop.end.until is not None else ""
