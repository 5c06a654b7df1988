"""Circuit elements that exist twice from one set of parameters: as impedance and as RC ladder.

The impedance is the closed formula. The ladder is what a galvanostat meets: a series resistance
and relaxing branches taken from the element's own distribution of relaxation times, so that both
have the same direct-current resistance. Each element is scaled by one ``factor``, its resistance
relative to 25 degC and new; capacitances do not change. Knows no temperature and no time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ladder:
    """Resistance that answers at once, and branches (elastance 1/F, time constant s).

    A branch with an infinite time constant is a plain capacitor. The resistance of any other is
    elastance times time constant.
    """

    series_ohm: float = 0.0
    branches: tuple[tuple[float, float], ...] = ()

    def __add__(self, other: Ladder) -> Ladder:
        return Ladder(self.series_ohm + other.series_ohm, self.branches + other.branches)

    @property
    def direct_current_ohm(self) -> float:
        """The resistance after every branch has settled; infinite with a capacitor in series."""
        return self.series_ohm + sum(elastance * tau for elastance, tau in self.branches)


class Element(Protocol):
    """A two-terminal element; ``omega`` is the angular frequency in 1/s."""

    def impedance(self, omega: float, factor: float) -> complex: ...

    def ladder(self, factor: float) -> Ladder: ...


@dataclass(frozen=True, slots=True)
class Resistor:
    resistance_ohm: float

    def impedance(self, omega: float, factor: float) -> complex:
        return complex(self.resistance_ohm * factor)

    def ladder(self, factor: float) -> Ladder:
        return Ladder(self.resistance_ohm * factor)


@dataclass(frozen=True, slots=True)
class Zarc:
    """A depressed arc, R || CPE: Z = R / (1 + (j omega R C)^a), C the effective capacitance.

    C is that of Hsu and Mansfeld, Q^(1/a) R^((1-a)/a), at the apex omega R C = 1.
    """

    resistance_ohm: float
    capacitance_farad: float
    exponent: float = 0.9
    branch_count: int = 1

    def impedance(self, omega: float, factor: float) -> complex:
        resistance = self.resistance_ohm * factor
        return resistance / (
            1.0 + (1j * omega * resistance * self.capacitance_farad) ** self.exponent
        )

    def ladder(self, factor: float) -> Ladder:
        """Cut the distribution of relaxation times into equal resistances, at each one's median.

        The distribution is R/2pi sin((1-a)pi) / (cosh(a x) - cos((1-a)pi)), x = ln(tau/RC); its
        integral has a closed inverse, used here.
        """
        resistance = self.resistance_ohm * factor
        middle_second = resistance * self.capacitance_farad
        taus = [middle_second * spread for spread in self._spreads()]
        share = resistance / self.branch_count
        return Ladder(branches=tuple((share / tau, tau) for tau in taus))

    def _spreads(self) -> list[float]:
        half_angle = math.tan((1.0 - self.exponent) * math.pi / 2.0)
        quantiles = [(k + 0.5) / self.branch_count for k in range(self.branch_count)]
        return [
            math.exp(
                2.0
                / self.exponent
                * math.atanh(half_angle * math.tan(math.pi * self.exponent * (p - 0.5)))
            )
            for p in quantiles
        ]


@dataclass(frozen=True, slots=True)
class FiniteWarburg:
    """Diffusion to a boundary of fixed concentration: Z = R tanh(x)/x, x = sqrt(j omega tau).

    A slower diffusion raises R and tau alike, so ``factor`` scales both.
    """

    resistance_ohm: float
    tau_second: float
    branch_count: int = 3

    def impedance(self, omega: float, factor: float) -> complex:
        root: complex = (1j * omega * self.tau_second * factor) ** 0.5
        # tanh for large arguments is 1; cmath would overflow in cosh.
        ratio = 1.0 / root if root.real > 300.0 else _tanh(root) / root
        return self.resistance_ohm * factor * ratio

    def ladder(self, factor: float) -> Ladder:
        """Take the leading terms of tanh(x)/x = sum 2/(x^2 + ((k+1/2)pi)^2), lump the rest.

        The last branch carries what is left of the resistance and of the first moment, R tau / 3,
        so the series stays right to second order in frequency.
        """
        resistance, tau = self.resistance_ohm * factor, self.tau_second * factor
        poles = [((k + 0.5) * math.pi) ** 2 for k in range(self.branch_count - 1)]
        exact = [(2.0 * resistance / pole, tau / pole) for pole in poles]
        rest_ohm = resistance - sum(ohm for ohm, _ in exact)
        rest_moment = resistance * tau / 3.0 - sum(ohm * second for ohm, second in exact)
        pairs = [*exact, (rest_ohm, rest_moment / rest_ohm)]
        return Ladder(branches=tuple((ohm / second, second) for ohm, second in pairs))


def _tanh(value: complex) -> complex:
    decayed: complex = math.e ** (-2.0 * value)
    return (1.0 - decayed) / (1.0 + decayed)


@dataclass(frozen=True, slots=True)
class BlockingCpe:
    """A constant-phase element that no direct current passes: Z = 1 / (Q (j omega)^a).

    All capacitance, so ``factor`` changes nothing.
    Its ladder covers the decades from ``fastest_second`` to ``slowest_second``; what is slower is
    one capacitor, what is faster one resistance (both integrals of the same distribution).
    """

    q_farad: float  # F s^(a-1)
    exponent: float = 0.92
    fastest_second: float = 1e-6
    slowest_second: float = 1e4

    def impedance(self, omega: float, factor: float) -> complex:
        return 1.0 / (self.q_farad * (1j * omega) ** self.exponent)

    def ladder(self, factor: float) -> Ladder:
        """One branch a decade of sin(a pi)/(pi Q) times the integral of x^-a/(s + x) dx."""
        a = self.exponent
        weight = math.sin(a * math.pi) / (math.pi * self.q_farad)
        decades = round(math.log10(self.slowest_second / self.fastest_second))
        width = math.log(self.slowest_second / self.fastest_second) / decades
        taus = [self.fastest_second * math.exp((k + 0.5) * width) for k in range(decades)]
        branches = [(weight * width * tau ** (a - 1.0), tau) for tau in taus]
        slower_elastance = weight * self.slowest_second ** (a - 1.0) / (1.0 - a)
        faster_ohm = weight * self.fastest_second**a / a
        return Ladder(faster_ohm, (*branches, (slower_elastance, math.inf)))
