"""What a circuit fit says of one spectrum: values, errors, correlations, what they add up to.

A parameter that the data do not hold is returned as not determined, and shown without digits.
Knows no optimiser.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from rig.analysis.arcs import resistor_names
from rig.analysis.circuit import Circuit
from rig.analysis.circuit_elements import Complex, Real
from rig.analysis.flags import EIS_IND, EIS_UNDET, FlagNote, Level, flag
from rig.analysis.spectrum import Spectrum


class Verdict(Enum):
    """What the search says of the minimum: whether it is the one, or one of several."""

    GLOBAL = "global"  # several starts from different places ended here, and nothing rivals it
    SEVERAL = "several minima"  # another minimum lies within noise of it: the data do not decide
    UNCONFIRMED = "unconfirmed"  # one start alone ended here


UNCERTAIN = 0.3  # relative standard uncertainty above which a parameter is flagged
UNDETERMINED = 1.0  # and above which it is not reported
# Two resistances that only their sum is good for: they trade against each other, one of them is
# uncertain by more than a good spectrum's few per cent, and the sum is known much better.
TRADED, DOUBTED, BETTER = -0.9, 0.05, 4.0
TOLD_APART = 0.05  # relative difference of two minima's values that is worth telling


@dataclass(frozen=True, slots=True)
class FittedParameter:
    """A value in ``unit`` with its standard error (0 when fixed); undetermined has no digits.

    ``interval_95`` is even in the logarithm, for an exponent in the value: a resistance is never
    negative, however uncertain. Where the data leave a valley or several minima, it holds all of
    them, and the standard error is that of its longer side. nan where there is none.
    """

    name: str
    value: float
    standard_error: float
    unit: str
    determined: bool
    interval_95: tuple[float, float] = (np.nan, np.nan)

    def to_dict(self) -> dict[str, object]:
        shown = self.determined
        return {
            "value": self.value if shown else None,
            "standard_error": self.standard_error if shown else None,
            "unit": self.unit,
            "determined": self.determined,
        }


@dataclass(frozen=True, slots=True)
class DeterminedSum:
    """Two resistances in ohm that the data hold together and not apart (science.md S5)."""

    names: tuple[str, str]
    value: float
    standard_error: float
    worse_relative_error: float

    def to_dict(self) -> dict[str, object]:
        return {"value": self.value, "standard_error": self.standard_error, "unit": "ohm"}

    def note(self) -> FlagNote:
        total = f"{' + '.join(self.names)} = {self.value:.5g} ± {self.standard_error:.2g} ohm"
        message = (
            f"{total} is determined, how it divides is not (± {self.worse_relative_error:.0%})"
        )
        return flag(EIS_UNDET, message)


@dataclass(frozen=True, slots=True, eq=False)
class CircuitFit:
    """The best fit found. ``objective`` is the sum of squared weighted residuals.

    ``covariance`` is of the values in their own units, in the order of ``parameters``.
    ``starts_agreeing`` of ``starts`` ended at this objective; ``verdict`` is global when two or more
    did, from different places, none found anything lower, and no other minimum agrees with the
    data; ``rivals`` are the values of those that do. ``residual_autocorrelation`` from point to
    point is near 0 for noise and near 1 for a circuit that does not describe the data. ``aicc``
    counts the noise as a parameter and compares fits of the same points and weights only.
    ``student`` is how many standard errors make half a 95 % interval, ``interval_method`` is
    curvature (with valley and rivals) or profile.
    """

    circuit: Circuit
    parameters: tuple[FittedParameter, ...]
    covariance: Real
    weights: str
    objective: float
    residual_rms_relative: float
    residual_autocorrelation: float
    aicc: float
    points: int
    starts: int
    starts_agreeing: int
    verdict: Verdict
    rivals: tuple[Real, ...]
    student: float
    interval_method: str
    effective_capacitance_farad: dict[str, float]
    effective_capacitance_standard_error_farad: dict[str, float]
    assignment: dict[str, str]
    flags: tuple[FlagNote, ...]

    @property
    def is_global(self) -> bool:
        return self.verdict is Verdict.GLOBAL

    @property
    def values(self) -> Real:
        return np.array([parameter.value for parameter in self.parameters])

    @property
    def correlation(self) -> Real:
        """Return the correlation matrix; rows of what is fixed or stuck at a bound are zero."""
        return correlation_of(self.covariance)

    def impedance(self, frequency_hertz: Real) -> Complex:
        """Return the fitted curve in ohm."""
        return self.circuit.impedance(frequency_hertz, self.values)

    def sum_of(self, names: Sequence[str]) -> tuple[float, float]:
        """Return the sum of parameters and its standard error, correlations included.

        Arcs that overlap trade resistance: their sum is often known ten times better than each.
        """
        gradient = np.zeros(len(self.parameters))
        gradient[[self.circuit.position(name) for name in names]] = 1.0
        variance = float(gradient @ self.covariance @ gradient)
        return float(gradient @ self.values), float(np.sqrt(max(variance, 0.0)))

    @property
    def sums(self) -> tuple[DeterminedSum, ...]:
        """Return the pairs of resistances of which only the sum is determined."""
        return determined_sums(self.circuit, self.values, self.covariance)

    @property
    def total_resistance(self) -> tuple[float, float]:
        """Return the direct-current resistance of a chain of arcs in ohm, and its standard error."""
        return self.sum_of(resistor_names(self.circuit))

    def to_dict(self) -> dict[str, object]:
        total, error = self.total_resistance
        return {
            "circuit": str(self.circuit),
            "parameters": {parameter.name: parameter.to_dict() for parameter in self.parameters},
            "interval_95": {one.name: self._interval(one) for one in self.parameters},
            "interval_method": self.interval_method,
            "correlation": self.correlation.tolist(),
            "sums": {" + ".join(one.names): one.to_dict() for one in self.sums},
            "total_resistance_ohm": total,
            "total_resistance_standard_error_ohm": error,
            "effective_capacitance_farad": self.effective_capacitance_farad,
            "effective_capacitance_standard_error_farad": (
                self.effective_capacitance_standard_error_farad
            ),
            "assignment": self.assignment,
            "weights": self.weights,
            "objective": self.objective,
            "residual_rms_relative": self.residual_rms_relative,
            "residual_autocorrelation": self.residual_autocorrelation,
            "aicc": self.aicc,
            "points": self.points,
            "starts": self.starts,
            "starts_agreeing": self.starts_agreeing,
            "global": self.is_global,
            "verdict": self.verdict.value,
            "rivals": [
                dict(zip(self.circuit.names, one.tolist(), strict=True)) for one in self.rivals
            ],
            "flags": [note.to_dict() for note in self.flags],
        }

    def _interval(self, parameter: FittedParameter) -> list[float | None] | None:
        """Return both ends, None for an open one; a profile bounds what is not determined, too."""
        if not parameter.determined and self.interval_method != "profile":
            return None
        low, high = parameter.interval_95
        return [low if low > 0 else None, high if np.isfinite(high) else None]

    def __str__(self) -> str:
        """Write one line per parameter; what is not determined has no digits."""
        lines = [
            f"{one.name:>10}  {one.value:.4g} ± {one.standard_error:.1g} {one.unit}"
            if one.determined
            else f"{one.name:>10}  not determined"
            for one in self.parameters
        ]
        ends = f"{self.starts_agreeing} of {self.starts} starts end here"
        if self.verdict is Verdict.SEVERAL:
            ends += ", and other minima agree with the data"
        lines.append(f"residual {100 * self.residual_rms_relative:.3g} % of |Z|; {ends}")
        return "\n".join([str(self.circuit), *lines])


def determined_sums(circuit: Circuit, values: Real, covariance: Real) -> tuple[DeterminedSum, ...]:
    """Return pairs of the chain's resistors that trade against each other, by their covariance."""
    at = {name: circuit.position(name) for name in resistor_names(circuit)}
    errors, correlation = np.sqrt(np.diag(covariance)), correlation_of(covariance)
    found = []
    for one, other in itertools.combinations(at, 2):
        i, j = at[one], at[other]
        worse = float(max(errors[i] / values[i], errors[j] / values[j]))
        value = float(values[i] + values[j])
        variance = covariance[i, i] + covariance[j, j] + 2.0 * covariance[i, j]
        error = float(np.sqrt(max(variance, 0.0)))
        known = error > 0 and BETTER * error / value < worse
        if correlation[i, j] < TRADED and worse > DOUBTED and known:
            found.append(DeterminedSum((one, other), value, error, worse))
    return tuple(found)


def correlation_of(covariance: Real) -> Real:
    errors = np.sqrt(np.diag(covariance))
    scale = np.where(errors > 0, errors, 1.0)
    return np.asarray(covariance / np.outer(scale, scale))


def autocorrelation(residuals: Complex, frequency: Real) -> float:
    """Return the lag-1 autocorrelation along frequency, real and imaginary parts together."""
    ordered = residuals[np.argsort(frequency)]
    power = float(np.sum(np.abs(ordered) ** 2))
    return float(np.sum(ordered[1:] * ordered[:-1].conj()).real) / power if power else 0.0


def corrected_akaike(objective: float, data: int, free: int, known: bool) -> float:
    """Return the corrected Akaike criterion; minus infinity does not occur for exact data."""
    count = free + (0 if known else 1)
    fit = objective if known else data * np.log(max(objective, 1e-300) / data)
    spare = data - count - 1
    return float(fit + 2 * count + (2 * count * (count + 1) / spare if spare > 0 else np.inf))


def undetermined_flags(parameters: Sequence[FittedParameter]) -> list[FlagNote]:
    notes = []
    for parameter in parameters:
        if not parameter.determined:
            message = f"{parameter.name} is not determined by this spectrum"
            notes.append(flag(EIS_UNDET, message, Level.ERROR))
        elif parameter.standard_error > UNCERTAIN * abs(parameter.value):
            share = parameter.standard_error / abs(parameter.value)
            notes.append(flag(EIS_UNDET, f"{parameter.name} is uncertain by {share:.0%}"))
    return notes


def rival_flags(circuit: Circuit, values: Real, rivals: Sequence[Real]) -> list[FlagNote]:
    """Return a note of what differs between minima that agree with the data, resistances first."""
    if not rivals:
        return []
    differs = np.max([np.abs(one / values - 1.0) for one in rivals], axis=0) > TOLD_APART
    told = [i for i, p in enumerate(circuit.parameters) if differs[i] and p.kind == "resistance"]
    told = told or np.flatnonzero(differs).tolist()
    different = ", ".join(
        f"{circuit.names[i]} = {' or '.join(f'{one[i]:.3g}' for one in (values, *rivals))}"
        f" {circuit.parameters[i].unit}"
        for i in told
    )
    return [flag(EIS_UNDET, f"several minima agree with the data: {different}")]


def inductive_flags(circuit: Circuit, spectrum: Spectrum) -> list[FlagNote]:
    if any(parameter.kind == "inductance" for parameter in circuit.parameters):
        return []
    notes = []
    if count := int(np.count_nonzero(spectrum.impedance_ohm.imag > 0)):
        notes.append(flag(EIS_IND, f"{count} inductive points, but {circuit} has no inductance"))
    if spectrum.inductive_left_out:
        message = f"{spectrum.inductive_left_out} inductive points were left out of the fit"
        notes.append(flag(EIS_IND, message))
    return notes
