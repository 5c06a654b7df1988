"""The load-cell driver on streams of bytes in the line formats of its reference."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drivers.sensors.serial_load_cell import SerialLoadCell
from rig.core.errors import (
    BadInput,
    LinkTimeout,
    OutOfRange,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, Quantity, SensorReading
from rig.wire import Exchange, TranscriptLink

SCALE = {"8000": "0 N", "108000": "100 N"}
BANNER = b"17\r\nHX711 load cell\r\nready\r\n"


def fresh(*pieces: bytes | None, **options: Any) -> tuple[SerialLoadCell, TranscriptLink]:
    """A driver on a stream that comes in these pieces; None is silence."""
    exchanges: list[Exchange] = [(None, piece) for piece in pieces]
    link = TranscriptLink(exchanges, name="COM9")
    return SerialLoadCell(link, "load-1", **({"scale": SCALE} | options)), link


def reading(line: bytes, **options: Any) -> SensorReading:
    """Read with old lines waiting, then the rest of one, then ``line``."""
    driver, link = fresh(b"1\r\n2\r\n3", None, None, b"4\r\n", line + b"\r\n", **options)
    found = driver.read()
    link.assert_used_up()
    return found


def test_boot_text_and_a_partial_line_are_passed_over_before_it_is_known() -> None:
    pattern = r"F (?P<value>-?\d+)"
    driver, link = fresh(None, BANNER, b"F 8412\r\n", pattern=pattern)
    assert driver.identify() == Identity("any", "load cell", "", "")
    link.assert_used_up()


def test_a_stream_that_never_fits_is_refused_and_the_baud_rate_named() -> None:
    driver, link = fresh(None, b"\xfe\x80\r\n" * 40)
    with pytest.raises(WrongInstrument, match=r"load-1 .*40 lines"):
        driver.identify()
    link.assert_used_up()


def test_what_was_waiting_is_old_and_thrown_away_with_the_line_that_was_cut() -> None:
    assert reading(b"58000") == SensorReading(50.0)


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        (b"58000", r"(?P<value>\S+)"),
        (b"-12\t58000", r"-?\d+\t(?P<value>\S+)"),
        (b"Reading: 58000 g", r"Reading: (?P<value>\S+) g"),
        (b"+5.8e4", r"(?P<value>\S+)"),
    ],
)
def test_the_line_formats_that_were_seen_can_be_read(line: bytes, pattern: str) -> None:
    assert reading(line, pattern=pattern) == SensorReading(50.0)


def test_force_on_an_area_is_a_pressure_and_so_is_a_scale_in_pascal() -> None:
    assert reading(b"58000", area="1 mm^2").value == pytest.approx(50e6)
    in_pascal = {"8000": "0 MPa", "108000": "10 MPa"}
    assert reading(b"58000", scale=in_pascal).value == pytest.approx(5e6)
    assert fresh(scale=in_pascal)[0].quantity() is Quantity.PRESSURE
    assert fresh()[0].quantity() is Quantity.FORCE


@pytest.mark.parametrize("line", [b"8388607", b"-8388608", b"nan", b"inf"])
def test_a_converter_at_its_end_is_no_number(line: bytes) -> None:
    # Section 4: 0x7FFFFF and 0x800000 are fault values.
    value, flags = reading(line, pattern=r"(?P<value>\S+)")
    assert math.isnan(value)
    assert flags == Flag.OVERLOAD


def test_a_converter_at_its_end_is_seen_behind_grams_and_a_capacity_watches_them() -> None:
    pattern = r"(?P<raw>\S+)\t(?P<value>\S+)"
    assert reading(b"8388607\t12000.0", pattern=pattern).flags == Flag.OVERLOAD
    assert reading(b"7000\t12000.0", pattern=pattern).flags == 0
    assert reading(b"7000\t12000.0", pattern=pattern, capacity="3 N").flags == Flag.OVERLOAD


def test_silence_is_a_timeout() -> None:
    driver, link = fresh(b"1\r\n2", None, None, b"3\r\n", None)
    with pytest.raises(LinkTimeout):
        driver.read()
    link.assert_used_up()


@pytest.mark.parametrize("line", [b"", b"HX711 not found", b"1-2", b"\xb1\xb2"])
def test_a_line_that_does_not_fit_raises_with_its_bytes(line: bytes) -> None:
    with pytest.raises(UnreadableReply, match=r"load-1 .*expected a line that fits"):
        reading(line)


def test_a_value_that_is_no_number_raises() -> None:
    with pytest.raises(UnreadableReply):
        reading(b"1.2.3", pattern=r"(?P<value>\S+)")


def test_it_has_one_path_and_making_safe_sends_nothing() -> None:
    driver, link = fresh()
    with pytest.raises(OutOfRange):
        driver.read("1")
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scale": None}, "two points"),
        ({"scale": {"1": "0 V", "2": "3 V"}}, "expected a force"),
        ({"pattern": "(?P<value>"}, "no regular expression"),
        ({"pattern": r"(\d+)"}, "a group named value"),
        ({"area": "3 cm"}, "expected an area"),
        ({"scale": {"1": "0 Pa", "2": "1 Pa"}, "area": "3 cm^2"}, "have no meaning"),
    ],
)
def test_options_that_cannot_be_are_refused(options: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        fresh(**options)


def test_everything_wrong_with_its_options_is_said_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        fresh(scale={}, pattern="[", area="1 V")
    assert len(caught.value.problems) == 3
