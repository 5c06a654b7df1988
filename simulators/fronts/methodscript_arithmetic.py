"""The script commands that only change variables; know no time and no instrument."""

from __future__ import annotations

from collections.abc import Callable

from simulators.fronts.methodscript_errors import Code, ScriptError
from simulators.fronts.methodscript_packages import Variable

_LARGEST = 1e300


def _store(x: Variable, value: Variable, kind: str) -> None:
    x.put(kind, value.value)


def _copy(source: Variable, target: Variable) -> None:
    target.put(source.kind, source.value, source.metadata)


def _alter_type(x: Variable, kind: str) -> None:
    x.kind = kind


def _add(x: Variable, y: Variable) -> None:
    _assign(x, x.value + y.value)


def _subtract(x: Variable, y: Variable) -> None:
    _assign(x, x.value - y.value)


def _multiply(x: Variable, y: Variable) -> None:
    _assign(x, x.value * y.value)


def _divide(x: Variable, y: Variable) -> None:
    if y.value == 0:
        raise ScriptError(Code.DIVISION_BY_ZERO)
    quotient = x.value / y.value
    integers = isinstance(x.value, int) and isinstance(y.value, int)
    _assign(x, int(quotient) if integers else quotient)


def _mean(values: list[float], x: Variable) -> None:
    _assign(x, sum(values) / len(values))


def _assign(x: Variable, value: float) -> None:
    """Give ``x`` a computed value; status and range belonged to the measured one."""
    if not abs(value) < _LARGEST:  # NaN fails every comparison
        raise ScriptError(Code.NOT_A_NUMBER)
    x.put(x.kind, value)


ARITHMETIC: dict[str, Callable[..., None]] = {
    "store_var": _store,
    "copy_var": _copy,
    "alter_vartype": _alter_type,
    "add_var": _add,
    "sub_var": _subtract,
    "mul_var": _multiply,
    "div_var": _divide,
    "mean": _mean,
}
