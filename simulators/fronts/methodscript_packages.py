"""Values as MethodSCRIPT sends them: type, seven hex digits, prefix, metadata.

Knows no script and no cell. Source: the sheet's "Data package format".
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import IntFlag

_PREFIXES = "afpnum kMGTPE"
_EXPONENTS = range(-18, 21, 3)
_OFFSET = 0x8000000
_LARGEST = 2**27 - 1
_NAN = "     nan"
# A value up to _BOUNDS[i] fits into the integer when it is multiplied by _SCALES[i].
_BOUNDS = tuple(_LARGEST * 10.0**exponent for exponent in _EXPONENTS)
_SCALES = tuple(10.0**-exponent for exponent in _EXPONENTS)


class Status(IntFlag):
    """The status nibble of a measured value."""

    OK = 0
    TIMING = 1
    OVERLOAD = 2
    UNDERLOAD = 4
    OVERLOAD_WARNING = 8


@dataclass(slots=True)
class Variable:
    """A script variable: two-letter type, value, and the metadata of its measurement.

    An ``int`` is an integer on the wire, too; ``metadata`` is ready to be appended.
    """

    kind: str = "aa"
    value: float | int = 0.0
    metadata: str = ""

    def put(self, kind: str, value: float, metadata: str = "") -> None:
        """Overwrite all three."""
        self.kind = kind
        self.value = value
        self.metadata = metadata

    def encoded(self) -> str:
        """Return the variable as it stands in a package."""
        return self.kind + encode_number(self.value) + self.metadata


def encode_number(value: float) -> str:
    """Write ``value`` as seven hex digits and a prefix, the finest in which it fits.

    Zero has the prefix SPACE; NaN, and what no prefix can hold, is sent as NaN.

    >>> encode_number(0.1), encode_number(1), encode_number(0.0)
    ('DF5E100n', '8000001i', '8000000 ')
    """
    if isinstance(value, int) and -_LARGEST <= value <= _LARGEST:
        return f"{value + _OFFSET:07X}i"
    index = bisect_left(_BOUNDS, abs(value))
    if index == len(_BOUNDS) or value != value:  # noqa: PLR0124 - NaN is what differs from itself
        return _NAN
    scaled = round(value * _SCALES[index])
    if scaled == 0:
        return f"{_OFFSET:07X} "
    return f"{scaled + _OFFSET:07X}{_PREFIXES[index]}"


def metadata(status: int, range_index: int) -> str:
    """Return status and range in the order of the manual: ``,10,21B`` is OK in range 0x1B."""
    return f",1{status:X},2{range_index:02X}"
