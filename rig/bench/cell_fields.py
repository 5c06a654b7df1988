"""What a person writes of a cell, read: ``area: 0.785 cm^2``, ``mass: 12.3 mg``, ``symmetric: yes``.

The same fields on the page, in REST and behind ``rig cells``. A unit is always wanted, and
everything that is wrong is said at once. Knows no database.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rig.bench.collecting import Collector
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity

MOST_NAME, MOST_TEXT = 100, 400
MASSES = "masses_gram"
_NAME = re.compile(r"[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?")
_YES = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: what it is, an example, how it is read, and under which column, or key of ``meta``."""

    words: str
    example: str
    read: Callable[[str, str], Any]
    path: tuple[str, ...]


def _positive(dimension: str, example: str) -> Callable[[str, str], float]:
    def read(text: str, where: str) -> float:
        value = quantity(text, dimension, where)
        if not value > 0:
            raise BadInput(Problem(where, f"got {text!r}, expected more than zero", example))
        return value

    return read


def _disc(text: str, where: str) -> float:
    return math.pi * _positive("length", "10 mm")(text, where) ** 2 / 4.0


def _text(text: str, where: str) -> str:
    if len(text) > MOST_TEXT or "\0" in text:
        raise BadInput(Problem(where, f"{len(text)} characters, at most {MOST_TEXT}"))
    return text


def _yes_or_no(text: str, where: str) -> bool:
    if text.lower() not in _YES:
        raise BadInput(Problem(where, f"got {text!r}, expected yes or no", "yes"))
    return _YES[text.lower()]


def _of(dimension: str, words: str, example: str, *path: str) -> Field:
    return Field(words, example, _positive(dimension, example), path)


_AREA = ("area_square_centimetre",)
FIELDS: Mapping[str, Field] = {
    "chemistry": Field("what it is made of", "NMC811 | Li6PS5Cl | Li", _text, ("chemistry",)),
    "area": _of("area", "of one electrode", "0.785 cm^2", *_AREA),
    "diameter": Field("of a disc, instead of the area", "10 mm", _disc, _AREA),
    "thickness": _of("length", "of the electrolyte", "0.5 mm", "thickness_centimetre"),
    "mass": _of("mass", "of active material, positive electrode", "12.3 mg", "mass_gram"),
    "negative_mass": _of("mass", "of the negative electrode", "20 mg", "meta", MASSES, "negative"),
    "electrolyte_mass": _of("mass", "of the electrolyte", "80 mg", "meta", MASSES, "electrolyte"),
    "cell_mass": _of("mass", "of the whole cell", "4.2 g", "meta", MASSES, "cell"),
    "capacity": _of("capacity", "rated; what 1C is reckoned from", "2 mAh", "capacity_ah"),
    "symmetric": Field("two like electrodes: yes or no", "no", _yes_or_no, ("symmetric",)),
    "note": Field("anything else", "pressed at 375 MPa", _text, ("meta", "note")),
}


def read_cell_name(name: str) -> str:
    """Return a cell's name, or raise BadInput for one that cannot be."""
    if not _NAME.fullmatch(name) or len(name) > MOST_NAME:
        message = f"got {name!r}, expected 1 to {MOST_NAME} characters without blanks at the ends"
        raise BadInput(Problem("name", message, example="LPS-17"))
    return name


def read_cell_fields(given: Mapping[str, str], where: str = "") -> dict[str, Any]:
    """Return the columns of ``cell`` that these fields mean; an empty text is a field not given.

    ``where`` stands before each field's name in messages, as ``--`` does. Raises BadInput with
    everything that is wrong.
    """
    to = Collector()
    values: dict[str, Any] = {}
    for name, text in given.items():
        field, place = FIELDS.get(name), where + name
        if field is None:
            message = f"a cell has no field {name!r}; it has: {', '.join(FIELDS)}"
            to.problems.append(Problem(place, message, suggestion=did_you_mean(name, FIELDS)))
        elif text.strip():
            value = to.collect(functools.partial(field.read, text.strip(), place))
            _put(values, field.path, value)
    if given.get("area", "").strip() and given.get("diameter", "").strip():
        message = "and a diameter: give one of them"
        to.problems.append(Problem(f"{where}area", message, "0.785 cm^2"))
    if to.problems:
        raise BadInput(to.problems)
    return values


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        values = values.setdefault(key, {})
    values[path[-1]] = value


def cell_words(values: Mapping[str, Any]) -> str:
    """Say in one line what is written down of a cell."""
    plain = {key: value for key, value in values.items() if key != "meta"}
    plain |= values.get("meta", {})
    return ", ".join(f"{key} {value}" for key, value in plain.items()) or "nothing but its name"
