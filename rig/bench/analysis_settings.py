"""Settings of an analysis of runs, as text: which there are, what they mean, and what is wrong with them.

The same words on the page, in REST and behind ``rig analyse --set``. Knows no run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rig.analysis.arrhenius_result import Convention
from rig.analysis.circuit_text import parse_circuit
from rig.bench.collecting import Collector
from rig.bench.element_plugins import load_elements
from rig.core.errors import BadInput, Problem, did_you_mean
from rig.core.units import quantity

LAWS = ("exponential", "linear", "sqrt", "power")
MODELS = ("auto", "arrhenius", "two_segment", "vtf")
WEIGHTS = ("modulus", "unit", "proportional")
Read = Callable[[str, str], Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: in words for people, a valid example, and how its text is read."""

    words: str
    example: str
    read: Read
    choices: tuple[str, ...] = ()


def _chosen(choices: tuple[str, ...]) -> Read:
    def read(text: str, where: str) -> str:
        if text not in choices:
            message = f"got {text!r}, expected one of {', '.join(choices)}"
            raise BadInput(Problem(where, message, suggestion=did_you_mean(text, choices)))
        return text

    return read


def _circuit(text: str, where: str) -> str:
    load_elements()
    try:
        parse_circuit(text)
    except BadInput as bad:
        problems = [replace(one, where=where) for one in bad.problems]
        raise BadInput(problems) from bad
    return text


def _count(text: str, where: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) < 10 and int(text) > 0):
        raise BadInput(Problem(where, f"got {text!r}, expected a whole number from 1", "3"))
    return int(text)


def read_end_of_life(text: str, where: str) -> tuple[float, float | None]:
    """Read ``0.8`` or ``80 %`` as a fraction, ``1.4`` or ``1.4 Ah`` as a capacity in Ah.

    Returns (fraction, None) or (0, capacity).
    """
    try:
        number = float(text)
    except ValueError:
        if "%" in text:
            return quantity(text, "fraction", where), None
        return 0.0, quantity(text, "capacity", where)
    if not 0 < number < float("inf"):
        message = f"got {text!r}, expected a fraction or a capacity above zero"
        raise BadInput(Problem(where, message, example="0.8"))
    return (number, None) if number < 1 else (0.0, number)


_CONVENTIONS = tuple(one.value for one in Convention)
SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    "eis": {
        "circuit": Setting("equivalent circuit", "R0-p(R1,CPE1)-CPE2", _circuit),
        "spectrum": Setting("only the spectrum of this number", "3", _count),
        "weights": Setting("residuals divided by", "modulus", _chosen(WEIGHTS), WEIGHTS),
    },
    "fade": {
        "end_of_life": Setting("a fraction or a capacity", "80 %", read_end_of_life),
        "law": Setting("fade law; default: by AICc", "exponential", _chosen(LAWS), LAWS),
        "reference_cycle": Setting("cycle that retention refers to", "5", _count),
    },
    "arrhenius": {
        "convention": Setting(
            "what is plotted against 1/T", "ln_sigma", _chosen(_CONVENTIONS), _CONVENTIONS
        ),
        "model": Setting("line, two segments or VTF", "auto", _chosen(MODELS), MODELS),
    },
}


def read_settings_of(
    kind: str, given: Mapping[str, str], where: str = "settings"
) -> dict[str, Any]:
    """Return the settings of an analysis as values; raises BadInput with everything that is wrong.

    ``end_of_life`` is a pair, see read_end_of_life.
    """
    known = SETTINGS.get(kind)
    if known is None:
        message = f"got {kind!r}, expected one of {', '.join(SETTINGS)}"
        raise BadInput(Problem("analysis", message, suggestion=did_you_mean(kind, SETTINGS)))
    to = Collector()
    values: dict[str, Any] = {}
    for name, text in given.items():
        setting = known.get(name)
        if setting is None:
            message = f"{kind} has no setting {name!r}; it has: {', '.join(known)}"
            to.problems.append(Problem(where, message, suggestion=did_you_mean(name, known)))
            continue
        values[name] = to.collect(lambda read=setting.read, t=text, n=name: read(t, f"{where} {n}"))  # type: ignore[misc]
    if kind == "eis" and given and "circuit" not in given:
        message = "other settings go with a circuit of your own"
        to.problems.append(Problem(where, message, example="circuit=R0-p(R1,CPE1)-CPE2"))
    if to.problems:
        raise BadInput(to.problems)
    return values
