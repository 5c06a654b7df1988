"""Numbers as they are printed: never more digits than the standard error supports.

A standard error keeps one significant digit, or two where the first is a 1 or a 2 (rounding 1.4 to
1 would change it by a third); the value ends at the same place. Knows no report and no unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NOTHING = "–"
NOT_DETERMINED = "not determined"

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_TWO_DIGITS_BELOW = 3.0  # of the error's first digit
_PLAIN_LOW, _PLAIN_HIGH = 0.1, 10_000.0


@dataclass(frozen=True, slots=True)
class Places:
    """How to print: the value over ten to ``power`` with this many ``decimals``."""

    power: int
    decimals: int

    def mantissa(self, value: float) -> str:
        """Return the value without its power of ten; the minus is a minus, not a hyphen."""
        rounded = round(value / 10.0**self.power, self.decimals) + 0.0  # no negative zero
        return f"{rounded:.{self.decimals}f}".replace("-", "−")

    @property
    def factor(self) -> str:
        return f"×{power_of_ten(self.power)}" if self.power else ""


def places(value: float, standard_error: float) -> Places:
    """Return how to print ``value`` so that its last digit is the last that the error supports."""
    last = _last_place(standard_error)
    size = max(abs(value), standard_error)
    if _PLAIN_LOW <= size < _PLAIN_HIGH and last <= 0:
        return Places(0, -last)
    power = _decade(size)
    return Places(power, max(0, power - last))


def concise(value: float, standard_error: float) -> str:
    """Write value and standard error of its last digits.

    >>> concise(0.0019783, 0.0000447), concise(0.34764, 0.00099)
    ('1.98(4)×10⁻³', '0.3476(10)')
    """
    if not _known(value, standard_error):
        return NOT_DETERMINED
    if standard_error == 0:
        return exact(value)
    how = places(value, standard_error)
    digits = round(standard_error / 10.0 ** (how.power - how.decimals))
    if digits >= 10 and 0 < how.decimals < len(str(digits)):
        # 3.2(1.4), because 3.2(14) reads like 14
        return f"{how.mantissa(value)}({how.mantissa(standard_error)}){how.factor}"
    return f"{how.mantissa(value)}({digits}){how.factor}"


def plus_minus(value: float, standard_error: float) -> str:
    """Write value and standard error side by side.

    >>> plus_minus(0.0019783, 0.0000447)
    '(1.98 ± 0.04)×10⁻³'
    """
    if not _known(value, standard_error):
        return NOT_DETERMINED
    if standard_error == 0:
        return f"{exact(value)} (no uncertainty given)"
    how = places(value, standard_error)
    pair = f"{how.mantissa(value)} ± {how.mantissa(standard_error)}"
    return f"({pair}){how.factor}" if how.power else pair


def beside(other: float, value: float, standard_error: float) -> str:
    """Write ``other`` to the places of ``value``: a truth or a bound to be compared with it.

    >>> beside(0.002, 0.0019783, 0.0000447)
    '2.00×10⁻³'
    """
    if not math.isfinite(other):
        return NOTHING
    if not _known(value, standard_error) or standard_error == 0:
        return exact(other)
    how = places(value, standard_error)
    return f"{how.mantissa(other)}{how.factor}"


def between(low: float, high: float, value: float, standard_error: float) -> str:
    """Write an interval to the places of its value.

    >>> between(0.001891, 0.002066, 0.0019783, 0.0000447)
    '1.89 to 2.07 ×10⁻³'
    """
    if not (_known(value, standard_error) and math.isfinite(low) and math.isfinite(high)):
        return NOTHING
    if standard_error == 0:
        return NOTHING
    how = places(value, standard_error)
    pair = f"{how.mantissa(low)} to {how.mantissa(high)}"
    return f"{pair} {how.factor}" if how.power else pair


def exact(value: float, digits: int = 4) -> str:
    """Write a number that has no uncertainty to at most ``digits`` significant digits.

    >>> exact(0.785), exact(2.5e-7)
    ('0.785', '2.5×10⁻⁷')
    """
    if not math.isfinite(value):
        return NOTHING
    mantissa, _, power = f"{value:.{digits}g}".replace("-", "−").partition("e")
    return f"{mantissa}×{power_of_ten(int(power.replace('−', '-')))}" if power else mantissa


def power_of_ten(power: int) -> str:
    """Write ten to a power without markup: ``10⁻³``."""
    return f"10{str(power).translate(_SUPERSCRIPTS)}"


def duration(second: float) -> str:
    """Write a duration for people: ``38.0 d``, ``16 h 27 min``, ``42 s``."""
    if second >= 3 * 86_400:
        return f"{second / 86_400:.1f} d"
    if second >= 60:
        hour, minute = divmod(round(second / 60), 60)
        return f"{hour} h {minute:02d} min" if hour else f"{minute} min"
    return f"{second:.0f} s"


def _known(value: float, standard_error: float) -> bool:
    return math.isfinite(value) and math.isfinite(standard_error)


def _decade(value: float) -> int:
    return int(f"{abs(value):.15e}".partition("e")[2])


def _last_place(standard_error: float) -> int:
    mantissa, _, power = f"{standard_error:.1e}".partition("e")
    return int(power) - (float(mantissa) < _TWO_DIGITS_BELOW)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number of things in words.

    >>> counted(1, "run"), counted(3, "run"), counted(2, "spectrum", "spectra")
    ('1 run', '3 runs', '2 spectra')
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"
