"""Conditions as people write them: ``cycle % 50 == 0``, ``capacity_retention < 80 %``.

A tokenizer and a precedence parser of our own: no expression ever executes code. Kinds are checked
while parsing, so that a capacity is never compared with a bare number. Knows no YAML, no engine.

``%`` is the remainder when a number, a name or ``(`` follows it, and per cent otherwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity
from rig.protocol.expressions import (
    CAPACITY,
    COMPARISONS,
    CONDITION,
    FRACTION,
    KIND_OF_NAME,
    LEVELS,
    NOT_LEVEL,
    NUMBER,
    TIME,
    WORDS,
    arithmetic_kind,
    evaluate,
)
from rig.protocol.program import NAMES, Expression, Name, Number, Operation

EXAMPLE = "cycle % 50 == 0"
LONGEST = 200  # characters; also bounds how deep parentheses can nest

_UNIT_EXAMPLES = {FRACTION: "80 %", CAPACITY: "1.5 mAh", TIME: "100 h", NUMBER: "50"}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d][\w.]*)"
    r"|(?P<sign><=|>=|==|!=|[-+*/%<>()]))"
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, sign or end
    text: str
    start: int


def parse_condition(text: object, where: str = "condition") -> Expression:
    """Read a condition; raises BadInput for anything else, with the place inside the text.

    >>> parse_condition("cycle == 2")
    Operation(operator='==', operands=(Name(name='cycle'), Number(value=2.0)))
    """
    if not isinstance(text, str):
        raise BadInput(Problem(where, f"got {text!r}, expected a condition", example=EXAMPLE))
    if len(text) > LONGEST:
        raise BadInput(Problem(where, f"the condition is longer than {LONGEST} characters"))
    return _Parser(text, where).condition()


class _Parser:
    """Precedence climbing; every method returns the tree and its kind."""

    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where
        self._tokens = list(self._tokenize())
        self._next = 0

    def condition(self) -> Expression:
        expression, kind = self._binary(1)
        if self._peek().kind != "end":
            raise self._unexpected(self._peek())
        if kind != CONDITION:
            raise self._refuse(f"is a {kind}, not a condition that is true or false")
        return expression

    def _tokenize(self) -> Iterator[_Token]:
        position = 0
        while self._text[position:].strip():
            match = _TOKEN.match(self._text, position)
            if match is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                raise self._unexpected(_Token("sign", self._text[start], start))
            kind = match.lastgroup or ""
            yield _Token(kind, match[kind], match.start(kind))
            position = match.end()
        yield _Token("end", "", len(self._text))

    def _binary(self, lowest: int) -> tuple[Expression, str]:
        left, kind = self._unary()
        while (level := LEVELS.get(self._peek().text, 0)) >= lowest:
            sign = self._take().text
            right, right_kind = self._binary(level + 1)
            if sign in ("*", "/"):
                self._demand_plain_number(left, kind)
                self._demand_plain_number(right, right_kind)
            kind = self._kind(sign, kind, right_kind)
            left = _folded(sign, left, right)
            if sign in COMPARISONS and self._peek().text in COMPARISONS:
                raise self._refuse("compares twice; join two comparisons with 'and'")
        return left, kind

    def _unary(self) -> tuple[Expression, str]:
        if self._peek().text == "not":
            self._take()
            operand, kind = self._binary(NOT_LEVEL)
            self._demand(CONDITION, kind, "not")
            return Operation("not", (operand,)), CONDITION
        if self._peek().text == "-":
            self._take()
            operand, kind = self._unary()
            if kind == CONDITION:
                raise self._refuse("has a minus before a condition")
            if isinstance(operand, Number):
                return Number(-operand.value), kind
            return Operation("neg", (operand,)), kind
        return self._primary()

    def _primary(self) -> tuple[Expression, str]:
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "name" and token.text not in WORDS:
            if token.text not in NAMES:
                raise self._refuse(f"has the unknown name {token.text!r}", token.text)
            return Name(token.text), KIND_OF_NAME[token.text]
        if token.text == "(":
            inner = self._binary(1)
            if self._take().text != ")":
                raise self._refuse("has a '(' that is never closed")
            return inner
        raise self._unexpected(token)

    def _number(self, token: _Token) -> tuple[Expression, str]:
        value = float(token.text)
        if not math.isfinite(value):
            raise self._refuse(f"has {token.text}, which is too large for a number")
        unit = self._peek()
        if unit.text == "%" and not self._starts_operand(self._tokens[self._next + 1]):
            self._take()
            return Number(quantity(f"{token.text} %", FRACTION, self._where)), FRACTION
        if unit.kind == "name" and unit.text not in WORDS:
            self._take()
            return self._with_unit(f"{token.text} {unit.text}")
        return Number(value), NUMBER

    def _with_unit(self, text: str) -> tuple[Expression, str]:
        for kind in (TIME, CAPACITY):
            try:
                return Number(quantity(text, kind, self._where)), kind
            except BadInput:
                continue
        raise self._refuse(f"has {text!r}, expected a time, a capacity or a number in per cent")

    def _kind(self, sign: str, left: str, right: str) -> str:
        if sign in ("and", "or"):
            self._demand(CONDITION, left, sign)
            self._demand(CONDITION, right, sign)
            return CONDITION
        kind = arithmetic_kind(sign, left, right)
        if kind is None:
            missing = right if left == NUMBER else left
            raise BadInput(
                Problem(
                    self._where,
                    f"{self._text!r}: a {left} {sign} a {right} means nothing",
                    example=_UNIT_EXAMPLES.get(missing, EXAMPLE),
                )
            )
        return kind

    def _demand(self, wanted: str, got: str, sign: str) -> None:
        if wanted != got:
            raise self._refuse(f"has a {got} beside {sign!r}, expected a {wanted}")

    def _demand_plain_number(self, operand: Expression, kind: str) -> None:
        # A literal with a unit in a product would make its kind unknowable from the tree alone,
        # and the tree is all that is kept.
        if isinstance(operand, Number) and kind != NUMBER:
            raise self._refuse("has a unit inside a product or quotient; write a plain number")

    @staticmethod
    def _starts_operand(token: _Token) -> bool:
        is_name = token.kind == "name" and token.text not in WORDS
        return is_name or token.kind == "number" or token.text == "("

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _unexpected(self, token: _Token) -> BadInput:
        what = repr(token.text) if token.text else "the end"
        return self._refuse(f"has {what} at character {token.start + 1}, which does not fit there")

    def _refuse(self, message: str, word: str = "") -> BadInput:
        suggestion = did_you_mean(word, NAMES) if word else ""
        return BadInput(
            Problem(self._where, f"{self._text!r} {message}", EXAMPLE, suggestion=suggestion)
        )


def _folded(sign: str, left: Expression, right: Expression) -> Expression:
    operation = Operation(sign, (left, right))
    if sign in "+-*/%" and isinstance(left, Number) and isinstance(right, Number):
        value = evaluate(operation, {})
        if value is not None and math.isfinite(value):
            return Number(value)
    return operation
