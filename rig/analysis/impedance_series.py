"""A series of spectra of one cell, over temperature, charge or cycles, fitted so that labels hold.

Each spectrum is fitted by itself, then from its neighbours' values, until nothing changes. Where
several minima of a spectrum are as good as each other, the one is taken that continues its
neighbours': the path through the candidates with the least sum of misfit and of jumps of time
constants (Viterbi, IEEE Trans. Inf. Theory 13, 260 (1967)). Like arcs keep the order of their time
constants, so no label is ever exchanged. Knows not what the series runs over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_fit import CircuitFits, fit_spectra
from rig.analysis.impedance_minima import SAME_OBJECTIVE, Minima, minima_from
from rig.analysis.impedance_problem import CircuitProblem
from rig.analysis.spectrum import Spectrum

MOST_SWEEPS = 2
CHANGED = 1e-3
USUAL_JUMP = 1.5  # of a coordinate from one spectrum to the next: a factor of 4.5


def fit_series(spectra: Sequence[Spectrum], circuit: str | Circuit, **options: Any) -> CircuitFits:
    """Fit one circuit to spectra in the order of the series; ``options`` as for ``fit_spectra``.

    Raises what ``fit_spectra`` raises.
    """
    fits = fit_spectra(spectra, circuit, **options)
    if len(spectra) == 1 or not len(fits.problem.free):
        return fits
    problem, minima = fits.problem, fits.minima
    for _ in range(MOST_SWEEPS):
        from_before = minima_from(problem, np.concatenate([minima.values[:1], minima.values[:-1]]))
        from_after = minima_from(problem, np.concatenate([minima.values[1:], minima.values[-1:]]))
        better = _smoothest(problem, [minima, from_before, from_after])
        changed = np.any(np.abs(better.objective - minima.objective) > CHANGED * minima.objective)
        minima = better
        if not changed:
            break
    return CircuitFits.of(
        problem, minima, fits.weights, fits.geometry, intervals=fits.uncertainty.method
    )


def _smoothest(problem: CircuitProblem, candidates: Sequence[Minima]) -> Minima:
    """Return one candidate for each spectrum: the cheapest path from the first to the last."""
    misfit = np.stack([_misfit(problem, one.objective) for one in candidates], axis=1)
    theta = np.stack([problem.coordinates.of(one.values) for one in candidates], axis=1)
    jumps = (theta[1:, None, :] - theta[:-1, :, None])[..., _shapes(problem)] / USUAL_JUMP
    path = _cheapest_path(misfit, 0.5 * np.sum(np.minimum(jumps**2, 9.0), axis=-1))
    objectives = np.stack([one.objective for one in candidates], axis=1)
    rows = np.arange(len(path))
    chosen = objectives[rows, path]
    same = objectives <= SAME_OBJECTIVE * chosen[:, None]
    return Minima(
        np.stack([one.values for one in candidates], axis=1)[rows, path],
        chosen,
        np.stack([one.curvature for one in candidates], axis=1)[rows, path],
        np.stack([one.gradient for one in candidates], axis=1)[rows, path],
        candidates[0].starts + len(candidates) - 1,
        np.maximum(candidates[0].agreeing * same[:, 0], 0) + same[:, 1:].sum(axis=1),
        np.concatenate([one.ends for one in candidates], axis=1),
        np.concatenate([one.heights for one in candidates], axis=1),
    )


def _misfit(problem: CircuitProblem, objective: Real) -> Real:
    """Return minus two log-likelihoods, up to a constant of each spectrum."""
    if problem.known:
        return objective
    counts = problem.counts
    return np.asarray(counts * np.log(np.maximum(objective, 1e-20 * problem.data_square)))


def _shapes(problem: CircuitProblem) -> NDArray[np.int_]:
    """Return the coordinates that move little from spectrum to spectrum: times and exponents."""
    kinds = [parameter.kind for parameter in problem.circuit.parameters]
    times = set(problem.coordinates.times.tolist())
    return np.array([i for i, k in enumerate(kinds) if k in {"time", "alpha"} or i in times], int)


def _cheapest_path(cost: Real, jump: Real) -> NDArray[np.int_]:
    """Return for each step its choice: ``cost`` (steps, n), ``jump`` (steps - 1, n from, n to)."""
    total, came_from = cost[0], []
    for here, way in zip(cost[1:], jump, strict=True):
        through = total[:, None] + way
        came_from.append(np.argmin(through, axis=0))
        total = through.min(axis=0) + here
    path = [int(np.argmin(total))]
    for before in reversed(came_from):
        path.append(int(before[path[-1]]))
    return np.array(path[::-1])
