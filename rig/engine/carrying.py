"""A place in a program, carried to another text of it: unambiguously, or not at all. Pure.

What is over stays as it was, and the step that is going on stays that step: its charge, time and
samples are its own. Where a block comes round again (a loop's next pass, another value of a for_each)
its steps may change: they are still to come. Decision 17 says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rig.core.errors import BadInput, Problem
from rig.engine.cursor import Place
from rig.protocol.outline import (
    Fork,
    Item,
    Leaf,
    Loop,
    Sequence,
    kind_of,
    leaves,
    meaning,
    outline,
    words_of,
)
from rig.protocol.program import Program

_REMEDY = "change what is still to come; or stop the run, and start the other protocol"


def carried(old: Program, new: Program, place: Place) -> Place:
    """Return the same place in the new program: ``pc`` and ``loops``; all else stays.

    Raises BadInput with every reason why there is no such place, or more than one.
    """
    after = outline(new)
    carrier = _Carrier(old, place)
    pc = carrier.into(outline(old), after, again=False)
    carrier.check_what_is_over(after, pc)
    if carrier.problems:
        raise BadInput(carrier.problems, remedy=_REMEDY)
    return place._replace(pc=pc, loops=tuple(carrier.loops))


@dataclass
class _Carrier:
    """Walks both trees from the root to the place; ``loops`` are those entered, with their pass."""

    old: Program
    place: Place
    loops: list[tuple[int, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _over: list[tuple[Item, Item]] = field(default_factory=list)  # what differs, and is over

    def into(self, old: Sequence, new: Sequence, *, again: bool) -> int:
        """Return the address in ``new``; ``again``: these steps come round once more."""
        index = _index_of(old, self.place.pc)
        inside = self._inside(old, index)
        at = self._index_in(old, new, index, entered=inside is not None, again=again)
        if at is None:
            return new.first
        if not again:
            pairs = zip(old.items[:index], new.items[:at], strict=True)
            self._over += [(was, now) for was, now in pairs if meaning(was) != meaning(now)]
        if inside is None or isinstance(inside, Leaf):
            return new.items[at].first if at < len(new.items) else new.after
        return self._within(inside, new.items[at], again=again)

    def _inside(self, old: Sequence, index: int) -> Item | None:
        """Return the item that is going on, or None where the place is between two."""
        item = old.items[index] if index < len(old.items) else None
        if item is None or (item.first == self.place.pc and not self.place.step_open):
            return None
        return item

    def _within(self, old: Item, new: Item, *, again: bool) -> int:
        match old, new:
            case Loop(), Loop():
                return self._round(old, new, again=again)
            case Fork(), Fork():
                if not again and meaning(old) != meaning(new):
                    self._require_same_condition(old, new)
                in_else = bool(old.otherwise.items) and self.place.pc >= old.otherwise.first
                arms = (old.otherwise, new.otherwise) if in_else else (old.then, new.then)
                return self.into(*arms, again=again)
        raise AssertionError("what goes on was found among items of its own kind")

    def _require_same_condition(self, old: Fork, new: Fork) -> None:
        before, now = words_of(old), words_of(new)
        if before != now:
            self._refuse(new, f"the run is within '{before}', which cannot become '{now}' now")

    def _round(self, old: Loop, new: Loop, *, again: bool) -> int:
        """Step into a loop that goes on: its pass and what it counts stay, its number of passes may change."""
        number = self.place.loops[len(self.loops)][1]
        self.loops.append((new.first, number))
        if old.start.counts_cycles != new.start.counts_cycles:
            self._refuse(new, "the loop that goes on would count cycles otherwise than it has")
        count = new.start.count
        if count is not None and count < number:
            message = f"{number} passes have begun, and it is to end after {count}"
            self._refuse(new, message, f"repeat: {number}")
        comes_again = again or count is None or number < count
        return self.into(old.body, new.body, again=comes_again)

    # --- one level ------------------------------------------------------------------------------

    def _index_in(
        self, old: Sequence, new: Sequence, index: int, *, entered: bool, again: bool
    ) -> int | None:
        """Return where the item at ``index`` stands in ``new``; None after saying why nowhere."""
        upto = index + entered
        same = [kind_of(one) for one in old.items[:upto]] == [
            kind_of(one) for one in new.items[:upto]
        ]
        at: int | None = index if same else None
        if at is None and again and entered:
            at = _of_its_kind(old, new, index)
        if at is None or (entered and _has_moved(old, new, index, at)):
            self._refuse_place(old, new, index, entered=entered)
            return None
        return at

    def _refuse_place(self, old: Sequence, new: Sequence, index: int, *, entered: bool) -> None:
        known = min(index, len(old.items) - 1)
        what = f"'{words_of(old.items[known])}'" if old.items else "its place"
        going_on = f"the run is in {what}" if entered else f"the run stands by {what}"
        where = new.items[min(index, len(new.items) - 1)] if new.items else None
        message = (
            f"{going_on} (step {old.items[known].first} before the change): where that is now "
            "cannot be told; steps before it were put in, taken out or exchanged"
        )
        self._refuse(where, message)

    # --- what is over ---------------------------------------------------------------------------

    def check_what_is_over(self, new: Sequence, pc: int) -> None:
        """Refuse a change of what is over, unless the same line of the file is still to come."""
        to_come = {leaf.step.line for leaf in leaves(new) if leaf.first >= pc}
        for was, now in self._over:
            for before, after in _changed_leaves(was, now):
                if after is None or after.step.line not in to_come:
                    self._refuse(after or now, f"{before} is over and cannot be changed any more")

    def _refuse(self, item: Item | None, message: str, example: str = "") -> None:
        where = f"step {item.first}" if item is not None else "the end of the protocol"
        self.problems.append(Problem(where, message, example))


def _index_of(sequence: Sequence, pc: int) -> int:
    """Return which item of a sequence an address is in; its length for the end."""
    for index, item in enumerate(sequence.items):
        if item.first <= pc < item.after:
            return index
    return len(sequence.items)


def _has_moved(old: Sequence, new: Sequence, index: int, at: int) -> bool:
    """Say whether the item that goes on stands unchanged elsewhere than ``at``: which one is it now?"""
    item = meaning(old.items[index])
    if meaning(new.items[at]) == item:
        return False
    twins = [meaning(one) for one in old.items].count(item) - 1
    return [meaning(one) for one in new.items].count(item) > twins


def _of_its_kind(old: Sequence, new: Sequence, index: int) -> int | None:
    """Return where the n-th of a kind stands, where there are as many of that kind as before."""
    kind = kind_of(old.items[index])
    before, now = (
        [at for at, one in enumerate(side.items) if kind_of(one) == kind] for side in (old, new)
    )
    return now[before.index(index)] if len(before) == len(now) else None


def _changed_leaves(old: Item, new: Item) -> Iterator[tuple[str, Leaf | None]]:
    """Yield each step of a block that is not as it was, in words; the block itself where it is another."""
    before, now = list(leaves(old)), list(leaves(new))
    if [leaf.step.kind for leaf in before] != [leaf.step.kind for leaf in now]:
        yield f"'{words_of(old)}'", None
        return
    changed = False
    for was, is_now in zip(before, now, strict=True):
        if meaning(was) != meaning(is_now):
            changed = True
            yield f"'{was.step.words}'", is_now
    if not changed:  # its count or condition
        yield f"'{words_of(old)}'", None
