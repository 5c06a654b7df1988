"""The linear Kramers-Kronig fit (Lin-KK) over many spectra on one grid at once. Judges nothing.

A chain of M RC elements with fixed time constants, log-spaced over the band, obeys Kramers-Kronig
whatever its resistances: what it cannot follow is not linear, causal, stable (Schönleber, Klotz,
Ivers-Tiffée, Electrochim. Acta 131, 20 (2014), 10.1016/j.electacta.2014.01.034; Boukamp,
J. Electrochem. Soc. 142, 1885 (1995)). In impedance the further columns are a series inductance and a
series capacitance; in admittance the same two columns are a parallel capacitance and a parallel
inductance, and the spectra that end in a stray capacitance need the latter.

Everything comes from one QR factor per number of elements: the last column of R holds the sums of
squares of all sets of further columns (Golub and Van Loan, Matrix Computations, 5.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from itertools import groupby, pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rig.analysis.rc_chain import TERMS_PER_DECADE, basis, elements_at, mu, weighted

Floats = NDArray[np.float64]
Impedances = NDArray[np.complex128]
Method = Literal["complex", "real", "imaginary"]

MU_LIMIT = 0.85
# Trap (i) of science.md 1.12: mu can fall below its limit at M = 3 with 47 % residual.
FEWEST_PER_DECADE = 3.0
PER_DECADE = (3.0, 4.0, 5.0, 6.0, 7.0)
# A simpler model is kept while it is no more than this worse, or better than anyone can measure.
TOLERATED_EXCESS = 1.10
GOOD_ENOUGH = 2e-4
# Noise of a good instrument; above it another shape of chain is tried, and has to halve it.
DOUBTFUL, RICHER_GAIN = 4e-3, 0.5

# Columns beside the RC elements: a constant, jw and 1/jw
TERM_SETS: tuple[tuple[str, ...], ...] = ((), ("L",), ("C",), ("L", "C"))


@dataclass(frozen=True, slots=True, eq=False)
class LinKKFit:
    """One fitted spectrum: residuals relative to |Z| at each point, and what the chain is made of.

    ``residual`` is (measured - fitted)/|measured| in impedance, (fitted - measured)/|...| of the
    admittance there: to first order the same. ``terms`` are the columns used: L and C mean a series
    inductance and capacitance in impedance, a parallel capacitance and inductance in admittance.
    """

    residual: Impedances
    n_rc: int
    mu: float
    terms: tuple[str, ...]
    admittance: bool
    rms: float  # corrected for the degrees of freedom
    resistance_ohm: float  # the constant and all RC elements; NaN in admittance


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of chain: in which representation, which columns, reaching how far beyond the band."""

    admittance: bool = False
    beyond_decades: float = 0.0
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    elements: int
    coefficients: Floats
    rms: float
    mu: float


RICHER = (_Shape(beyond_decades=1.0), _Shape(True), _Shape(True, 1.0))


def fit_spectra(
    frequency_hertz: Floats,
    impedance_ohm: Impedances,
    method: Method = "complex",
    elements: int | None = None,
) -> list[LinKKFit]:
    """Fit each row of ``impedance_ohm`` (spectra x points) on the grid ``frequency_hertz`` (points).

    The terms are chosen first, then M is raised from 3 per decade until the residual has settled and
    mu shows that the chain has enough elements; where mu never does, the residual alone decides.
    ``elements`` gives M instead.
    """
    omega = 2.0 * math.pi * frequency_hertz
    shapes = _shapes(omega, impedance_ohm)
    fits: dict[int, LinKKFit] = {}
    order = sorted(range(len(shapes)), key=lambda at: astuple(shapes[at]))
    for shape, members in groupby(order, key=lambda at: shapes[at]):
        chosen = list(members)
        values = impedance_ohm[chosen]
        values = 1.0 / values if shape.admittance else values
        found = _raise_m(omega, values, _counts(omega, shape, elements), shape)
        for at, row, solved in zip(chosen, values, found, strict=True):
            fits[at] = _finish(omega, row, solved, shape, method)
    return [fits[at] for at in range(len(shapes))]


def _counts(omega: Floats, shape: _Shape, elements: int | None) -> list[int]:
    if elements is not None:
        return [elements]
    beyond = shape.beyond_decades
    return sorted({elements_at(omega, density, beyond) for density in PER_DECADE})


# --- which columns -------------------------------------------------------------------------------


def _shapes(omega: Floats, impedance: Impedances) -> list[_Shape]:
    """Return, for each spectrum, the plainest chain that follows it nearly as well as any.

    What leaves more than noise is tried again with time constants beyond the band, for arcs that
    are not seen whole, and as an admittance. (A drift of 20 % that is even from point to point leaves
    1.1 % with any of them; one that is even in time they follow, and ``z_hit`` does not.)
    """
    terms, plain_rms = _best_terms(omega, impedance, _Shape())
    shapes = [replace(_Shape(), terms=one) for one in terms]
    doubtful = np.flatnonzero(plain_rms > DOUBTFUL)
    if doubtful.size:
        best_rms = RICHER_GAIN * plain_rms[doubtful]
        for richer in RICHER:
            values = impedance[doubtful]
            values = 1.0 / values if richer.admittance else values
            terms, rms = _best_terms(omega, values, richer)
            for row in np.flatnonzero(rms < best_rms):
                shapes[doubtful[row]] = replace(richer, terms=terms[row])
                best_rms[row] = rms[row] / TOLERATED_EXCESS
    return shapes


def _best_terms(
    omega: Floats, values: Impedances, shape: _Shape
) -> tuple[list[tuple[str, ...]], Floats]:
    elements = elements_at(omega, TERMS_PER_DECADE, shape.beyond_decades)
    factor = _factors(omega, values, elements, replace(shape, terms=("L", "C")))
    freedom = 2 * omega.size - elements - 1
    sums = np.stack([_sum_of_squares(factor, one) for one in TERM_SETS])
    left = np.array([freedom - len(one) for one in TERM_SETS])
    rms = np.sqrt(sums / np.maximum(left, 1)[:, None])
    allowed = rms <= np.maximum(TOLERATED_EXCESS * rms.min(axis=0), GOOD_ENOUGH)
    first = allowed.argmax(axis=0)
    return [TERM_SETS[at] for at in first], rms[first, np.arange(rms.shape[1])]


def _factors(omega: Floats, values: Impedances, elements: int, shape: _Shape) -> Floats:
    """Return R of the QR of [weighted columns, weighted data], one per spectrum."""
    columns = basis(omega, elements, shape.terms, shape.beyond_decades)
    design, data = weighted(columns, values)
    both = np.concatenate([design, data[..., None]], axis=-1)
    return np.asarray(np.linalg.qr(both, mode="r"))


def _sum_of_squares(factor: Floats, terms: tuple[str, ...]) -> Floats:
    """Return what is left over with these of the two last columns, from the corner of R alone."""
    corner = factor[:, -3:, -3:]
    data = corner[..., 2]
    picked = [("L", "C").index(term) for term in terms]
    if not picked:
        return np.asarray(np.sum(data**2, axis=-1))
    columns = corner[..., picked]
    along = np.linalg.solve(
        np.swapaxes(columns, -1, -2) @ columns, np.swapaxes(columns, -1, -2) @ data[..., None]
    )
    return np.asarray(np.sum((data - (columns @ along)[..., 0]) ** 2, axis=-1))


# --- how many elements ---------------------------------------------------------------------------


def _raise_m(
    omega: Floats, values: Impedances, counts: Sequence[int], shape: _Shape
) -> list[_Solved]:
    """Climb the numbers of elements; each spectrum stops at the first that is allowed.

    Allowed is one after which the next brings nothing more to the residual, with mu below its limit.
    """
    ladders: list[list[_Solved]] = [[] for _ in values]
    climbing = list(range(len(values)))
    for count in counts:
        for at, solved in zip(climbing, _solve(omega, values[climbing], count, shape), strict=True):
            ladders[at].append(solved)
        climbing = [at for at in climbing if not _stops(ladders[at])]
        if not climbing:
            break
    return [_first_allowed(ladder) for ladder in ladders]


def _stops(ladder: list[_Solved]) -> bool:
    return len(ladder) > 1 and _settled(ladder[-2], ladder[-1]) and ladder[-2].mu <= MU_LIMIT


def _settled(one: _Solved, following: _Solved) -> bool:
    return one.rms <= max(TOLERATED_EXCESS * following.rms, GOOD_ENOUGH)


def _first_allowed(ladder: list[_Solved]) -> _Solved:
    """Return the rung before the last where the climb has stopped, else the first that had settled."""
    if _stops(ladder):
        return ladder[-2]
    pairs = pairwise(ladder)
    return next((one for one, following in pairs if _settled(one, following)), ladder[-1])


def _solve(omega: Floats, values: Impedances, elements: int, shape: _Shape) -> list[_Solved]:
    """Fit all spectra with one number of elements."""
    factor = _factors(omega, values, elements, shape)
    size = factor.shape[-1] - 1
    answers = np.linalg.solve(factor[:, :size, :size], factor[:, :size, size:])
    coefficients = np.asarray(answers[..., 0], dtype=np.float64)
    rms = np.abs(factor[:, size, size]) / math.sqrt(max(2 * omega.size - size, 1))
    overfit = mu(coefficients[:, 1 : 1 + elements])
    return [
        _Solved(elements, *row)
        for row in zip(coefficients, rms.tolist(), overfit.tolist(), strict=True)
    ]


def _finish(
    omega: Floats, values: Impedances, solved: _Solved, shape: _Shape, method: Method
) -> LinKKFit:
    columns = basis(omega, solved.elements, shape.terms, shape.beyond_decades)
    coefficients = solved.coefficients
    if method != "complex":
        coefficients = _one_part(columns, values, method)
    resistances = coefficients[: 1 + solved.elements]
    return LinKKFit(
        (values - columns @ coefficients) / np.abs(values),
        solved.elements,
        float(mu(resistances[1:])),
        shape.terms,
        shape.admittance,
        solved.rms,
        math.nan if shape.admittance else float(resistances.sum()),
    )


def _one_part(columns: Impedances, values: Impedances, method: Method) -> Floats:
    """Fit one part alone; only what that part cannot see (a constant; L, C) comes from the other."""
    weight = 1.0 / np.abs(values)
    real, imaginary = (columns.real, values.real), (columns.imag, values.imag)
    (own, data), (other, rest) = (real, imaginary) if method == "real" else (imaginary, real)
    seen = np.abs(own).max(axis=0) > 0
    coefficients = np.zeros(columns.shape[1])
    coefficients[seen] = _least_squares(own[:, seen], data, weight)
    if not seen.all():
        rest = rest - other[:, seen] @ coefficients[seen]
        coefficients[~seen] = _least_squares(other[:, ~seen], rest, weight)
    return coefficients


def _least_squares(columns: Floats, data: Floats, weight: Floats) -> Floats:
    scale = np.linalg.norm(columns * weight[:, None], axis=0)
    scaled = columns * weight[:, None] / scale
    answer: Floats = np.linalg.lstsq(scaled, data * weight, rcond=None)[0] / scale
    return answer
