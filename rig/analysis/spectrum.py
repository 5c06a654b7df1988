"""One impedance spectrum as the analyses take it: checked once, here. Knows no file and no fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.core.errors import AnalysisError, BadInput, Problem

FEWEST_POINTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Frequencies in hertz and complex impedances in ohm, as measured: capacitive is negative.

    ``inductive_left_out`` counts points that ``capacitive`` removed, so that no result can forget
    to say so.
    """

    frequency_hertz: NDArray[np.float64]
    impedance_ohm: NDArray[np.complex128]
    inductive_left_out: int = 0

    @property
    def modulus_ohm(self) -> NDArray[np.float64]:
        return np.abs(self.impedance_ohm)

    def __len__(self) -> int:
        return len(self.frequency_hertz)

    def window(self, lowest_hertz: float = 0.0, highest_hertz: float = np.inf) -> Spectrum:
        """Return the points from ``lowest_hertz`` to ``highest_hertz``, both included."""
        frequency = self.frequency_hertz
        return self._keep((frequency >= lowest_hertz) & (frequency <= highest_hertz))

    def below(self, modulus_ohm: float) -> Spectrum:
        """Return the points whose modulus is at most ``modulus_ohm``."""
        return self._keep(self.modulus_ohm <= modulus_ohm)

    def capacitive(self) -> Spectrum:
        """Return the points with a negative imaginary part, and remember how many went."""
        kept = self._keep(self.impedance_ohm.imag < 0)
        return replace(kept, inductive_left_out=self.inductive_left_out + len(self) - len(kept))

    def _keep(self, mask: NDArray[np.bool_]) -> Spectrum:
        left = int(np.count_nonzero(mask))
        if left < FEWEST_POINTS:
            message = f"spectrum: {left} of {len(self)} points are left, expected {FEWEST_POINTS}"
            raise AnalysisError(message, remedy="widen the frequency window")
        return replace(
            self,
            frequency_hertz=self.frequency_hertz[mask],
            impedance_ohm=self.impedance_ohm[mask],
        )


def spectrum(
    frequency_hertz: ArrayLike, real_impedance_ohm: ArrayLike, imaginary_impedance_ohm: ArrayLike
) -> Spectrum:
    """Check three equally long columns and return them as a Spectrum, in the given order.

    Raises BadInput with everything that is wrong: lengths, too few points, values that are not
    finite, frequencies that are not positive, points of zero impedance.
    """
    columns = {
        "frequency_hertz": np.asarray(frequency_hertz, dtype=float),
        "real_impedance_ohm": np.asarray(real_impedance_ohm, dtype=float),
        "imaginary_impedance_ohm": np.asarray(imaginary_impedance_ohm, dtype=float),
    }
    problems = _shape_problems(columns) or _value_problems(columns)
    if problems:
        raise BadInput(problems)
    frequency, real, imaginary = columns.values()
    return Spectrum(frequency, real + 1j * imaginary)


def _shape_problems(columns: dict[str, NDArray[np.float64]]) -> list[Problem]:
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        got = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        return [Problem("spectrum", f"got shapes {got}, expected three columns of one length")]
    points = columns["frequency_hertz"].size
    if points < FEWEST_POINTS:
        return [Problem("spectrum", f"got {points} points, expected at least {FEWEST_POINTS}")]
    return []


def _value_problems(columns: dict[str, NDArray[np.float64]]) -> list[Problem]:
    problems = [
        Problem(f"spectrum, {name}", f"{bad.size} values are not finite, first at row {bad[0] + 1}")
        for name, column in columns.items()
        if (bad := np.flatnonzero(~np.isfinite(column))).size
    ]
    frequency, real, imaginary = columns.values()
    if (bad := np.flatnonzero(frequency <= 0)).size:
        got = f"got {frequency[bad[0]]:g} Hz at row {bad[0] + 1}, expected above zero"
        problems.append(Problem("spectrum, frequency_hertz", got))
    if (bad := np.flatnonzero((real == 0) & (imaginary == 0))).size:
        problems.append(Problem("spectrum", f"the impedance at row {bad[0] + 1} is zero"))
    return problems
