"""The USBH driver, byte by byte, against the reference's transcript."""

from __future__ import annotations

import math

import pytest

from drivers.sensors.omega_usbh import OmegaUsbh
from rig.core.clock import SimulatedClock
from rig.core.errors import (
    BadInput,
    LinkTimeout,
    OutOfRange,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, Quantity, SensorReading
from rig.wire import Exchange, TranscriptLink, spaced

SERIAL: Exchange = (b"SNR\r\n", b"serial = 445566\r\n>")
# The range stands on the third line of the answer.
RANGE: Exchange = (b"ENQ\r\n", b"USBPX\r\n1.0\r\n0.000 to 160.000 kPa A\r\n>")


def pressure(reply: bytes) -> Exchange:
    return (b"P\r\n", reply + b"\r\n>")


def fresh(*exchanges: Exchange, reference: str | None = None) -> tuple[OmegaUsbh, TranscriptLink]:
    link = TranscriptLink(exchanges, name="COM7")
    return OmegaUsbh(link, "press-1", reference=reference), link


def test_it_identifies_by_its_serial_number() -> None:
    driver, link = fresh(SERIAL, RANGE, reference="absolute")
    assert driver.identify() == Identity("Omega", "USBH", "445566", "")
    assert driver.quantity() is Quantity.PRESSURE
    link.assert_used_up()


@pytest.mark.parametrize("answer", [b"ready>", b">", b"*10\r\n>"])
def test_another_instrument_is_refused(answer: bytes) -> None:
    driver, link = fresh((b"SNR\r\n", answer))
    with pytest.raises(WrongInstrument, match=r"press-1 .*expected serial"):
        driver.identify()
    link.assert_used_up()


def test_a_gauge_of_the_other_kind_is_refused() -> None:
    driver, link = fresh(SERIAL, RANGE, reference="gauge")
    with pytest.raises(WrongInstrument, match="measures absolute pressure, options say gauge"):
        driver.identify()
    link.assert_used_up()


@pytest.mark.parametrize(
    ("unit", "pascal"),
    [
        (b"Pa", 100.0),
        (b"kPa", 1e5),
        (b"MPa", 1e8),
        (b"mbar", 1e4),
        (b"bar", 1e7),
        (b"psi", 689475.7293168361),
    ],
)
def test_its_own_unit_becomes_pascal(unit: bytes, pascal: float) -> None:
    span: Exchange = (b"ENQ\r\n", b"0 to 160 " + unit + b" G\r\n>")
    driver, link = fresh(span, pressure(b"100.0 " + unit + b" G"))
    assert driver.read() == (pytest.approx(pascal, rel=1e-12), 0)
    link.assert_used_up()


@pytest.mark.parametrize(("shown", "is_value"), [(161.5, True), (161.7, False), (-1.7, False)])
def test_beyond_its_range_there_is_no_number(shown: float, is_value: bool) -> None:
    driver, link = fresh(RANGE, pressure(b"%.3f kPa A" % shown))
    value, flags = driver.read()
    assert (not math.isnan(value), flags) == (is_value, 0 if is_value else int(Flag.OVERLOAD))
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply", [b"101.325 kP A", b"101.325 kPa G", b"101.325", b"", b"\xce\xcf kPa A", b"1e5 kPa A"]
)
def test_a_reply_that_is_damaged_or_of_another_kind_raises(reply: bytes) -> None:
    driver, link = fresh(RANGE, pressure(reply))
    with pytest.raises(UnreadableReply, match=r"press-1 .*sent 'P'"):
        driver.read()
    link.assert_used_up()


def test_a_unit_that_is_not_known_is_refused_and_not_guessed() -> None:
    driver, link = fresh((b"ENQ\r\n", b"0 to 30 inHg G\r\n>"))
    with pytest.raises(UnreadableReply, match="inHg"):
        driver.read()
    link.assert_used_up()


def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    driver, link = fresh(
        RANGE,
        (b"P\r\n", None),
        (None, None),
        (b"SNR\r\n", b"1.000 kPa A\r\n>serial = 445566\r\n>"),
        pressure(b"2.000 kPa A"),
    )
    with pytest.raises(LinkTimeout):
        driver.read()
    assert driver.read() == SensorReading(2000.0)
    link.assert_used_up()


def test_twenty_milliseconds_are_kept_between_two_questions() -> None:
    clock = SimulatedClock()
    link = TranscriptLink((RANGE, pressure(b"1.0 kPa A"), pressure(b"1.0 kPa A")))
    driver = OmegaUsbh(spaced(link, clock, OmegaUsbh.sheet.spacing), "press-1")
    driver.read()
    driver.read()
    assert clock.now() == pytest.approx(0.04)


def test_it_has_one_path_and_making_safe_sends_nothing() -> None:
    driver, link = fresh()
    with pytest.raises(OutOfRange):
        driver.read("1")
    driver.make_safe()
    link.assert_used_up()


def test_a_reference_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="did you mean 'absolute'"):
        fresh(reference="absolut")
