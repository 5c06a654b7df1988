"""Packages against the check values of the sheet."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.fronts.methodscript_packages import Variable, encode_number, metadata

_EXPONENTS = dict(zip("afpnum kMGTPE", range(-18, 21, 3), strict=True))


def decode(text: str) -> float:
    """Read seven hex digits and a prefix, independently of the encoder."""
    integer = int(text[:7], 16) - 0x8000000
    return integer if text[7] == "i" else integer * 10.0 ** _EXPONENTS[text[7]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "DF5E100n"),
        (0.099994392, "DF5CB18n"),
        (1, "8000001i"),
        (0.0, "8000000 "),
        (-0.0, "8000000 "),
        (1.0, "80F4240u"),
        (4.2, "8401640u"),
        (3600.5, "836F074m"),
        (100e3, "DF5E100m"),
        (-5.3e-3, "7AF20E0n"),
        (math.nan, "     nan"),
        (math.inf, "     nan"),
        (1e-30, "8000000 "),
    ],
)
def test_a_value_has_the_finest_prefix_in_which_it_fits(value: float, text: str) -> None:
    assert encode_number(value) == text


def test_the_prefix_changes_where_27_bits_end() -> None:
    largest = 2**27 - 1
    assert encode_number(largest * 1e-9) == "FFFFFFFn"
    assert encode_number(-largest * 1e-9) == "0000001n"
    assert encode_number((largest + 1) * 1e-9)[-1] == "u"


@given(st.floats(min_value=-1e20, max_value=1e20))
def test_a_value_comes_back_within_the_resolution_of_its_prefix(value: float) -> None:
    assert decode(encode_number(value)) == pytest.approx(value, rel=1e-5, abs=1e-18)


@given(st.integers(min_value=-(2**27) + 1, max_value=2**27 - 1))
def test_an_integer_comes_back_exactly(value: int) -> None:
    assert decode(encode_number(value)) == value


def test_metadata_gives_status_before_range() -> None:
    variable = Variable("ba", 0.099998, metadata(0, 0x1B))
    assert variable.encoded() == "baDF5D930n,10,21B"
    assert metadata(4, 0x84) == ",14,284"
