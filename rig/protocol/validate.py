"""One node of the tree -> one model, and pydantic's complaints -> problems with a place.

Knows pydantic's error types; knows no rule of the protocol language itself.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rig.core.errors import Problem, did_you_mean
from rig.protocol.models import Model
from rig.protocol.source import Node
from rig.protocol.words import LATER, not_yet

M = TypeVar("M", bound=Model)

# Branches of the unions in models.py; they stand in pydantic's paths and are no keys of the file.
_BRANCHES = ("<text>", "<mapping>", "<list>")
_EXPECTED = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
}


def validate(model: type[M], node: Node, problems: list[Problem]) -> M | None:
    """Return the model of ``node``, or None after adding all its problems."""
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        problems.extend(_problem(detail, model, node) for detail in error.errors())
        return None


def _problem(detail: ErrorDetails, model: type[Model], node: Node) -> Problem:
    path = [part for part in detail["loc"] if part not in _BRANCHES]
    if detail["type"] == "extra_forbidden":
        return _unknown_key(str(detail["loc"][-1]), path, model, node)
    place = node.child(*path)
    context = detail.get("ctx", {})
    match detail["type"]:
        case "refused":
            return Problem(
                place.where,
                _in_words(path) + str(context["message"]),
                example=str(context["example"]),
                suggestion=str(context["suggestion"]),
            )
        case "missing":
            owner = _model_at(model, path[:-1])
            example = owner.examples.get(str(path[-1]), owner.example)
            return Problem(place.where, f"{path[-1]!r} is missing", example=example)
        case "literal_error":
            return _not_one_of(detail, place, path)
        case "too_short":
            return Problem(place.where, f"{_in_words(path)}is empty")
        case kind if kind in _EXPECTED:
            got = "nothing" if detail["input"] is None else repr(detail["input"])
            message = f"{_in_words(path)}got {got}, expected {_EXPECTED[kind]}"
            return Problem(place.where, message, example=_model_at(model, path).example)
        case _:
            return Problem(place.where, f"{_in_words(path)}{detail['msg']}")


def _in_words(path: list[int | str]) -> str:
    """Return the key that a message is about, as its beginning."""
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    return f"{key}: " if key else ""


def _unknown_key(key: str, path: list[int | str], model: type[Model], node: Node) -> Problem:
    where = node.child(*path).key_where
    if key in LATER:
        return Problem(where, not_yet(repr(key)))
    owner = _model_at(model, path[:-1])
    known = [field.alias or name for name, field in owner.model_fields.items()]
    if re.fullmatch(r"\d+\s*\D{0,12}", key):  # {until: 2,8 V}: the comma ends the value
        message = f"unknown key {key!r}: the rest of a decimal comma? write a point, as in 2.8 V"
        return Problem(where, message)
    message = f"unknown key {key!r}, expected one of {', '.join(known)}"
    return Problem(where, message, owner.example, suggestion=did_you_mean(key, known))


def _not_one_of(detail: ErrorDetails, place: Node, path: list[int | str]) -> Problem:
    expected = str(detail.get("ctx", {})["expected"])
    known = re.findall(r"'([^']*)'", expected)
    message = f"{_in_words(path)}got {detail['input']!r}, expected {expected}"
    return Problem(place.where, message, suggestion=did_you_mean(str(detail["input"]), known))


def _model_at(model: type[Model], path: list[int | str]) -> type[Model]:
    """Return the model that the keys of ``path`` lead to, as far as they lead."""
    for part in path:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in fields:
            model = next(_models_in(fields[str(part)].annotation), model)
    return model


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if issubclass(annotation, Model):
            yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, list) or hasattr(
        annotation, "__metadata__"
    ):
        for argument in get_args(annotation):
            yield from _models_in(argument)
