"""The Watlow F4T driver over Modbus TCP, byte by byte.

Function, address and data stand here as the sheet's sources have them (section 5, worked
transcript); what Modbus TCP puts in front, request number, length and unit 1, is counted up.
"""

from __future__ import annotations

import pytest

from drivers.chambers.watlow_f4t import WatlowF4T
from rig.core.errors import (
    BadInput,
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

Messages = tuple[str, str | None]  # what is sent and what comes back, as hexadecimal text

# 16 to 30: part number, one character each.
PART: Messages = (
    "03 00 10 00 0f",
    "03 1e " + " ".join(f"00 {ord(letter):02x}" for letter in "F4T1L3EAA1D1AAA"),
)
CELSIUS: Messages = ("03 05 30 00 01", "03 02 00 0f")  # 1328: 15 C
LOW: Messages = ("03 0a d6 00 02", "03 04 00 00 c2 20")  # 2774: -40.0
HIGH: Messages = ("03 0a d8 00 02", "03 04 00 00 43 1b")  # 2776: 155.0
SETPOINT_25: Messages = ("03 0a de 00 02", "03 04 00 00 41 c8")  # 2782
SETPOINT_60: Messages = ("03 0a de 00 02", "03 04 00 00 42 70")
AIR: Messages = ("03 0b 04 00 02", "03 04 33 33 41 bb")  # 2820: 23.4
ALARM: Messages = ("03 05 4c 00 01", "03 02 00 3d")  # 1356: 61 none
NO_ALARM_1: Messages = ("03 05 4c 00 01", "83 02")
NO_ALARM_2: Messages = ("03 05 b0 00 01", "83 02")  # 1456: exception, illegal address
IDENTIFY = (PART, CELSIUS, LOW, HIGH, SETPOINT_25, AIR, ALARM, NO_ALARM_2)

NO_PROFILE: Messages = ("03 40 b8 00 01", "03 02 00 fb")  # 16568: 251 not started
PROFILE_RUNS: Messages = ("03 40 b8 00 01", "03 02 00 95")  # 149 running
END_PROFILE: Messages = ("06 40 b6 00 94", "06 40 b6 00 94")  # 16566: 148 terminate
WRITE_60: Messages = ("10 0a de 00 02 04 00 00 42 70", "10 0a de 00 02")
WRITE_25: Messages = ("10 0a de 00 02 04 00 00 41 c8", "10 0a de 00 02")
AUTO: Messages = ("06 0a aa 00 0a", "06 0a aa 00 0a")  # 2730: 10 auto
OFF: Messages = ("06 0a aa 00 3e", "06 0a aa 00 3e")  # 62 off
EVENT_ON: Messages = ("06 40 d2 00 3f", "06 40 d2 00 3f")  # 16594: 63 on
EVENT_OFF: Messages = ("06 40 d2 00 3e", "06 40 d2 00 3e")
IS_AUTO: Messages = ("03 0a fe 00 01", "03 02 00 0a")  # 2814
IS_OFF: Messages = ("03 0a fe 00 01", "03 02 00 3e")
IS_EVENT_ON: Messages = ("03 40 d2 00 01", "03 02 00 3f")
IS_EVENT_OFF: Messages = ("03 40 d2 00 01", "03 02 00 3e")
STATUS_OK: Messages = ("03 00 5a 00 01", "03 02 00 8a")  # 90: 138 OK


def framed(number: int, message: str) -> bytes:
    data = bytes.fromhex(message)
    return number.to_bytes(2, "big") + b"\0\0" + (len(data) + 1).to_bytes(2, "big") + b"\x01" + data


def chamber(*messages: Messages, chamber_event: int = 1) -> tuple[WatlowF4T, TranscriptLink]:
    exchanges: list[Exchange] = [
        (framed(number, sent), None if reply is None else framed(number, reply))
        for number, (sent, reply) in enumerate(messages, 1)
    ]
    link = TranscriptLink(exchanges, name="socket://chamber:502")
    return WatlowF4T(link, "chamber-1", chamber_event), link


def identified(*messages: Messages) -> tuple[WatlowF4T, TranscriptLink]:
    driver, link = chamber(*IDENTIFY, *messages)
    driver.identify()
    return driver, link


# --- identify ------------------------------------------------------------------------------------


def test_the_constructor_sends_nothing() -> None:
    _, link = chamber()
    link.assert_used_up()


def test_the_worked_frame_of_the_reference_is_what_is_sent() -> None:
    assert framed(1, AIR[0]) == bytes.fromhex("00 01 00 00 00 06 01 03 0b 04 00 02")


def test_identify_reads_part_number_unit_word_order_and_number_of_alarms() -> None:
    driver, link = chamber(*IDENTIFY)
    assert driver.identify() == Identity("Watlow", "F4T", "", "")
    link.assert_used_up()


def test_an_event_that_no_register_is_known_of_is_refused() -> None:
    with pytest.raises(BadInput, match="chamber event 9 is not within 1 to 4"):
        chamber(chamber_event=9)


@pytest.mark.parametrize("reply", ["83 02", "03 1e " + "00 41 " * 15, "03 1e " + "00 00 " * 15])
def test_another_controller_or_data_map_is_the_wrong_instrument(reply: str) -> None:
    driver, link = chamber((PART[0], reply))
    with pytest.raises(WrongInstrument, match="chamber-1"):
        driver.identify()
    link.assert_used_up()


def test_fahrenheit_is_refused_with_the_way_out() -> None:
    driver, link = chamber(PART, (CELSIUS[0], "03 02 00 1e"))
    with pytest.raises(InstrumentError, match=r"30 \(Fahrenheit") as caught:
        driver.identify()
    assert "Celsius at the panel" in caught.value.remedy
    link.assert_used_up()


def test_high_word_first_is_found_and_used() -> None:
    driver, link = chamber(
        PART,
        CELSIUS,
        (LOW[0], "03 04 c2 20 00 00"),
        (HIGH[0], "03 04 43 1b 00 00"),
        (SETPOINT_25[0], "03 04 41 c8 00 00"),
        (AIR[0], "03 04 41 bb 33 33"),
        NO_ALARM_1,
        CELSIUS,
        (LOW[0], "03 04 c2 20 00 00"),
        (HIGH[0], "03 04 43 1b 00 00"),
        NO_PROFILE,
        ("10 0a de 00 02 04 42 70 00 00", "10 0a de 00 02"),
        AUTO,
        EVENT_ON,
        (SETPOINT_60[0], "03 04 42 70 00 00"),
        IS_AUTO,
        IS_EVENT_ON,
    )
    driver.identify()
    driver.set_temperature(60.0)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("words", "orders"),
    [("00 00 00 00", 2), ("43 48 43 48", 2), ("00 00 7f c0", 0), ("ff ff ff ff", 0)],
)
def test_a_word_order_that_cannot_be_told_is_refused(words: str, orders: int) -> None:
    asked = (LOW, HIGH, SETPOINT_25, AIR)
    driver, link = chamber(PART, CELSIUS, *((sent, f"03 04 {words}") for sent, _ in asked))
    with pytest.raises(UnreadableReply, match=f"{orders} orders make sense"):
        driver.identify()
    link.assert_used_up()


def test_a_refusal_other_than_no_such_address_does_not_end_the_count_of_alarms() -> None:
    driver, _ = chamber(*IDENTIFY[:6], ("03 05 4c 00 01", "83 04"))
    with pytest.raises(Refused, match="device failure"):
        driver.identify()


# --- set_temperature -----------------------------------------------------------------------------

SET_60 = (CELSIUS, LOW, HIGH, NO_PROFILE, WRITE_60, AUTO, EVENT_ON)


def test_setting_a_temperature_switches_loop_and_chamber_on_and_reads_all_back() -> None:
    driver, link = identified(*SET_60, SETPOINT_60, IS_AUTO, IS_EVENT_ON)
    driver.set_temperature(60.0)
    link.assert_used_up()


def test_a_controller_that_was_not_identified_is_identified_before_it_is_set() -> None:
    driver, link = chamber(*IDENTIFY, *SET_60[1:], SETPOINT_60, IS_AUTO, IS_EVENT_ON)
    driver.set_temperature(60.0)
    link.assert_used_up()


def test_another_event_output_may_switch_the_chamber() -> None:
    driver, link = chamber(
        *IDENTIFY,
        *SET_60[:-1],
        ("06 40 d6 00 3f", "06 40 d6 00 3f"),  # 16598: event 3
        SETPOINT_60,
        IS_AUTO,
        ("03 40 d6 00 01", "03 02 00 3f"),
        chamber_event=3,
    )
    driver.identify()
    driver.set_temperature(60.0)
    link.assert_used_up()


def test_a_set_point_is_written_in_tenths() -> None:
    driver, link = identified(
        *SET_60[:4],
        ("10 0a de 00 02 04 00 00 00 00", "10 0a de 00 02"),
        AUTO,
        EVENT_ON,
        (SETPOINT_60[0], "03 04 00 00 00 00"),
        IS_AUTO,
        IS_EVENT_ON,
    )
    driver.set_temperature(-0.04)
    link.assert_used_up()


@pytest.mark.parametrize("celsius", [-75.1, 180.1, 999.0, float("nan"), float("inf")])
def test_what_no_chamber_of_the_family_holds_is_refused_before_any_byte(celsius: float) -> None:
    driver, link = chamber()
    with pytest.raises(OutOfRange, match="outside F4T: -75 to 180 degC"):
        driver.set_temperature(celsius)
    link.assert_used_up()


@pytest.mark.parametrize("celsius", [-40.1, 155.1])
def test_what_this_loop_does_not_hold_is_refused_before_anything_is_written(celsius: float) -> None:
    driver, link = identified(CELSIUS, LOW, HIGH)
    with pytest.raises(OutOfRange, match="limits of control loop 1: -40 to 155 degC"):
        driver.set_temperature(celsius)
    link.assert_used_up()


@pytest.mark.parametrize("state", ["00 95", "00 92", "06 f7"])  # running, paused, calendar
def test_a_chamber_that_a_profile_has_is_left_alone(state: str) -> None:
    driver, link = identified(CELSIUS, LOW, HIGH, (NO_PROFILE[0], f"03 02 {state}"))
    with pytest.raises(InstrumentError, match="a profile has the chamber"):
        driver.set_temperature(60.0)
    link.assert_used_up()


def test_a_refused_set_point_names_the_register() -> None:
    driver, link = identified(*SET_60[:4], (WRITE_60[0], "90 03"))
    with pytest.raises(Refused, match=r"register 2782.*exception 3, illegal value"):
        driver.set_temperature(60.0)
    link.assert_used_up()


@pytest.mark.parametrize(
    "read_back",
    [
        (SETPOINT_25, IS_AUTO, IS_EVENT_ON),
        (SETPOINT_60, IS_OFF, IS_EVENT_ON),
        (SETPOINT_60, IS_AUTO, IS_EVENT_OFF),
    ],
)
def test_what_does_not_read_back_as_set_raises(read_back: tuple[Messages, ...]) -> None:
    driver, link = identified(*SET_60, *read_back)
    with pytest.raises(InstrumentError, match="read back"):
        driver.set_temperature(60.0)
    link.assert_used_up()


# --- read_temperature ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "event", "running"),
    [
        (IS_AUTO, IS_EVENT_ON, True),
        (("03 0a fe 00 01", "03 02 00 36"), IS_EVENT_ON, True),  # 54 manual: power, no regulation
        (IS_OFF, IS_EVENT_ON, False),
        (IS_AUTO, IS_EVENT_OFF, False),
    ],
)
def test_reading_the_temperature(mode: Messages, event: Messages, running: bool) -> None:
    driver, link = identified(CELSIUS, AIR, SETPOINT_60, mode, event, STATUS_OK, ALARM)
    air_celsius = 23.399999618530273  # 23.4 as a 32-bit float
    assert driver.read_temperature() == ChamberReading(air_celsius, 60.0, running)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("state", "alarms"), [("00 58", ()), ("00 3d", ()), ("00 0c", ()), ("00 25", (1,))]
)
def test_an_alarm_is_any_state_that_is_not_inactive(state: str, alarms: tuple[int, ...]) -> None:
    driver, link = identified(
        CELSIUS, AIR, SETPOINT_60, IS_AUTO, IS_EVENT_ON, STATUS_OK, (ALARM[0], f"03 02 {state}")
    )
    assert driver.read_temperature().alarms == alarms
    link.assert_used_up()


def test_a_failed_device_is_alarm_32() -> None:
    failed: Messages = (STATUS_OK[0], "03 02 00 20")
    driver, link = identified(CELSIUS, AIR, SETPOINT_60, IS_AUTO, IS_EVENT_ON, failed, ALARM)
    assert driver.read_temperature().alarms == (32,)
    link.assert_used_up()


def test_a_unit_that_a_person_changed_is_noticed_before_a_number_is_used() -> None:
    driver, link = identified((CELSIUS[0], "03 02 00 1e"))
    with pytest.raises(InstrumentError, match="Fahrenheit"):
        driver.read_temperature()
    link.assert_used_up()


@pytest.mark.parametrize("words", ["00 00 7f c0", "00 00 7f 80", "00 00 47 c3"])
def test_what_is_no_temperature_is_not_returned_as_one(words: str) -> None:
    driver, _ = identified(CELSIUS, (AIR[0], f"03 04 {words}"))
    with pytest.raises(UnreadableReply, match="register 2820"):
        driver.read_temperature()


@pytest.mark.parametrize("message", [IS_AUTO, IS_EVENT_ON, STATUS_OK])
def test_a_word_that_the_reference_does_not_know_is_refused(message: Messages) -> None:
    messages = (CELSIUS, AIR, SETPOINT_60, IS_AUTO, IS_EVENT_ON, STATUS_OK)
    cut = messages[: messages.index(message)]
    driver, link = identified(*cut, (message[0], "03 02 03 e7"))
    with pytest.raises(UnreadableReply, match="got 999"):
        driver.read_temperature()
    link.assert_used_up()


def test_silence_is_a_timeout() -> None:
    driver, _ = identified((CELSIUS[0], None))
    with pytest.raises(LinkTimeout):
        driver.read_temperature()


# --- make_safe, section 6 ------------------------------------------------------------------------

SAFE = (
    NO_PROFILE,
    CELSIUS,
    WRITE_25,
    EVENT_OFF,
    OFF,
    SETPOINT_25,
    IS_OFF,
    IS_EVENT_OFF,
    NO_PROFILE,
)


def test_making_safe_leaves_25_degrees_with_loop_and_chamber_off() -> None:
    driver, link = identified(*SAFE)
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_twice_is_the_same() -> None:
    driver, link = identified(*SAFE, *SAFE)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


def test_what_a_broken_exchange_left_over_does_not_keep_the_chamber_from_being_safe() -> None:
    driver, link = identified((NO_PROFILE[0], None), *SAFE)
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_ends_a_profile_that_runs() -> None:
    terminated: Messages = (NO_PROFILE[0], "03 02 00 fd")
    driver, link = identified(PROFILE_RUNS, END_PROFILE, *SAFE[1:-1], terminated)
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "before",
    [((NO_PROFILE[0], None), (NO_PROFILE[0], None)), (NO_PROFILE, (CELSIUS[0], "03 02 00 1e"))],
)
def test_nothing_keeps_the_chamber_from_being_switched_off(before: tuple[Messages, ...]) -> None:
    driver, link = identified(*before, EVENT_OFF, OFF)
    with pytest.raises(UnconfirmedSafeState, match="chamber-1"):
        driver.make_safe()
    link.assert_used_up()


def test_an_event_that_is_refused_does_not_keep_the_loop_on() -> None:
    driver, link = identified(*SAFE[:3], (EVENT_OFF[0], "86 04"), OFF)
    with pytest.raises(UnconfirmedSafeState, match="device failure"):
        driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "confirmation",
    [
        (SETPOINT_60, IS_OFF, IS_EVENT_OFF),
        (SETPOINT_25, IS_AUTO, IS_EVENT_OFF),
        (SETPOINT_25, IS_OFF, IS_EVENT_ON),
        (SETPOINT_25, IS_OFF, IS_EVENT_OFF, PROFILE_RUNS),
        ((SETPOINT_25[0], None),),
    ],
)
def test_an_off_state_that_nobody_confirms_is_the_loudest_error(
    confirmation: tuple[Messages, ...],
) -> None:
    driver, link = identified(*SAFE[:5], *confirmation)
    with pytest.raises(UnconfirmedSafeState, match="chamber-1"):
        driver.make_safe()
    link.assert_used_up()
