"""The field types of the models: text in, floats in base units (or a Level, a Comparison) out.

Every type reads through ``rig.core.units`` and turns what that refuses into a pydantic error, so
that a model lists all its problems at once. Knows no step and no cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import DIMENSIONS, quantity, rate_per_hour
from rig.protocol.conditions import EXAMPLE, parse_condition
from rig.protocol.program import QUANTITIES, Expression, Target
from rig.protocol.source import scalar
from rig.protocol.words import AUXILIARY_NAME, AUXILIARY_UNITS, LATER, not_yet

# What a current may be written as; the last two need the cell to become amperes.
CURRENT_DIMENSIONS = ("current", "rate", "current_density")
_END_DIMENSIONS = {"current": CURRENT_DIMENSIONS} | {
    name: (name,) for name in QUANTITIES if name != "current"
}
# In a bare end the unit tells the quantity. Temperature last: pint also reads "1 C" as coulomb.
_BARE_ORDER = (
    "voltage",
    "current",
    "time",
    "capacity",
    "energy",
    "power",
    "pressure",
    "temperature",
)
# What an auxiliary may be read in; the channel's sensor says which of them it is.
AUXILIARY_DIMENSIONS = tuple(AUXILIARY_UNITS)


@dataclass(frozen=True, slots=True)
class Level:
    """A value with what it is: base unit of ``dimension``, or multiples of capacity/h for a rate."""

    value: float
    dimension: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """An end as written; ``operator`` is empty where the step's direction must tell it."""

    quantity: str
    operator: str
    level: Level
    words: str


def refusal(message: str, example: str = "", suggestion: str = "") -> PydanticCustomError:
    """Return the error that a model's field raises; it becomes a Problem with a place."""
    context = {"message": message, "example": example, "suggestion": suggestion}
    return PydanticCustomError("refused", "{message}", context)


def _refused(problem: Problem) -> PydanticCustomError:
    return refusal(problem.message, problem.example, problem.suggestion)


# --- plain quantities ----------------------------------------------------------------------------


def _reader(dimension: str, *, positive: bool = False) -> Callable[[object], float]:
    def read(value: object) -> float:
        level = read_level(value, (dimension,))
        if positive and level.value <= 0:
            raise refusal(f"got {level.text}, expected more than 0", DIMENSIONS[dimension][1])
        return level.value

    return read


def text_schema(*examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": list(examples)})


def read_level(value: object, dimensions: tuple[str, ...]) -> Level:
    """Read a quantity of the first dimension that fits; raises what the first one said."""
    text = str(value).strip() if isinstance(value, str | int | float) else repr(value)
    first: Problem | None = None
    for dimension in dimensions:
        try:
            return Level(_number(text, dimension), dimension, text)
        except BadInput as error:
            first = first or error.problems[0]
    if first is None:
        raise ValueError("read_level needs at least one dimension")
    raise _refused(first)


def _number(text: str, dimension: str) -> float:
    if dimension != "rate":
        return quantity(text, dimension)
    rate = rate_per_hour(text)
    if rate is None:
        raise BadInput(Problem("value", f"got {text!r}, expected a C-rate", example="C/10"))
    return rate


def read_current(value: object) -> Level:
    """Read the current of a step: amperes, a C-rate or a current density, always positive."""
    try:
        level = read_level(value, CURRENT_DIMENSIONS)
    except PydanticCustomError as error:
        if _is_a(value, "power"):
            raise refusal(not_yet("a power set point"), "C/2") from None
        raise error from None
    if level.value <= 0:
        raise refusal(f"got {level.text}; the step's name gives the sign, write more than 0", "C/2")
    return level


def _is_a(value: object, dimension: str) -> bool:
    try:
        quantity(value, dimension)
    except BadInput:
        return False
    return True


def read_amplitude(value: object) -> Level:
    """Read the rms amplitude of a spectrum: volt or ampere, more than 0."""
    level = read_level(value, ("voltage", "current"))
    if level.value <= 0:
        raise refusal(f"got {level.text}, expected more than 0", "10 mV")
    return level


def read_capacity_limit(value: object) -> Level:
    """Read a capacity, or per cent of the rated one, more than 0."""
    level = read_level(value, ("capacity", "fraction"))
    if level.value <= 0:
        raise refusal(f"got {level.text}, expected more than 0", "125 %")
    return level


# --- ends ----------------------------------------------------------------------------------------

_COMPARED = re.compile(r"\s*(?P<name>.*?)\s*(?P<operator><=|>=|<|>)\s*(?P<value>.*)", re.DOTALL)


def read_bare_end(value: object) -> Comparison:
    """Read ``4.2 V``, ``C/20``, ``3 h`` or, with an explicit operator, ``voltage > 3 V``."""
    words = str(value)
    match = _COMPARED.fullmatch(words)
    if match is None:
        return _comparison_by_unit("", words, words)
    if not match["name"]:
        return _comparison_by_unit(match["operator"], match["value"], words)
    return read_end(match["name"], f"{match['operator']} {match['value']}", words)


def read_end(name: str, value: object, words: str = "") -> Comparison:
    """Read the end on the quantity ``name``: ``4.2 V``, or ``> 3 V`` with an explicit operator."""
    if name in LATER:
        raise refusal(not_yet(f"an end on {name!r}"), "voltage > 3 V")
    if name not in QUANTITIES:
        return _auxiliary_end(name, value, words)
    operator, text = operator_and_value(value)
    level = read_level(text, _END_DIMENSIONS[name])
    return _sensible(Comparison(name, operator, level, words or f"{name} {value}"))


def operator_and_value(value: object) -> tuple[str, object]:
    """Split ``> 3 V``; the operator is empty where none was written."""
    match = _COMPARED.fullmatch(str(value))
    return (match["operator"], match["value"]) if match else ("", value)


def _auxiliary_end(name: str, value: object, words: str) -> Comparison:
    """Read an end on what may be an auxiliary; whether the protocol declares it is seen later."""
    operator, text = operator_and_value(value)
    try:
        level = read_level(text, AUXILIARY_DIMENSIONS)
    except PydanticCustomError:
        level = None
    if level is None or AUXILIARY_NAME.fullmatch(name) is None:
        raise unknown_quantity(name, QUANTITIES)
    return Comparison(name, operator, level, words or f"{name} {value}")


def unknown_quantity(name: str, known: Iterable[str]) -> PydanticCustomError:
    """Return the refusal of an end on something that is neither a quantity nor an auxiliary."""
    message = f"unknown quantity {name!r}, expected one of {', '.join(known)}"
    return refusal(message, "voltage > 3 V", did_you_mean(name, known))


def _comparison_by_unit(operator: str, text: str, words: str) -> Comparison:
    for name in _BARE_ORDER:
        try:
            level = read_level(text, _END_DIMENSIONS[name])
        except PydanticCustomError:
            continue
        return _sensible(Comparison(name, operator, level, words))
    got = (
        f"got {text!r} without a unit" if isinstance(scalar(text), int | float) else f"got {text!r}"
    )
    example = "until: 4.2 V, or C/20, 3 h, 1 mAh, voltage > 3 V"
    raise refusal(f"{got}, expected an end: a quantity with its unit", example)


def _sensible(end: Comparison) -> Comparison:
    """Refuse what no magnitude can be; 0 V and negative voltages and temperatures are fine."""
    if end.quantity not in ("voltage", "temperature") and end.level.value <= 0:
        raise refusal(f"got {end.level.text}, expected more than 0", f"{end.quantity} > 1 ...")
    return end


def _end_reader(name: str) -> Callable[[object], Comparison]:
    return lambda value: read_end(name, value)


def read_target(value: object) -> Target:
    """Read what happens at an end."""
    known = [target.value for target in Target]
    if isinstance(value, str) and value in known:
        return Target(value)
    word = next(iter(value), "") if isinstance(value, dict) else value
    if isinstance(word, str) and (word in LATER or isinstance(value, dict)):
        raise refusal(not_yet(f"the target {word!r}"), "then: stop")
    message = f"got {value!r}, expected one of {', '.join(known)}"
    raise refusal(message, "then: stop", did_you_mean(str(value), known))


def read_expression(value: object) -> Expression:
    """Read a condition on counters and results."""
    try:
        return parse_condition(value)
    except BadInput as error:
        raise _refused(error.problems[0]) from None


# --- types ---------------------------------------------------------------------------------------


def _span(dimension: str) -> Callable[[object], tuple[float, float]]:
    low_example = {
        "voltage": "[2.5 V, 4.3 V]",
        "temperature": "[-20 degC, 60 degC]",
        "pressure": "[1 MPa, 12 MPa]",
    }[dimension]

    def read(value: object) -> tuple[float, float]:
        if not isinstance(value, list) or len(value) != 2:
            raise refusal(f"got {value!r}, expected two values, [lowest, highest]", low_example)
        low, high = (read_level(item, (dimension,)) for item in value)
        if low.value >= high.value:
            message = f"got [{low.text}, {high.text}], expected the lower value first"
            raise refusal(message, low_example)
        return low.value, high.value

    return read


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refusal(f"got {value!r}, expected a whole number from 1", "500")
    return value


def _plain(value: object) -> str | int | float | bool:
    if not isinstance(value, str | int | float | bool):
        raise refusal(f"got {value!r}, expected a single value", "25 degC")
    return value


_COUNT_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\$\w+$"}]
}
SPAN_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 2,
    "maxItems": 2,
}

Voltage = Annotated[float, PlainValidator(_reader("voltage")), text_schema("4.2 V", "-50 mV")]
VoltageStep = Annotated[
    float, PlainValidator(_reader("voltage", positive=True)), text_schema("5 mV")
]
Time = Annotated[float, PlainValidator(_reader("time", positive=True)), text_schema("30 min")]
Frequency = Annotated[
    float, PlainValidator(_reader("frequency", positive=True)), text_schema("1 MHz", "0.1 Hz")
]
Celsius = Annotated[float, PlainValidator(_reader("temperature")), text_schema("25 degC")]
Kelvin = Annotated[
    float, PlainValidator(_reader("temperature_difference", positive=True)), text_schema("0.3 K")
]
TemperatureRate = Annotated[
    float, PlainValidator(_reader("temperature_rate", positive=True)), text_schema("2 K/min")
]
Fraction = Annotated[float, PlainValidator(_reader("fraction", positive=True)), text_schema("1 %")]
Capacity = Annotated[
    float, PlainValidator(_reader("capacity", positive=True)), text_schema("2 mAh")
]
Area = Annotated[float, PlainValidator(_reader("area", positive=True)), text_schema("0.785 cm^2")]
Length = Annotated[float, PlainValidator(_reader("length", positive=True)), text_schema("0.5 mm")]
Mass = Annotated[float, PlainValidator(_reader("mass", positive=True)), text_schema("80 mg")]
Current = Annotated[
    Level, PlainValidator(read_current), text_schema("C/2", "1.5 mA", "0.5 mA/cm^2")
]
Amplitude = Annotated[Level, PlainValidator(read_amplitude), text_schema("10 mV", "1 mA")]
CapacityLimit = Annotated[Level, PlainValidator(read_capacity_limit), text_schema("3 mAh", "125 %")]
VoltageSpan = Annotated[
    tuple[float, float], PlainValidator(_span("voltage")), WithJsonSchema(SPAN_SCHEMA)
]
CelsiusSpan = Annotated[
    tuple[float, float], PlainValidator(_span("temperature")), WithJsonSchema(SPAN_SCHEMA)
]
Plain = Annotated[
    str | int | float | bool,
    PlainValidator(_plain),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
Count = Annotated[int, PlainValidator(_count), WithJsonSchema(_COUNT_SCHEMA)]
BareEnd = Annotated[
    Comparison, PlainValidator(read_bare_end), text_schema("4.2 V", "C/20", "voltage > 3 V")
]
VoltageEnd = Annotated[Comparison, PlainValidator(_end_reader("voltage")), text_schema("4.2 V")]
CurrentEnd = Annotated[Comparison, PlainValidator(_end_reader("current")), text_schema("C/20")]
PowerEnd = Annotated[Comparison, PlainValidator(_end_reader("power")), text_schema("5 mW")]
TimeEnd = Annotated[Comparison, PlainValidator(_end_reader("time")), text_schema("3 h")]
CapacityEnd = Annotated[Comparison, PlainValidator(_end_reader("capacity")), text_schema("1 mAh")]
EnergyEnd = Annotated[Comparison, PlainValidator(_end_reader("energy")), text_schema("4 mWh")]
TemperatureEnd = Annotated[
    Comparison, PlainValidator(_end_reader("temperature")), text_schema("> 45 degC")
]
PressureEnd = Annotated[
    Comparison, PlainValidator(_end_reader("pressure")), text_schema("> 12 MPa")
]
PressureSpan = Annotated[
    tuple[float, float], PlainValidator(_span("pressure")), WithJsonSchema(SPAN_SCHEMA)
]
EndTarget = Annotated[
    Target,
    PlainValidator(read_target),
    WithJsonSchema({"enum": [target.value for target in Target]}),
]
Condition = Annotated[Expression, PlainValidator(read_expression), text_schema(EXAMPLE)]
Resume = Literal["continue", "restart"]
Phase = Literal["formation", "ageing", "check"]
