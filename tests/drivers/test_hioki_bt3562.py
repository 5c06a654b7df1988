"""The Hioki BT3562 driver, byte by byte, against the reference's worked transcript and number table."""

from __future__ import annotations

import math

import pytest

from drivers.analysers.hioki_bt3562 import HiokiBT3562
from rig.core.errors import (
    InstrumentError,
    LinkTimeout,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import Flag, Identity, ResistanceReading
from rig.wire import Exchange, TranscriptLink

IDENTITY: Exchange = (b"*IDN?\r\n", b"HIOKI,BT3562A,0,V2.10\r\n")
NO_ERROR: Exchange = (b"*ESR?\r\n", b"0\r\n")
# "Transcript", with autorange and without the measurement's own event register.
SET_UP: tuple[Exchange, ...] = (
    (b"*CLS\r\n", None),
    (b":SYST:HEAD OFF;:FUNC RV;:AUT ON\r\n", None),
    (b":SAMP:RATE MED;:TRIG:SOUR IMM;:INIT:CONT OFF\r\n", None),
    NO_ERROR,
)
READ: Exchange = (b":READ?\r\n", b"   15.03E-3, 3.85012E+0\r\n")
# Message rules: a query may stand at the end of a line.
STOP: tuple[Exchange, ...] = ((b"*CLS\r\n", None), (b":INIT:CONT OFF;*ESR?\r\n", b"0\r\n"))
SILENT: Exchange = (b":READ?\r\n", None)


def fresh(*exchanges: Exchange) -> tuple[HiokiBT3562, TranscriptLink]:
    link = TranscriptLink(exchanges, name="COM4")
    return HiokiBT3562(link, "tester-1"), link


def identified(*exchanges: Exchange) -> tuple[HiokiBT3562, TranscriptLink]:
    driver, link = fresh(IDENTITY, *exchanges)
    driver.identify()
    return driver, link


def test_the_constructor_sends_nothing() -> None:
    _, link = fresh()
    link.assert_used_up()


def test_identify_leaves_out_the_serial_number_that_is_always_zero() -> None:
    driver, link = fresh(IDENTITY)
    assert driver.identify() == Identity("Hioki", "BT3562A", "", "V2.10")
    link.assert_used_up()


@pytest.mark.parametrize("answer", [b"HIOKI,BT4560,0,V1.00\r\n", b"KEITHLEY,MODEL 2450,1,1\r\n"])
def test_identify_refuses_another_instrument(answer: bytes) -> None:
    driver, _ = fresh((b"*IDN?\r\n", answer))
    with pytest.raises(WrongInstrument, match=r"tester-1 .*COM4.*BT3562A"):
        driver.identify()


def test_the_first_reading_sets_the_meter_up_and_the_second_does_not() -> None:
    driver, link = identified(*SET_UP, READ, READ)
    assert driver.read_resistance() == ResistanceReading(0.01503, 3.85012)
    assert driver.read_resistance() == ResistanceReading(0.01503, 3.85012)
    link.assert_used_up()


def test_a_fixed_range_is_set_after_autorange_is_switched_off() -> None:
    link = TranscriptLink(
        [
            IDENTITY,
            SET_UP[0],
            (b":SYST:HEAD OFF;:FUNC RV;:AUT OFF;:RES:RANG 300E-3\r\n", None),
            *SET_UP[2:],
            READ,
        ]
    )
    driver = HiokiBT3562(link, "tester-1", range_ohm=0.3)
    driver.identify()
    driver.read_resistance()
    link.assert_used_up()


@pytest.mark.parametrize("range_ohm", [0.0, -1.0, 3001.0, math.nan])
def test_a_range_that_the_meter_has_not_is_refused_before_any_byte(range_ohm: float) -> None:
    link = TranscriptLink([IDENTITY])
    driver = HiokiBT3562(link, "tester-1", range_ohm=range_ohm)
    driver.identify()
    with pytest.raises(OutOfRange, match="up to 3000 ohm; nothing was sent"):
        driver.read_resistance()
    link.assert_used_up()


# The number table: positive signs and leading zeros are blanks.
@pytest.mark.parametrize(
    ("reply", "ohm", "volt"),
    [
        (b"    1.36E-3,-3.85012E+0", 0.00136, -3.85012),
        (b"-   0.02E-3, 0.00001E+0", -0.00002, 0.00001),
        (b" 299.95E+0, 59.9999E+0", 299.95, 59.9999),
        (b"  2.9995E+3, 299.999E+0", 2999.5, 299.999),
    ],
)
def test_blanks_stand_for_signs_and_leading_zeros(reply: bytes, ohm: float, volt: float) -> None:
    driver, _ = identified(*SET_UP, (b":READ?\r\n", reply + b"\r\n"))
    reading = driver.read_resistance()
    assert reading.resistance_ohm == pytest.approx(ohm, rel=1e-12)
    assert reading.voltage_volt == pytest.approx(volt, rel=1e-12)
    assert reading.flags == 0


# Overflow 1E+9, open leads 1E+10, one character longer at 6 V.
@pytest.mark.parametrize(
    ("reply", "volt_is_lost"),
    [
        (b"+1000.00E+7,+1.00000E+10", True),
        (b" 1000.00E+6, 3.85012E+0", False),
        (b"-1000.00E+6,-1.00000E+9", True),
    ],
)
def test_overflow_and_open_leads_are_flagged_and_never_a_number(
    reply: bytes, volt_is_lost: bool
) -> None:
    driver, _ = identified(*SET_UP, (b":READ?\r\n", reply + b"\r\n"))
    reading = driver.read_resistance()
    assert math.isnan(reading.resistance_ohm)
    assert math.isnan(reading.voltage_volt) is volt_is_lost
    assert reading.flags == Flag.OVERLOAD


@pytest.mark.parametrize(
    "reply", [b"", b"15.03E-3", b"15.03E-3,3.85,1", b"1 5.03E-3, 3.85012E+0", b":READ 1.0E-3,\xff"]
)
def test_a_reply_that_the_manual_does_not_know_is_refused(reply: bytes) -> None:
    driver, _ = identified(*SET_UP, (b":READ?\r\n", reply + b"\r\n"))
    with pytest.raises(UnreadableReply, match=r"tester-1 .*resistance,voltage"):
        driver.read_resistance()


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(b"16", "not allowed"), (b"32", "misspelt"), (b"144", "not allowed.*switched on again")],
)
def test_a_setting_that_the_meter_refuses_is_named(status: bytes, meaning: str) -> None:
    driver, link = identified(*SET_UP[:3], (b"*ESR?\r\n", status + b"\r\n"))
    with pytest.raises(Refused, match=rf"'\*ESR\?' says {int(status)}: .*{meaning}"):
        driver.read_resistance()
    link.assert_used_up()


@pytest.mark.parametrize("status", [b"256", b"-1", b"0.0", b"*ESR 0"])
def test_a_status_that_is_no_byte_is_refused(status: bytes) -> None:
    driver, _ = identified(*SET_UP[:3], (b"*ESR?\r\n", status + b"\r\n"))
    with pytest.raises(UnreadableReply, match="from 0 to 255"):
        driver.read_resistance()


def test_after_a_power_dip_the_silence_is_explained_and_the_next_reading_sets_up_again() -> None:
    driver, link = identified(
        *SET_UP, READ, SILENT, IDENTITY, (b"*ESR?\r\n", b"144\r\n"), *SET_UP, READ
    )
    driver.read_resistance()
    with pytest.raises(Refused, match=r"sent ':READ\?'.*says 144.*switched on again"):
        driver.read_resistance()
    assert driver.read_resistance() == ResistanceReading(0.01503, 3.85012)
    link.assert_used_up()


def test_silence_without_a_reason_stays_a_timeout() -> None:
    driver, link = identified(*SET_UP, SILENT, IDENTITY, NO_ERROR)
    with pytest.raises(LinkTimeout):
        driver.read_resistance()
    link.assert_used_up()


def test_a_reading_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    late = b"   99.99E-3, 1.00000E+0\r\n"
    driver, link = identified(
        *SET_UP,
        SILENT,
        (b"*IDN?\r\n", None),  # still measuring: the reason cannot be asked either
        (None, None),
        (None, late),
        IDENTITY,
        *SET_UP,
        READ,
    )
    with pytest.raises(LinkTimeout):
        driver.read_resistance()
    assert driver.read_resistance() == ResistanceReading(0.01503, 3.85012)
    link.assert_used_up()


def test_nothing_is_measured_in_a_fixed_range_before_the_model_is_known() -> None:
    link = TranscriptLink([])
    with pytest.raises(InstrumentError, match="model is not known"):
        HiokiBT3562(link, "tester-1", range_ohm=0.3).read_resistance()
    link.assert_used_up()


def test_making_safe_ends_continuous_measurement_and_twice_is_the_same() -> None:
    driver, link = identified(*STOP, *STOP)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_needs_no_identify_before() -> None:
    driver, link = fresh(IDENTITY, *STOP)
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (b"16\r\n", []),
        (b"x\r\n", []),
        (None, [(b"*IDN?\r\n", None)]),
        # the line was lost on its way: nothing was refused
        (None, [IDENTITY, NO_ERROR]),
    ],
)
def test_a_stop_that_nobody_confirms_is_the_loudest_error(
    answer: bytes | None, then: list[Exchange]
) -> None:
    driver, link = identified(STOP[0], (b":INIT:CONT OFF;*ESR?\r\n", answer), *then)
    with pytest.raises(UnconfirmedSafeState, match=r"tester-1 .*COM4.*not confirmed"):
        driver.make_safe()
    link.assert_used_up()
