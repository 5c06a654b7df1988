"""Conditions as trees: their truth while a run goes on, and their text. Standard library only.

No expression ever executes code. ``conditions.py`` reads the text; the engine needs only this.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from rig.protocol.program import NAMES, Expression, Name, Number, Operation

# Kinds of values: what may be compared and added.
NUMBER, FRACTION, CAPACITY, TIME, CONDITION = "number", "fraction", "capacity", "time", "condition"
_KIND_OF_UNIT = {"1": NUMBER, "fraction": FRACTION, "Ah": CAPACITY, "s": TIME}
KIND_OF_NAME = {
    name: _KIND_OF_UNIT[unit.replace(",", " ").split()[0]] for name, unit in NAMES.items()
}

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
WORDS = ("and", "or", "not")
# How tightly an operator binds; comparisons do not chain.
LEVELS = {"or": 1, "and": 2, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5}
LEVELS |= {"*": 6, "/": 6, "%": 6}
NOT_LEVEL, NEGATION_LEVEL = 3, 7


def arithmetic_kind(sign: str, left: str, right: str) -> str | None:
    """Return what an operation of two kinds gives; None where it means nothing."""
    if CONDITION in (left, right):
        return None
    if sign in COMPARISONS:
        return CONDITION if left == right else None
    if sign in "+-%":
        return left if left == right else None
    plain = (NUMBER, FRACTION)
    if sign == "*":
        if left in plain and right in plain:
            return FRACTION if FRACTION in (left, right) else NUMBER
        return right if left in plain else left if right in plain else None
    if left == right:
        return NUMBER if left == NUMBER else FRACTION
    return left if right in plain else None


# --- truth ---------------------------------------------------------------------------------------

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def evaluate(expression: Expression, values: Mapping[str, float]) -> float | None:
    """Return the value, 1.0 and 0.0 for true and false; None while something it needs is missing.

    ``true or missing`` is true and ``false and missing`` is false; everything else that touches a
    missing value is missing, ``not`` included, so that what is missing never triggers anything. A
    division by zero is missing, too.
    """
    match expression:
        case Number(value):
            return value
        case Name(name):
            return values.get(name)
        case Operation(sign, operands):
            return _operate(sign, [evaluate(operand, values) for operand in operands])


def is_true(expression: Expression, values: Mapping[str, float]) -> bool:
    """Return whether the condition holds; missing counts as false."""
    return bool(evaluate(expression, values))


def _operate(sign: str, values: list[float | None]) -> float | None:
    if sign in ("and", "or"):
        decisive = 0.0 if sign == "and" else 1.0
        if any(value is not None and bool(value) == bool(decisive) for value in values):
            return decisive
        return None if None in values else 1.0 - decisive
    present = [value for value in values if value is not None]
    if len(present) < len(values):
        return None
    if sign == "not":
        return float(not present[0])
    if sign == "neg":
        return -present[0]
    try:
        return float(_ARITHMETIC[sign](present[0], present[1]))
    except (ZeroDivisionError, OverflowError):
        return None


def names_in(expression: Expression) -> set[str]:
    """Return the names that the expression refers to."""
    if isinstance(expression, Operation):
        return set().union(*(names_in(operand) for operand in expression.operands))
    return {expression.name} if isinstance(expression, Name) else set()


# --- back to text --------------------------------------------------------------------------------


def write(expression: Expression) -> str:
    """Return the condition as text that reads back as the same expression.

    >>> write(Operation("<", (Name("capacity_retention"), Number(0.8))))
    'capacity_retention < 80 %'
    """
    return _written(expression, CONDITION)


def _written(expression: Expression, kind: str, lowest: int = 0) -> str:
    if isinstance(expression, Number):
        return _written_number(expression.value, kind)
    if isinstance(expression, Name):
        return expression.name
    sign, operands = expression.operator, expression.operands
    if sign == "not":
        level, text = NOT_LEVEL, f"not {_written(operands[0], CONDITION, NOT_LEVEL)}"
    elif sign == "neg":
        level, text = NEGATION_LEVEL, f"-{_written(operands[0], kind, NEGATION_LEVEL)}"
    else:
        level = LEVELS[sign]
        left_kind, right_kind = _operand_kinds(sign, operands, kind)
        left = _written(operands[0], left_kind, level + (sign in COMPARISONS))
        text = f"{left} {sign} {_written(operands[1], right_kind, level + 1)}"
    return f"({text})" if level < lowest else text


def _written_number(value: float, kind: str) -> str:
    if kind == FRACTION:
        return f"{value * 100:.12g} %"
    return repr(value).removesuffix(".0") + {CAPACITY: " Ah", TIME: " s"}.get(kind, "")


def _operand_kinds(sign: str, operands: tuple[Expression, ...], kind: str) -> tuple[str, str]:
    """Return the kinds in which number operands must be written to give ``kind`` again."""
    left, right = (_known_kind(operand) for operand in operands)
    if sign in ("and", "or"):
        return CONDITION, CONDITION
    if sign in ("*", "/"):
        return left or NUMBER, right or NUMBER
    same = left or right or (NUMBER if sign in COMPARISONS else kind)
    return same, same


def _known_kind(expression: Expression) -> str | None:
    """Return the kind as far as the names in it tell; None for a bare number."""
    if isinstance(expression, Name):
        return KIND_OF_NAME[expression.name]
    if isinstance(expression, Number):
        return None
    kinds = [_known_kind(operand) for operand in expression.operands]
    if expression.operator in (*COMPARISONS, *WORDS):
        return CONDITION
    if expression.operator in ("*", "/"):
        return arithmetic_kind(expression.operator, kinds[0] or NUMBER, kinds[1] or NUMBER)
    return next((kind for kind in kinds if kind is not None), None)
