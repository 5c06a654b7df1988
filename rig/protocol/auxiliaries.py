"""The field types for named auxiliaries: what is measured beside a cell, under a name of the lab's own.

A protocol declares them with their units (``auxiliaries: {dew_point: degC}``); which sensor reads one
stands in the bench file. Knows no bench and no step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from rig.protocol.program import QUANTITIES, AuxiliaryLimit
from rig.protocol.quantities import (
    AUXILIARY_DIMENSIONS,
    SPAN_SCHEMA,
    Comparison,
    Level,
    operator_and_value,
    read_level,
    refusal,
    text_schema,
)
from rig.protocol.words import AUXILIARY_EXAMPLE, AUXILIARY_NAME

SPAN_EXAMPLE = "auxiliaries: {dew_point: [-90 degC, -40 degC]}, or {dew_point: < -40 degC}"


@dataclass(frozen=True, slots=True)
class AuxiliarySpan:
    """Bounds of an auxiliary, both of one dimension; None where there is none."""

    low: Level | None
    high: Level | None

    @property
    def dimension(self) -> str:
        level = self.low or self.high
        assert level is not None, "one of both is given"
        return level.dimension


def read_auxiliary_end(value: object) -> Comparison:
    """Read ``> -40 degC``; the operator must be written, the name stands beside it."""
    operator, text = operator_and_value(value)
    level = read_level(text, AUXILIARY_DIMENSIONS)
    if not operator:
        example = 'dew_point: "> -40 degC"'
        raise refusal(f"got {level.text!r} without an operator", example)
    return Comparison("", operator, level, str(value))


def read_auxiliary_span(value: object) -> AuxiliarySpan:
    """Read ``[-90 degC, -40 degC]``, or one bound that must hold: ``< -40 degC``."""
    if isinstance(value, list):
        if len(value) != 2:
            raise refusal(f"got {value!r}, expected two values, [lowest, highest]", SPAN_EXAMPLE)
        low, high = (read_level(item, AUXILIARY_DIMENSIONS) for item in value)
        if low.dimension != high.dimension or low.value >= high.value:
            message = (
                f"got [{low.text}, {high.text}], expected the lower value of the same kind first"
            )
            raise refusal(message, SPAN_EXAMPLE)
        return AuxiliarySpan(low, high)
    operator, text = operator_and_value(value)
    if not operator:
        message = f"got {value!r}, expected [lowest, highest] or one bound with its operator"
        raise refusal(message, SPAN_EXAMPLE)
    bound = read_level(text, AUXILIARY_DIMENSIONS)
    return AuxiliarySpan(bound, None) if operator.startswith(">") else AuxiliarySpan(None, bound)


def read_auxiliary_level(value: object) -> Level:
    """Read a value of any dimension that an auxiliary can have."""
    return read_level(value, AUXILIARY_DIMENSIONS)


def read_auxiliary_unit(value: object) -> str:
    """Read the unit of an auxiliary, ``degC``, and return its dimension."""
    try:
        return read_level(f"1 {value}", AUXILIARY_DIMENSIONS).dimension
    except PydanticCustomError:
        message = f"got {value!r}, expected a unit of a temperature, pressure, force or voltage"
        raise refusal(message, AUXILIARY_EXAMPLE) from None


def limits_of(spans: Mapping[str, AuxiliarySpan]) -> tuple[AuxiliaryLimit, ...]:
    """Return the limits that bounds by name mean, in base units."""
    return tuple(
        AuxiliaryLimit(
            name,
            span.dimension,
            span.low.value if span.low else None,
            span.high.value if span.high else None,
        )
        for name, span in spans.items()
    )


def name_problem(name: str) -> str:
    """Say why something cannot be the name of an auxiliary; empty when it can."""
    if name in QUANTITIES:
        return f"{name!r} is a quantity that every protocol knows; choose another name"
    if AUXILIARY_NAME.fullmatch(name) is None:
        return f"got {name!r}, expected a name in small letters, digits and underscores"
    return ""


AuxiliaryEnd = Annotated[Comparison, PlainValidator(read_auxiliary_end), text_schema("> -40 degC")]
AuxiliaryBounds = Annotated[
    AuxiliarySpan,
    PlainValidator(read_auxiliary_span),
    WithJsonSchema({"anyOf": [SPAN_SCHEMA, {"type": "string", "examples": ["< -40 degC"]}]}),
]
AuxiliaryLevel = Annotated[
    Level, PlainValidator(read_auxiliary_level), text_schema("-40 degC", "12 MPa")
]
AuxiliaryUnit = Annotated[
    str, PlainValidator(read_auxiliary_unit), text_schema("degC", "MPa", "N", "V")
]
