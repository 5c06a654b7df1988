"""From a problem to the lowest minimum of each spectrum, and whether several starts agree on it.

All starts of all spectra run down together. Two that come to the same curve are followed as one,
and one that is left far behind is given up, so that most steps are spent on the best. Knows
neither what a minimum means nor how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import Real
from rig.analysis.impedance_coordinates import levels_of
from rig.analysis.impedance_descent import Descents
from rig.analysis.impedance_exchange import can_exchange, exchanged_values
from rig.analysis.impedance_given import all_starts
from rig.analysis.impedance_problem import CircuitProblem, Start
from rig.analysis.time_constants import is_even, like_places, place_times

SAME_OBJECTIVE = 1.001  # starts whose sums of squares agree within 0.1 % found the same minimum
EXACT = 1e-20  # of the sum of squares of the data: below this, a fit is exact to rounding
MET = 1e-3  # two curves that differ by less than this share of the misfit are one
LEFT_BEHIND = 1.3  # times the lowest objective of its spectrum, and a start is given up
ALWAYS = 2  # that many starts are followed to the end, however far behind
EXCHANGED = 2  # starts with one arc put elsewhere, after the first minimum
MOST_EXCHANGES = 3  # times, for a spectrum that each time found something lower
# Somebody's own start is somebody's own minimum: the first steps go downhill without the jumps of
# levels and not further than a factor of two at a time, which may well land in a better one.
PLAIN, NEARBY = 50, 0.7
ROUNDS = (5, 3, 3, 3, 4, 5, 8, 16, 53)  # steps between two looks at who goes on
# Before the first exchange: who then still creeps along a valley mostly goes the wrong way. Where two
# starts have met after the first rounds, nobody waits for the others.
FIRST_ROUNDS = (5, 3, 5, 10)
ENOUGH_ROUNDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Minima:
    """The lowest of all descents of each spectrum: values (spectra, p), objective (spectra,).

    ``agreeing`` of ``starts`` ended at this objective. Curvature (spectra, free, free) and gradient
    (spectra, free) are half those of the objective in the free coordinates. An objective that is
    not finite: no descent led anywhere. Where all descents ended is kept in ``ends`` (spectra, any
    number, free) with ``heights`` (spectra, the same), infinite where there is none.
    """

    values: Real
    objective: Real
    curvature: Real
    gradient: Real
    starts: NDArray[np.int_]
    agreeing: NDArray[np.int_]
    ends: Real
    heights: Real

    @classmethod
    def of(cls, values: Real, objective: Real, curvature: Real, gradient: Real) -> Minima:
        """Return single points of which nothing else is known."""
        one = np.ones(len(values), dtype=int)
        ends, heights = np.empty((len(values), 0, curvature.shape[-1])), np.empty((len(values), 0))
        return cls(values, objective, curvature, gradient, one, one.copy(), ends, heights)


def find_minima(problem: CircuitProblem, start: Start | None, count: int) -> Minima:
    """Return the lowest minimum of each spectrum from ``count`` starts.

    ``start`` by name, or in the order of the text: a complete one is the only start tried. Raises
    BadInput for a given value outside its bounds.
    """
    starts = all_starts(problem, start, count)
    if not len(problem.free):
        return _nothing_free(problem, starts)
    everything = np.arange(len(problem.spectra))
    if starts.shape[1] == 1:
        return _lowest(problem, starts, everything, plain_steps=PLAIN)[0]
    movable = can_exchange(problem)
    rounds = FIRST_ROUNDS if movable and is_even(problem.circuit) else ROUNDS
    found, _ = _lowest(problem, starts, everything, rounds=rounds)
    rows = everything
    for _ in range(MOST_EXCHANGES if movable else 0):
        moved = exchanged_values(problem, rows, found.values[rows], EXCHANGED)
        beside = np.concatenate([found.values[rows][:, None], moved], axis=1)
        more, carried_on = _lowest(problem, beside, rows, known=1)
        found, better = merged(problem, found, more, rows, carried_on)
        rows = rows[better]
        if not rows.size:
            break
    put_in_order(problem, found)
    return found


def minima_from(
    problem: CircuitProblem, values: Real, rows: NDArray[np.int_] | None = None
) -> Minima:
    """Return the minimum below each of ``values`` (rows, p) on its spectrum, arcs in order."""
    rows = np.arange(len(values)) if rows is None else rows
    found, _ = _lowest(problem, values[:, None], rows)
    put_in_order(problem, found)
    return found


def put_in_order(problem: CircuitProblem, found: Minima) -> None:
    """Give like arcs their places by time constant, fast ones first, so that labels never swap.

    Where a start, bounds or fixed values name an arc's parameter, its place means something and
    stays.
    """
    free_at = {position: i for i, position in enumerate(problem.free.tolist())}
    for places in _places(problem):
        order = _order(problem, places, found.values)
        _take_places(found.values, places, order)
        moved = np.tile(np.arange(len(problem.free)), (len(order), 1))
        own = np.vectorize(free_at.__getitem__)(places)
        moved[:, own.ravel()] = own[order].reshape(len(order), -1)
        rows = np.arange(len(order))[:, None, None]
        found.curvature[:] = found.curvature[rows, moved[:, :, None], moved[:, None, :]]
        found.gradient[:] = np.take_along_axis(found.gradient, moved, axis=1)


def ordered(problem: CircuitProblem, values: Real) -> Real:
    """Return ``values`` (n, p) with like arcs in the places that ``put_in_order`` gives them."""
    values = values.copy()
    for places in _places(problem):
        _take_places(values, places, _order(problem, places, values))
    return values


def _places(problem: CircuitProblem) -> list[NDArray[np.int_]]:
    if not problem.in_order:
        return []
    every = like_places(problem.circuit)
    return [places for places in every if not problem.named & set(places.ravel().tolist())]


def _order(problem: CircuitProblem, places: NDArray[np.int_], values: Real) -> NDArray[np.int_]:
    return np.argsort(place_times(problem.circuit, places, values), axis=1, kind="stable")


def _take_places(values: Real, places: NDArray[np.int_], order: NDArray[np.int_]) -> None:
    old = values[:, places]  # (spectra, arcs, own parameters)
    values[:, places] = np.take_along_axis(old, order[..., None], axis=1)


def _nothing_free(problem: CircuitProblem, starts: Real) -> Minima:
    values = starts[:, 0]
    rows = np.arange(len(values))
    objective = np.sum(problem.residuals(values, rows) ** 2, axis=1)
    return Minima.of(values, objective, np.empty((len(values), 0, 0)), values[:, :0])


def merged(
    problem: CircuitProblem,
    found: Minima,
    more: Minima,
    rows: NDArray[np.int_],
    carried_on: NDArray[np.bool_] | None = None,
) -> tuple[Minima, NDArray[np.bool_]]:
    """Return ``found`` with the lower of two minima of ``rows``, and which ones were improved.

    Those ``carried_on`` are the same descents, gone further: their company has gone with them.
    """
    exact = EXACT * problem.data_square[rows]
    old = found.objective[rows]
    better = more.objective * SAME_OBJECTIVE + exact < old
    worse = more.objective > old * SAME_OBJECTIVE + exact
    alone = better if carried_on is None else better & ~carried_on
    found.agreeing[rows] = np.where(
        alone, more.agreeing, found.agreeing[rows] + np.where(worse, 0, more.agreeing)
    )
    found.starts[rows] += more.starts
    lower = more.objective < old
    at = rows[lower]
    found.values[at], found.objective[at] = more.values[lower], more.objective[lower]
    found.curvature[at], found.gradient[at] = more.curvature[lower], more.gradient[lower]
    count = len(found.values)
    ends = np.zeros((count, *more.ends.shape[1:]))
    heights = np.full((count, more.heights.shape[1]), np.inf)
    ends[rows], heights[rows] = more.ends, more.heights
    together = {
        "ends": np.concatenate([found.ends, ends], axis=1),
        "heights": np.concatenate([found.heights, heights], axis=1),
    }
    return replace(found, **together), better


def _lowest(
    problem: CircuitProblem,
    values: Real,
    spectra_at: NDArray[np.int_],
    *,
    plain_steps: int = 0,
    known: int = 0,
    rounds: Sequence[int] = ROUNDS,
) -> tuple[Minima, NDArray[np.bool_]]:
    """Run down from ``values`` (spectra, starts, p) on the spectra ``spectra_at``.

    The first ``known`` starts were followed before: company for the others, not counted again.
    Returns with the minima which spectra have theirs from such a one.
    """
    spectra, starts, _ = values.shape
    low, high = np.moveaxis(problem.limits[spectra_at], -1, 0)[:, :, None]
    theta = problem.coordinates.of(np.clip(values, low, high))[..., problem.free]
    rows = np.repeat(spectra_at, starts)
    box = tuple(side[rows][:, problem.free] for side in problem.box)
    exact = EXACT * problem.data_square[spectra_at]
    descents = Descents(
        problem.evaluate,
        theta.reshape(spectra * starts, -1),
        rows,
        (box[0], box[1]),
        np.repeat(exact, starts),
    )
    descents.longest = NEARBY
    descents.advance(plain_steps)
    descents.longest, descents.levels = (
        np.inf,
        levels_of(problem.circuit, problem.coordinates, problem.free),
    )
    followed = _run_down(descents, starts, rounds)
    objective = descents.objective[followed].reshape(spectra, starts)
    objective = np.where(np.isfinite(objective), objective, np.inf)
    best = np.argmin(objective, axis=1)
    lowest = objective[np.arange(spectra), best]
    same = SAME_OBJECTIVE * lowest + exact
    at = followed.reshape(spectra, starts)[np.arange(spectra), best]
    ended = descents.settled[followed].reshape(spectra, starts)
    found = Minima(
        problem.placed(descents.theta[at]),
        lowest,
        descents.curvature[at],
        descents.gradient[at],
        np.full(spectra, starts - known),
        np.sum(objective[:, known:] <= same[:, None], axis=1),
        descents.theta[followed].reshape(spectra, starts, -1),
        np.where(ended, objective, np.inf),
    )
    return found, best < known


def _run_down(descents: Descents, starts: int, rounds: Sequence[int]) -> NDArray[np.int_]:
    """Go down in rounds; return which descent each is followed as: its own, or one it has met."""
    followed = np.arange(len(descents.rows))
    for done, steps in enumerate(rounds, 1):
        descents.advance(steps)
        if starts > 1:
            met = _thin_out(descents, followed, starts)
            if rounds is FIRST_ROUNDS and done >= ENOUGH_ROUNDS:
                descents.leave(np.repeat(met, starts))
        if not descents.moving:
            break
    return followed


def _thin_out(descents: Descents, followed: NDArray[np.int_], starts: int) -> NDArray[np.bool_]:
    """Follow starts that have met the best of their spectrum as one; give up those left behind.

    Two that do not meet are always followed to their ends: no minimum is global for want of others.
    The distance of two points is that of their curves, by the better one's curvature. Returns for
    which spectra the best has company.
    """
    objective = np.where(np.isfinite(descents.objective), descents.objective, np.inf)
    objective = objective.reshape(-1, starts)
    spectra = np.arange(len(objective))
    best = np.argmin(objective, axis=1)
    flat = spectra * starts + best
    theta = descents.theta.reshape(len(spectra), starts, -1)
    apart = theta - theta[spectra, best][:, None]
    with np.errstate(invalid="ignore"):
        far = np.vecdot(apart @ descents.curvature[flat], apart)
    met = far <= MET * objective[spectra, best][:, None]
    met[spectra, best] = False
    owner = followed.reshape(objective.shape)
    owner[met] = np.broadcast_to(flat[:, None], met.shape)[met]
    others = np.where(met, np.inf, objective)
    rank = np.argsort(np.argsort(others, axis=1), axis=1)
    agreed = (owner == flat[:, None]).sum(
        axis=1, keepdims=True
    ) > 1  # its own company needs no more
    lost = (agreed | (rank >= ALWAYS)) & (others > LEFT_BEHIND * objective[spectra, best][:, None])
    descents.leave((met | lost).ravel())
    return np.asarray(agreed[:, 0])
