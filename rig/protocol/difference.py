"""Two programs as the difference between them, in words for the person who has to say yes to it.

``step 7 (charge at C/2 until 4.2 V): until 4.2 V -> until 4.15 V``. Steps are numbered as in ``rig check``:
by their address in the new program, in the old one where they are gone.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import fields, replace

from rig.core.units import duration, show
from rig.protocol.expressions import write
from rig.protocol.limit_changes import Change, Effect, limit_changes
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
    own_drive,
    words_of,
)
from rig.protocol.program import (
    CellFacts,
    End,
    Galvanostat,
    Potentiostat,
    Program,
    RecordPhase,
    Step,
)

__all__ = ["Change", "Effect", "difference", "is_wider"]


def difference(old: Program, new: Program) -> tuple[Change, ...]:
    """Return every difference that matters to a run, limits first; empty where there is none.

    ``safety`` of both is what is in force. Comments, names of variables and the order of keys are none.
    """
    changes = [*limit_changes(old, new), *_head(old, new)]
    steps = _sequence(outline(old), outline(new))
    return (*changes, *_together(list(steps)))


def is_wider(changes: tuple[Change, ...]) -> bool:
    """Say whether a limit became wider: that is for an admin to say."""
    return any(change.effect is Effect.WIDER for change in changes)


def _head(old: Program, new: Program) -> Iterator[Change]:
    pairs = (
        ("name", old.name, new.name),
        ("on_gap", old.on_gap.value, new.on_gap.value),
        ("auxiliaries", _named(old.auxiliaries), _named(new.auxiliaries)),
    )
    for where, before, now in pairs:
        if before != now:
            yield Change(where, f"{before} -> {now}")
    for field in fields(CellFacts):
        before, now = (getattr(program.cell, field.name) for program in (old, new))
        if field.name != "limits" and before != now:
            yield Change(f"cell.{field.name}", f"{before} -> {now}")


def _named(auxiliaries: dict[str, str]) -> str:
    return ", ".join(f"{name} ({what})" for name, what in auxiliaries.items()) or "none"


# --- blocks --------------------------------------------------------------------------------------


def _sequence(old: Sequence, new: Sequence) -> Iterator[Change]:
    """Pair what is the same, then what stands in the same place between two that are."""
    before, now = ([meaning(one) for one in side.items] for side in (old, new))
    matcher = difflib.SequenceMatcher(None, before, now, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag != "equal":
            yield from _replaced(old.items[i:i_end], new.items[j:j_end])


def _replaced(old: tuple[Item, ...], new: tuple[Item, ...]) -> Iterator[Change]:
    """Pair by kind, in order; what has no partner has gone or is new."""
    matcher = difflib.SequenceMatcher(
        None, [kind_of(one) for one in old], [kind_of(one) for one in new], autojunk=False
    )
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            for before, now in zip(old[i:i_end], new[j:j_end], strict=True):
                yield from _changed(before, now)
            continue
        for gone in old[i:i_end]:
            yield Change(_place(gone), f"is taken out ({_whole(gone)})")
        for fresh in new[j:j_end]:
            yield Change(_place(fresh), f"is new: {_whole(fresh)}", line=_line(fresh))


def _changed(old: Item, new: Item) -> Iterator[Change]:
    match old, new:
        case Leaf(), Leaf():
            where = f"{_place(new)} ({old.step.words})"
            for words in _step(old.step, new.step):
                yield Change(where, words, line=new.step.line)
        case Loop(), Loop():
            if words := ", ".join(_loop(old, new)):
                yield Change(_place(new), words, line=new.start.line)
            yield from _sequence(old.body, new.body)
        case Fork(), Fork():
            before, now = write(old.branch.when), write(new.branch.when)
            if before != now:
                yield Change(_place(new), f"{before} -> {now}", line=new.branch.line)
            yield from _sequence(old.then, new.then)
            yield from _sequence(old.otherwise, new.otherwise)


def _place(item: Item) -> str:
    word = {"repeat": "loop", "if": "condition"}.get(kind_of(item), "step")
    return f"{word} {item.first}"


def _whole(item: Item) -> str:
    """Return an item with everything in it; a long block by its first steps."""
    if isinstance(item, Leaf):
        return item.step.words
    inside = [leaf.step.words for leaf in leaves(item)]
    more = f", ... ({len(inside)} steps)" if len(inside) > _SHOWN else ""
    return f"{words_of(item)}: {'; '.join(inside[:_SHOWN])}{more}"


_SHOWN = 4


def _line(item: Item) -> int:
    match item:
        case Leaf():
            return item.step.line
        case Loop():
            return item.start.line
    return item.branch.line


def _loop(old: Loop, new: Loop) -> Iterator[str]:
    if old.start.count != new.start.count:
        before, now = (_times(loop.start.count) for loop in (old, new))
        yield f"{before} -> {now} times"
    before, now = (
        write(loop.end.until) if loop.end.until is not None else "nothing" for loop in (old, new)
    )
    if before != now:
        yield f"until {before} -> until {now}"
    if old.start.counts_cycles != new.start.counts_cycles:
        yield "counts cycles" if new.start.counts_cycles else "counts cycles no longer"


def _times(count: int | None) -> str:
    return "any number of" if count is None else str(count)


def _together(changes: list[Change]) -> Iterator[Change]:
    """Say once what happens to several steps: a for_each is many, and so is a rule of recording."""
    groups: dict[tuple[str, object], list[Change]] = {}
    for change in changes:
        _, _, of_what = change.where.partition(" (")
        same_line = (change.line, of_what) if change.line else object()
        key = "" if change.words.startswith(_RECORD) else same_line
        groups.setdefault((change.words, key), []).append(change)
    for (first, *others), (_, key) in zip(groups.values(), groups, strict=True):
        yield _plural([first, *others], of_what=bool(key)) if others else first


def _plural(changes: list[Change], *, of_what: bool) -> Change:
    word, _, of_which = changes[0].where.partition(" (")
    numbers = ", ".join(change.where.split()[1] for change in changes)
    where = f"{word.split()[0]}s {numbers}" + (f" ({of_which}" if of_what and of_which else "")
    return replace(changes[0], where=where)


_RECORD = "record "


# --- one step ------------------------------------------------------------------------------------


def _step(old: Step, new: Step) -> Iterator[str]:
    """Yield what is different in one step; its whole text where no part of it says it."""
    found = [*_drive(old, new), *_ends(old, new)]
    if old.record != new.record:
        found.append(f"{_RECORD}{_record(old.record)} -> {_record(new.record)}")
    for name in ("phase", "tag", "name"):
        before, now = getattr(old, name), getattr(new, name)
        if before != now:
            found.append(f"{name} {before or 'none'} -> {now or 'none'}")
    if old.restart_on_resume != new.restart_on_resume:
        found.append(
            "after an outage it " + ("begins again" if new.restart_on_resume else "goes on")
        )
    by_itself = (old.sweep, old.repeat, old.repeat_if_invalid, old.temperature)
    if by_itself != (new.sweep, new.repeat, new.repeat_if_invalid, new.temperature):
        found.append(f"{old.words} -> {new.words}" if old.words != new.words else _inner(old, new))
    yield from found or [f"{old.words} -> {new.words}"]


def _drive(old: Step, new: Step) -> Iterator[str]:
    match own_drive(old.drive), own_drive(new.drive):
        case Galvanostat() as before, Galvanostat() as now:
            if before.current_ampere != now.current_ampere:
                yield f"at {_ampere(before)} -> {_ampere(now)}"
            if before.voltage_limit_volt != now.voltage_limit_volt:
                volts = [show(one.voltage_limit_volt, "V") for one in (before, now)]
                yield f"to {volts[0]} -> {volts[1]}"
        case Potentiostat() as held, Potentiostat() as holds:
            if held.voltage_volt != holds.voltage_volt:
                yield f"at {show(held.voltage_volt, 'V')} -> {show(holds.voltage_volt, 'V')}"
            if held.current_limit_ampere != holds.current_limit_ampere:
                yield f"limit {_limit(held)} -> {_limit(holds)}"


def _ampere(drive: Galvanostat) -> str:
    return show(abs(drive.current_ampere), "A")


def _limit(drive: Potentiostat) -> str:
    if drive.limit_of_safety or math.isnan(drive.current_limit_ampere):
        return "that of safety"
    return show(drive.current_limit_ampere, "A")


def _ends(old: Step, new: Step) -> Iterator[str]:
    before, now = ({(e.quantity, e.operator): e for e in step.ends} for step in (old, new))
    for key in dict.fromkeys((*before, *now)):
        was, is_now = before.get(key), now.get(key)
        if was is None and is_now is not None:
            yield f"ends also {_end(is_now)}"
        elif was is not None and is_now is None:
            yield f"ends no longer {_end(was)}"
        elif was is not None and is_now is not None and was != is_now:
            yield f"{_end(was)} -> {_end(is_now)}"


def _end(end: End) -> str:
    words = end.words if end.words.startswith("for ") else f"until {end.words}"
    return words if end.target.value == "next" else f"{words} (then {end.target.value})"


def _record(phases: tuple[RecordPhase, ...]) -> str:
    return ", then ".join(_phase(phase) for phase in phases)


def _phase(phase: RecordPhase) -> str:
    words = f"every {phase.every_second:g} s"
    if phase.voltage_delta_volt is not None:
        words += f" or {show(phase.voltage_delta_volt, 'V')}"
    if phase.current_delta_fraction is not None:
        words += f" or {100 * phase.current_delta_fraction:g} %"
    return words if phase.for_second is None else f"{words} up to {duration(phase.for_second)}"


def _inner(old: Step, new: Step) -> str:
    """A band, a timeout, a repeated point: what a step's own words do not say."""
    changed = []
    for part in ("temperature", "sweep", "repeat"):
        before, now = getattr(old, part), getattr(new, part)
        if before is None or now is None:
            changed += [part] if before is not now else []
            continue
        for field in fields(before):
            was, is_now = getattr(before, field.name), getattr(now, field.name)
            if was != is_now:
                changed.append(f"{field.name} {_number(was)} -> {_number(is_now)}")
    return (
        ", ".join(changed)
        or f"repeat_if_invalid {old.repeat_if_invalid} -> {new.repeat_if_invalid}"
    )


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
