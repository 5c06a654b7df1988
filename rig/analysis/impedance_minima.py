"""From a problem to the lowest minimum of each spectrum, and whether several starts agree on it.

All starts of all spectra run down together. Two that come to the same curve are followed as one,
and one that is left far behind is given up, so that most steps are spent on the best. Knows
neither what a minimum means nor how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import LEVEL_POWERS, Real
from rig.analysis.impedance_descent import MOST_STEPS, Descents, Levels
from rig.analysis.impedance_exchange import exchanged_values
from rig.analysis.impedance_problem import CircuitProblem, Start
from rig.analysis.impedance_start import (
    like_places,
    place_times,
    starting_values,
)
from rig.core.errors import BadInput, Problem

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
ROUNDS = (5, 3, 3, 3, 4, 5, 8, 16)  # steps between two looks at who goes on


@dataclass(frozen=True, slots=True, eq=False)
class Minima:
    """The lowest of all descents of each spectrum: values (spectra, p), objective (spectra,).

    ``agreeing`` of ``starts`` ended at this objective. Curvature (spectra, free, free) and gradient
    (spectra, free) are half those of the objective in the free coordinates. An objective that is
    not finite: no descent led anywhere.
    """

    values: Real
    objective: Real
    curvature: Real
    gradient: Real
    starts: NDArray[np.int_]
    agreeing: NDArray[np.int_]


def find_minima(problem: CircuitProblem, start: Start | None, count: int) -> Minima:
    """Return the lowest minimum of each spectrum from ``count`` starts.

    ``start`` by name, or in the order of the text: a complete one is the only start tried. Raises
    BadInput for a given value outside its bounds.
    """
    starts = _starts(problem, start, count)
    if not len(problem.free):
        return _nothing_free(problem, starts)
    everything = np.arange(len(problem.spectra))
    if starts.shape[1] == 1:
        return _lowest(problem, starts, everything, plain_steps=PLAIN)
    found = _lowest(problem, starts, everything)
    rows = everything
    for _ in range(MOST_EXCHANGES):
        moved = exchanged_values(problem, rows, found.values[rows], EXCHANGED)
        if moved is None:
            break
        beside = np.concatenate([found.values[rows][:, None], moved], axis=1)
        better = _merge(problem, found, _lowest(problem, beside, rows, known=1), rows)
        rows = rows[better]
        if not rows.size:
            break
    if start is None:
        _put_in_order(problem, found)
    return found


def minima_from(problem: CircuitProblem, values: Real) -> Minima:
    """Return the minimum below each spectrum's own ``values`` (spectra, p), arcs in order."""
    found = _lowest(problem, values[:, None], np.arange(len(values)))
    _put_in_order(problem, found)
    return found


def _put_in_order(problem: CircuitProblem, found: Minima) -> None:
    """Give like arcs their places by time constant, fast ones first, so that labels never swap.

    Where bounds or fixed values name an arc's parameter, its place means something and stays.
    """
    free_at = {position: i for i, position in enumerate(problem.free.tolist())}
    for places in like_places(problem.circuit):
        if problem.named & set(places.ravel().tolist()):
            continue
        times = place_times(problem.circuit, places, found.values)
        order = np.argsort(times, axis=1, kind="stable")
        old = found.values[:, places]  # (spectra, arcs, own parameters)
        found.values[:, places] = np.take_along_axis(old, order[..., None], axis=1)
        moved = np.tile(np.arange(len(problem.free)), (len(order), 1))
        own = np.vectorize(free_at.__getitem__)(places)
        moved[:, own.ravel()] = own[order].reshape(len(order), -1)
        rows = np.arange(len(order))[:, None, None]
        found.curvature[:] = found.curvature[rows, moved[:, :, None], moved[:, None, :]]
        found.gradient[:] = np.take_along_axis(found.gradient, moved, axis=1)


def _starts(problem: CircuitProblem, given: Start | None, count: int) -> Real:
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


def _nothing_free(problem: CircuitProblem, starts: Real) -> Minima:
    values = starts[:, 0]
    rows = np.arange(len(values))
    objective = np.sum(problem.residuals(values, rows) ** 2, axis=1)
    return Minima(
        values, objective, np.empty((len(values), 0, 0)), values[:, :0], rows * 0 + 1, rows * 0 + 1
    )


def _merge(
    problem: CircuitProblem, found: Minima, more: Minima, rows: NDArray[np.int_]
) -> NDArray[np.bool_]:
    """Put the lower of two minima of ``rows`` into ``found``; return which ones were improved."""
    exact = EXACT * problem.data_square[rows]
    old = found.objective[rows]
    better = more.objective * SAME_OBJECTIVE + exact < old
    worse = more.objective > old * SAME_OBJECTIVE + exact
    found.agreeing[rows] = np.where(
        better, more.agreeing, found.agreeing[rows] + np.where(worse, 0, more.agreeing)
    )
    found.starts[rows] += more.starts
    lower = more.objective < old
    at = rows[lower]
    found.values[at], found.objective[at] = more.values[lower], more.objective[lower]
    found.curvature[at], found.gradient[at] = more.curvature[lower], more.gradient[lower]
    return better


def _lowest(
    problem: CircuitProblem,
    values: Real,
    spectra_at: NDArray[np.int_],
    *,
    plain_steps: int = 0,
    known: int = 0,
) -> Minima:
    """Run down from ``values`` (spectra, starts, p) on the spectra ``spectra_at``.

    The first ``known`` starts are minima already: company for the others, not counted again.
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
    descents.longest, descents.levels = np.inf, _levels(problem)
    followed = np.arange(spectra * starts)  # each start by itself, or the one that it has met
    for steps in ROUNDS:
        descents.advance(steps)
        if starts > 1:
            _thin_out(descents, followed, starts)
        if not descents.moving:
            break
    descents.advance(MOST_STEPS - sum(ROUNDS))
    objective = descents.objective[followed].reshape(spectra, starts)
    objective = np.where(np.isfinite(objective), objective, np.inf)
    best = np.argmin(objective, axis=1)
    lowest = objective[np.arange(spectra), best]
    same = SAME_OBJECTIVE * lowest + exact
    at = followed.reshape(spectra, starts)[np.arange(spectra), best]
    return Minima(
        problem.placed(descents.theta[at]),
        lowest,
        descents.curvature[at],
        descents.gradient[at],
        np.full(spectra, starts - known),
        np.sum(objective[:, known:] <= same[:, None], axis=1),
    )


def _thin_out(descents: Descents, followed: NDArray[np.int_], starts: int) -> None:
    """Follow starts that have met the best of their spectrum as one; give up those left behind.

    Two that do not meet are always followed to their ends: no minimum is global for want of others.
    The distance of two points is that of their curves, by the better one's curvature.
    """
    objective = np.where(np.isfinite(descents.objective), descents.objective, np.inf)
    objective = objective.reshape(-1, starts)
    spectra = np.arange(len(objective))
    best = np.argmin(objective, axis=1)
    flat = spectra * starts + best
    theta = descents.theta.reshape(len(spectra), starts, -1)
    apart = theta - theta[spectra, best][:, None]
    with np.errstate(invalid="ignore"):
        far = np.einsum("nki,nij,nkj->nk", apart, descents.curvature[flat], apart)
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


def _levels(problem: CircuitProblem) -> Levels:
    """Return the level of each part of the chain all of whose scale values are free."""
    circuit = problem.circuit
    free = set(problem.free.tolist())
    directions: list[Real] = []
    owner = np.full(len(circuit.parameters), -1)
    begin = 0
    for part in circuit.chain.parts:
        powers = [LEVEL_POWERS[parameter.kind] for parameter in part.parameters]
        own = range(begin, begin + len(powers))
        begin += len(powers)
        if any(power and i not in free for power, i in zip(powers, own, strict=True)):
            continue
        owner[list(own)] = len(directions)
        direction = np.zeros(len(circuit.parameters))
        direction[list(own)] = powers
        directions.append(direction)
    matrix = np.array(directions).reshape(-1, len(circuit.parameters))
    matrix[:, problem.coordinates.times] = 0.0  # a time constant does not know its level
    owner[owner < 0] = len(directions)
    return Levels(matrix[:, problem.free], owner[problem.free])
