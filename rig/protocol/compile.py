"""Tree of nodes -> flat program: flow, addresses, variables, what each step inherits.

Every step is filled, validated and lowered on its own, so that one bad step hides no problem of
another. ``for_each`` is unrolled here; ``repeat`` and ``if`` become instructions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rig.core.errors import Problem, did_you_mean
from rig.protocol.counting import mark_counting_loops
from rig.protocol.expressions import names_in
from rig.protocol.program import (
    Branch,
    Instruction,
    Jump,
    LoopEnd,
    LoopStart,
    RecordPhase,
    StepKind,
    Target,
)
from rig.protocol.schema import ENTRIES, ForEachEntry, IfEntry, Labels, RepeatEntry, StepLabels
from rig.protocol.source import Node
from rig.protocol.steps import Setting, lower, record_phases
from rig.protocol.validate import validate
from rig.protocol.variables import Variables
from rig.protocol.words import BLOCK_WORDS, LATER, VERBS, not_yet

MOST_INSTRUCTIONS = 20_000  # a for_each in a for_each in a for_each is nobody's intention

# Where a block keeps lists of steps; they are validated one step at a time.
_STEP_LISTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "repeat": (("steps",),),
    "for_each": (("steps",),),
    "if": (("if", "then"), ("if", "else")),
}
# Half a spectrum is no spectrum, and nobody knows how warm the sample was during an outage.
_RESTARTS = (StepKind.EIS, StepKind.SET_TEMPERATURE)
_STEP_EXAMPLE = "- rest: {for: 10 min}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a step takes from the blocks around it."""

    variables: Variables
    record: tuple[RecordPhase, ...]
    phase: str = ""
    tag: str = ""
    on_resume: str = ""
    in_repeat: bool = False

    def inside(self, labels: Labels, node: Node, problems: list[Problem]) -> Scope:
        """Return the scope of what carries ``labels``: its own win."""
        record = self.record
        if labels.record is not None:
            record = record_phases(labels.record, node.child("record"), problems)
        return replace(
            self,
            record=record,
            phase=labels.phase or self.phase,
            tag=labels.tag or self.tag,
            on_resume=labels.on_resume or self.on_resume,
        )


class Compiler:
    """Collects instructions and problems; ``run`` once."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._problems = setting.problems
        self._instructions: list[Instruction] = []
        self._counts: dict[int, str] = {}  # address of a LoopStart -> what it was told to count
        self._places: dict[int, Node] = {}  # address of a LoopStart -> where it stands
        self._names: dict[str, str] = {}  # `as` name -> where it was first given

    def run(self, steps: Node, scope: Scope) -> tuple[Instruction, ...]:
        """Return the flat program of a list of steps."""
        self._steps(steps, scope)
        if len(self._instructions) > MOST_INSTRUCTIONS:
            message = f"unrolls to more than {MOST_INSTRUCTIONS} steps; use repeat"
            self._problems.append(Problem(steps.where, message))
        marked, nested = mark_counting_loops(self._instructions, self._counts)
        for address in nested:
            place = self._places[address].child("counts")
            message = "this repeat lies inside another that counts cycles; only one of them can"
            self._problems.append(Problem(place.where, message))
        return tuple(marked)

    def _steps(self, steps: Node, scope: Scope) -> None:
        if not isinstance(steps.value, list):
            return  # said by the model of the block
        if not steps.value:
            message = "expected at least one step"
            self._problems.append(Problem(steps.where, message, example=_STEP_EXAMPLE))
        for node in steps.items():
            if len(self._instructions) <= MOST_INSTRUCTIONS:
                self._entry(node, scope)

    def _entry(self, node: Node, scope: Scope) -> None:
        verb = self._verb(node)
        if verb is None:
            return
        bare = node
        for path in _STEP_LISTS.get(verb, ()):
            bare = bare.without_items(*path)
        bare = scope.variables.fill(bare)
        entry = validate(ENTRIES[verb], bare, self._problems)
        match entry:
            case RepeatEntry():
                self._repeat(entry, node, scope)
            case ForEachEntry():
                self._for_each(entry, bare, node, scope)
            case IfEntry():
                self._if(entry, node, scope)
            case StepLabels():
                self._step(verb, entry, bare, scope)
            case _ if verb in BLOCK_WORDS:
                self._inner_problems(verb, node, scope)

    def _verb(self, node: Node) -> str | None:
        """Return the one key that names the step; None after saying what is wrong."""
        if not isinstance(node.value, dict) or not node.value:
            self._refuse(node, _not_a_step(node))
            return None
        verbs = [key for key in node.value if key in VERBS]
        if len(verbs) == 1:
            return verbs[0]
        if verbs:
            message = f"two steps in one: {' and '.join(verbs)}; begin each with '- '"
            self._refuse(node, message)
            return None
        later = next((key for key in node.value if key in LATER), None)
        if later is not None:
            place = node.child(later)
            self._problems.append(Problem(place.key_where, not_yet(f"the step {later!r}")))
            return None
        word = next(iter(node.value))
        message = f"unknown step {word!r}, expected one of {', '.join(VERBS)}"
        problem = Problem(node.child(word).key_where, message, _STEP_EXAMPLE)
        self._problems.append(replace(problem, suggestion=did_you_mean(word, VERBS)))
        return None

    def _refuse(self, node: Node, message: str) -> None:
        self._problems.append(Problem(node.where, message, example=_STEP_EXAMPLE))

    # --- steps -----------------------------------------------------------------------------------

    def _step(self, verb: str, entry: StepLabels, node: Node, scope: Scope) -> None:
        inner = scope.inside(entry, node, self._problems)
        step = lower(verb, entry, node, self._setting)
        self._check_name(entry.as_, node)
        if step.kind is StepKind.EIS and entry.on_resume == "continue":
            place = node.child("on_resume")
            self._problems.append(Problem(place.where, "half a spectrum cannot be continued"))
        if not inner.in_repeat and any(end.target is Target.BREAK for end in step.ends):
            place = node.child(verb, "until")
            self._problems.append(Problem(place.where, "then: break, but there is no repeat here"))
        restarts = step.kind in _RESTARTS
        if inner.on_resume and step.kind is not StepKind.EIS:
            restarts = inner.on_resume == "restart"
        self._instructions.append(
            replace(
                step,
                record=inner.record,
                phase=inner.phase,
                tag=inner.tag,
                name=entry.as_ or "",
                restart_on_resume=restarts,
                line=node.line,
            )
        )

    def _check_name(self, name: str | None, node: Node) -> None:
        if name is None:
            return
        place = node.child("as").where
        first = self._names.setdefault(name, place)
        if first != place:
            self._problems.append(Problem(place, f"the name {name!r} is taken, at {first}"))

    # --- blocks ----------------------------------------------------------------------------------

    def _repeat(self, entry: RepeatEntry, node: Node, scope: Scope) -> None:
        start = len(self._instructions)
        self._places[start] = node
        if entry.counts is not None:
            self._counts[start] = entry.counts
        self._instructions.append(LoopStart(start, entry.repeat, line=node.line))
        inner = scope.inside(entry, node, self._problems)
        self._steps(node.child("steps"), replace(inner, in_repeat=True))
        end = len(self._instructions)
        if end == start + 1:
            return  # empty: said already
        self._instructions.append(LoopEnd(start, entry.until))
        self._instructions[start] = LoopStart(end, entry.repeat, line=node.line)

    def _for_each(self, entry: ForEachEntry, bare: Node, node: Node, scope: Scope) -> None:
        inner = scope.inside(entry, node, self._problems)
        name = next(iter(entry.for_each))
        values = bare.child("for_each", name)
        if name in scope.variables.values:
            message = f"the variable {name!r} exists already; choose another name"
            self._problems.append(Problem(values.key_where, message))
        for value in values.items():
            bound = replace(inner, variables=inner.variables.binding(name, value.text))
            self._steps(node.child("steps"), bound)

    def _if(self, entry: IfEntry, node: Node, scope: Scope) -> None:
        inner = scope.inside(entry, node, self._problems)
        when = entry.if_.when
        if "pass" in names_in(when) and not inner.in_repeat:
            place = node.child("if", "when")
            self._problems.append(Problem(place.where, "'pass' means nothing outside a repeat"))
        branch = len(self._instructions)
        self._instructions.append(Branch(when, branch, line=node.line))
        self._steps(node.child("if", "then"), inner)
        if entry.if_.else_ is not None:
            jump = len(self._instructions)
            self._instructions.append(Jump(jump))
            self._instructions[branch] = Branch(when, jump + 1, line=node.line)
            self._steps(node.child("if", "else"), inner)
            self._instructions[jump] = Jump(len(self._instructions))
        else:
            self._instructions[branch] = Branch(when, len(self._instructions), line=node.line)

    def _inner_problems(self, verb: str, node: Node, scope: Scope) -> None:
        """Look into a block whose head is wrong, as far as its variables are known."""
        if verb == "for_each":
            return
        for path in _STEP_LISTS[verb]:
            lists = node.child(*path)
            if lists is not node and isinstance(lists.value, list):
                self._steps(lists, replace(scope, in_repeat=True))


def _not_a_step(node: Node) -> str:
    if isinstance(node.value, str) and " " in node.value.strip():
        return not_yet("a sentence as a step")
    return f"got {node.plain()!r}, expected a step"
