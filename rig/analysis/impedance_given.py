"""Where the descents of a fit start: at what somebody gives, and at what the search finds beside it.

Knows no descent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_problem import CircuitProblem, Start
from rig.analysis.impedance_start import starting_values
from rig.core.errors import BadInput, Problem


def all_starts(problem: CircuitProblem, given: Start | None, count: int) -> Real:
    """Return full sets of values, fixed ones in place, shape (spectra, starts, p)."""
    named = _named(problem, given)
    _refuse_outside(problem, named)
    whole = len(problem.circuit.parameters)
    if len(named) == whole:
        complete = np.array([named[i] for i in range(whole)])
        return np.broadcast_to(complete, (len(problem.spectra), 1, whole))
    found = starting_values(problem, count)
    if found.shape[1] < count:
        found = np.concatenate([found, _scattered(problem, found, count)], axis=1)
    found[..., list(named)] = list(named.values())
    return found


def _scattered(problem: CircuitProblem, found: Real, count: int) -> Real:
    """Return starts around the first where the search knows too few; seeded, so fits repeat."""
    draws = np.random.default_rng(0).uniform(-1.0, 1.0, (count - found.shape[1], found.shape[2]))
    around = found[:, :1] * np.exp(2.0 * draws)
    exponents = ~problem.coordinates.logarithmic
    around[..., exponents] = 0.75 + 0.2 * draws[:, exponents]
    return around


def _named(problem: CircuitProblem, given: Start | None) -> dict[int, float]:
    circuit = problem.circuit
    if given is None:
        return dict(problem.fixed)
    if isinstance(given, Mapping):
        return {circuit.position(name): value for name, value in given.items()} | problem.fixed
    if len(given) != len(circuit.parameters):
        expected = f"{len(circuit.parameters)} ({', '.join(circuit.names)})"
        message = f"got {len(given)} starting values, expected {expected}"
        raise BadInput(Problem(f"circuit {circuit}", message))
    return dict(enumerate(given)) | problem.fixed


def _refuse_outside(problem: CircuitProblem, named: Mapping[int, float]) -> None:
    problems = []
    for i, value in named.items():
        low, high = problem.limits[:, i, 0].min(), problem.limits[:, i, 1].max()
        if not low <= value <= high:
            message = f"got {value:g}, expected {low:.3g} to {high:.3g}"
            problems.append(Problem(f"value of {problem.circuit.names[i]}", message))
    if problems:
        raise BadInput(problems)
