"""The ESPEC P300 driver, byte by byte. Section numbers: the command reference named by the sheet."""

import pytest

from drivers.chambers.espec_p300 import EspecP300
from rig.core.errors import (
    InstrumentError,
    LinkTimeout,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
    UnreadableReply,
    WrongInstrument,
)
from rig.core.instruments import ChamberReading, Identity
from rig.wire import Exchange, TranscriptLink

# Section 5, worked transcript.
ROM: Exchange = (b"ROM?\r\n", b"P3F00021\r\n")
TYPE: Exchange = (b"TYPE?\r\n", b"T,T,S2,160.0\r\n")
TEMP: Exchange = (b"TEMP?\r\n", b"23.4,25.0,160.0,-60.0\r\n")
STANDBY: Exchange = (b"MODE,STANDBY\r\n", b"OK:MODE,STANDBY\r\n")


def chamber(*exchanges: Exchange) -> tuple[EspecP300, TranscriptLink]:
    link = TranscriptLink(exchanges, name="/dev/ttyUSB1")
    return EspecP300(link, "chamber-1"), link


def test_the_constructor_sends_nothing() -> None:
    _, link = chamber()
    link.assert_used_up()


def test_identify_reads_the_rom_version_and_the_type() -> None:
    driver, link = chamber(ROM, TYPE)
    assert driver.identify() == Identity("ESPEC", "P300", "", "P3F00021")
    link.assert_used_up()


def test_identify_refuses_another_controller() -> None:
    driver, link = chamber((b"ROM?\r\n", b"S21.03\r\n"))
    with pytest.raises(WrongInstrument, match=r"chamber-1 .*ttyUSB1.*'S21\.03'.*P3"):
        driver.identify()
    link.assert_used_up()


@pytest.mark.parametrize("reply", [b"T,S2,hot\r\n", b"160.0\r\n", b"T,T,S2,1,60.0\r\n", b"\r\n"])
def test_a_type_that_cannot_be_read_is_refused(reply: bytes) -> None:
    driver, _ = chamber(ROM, (b"TYPE?\r\n", reply))
    with pytest.raises(UnreadableReply, match="'TYPE\\?', got"):
        driver.identify()


def test_setting_a_temperature_starts_conditioning_and_reads_both_back() -> None:
    driver, link = chamber(
        ROM,
        TYPE,
        TEMP,  # section 3: pv, sp, high, low
        (b"TEMP, S60.0\r\n", b"OK:TEMP, S60.0\r\n"),  # section 4
        (b"POWER,ON\r\n", b"OK:POWER,ON\r\n"),
        (b"MODE,CONSTANT\r\n", b"OK:MODE,CONSTANT\r\n"),
        (b"TEMP?\r\n", b"23.5,60.0,160.0,-60.0\r\n"),
        (b"MODE?\r\n", b"CONSTANT\r\n"),
    )
    driver.identify()
    driver.set_temperature(60.0)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("celsius", "written"), [(-0.04, b"0.0"), (24.96, b"25.0"), (-20.0, b"-20.0")]
)
def test_a_set_point_is_written_in_tenths_and_never_as_minus_zero(
    celsius: float, written: bytes
) -> None:
    driver, link = chamber(
        TYPE,
        TEMP,
        # an SH-641 echoes without the blank (section 2)
        (b"TEMP, S" + written + b"\r\n", b"OK:TEMP,S" + written + b"\r\n"),
        (b"POWER,ON\r\n", b"OK:POWER,ON\r\n"),
        (b"MODE,CONSTANT\r\n", b"OK:MODE,CONSTANT\r\n"),
        (b"TEMP?\r\n", b"23.5," + written + b",160.0,-60.0\r\n"),
        (b"MODE?\r\n", b"CONSTANT\r\n"),
    )
    driver.set_temperature(celsius)
    link.assert_used_up()


@pytest.mark.parametrize("celsius", [-75.1, 180.1, 999.0, float("nan"), float("inf")])
def test_what_no_chamber_of_the_family_holds_is_refused_before_any_byte(celsius: float) -> None:
    driver, link = chamber()
    with pytest.raises(OutOfRange, match="outside P300: -75 to 180 degC"):
        driver.set_temperature(celsius)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("celsius", "temp", "allowed"),
    [
        (165.0, b"23.4,25.0,170.0,-60.0\r\n", "-60 to 160"),  # TYPE? says 160
        (86.0, b"23.4,25.0,85.0,-20.0\r\n", "-20 to 85"),  # alarm limit
        (-21.0, b"23.4,25.0,85.0,-20.0\r\n", "-20 to 85"),
    ],
)
def test_what_this_chamber_does_not_hold_is_refused_before_anything_is_set(
    celsius: float, temp: bytes, allowed: str
) -> None:
    driver, link = chamber(ROM, TYPE, (b"TEMP?\r\n", temp))
    driver.identify()
    with pytest.raises(OutOfRange, match=f"chamber's own limits: {allowed} degC"):
        driver.set_temperature(celsius)
    link.assert_used_up()


# Section 2: NA: and the reason.
@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("DATA OUT OF RANGE", "outside the chamber's range"),
        ("PROTECT ON", "front panel"),
        ("CHB NOT READY", "could not act"),
        ("SOMETHING NEW", "not in the sheet"),
    ],
)
def test_a_refusal_names_its_reason(reason: str, meaning: str) -> None:
    driver, link = chamber(TYPE, TEMP, (b"TEMP, S60.0\r\n", f"NA:{reason}\r\n".encode()))
    with pytest.raises(Refused, match=f"'TEMP, S60.0', got 'NA:{reason}'.*{meaning}"):
        driver.set_temperature(60.0)
    link.assert_used_up()


def test_a_setting_that_is_echoed_wrongly_is_not_taken_for_done() -> None:
    driver, _ = chamber(TYPE, TEMP, (b"TEMP, S60.0\r\n", b"OK:TEMP, S6.0\r\n"))
    with pytest.raises(UnreadableReply, match=r"'OK:TEMP, S6\.0', expected OK:TEMP, S60\.0"):
        driver.set_temperature(60.0)


@pytest.mark.parametrize(
    ("setpoint", "mode"), [(b"25.0", b"CONSTANT"), (b"60.0", b"RUN"), (b"60.0", b"STANDBY")]
)
def test_a_set_point_that_does_not_read_back_raises(setpoint: bytes, mode: bytes) -> None:
    driver, _ = chamber(
        TYPE,
        TEMP,
        (b"TEMP, S60.0\r\n", b"OK:TEMP, S60.0\r\n"),
        (b"POWER,ON\r\n", b"OK:POWER,ON\r\n"),
        (b"MODE,CONSTANT\r\n", b"OK:MODE,CONSTANT\r\n"),
        (b"TEMP?\r\n", b"23.5," + setpoint + b",160.0,-60.0\r\n"),
        (b"MODE?\r\n", mode + b"\r\n"),
    )
    with pytest.raises(InstrumentError, match="read back"):
        driver.set_temperature(60.0)


# Section 3: MON? with and without the humidity field.
@pytest.mark.parametrize(
    ("monitor", "running"),
    [
        (b"23.6,CONSTANT,0", True),
        (b"23.6,45,CONSTANT,0", True),
        (b"23.6,,STANDBY,0", False),
        (b"23.6,OFF,0", False),
        (b"23.6,RUN,0", True),
    ],
)
def test_reading_the_temperature_takes_two_queries(monitor: bytes, running: bool) -> None:
    driver, link = chamber(
        (b"TEMP?\r\n", b"23.6,60.0,85.0,-20.0\r\n"), (b"MON?\r\n", monitor + b"\r\n")
    )
    assert driver.read_temperature() == ChamberReading(23.6, 60.0, running)
    link.assert_used_up()


def test_alarm_codes_are_asked_for_when_there_are_alarms() -> None:
    driver, link = chamber(
        (b"TEMP?\r\n", b"86.1,60.0,85.0,-20.0\r\n"),
        (b"MON?\r\n", b"86.1,STANDBY,2\r\n"),
        (b"ALARM?\r\n", b"2,46,1\r\n"),
    )
    assert driver.read_temperature() == ChamberReading(86.1, 60.0, False, (46, 1))
    link.assert_used_up()


@pytest.mark.parametrize(
    "replies",
    [
        (b"23.6,60.0,85.0",),
        (b"23.6,sixty,85.0,-20.0",),
        (b"+-3.6,60.0,85.0,-20.0",),
        (b"\xff\xfe3.6,60.0,85.0,-20.0",),
        (b"OK:TEMP, S60.0",),
        (b"23.6,60.0,85.0,-20.0", b"23.6,DEFROST,0"),
        (b"23.6,60.0,85.0,-20.0", b"23.6,CONSTANT,-1"),
        (b"23.6,60.0,85.0,-20.0", b"CONSTANT"),
        (b"23.6,60.0,85.0,-20.0", b"23.6,CONSTANT,1", b"2,46"),
        (b"23.6,60.0,85.0,-20.0", b"23.6,CONSTANT,1", b"1,E46"),
    ],
)
def test_a_reply_that_the_reference_does_not_know_is_refused(replies: tuple[bytes, ...]) -> None:
    queries = (b"TEMP?\r\n", b"MON?\r\n", b"ALARM?\r\n")
    driver, link = chamber(
        *((query, reply + b"\r\n") for query, reply in zip(queries, replies, strict=False))
    )
    with pytest.raises(UnreadableReply, match="chamber-1"):
        driver.read_temperature()
    link.assert_used_up()


def test_silence_is_a_timeout() -> None:
    driver, _ = chamber((b"TEMP?\r\n", None))
    with pytest.raises(LinkTimeout):
        driver.read_temperature()


def test_half_a_reply_is_forgotten_before_the_next_query() -> None:
    driver, link = chamber(
        (b"TEMP?\r\n", b"23.6,60.0,8"),
        (None, None),
        (None, b"5.0,-20.0\r\n"),  # the rest comes too late
        (b"TEMP?\r\n", b"23.7,60.0,85.0,-20.0\r\n"),
        (b"MON?\r\n", b"23.7,CONSTANT,0\r\n"),
    )
    with pytest.raises(LinkTimeout):
        driver.read_temperature()
    assert driver.read_temperature().temperature_celsius == 23.7
    link.assert_used_up()


def test_a_reply_that_belongs_to_another_query_does_not_shift_the_following_ones() -> None:
    driver, link = chamber(
        (b"TEMP?\r\n", b"23.6,CONSTANT,0\r\n23.6,60.0,85.0,-20.0\r\n"),
        (b"TEMP?\r\n", b"23.7,60.0,85.0,-20.0\r\n"),
        (b"MON?\r\n", b"23.7,CONSTANT,0\r\n"),
    )
    with pytest.raises(UnreadableReply):
        driver.read_temperature()
    assert driver.read_temperature().temperature_celsius == 23.7
    link.assert_used_up()


# Section 7, safe shutdown.
SAFE: tuple[Exchange, ...] = (
    (b"MODE?\r\n", b"CONSTANT\r\n"),
    (b"TEMP, S25.0\r\n", b"OK:TEMP, S25.0\r\n"),
    STANDBY,
    (b"MODE?\r\n", b"STANDBY\r\n"),
)


def test_making_safe_leaves_25_degrees_and_standby() -> None:
    driver, link = chamber(*SAFE)
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_twice_is_the_same() -> None:
    driver, link = chamber(*SAFE, (b"MODE?\r\n", b"STANDBY\r\n"), *SAFE[1:])
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_ends_a_program_that_runs() -> None:
    driver, link = chamber(
        (b"MODE?\r\n", b"RUN\r\n"),
        (b"PRGM,END,STANDBY\r\n", b"OK:PRGM,END,STANDBY\r\n"),
        *SAFE[1:],
    )
    driver.make_safe()
    link.assert_used_up()


def test_a_refused_set_point_does_not_keep_the_chamber_from_standby() -> None:
    driver, link = chamber(SAFE[0], (b"TEMP, S25.0\r\n", b"NA:DATA OUT OF RANGE\r\n"), STANDBY)
    with pytest.raises(UnconfirmedSafeState, match="DATA OUT OF RANGE"):
        driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [(b"MODE?\r\n", None), (b"MODE,STANDBY\r\n", None)],
        [(b"MODE?\r\n", b"STAND"), (None, None), STANDBY],
        [*SAFE[:2], (b"MODE,STANDBY\r\n", b"NA:PROTECT ON\r\n")],
        [*SAFE[:3], (b"MODE?\r\n", b"CONSTANT\r\n")],
        [*SAFE[:3], (b"MODE?\r\n", b"\x00\r\n")],
        [*SAFE[:3], (b"MODE?\r\n", None)],
    ],
)
def test_a_standby_that_nobody_confirms_is_the_loudest_error(exchanges: list[Exchange]) -> None:
    driver, link = chamber(*exchanges)
    with pytest.raises(UnconfirmedSafeState, match="chamber-1"):
        driver.make_safe()
    link.assert_used_up()
