"""Numbers and packages of MethodSCRIPT: the manual's own check values, and round trips."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.potentiostats.methodscript_packages import (
    EXPONENTS,
    LARGEST_LITERAL,
    PACKAGE_OFFSET,
    decode_package,
    script_number,
)
from rig.core.errors import UnreadableReply
from rig.core.instruments import Flag

OVERLOAD, UNDERLOAD = Flag.OVERLOAD, Flag.UNDERLOAD


def value(encoded: str) -> float:
    return decode_package(f"Pab{encoded}", "pstat-1")["ab"].value


# MethodSCRIPT manual chapter 5 and the vendor's examples.
@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        ("8000800u", 2.048e-3),
        ("DF5CB18n", 0.099994392),
        ("8000001i", 1.0),
        ("7FFFFF6m", -0.010),
        ("DF5E100n", 0.1),
        ("8000000 ", 0.0),
        ("836F074m", 3600.5),
        ("84016B1u", 4.200113),
        ("8000001k", 1000.0),
        ("8000002M", 2e6),
        ("0000000n", -0.134217728),
    ],
)
def test_the_manuals_check_values_decode_exactly(encoded: str, expected: float) -> None:
    assert value(encoded) == expected


def test_a_package_with_status_and_range_decodes_as_the_manual_says() -> None:
    assert decode_package("Pda8000800u;ba8000800u,10,20B", "pstat-1") == {
        "da": (2.048e-3, 0, None),
        "ba": (2.048e-3, 0, 0x0B),
    }


def test_an_underloaded_value_is_flagged_and_kept() -> None:
    package = decode_package("Pda84E63DAn;ba82AB973f,14,284", "pstat-1")
    assert package["da"].value == pytest.approx(5.137e-3, rel=1e-3)
    assert package["ba"].value == pytest.approx(2.80e-9, rel=1e-3)
    assert package["ba"].flags == UNDERLOAD


@pytest.mark.parametrize(
    ("nibble", "flags"),
    [
        ("0", Flag.NONE),
        ("1", Flag.TIMING),
        ("2", OVERLOAD),
        ("4", UNDERLOAD),
        ("8", Flag.OVERLOAD_WARNING),
        ("9", Flag.TIMING | Flag.OVERLOAD_WARNING),
        ("F", Flag.TIMING | OVERLOAD | UNDERLOAD | Flag.OVERLOAD_WARNING),
    ],
)
def test_each_bit_of_the_status_has_its_flag(nibble: str, flags: Flag) -> None:
    assert decode_package(f"Pba8000800u,1{nibble},20B", "pstat-1")["ba"].flags == flags


def test_metadata_that_nobody_knows_is_skipped() -> None:
    assert decode_package("Pba8000800u,42,10,7ABC,20B", "pstat-1")["ba"] == (2.048e-3, 0, 0x0B)


def test_a_value_that_is_not_a_number_is_nan_and_flagged_as_no_measurement() -> None:
    variable = decode_package("Pdc80F4240u;cc     nan,10,20B", "pstat-1")["cc"]
    assert math.isnan(variable.value)
    assert variable.flags == OVERLOAD


@pytest.mark.parametrize(
    "line",
    [
        "",
        "P",
        "Pab",
        "Pab8000800",  # the blank of a zero was trimmed: not ours to guess
        "Pab8000800u;",
        "Pab800080gu",
        "Pab8000800q",
        "Pab8000800u,1",
        "Pab8000800u,1G",
        "Pab8000800u,10,2",
        "Pab8000800u,10,2G0",
        "Pab8000800u,",
        "Pab    nan",
        "Pab8000800u;ab8000800u",
        "8AAu;ba8000800u",
        "Pab8000800u\\xff",
    ],
)
def test_garbage_is_refused_with_its_bytes(line: str) -> None:
    with pytest.raises(UnreadableReply, match=re.escape(repr(line))) as caught:
        decode_package(line, "pstat-1 (palmsens.methodscript, COM3)")
    assert "pstat-1" in str(caught.value)


prefixes = st.sampled_from([*(p for p in EXPONENTS if p), " ", "i"])
integers = st.integers(-PACKAGE_OFFSET, PACKAGE_OFFSET - 1)


@given(integer=integers, prefix=prefixes)
def test_whatever_a_device_can_encode_decodes_to_the_nearest_float(
    integer: int, prefix: str
) -> None:
    exponent = 0 if prefix == "i" else EXPONENTS[prefix.strip()]
    assert value(f"{integer + PACKAGE_OFFSET:07X}{prefix}") == float(f"{integer}e{exponent}")


@pytest.mark.parametrize(
    ("number", "literal"),
    [
        (0.1, "100m"),
        (-0.5, "-500m"),
        (4.2, "4200m"),
        (58.505, "58505m"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (14_400, "14400"),
        (200e3, "200k"),
        (1e6, "1M"),
        (2.5, "2500m"),
        (1 / 3, "333333333n"),
    ],
)
def test_script_numbers_are_integers_with_a_prefix(number: float, literal: str) -> None:
    assert script_number(number) == literal


@given(st.floats(1e-11, 1e12) | st.floats(-1e12, -1e-11))
def test_a_script_number_keeps_six_digits_within_31_bits(number: float) -> None:
    match = re.fullmatch(r"(-?[0-9]+)([afpnumkMGTPE]?)", script_number(number))
    assert match is not None
    assert abs(int(match[1])) <= LARGEST_LITERAL
    assert float(f"{match[1]}e{EXPONENTS[match[2]]}") == pytest.approx(number, rel=1e-6)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e28])
def test_what_no_literal_can_express_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="MethodSCRIPT number"):
        script_number(number)
