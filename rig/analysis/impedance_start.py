"""Where a circuit fit starts from, found from the spectrum alone.

A chain of arcs is *linear* once its time constants and exponents are guessed: every set of time
constants on a coarse grid is solved by linear least squares, and the best few are handed on. Any
other circuit gets values scattered over the scales that the spectrum spans. Knows no optimiser.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rig.analysis.arcs import Arc, arcs
from rig.analysis.circuit import Circuit, Element
from rig.analysis.circuit_elements import Complex, Parameter, Real
from rig.analysis.spectrum import Spectrum

GUESSED_ALPHA = 0.9  # between an ideal capacitor and the 0.8 of rough interfaces
GRID_PER_DECADE = 2  # ZARCs nearer than that are not separate arcs
MOST_ARCS = 4  # beyond, the number of grid choices explodes; the scatter takes over
SCATTERED = 24
NEGLIGIBLE = 1e-4  # of the largest resistance: the floor for what the linear solve makes negative


def starting_values(circuit: Circuit, spectrum: Spectrum, count: int) -> list[Real]:
    """Return up to ``count`` sets of values (many more for circuits that are no chain of arcs)."""
    found = arcs(circuit)
    rest = [part for part in circuit.chain.parts if isinstance(part, Element)]
    is_chain = len(found) + len(rest) == len(circuit.chain.parts)
    if is_chain and len(found) <= MOST_ARCS and all(e.kind in {"R", "L", "C", "CPE"} for e in rest):
        return _chain_starts(circuit, found, spectrum, count)
    return _scattered(circuit, spectrum)


def _chain_starts(
    circuit: Circuit, found: Sequence[Arc], spectrum: Spectrum, count: int
) -> list[Real]:
    grid = _time_constants(spectrum)
    fixed, arc_columns = _columns(circuit, spectrum, grid)
    choices = np.array(list(itertools.combinations(range(len(grid)), len(found))), dtype=int)
    objective, amplitudes = _solve_all(fixed, arc_columns, choices, spectrum)
    starts = []
    for best in _best_apart(objective, choices, count):
        times = grid[choices[best]]
        starts.append(_values(circuit, found, times, amplitudes[best], spectrum))
    return starts


def _time_constants(spectrum: Spectrum) -> Real:
    """Half a decade beyond the measured window on both sides: arcs there still show a flank."""
    omega = 2 * np.pi * spectrum.frequency_hertz
    lowest, highest = math.log10(0.3 / omega.max()), math.log10(3.0 / omega.min())
    return np.logspace(lowest, highest, int(GRID_PER_DECADE * (highest - lowest)) + 2)


def _columns(circuit: Circuit, spectrum: Spectrum, grid: Real) -> tuple[Real, Real]:
    """Return the weighted real design columns: of the elements in series, and of arcs by time."""
    s = 2j * np.pi * spectrum.frequency_hertz
    shapes = {"R": s**0, "L": s, "C": 1 / s, "CPE": s**-GUESSED_ALPHA}
    series = [shapes[part.kind] for part in circuit.chain.parts if isinstance(part, Element)]
    fixed = np.empty((len(series), len(s)), dtype=np.complex128)
    fixed[:] = np.reshape(series, fixed.shape)
    slowed = np.power(s * grid[:, None], GUESSED_ALPHA)
    zarcs = (1.0 / (1.0 + slowed)).astype(np.complex128)
    return _stacked(fixed / spectrum.modulus_ohm), _stacked(zarcs / spectrum.modulus_ohm)


def _stacked(rows: Complex) -> Real:
    return np.concatenate([rows.real, rows.imag], axis=-1)


def _solve_all(
    fixed: Real, by_time: Real, choices: NDArray[np.int_], spectrum: Spectrum
) -> tuple[Real, Real]:
    """Solve the linear problem of every choice at once from one Gram matrix.

    Returns the sums of squares, shape (choices,), and the amplitudes, series elements first.
    Choices that need a negative amplitude rank behind every one that does not.
    """
    rows = np.concatenate([fixed, by_time])
    norms = np.linalg.norm(rows, axis=1)
    rows = rows / norms[:, None]
    target = _stacked((spectrum.impedance_ohm / spectrum.modulus_ohm)[None])[0]
    series = np.broadcast_to(np.arange(len(fixed)), (len(choices), len(fixed)))
    picked = np.concatenate([series, choices + len(fixed)], axis=1)
    gram, moment = rows @ rows.T, rows @ target
    matrices = gram[picked[:, :, None], picked[:, None, :]]
    matrices = matrices + 1e-10 * np.eye(picked.shape[1])  # neighbours on the grid are near-equal
    solution = np.linalg.solve(matrices, moment[picked][..., None])[..., 0]
    objective = target @ target - np.sum(solution * moment[picked], axis=1)
    negative = np.sum(np.minimum(solution, 0.0) ** 2, axis=1)
    return objective + 100.0 * negative, solution / norms[picked]


def _best_apart(objective: Real, choices: NDArray[np.int_], count: int) -> list[int]:
    """Return the best choices that differ by more than one grid step in some time constant."""
    kept: list[int] = []
    for candidate in np.argsort(objective):
        apart = (np.abs(choices[candidate] - choices[other]).max(initial=0) > 1 for other in kept)
        if all(apart):
            kept.append(int(candidate))
        if len(kept) == count:
            break
    return kept


def _values(
    circuit: Circuit, found: Sequence[Arc], times: Real, amplitudes: Real, spectrum: Spectrum
) -> Real:
    """Turn amplitudes into element values: a tail's amplitude is 1/Q, an arc's CPE tau^alpha/R."""
    floor = NEGLIGIBLE * float(spectrum.modulus_ohm.min())
    omega_top = 2 * np.pi * float(spectrum.frequency_hertz.max())
    values = np.full(len(circuit.parameters), GUESSED_ALPHA)  # what is not set below is an alpha
    in_series = [part for part in circuit.chain.parts if isinstance(part, Element)]
    for element, amplitude in zip(in_series, amplitudes[: len(in_series)], strict=True):
        at = circuit.position(element.parameters[0].name)
        values[at] = _series_value(element, float(amplitude), floor, omega_top)
    of_arcs = amplitudes[len(in_series) :]
    for arc, time, amplitude in zip(found, times, of_arcs, strict=True):
        resistance = max(float(amplitude), floor)
        alpha = 1.0 if arc.storage.kind == "C" else GUESSED_ALPHA
        values[arc.resistor_at], values[arc.storage_at] = resistance, time**alpha / resistance
    return values


def _series_value(element: Element, amplitude: float, floor: float, omega: float) -> float:
    if element.kind == "R":
        return max(amplitude, floor)
    if element.kind == "L":
        return max(amplitude, floor / omega)
    return 1.0 / max(amplitude, floor)


def scale_of(parameter: Parameter, spectrum: Spectrum) -> tuple[float, float]:
    """Return the smallest and largest value that could leave a trace in this spectrum."""
    omega = 2 * np.pi * spectrum.frequency_hertz
    low_z, high_z = float(spectrum.modulus_ohm.min()), float(spectrum.modulus_ohm.max())
    low_w, high_w = float(omega.min()), float(omega.max())
    if parameter.kind == "alpha":
        return 0.5, 1.0
    return {
        "resistance": (low_z, high_z),
        "capacitance": (1.0 / (high_w * high_z), 1.0 / (low_w * low_z)),
        "inductance": (low_z / high_w, high_z / low_w),
        "time": (1.0 / high_w, 1.0 / low_w),
        "warburg": (low_z * low_w**0.5, high_z * high_w**0.5),
    }[parameter.kind]


def _scattered(circuit: Circuit, spectrum: Spectrum) -> list[Real]:
    """Return log-uniform draws over ``scale_of``; seeded, so a fit repeats to the last digit."""
    scales = np.array([scale_of(parameter, spectrum) for parameter in circuit.parameters])
    draws = np.random.default_rng(0).uniform(size=(SCATTERED, len(scales)))
    low, high = np.log(scales).T
    return list(np.exp(low + draws * (high - low)))
