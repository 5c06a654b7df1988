"""Equivalent circuits as trees: impedance and its exact derivatives with respect to every value.

A circuit is a chain of elements and of parallel chains, to any depth. Reading one from text is in
``circuit_text``. This module knows no data, no weights and no fit.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rig.analysis.circuit_elements import KINDS, Complex, Parameter, Real
from rig.core.errors import BadInput, Problem, did_you_mean


@dataclass(frozen=True, slots=True)
class Element:
    """A leaf: ``kind`` is a key of KINDS, ``name`` the whole word, such as ``CPE1``."""

    kind: str
    name: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(
            Parameter(f"{self.name}_{suffix}" if suffix else self.name, unit, kind)
            for suffix, unit, kind in KINDS[self.kind].parameters
        )

    def evaluate(self, s: Complex, values: Real) -> tuple[Complex, list[Complex]]:
        return KINDS[self.kind].formula(s, values)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Series:
    """A chain: impedances add."""

    parts: tuple[Element | Parallel, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(parameter for part in self.parts for parameter in part.parameters)

    def evaluate(self, s: Complex, values: Real) -> tuple[Complex, list[Complex]]:
        total, derivatives = np.zeros_like(s), list[Complex]()
        for impedance, by_value in _each(self.parts, s, values):
            total = total + impedance
            derivatives += by_value
        return total, derivatives

    def __str__(self) -> str:
        return "-".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Parallel:
    """Chains side by side: admittances add."""

    branches: tuple[Series, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(parameter for branch in self.branches for parameter in branch.parameters)

    def evaluate(self, s: Complex, values: Real) -> tuple[Complex, list[Complex]]:
        results = _each(self.branches, s, values)
        total = 1.0 / np.sum([1.0 / impedance for impedance, _ in results], axis=0)
        derivatives: list[Complex] = []
        for impedance, by_value in results:
            share = (total / impedance) ** 2  # dZ/dZ_k, the square of the current's share
            derivatives += [share * derivative for derivative in by_value]
        return total, derivatives

    def __str__(self) -> str:
        return f"p({','.join(str(branch) for branch in self.branches)})"


def _each(
    nodes: Sequence[Element | Series | Parallel], s: Complex, values: Real
) -> list[tuple[Complex, list[Complex]]]:
    """Evaluate ``nodes``, each on its own stretch of ``values``, in the order of the text."""
    results, begin = [], 0
    for node in nodes:
        result = node.evaluate(s, values[begin:])
        begin += len(result[1])
        results.append(result)
    return results


@dataclass(frozen=True)
class Circuit:
    """A parsed circuit. Values are always in the order of ``parameters``, which is the text's."""

    chain: Series

    @functools.cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.chain.parameters

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    def impedance(self, frequency_hertz: ArrayLike, values: Sequence[float] | Real) -> Complex:
        """Return the impedance in ohm at each frequency; capacitive parts are negative."""
        return self.impedance_and_jacobian(frequency_hertz, values)[0]

    def impedance_and_jacobian(
        self, frequency_hertz: ArrayLike, values: Sequence[float] | Real
    ) -> tuple[Complex, Complex]:
        """Return the impedance, shape (n,), and dZ/dvalue, shape (n, number of parameters)."""
        given = np.asarray(values, dtype=float)
        if given.shape != (len(self.parameters),):
            expected = f"{len(self.parameters)} values ({', '.join(self.names)})"
            raise BadInput(Problem(f"circuit {self}", f"got {given.size}, expected {expected}"))
        s = 2j * np.pi * np.asarray(frequency_hertz, dtype=float)
        impedance, derivatives = self.chain.evaluate(s, given)
        return impedance, np.stack(derivatives, axis=-1)

    def position(self, name: str) -> int:
        """Return where ``name`` stands; impedance.py's ``CPE1_0`` means ``CPE1_Q`` here.

        Raises BadInput with the nearest name when the circuit has no such parameter.
        """
        wanted = self._spellings.get(name)
        if wanted is None:
            message = f"has no parameter {name!r}; it has {', '.join(self.names)}"
            suggestion = did_you_mean(name, self.names)
            raise BadInput(Problem(f"circuit {self}", message, suggestion=suggestion))
        return wanted

    @functools.cached_property
    def _spellings(self) -> Mapping[str, int]:
        known: dict[str, int] = {}
        for element in elements_of(self.chain):
            for index, parameter in enumerate(element.parameters):
                known[f"{element.name}_{index}"] = known[parameter.name] = self.names.index(
                    parameter.name
                )
        return known

    def __str__(self) -> str:
        return str(self.chain)


def elements_of(node: Element | Series | Parallel) -> list[Element]:
    if isinstance(node, Element):
        return [node]
    inner = node.parts if isinstance(node, Series) else node.branches
    return [element for part in inner for element in elements_of(part)]
