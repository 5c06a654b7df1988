"""The Maccor MacNet driver, byte by byte. Sections: the MacNet reference named by the sheet.

Requests are compact JSON without a terminator; replies are indented over several lines that end
with CR LF, as the tester writes them. Their parameters stand here as they go over the wire.
"""

from __future__ import annotations

import json
import math

import pytest

from drivers.cyclers.maccor_macnet import MaccorMacNet
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
from rig.core.instruments import (
    CellReading,
    ConstantCurrent,
    ConstantVoltage,
    Flag,
    Identity,
    Limits,
    OpenCircuit,
    Regulation,
    Setpoint,
)
from rig.wire import Exchange, TranscriptLink

Call = tuple[str, str | None]  # params of a request, and the fields that the result has besides
LIMITS = Limits(voltage_min_volt=2.4, voltage_max_volt=4.3, current_max_ampere=1.5)
CHARGE = ConstantCurrent(1.0, voltage_limit_volt=4.2)
DISCHARGE = ConstantCurrent(-0.1, voltage_limit_volt=2.8)

# Section 4: 1,1 version, 1,2 system, 3,1 specification of channel 3.
VERSION: Call = (
    '"FClass":1,"FNum":1',
    '"APIVersion":1,"MacTest32EXEversionMajor":3,"MacTest32EXEversionMinor":2,'
    '"MacTest32EXEversionBuild":18,"MacTest32ExeDT":"2016-11-08T15:02:58"',
)
SYSTEM: Call = (
    '"FClass":1,"FNum":2',
    '"SystemID":4711,"SystemType":0,"ControllerBoards":1,"TestChannels":8',
)
SPECIFICATION: Call = (
    '"FClass":3,"FNum":1,"Chan":3',
    '"TickSpeed":0.005,"Vmax":5.0,"Vmin":-2.0,"VSafeMax":5.0,"VSafeMin":-2.0,"IR4Chg":5.0,'
    '"IR3Chg":0.150000005960464,"IR2Chg":0.005,"IR1Chg":0.00015,"IR4Dis":5.0,'
    '"IR3Dis":0.150000005960464,"IR2Dis":0.005,"IR1Dis":0.00015,"ISafeChg":5.5,"ISafeDis":5.5,'
    '"PBatSafeChg":25.0,"PBatSafeDis":25.0',
)
IDENTIFY = (VERSION, SYSTEM, SPECIFICATION)
# Section 7: reset, safeties, direct mode.
RESET: Call = ('"FClass":6,"FNum":5,"Chan":3', '"Result":"OK"')
SAFETIES: Call = (
    '"FClass":6,"FNum":10,"Chan":3,"VSafeMax":4.3,"VSafeMin":2.4,"ISafeChg":1.5,"ISafeDis":1.5,'
    '"PBatSafeChg":25.0,"PBatSafeDis":25.0',
    '"VSafeMax":4.30000019073486,"VSafeMin":2.40000009536743,"ISafeChg":1.5,"ISafeDis":1.5,'
    '"PBatSafeChg":25.0,"PBatSafeDis":25.0',
)
CHARGE_1_A = (
    '"Current":1.0,"Voltage":4.2,"Power":65536.0,"Resistance":0.0,"CurrentRange":4,"ChMode":"C"'
)
DISCHARGE_100_MA = (
    '"Current":0.1,"Voltage":2.8,"Power":65536.0,"Resistance":0.0,"CurrentRange":3,"ChMode":"D"'
)
NO_CURRENT = (
    '"Current":0.0,"Voltage":0.0,"Power":65536.0,"Resistance":0.0,"CurrentRange":4,"ChMode":"R"'
)


def started(output: str, result: str = '"OK"') -> Call:
    """Section 5: 6,7 starts direct mode under a random test name."""
    records = '"DataTime":60.0,"DataV":0.0,"DataI":0.0'
    sent = f'"FClass":6,"FNum":7,"Chan":3,"TestName":"Random",{output},{records}'
    return sent, f'"Result":{result}'


def told(output: str, result: str = '"OK"') -> Call:
    """Section 5: 6,8 sets the output."""
    return f'"FClass":6,"FNum":8,"Chan":3,{output}', f'"Result":{result}'


def seen(activity: int, stat: int, volt: float = 3.7, ampere: float = 0.0) -> Call:
    """Section 4: 4,7, the full reading of a channel; RF1 is what it does."""
    return (
        '"FClass":4,"FNum":7,"Chan":3',
        f'"RF1":{activity},"RF2":0,"Stat":{stat},"LastRecNum":18,"Cycle":0,"Step":2,'
        f'"TestTime":15,"StepTime":10,"Capacity":0.5,"Energy":1.85,"Current":{ampere},'
        f'"Voltage":{volt},"TesterTime":"2016-11-14T09:24:08"',
    )


IDLE, STARTING = seen(0, 0), seen(0, 12)
CHARGING, DISCHARGING, RESTING = seen(1, 2, 3.7, 1.0), seen(2, 2, 3.7, 0.1), seen(4, 2)
SUSPENDED = seen(30, 3)
CHARGE_BEGINS = (IDLE, RESET, IDLE, SAFETIES, started(CHARGE_1_A), STARTING, CHARGING)


def request(number: int, params: str) -> bytes:
    return f'{{"jsonrpc":"2.0","method":"MacNet","params":{{{params}}},"id":{number}}}'.encode()


def pretty(text: str) -> bytes:
    return json.dumps(json.loads(text), indent=2).replace("\n", "\r\n").encode() + b"\r\n"


def answer(number: int, call: Call) -> bytes:
    params, fields = call
    head = ",".join(params.split(",")[: 3 if '"Chan"' in params else 2])
    return pretty(f'{{"jsonrpc":"2.0","result":{{{head},{fields}}},"id":{number}}}')


def channel(*calls: Call, start: int = 1) -> tuple[MaccorMacNet, TranscriptLink]:
    exchanges: list[Exchange] = [
        (request(number, call[0]), None if call[1] is None else answer(number, call))
        for number, call in enumerate(calls, start)
    ]
    return on_the_wire(*exchanges)


def on_the_wire(*exchanges: Exchange) -> tuple[MaccorMacNet, TranscriptLink]:
    link = TranscriptLink(exchanges, name="socket://pc:57570")
    return MaccorMacNet(link, "maccor-1", 3), link


def applied(setpoint: Setpoint, *calls: Call) -> tuple[MaccorMacNet, TranscriptLink]:
    driver, link = channel(*IDENTIFY, *calls)
    driver.apply(setpoint, LIMITS)
    return driver, link


# --- identify ------------------------------------------------------------------------------------


def test_the_constructor_is_silent() -> None:
    _, link = channel()
    link.assert_used_up()


def test_it_identifies_the_tester_and_asks_what_the_channel_can_hold() -> None:
    driver, link = channel(*IDENTIFY)
    assert driver.identify() == Identity("Maccor", "lab system", "4711", "3.2.18")
    link.assert_used_up()


def test_a_request_is_the_worked_one_of_the_reference() -> None:
    assert request(1, VERSION[0]) == (
        b'{"jsonrpc":"2.0","method":"MacNet","params":{"FClass":1,"FNum":1},"id":1}'
    )


def test_a_system_without_direct_mode_is_the_wrong_instrument() -> None:
    driver, link = channel(VERSION, (SYSTEM[0], '"SystemID":1,"SystemType":3,"TestChannels":8'))
    with pytest.raises(WrongInstrument, match="SystemType 3, expected 0"):
        driver.identify()
    link.assert_used_up()


def test_a_channel_that_the_tester_has_not_got_is_refused() -> None:
    driver, link = channel(VERSION, (SYSTEM[0], '"SystemID":1,"SystemType":0,"TestChannels":3'))
    with pytest.raises(WrongInstrument, match="has 3 channels, 0 to 2"):
        driver.identify()
    link.assert_used_up()


def test_a_negative_channel_is_refused() -> None:
    with pytest.raises(BadInput, match="got channel -1"):
        MaccorMacNet(TranscriptLink([]), "maccor-1", -1)


@pytest.mark.parametrize(
    "fields", ['"SystemType":"lab"', '"SystemType":true', '"SystemType":0.5', '"systemType":0']
)
def test_a_field_that_is_missing_or_no_number_is_refused(fields: str) -> None:
    driver, _ = channel(VERSION, (SYSTEM[0], f'{fields},"TestChannels":8'))
    with pytest.raises(UnreadableReply, match="'SystemType'"):
        driver.identify()


# --- replies, section 2 --------------------------------------------------------------------------


def test_a_compact_reply_is_read_as_well() -> None:
    compact = b'{"jsonrpc":"2.0","result":{"FClass":4,"FNum":7,"Chan":3,"RF1":0,"RF2":0,"Stat":0,'
    driver, link = on_the_wire(
        (request(1, IDLE[0]), compact + b'"Current":0,"Voltage":3.7},"id":1}\r\n')
    )
    assert driver.measure() == CellReading(3.7, 0.0, Regulation.OPEN)
    link.assert_used_up()


# Section 2: the error's texts; its codes are not known, any is accepted.
@pytest.mark.parametrize("number", ["1", "null"])
def test_an_error_object_is_a_refusal_that_shows_it(number: str) -> None:
    error = f'{{"jsonrpc":"2.0","error":{{"code":-32602,"message":"Invalid FNum"}},"id":{number}}}'
    driver, link = on_the_wire((request(1, IDLE[0]), pretty(error)))
    with pytest.raises(Refused, match=r"maccor-1.*Invalid FNum"):
        driver.measure()
    link.assert_used_up()


@pytest.mark.parametrize("cut", [0, 1, 2, 40, 60, 100, 200])
def test_a_reply_that_comes_too_late_never_answers_the_next_request(cut: int) -> None:
    late = answer(1, IDLE)
    driver, link = on_the_wire(
        (request(1, IDLE[0]), late[:cut]),
        (None, None),
        (None, late[cut:]),
        (request(2, IDLE[0]), answer(2, seen(0, 0, 3.8))),
    )
    with pytest.raises(LinkTimeout, match=r"socket://pc:57570.*after sending"):
        driver.measure()
    assert driver.measure().voltage_volt == 3.8
    link.assert_used_up()


def test_a_reply_whose_rest_never_comes_does_not_stand_in_the_way_of_the_next() -> None:
    driver, link = on_the_wire(
        (request(1, IDLE[0]), b'{\r\n  "jsonrpc": "2.0",\r\n'),
        (None, None),
        (request(2, IDLE[0]), answer(2, IDLE)),
    )
    with pytest.raises(LinkTimeout):
        driver.measure()
    assert driver.measure().regulation is Regulation.OPEN
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b'{"jsonrpc":"2.0","result":[],"id":1}\r\n',
        b'{"jsonrpc":"2.0","result":{"FClass":4,"FNum":7,"Chan":2},"id":1}\r\n',
        b'{"jsonrpc":"2.0","result":{"FClass":4,"FNum":7,"Chan":3},"id":9}\r\n',
        b'{"jsonrpc":"2.0","result":{"FClass":4,"FNum":7,"Chan":3},"id":"1"}\r\n',
        b'{"jsonrpc":"2.0","result":{"FClass":4,"FNum":7,"Chan":3,"RF1":0,"Current":NaN},"id":1}\r\n',
    ],
)
def test_what_is_no_answer_is_refused_with_its_bytes(reply: bytes) -> None:
    driver, link = on_the_wire((request(1, IDLE[0]), reply), (request(2, IDLE[0]), answer(2, IDLE)))
    with pytest.raises(UnreadableReply, match="maccor-1"):
        driver.measure()
    assert driver.measure().regulation is Regulation.OPEN
    link.assert_used_up()


# --- apply ---------------------------------------------------------------------------------------


def test_a_charge_arms_the_safeties_and_starts_direct_mode_with_current_and_voltage() -> None:
    _, link = applied(CHARGE, *CHARGE_BEGINS)
    link.assert_used_up()


def test_the_next_set_point_goes_into_the_same_session() -> None:
    driver, link = applied(CHARGE, *CHARGE_BEGINS, CHARGING, told(DISCHARGE_100_MA), DISCHARGING)
    driver.apply(DISCHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize("result", ["5", '"5"', "3"])
def test_not_yet_and_too_fast_mean_later(result: str) -> None:
    later = told(DISCHARGE_100_MA, result)
    driver, link = applied(
        CHARGE, *CHARGE_BEGINS, CHARGING, later, later, told(DISCHARGE_100_MA), DISCHARGING
    )
    driver.apply(DISCHARGE, LIMITS)
    link.assert_used_up()


def test_a_tester_that_says_later_for_ever_is_given_up() -> None:
    driver, link = applied(CHARGE, *CHARGE_BEGINS, CHARGING, *[told(DISCHARGE_100_MA, "5")] * 20)
    with pytest.raises(Refused, match="not ready yet"):
        driver.apply(DISCHARGE, LIMITS)
    link.assert_used_up()


def test_other_limits_begin_another_session() -> None:
    wider = (
        SAFETIES[0].replace('"VSafeMax":4.3', '"VSafeMax":4.5'),
        (SAFETIES[1] or "").replace("4.30000019073486", "4.5"),
    )
    driver, link = applied(
        CHARGE, *CHARGE_BEGINS, CHARGING, RESET, IDLE, wider, started(CHARGE_1_A), CHARGING
    )
    driver.apply(CHARGE, Limits(2.4, 4.5, 1.5))
    link.assert_used_up()


def test_a_session_that_ended_by_itself_is_begun_again() -> None:
    driver, link = applied(CHARGE, *CHARGE_BEGINS, SUSPENDED, *CHARGE_BEGINS[1:])
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_limits_that_nobody_set_are_those_of_the_channel() -> None:
    wide = '"VSafeMax":5.0,"VSafeMin":-2.0,"ISafeChg":5.0,"ISafeDis":5.0'
    power = '"PBatSafeChg":25.0,"PBatSafeDis":25.0'
    driver, link = channel(
        *IDENTIFY,
        *CHARGE_BEGINS[:3],
        (f'"FClass":6,"FNum":10,"Chan":3,{wide},{power}', f"{wide},{power}"),
        *CHARGE_BEGINS[4:],
    )
    driver.apply(CHARGE, Limits(-math.inf, math.inf, math.inf))
    link.assert_used_up()


@pytest.mark.parametrize(
    ("volt", "present", "mode", "doing"),
    [
        (4.2, IDLE, "C", CHARGING),
        (3.0, IDLE, "D", DISCHARGING),
        (3.698, seen(1, 2, 3.7, 1.0), "C", CHARGING),  # at the end of a charge to 3.698 V
        (3.702, seen(2, 2, 3.7, 1.0), "D", DISCHARGING),
    ],
)
def test_a_voltage_is_held_from_the_side_where_the_cell_is(
    volt: float, present: Call, mode: str, doing: Call
) -> None:
    output = (
        f'"Current":0.005,"Voltage":{volt},"Power":65536.0,"Resistance":0.0,"CurrentRange":2,'
        f'"ChMode":"{mode}"'
    )
    _, link = applied(
        ConstantVoltage(volt, 0.005), present, RESET, IDLE, SAFETIES, started(output), doing
    )
    link.assert_used_up()


@pytest.mark.parametrize(
    ("setpoint", "reason"),
    [
        (ConstantCurrent(1.6, 4.2), "up to 1.5 A"),
        (ConstantCurrent(0.0, 4.2), "not above 0"),
        (ConstantCurrent(math.nan, 4.2), "not above 0"),
        (ConstantCurrent(1.0, 4.31), "outside 2.4 to 4.3 V"),
        (ConstantCurrent(-1.0, 2.3), "outside 2.4 to 4.3 V"),
        (ConstantVoltage(math.nan, 0.1), "outside 2.4 to 4.3 V"),
        (ConstantVoltage(4.2, 1.6), "up to 1.5 A"),
    ],
)
def test_what_the_limits_exclude_is_refused_before_anything_is_set(
    setpoint: Setpoint, reason: str
) -> None:
    driver, link = channel(*IDENTIFY)
    driver.identify()
    with pytest.raises(OutOfRange, match=reason):
        driver.apply(setpoint, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    "setpoint", [ConstantCurrent(5.1, 4.2), ConstantCurrent(1.0, 5.1), ConstantVoltage(-2.1, 1.0)]
)
def test_what_the_channel_would_silently_ignore_is_refused(setpoint: Setpoint) -> None:
    driver, link = channel(*IDENTIFY)
    with pytest.raises(OutOfRange, match="nothing was sent"):
        driver.apply(setpoint, Limits(-10.0, 10.0, 10.0))
    link.assert_used_up()


def test_safeties_that_do_not_come_back_as_sent_are_refused_before_the_start() -> None:
    other = (SAFETIES[0], (SAFETIES[1] or "").replace("4.30000019073486", "5.0"))
    driver, link = channel(*IDENTIFY, *CHARGE_BEGINS[:3], other)
    with pytest.raises(Refused, match="the tester keeps"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# Section 4, result codes of 6,7.
@pytest.mark.parametrize(
    ("result", "meaning"),
    [("2", "channel not available"), ('"3"', "pseudo procedure"), ('"NO"', "not in the sheet")],
)
def test_a_start_that_is_refused_says_why(result: str, meaning: str) -> None:
    driver, link = channel(*IDENTIFY, *CHARGE_BEGINS[:4], started(CHARGE_1_A, result))
    with pytest.raises(Refused, match=meaning):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize("result", ["0", '"OK"'])
def test_a_start_may_be_acknowledged_by_a_word_or_by_zero(result: str) -> None:
    _, link = applied(CHARGE, *CHARGE_BEGINS[:4], started(CHARGE_1_A, result), CHARGING)
    link.assert_used_up()


def test_a_channel_that_goes_another_way_is_noticed() -> None:
    driver, link = channel(*IDENTIFY, *CHARGE_BEGINS[:5], STARTING, seen(29, 5))
    with pytest.raises(Refused, match=r"Stat 5 \(problem\), RF1 29"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_a_channel_that_never_starts_is_given_up() -> None:
    driver, link = channel(*IDENTIFY, *CHARGE_BEGINS[:5], *[STARTING] * 50)
    with pytest.raises(InstrumentError, match="after 50 looks"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# --- rest ----------------------------------------------------------------------------------------


def test_a_rest_before_any_current_leaves_the_channel_off() -> None:
    driver, link = applied(OpenCircuit(), RESET, IDLE, IDLE)
    assert driver.measure() == CellReading(3.7, 0.0, Regulation.OPEN)
    link.assert_used_up()


def test_a_rest_within_a_session_is_confirmed_and_kept_alive() -> None:
    driver, link = applied(
        CHARGE,
        *CHARGE_BEGINS,
        CHARGING,
        told(NO_CURRENT),
        CHARGING,
        RESTING,
        RESTING,
        told(NO_CURRENT),
    )
    driver.apply(OpenCircuit(), LIMITS)
    assert driver.measure() == CellReading(3.7, 0.0, Regulation.OPEN)
    link.assert_used_up()


def test_a_rest_that_does_not_take_effect_becomes_a_reset() -> None:
    driver, link = applied(
        CHARGE, *CHARGE_BEGINS, CHARGING, told(NO_CURRENT), *[CHARGING] * 10, RESET, IDLE, IDLE
    )
    driver.apply(OpenCircuit(), LIMITS)
    assert driver.measure().regulation is Regulation.OPEN
    link.assert_used_up()


# --- measure -------------------------------------------------------------------------------------


def test_every_reading_sends_the_set_point_again_for_the_watchdog() -> None:
    driver, link = applied(CHARGE, *CHARGE_BEGINS, CHARGING, told(CHARGE_1_A))
    assert driver.measure() == CellReading(3.7, 1.0, Regulation.CURRENT)
    link.assert_used_up()


@pytest.mark.parametrize("sign", [1, -1])
def test_the_direction_of_a_discharge_is_told_by_what_the_channel_does(sign: int) -> None:
    reading = seen(2, 2, 3.7, sign * 0.1)
    driver, link = applied(
        DISCHARGE,
        *CHARGE_BEGINS[:4],
        started(DISCHARGE_100_MA),
        reading,
        reading,
        told(DISCHARGE_100_MA),
    )
    assert driver.measure() == CellReading(3.7, -0.1, Regulation.CURRENT)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("volt", "ampere", "regulation"),
    [
        (4.19, 1.0, Regulation.CURRENT),
        (4.199, 1.0, Regulation.CURRENT),
        (4.19999980926514, 1.0, Regulation.VOLTAGE),  # 4.2 as a 32-bit float
        (4.199, 0.8, Regulation.VOLTAGE),
        (4.19, 0.8, Regulation.CURRENT),
    ],
)
def test_regulation_is_judged_from_voltage_and_current(
    volt: float, ampere: float, regulation: Regulation
) -> None:
    driver, _ = applied(CHARGE, *CHARGE_BEGINS, seen(1, 2, volt, ampere), told(CHARGE_1_A))
    flags = int(Flag.VOLTAGE_HELD) if regulation is Regulation.VOLTAGE else 0
    assert driver.measure() == CellReading(volt, ampere, regulation, flags)


@pytest.mark.parametrize("reading", [SUSPENDED, seen(31, 4), seen(29, 5), seen(5, 2), seen(2, 2)])
def test_a_channel_that_stopped_by_itself_is_reported_and_not_driven_on(reading: Call) -> None:
    driver, link = applied(CHARGE, *CHARGE_BEGINS, reading)
    assert driver.measure().regulation is Regulation.STOPPED
    link.assert_used_up()


def test_a_test_that_somebody_else_runs_is_not_taken_for_ours() -> None:
    driver, _ = channel(CHARGING)
    with pytest.raises(InstrumentError, match="although no set point is applied"):
        driver.measure()


def test_a_set_point_that_is_refused_again_is_raised() -> None:
    driver, _ = applied(CHARGE, *CHARGE_BEGINS, CHARGING, told(CHARGE_1_A, "4"))
    with pytest.raises(Refused, match="direct mode not active"):
        driver.measure()


# --- make_safe, section 8 ------------------------------------------------------------------------


@pytest.mark.parametrize("after", [IDLE, seen(0, 7), seen(30, 3), seen(31, 4)])
def test_making_safe_resets_the_channel_and_sees_it_off(after: Call) -> None:
    driver, link = channel(RESET, CHARGING, after)
    driver.make_safe()
    link.assert_used_up()


def test_making_safe_twice_is_the_same_even_where_an_idle_channel_refuses_the_reset() -> None:
    refused = (RESET[0], '"Result":2')
    error = b'{"jsonrpc":"2.0","error":{"code":1,"message":"MacNet error"},"id":5}\r\n'
    driver, link = on_the_wire(
        (request(1, RESET[0]), answer(1, RESET)),
        (request(2, IDLE[0]), answer(2, IDLE)),
        (request(3, RESET[0]), answer(3, refused)),
        (request(4, IDLE[0]), answer(4, IDLE)),
        (request(5, RESET[0]), error),
        (request(6, IDLE[0]), answer(6, IDLE)),
    )
    for _ in range(3):
        driver.make_safe()
    link.assert_used_up()


def test_after_making_safe_the_next_set_point_begins_a_session() -> None:
    driver, link = applied(CHARGE, *CHARGE_BEGINS, RESET, IDLE, *CHARGE_BEGINS)
    driver.make_safe()
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    "calls",
    [
        ((RESET[0], None),),
        (RESET, *[CHARGING] * 30),
        (RESET, *[seen(29, 5)] * 30),  # whether a problem disconnects the cell is not known
        (RESET, *[seen(1, 0)] * 30),
        (RESET, (IDLE[0], None)),
        (RESET, (IDLE[0], '"RF1":0')),
    ],
)
def test_an_off_state_that_nobody_confirms_is_the_loudest_error(calls: tuple[Call, ...]) -> None:
    driver, link = channel(*calls)
    with pytest.raises(UnconfirmedSafeState, match="maccor-1"):
        driver.make_safe()
    link.assert_used_up()
