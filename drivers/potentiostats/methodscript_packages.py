"""The numbers of MethodSCRIPT: literals in scripts, data packages in what a script sends back.

Pure text; knows no instrument, no link and no measurement technique. From the MethodSCRIPT manual,
chapter 5 (packages), and the reference's notes on numbers.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from rig.core.errors import UnreadableReply
from rig.core.instruments import Flag

# From the finest to the coarsest. In a script no prefix is no character, in a package it is a blank.
EXPONENTS = {"a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0}
EXPONENTS |= {"k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}

LARGEST_LITERAL = 2**31 - 1
PACKAGE_OFFSET = 0x8000000  # a package carries hex - offset, so that negative values need no sign

# The nibble of metadata token `1X`, bit by bit; tabulated, because one comes with every value.
_STATUS_BITS = (Flag.TIMING, Flag.OVERLOAD, Flag.UNDERLOAD, Flag.OVERLOAD_WARNING)
STATUS_FLAGS = {
    f"1{nibble:X}": sum(int(flag) for bit, flag in enumerate(_STATUS_BITS) if nibble >> bit & 1)
    for nibble in range(16)
}
# Metadata token `2XX`: the number of the range, another table for each model.
RANGE_INDICES = {f"2{index:02X}": index for index in range(256)}

_VARIABLE = re.compile(
    r"(?P<kind>[a-z]{2})"
    r"(?:(?P<hex>[0-9A-F]{7})(?P<prefix>[afpnum kMGTPEi])| {5}nan)"
    r"(?P<metadata>(?:,[0-9A-Za-z]+)*)"
)


class Variable(NamedTuple):
    """One value of a package in its base unit; ``flags`` is what the device says of it.

    ``range_index`` is the device's number of the range it was measured in, None where it says none.
    """

    value: float
    flags: int
    range_index: int | None = None


def script_number(value: float) -> str:
    """Write ``value`` as a script literal: an integer up to 2^31-1 and an SI prefix.

    The finest prefix that fits decides the resolution (six digits and more above 1 pA or 1 pV);
    trailing thousands then move into the prefix. Raises ValueError for what no literal can express.

    >>> script_number(4.2), script_number(0.1), script_number(14_400), script_number(1e6)
    ('4200m', '100m', '14400', '1M')
    """
    exact = Decimal(repr(float(value)))
    if not exact.is_finite():
        raise ValueError(f"{value} is no MethodSCRIPT number")
    steps = list(EXPONENTS)
    scaled = (
        (int(exact.scaleb(-exponent).to_integral_value()), step)
        for step, exponent in enumerate(EXPONENTS.values())
    )
    fitting = next((pair for pair in scaled if abs(pair[0]) <= LARGEST_LITERAL), None)
    if fitting is None:
        raise ValueError(f"{value} is too large for a MethodSCRIPT number")
    integer, step = fitting
    while integer and integer % 1000 == 0 and step + 1 < len(steps):
        integer, step = integer // 1000, step + 1
    return f"{integer}{steps[step]}" if integer else "0"


def decode_package(line: str, where: str) -> dict[str, Variable]:
    """Read a line ``P<variable>;<variable>..`` into its variables, keyed by their type.

    Metadata other than status and range is skipped. A value that is not a number comes as NaN, flagged
    OVERLOAD: it is not a measurement. ``where`` says whose line it is, for the message. Raises
    UnreadableReply.

    >>> decode_package("Pda8000800u;ba8000800u,10,20B", "here")["ba"].value
    0.002048
    """
    if not line.startswith("P"):
        raise _unreadable(line, where)
    package: dict[str, Variable] = {}
    for field in line[1:].split(";"):
        match = _VARIABLE.fullmatch(field)
        if match is None or match["kind"] in package:
            raise _unreadable(line, where)
        flags, range_index = _status_and_range(match["metadata"], line, where)
        value = float("nan")
        if match["hex"] is None:
            flags |= int(Flag.OVERLOAD)
        else:
            value = _value(match["hex"], match["prefix"])
        package[match["kind"]] = Variable(value, flags, range_index)
    return package


def _value(digits: str, prefix: str) -> float:
    integer = int(digits, 16) - PACKAGE_OFFSET
    exponent = 0 if prefix == "i" else EXPONENTS[prefix.strip()]
    # dividing by a power of ten rounds once; multiplying by 1e-6 would round twice
    return integer / 10**-exponent if exponent < 0 else float(integer * 10**exponent)


def _status_and_range(metadata: str, line: str, where: str) -> tuple[int, int | None]:
    flags, range_index = 0, None
    for token in metadata.split(","):
        if token.startswith("1"):
            if token not in STATUS_FLAGS:
                raise _unreadable(line, where)
            flags |= STATUS_FLAGS[token]
        elif token.startswith("2"):
            if token not in RANGE_INDICES:
                raise _unreadable(line, where)
            range_index = RANGE_INDICES[token]
    return flags, range_index


def _unreadable(line: str, where: str) -> UnreadableReply:
    return UnreadableReply(
        f"{where}: got {line!r}, expected a package such as 'Pda8000800u;ba8000800u,10,20B'"
    )
