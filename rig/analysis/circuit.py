"""Equivalent circuits as trees: impedance and its exact derivatives with respect to every value.

A circuit is a chain of elements and of parallel chains, to any depth, evaluated for one set of
values or for many at once. Reading one from text is in ``circuit_text``. This module knows no data,
no weights and no fit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.analysis.circuit_elements import KINDS, Complex, Parameter, Real
from rig.core.errors import BadInput, Problem, did_you_mean

# (part of a circuit, s, values from its first on) -> (impedance or admittance, its derivatives)
Evaluation = Callable[["Element | Series | Parallel", Complex, Real], tuple[Complex, list[Complex]]]


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
        (total, derivatives), *others = _each(self.parts, s, values)
        for impedance, by_value in others:
            total = total + impedance
            derivatives = [*derivatives, *by_value]
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
        (total, by_value), *others = _each(self.branches, s, values, _admittance)
        derivatives = list(by_value)
        for admittance, by_value in others:
            total = total + admittance
            derivatives += by_value
        impedance = 1.0 / total
        turned = -impedance * impedance  # dZ/dY
        return impedance, [turned * derivative for derivative in derivatives]

    def __str__(self) -> str:
        return f"p({','.join(str(branch) for branch in self.branches)})"


def _impedance(
    node: Element | Series | Parallel, s: Complex, values: Real
) -> tuple[Complex, list[Complex]]:
    return node.evaluate(s, values)


def _admittance(
    branch: Element | Series | Parallel, s: Complex, values: Real
) -> tuple[Complex, list[Complex]]:
    """Return a branch's admittance and its derivatives: directly where its element knows them."""
    if isinstance(branch, Series) and len(branch.parts) == 1:
        only = branch.parts[0]
        if isinstance(only, Element) and (direct := KINDS[only.kind].admittance):
            return direct(s, values)
    impedance, by_value = branch.evaluate(s, values)
    admittance = 1.0 / impedance
    turned = -admittance * admittance
    return admittance, [turned * derivative for derivative in by_value]


def _each(
    nodes: Sequence[Element | Series | Parallel],
    s: Complex,
    values: Real,
    evaluate: Evaluation = _impedance,
) -> list[tuple[Complex, list[Complex]]]:
    """Evaluate ``nodes``, each on its own stretch of ``values``, in the order of the text."""
    results, begin = [], 0
    for node in nodes:
        result = evaluate(node, s, values[begin:])
        begin += len(result[1])
        results.append(result)
    return results


@dataclass(frozen=True)
class Circuit:
    """A parsed circuit. Values are always in the order of ``parameters``, which is the text's."""

    chain: Series

    def __hash__(self) -> int:
        """Return the tree's hash, counted once: circuits are keys of caches, and trees are deep."""
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        return hash(self.chain)

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
        """Return the impedance, shape (n,), and dZ/dvalue, shape (n, number of parameters).

        Many sets of values at once, shape (sets, parameters), give (sets, n) and (sets, n,
        parameters); frequencies are common to all, (n,), or each set's own, (sets, n).
        """
        given = np.asarray(values, dtype=float)
        if given.ndim == 0 or given.shape[-1] != len(self.parameters):
            expected = f"{len(self.parameters)} values ({', '.join(self.names)})"
            got = given.shape[-1] if given.ndim else 1
            raise BadInput(Problem(f"circuit {self}", f"got {got}, expected {expected}"))
        s = 2j * np.pi * np.asarray(frequency_hertz, dtype=float)
        if given.ndim == 1:
            impedance, derivatives = self.chain.evaluate(s, given)
            return impedance, np.stack(derivatives, axis=-1)
        impedance, by_value = self.sensitivities(s, given)
        return impedance, np.moveaxis(by_value, -2, -1)

    def sensitivities(self, s: Complex, values: Real) -> tuple[Complex, Complex]:
        """Return impedances (sets, n) and dZ/dvalue (sets, parameters, n) of ``values`` (sets, p).

        ``s`` is j omega, of shape (n,) or (sets, n). The way of a fit: parts that differ in their
        values only, such as arcs, are evaluated as one, with an axis of their own.
        """
        impedance = np.zeros((len(values), s.shape[-1]), dtype=np.complex128)
        by_value = np.empty((len(values), values.shape[1], s.shape[-1]), dtype=np.complex128)
        across = s if s.ndim == 1 else s[:, None]
        for part, places in self._likes:
            columns = values[:, places].transpose(2, 0, 1)[..., None]  # (own, sets, parts, 1)
            each, derivatives = part.evaluate(across, columns)
            impedance += each.sum(axis=1)
            for own, derivative in enumerate(derivatives):
                by_value[:, places[:, own]] = derivative
        return impedance, by_value

    @functools.cached_property
    def _likes(self) -> tuple[tuple[Element | Parallel, NDArray[np.int_]], ...]:
        """Return one part of each form in the chain, and where all of that form have their values."""
        found: dict[str, tuple[Element | Parallel, list[list[int]]]] = {}
        begin = 0
        for part in self.chain.parts:
            size = len(part.parameters)
            found.setdefault(form_of(part), (part, []))[1].append([*range(begin, begin + size)])
            begin += size
        return tuple((part, np.array(places)) for part, places in found.values())

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


@functools.lru_cache(maxsize=256)
def form_of(node: Element | Series | Parallel) -> str:
    """Return the circuit's text with kinds for names: parts of one form have the same formula.

    >>> form_of(Parallel((Series((Element("R", "R1"),)), Series((Element("CPE", "CPE_grain"),)))))
    'p(R,CPE)'
    """
    if isinstance(node, Element):
        return node.kind
    if isinstance(node, Series):
        return "-".join(map(form_of, node.parts))
    return f"p({','.join(map(form_of, node.branches))})"


def elements_of(node: Element | Series | Parallel) -> list[Element]:
    if isinstance(node, Element):
        return [node]
    inner = node.parts if isinstance(node, Series) else node.branches
    return [element for part in inner for element in elements_of(part)]
