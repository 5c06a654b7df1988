"""The DAQ6510 driver, byte by byte, against the command table and transcript of its reference."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drivers.sensors.keithley_daq6510 import KeithleyDaq6510
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

STALE, OVERLOAD = int(Flag.STALE), int(Flag.OVERLOAD)
DEW_POINT = {"dew_point": {"0 V": "-100 degC", "10 V": "20 degC"}}
CHANNELS: dict[str, Any] = {
    "103": DEW_POINT,
    "101": "thermocouple K",
    "102": "pt100 four-wire",
}
# Section 1, "Transcript".
IDENTITY: Exchange = (b"*IDN?\n", b"KEITHLEY INSTRUMENTS,MODEL DAQ6510,04300000,1.7.0b\n")
NO_ERROR: Exchange = (b":SYST:ERR?\n", b'0,"No error"\n')


def done(message: bytes) -> tuple[Exchange, Exchange]:
    return (message + b";*OPC?\n", b"1\n"), NO_ERROR


# Section 1, table: each group in one message, so that a lost line is missed.
SET_UP: tuple[Exchange, ...] = (
    *done(b"*CLS;*RST"),
    *done(b':TRAC:MAKE "rig",100000'),
    *done(
        b':SENS:FUNC "TEMP",(@101);:SENS:TEMP:UNIT CELS,(@101);:SENS:TEMP:TRAN TC,(@101);'
        b":SENS:TEMP:TC:TYPE K,(@101);:SENS:TEMP:TC:RJUN:RSEL INT,(@101)"
    ),
    *done(
        b':SENS:FUNC "TEMP",(@102);:SENS:TEMP:UNIT CELS,(@102);:SENS:TEMP:TRAN FRTD,(@102);'
        b":SENS:TEMP:RTD:FOUR PT100,(@102)"
    ),
    *done(b':SENS:FUNC "VOLT",(@103)'),
    *done(
        b':ROUT:CHAN:OPEN (@101,102,103);:ROUT:SCAN:BUFF "rig";:ROUT:SCAN:CRE (@101,102,103);'
        b":ROUT:SCAN:COUN:SCAN 0;:ROUT:SCAN:INT 5"
    ),
    (b":INIT\n", None),
    NO_ERROR,
)


def count(readings: int) -> Exchange:
    return (b':TRAC:ACT? "rig"\n', b"%d\n" % readings)


def data(first: int, last: int, reply: bytes) -> Exchange:
    return (b':TRAC:DATA? %d,%d,"rig",CHAN,READ\n' % (first, last), reply + b"\n")


ROUND = data(1, 3, b"101,2.34500000E+01,102,2.36100000E+01,103,5.00000000E+00")
FIRST_LOOK = (*SET_UP, count(0))


def fresh(*exchanges: Exchange, **options: Any) -> tuple[KeithleyDaq6510, TranscriptLink]:
    link = TranscriptLink(exchanges, name="10.0.0.7")
    options = {"channels": CHANNELS, "interval": "5 s"} | options
    return KeithleyDaq6510(link, "daq-1", **options), link


def looked(*exchanges: Exchange) -> tuple[KeithleyDaq6510, TranscriptLink]:
    """A scanner whose scan has begun."""
    driver, link = fresh(*FIRST_LOOK, *exchanges)
    driver.read("101")
    return driver, link


def test_the_constructor_sends_nothing_and_identify_asks_one_question() -> None:
    driver, link = fresh(IDENTITY)
    assert driver.identify() == Identity("Keithley", "DAQ6510", "04300000", "1.7.0b")
    link.assert_used_up()


@pytest.mark.parametrize(
    "answer", [b"KEITHLEY INSTRUMENTS,MODEL 2450,1,1\n", b"ACME,MODEL DAQ6510,1,1\n", b"ready\n"]
)
def test_another_instrument_is_refused(answer: bytes) -> None:
    driver, link = fresh((b"*IDN?\n", answer))
    with pytest.raises(WrongInstrument, match=r"daq-1 .*DAQ6510"):
        driver.identify()
    link.assert_used_up()


def test_what_a_path_measures_is_known_without_a_byte() -> None:
    driver, link = fresh()
    assert driver.quantity("101") is Quantity.TEMPERATURE
    assert driver.quantity("103") is Quantity.DEW_POINT
    for path in ("104", "", "one"):
        with pytest.raises(OutOfRange, match="101, 102, 103; nothing was sent"):
            driver.quantity(path)
        with pytest.raises(OutOfRange):
            driver.read(path)
    link.assert_used_up()


def test_the_first_look_sets_everything_up_and_has_no_value_yet() -> None:
    driver, link = fresh(*FIRST_LOOK)
    value, flags = driver.read("101")
    assert math.isnan(value)
    assert flags == STALE
    link.assert_used_up()


def test_each_look_gives_the_newest_of_its_channel_and_says_when_there_is_nothing_new() -> None:
    driver, link = looked(
        count(3), ROUND, count(3), count(3), count(3), count(4), data(4, 4, b"101,2.40000000E+01")
    )
    assert driver.read("101") == SensorReading(23.45)
    assert driver.read("102") == SensorReading(23.61)
    assert driver.read("103") == SensorReading(-40.0)
    assert driver.read("101") == SensorReading(23.45, STALE)
    assert driver.read("101") == SensorReading(24.0)
    link.assert_used_up()


def test_after_a_long_time_only_the_last_round_is_fetched() -> None:
    late = data(9998, 10000, b"102,1.0E+1,103,0.0E+0,101,3.0E+1")
    driver, link = looked(count(10000), late)
    assert driver.read("101") == SensorReading(30.0)
    link.assert_used_up()


def test_a_buffer_that_is_half_full_is_emptied_and_no_reading_of_it_is_lost() -> None:
    driver, link = looked(
        count(50000),
        data(49998, 50000, b"101,3.0E+1,102,1.0E+1,103,1.0E+0"),
        *done(b':ABOR;:TRAC:CLE "rig"'),
        (b":INIT\n", None),
        NO_ERROR,
        count(0),
        count(0),
    )
    assert driver.read("101") == SensorReading(30.0)
    assert driver.read("102") == SensorReading(10.0)
    assert driver.read("101") == SensorReading(30.0, STALE)
    link.assert_used_up()


@pytest.mark.parametrize("overflow", [b"9.90000000E+37", b"-9.9E37", b"9.91E37"])
def test_an_open_thermocouple_is_no_number(overflow: bytes) -> None:
    # [mem]: an open thermocouple reads 9.9e37.
    driver, link = looked(count(1), data(1, 1, b"101," + overflow))
    value, flags = driver.read("101")
    assert math.isnan(value)
    assert flags == OVERLOAD
    link.assert_used_up()


@pytest.mark.parametrize(
    ("volt", "pascal"),
    [(1.0, 0.0), (5.0, 1e7), (3.0, 5e6), (0.91, -0.225e6), (0.89, None), (5.26, None), (0.0, None)],
)
def test_a_transmitter_that_has_failed_is_no_number(volt: float, pascal: float | None) -> None:
    # NAMUR NE 43: 3.6 mA and 21 mA of 4 to 20 mA, here over 250 ohm.
    channels = {"104": {"pressure": {"1 V": "0 MPa", "5 V": "10 MPa"}}}
    driver, _ = fresh(channels=channels)
    value, flags = driver._channels["104"].reading(volt)
    if pascal is None:
        assert (math.isnan(value), flags) == (True, OVERLOAD)
    else:
        assert (value, flags) == (pytest.approx(pascal), 0)


def test_what_the_instrument_refuses_is_told_in_words_and_tried_anew_at_the_next_look() -> None:
    driver, link = fresh(
        *SET_UP[:4],
        (SET_UP[4][0], b"1\n"),
        (b":SYST:ERR?\n", b'-222,"Parameter data out of range; no channel 101"\n'),
        NO_ERROR,
        *FIRST_LOOK,
    )
    with pytest.raises(Refused, match=r"TC:TYPE K.*-222.*no such channel, or no card"):
        driver.read("101")
    assert driver.read("101").flags == STALE
    link.assert_used_up()


def test_an_instrument_that_was_switched_off_fails_once_and_is_set_up_again() -> None:
    in_step: Exchange = (b"*OPC?;*OPC?\n", b"1;1\n")
    gone: Exchange = (b':TRAC:ACT? "rig"\n', None)
    driver, link = looked(gone, (None, None), in_step, *FIRST_LOOK)
    with pytest.raises(LinkTimeout):
        driver.read("101")
    assert driver.read("101").flags == STALE
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply",
    [
        b"101,2.3E+01,102,2.3E+01,103",
        b"101,2.3E+01,102,2.3E+01,104,1.0E+0",
        b"101,2.3E+01,102,warm,103,1.0E+0",
        b"\xce\xcf",
    ],
)
def test_readings_that_cannot_be_read_raise_with_their_bytes(reply: bytes) -> None:
    driver, link = looked(count(3), data(1, 3, reply))
    with pytest.raises(UnreadableReply, match=r"daq-1 .*TRAC:DATA"):
        driver.read("101")
    link.assert_used_up()


def test_a_buffer_that_somebody_emptied_is_noticed() -> None:
    driver, link = looked(count(3), ROUND, count(1))
    driver.read("101")
    with pytest.raises(Refused, match="somebody emptied it"):
        driver.read("101")
    link.assert_used_up()


def test_making_safe_stops_the_scan_and_the_next_look_begins_another() -> None:
    driver, link = looked(*done(b":ABOR"), *FIRST_LOOK)
    driver.make_safe()
    assert driver.read("101").flags == STALE
    link.assert_used_up()


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (None, "expected what hangs on each channel"),
        ({}, "expected what hangs on each channel"),
        (["101"], "expected what hangs on each channel"),
        ({"121": "volts"}, "101 to 120 or 201 to 220"),
        ({"101": "thermocouple k"}, "did you mean 'thermocouple K'"),
        ({"101": "pt100"}, "pt100 four-wire, pt100 two-wire"),
        ({"101": {"dewpoint": {}}}, "did you mean 'dew_point'"),
        ({"101": {"pressure": {"1 V": "0 MPa"}}}, "two points"),
        ({"111": "pt100 four-wire"}, "01 to 10 of a card"),
        ({"101": "pt100 four-wire", "111": "volts"}, "channel 111 as well"),
    ],
)
def test_channels_that_cannot_be_are_refused_before_anything_is_sent(
    channels: Any, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        fresh(channels=channels)


def test_everything_wrong_with_the_channels_is_said_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        fresh(channels={"99": "volts", "101": "thermocouple X", "102": {"force": {}}})
    assert len(caught.value.problems) == 3
    assert "daq-1, options, channels, 101" in str(caught.value)


@pytest.mark.parametrize("interval", ["0 s", "2 h", "5", "5 V"])
def test_an_interval_that_cannot_be_is_refused(interval: str) -> None:
    with pytest.raises(BadInput, match="daq-1, options, interval"):
        fresh(interval=interval)
