"""The Mark-10 driver, byte by byte, against the reference's transcript and error numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drivers.sensors.mark10_series5 import Mark10Series5
from rig.core.errors import (
    BadInput,
    LinkTimeout,
    OutOfRange,
    Refused,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, Quantity, SensorReading
from rig.wire import Exchange, TranscriptLink

# Section 5: the status as a gauge tells it that was just switched on, and after its set-up.
FACTORY = b"V1.00;LBF;CUR;FLTC8;FLTP1;AOUT00;AOFF5;FULL;MIT;POL;B0\r\n"
READY = b"V1.00;N;CUR;FLTC8;FLTP1;AOUT00;AOFF0;FULL;MIT;POL;B0\r\n"
SET_UP: tuple[Exchange, ...] = ((b"N\r", None), (b"AOFF0\r", None), (b"LIST\r", READY))


def read(reply: bytes) -> Exchange:
    return (b"?\r", reply + b"\r\n")


def fresh(*exchanges: Exchange, **options: Any) -> tuple[Mark10Series5, TranscriptLink]:
    link = TranscriptLink(exchanges, name="COM5")
    return Mark10Series5(link, "load-1", **options), link


def test_it_identifies_by_its_status() -> None:
    driver, link = fresh((b"LIST\r", FACTORY))
    assert driver.identify() == Identity("Mark-10", "Series 5", "", "1.00")
    link.assert_used_up()


@pytest.mark.parametrize("answer", [b"*10\r\n", b"HIOKI,BT3562A,0,V2.10\r\n", b"V2;N\r\n"])
def test_another_instrument_is_refused(answer: bytes) -> None:
    driver, link = fresh((b"LIST\r", answer))
    with pytest.raises(WrongInstrument, match=r"load-1 .*Mark-10"):
        driver.identify()
    link.assert_used_up()


def test_the_first_reading_sets_newton_and_no_auto_off_and_reads_both_back() -> None:
    driver, link = fresh(*SET_UP, read(b"120.40 N"), read(b"120.35 N"))
    assert driver.read() == SensorReading(120.40)
    assert driver.read() == SensorReading(120.35)
    assert driver.quantity() is Quantity.FORCE
    link.assert_used_up()


def test_with_an_area_it_is_a_pressure() -> None:
    # Section 4: 1 kN on 10 cm2 is 1 MPa.
    driver, link = fresh(*SET_UP, read(b"1000.0 N"), area="10 cm^2")
    assert driver.quantity() is Quantity.PRESSURE
    assert driver.read().value == pytest.approx(1e6)
    link.assert_used_up()


def test_a_gauge_that_shows_compression_as_negative_still_gives_a_positive_one() -> None:
    driver, link = fresh(*SET_UP, read(b"-18.78 N"), compression="negative")
    assert driver.read() == SensorReading(18.78)
    link.assert_used_up()


@pytest.mark.parametrize("shown", [b"500.5 N", b"-500.5 N"])
def test_beyond_its_capacity_there_is_no_number(shown: bytes) -> None:
    driver, link = fresh(*SET_UP, read(shown), capacity="500 N")
    value, flags = driver.read()
    assert math.isnan(value)
    assert flags == Flag.OVERLOAD
    link.assert_used_up()


def test_another_unit_raises_once_and_the_gauge_is_set_up_again() -> None:
    # Its UNIT key was pressed; or it went off and came back with AOFF5, and would go off again.
    driver, link = fresh(*SET_UP, read(b"-18.78 lbF"), *SET_UP, read(b"83.5 N"))
    with pytest.raises(Refused, match=r"'-18.78 lbF', expected N: its UNIT key"):
        driver.read()
    assert driver.read() == SensorReading(83.5)
    link.assert_used_up()


def test_a_setting_that_did_not_take_is_refused() -> None:
    driver, link = fresh(*SET_UP[:2], (b"LIST\r", FACTORY))
    with pytest.raises(Refused, match="LBF and AOFF5"):
        driver.read()
    link.assert_used_up()


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (b"*10", "illegal command"),
        (b"*11", "not applicable"),
        (b"*12", "invalid specifier"),
        (b"*22", "too large"),
        (b"*99", "not in the sheet"),
    ],
)
def test_error_numbers_are_told_in_words(answer: bytes, meaning: str) -> None:
    driver, link = fresh(*SET_UP, read(answer))
    with pytest.raises(Refused, match=meaning):
        driver.read()
    link.assert_used_up()


@pytest.mark.parametrize("reply", [b"OVER", b"120.4", b"", b"1e3 N", b"120.4 N 3", b"\xb1\xb2 N"])
def test_a_reply_that_is_no_reading_raises_with_its_bytes(reply: bytes) -> None:
    driver, link = fresh(*SET_UP, read(reply))
    with pytest.raises(UnreadableReply, match=r"load-1 .*sent '\?'"):
        driver.read()
    link.assert_used_up()


def test_a_reading_that_came_too_late_is_never_taken_for_the_next_one() -> None:
    driver, link = fresh(
        *SET_UP,
        (b"?\r", None),
        (None, None),
        (b"N\r", b"1.0 N\r\n"),
        (b"AOFF0\r", None),
        (b"LIST\r", READY),
        read(b"2.0 N"),
    )
    with pytest.raises(LinkTimeout):
        driver.read()
    assert driver.read() == SensorReading(2.0)
    link.assert_used_up()


def test_it_has_one_path_and_making_safe_sends_nothing() -> None:
    driver, link = fresh()
    with pytest.raises(OutOfRange):
        driver.read("101")
    with pytest.raises(OutOfRange):
        driver.quantity("1")
    driver.make_safe()
    link.assert_used_up()


def test_everything_wrong_with_its_options_is_said() -> None:
    with pytest.raises(BadInput) as caught:
        fresh(area="78.5 mm", capacity="-3 N")
    assert len(caught.value.problems) == 2
    with pytest.raises(BadInput, match="did you mean 'positive'"):
        fresh(compression="positiv")
