"""The elements of equivalent circuits: impedance and exact derivatives, one table.

Throughout, s is j times the angular frequency in radian per second. Knows no circuits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]
# (j omega, parameter values) -> (impedance, one derivative per parameter)
Formula = Callable[[Complex, Real], tuple[Complex, list[Complex]]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a circuit; ``exponent`` marks a CPE's alpha, which is no scale quantity."""

    name: str
    unit: str
    kind: str

    @property
    def exponent(self) -> bool:
        return self.kind == "alpha"


def _resistor(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    one = np.ones_like(s)
    return v[0] * one, [one]


def _inductor(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    return v[0] * s, [s]


def _capacitor(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    impedance = 1.0 / (s * v[0])
    return impedance, [-impedance / v[0]]


def _constant_phase(s: Complex, v: Real) -> tuple[Complex, list[Complex]]:
    log_s = np.log(s)
    impedance = np.exp(-v[1] * log_s) / v[0]
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


@dataclass(frozen=True, slots=True)
class ElementKind:
    """A kind of element: its parameters as (suffix, unit, kind) and its impedance."""

    symbol: str
    meaning: str
    parameters: tuple[tuple[str, str, str], ...]
    formula: Formula


def _one(symbol: str, meaning: str, unit: str, kind: str, formula: Formula) -> ElementKind:
    return ElementKind(symbol, meaning, (("", unit, kind),), formula)


_Z0_TAU = (("Z0", "ohm", "resistance"), ("tau", "s", "time"))
_CPE = (("Q", "ohm^-1 s^alpha", "capacitance"), ("alpha", "1", "alpha"))

# s stands for j omega; the second column is the impedance in ohm
KINDS: dict[str, ElementKind] = {
    kind.symbol: kind
    for kind in (
        ElementKind("CPE", "1 / (Q s^alpha)", _CPE, _constant_phase),
        ElementKind("Wo", "Z0 coth(sqrt(s tau)) / sqrt(s tau)", _Z0_TAU, _warburg_open),
        ElementKind("Ws", "Z0 tanh(sqrt(s tau)) / sqrt(s tau)", _Z0_TAU, _warburg_short),
        _one("R", "R", "ohm", "resistance", _resistor),
        _one("C", "1 / (s C)", "F", "capacitance", _capacitor),
        _one("L", "s L", "H", "inductance", _inductor),
        _one("W", "sigma sqrt(2 / s)", "ohm s^-0.5", "warburg", _warburg),
    )
}
