"""The elements of equivalent circuits: impedance and exact derivatives, one table that may grow.

Throughout, s is j times the angular frequency in radian per second, shape (n,) or (spectra, n), and
``values[i]`` is the i-th value of the element, a number or a column (spectra, 1): a formula that
only indexes and broadcasts fits one spectrum and a thousand alike. Knows no circuits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.core.errors import BadInput, Problem

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]
# (j omega, parameter values) -> (impedance, one derivative per parameter)
Formula = Callable[[Complex, Real], tuple[Complex, list[Complex]]]

# What multiplies each kind of value when the whole impedance is multiplied by a: a to this power.
LEVEL_POWERS = {
    "resistance": 1,
    "inductance": 1,
    "warburg": 1,
    "capacitance": -1,
    "time": 0,
    "alpha": 0,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a circuit; ``exponent`` marks a CPE's alpha, which is no scale quantity."""

    name: str
    unit: str
    kind: str

    @property
    def exponent(self) -> bool:
        return self.kind == "alpha"


@dataclass(frozen=True, slots=True)
class ElementKind:
    """A kind of element: its parameters as (suffix, unit, kind) and its impedance.

    ``kind`` is a key of LEVEL_POWERS: it says on which scale a value is looked for. ``admittance``
    may say the same the other way up: beside others an element is summed by its admittance.
    """

    symbol: str
    meaning: str
    parameters: tuple[tuple[str, str, str], ...]
    formula: Formula
    admittance: Formula | None = None


def _power(s: Complex, alpha: Real) -> tuple[Complex, Complex]:
    """Return s^alpha and ln s; s is imaginary, so one real exponential a point does."""
    log_omega = np.log(s.imag)
    turn = 0.5j * np.pi
    return np.exp(alpha * log_omega) * np.exp(turn * alpha), log_omega + turn


def _resistor(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    one = np.ones_like(s)
    return v[0] * one, [one]


def _conducting(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    one, conductance = np.ones_like(s), 1.0 / v[0]
    return conductance * one, [-conductance * conductance * one]


def _storing(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    return v[0] * s, [s]


def _storing_with_loss(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    raised, log_s = _power(s, v[1])
    admittance = v[0] * raised
    return admittance, [raised, admittance * log_s]


def _inductor(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    return v[0] * s, [s]


def _capacitor(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    impedance = 1.0 / (s * v[0])
    return impedance, [-impedance / v[0]]


def _constant_phase(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    falling, log_s = _power(s, -v[1])
    impedance = falling / v[0]
    return impedance, [-impedance / v[0], -impedance * log_s]


def _warburg(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    # sigma (1 - j) / sqrt(omega), written with s = j omega
    shape = np.sqrt(2.0 / s)
    return v[0] * shape, [shape]


def _warburg_open(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    x = np.sqrt(s * v[1])
    coth = 1.0 / np.tanh(x)
    shape = coth / x
    by_tau = 0.5 * v[0] / v[1] * (1.0 - coth**2 - shape)
    return v[0] * shape, [shape, by_tau]


def _warburg_short(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    x = np.sqrt(s * v[1])
    tanh = np.tanh(x)
    shape = tanh / x
    by_tau = 0.5 * v[0] / v[1] * (1.0 - tanh**2 - shape)
    return v[0] * shape, [shape, by_tau]


def _gerischer(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    shape = 1.0 / np.sqrt(1.0 + s * v[1])
    return v[0] * shape, [shape, -0.5 * v[0] * s * shape**3]


def _zarc(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    slowed, log_x = _power(s * v[1], v[2])
    shape = 1.0 / (1.0 + slowed)
    bent = -v[0] * slowed * shape**2
    return v[0] * shape, [shape, bent * v[2] / v[1], bent * log_x]


def _line(ion_ohm: Real, admittance: Complex) -> tuple[Complex, Complex, Complex]:
    """Return Z = R coth(x) / x with x = sqrt(R Y), dZ/dR and dZ/dY: a pore of even conduction."""
    x: Complex = np.sqrt(ion_ohm * admittance)
    coth = 1.0 / np.tanh(x)
    shape = coth / x
    bent = 0.5 * (1.0 - coth**2 - shape)
    return ion_ohm * shape, shape + bent, ion_ohm / admittance * bent


def _line_blocking(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    raised, log_s = _power(s, v[2])
    impedance, by_ohm, by_admittance = _line(v[0], v[1] * raised)
    return impedance, [by_ohm, by_admittance * raised, by_admittance * v[1] * raised * log_s]


def _line_reacting(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    raised, log_s = _power(s, v[3])
    impedance, by_ohm, by_admittance = _line(v[0], 1.0 / v[1] + v[2] * raised)
    return impedance, [
        by_ohm,
        -by_admittance / v[1] ** 2,
        by_admittance * raised,
        by_admittance * v[2] * raised * log_s,
    ]


def _one(
    symbol: str,
    meaning: str,
    unit: str,
    kind: str,
    formula: Formula,
    *,
    admittance: Formula | None = None,
) -> ElementKind:
    return ElementKind(symbol, meaning, (("", unit, kind),), formula, admittance)


_OHM, _TAU, _ALPHA = ("ohm", "resistance"), ("tau", "s", "time"), ("alpha", "1", "alpha")
_Q = ("Q", "ohm^-1 s^alpha", "capacitance")
_Z0_TAU = (("Z0", *_OHM), _TAU)

# s stands for j omega; the second column is the impedance in ohm
KINDS: dict[str, ElementKind] = {
    kind.symbol: kind
    for kind in (
        ElementKind("CPE", "1 / (Q s^alpha)", (_Q, _ALPHA), _constant_phase, _storing_with_loss),
        ElementKind("Wo", "Z0 coth(sqrt(s tau)) / sqrt(s tau)", _Z0_TAU, _warburg_open),
        ElementKind("Ws", "Z0 tanh(sqrt(s tau)) / sqrt(s tau)", _Z0_TAU, _warburg_short),
        ElementKind("G", "Z0 / sqrt(1 + s tau)", _Z0_TAU, _gerischer),
        ElementKind("ZARC", "R / (1 + (s tau)^alpha)", (("R", *_OHM), _TAU, _ALPHA), _zarc),
        ElementKind(
            "TLM",
            "Rion coth(x) / x, x = sqrt(Rion Y), Y = 1/Rct + Q s^alpha",
            (("Rion", *_OHM), ("Rct", *_OHM), _Q, _ALPHA),
            _line_reacting,
        ),
        ElementKind(
            "TLMQ",
            "Rion coth(x) / x, x = sqrt(Rion Q s^alpha)",
            (("Rion", *_OHM), _Q, _ALPHA),
            _line_blocking,
        ),
        _one("R", "R", "ohm", "resistance", _resistor, admittance=_conducting),
        _one("C", "1 / (s C)", "F", "capacitance", _capacitor, admittance=_storing),
        _one("L", "s L", "H", "inductance", _inductor),
        _one("W", "sigma sqrt(2 / s)", "ohm s^-0.5", "warburg", _warburg),
    )
}


def register_element(kind: ElementKind) -> None:
    """Add an element of your own to the words of circuits, for this process.

    ``kind.formula`` takes s of shape (n,) or (spectra, n) and the values as described above, and
    returns impedance and derivatives. Raises BadInput with all that is wrong: a symbol that is
    taken or no word, an unknown kind of value, derivatives that finite differences contradict.
    """
    if KINDS.get(kind.symbol) is kind:
        return
    problems = _word_problems(kind)
    if not problems and (problem := _slope_problem(kind)):
        problems.append(problem)
    if problems:
        raise BadInput(problems, remedy="see docs/reference/circuits.md, elements of your own")
    KINDS[kind.symbol] = kind


def _word_problems(kind: ElementKind) -> list[Problem]:
    who = f"element {kind.symbol!r}"
    problems = []
    if not (kind.symbol.isascii() and kind.symbol.isalpha()) or kind.symbol == "p":
        problems.append(Problem(who, "expected letters only and not 'p'", example="Havriliak"))
    if kind.symbol in KINDS:
        problems.append(Problem(who, f"is taken: {KINDS[kind.symbol].meaning}"))
    known = ", ".join(LEVEL_POWERS)
    return problems + [
        Problem(f"{who}, parameter {suffix!r}", f"got kind {word!r}, expected one of {known}")
        for suffix, _, word in kind.parameters
        if word not in LEVEL_POWERS
    ]


def _slope_problem(kind: ElementKind) -> Problem | None:
    """Compare the derivatives with central differences, for two spectra at once."""
    s: Complex = np.asarray(2j * np.pi * np.logspace(-1, 5, 7) * np.ones((2, 1)), complex)
    middle = np.array([0.7 if word == "alpha" else 0.3 for _, _, word in kind.parameters])
    values = np.multiply.outer(middle, [1.0, 1.1])[..., None]
    impedance, derivatives = kind.formula(s, values)
    got = [np.shape(one) for one in (impedance, *derivatives)]
    who = f"element {kind.symbol!r}"
    if got[:1] != [s.shape] or len(derivatives) != len(middle):
        message = f"got shapes {got} for s of shape {s.shape} and {len(middle)} values"
        return Problem(who, message, example="one derivative for each value")
    for i, (suffix, _, _) in enumerate(kind.parameters):
        step = 1e-6 * values * (np.arange(len(middle)) == i)[:, None, None]
        rise = kind.formula(s, values + step)[0] - kind.formula(s, values - step)[0]
        numeric = rise / (2.0 * step[i])
        floor = 1e-6 * np.abs(impedance).max() / values[i]
        if not np.all(np.abs(derivatives[i] - numeric) <= 1e-4 * np.abs(numeric) + floor):
            return Problem(
                who, f"its derivative by {suffix or 'value'} is not that of its impedance"
            )
    return None
