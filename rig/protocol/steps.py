"""One validated step -> one primitive ``Step`` in base units, with everything that can be wrong.

Knows the cell (for C-rates and current densities) and the safety limits; knows no flow, and no
file beyond the node that a problem points at.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rig.core.errors import Problem, did_you_mean
from rig.core.instruments import Sweep
from rig.protocol import rules
from rig.protocol.models import (
    CcCv,
    Charge,
    Discharge,
    Eis,
    Ending,
    Ends,
    Hold,
    RecordRule,
    Resistance,
    Rest,
    SetTemperature,
)
from rig.protocol.program import (
    QUANTITIES,
    CellFacts,
    End,
    Galvanostat,
    Potentiostat,
    RecordPhase,
    Safety,
    Stability,
    Step,
    StepKind,
    Target,
    TemperatureTarget,
)
from rig.protocol.quantities import Comparison, Level
from rig.protocol.schema import StepLabels
from rig.protocol.source import Node
from rig.protocol.words import AUXILIARY_EXAMPLE


@dataclass(frozen=True, slots=True)
class Setting:
    """What steps are compiled against, and where their problems go."""

    cell: CellFacts
    safety: Safety
    problems: list[Problem]
    auxiliaries: Mapping[str, str] = field(default_factory=dict)  # name -> dimension, as declared
    misread: frozenset[str] = frozenset()  # keys of the cell that stand there and were refused

    def refuse(self, node: Node, message: str, example: str = "") -> None:
        self.problems.append(Problem(node.where, message, example=example))


LOWEST_REPEATED = 3  # science: 3 to 5 points, compared with the first time


# --- what depends on the cell --------------------------------------------------------------------

_MISSING = {
    "rate": ("capacity", "the cell's rated capacity", "cell: {capacity: 2 mAh}"),
    "fraction": ("capacity", "the cell's rated capacity", "cell: {capacity: 2 mAh}"),
    "current_density": ("area", "the cell's area", "cell: {area: 0.785 cm^2}"),
}


def base_value(level: Level, node: Node, setting: Setting) -> float:
    """Return ampere for rates and current densities, ampere hour for fractions of the capacity.

    nan after a problem, so that the other problems of the same step are still found.
    """
    factors = {
        "rate": setting.cell.capacity_ah,
        "fraction": setting.cell.capacity_ah,
        "current_density": setting.cell.area_square_centimetre,
    }
    factor = factors.get(level.dimension, 1.0)
    if factor is None:
        key, needed, example = _MISSING[level.dimension]
        if key not in setting.misread:
            setting.refuse(node, f"{level.text} needs {needed}, which nobody gave", example)
        return math.nan
    return level.value * factor


# --- ends ----------------------------------------------------------------------------------------


def _ends(kind: StepKind, options: Ending, node: Node, setting: Setting) -> tuple[End, ...]:
    """Return every end of a step, ``for`` last."""
    ends = [
        end
        for comparison, target, place in _written_ends(options, node)
        if (end := _end(kind, comparison, target, place, setting)) is not None
    ]
    if options.for_ is not None:
        place = node.child("for")
        if any(end.quantity == "time" for end in ends):
            setting.refuse(place, "the time is given twice, by 'for' and in 'until'")
        ends.append(End("time", ">=", options.for_, words=f"for {place.text}"))
    return tuple(ends)


def _written_ends(options: Ending, node: Node) -> list[tuple[Comparison, Target, Node]]:
    place = node.child("until")
    if options.until is None:
        return []
    if not isinstance(options.until, list):
        return _one_item(options.until, place)
    items = [_one_item(item, place.child(index)) for index, item in enumerate(options.until)]
    return list(itertools.chain.from_iterable(items))


def _one_item(item: Comparison | Ends, place: Node) -> list[tuple[Comparison, Target, Node]]:
    if isinstance(item, Comparison):
        return [(item, Target.NEXT, place)]
    named = place.child("auxiliaries")
    return [
        (end, item.then, (place if end.quantity in QUANTITIES else named).child(end.quantity))
        for end in item.comparisons()
    ]


def _end(
    kind: StepKind, comparison: Comparison, target: Target, place: Node, setting: Setting
) -> End | None:
    if comparison.quantity not in QUANTITIES and not declared(
        comparison.quantity, comparison.level.dimension, place, setting
    ):
        return None
    problem = rules.end_problem(kind, comparison.quantity, comparison.operator)
    if problem is not None:
        setting.refuse(place, f"until {comparison.words}: {problem[0]}", problem[1])
        return None
    value = base_value(comparison.level, place, setting)
    operator = rules.operator_for(kind, comparison.quantity, comparison.operator)
    end = End(comparison.quantity, operator, value, target, comparison.words)
    if message := rules.end_message(end, setting.safety):
        setting.refuse(place, message)
    return end


def declared(name: str, dimension: str, place: Node, setting: Setting) -> bool:
    """Say whether the protocol declares this auxiliary in this dimension; add what is wrong."""
    known = setting.auxiliaries.get(name)
    if known is None:
        names = [*QUANTITIES, *setting.auxiliaries]
        message = f"unknown quantity {name!r}, expected one of {', '.join(names)}"
        suggestion = did_you_mean(name, names)
        problem = Problem(place.where, message, AUXILIARY_EXAMPLE, suggestion)
        setting.problems.append(problem)
        return False
    if known != dimension:
        message = f"{name} is declared as a {known}, and this is a {dimension}"
        setting.refuse(place, message, AUXILIARY_EXAMPLE)
    return known == dimension


# --- the steps -----------------------------------------------------------------------------------


def _rest(options: Rest, node: Node, setting: Setting) -> Step:
    ends = _ends(StepKind.REST, options, node, setting)
    return Step(StepKind.REST, _words("rest", ends), ends)


def _charge(options: Charge, node: Node, setting: Setting) -> Step:
    return _constant_current(StepKind.CHARGE, options, node, setting)


def _discharge(options: Discharge, node: Node, setting: Setting) -> Step:
    return _constant_current(StepKind.DISCHARGE, options, node, setting)


def _constant_current(
    kind: StepKind, options: Charge | Discharge, node: Node, setting: Setting
) -> Step:
    charges = kind is StepKind.CHARGE
    current = base_value(options.at, node.child("at"), setting)
    ends = _ends(kind, options, node, setting)
    # The cell may pass no voltage end in the direction it is driven, so the first one reached is
    # what the instrument is armed with; without one, the safety limit is.
    operator, nearest = (">=", min) if charges else ("<=", max)
    voltages = [end.value for end in ends if end.quantity == "voltage" and end.operator == operator]
    bound = setting.safety.voltage_max_volt if charges else setting.safety.voltage_min_volt
    limit = nearest(voltages) if voltages else math.nan if bound is None else bound
    drive = Galvanostat(current if charges else -current, limit)
    return Step(kind, _words(f"{kind.value} at {options.at.text}", ends), ends, drive=drive)


def _cccv(options: CcCv, node: Node, setting: Setting) -> Step:
    current = base_value(options.at, node.child("at"), setting)
    sign = 1.0 if options.direction == "charge" else -1.0
    ends = _ends(StepKind.CCCV, options, node, setting)
    to = node.child("to").text
    words = _words(f"{options.direction} at {options.at.text} to {to}, hold", ends)
    return Step(
        StepKind.CCCV, words, ends, drive=Galvanostat(sign * current, options.to, hold=True)
    )


def _hold(options: Hold, node: Node, setting: Setting) -> Step:
    ends = _ends(StepKind.HOLD, options, node, setting)
    if options.limit is not None:
        limit = base_value(options.limit, node.child("limit"), setting)
    elif setting.safety.current_max_ampere is not None:
        limit = setting.safety.current_max_ampere
    else:
        limit = math.nan
        message = "a hold needs the largest current allowed: 'limit' here or 'current' in safety"
        setting.refuse(node, message, "hold: {at: 4.2 V, until: C/20, limit: 1C}")
    words = _words(f"hold {node.child('at').text}", ends)
    drive = Potentiostat(options.at, limit, limit_of_safety=options.limit is None)
    return Step(StepKind.HOLD, words, ends, drive=drive)


def _words(what: str, ends: tuple[End, ...]) -> str:
    until = [end.words for end in ends if not end.words.startswith("for ")]
    lasting = [end.words for end in ends if end.words.startswith("for ")]
    parts = ["until " + " or ".join(until)] if until else []
    return " ".join([what, " or ".join(parts + lasting)])


def _eis(options: Eis, node: Node, setting: Setting) -> Step:
    decades = abs(math.log10(options.from_ / options.to))
    amplitude = options.amplitude
    sweep = Sweep(
        options.from_,
        options.to,
        round(decades * options.points_per_decade) + 1,
        amplitude_volt=amplitude.value if amplitude.dimension == "voltage" else None,
        amplitude_ampere=amplitude.value if amplitude.dimension == "current" else None,
        bias_volt=options.bias,
    )
    span = f"{node.child('from').text} to {node.child('to').text}"
    at = f" at {node.child('bias').text}" if options.bias is not None else ""
    words = f"EIS {span}, {options.points_per_decade} points per decade, {amplitude.text}{at}"
    if options.repeat_if_invalid:
        words += f", again up to {options.repeat_if_invalid} times if invalid"
    repeat, most = _repeat(options, sweep, node, setting), options.repeat_if_invalid
    return Step(StepKind.EIS, words, sweep=sweep, repeat=repeat, repeat_if_invalid=most)


def _repeat(options: Eis, sweep: Sweep, node: Node, setting: Setting) -> Sweep | None:
    """Return the sweep over the lowest points: what Kramers-Kronig misses, a repetition shows.

    Science: a drift of 10 % over a whole sweep leaves a Kramers-Kronig residual below 1 %.
    """
    wanted = options.repeat_lowest
    if wanted is not None and wanted > sweep.points:
        message = f"got {wanted}, but the spectrum has only {sweep.points} points"
        setting.refuse(node.child("repeat_lowest"), message, "repeat_lowest: 3")
    count = min(LOWEST_REPEATED if wanted is None else wanted, sweep.points)
    return lowest_points(sweep, count) if count else None


def lowest_points(sweep: Sweep, count: int) -> Sweep:
    """Return the sweep over the ``count`` lowest of a sweep's frequencies, in the same order."""
    ratio = (sweep.stop_hertz / sweep.start_hertz) ** (1.0 / max(sweep.points - 1, 1))
    if sweep.stop_hertz < sweep.start_hertz:
        return replace(sweep, start_hertz=sweep.stop_hertz / ratio ** (count - 1), points=count)
    return replace(sweep, stop_hertz=sweep.start_hertz * ratio ** (count - 1), points=count)


def _resistance(_options: Resistance, _node: Node, _setting: Setting) -> Step:
    return Step(StepKind.RESISTANCE, "AC resistance")


def _set_temperature(options: SetTemperature, node: Node, setting: Setting) -> Step:
    stability = None
    if (stable := options.stable) is not None:
        if stable.amplitude.dimension != "voltage":
            place = node.child("stable", "amplitude")
            setting.refuse(place, "expected a voltage: this spectrum is potentiostatic", "10 mV")
        stability = Stability(stable.impedance, stable.at, stable.every, stable.amplitude.value)
    soak = options.soak or 0.0
    target = TemperatureTarget(options.to, options.within, soak, options.timeout, stability)
    words = f"set {node.child('to').text}"
    if options.soak is not None:
        words += f", soak {node.child('soak').text}"
    if stability is not None:
        at = node.child("stable", "at").text
        words += f", until |Z| at {at} is stable within {node.child('stable', 'impedance').text}"
    return Step(StepKind.SET_TEMPERATURE, words, temperature=target)


_LOWER: dict[str, Callable[[Any, Node, Setting], Step]] = {
    "rest": _rest,
    "charge": _charge,
    "discharge": _discharge,
    "hold": _hold,
    "cccv": _cccv,
    "eis": _eis,
    "resistance": _resistance,
    "set_temperature": _set_temperature,
}


def lower(verb: str, entry: StepLabels, node: Node, setting: Setting) -> Step:
    """Return the step that ``entry``, written at ``node``, means; adds what is wrong with it."""
    options_node = node.child(verb)
    step = _LOWER[verb](getattr(entry, verb), options_node, setting)
    rules.check_step(step, setting.safety, options_node, setting.problems)
    return step


# --- recording -----------------------------------------------------------------------------------


def record_phases(
    record: RecordRule | list[RecordRule], node: Node, problems: list[Problem]
) -> tuple[RecordPhase, ...]:
    """Return the phases; each rule's ``for`` lasts from the end of the one before it."""
    written = record if isinstance(record, list) else [record]
    if not written:
        problems.append(Problem(node.where, "record: is empty", example=RecordRule.example))
    phases: list[RecordPhase] = []
    elapsed = 0.0
    for index, rule in enumerate(written):
        is_last = index == len(written) - 1
        place = node.child(index)
        if is_last != (rule.for_ is None):
            message = "the last rule has no end" if is_last else "only the last rule has no 'for'"
            example = "record: [{for: 60 s, every: 1 s}, {every: 10 s}]"
            problems.append(Problem(place.where, f"record: {message}", example=example))
        elapsed += rule.for_ or 0.0
        change = rule.on_change
        phases.append(
            RecordPhase(
                rule.every,
                None if is_last else elapsed,
                change.voltage if change else None,
                change.current if change else None,
            )
        )
    return tuple(phases)
