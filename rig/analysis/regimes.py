"""Two straight regimes in an Arrhenius plot: found by AICc over all splits, or not found.

A split is accepted only where the data show a kink or a jump. A smooth bend (grain boundary in
series, a polymer above its glass transition, the other convention) also lowers the AICc of two
lines; a parabola then describes it better with fewer parameters, and no transition is claimed.

x is 1/(kT) in 1/eV, y the logarithm; points are sorted by rising temperature (falling x).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rig.analysis.regression import FloatArray, Solution, aicc, fit_line, solve

BOLTZMANN_ELECTRONVOLT_PER_KELVIN = 8.617333262e-5  # CODATA 2018

_LEAST_POINTS = 4  # in each regime
_LEAST_SPAN_KELVIN = 15.0  # of each regime
_AICC_GAIN = 10.0
_SIGNIFICANCE = 3.0  # combined standard errors between the two energies
_DRAWS = 500  # bootstrap of the crossing temperature

_LINE_PARAMETERS, _CONTINUOUS_PARAMETERS, _FREE_PARAMETERS, _PARABOLA_PARAMETERS = 3, 5, 6, 4


@dataclass(frozen=True, slots=True)
class Split:
    """Two regimes: coefficients (a_low, b_low, a_high, b_high) of y = a + b x with covariance.

    ``count_low`` points lie in the low-temperature regime. ``crossing_kelvin`` is where the lines
    meet (None when they meet nowhere near the data, as at a first-order jump).
    """

    coefficients: FloatArray
    covariance: FloatArray
    count_low: int
    continuous: bool
    aicc: float
    degrees_of_freedom: int
    reduced_chi_squared: float
    boundary_kelvin: float
    crossing_kelvin: float | None
    crossing_error_kelvin: float | None
    jump_factor: float

    def energies(self) -> tuple[float, float]:
        """Activation energies below and above, in eV."""
        return -float(self.coefficients[1]), -float(self.coefficients[3])

    def predict(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return value and standard error, each x by the regime it falls in."""
        high = kelvin_of(x) >= self.boundary_kelvin
        one = np.ones_like(x)
        zero = np.zeros_like(x)
        low_basis = np.stack([one, x, zero, zero])
        high_basis = np.stack([zero, zero, one, x])
        basis = np.where(high, high_basis, low_basis)
        variance = np.einsum("ij,ik,kj->j", basis, self.covariance, basis)
        return self.coefficients @ basis, np.sqrt(np.maximum(variance, 0.0))


def kelvin_of(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (BOLTZMANN_ELECTRONVOLT_PER_KELVIN * x))


def find_split(x: FloatArray, y: FloatArray, uncertainty: FloatArray | None) -> Split | None:
    """Return the best accepted split, or None where one line (or a smooth bend) serves.

    Accepted when AICc falls by more than 10 against one line, the energies differ by more than 3
    combined standard errors, each regime spans 15 K, and a parabola does not do better.
    """
    candidates = [
        split
        for count in range(_LEAST_POINTS, x.size - _LEAST_POINTS + 1)
        for split in _splits_at(count, x, y, uncertainty)
        if _spans_enough(count, x)
    ]
    if not candidates:
        return None
    best = min(candidates, key=lambda split: split.aicc)
    to_beat = min(line_aicc(x, y, uncertainty) - _AICC_GAIN, parabola(x, y, uncertainty)[0])
    if best.aicc >= to_beat or not _energies_differ(best):
        return None
    if best.crossing_kelvin is None:
        return best
    return replace(best, crossing_error_kelvin=_crossing_error(best.count_low, x, y))


def line_aicc(x: FloatArray, y: FloatArray, uncertainty: FloatArray | None) -> float:
    """AICc of one straight line."""
    line = fit_line(x, y, uncertainty)
    return aicc(line.solution.chi_squared, x.size, _LINE_PARAMETERS)


def parabola(x: FloatArray, y: FloatArray, uncertainty: FloatArray | None) -> tuple[float, float]:
    """AICc of a parabola in 1/T, and how much its local energy changes over the data, in eV."""
    centred = x - x.mean()
    solution = solve(np.stack([np.ones_like(x), centred, centred**2], axis=1), y, uncertainty)
    change = 2.0 * float(solution.coefficients[2]) * float(np.ptp(x))
    return aicc(solution.chi_squared, x.size, _PARABOLA_PARAMETERS), abs(change)


def _spans_enough(count: int, x: FloatArray) -> bool:
    kelvin = kelvin_of(x)
    return bool(min(np.ptp(kelvin[:count]), np.ptp(kelvin[count:])) >= _LEAST_SPAN_KELVIN)


def _energies_differ(split: Split) -> bool:
    contrast = np.array([0.0, -1.0, 0.0, 1.0])
    error = math.sqrt(max(float(contrast @ split.covariance @ contrast), 0.0))
    low, high = split.energies()
    return abs(low - high) > _SIGNIFICANCE * error


def _splits_at(
    count: int, x: FloatArray, y: FloatArray, uncertainty: FloatArray | None
) -> list[Split]:
    """Return two free lines and a continuous pair for one division of the points.

    The best continuous pair either has its knot on a datum, or is two free lines that happen to
    meet inside their own gap: nothing else needs to be searched.
    """
    free = _free_lines(count, x, y, uncertainty)
    a_low, b_low, a_high, b_high = free.coefficients
    meets = (a_high - a_low) / (b_low - b_high) if b_low != b_high else math.inf
    inside = x[count] <= meets <= x[count - 1]
    identity = np.eye(4)
    found = [_as_split(free, identity, count, x, meets if inside else None, continuous=False)]
    if inside:
        found.append(_as_split(free, identity, count, x, meets, continuous=True))
    else:
        hinge, to_lines = _hinged_lines(count, x, y, uncertainty)
        found.append(_as_split(hinge, to_lines, count, x, float(x[count]), continuous=True))
    return found


def _free_lines(
    count: int, x: FloatArray, y: FloatArray, uncertainty: FloatArray | None
) -> Solution:
    low = (np.arange(x.size) < count).astype(float)
    return solve(np.stack([low, low * x, 1 - low, (1 - low) * x], axis=1), y, uncertainty)


def _hinged_lines(
    count: int, x: FloatArray, y: FloatArray, uncertainty: FloatArray | None
) -> tuple[Solution, FloatArray]:
    """Two lines joined at the first point of the upper regime, and the map to (a, b, a, b)."""
    knot = float(x[count])
    design = np.stack([np.ones_like(x), x, np.minimum(x - knot, 0.0)], axis=1)
    to_lines = np.array([[1, 0, 0], [0, 1, 0], [1, 0, -knot], [0, 1, 1]], dtype=float)
    return solve(design, y, uncertainty), to_lines


def _as_split(
    solution: Solution,
    to_lines: FloatArray,
    count: int,
    x: FloatArray,
    meets: float | None,
    *,
    continuous: bool,
) -> Split:
    parameters = _CONTINUOUS_PARAMETERS if continuous else _FREE_PARAMETERS
    lines = to_lines @ solution.coefficients
    crossing = _crossing_near(lines, x) if meets is None else float(kelvin_of(np.array(meets)))
    # The jump is read where the upper regime begins: its first point belongs to it.
    step = (lines[2] - lines[0]) + (lines[3] - lines[1]) * x[count]
    edges = kelvin_of(x[count - 1 : count + 1])
    return Split(
        coefficients=lines,
        covariance=to_lines @ solution.covariance @ to_lines.T,
        count_low=count,
        continuous=continuous,
        aicc=aicc(solution.chi_squared, x.size, parameters),
        degrees_of_freedom=x.size - parameters + 1,
        reduced_chi_squared=solution.chi_squared / (x.size - parameters + 1),
        boundary_kelvin=crossing if continuous and crossing else float(edges.mean()),
        crossing_kelvin=crossing,
        crossing_error_kelvin=None,
        jump_factor=1.0 if continuous else math.exp(min(step, 700.0)),
    )


def _crossing_near(lines: FloatArray, x: FloatArray) -> float | None:
    """Where two lines meet, in kelvin, if that is inside the measured range."""
    difference = lines[1] - lines[3]
    meets = (lines[2] - lines[0]) / difference if difference else math.inf
    return float(kelvin_of(np.array(meets))) if x.min() <= meets <= x.max() else None


def _crossing_error(count: int, x: FloatArray, y: FloatArray) -> float:
    """Standard error of the crossing by a seeded residual bootstrap of two free lines, in kelvin.

    The interquartile range is used: a few draws with nearly parallel lines would rule a variance.
    """
    low = (np.arange(x.size) < count).astype(float)
    design = np.stack([low, low * x, 1 - low, (1 - low) * x], axis=1)
    projector = np.linalg.pinv(design)
    fitted = design @ (projector @ y)
    residual = (y - fitted) * math.sqrt(x.size / (x.size - 4))
    draws = np.random.default_rng(0).choice(residual, size=(_DRAWS, x.size))
    a_low, b_low, a_high, b_high = projector @ (fitted + draws).T
    with np.errstate(divide="ignore", invalid="ignore"):
        kelvin = kelvin_of((a_high - a_low) / (b_low - b_high))
    lower, upper = np.nanpercentile(kelvin, [25.0, 75.0])
    return float(upper - lower) / 1.349
