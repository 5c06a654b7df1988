"""The shape of a fade curve beyond its law: knees and capacity regeneration after rests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rig.analysis.regression import FloatArray, aicc, solve

_LEAST_EACH_SIDE = 5
_KNOTS = 80
_AICC_GAIN = 10.0
_STEEPER = 1.5
_JUMP = 0.008  # of the reference capacity: 15 mAh on a cell of 1.86 Ah


@dataclass(frozen=True, slots=True)
class Knee:
    """Where fade becomes faster: slopes in capacity per cycle, negative when fading."""

    cycle: float
    slope_before: float
    slope_after: float

    def to_dict(self) -> dict[str, float]:
        return {
            "cycle_count": self.cycle,
            "slope_before_ah_per_cycle": self.slope_before,
            "slope_after_ah_per_cycle": self.slope_after,
        }


def find_knee(cycles: FloatArray, capacity: FloatArray, effective_share: float) -> Knee | None:
    """Return the knee of a continuous two-line fit, or None where fade does not clearly speed up.

    It must beat a straight line by 10 in AICc (counted with ``effective_share`` of the points, as
    residuals correlate), beat a parabola (smooth acceleration is no knee) and be 1.5 times steeper.
    """
    knots = cycles[_LEAST_EACH_SIDE : cycles.size - _LEAST_EACH_SIDE]
    if not knots.size:
        return None
    chosen = knots[np.unique(np.linspace(0, knots.size - 1, _KNOTS).astype(int))]
    n = cycles.size
    best, knot, before, after = min(_two_lines(cycles, capacity, float(at)) for at in chosen)
    steeper = after < 0 and after < _STEEPER * min(before, 0.0)
    line, bend = (_polynomial(cycles, capacity, degree) for degree in (1, 2))
    gain = (aicc(line, n, 3) - aicc(best, n, 5)) * effective_share
    if not steeper or gain <= _AICC_GAIN or aicc(best, n, 5) >= aicc(bend, n, 4):
        return None
    return Knee(knot, before, after)


def find_regenerations(
    cycles: FloatArray, capacity: FloatArray, reference: float
) -> tuple[float, ...]:
    """Return cycles whose capacity jumps up by more than 0.8 % of the reference, and not by noise.

    A jump also stands out from two cycles before, and half of it is left in the cycle after:
    one bad reading below or above its neighbours is not a regeneration.
    """
    jump = _JUMP * reference
    rise = np.diff(capacity) > jump
    stands_out = np.ones_like(rise)
    stands_out[1:] = capacity[2:] - capacity[:-2] > 0.5 * jump
    lasts = np.ones_like(rise)
    lasts[:-1] = capacity[2:] - capacity[:-2] > 0.5 * jump
    return tuple(float(cycle) for cycle in cycles[1:][rise & stands_out & lasts])


def _two_lines(
    cycles: FloatArray, capacity: FloatArray, knot: float
) -> tuple[float, float, float, float]:
    """Residual sum, knot, slope before and slope after."""
    design = np.stack([np.ones_like(cycles), cycles, np.maximum(cycles - knot, 0.0)], axis=1)
    solution = solve(design, capacity, None)
    _, before, change = (float(value) for value in solution.coefficients)
    return solution.chi_squared, knot, before, before + change


def _polynomial(cycles: FloatArray, capacity: FloatArray, degree: int) -> float:
    scaled = cycles / cycles.max()
    return solve(np.vander(scaled, degree + 1), capacity, None).chi_squared
