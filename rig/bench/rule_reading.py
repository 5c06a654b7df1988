"""A rule as somebody writes it, read strictly: everything that is wrong is said at once.

Page, REST and command line all come this way, so that the same words are refused for the same reason.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeVar

from sqlalchemy import Engine

from rig.bench.run_choice import CONDITION, choose_runs
from rig.core.alarms import RULE_KIND, Severity
from rig.core.alert_rules import (
    LEAST_SILENCE_SECOND,
    QUANTITIES,
    SILENCE,
    AlertRule,
    Comparison,
    Statistic,
    kind_of,
)
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity

LONGEST_NAME, LONGEST_CONDITION = 60, 2000
MOST_CYCLES = 1_000_000
_NAME_EXAMPLE = "name: Low efficiency"

Word = TypeVar("Word", bound=Enum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule in words; ``threshold`` with its unit, ``quantity`` and the rest as rig.core.alert_rules."""

    name: str
    quantity: str
    threshold: str
    comparison: str = Comparison.BELOW.value
    statistic: str = Statistic.VALUE.value
    reference_cycle: int | None = None
    first_cycle: int = 1
    consecutive: int = 1
    severity: str = Severity.WARNING.value
    runs_where: str = ""
    recipients: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes a rule, when (UTC microseconds), and of which rule it is another wording."""

    who: str
    wall_us: int
    before: AlertRule | None = None


def read_rule(
    text: RuleText, author: Author, engine: Engine, known: Collection[str] | None
) -> AlertRule:
    """Return the rule that these words mean; ``known`` are the names under ``notify:``, None for unknown.

    Raises BadInput with every problem. Whether the name is free is the store's to say.
    """
    return _Reader(text, engine, known).rule(author)


class _Pieces(NamedTuple):
    """What of a rule is no text any more."""

    statistic: Statistic
    comparison: Comparison
    severity: Severity
    threshold: float


def _made(text: RuleText, pieces: _Pieces, author: Author) -> AlertRule:
    before = author.before
    return AlertRule(
        rule_id=before.rule_id if before else uuid.uuid4().hex,
        name=text.name.strip(),
        runs_where=text.runs_where.strip(),
        quantity=text.quantity,
        statistic=pieces.statistic,
        reference_cycle=text.reference_cycle if pieces.statistic.needs_cycle else None,
        first_cycle=text.first_cycle,
        comparison=pieces.comparison,
        threshold=pieces.threshold,
        consecutive=text.consecutive,
        severity=pieces.severity,
        recipients=tuple(dict.fromkeys(text.recipients)),
        enabled=text.enabled,
        made_by=before.made_by if before else author.who,
        made_us=before.made_us if before else author.wall_us,
        changed_us=author.wall_us,
    )


class _Reader:
    """Reads a rule piece by piece; a piece that is wrong is None, and its problem is kept."""

    def __init__(self, text: RuleText, engine: Engine, known: Collection[str] | None) -> None:
        self._text, self._engine, self._known = text, engine, known
        self._problems: list[Problem] = []

    def rule(self, author: Author) -> AlertRule:
        pieces = self._pieces()
        if self._problems or pieces is None:
            raise BadInput(self._problems)
        return _made(self._text, pieces, author)

    def _pieces(self) -> _Pieces | None:
        """Read every piece, also after one that is wrong."""
        text = self._text
        self._name()
        about = self._quantity()
        statistic = self._word("statistic", text.statistic, Statistic)
        comparison = self._word("comparison", text.comparison, Comparison)
        severity = self._word("severity", text.severity, Severity)
        self._cycles(statistic)
        if about == SILENCE:
            self._silence(statistic, comparison)
        threshold = None if about is None else self._threshold(about, statistic)
        self._recipients()
        self._condition(statistic)
        if statistic is None or comparison is None or severity is None or threshold is None:
            return None
        return _Pieces(statistic, comparison, severity, threshold)

    def _refuse(self, where: str, message: str, example: str = "", suggestion: str = "") -> None:
        self._problems.append(Problem(where, message, example, suggestion))

    def _name(self) -> None:
        name = self._text.name.strip()
        if not name.isprintable() or len(name) > LONGEST_NAME or kind_of(name) == RULE_KIND:
            rule = f"1 to {LONGEST_NAME} characters in one line, a letter or a number among them"
            self._refuse("name", f"got {_short(name)}, expected {rule}", _NAME_EXAMPLE)

    def _quantity(self) -> str | None:
        given = self._text.quantity
        if given in QUANTITIES:
            return given
        message = f"got {_short(given)}, expected one of {', '.join(QUANTITIES)}"
        suggestion = did_you_mean(given, QUANTITIES)
        self._refuse("quantity", message, "quantity: coulombic_efficiency", suggestion)
        return None

    def _word(self, where: str, given: str, words: type[Word]) -> Word | None:
        known = [word.value for word in words]
        if given in known:
            return words(given)
        message = f"got {_short(given)}, expected one of {', '.join(known)}"
        self._refuse(where, message, f"{where}: {known[0]}", did_you_mean(given, known))
        return None

    def _cycles(self, statistic: Statistic | None) -> None:
        text = self._text
        for where, number in (("first_cycle", text.first_cycle), ("consecutive", text.consecutive)):
            if not 1 <= number <= MOST_CYCLES:
                self._refuse(where, f"got {number}, expected 1 or more", f"{where}: 3")
        reference = text.reference_cycle
        if statistic is None or not statistic.needs_cycle:
            return
        if reference is None:
            message = f"is missing; {statistic.value!r} needs the cycle to compare with"
            self._refuse("reference_cycle", message, "reference_cycle: 5")
        elif not 1 <= reference <= MOST_CYCLES:
            self._refuse(
                "reference_cycle", f"got {reference}, expected 1 or more", "reference_cycle: 5"
            )

    def _silence(self, statistic: Statistic | None, comparison: Comparison | None) -> None:
        """Silence is a time and nothing else: there are no cycles to compare."""
        if statistic not in (None, Statistic.VALUE):
            self._refuse("statistic", f"{SILENCE} has only a value", "statistic: value")
        if comparison not in (None, Comparison.ABOVE):
            self._refuse("comparison", f"{SILENCE} can only be above a time", "comparison: above")
        if self._text.consecutive != 1 or self._text.first_cycle != 1:
            self._refuse("consecutive", f"{SILENCE} knows no cycles", "consecutive: 1")

    def _threshold(self, about: str, statistic: Statistic | None) -> float | None:
        known, is_ratio = QUANTITIES[about], statistic is not None and statistic.is_ratio
        if is_ratio and not known.dimension:
            self._refuse("statistic", f"{about} is a count: it has no ratio", "statistic: value")
            return None
        dimension = "fraction" if is_ratio else known.dimension
        if not dimension:
            return self._count()
        value = self._collect(lambda: quantity(self._text.threshold, dimension, "threshold"))
        if about == SILENCE and value is not None and value < LEAST_SILENCE_SECOND:
            got = f"got {self._text.threshold!r}, expected {LEAST_SILENCE_SECOND:.0f} s or more"
            self._refuse("threshold", got, "threshold: 10 min")
        return value

    def _count(self) -> float | None:
        try:
            value = float(self._text.threshold)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        got = f"got {_short(self._text.threshold)}, expected a number: it counts spectra of a cycle"
        self._refuse("threshold", got, "threshold: 0.5")
        return None

    def _recipients(self) -> None:
        for name in self._text.recipients:
            if self._known is not None and name not in self._known:
                there = ", ".join(self._known) or "none; give an entry of notify: a name"
                message = f"got {_short(name)}, and the names under notify: are {there}"
                example = "notify: [{name: maria, url: $RIG_NOTIFY_URL}]"
                self._refuse("recipients", message, example, did_you_mean(name, self._known))

    def _condition(self, statistic: Statistic | None) -> None:
        where = self._text.runs_where.strip()
        if statistic is not None and statistic.needs_group and not where:
            message = f"is empty; {statistic.value!r} needs a group of like cells"
            self._refuse("runs_where", message, f"runs_where: {CONDITION}")
        if len(where) > LONGEST_CONDITION or "\0" in where:
            self._refuse("runs_where", f"is longer than {LONGEST_CONDITION} characters, or no text")
        elif where:
            self._collect(lambda: choose_runs(self._engine, where, among=(), place="runs_where"))

    def _collect(self, read: Callable[[], Value]) -> Value | None:
        try:
            return read()
        except BadInput as bad:
            self._problems += bad.problems
            return None


def _short(text: str) -> str:
    return repr(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "...")


def text_of(rule: AlertRule) -> RuleText:
    """Return a rule as somebody would write it; ``read_rule`` makes the same rule of it."""
    return RuleText(
        rule.name,
        rule.quantity,
        rule.threshold_text,
        rule.comparison.value,
        rule.statistic.value,
        rule.reference_cycle,
        rule.first_cycle,
        rule.consecutive,
        rule.severity.value,
        rule.runs_where,
        rule.recipients,
        rule.enabled,
    )
