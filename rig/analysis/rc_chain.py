"""The chain of RC elements with fixed time constants: its columns, their weights, how many there may be.

Linear in its resistances, and obeying Kramers-Kronig whatever they are. Fits nothing, judges nothing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Impedances = NDArray[np.complex128]

TERMS_PER_DECADE = 4.0
_LEAST_ELEMENTS = 3


def elements_at(omega: Floats, per_decade: float, beyond_decades: float = 0.0) -> int:
    """Return M for a density of elements, at most what the points can carry."""
    decades = math.log10(omega.max() / omega.min()) + 2.0 * beyond_decades
    wanted = max(_LEAST_ELEMENTS, round(per_decade * decades) + 1)
    return max(1, min(wanted, 3 * omega.size // 2 - 3))


def basis(
    omega: Floats, elements: int, terms: Sequence[str], beyond_decades: float = 0.0
) -> Impedances:
    """Return the columns 1, 1/(1 + jw tau_k), then jw and 1/jw as asked (points x columns), read-only."""
    exact = np.asarray(omega, dtype=np.float64).tobytes()
    return _basis(exact, elements, tuple(terms), beyond_decades)


@functools.lru_cache(maxsize=64)  # a rig measures for months at the same few sets of frequencies
def _basis(
    omega_bytes: bytes, elements: int, terms: tuple[str, ...], beyond_decades: float
) -> Impedances:
    omega = np.frombuffer(omega_bytes)
    reach = 10.0**beyond_decades
    tau = np.geomspace(1.0 / omega.max() / reach, reach / omega.min(), elements)
    jw = 1j * omega[:, None]
    columns = [np.ones_like(jw), 1.0 / (1.0 + jw * tau)]
    # scaled to about 1 at the end of the band where each of them matters
    columns += [jw / omega.max()] if "L" in terms else []
    columns += [omega.min() / jw] if "C" in terms else []
    columns_of_all = np.concatenate(columns, axis=1)
    columns_of_all.flags.writeable = False
    return columns_of_all


def weighted(columns: Impedances, values: Impedances) -> tuple[Floats, Floats]:
    """Return real design matrices (spectra x 2 points x columns) and data, weighted by 1/|value|."""
    weight = 1.0 / np.abs(values)
    parts = np.concatenate([columns.real, columns.imag])
    twice = np.concatenate([weight, weight], axis=-1)
    data = np.concatenate([values.real, values.imag], axis=-1)
    return parts * twice[..., None], data * twice


def mu(resistances: Floats) -> Floats:
    """Return 1 - sum|R < 0| / sum R >= 0 along the last axis: near 1 fits, near 0 overfits."""
    positive = np.where(resistances >= 0, resistances, 0.0).sum(axis=-1)
    negative = np.where(resistances < 0, -resistances, 0.0).sum(axis=-1)
    ratio: Floats = 1.0 - negative / np.where(positive > 0, positive, np.inf)
    return ratio
