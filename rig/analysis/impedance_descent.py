"""Levenberg-Marquardt for many least-squares problems at once, inside boxes. Knows no circuits.

All problems take their steps together, as arrays; each has its own damping and leaves when it has
settled. The damping follows Nielsen (IMM-REP-1999-05, Technical University of Denmark): shrunk by
what the quadratic model was worth, doubled faster and faster after failures. Steps are scaled by
the diagonal (Marquardt), and a coordinate that pushes against its bound is held for that step.

Where the model is linear in the *levels* of some of its parts, each trial is followed by the exact
linear solution for the levels, which costs nothing: curvature and gradient already hold the small
normal equations. So the descent runs in the shapes alone (variable projection; Ruhe and Wedin,
SIAM Rev. 22, 318 (1980)). Measured on three arcs of random size: 21 steps instead of 29.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit_elements import Real

# A step that lowers the objective by less has nothing left to find but the floor of a flat valley.
SETTLED = 1e-6
FIRST_DAMPING = 1e-3
LEAST_DAMPING = 1e-12
HOPELESS_DAMPING = 1e9  # no step of any length goes down from here
LEAST_CURVATURE = 1e-14  # of the largest: below, a coordinate does not move the curve at all

DEEPEST_CUT = 0.9  # of a level in one go: levels stay positive

# (theta (n, p), rows (n,)) -> (objective (n,), half its gradient (n, p), half its curvature (n, p, p))
Evaluate = Callable[[Real, NDArray[np.int_]], tuple[Real, Real, Real]]


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Which coordinates scale a part: adding ln(a) ``directions[t]`` multiplies part t by a.

    ``directions`` is (parts, p); ``owner`` gives each coordinate's part, or the number of parts for
    a coordinate of none. The model is the sum of its parts.
    """

    directions: Real
    owner: NDArray[np.int_]


@dataclass(slots=True, eq=False)
class _State:
    """Of the problems that still move: everything has the problems as its first axis."""

    at: NDArray[np.int_]
    low: Real
    high: Real
    theta: Real
    objective: Real
    gradient: Real
    curvature: Real
    damping: Real
    growth: Real

    def keep(self, mask: NDArray[np.bool_]) -> _State:
        return _State(*(getattr(self, name)[mask] for name in self.__slots__))

    def take(self, down: NDArray[np.bool_], theta: Real, found: tuple[Real, Real, Real]) -> None:
        """Go on from ``theta`` where that is ``down``."""
        if down.all():
            self.theta, (self.objective, self.gradient, self.curvature) = theta, found
            return
        self.theta[down], self.objective[down] = theta[down], found[0][down]
        self.gradient[down], self.curvature[down] = found[1][down], found[2][down]


class Descents:
    """Many descents under way: where each stands, ``theta`` (n, p) and ``objective`` (n,).

    ``rows`` (n,) names the data of each, ``box`` is (lowest, highest), each (n, p). A descent has
    ``settled`` when a step and its forecast lower the objective by less than SETTLED of it, when
    the objective is below ``exact`` (n,), or when no step goes down. With ``levels`` each step is
    followed by the solution for them; ``longest`` limits a step in every coordinate.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        theta: Real,
        rows: NDArray[np.int_],
        box: tuple[Real, Real],
        exact: Real,
    ) -> None:
        self._evaluate = evaluate
        self.levels: Levels | None = None
        self.longest = np.inf  # of a step, in any coordinate
        self.rows, self._box, self._exact = rows, box, exact
        everything = np.arange(len(rows))
        start = np.clip(theta, *box)
        damping, growth = np.full(len(rows), FIRST_DAMPING), np.full(len(rows), 2.0)
        found = evaluate(start, rows)
        state = _State(everything, *box, start, *found, damping, growth)
        self.theta, self.objective = state.theta.copy(), state.objective.copy()
        self.curvature, self.gradient = state.curvature.copy(), state.gradient.copy()
        self.settled = np.zeros(len(rows), dtype=bool)
        self._state = state.keep(np.isfinite(state.objective))
        self.steps = 0

    def advance(self, steps: int) -> None:
        """Go on by at most ``steps`` steps, all that still move together."""
        for _ in range(steps):
            state = self._state
            if not state.at.size:
                break
            self.steps += 1
            settled = self._step(state)
            if settled.any():
                self._note(state)
                self.settled[state.at] = settled
                self._state = state.keep(~settled)
        self._note(self._state)

    @property
    def moving(self) -> bool:
        return bool(self._state.at.size)

    def leave(self, given_up: NDArray[np.bool_]) -> None:
        """Go no further with these."""
        self._state = self._state.keep(~given_up[self._state.at])

    def _note(self, state: _State) -> None:
        self.theta[state.at], self.objective[state.at] = state.theta, state.objective
        self.curvature[state.at], self.gradient[state.at] = state.curvature, state.gradient

    def _step(self, state: _State) -> NDArray[np.bool_]:
        """Try one step of every problem, keep those that go down, and say which have settled."""
        step = _direction(state, state.damping)
        if self.longest < np.inf:
            far = np.maximum(np.abs(step).max(axis=1), 1e-9)
            step *= np.minimum(1.0, self.longest / far)[:, None]
        trial = np.minimum(np.maximum(state.theta + step, state.low), state.high)
        moved = trial - state.theta
        pull = 2.0 * state.gradient + (moved[:, None] @ state.curvature)[:, 0]
        forecast = -np.vecdot(pull, moved)
        trial, found = self._tried(trial, state)
        objective = found[0]
        gain = state.objective - objective
        down = (gain > 0) & np.isfinite(objective)
        with np.errstate(divide="ignore"):
            worth = np.divide(gain, forecast, out=np.zeros(len(gain)), where=down)
        small = SETTLED * state.objective
        slow = (np.abs(forecast) <= small) & (np.abs(gain) <= small)
        state.take(down, trial, found)
        _damp(state, down, worth)
        settled = _at_rest(state, slow)
        settled |= state.objective <= self._exact[state.at]
        return np.asarray(settled | (state.damping > HOPELESS_DAMPING))

    def _tried(self, theta: Real, state: _State) -> tuple[Real, tuple[Real, Real, Real]]:
        found = self._evaluate(theta, self.rows[state.at])
        if self.levels is None or not len(self.levels.directions):
            return theta, found
        return _levelled(self.levels, theta, found, state.low, state.high)


def _levelled(
    levels: Levels,
    theta: Real,
    found: tuple[Real, Real, Real],
    low: Real,
    high: Real,
) -> tuple[Real, tuple[Real, Real, Real]]:
    """Solve for the levels where they stay inside the box; everything follows without a new look.

    The parts' impedances are the slopes along ``directions``, and all slopes of a part grow with
    its level. Returns coordinates, and objective, gradient and curvature there.
    """
    objective, gradient, curvature = found
    directions = levels.directions
    along = curvature @ directions.T
    normal, right = directions @ along, gradient @ directions.T
    finite = np.isfinite(objective)
    if not finite.all():
        normal[~finite], right[~finite] = np.eye(len(directions)), 0.0
    diagonal = _diagonal(normal)
    diagonal *= 1.0 + 1e-9
    diagonal += np.finfo(float).tiny
    growth = np.linalg.solve(normal, -right[..., None])[..., 0]
    deepest = growth.min(axis=1, keepdims=True)
    if deepest.min() < -DEEPEST_CUT:
        growth *= np.minimum(1.0, DEEPEST_CUT / np.maximum(-deepest, 1e-9))
    moved = theta + np.log1p(growth) @ directions
    outside = ~(finite & np.all((moved >= low) & (moved <= high), axis=1))
    if outside.any():
        growth[outside], moved[outside] = 0.0, theta[outside]
    bent = (normal @ growth[..., None])[..., 0]
    objective = objective + np.vecdot(growth, 2.0 * right + bent)
    grown = np.ones((len(growth), growth.shape[1] + 1))
    grown[:, :-1] += growth
    by = grown[:, levels.owner]
    gradient = by * (gradient + (along @ growth[..., None])[..., 0])
    return moved, (objective, gradient, by[:, :, None] * curvature * by[:, None, :])


def _diagonal(matrices: Real) -> Real:
    """Return a view of the diagonals of contiguous square matrices (n, p, p), shape (n, p)."""
    count, size, _ = matrices.shape
    return matrices.reshape(count, size * size)[:, :: size + 1]


def _at_rest(state: _State, slow: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which slow ones have nothing left to gain, and free the others from their damping.

    In a long flat valley a damped step is short and gains little while a free one would gain more.
    """
    rest = np.zeros(len(slow), dtype=bool)
    at = np.flatnonzero(slow)
    if not at.size:
        return rest
    some = state.keep(slow)
    step = _direction(some, np.minimum(some.damping, LEAST_DAMPING))
    rest[at] = -np.vecdot(some.gradient, step) <= SETTLED * some.objective
    freed = at[~rest[at] & (some.damping > LEAST_DAMPING)]
    state.damping[freed] = np.maximum(1e-3 * state.damping[freed], LEAST_DAMPING)
    rest[at] |= some.damping <= LEAST_DAMPING
    return rest


def _direction(state: _State, damping: Real) -> Real:
    """Return the damped Gauss-Newton step; coordinates that push against their bound are held."""
    g = state.gradient
    held = ((state.theta <= state.low) & (g > 0)) | ((state.theta >= state.high) & (g < 0))
    matrix = state.curvature.copy()
    if held.any():
        matrix *= ~(held[:, :, None] | held[:, None, :])
    diagonal = _diagonal(matrix)
    floor = LEAST_CURVATURE * diagonal.max(axis=1, keepdims=True) + np.finfo(float).tiny
    diagonal += np.where(held, 1.0, damping[:, None] * np.maximum(diagonal, floor) + floor)
    return np.asarray(np.linalg.solve(matrix, np.where(held, 0.0, -g)[..., None])[..., 0])


def _damp(state: _State, down: NDArray[np.bool_], worth: Real) -> None:
    shrunk = np.maximum(1.0 / 3.0, 1.0 - (2.0 * np.clip(worth, 0.0, 2.0) - 1.0) ** 3)
    grown = state.damping * state.growth
    state.damping = np.where(down, np.maximum(state.damping * shrunk, LEAST_DAMPING), grown)
    state.growth = np.where(down, 2.0, 2.0 * state.growth)
