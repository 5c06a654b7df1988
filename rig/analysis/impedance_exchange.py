"""Starts with one arc put elsewhere, for a minimum that may not be the lowest. Knows no optimiser."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import Complex, Real
from rig.analysis.impedance_problem import CircuitProblem
from rig.analysis.impedance_shapes import GRID_PER_DECADE, Shapes, Term, offsets_of, shapes_of
from rig.analysis.impedance_start import best_apart, misfits_of
from rig.analysis.time_constants import has_one_time, time_constant


def can_exchange(problem: CircuitProblem) -> bool:
    """Return whether some part has a place in time that it could leave for another."""
    parts = problem.circuit.chain.parts
    return len(parts) > 1 and any(has_one_time(part) for part in parts)


def exchanged_values(
    problem: CircuitProblem, rows: NDArray[np.int_], values: Real, count: int
) -> Real:
    """Return starts (rows, count or fewer, p) with one arc taken away and put elsewhere.

    A minimum that is not the lowest mostly has two arcs where the data have one, broader, and none
    where there is another. So each gridded part in turn leaves ``values`` (rows, p) and is tried on
    the grid, the others as fitted. Only for what ``can_exchange``.
    """
    if problem.one_grid:
        return _exchanged(problem, rows, values, count)
    found = [
        _exchanged(problem, rows[i : i + 1], values[i : i + 1], count) for i in range(len(rows))
    ]
    fewest = min(one.shape[1] for one in found)
    return np.concatenate([one[:, :fewest] for one in found])


def _exchanged(problem: CircuitProblem, rows: NDArray[np.int_], values: Real, count: int) -> Real:
    """Return the starts of ``exchanged_values`` for spectra of one grid."""
    spectrum = problem.spectra[int(rows[0])]
    shapes = shapes_of(problem.circuit, spectrum)
    terms = shapes.terms
    movable = [i for i, term in enumerate(terms) if term.gridded]
    columns, offsets = _columns(
        shapes, movable, problem.s_of(rows[:1]).reshape(-1)[: len(spectrum)], values
    )
    tuples, moved, choice = _moves(terms, movable, offsets)
    misfit, levels = misfits_of(problem, rows, columns, tuples)
    misfit[_is_home(terms, movable, values, moved, choice)] = np.inf
    best = best_apart(misfit, [True] * len(terms), tuples, count)
    return _moved_values(terms, values, best, levels=levels, moved=moved, choice=choice)


def _columns(
    shapes: Shapes, movable: Sequence[int], s: Complex, values: Real
) -> tuple[Complex, dict[str, int]]:
    """Return the impedances of all terms as fitted, then of every candidate, and where those begin."""
    terms = shapes.terms
    fitted = [term.part.evaluate(s, values[:, term.begin :].T[..., None])[0] for term in terms]
    likes = {terms[i].likeness: terms[i] for i in movable}
    grids = np.concatenate([shapes.columns_of(likeness) for likeness in likes])
    sizes = [len(terms), *(len(term.values) for term in likes.values())]
    columns: Complex = np.concatenate(
        [np.stack(fitted, axis=1), np.broadcast_to(grids, (len(values), *grids.shape))], axis=1
    )
    return columns, dict(zip(likes, offsets_of(sizes)[1:], strict=True))


def _moves(
    terms: Sequence[Term], movable: Sequence[int], offsets: dict[str, int]
) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.int_]]:
    """Return tuples of columns, and for each which term has moved and to which of its shapes."""
    moved = np.concatenate([np.full(len(terms[i].values), i) for i in movable])
    choice = np.concatenate([np.arange(len(terms[i].values)) for i in movable])
    tuples = np.tile(np.arange(len(terms)), (len(moved), 1))
    begins = np.array([offsets.get(term.likeness, 0) for term in terms])
    tuples[np.arange(len(moved)), moved] = begins[moved] + choice
    return tuples, moved, choice


def _is_home(
    terms: Sequence[Term],
    movable: Sequence[int],
    values: Real,
    moved: NDArray[np.int_],
    choice: NDArray[np.int_],
) -> NDArray[np.bool_]:
    """Return which moves (n, moves) end where the part has come from, by its time constant."""
    home = np.empty((len(values), len(moved)), dtype=bool)
    for i in movable:
        own = values[:, terms[i].begin :][:, : terms[i].values.shape[1]]
        now = np.log(time_constant(terms[i].part, own))
        grid = np.log(time_constant(terms[i].part, terms[i].values))
        step = math.log(10.0) / GRID_PER_DECADE
        near = np.abs(now[:, None] - grid) < step
        home[:, moved == i] = near[:, choice[moved == i]]
    return home


def _moved_values(
    terms: Sequence[Term],
    values: Real,
    best: NDArray[np.int_],
    *,
    levels: Real,
    moved: NDArray[np.int_],
    choice: NDArray[np.int_],
) -> Real:
    at = np.arange(len(best))[:, None]
    parts = []
    for i, term in enumerate(terms):
        own = values[:, None, term.begin : term.begin + term.values.shape[1]]
        level = levels[i][at, best][..., None]
        there = term.values[np.where(moved[best] == i, choice[best], 0)]
        shape = np.where((moved[best] == i)[..., None], there, own)
        parts.append(shape * level**term.powers)
    return np.concatenate(parts, axis=-1)
