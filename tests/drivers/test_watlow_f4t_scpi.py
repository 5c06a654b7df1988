"""The Watlow F4T driver over SCPI, byte by byte. Sections: the reference named by the sheet."""

from __future__ import annotations

import pytest

from drivers.chambers.watlow_f4t_scpi import WatlowF4TScpi
from rig.core.errors import (
    BadInput,
    InstrumentError,
    LinkTimeout,
    OutOfRange,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import ChamberReading, Identity
from rig.wire import Exchange, TranscriptLink

# Section 5, SCPI session. Set commands are not answered.
IDN: Exchange = (b"*IDN?\n", b'"Watlow Electric",F4T,0000,04:05:0007\n')
UNIT: Exchange = (b":UNIT:TEMPERATURE?\n", b"C\n")
UNIT_F: Exchange = (b":UNIT:TEMPERATURE?\n", b"F\n")
USE_C: Exchange = (b":UNIT:TEMPERATURE C\n", None)
AIR: Exchange = (b":SOURCE:CLOOP1:PVALUE?\n", b"23.400000\n")
SETPOINT_60: Exchange = (b":SOURCE:CLOOP1:SPOINT?\n", b"60.000000\n")
SETPOINT_25: Exchange = (b":SOURCE:CLOOP1:SPOINT?\n", b"25.000000\n")
IS_ON: Exchange = (b":OUTPUT1:STATE?\n", b"ON\n")
IS_OFF: Exchange = (b":OUTPUT1:STATE?\n", b"OFF\n")
NO_ERROR: Exchange = (b":SOURCE:CLOOP1:ERROR?\n", b"NONE\n")
SET_60: tuple[Exchange, ...] = (
    UNIT,
    (b":SOURCE:CLOOP1:SPOINT 60.0\n", None),
    (b":OUTPUT1:STATE ON\n", None),
)
# Section 6.
SAFE: tuple[Exchange, ...] = (
    (b":PROGRAM:SELECTED:STATE STOP\n", None),
    (b":OUTPUT1:STATE OFF\n", None),
    USE_C,
    UNIT,
    (b":SOURCE:CLOOP1:SPOINT 25.0\n", None),
    SETPOINT_25,
    IS_OFF,
)


def chamber(*exchanges: Exchange, chamber_output: int = 1) -> tuple[WatlowF4TScpi, TranscriptLink]:
    link = TranscriptLink(exchanges, name="socket://chamber:5025")
    return WatlowF4TScpi(link, "chamber-1", chamber_output), link


def test_the_constructor_sends_nothing() -> None:
    _, link = chamber()
    link.assert_used_up()


def test_it_identifies_itself() -> None:
    driver, link = chamber(IDN, UNIT)
    assert driver.identify() == Identity("Watlow", "F4T", "0000", "04:05:0007")
    link.assert_used_up()


@pytest.mark.parametrize(
    "answer",
    [
        b"ESPEC,P300,1,2\n",
        b'"Watlow Electric",D4T,0000,04:05:0007\n',
        b'"Watlow Electric",F4T,0000,04:04:0099\n',
        b'"Watlow Electric",F4T,0000,new\n',
        b"\n",
    ],
)
def test_anything_else_or_older_is_the_wrong_instrument(answer: bytes) -> None:
    driver, link = chamber((b"*IDN?\n", answer))
    with pytest.raises(WrongInstrument, match="chamber-1"):
        driver.identify()
    link.assert_used_up()


def test_fahrenheit_is_changed_and_the_change_confirmed() -> None:
    driver, link = chamber(IDN, UNIT_F, USE_C, UNIT)
    driver.identify()
    link.assert_used_up()


def test_a_unit_that_stays_fahrenheit_is_refused() -> None:
    driver, _ = chamber(IDN, UNIT_F, USE_C, UNIT_F)
    with pytest.raises(InstrumentError, match="still answers 'F'"):
        driver.identify()


def test_an_output_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadInput, match="chamber output 8 is not within 1 to 7"):
        chamber(chamber_output=8)


def test_setting_a_temperature_switches_the_chamber_on_and_reads_both_back() -> None:
    driver, link = chamber(*SET_60, SETPOINT_60, IS_ON)
    driver.set_temperature(60.0)
    link.assert_used_up()


def test_another_output_may_switch_the_chamber() -> None:
    driver, link = chamber(
        *SET_60[:2],
        (b":OUTPUT3:STATE ON\n", None),
        SETPOINT_60,
        (b":OUTPUT3:STATE?\n", b"ON\n"),
        chamber_output=3,
    )
    driver.set_temperature(60.0)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("celsius", "written"), [(-0.04, b"0.0"), (24.96, b"25.0"), (-20, b"-20.0")]
)
def test_a_set_point_is_written_in_tenths_and_never_as_minus_zero(
    celsius: float, written: bytes
) -> None:
    driver, link = chamber(
        UNIT,
        (b":SOURCE:CLOOP1:SPOINT " + written + b"\n", None),
        SET_60[2],
        (b":SOURCE:CLOOP1:SPOINT?\n", written + b"\n"),
        IS_ON,
    )
    driver.set_temperature(celsius)
    link.assert_used_up()


@pytest.mark.parametrize("celsius", [-75.1, 180.1, float("nan"), float("inf")])
def test_what_no_chamber_of_the_family_holds_is_refused_before_any_byte(celsius: float) -> None:
    driver, link = chamber()
    with pytest.raises(OutOfRange, match="outside F4T: -75 to 180 degC"):
        driver.set_temperature(celsius)
    link.assert_used_up()


@pytest.mark.parametrize("read_back", [(SETPOINT_25, IS_ON), (SETPOINT_60, IS_OFF)])
def test_what_does_not_read_back_as_set_raises(read_back: tuple[Exchange, ...]) -> None:
    driver, link = chamber(*SET_60, *read_back)
    with pytest.raises(InstrumentError, match="read back"):
        driver.set_temperature(60.0)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("state", "error", "running", "alarms"),
    [(b"ON\n", b"NONE\n", True, ()), (b"OFF\n", b"ERROR\n", False, (1,))],
)
def test_reading_the_temperature(
    state: bytes, error: bytes, running: bool, alarms: tuple[int, ...]
) -> None:
    driver, link = chamber(
        UNIT, AIR, SETPOINT_60, (IS_ON[0], state), (b":SOURCE:CLOOP1:ERROR?\n", error)
    )
    assert driver.read_temperature() == ChamberReading(23.4, 60.0, running, alarms)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("place", "reply"),
    [(0, b"K\n"), (1, b"hot\n"), (1, b"9.91E37\n"), (2, b"9.9E37\n"), (3, b"1\n"), (4, b"OK\n")],
)
def test_a_reply_that_the_reference_does_not_know_is_refused(place: int, reply: bytes) -> None:
    exchanges = [UNIT, AIR, SETPOINT_60, IS_ON, NO_ERROR][: place + 1]
    exchanges[place] = (exchanges[place][0], reply)
    driver, link = chamber(*exchanges)
    with pytest.raises(UnreadableReply, match="chamber-1"):
        driver.read_temperature()
    link.assert_used_up()


def test_a_late_reply_never_answers_the_next_query() -> None:
    driver, link = chamber(
        UNIT,
        (AIR[0], b"23.4"),
        (None, None),
        (None, b"00000\n"),
        (b":UNIT:TEMPERATURE?\n", b"C\n"),  # gets into step: this answer no other query has
        UNIT,
        (AIR[0], b"30.0\n"),
        SETPOINT_60,
        IS_ON,
        NO_ERROR,
    )
    with pytest.raises(LinkTimeout):
        driver.read_temperature()
    assert driver.read_temperature().temperature_celsius == 30.0
    link.assert_used_up()


def test_making_safe_switches_off_and_leaves_25_degrees() -> None:
    driver, link = chamber(*SAFE, *SAFE)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        (*SAFE[:3], (UNIT[0], None)),
        (*SAFE[:5], SETPOINT_60, IS_OFF),
        (*SAFE[:5], SETPOINT_25, IS_ON),
        (*SAFE[:5], SETPOINT_25, (IS_OFF[0], b"\n")),
    ],
)
def test_an_off_state_that_nobody_confirms_is_the_loudest_error(
    exchanges: tuple[Exchange, ...],
) -> None:
    driver, link = chamber(*exchanges)
    with pytest.raises(UnconfirmedSafeState, match="chamber-1"):
        driver.make_safe()
    link.assert_used_up()
