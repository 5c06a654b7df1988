"""What shapes the parts of a circuit are tried in before a fit: candidates, and their impedances.

An arc's or a diffusion element's shape is its time constant (and an exponent near 0.9), from a grid
that follows from the frequencies alone; a lone element has but one; any other part's are drawn at
random over the scales that the spectrum spans. Knows no data but those scales, and no search.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.analysis.circuit import Circuit, Element, Parallel, form_of
from rig.analysis.circuit_elements import LEVEL_POWERS, Complex, Real
from rig.analysis.impedance_problem import scale_of
from rig.analysis.spectrum import Spectrum
from rig.analysis.time_constants import has_one_time

GUESSED_ALPHA = 0.9  # between an ideal capacitor and the 0.8 of rough interfaces
GRID_PER_DECADE = 2  # ZARCs nearer than that are not separate arcs
DRAWN = 250  # shapes of a part that is no arc
LONE = {"R", "L", "C", "W", "CPE"}


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One part of the chain: its candidate shapes as values (candidates, own parameters).

    Terms of one ``likeness`` have the same candidates; ``gridded`` ones are in order of time.
    ``powers`` (own parameters,): of the level in each value.
    """

    part: Element | Parallel
    begin: int
    likeness: str
    values: Real
    powers: NDArray[np.int_]
    gridded: bool


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """All terms of a circuit, and the impedance of every candidate on one set of frequencies.

    ``columns`` (candidates, points), read-only, has those of each likeness from its offset on.
    """

    terms: tuple[Term, ...]
    offsets: dict[str, int]
    columns: Complex

    def columns_of(self, likeness: str) -> Complex:
        """Return the impedances of the candidates of one likeness."""
        begin = self.offsets[likeness]
        size = next(len(term.values) for term in self.terms if term.likeness == likeness)
        return self.columns[begin : begin + size]


def shapes_of(circuit: Circuit, spectrum: Spectrum) -> Shapes:
    """Return the shapes to try on a spectrum, which only drawn ones have to know itself."""
    if any(_is_drawn(part) for part in circuit.chain.parts):
        return _shapes(circuit, spectrum.frequency_hertz, spectrum)
    return _shapes_at(circuit, spectrum.frequency_hertz.tobytes())


@functools.lru_cache(maxsize=64)  # a rig measures for months at the same few sets of frequencies
def _shapes_at(circuit: Circuit, hertz: bytes) -> Shapes:
    return _shapes(circuit, np.frombuffer(hertz), None)


def _shapes(circuit: Circuit, hertz: Real, spectrum: Spectrum | None) -> Shapes:
    terms, begin = [], 0
    for part in circuit.chain.parts:
        values = _candidates(part, hertz, spectrum)
        powers = np.array([LEVEL_POWERS[parameter.kind] for parameter in part.parameters])
        terms.append(Term(part, begin, form_of(part), values, powers, has_one_time(part)))
        begin += values.shape[1]
    s: Complex = np.asarray(2j * np.pi * hertz, np.complex128)
    likes = {term.likeness: term for term in terms}
    offsets = offsets_of([len(term.values) for term in likes.values()])
    columns: Complex = np.concatenate(
        [term.part.evaluate(s, term.values.T[..., None])[0] for term in likes.values()]
    )
    columns.flags.writeable = False
    return Shapes(tuple(terms), dict(zip(likes, offsets, strict=True)), columns)


def offsets_of(sizes: Sequence[int]) -> list[int]:
    return [0, *itertools.accumulate(sizes[:-1])]


def _is_drawn(part: Element | Parallel) -> bool:
    return not (has_one_time(part) or (isinstance(part, Element) and part.kind in LONE))


def _candidates(part: Element | Parallel, hertz: Real, spectrum: Spectrum | None) -> Real:
    """Return candidate values of unit level; drawn ones between the scales of the spectrum."""
    kinds = [parameter.kind for parameter in part.parameters]
    if has_one_time(part):
        tau = _time_constants(hertz)
        alpha = np.full_like(tau, GUESSED_ALPHA)
        stored = tau ** (GUESSED_ALPHA if "alpha" in kinds else 1.0)
        by_kind = {"resistance": alpha * 0 + 1, "capacitance": stored, "time": tau, "alpha": alpha}
        return np.stack([by_kind[kind] for kind in kinds], axis=1)
    if spectrum is None or not _is_drawn(part):
        return np.array([[GUESSED_ALPHA if kind == "alpha" else 1.0 for kind in kinds]])
    scales = np.log([scale_of(parameter, spectrum) for parameter in part.parameters])
    draws = np.random.default_rng(0).uniform(
        size=(DRAWN, len(scales))
    )  # a fit repeats to the digit
    return np.asarray(np.exp(scales[:, 0] + draws * (scales[:, 1] - scales[:, 0])))


def _time_constants(hertz: Real) -> Real:
    """Half a decade beyond the measured window on both sides: arcs there still show a flank."""
    omega = 2 * np.pi * hertz
    lowest, highest = math.log10(0.3 / omega.max()), math.log10(3.0 / omega.min())
    return np.logspace(lowest, highest, int(GRID_PER_DECADE * (highest - lowest)) + 2)
