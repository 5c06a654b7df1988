"""Header and steps -> ``Program``, or one BadInput with everything that is wrong in the file.

Decides what the cell and the safety limits are, and whether the protocol may drive a cell with
them. A problem in the header hides none in the steps.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import TypeVar

from pydantic_core import PydanticCustomError

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.protocol.auxiliaries import limits_of, name_problem, read_auxiliary_unit
from rig.protocol.compile import Compiler, Scope
from rig.protocol.models import (
    Cell,
    Model,
    SafetyLimits,
    SoftLimits,
    SuspendRules,
    TemperatureBand,
    WaitRule,
)
from rig.protocol.program import (
    CellFacts,
    Instruction,
    OnGap,
    Program,
    RecordPhase,
    Safety,
    Step,
    StepKind,
    Suspend,
    SuspendCondition,
)
from rig.protocol.schema import ProtocolFile
from rig.protocol.source import Node
from rig.protocol.steps import Setting, base_value, declared, record_phases
from rig.protocol.validate import validate
from rig.protocol.variables import Variables, check_all_used, global_variables
from rig.protocol.within import contradictions
from rig.protocol.words import AUXILIARY_EXAMPLE

M = TypeVar("M", bound=Model)

_DEFAULT_RECORD = (RecordPhase(every_second=10.0),)
_PLACE = re.compile(r":(\d+):(\d+)$")


def assemble(root: Node, text: str, given: Mapping[str, str], record: CellFacts) -> Program:
    """Return the program of a whole file; ``given`` as by --set, ``record`` the cell's own facts."""
    problems: list[Problem] = []
    variables = global_variables(root, given)
    # `variables` itself is not filled: its values are where filling ends.
    head = variables.fill(root.without_items("steps"), leave="variables")
    header = validate(ProtocolFile, head, problems)
    cell = _cell_facts(_right_part(Cell, head.get("cell")), record)
    misread = _misread(head.get("cell"))
    setting = Setting(cell, Safety(), problems, _auxiliaries(head, problems), misread)
    safety = _safety(head, setting)
    if cell.limits is not None:
        of_both = ("the protocol", safety), ("the cell's record", cell.limits)
        problems += contradictions(of_both, head.child("safety").where)
        safety = safety.intersect(cell.limits)
    setting = replace(setting, safety=safety)
    phases: tuple[RecordPhase, ...] = _DEFAULT_RECORD
    if header is not None and header.record is not None:
        phases = record_phases(header.record, head.child("record"), problems)
    steps = root.get("steps")
    instructions = Compiler(setting).run(steps, Scope(variables, phases)) if steps else ()
    _demand_voltage_limits(instructions, setting, head)
    soft = _soft(head, setting)
    suspend = _suspend(header.suspend if header else None, instructions, head, setting)
    check_all_used(root, given, variables)
    _raise_all(problems, variables)
    return Program(
        header.name if header is not None else "",
        instructions,
        setting.safety,
        cell,
        text,
        hashlib.sha256(text.encode("utf-8")).hexdigest(),
        dict(variables.values),
        OnGap(header.on_gap) if header is not None else OnGap.CONTINUE,
        soft,
        suspend,
        dict(setting.auxiliaries),
    )


def _auxiliaries(head: Node, problems: list[Problem]) -> dict[str, str]:
    """Return the auxiliaries that are declared rightly, name -> dimension."""
    block = head.get("auxiliaries")
    entries = block.value if block is not None and isinstance(block.value, dict) else {}
    found: dict[str, str] = {}
    for name, node in entries.items():
        if message := name_problem(name):
            problems.append(Problem(node.key_where, message, example=AUXILIARY_EXAMPLE))
        with suppress(PydanticCustomError):  # said by the model of the header
            found[name] = read_auxiliary_unit(node.plain())
    return found


def _right_part(model: type[M], block: Node | None) -> M:
    """Return what is right in a block whose keys are all optional; the rest was said already."""
    entries = block.value if block is not None and isinstance(block.value, dict) else {}
    right: dict[str, object] = {}
    for key, node in entries.items():
        alone = replace(node, value={key: node})
        if validate(model, alone, []) is not None:
            right[key] = node.plain()
    return model.model_validate(right)


def _misread(block: Node | None) -> frozenset[str]:
    """Return the facts of the cell that were given and refused: that they are missing is no news."""
    entries = block.value if block is not None and isinstance(block.value, dict) else {}
    meant = {name if name in _CELL_KEYS else did_you_mean(name, _CELL_KEYS) for name in entries}
    right = _right_part(Cell, block)
    return frozenset(name for name in meant if name and getattr(right, name) is None)


_CELL_KEYS = tuple(Cell.model_fields)


def _cell_facts(block: Cell, record: CellFacts) -> CellFacts:
    """Return what is known of the cell; the cell's own record wins over the file."""
    written = CellFacts(block.area, block.thickness, block.capacity, block.mass, block.symmetric)
    recorded = {
        field.name: getattr(record, field.name)
        for field in fields(CellFacts)
        if getattr(record, field.name) is not None
    }
    return replace(written, **recorded)


def _safety(head: Node, setting: Setting) -> Safety:
    limits = _right_part(SafetyLimits, head.get("safety"))
    hard = _bounds(limits, head.child("safety"), setting)
    return replace(
        hard,
        check_every_second=limits.check_every,
        heating_max_kelvin_per_minute=limits.heating,
        lasting_second=limits.lasting or 0.0,
    )


_BOUNDS = (
    "pressure_min_pascal",
    "pressure_max_pascal",
    "voltage_min_volt",
    "voltage_max_volt",
    "current_max_ampere",
    "temperature_min_celsius",
    "temperature_max_celsius",
    "capacity_max_ah",
)


def _soft(head: Node, setting: Setting) -> Safety | None:
    place = head.child("safety").get("soft")
    if place is None or place.value is None:
        return None
    soft = _bounds(_right_part(SoftLimits, place), place, setting)
    tightest = soft.intersect(setting.safety)
    limits = {name: getattr(soft, name) for name in _BOUNDS if getattr(soft, name) is not None}
    looser = any(getattr(tightest, name) != limit for name, limit in limits.items())
    if looser or _looser_auxiliaries(soft, tightest):
        message = "a soft limit lies beyond the hard one: it would never be reached"
        setting.refuse(place, message, SoftLimits.example)
    return soft


def _looser_auxiliaries(soft: Safety, tightest: Safety) -> bool:
    inner = {(limit.name, limit.dimension): limit for limit in tightest.auxiliaries}
    return any(
        limit.low not in (None, inner[limit.name, limit.dimension].low)
        or limit.high not in (None, inner[limit.name, limit.dimension].high)
        for limit in soft.auxiliaries
    )


def _bounds(limits: SoftLimits, place: Node, setting: Setting) -> Safety:
    current, capacity = (
        None if level is None else base_value(level, place.child(key), setting)
        for key, level in (("current", limits.current), ("capacity", limits.capacity))
    )
    low_volt, high_volt = limits.voltage or (None, None)
    low_celsius, high_celsius = limits.temperature or (None, None)
    low_pascal, high_pascal = limits.pressure or (None, None)
    auxiliaries = limits_of(limits.auxiliaries)
    for limit in auxiliaries:
        declared(limit.name, limit.dimension, place.child("auxiliaries", limit.name), setting)
    return Safety(
        low_volt,
        high_volt,
        current,
        low_celsius,
        high_celsius,
        capacity,
        pressure_min_pascal=low_pascal,
        pressure_max_pascal=high_pascal,
        auxiliaries=auxiliaries,
    )


def _suspend(
    rules: SuspendRules | None, instructions: Sequence[Instruction], head: Node, setting: Setting
) -> Suspend:
    """Return the band that a held temperature may leave; it has to be wider than any soak's."""
    targets = [step.temperature for step in instructions if isinstance(step, Step)]
    widest = max((target.within_kelvin for target in targets if target is not None), default=0.0)
    conditions = _wait_rules(rules, head.child("suspend"), setting) if rules else ()
    if rules is None or rules.temperature is None:
        usual = Suspend(conditions=conditions)
        beyond = max(usual.beyond_kelvin, 2.0 * widest)
        return replace(usual, beyond_kelvin=beyond, resume_kelvin=max(usual.resume_kelvin, widest))
    band, place = rules.temperature, head.child("suspend").child("temperature")
    if not widest < band.beyond or not band.resume < band.beyond:
        message = (
            f"beyond {band.beyond:g} K has to be more than resume ({band.resume:g} K) and than "
            f"the widest band of a set_temperature ({widest:g} K)"
        )
        setting.refuse(place, message, TemperatureBand.example)
    return Suspend(band.beyond, band.resume, band.settle, band.timeout, conditions)


def _wait_rules(rules: SuspendRules, place: Node, setting: Setting) -> tuple[SuspendCondition, ...]:
    """Return what else the run waits for; what is wrong with it goes to the problems."""
    named = place.child("auxiliaries")
    found = []
    if rules.pressure is not None:
        found.append(_wait_rule("pressure", rules.pressure, place.child("pressure"), setting))
    for name, rule in rules.auxiliaries.items():
        node = named.child(name)
        declared(name, rule.resume.dimension, node, setting)
        found.append(_wait_rule(name, rule, node, setting))
    return tuple(found)


def _wait_rule(name: str, rule: WaitRule, node: Node, setting: Setting) -> SuspendCondition:
    beyond = rule.above or rule.below
    assert beyond is not None, "the model demands one of both"
    dimension = beyond.dimension
    if name == "pressure" and dimension != "pressure":
        setting.refuse(node, f"got the {dimension} {beyond.text}, expected a pressure", "12 MPa")
    operator = ">=" if rule.above else "<="
    levels = (beyond.value, rule.resume.value)
    return SuspendCondition(
        name, dimension, operator, *levels, rule.settle, rule.timeout, beyond.text
    )


def _demand_voltage_limits(
    instructions: Sequence[Instruction], setting: Setting, head: Node
) -> None:
    """Refuse to drive a cell whose voltage limits nobody stated: only the lab can know them."""
    place = head.child("safety")
    if place.get("voltage") is not None or setting.safety.voltage_max_volt is not None:
        return  # stated, if perhaps wrongly
    first = next((step for step in instructions if isinstance(step, Step) and drives(step)), None)
    if first is None:
        return
    message = f"the voltage limits are missing, and line {first.line} drives the cell"
    setting.refuse(place, message, "safety: {voltage: [2.5 V, 4.3 V]}")


def drives(step: Step) -> bool:
    """Return whether a step puts current or voltage on the cell; a spectrum does, too."""
    stable = step.temperature is not None and step.temperature.stability is not None
    return step.drive is not None or step.kind is StepKind.EIS or stable


def _raise_all(problems: list[Problem], variables: Variables) -> None:
    """Raise BadInput with every problem once, in the file's order.

    A place with an unknown variable has that one problem: the rest there is its consequence.
    """
    unknown = {problem.where for problem in variables.problems}
    own = [problem for problem in problems if problem.where not in unknown]
    found = list(dict.fromkeys(variables.problems + own))
    if found:
        raise BadInput(sorted(found, key=_place))


def _place(problem: Problem) -> tuple[int, int]:
    match = _PLACE.search(problem.where)
    return (int(match[1]), int(match[2])) if match else (0, 0)
