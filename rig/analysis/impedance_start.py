"""Where a circuit fit starts from, found from the spectrum alone: the separable search.

Multiply a part of the chain by a number and its impedance is multiplied: every circuit is *linear*
in the levels of its parts once their shapes are guessed (``impedance_shapes``). Every tuple of
shapes is a small linear least-squares problem, all are solved at once from one Gram matrix, and the
best few, apart from each other, are handed on. This is variable projection (Golub and Pereyra,
SIAM J. Numer. Anal. 10, 413 (1973)) on a grid. Knows no optimiser.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import Complex, Real
from rig.analysis.impedance_problem import CircuitProblem
from rig.analysis.impedance_shapes import DRAWN, Shapes, offsets_of, shapes_of

MOST_TUPLES = 20_000  # beyond, a random sample of the tuples has to do
BEST_FEW = 48  # of which starts apart from each other are picked
NEGLIGIBLE = 1e-4  # of the data: the floor for levels that the linear solve makes negative
COUNTER = 100.0  # how much dearer a negative level is than the misfit it saves
RIDGE = 1e-10  # neighbours on the grid are nearly equal
SEARCHED_TOGETHER = 4e6  # numbers in one array of the search


def starting_values(problem: CircuitProblem, count: int) -> Real:
    """Return starts, shape (spectra, count or fewer, parameters), the best first.

    A circuit with parts that are no arcs gets four times ``count``: its shapes are a sample only.
    """
    everything = np.arange(len(problem.spectra))
    if problem.one_grid:
        return _on_one_grid(problem, everything, count)
    found = [_on_one_grid(problem, everything[i : i + 1], count) for i in everything]
    fewest = min(one.shape[1] for one in found)
    return np.concatenate([one[:, :fewest] for one in found])


def _on_one_grid(problem: CircuitProblem, rows: NDArray[np.int_], count: int) -> Real:
    shapes = shapes_of(problem.circuit, problem.spectra[int(rows[0])])
    terms = shapes.terms
    names = tuple(term.likeness for term in terms)
    tuples = _tuples(names, tuple(len(term.values) for term in terms))
    wanted = count if all(term.gridded or len(term.values) == 1 for term in terms) else 4 * count
    size = max(1, int(SEARCHED_TOGETHER / (len(tuples) * len(terms) + shapes.columns.size)))
    return np.concatenate(
        [
            _search(problem, rows[begin : begin + size], shapes, tuples, wanted)
            for begin in range(0, len(rows), size)
        ]
    )


@functools.lru_cache(maxsize=64)
def _tuples(names: tuple[str, ...], sizes: tuple[int, ...]) -> NDArray[np.int_]:
    """Return the choices to try: one column for each term; like terms never take the same.

    Terms by likeness and number of candidates; columns count through the likes one after the other.
    Like terms are told apart by nothing but their order, which is that of their candidates.
    """
    likes = dict(zip(names, sizes, strict=True))
    offsets = dict(zip(likes, offsets_of(list(likes.values())), strict=True))
    of_likes = [_choices(size, names.count(name)) for name, size in likes.items()]
    counts = [len(choices) for choices in of_likes]
    total = math.prod(counts)
    rng = np.random.default_rng(0)
    picked = np.arange(total) if total <= MOST_TUPLES else rng.integers(0, total, MOST_TUPLES)
    by_like = np.unravel_index(picked, counts)
    tuples = np.empty((len(picked), len(names)), dtype=int)
    for name, choices, index in zip(likes, of_likes, by_like, strict=True):
        places = [i for i, one in enumerate(names) if one == name]
        tuples[:, places] = np.array(choices, dtype=int)[index] + offsets[name]
    tuples.flags.writeable = False  # many share it
    return tuples


def _choices(candidates: int, count: int) -> list[tuple[int, ...]]:
    if math.comb(candidates, count) <= MOST_TUPLES:
        return list(itertools.combinations(range(candidates), count))
    return _sampled(candidates, count)


def _sampled(candidates: int, count: int) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(0)
    draws = (rng.choice(candidates, count, replace=False) for _ in range(MOST_TUPLES))
    return [tuple(sorted(map(int, draw))) for draw in draws]


def _search(
    problem: CircuitProblem,
    rows: NDArray[np.int_],
    shapes: Shapes,
    tuples: NDArray[np.int_],
    count: int,
) -> Real:
    """Solve every tuple for every spectrum of ``rows`` and return the best starts' values."""
    columns = np.broadcast_to(shapes.columns, (len(rows), *shapes.columns.shape))
    misfit, levels = misfits_of(problem, rows, columns, tuples)
    best = best_apart(misfit, [term.gridded for term in shapes.terms], tuples, count)
    at = np.arange(len(rows))[:, None]
    parts = []
    for i, term in enumerate(shapes.terms):
        shape = term.values[tuples[best, i] - shapes.offsets[term.likeness]]
        parts.append(shape * levels[i][at, best][..., None] ** term.powers)
    return np.concatenate(parts, axis=-1)


def misfits_of(
    problem: CircuitProblem, rows: NDArray[np.int_], columns: Complex, tuples: NDArray[np.int_]
) -> tuple[Real, Real]:
    """Return the misfit of every tuple of columns (n, columns, points) and its levels (k, n, tuples).

    Levels are positive: where the linear solution is not, it pays for that and gets a floor.
    """
    longest = problem.measured.shape[1]
    if columns.shape[-1] < longest:  # filled up by points of no weight
        fill = np.zeros((*columns.shape[:2], longest - columns.shape[-1]))
        columns = np.concatenate([columns, fill], axis=-1)
    weighted = problem.weighted(columns, rows)
    norms = np.linalg.norm(weighted, axis=-1)
    weighted /= norms[..., None]
    target = problem.target(rows)
    square = np.einsum("ni,ni->n", target, target)
    moment = (weighted @ target[..., None])[..., 0]
    saved, levels = _solve(weighted @ weighted.mT, moment, tuples)
    misfit = square[:, None] - saved
    misfit += COUNTER * np.sum(np.minimum(levels, 0.0) ** 2, axis=0)
    floor = NEGLIGIBLE * np.sqrt(square)[:, None]
    levels = np.maximum(levels, floor) / np.moveaxis(norms[:, tuples], -1, 0)
    return misfit, levels


def _solve(gram: Real, moment: Real, tuples: NDArray[np.int_]) -> tuple[Real, Real]:
    """Return what each tuple saves of the sum of squares (n, tuples), and its levels (k, n, tuples).

    Cholesky written out over the entries of the small matrices, so that each entry is one array
    over all spectra and tuples.
    """
    size = tuples.shape[1]
    lower: dict[tuple[int, int], Real] = {}
    half: list[Real] = []
    levels = np.empty((size, len(gram), len(tuples)))
    saved = np.zeros((len(gram), len(tuples)))
    for i in range(size):
        for j in range(i + 1):
            entry = gram[:, tuples[:, i], tuples[:, j]]
            for k in range(j):
                entry -= lower[i, k] * lower[j, k]
            lower[i, j] = np.sqrt(np.maximum(entry, RIDGE)) if i == j else entry / lower[j, j]
        right = moment[:, tuples[:, i]]
        for k in range(i):
            right -= lower[i, k] * half[k]
        half.append(right / lower[i, i])
        saved += half[i] ** 2
    for i in reversed(range(size)):
        levels[i] = half[i]
        for k in range(i + 1, size):
            levels[i] -= lower[k, i] * levels[k]
        levels[i] /= lower[i, i]
    return saved, levels


def best_apart(
    misfit: Real, gridded: Sequence[bool], tuples: NDArray[np.int_], count: int
) -> NDArray[np.int_]:
    """Return the best tuples (n, count) that differ by more than one grid step in some time."""
    few = min(BEST_FEW, len(tuples))
    best = np.argpartition(misfit, few - 1, axis=1)[:, :few]
    worth = np.take_along_axis(misfit, best, axis=1)
    steps = np.where(gridded, 1, DRAWN)  # drawn shapes have no neighbours
    rows = np.arange(len(misfit))
    picked: list[NDArray[np.int_]] = []
    while len(picked) < min(count, few) and np.isfinite(worth).any(axis=1).all():
        at = np.argmin(worth, axis=1)
        picked.append(best[rows, at])
        apart = np.abs(tuples[best] - tuples[picked[-1]][:, None]) * steps
        worth[apart.max(axis=-1) <= 1] = np.inf
    return np.stack(picked, axis=1)
