"""The Keithley 2400 driver against transcripts: exact bytes both ways.

Sources above the exchanges: 2400 series user manual 2400S-900-01 (UM), and the example of a
CC-CV charge, a rest and a stop that the driver's facts come with (EX). Status words are sums of
the manual's bits: 2 front, 3 real compliance, 11 volt, 12 ampere, 14 source volt, 15 source
ampere, 22 remote sense.
"""

from __future__ import annotations

import math

import pytest

from drivers.potentiostats.keithley_2400 import Keithley2400
from rig.core.errors import (
    InstrumentError,
    LinkTimeout,
    OutOfRange,
    Refused,
    RigError,
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

LIMITS = Limits(voltage_min_volt=2.5, voltage_max_volt=4.6, current_max_ampere=0.6)
CHARGE = ConstantCurrent(0.5, voltage_limit_volt=4.2)

FIRMWARE = "C32   Oct  4 2010 14:20:11/A02  /S/K"


def identification(model: str) -> Exchange:
    """Return the question and answer of UM *IDN?."""
    return b"*IDN?\n", f"KEITHLEY INSTRUMENTS INC.,MODEL {model},1234567,{FIRMWARE}\n".encode()


IDENTIFY = identification("2400")
# UM :SYSTem:ERRor?, queue empty
NO_ERROR: Exchange = (b":SYST:ERR?\n", b'0,"No error"\n')
IN_STEP: Exchange = (b":OUTP:SMOD?\n", b"HIMP\n")
READ = b":READ?\n"
# UM :OUTPut[:STATe]; then one reading that outlasts the relay
SWITCH_ON: list[Exchange] = [
    (b":OUTP ON\n", None),
    (b":OUTP?\n", b"1\n"),
    (READ, b"+3.600000E+00,+0.000000E+00,+4.216836E+06\n"),
]


def sent(*commands: bytes) -> list[Exchange]:
    return [(command + b"\n", None) for command in commands]


# EX: stop. UM :OUTPut:SMODe: NORMAL would be a 0 V source on the cell
STOPPING = sent(b":ABOR", b":OUTP:SMOD HIMP", b":OUTP OFF")
OFF_AND_OPEN: list[Exchange] = [(b":OUTP?\n", b"0\n"), (b":OUTP:SMOD?\n", b"HIMP\n")]


def functions(source: bytes) -> list[Exchange]:
    """Read back: PyMeasure keithley2400.py, source_mode; open drivers compare the second as here."""
    return [(b":SOUR:FUNC?\n", source), (b":SENS:FUNC?\n", b'"VOLT:DC","CURR:DC"\n')]


def set_up(*commands: bytes) -> list[Exchange]:
    """What every set-up has in common, and what one adds; it begins behind an open relay."""
    return [
        *STOPPING,
        *OFF_AND_OPEN,
        *sent(
            # UM *CLS: no old errors
            b"*CLS",
            # UM :SOURce:CLEar:AUTO, ARM and TRIGger layers, :SENSe:FUNCtion:CONCurrent, :FORMat:ELEMents
            b":SOUR:CLE:AUTO OFF",
            b":ARM:SOUR IMM",
            b":ARM:COUN 1",
            b":TRIG:COUN 1",
            b":SENS:FUNC:CONC ON",
            b':SENS:FUNC "VOLT","CURR"',
            b":FORM:ELEM VOLT,CURR,STAT",
            # UM :SYSTem:RSENse, :SYSTem:AZERo
            b":SYST:RSEN ON",
            b":SYST:AZER ON",
            *commands,
        ),
    ]


def sourcing_volt(
    level: bytes, limit: bytes, kept_level: bytes, kept_limit: bytes, full_scale: bytes = b"20"
) -> list[Exchange]:
    return [
        *set_up(
            b":SOUR:FUNC VOLT",
            b":SOUR:VOLT:MODE FIX",
            b":SOUR:VOLT:LEV 0",
            b":SOUR:VOLT:RANG " + full_scale,
            # UM error +824: the range, or autorange, before the compliance
            b":SENS:CURR:RANG:AUTO ON",
            b":SENS:CURR:PROT " + limit,
            b":SOUR:VOLT:LEV " + level,
            b":SENS:CURR:NPLC 1",
        ),
        NO_ERROR,
        (b":SENS:CURR:PROT?\n", kept_limit + b"\n"),
        (b":SOUR:VOLT:LEV?\n", kept_level + b"\n"),
        *functions(b"VOLT\n"),
        *SWITCH_ON,
    ]


# EX: charge 0.5 A to 4.2 V
CHARGING = sourcing_volt(b"4.2", b"0.5", b"4.200000E+00", b"5.000000E-01")


def resting(limit: bytes, kept_limit: bytes, full_scale: bytes = b"20") -> list[Exchange]:
    """Return EX: 0 A, the voltage limit far above the cell."""
    return [
        *set_up(
            b":SOUR:FUNC CURR",
            b":SOUR:CURR:MODE FIX",
            b":SOUR:CURR:LEV 0",
            b":SOUR:CURR:RANG:AUTO ON",
            b":SENS:VOLT:RANG:AUTO ON",
            b":SENS:VOLT:PROT " + limit,
            b":SOUR:CURR:LEV 0",
            b":SENS:VOLT:RANG " + full_scale,
            b":SENS:VOLT:NPLC 1",
        ),
        NO_ERROR,
        (b":SENS:VOLT:PROT?\n", kept_limit + b"\n"),
        (b":SOUR:CURR:LEV?\n", b"0.000000E+00\n"),
        *functions(b"CURR\n"),
        *SWITCH_ON,
    ]


RESTING = resting(b"10", b"1.000000E+01")
SAFE: list[Exchange] = [*STOPPING, *OFF_AND_OPEN, NO_ERROR]


def driver_over(*exchanges: Exchange) -> tuple[Keithley2400, TranscriptLink]:
    link = TranscriptLink(exchanges, name="ttyX")
    return Keithley2400(link, "smu-1"), link


def applied(
    setup: list[Exchange], setpoint: Setpoint, *then: Exchange
) -> tuple[Keithley2400, TranscriptLink]:
    driver, link = driver_over(IDENTIFY, *setup, *then)
    driver.identify()
    driver.apply(setpoint, LIMITS)
    return driver, link


# --- identify ------------------------------------------------------------------------------------


def test_the_constructor_is_silent() -> None:
    _, link = driver_over()
    link.assert_used_up()


@pytest.mark.parametrize("model", ["2400", "2400-LV", "2401", "2420", "2425", "2430", "2440"])
def test_every_model_with_a_known_rating_is_identified(model: str) -> None:
    driver, link = driver_over(identification(model))
    assert driver.identify() == Identity("Keithley", model, "1234567", FIRMWARE)
    link.assert_used_up()


@pytest.mark.parametrize(
    "answer",
    [
        b"KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.7.12b\n",
        # no rating of a 2410 is known
        b"KEITHLEY INSTRUMENTS INC.,MODEL 2410,1234567,C32   Oct  4 2010 14:20:11/A02  /S/K\n",
        b"Rohde&Schwarz,NGU201,3639.3763k02/100001,2.015\n",
        b"KEITHLEY INSTRUMENTS INC.,MODEL 2400\n",
        b"\n",
    ],
)
def test_anything_else_is_the_wrong_instrument(answer: bytes) -> None:
    driver, _ = driver_over((b"*IDN?\n", answer))
    with pytest.raises(WrongInstrument, match="smu-1"):
        driver.identify()


@pytest.mark.parametrize("terminator", [b"\r", b"\r\n"])
def test_another_terminator_than_lf_is_refused_with_the_way_out(terminator: bytes) -> None:
    assert IDENTIFY[1] is not None
    driver, _ = driver_over((b"*IDN?\n", IDENTIFY[1].strip() + terminator))
    with pytest.raises((LinkTimeout, UnreadableReply)) as caught:
        driver.identify()
    assert "set the RS-232 terminator to LF" in caught.value.remedy


def test_silence_at_identify_is_a_timeout_that_names_the_query() -> None:
    driver, _ = driver_over((b"*IDN?\n", None))
    with pytest.raises(LinkTimeout, match=r"\*IDN\?"):
        driver.identify()


# --- apply ---------------------------------------------------------------------------------------


def test_a_charge_sources_the_end_voltage_and_limits_the_current() -> None:
    _, link = applied(CHARGING, CHARGE)
    link.assert_used_up()


def test_a_discharge_sources_the_cut_off_voltage_and_limits_the_current() -> None:
    setup = sourcing_volt(b"2.8", b"0.2", b"2.800000E+00", b"2.000000E-01")
    _, link = applied(setup, ConstantCurrent(-0.2, voltage_limit_volt=2.8))
    link.assert_used_up()


def test_a_hold_is_the_same_source_with_its_current_limit() -> None:
    _, link = applied(CHARGING, ConstantVoltage(4.2, current_limit_ampere=0.5))
    link.assert_used_up()


def test_a_rest_sources_no_current_with_a_voltage_limit_far_above_the_cell() -> None:
    _, link = applied(RESTING, OpenCircuit())
    link.assert_used_up()


def test_a_rest_stays_within_the_voltage_that_the_model_has() -> None:
    setup = resting(b"10.5", b"1.050000E+01", full_scale=b"10")
    driver, link = driver_over(identification("2440"), *setup)
    driver.apply(OpenCircuit(), Limits(0.0, 8.4, 5.0))
    link.assert_used_up()


def test_an_instrument_that_was_not_identified_is_identified_before_it_drives_a_cell() -> None:
    driver, link = driver_over(IDENTIFY, *CHARGING)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# UM :OUTPut?; the output stays on, no relay is worked. The smaller limit is set first...
TO_DISCHARGE_AT_LESS: list[Exchange] = [
    (b":OUTP?\n", b"1\n"),
    (b":SENS:CURR:PROT 0.2\n", None),
    (b":SOUR:VOLT:LEV 2.8\n", None),
    NO_ERROR,
    (b":SENS:CURR:PROT?\n", b"2.000000E-01\n"),
    (b":SOUR:VOLT:LEV?\n", b"2.800000E+00\n"),
]
# ... and the larger one last.
TO_CHARGE_AT_MORE: list[Exchange] = [
    (b":OUTP?\n", b"1\n"),
    (b":SOUR:VOLT:LEV 4.2\n", None),
    (b":SENS:CURR:PROT 0.5\n", None),
    NO_ERROR,
    (b":SENS:CURR:PROT?\n", b"5.000000E-01\n"),
    (b":SOUR:VOLT:LEV?\n", b"4.200000E+00\n"),
]


def test_a_new_level_and_limit_leave_the_output_on_and_never_pass_the_smaller_limit() -> None:
    driver, link = applied(CHARGING, CHARGE, *TO_DISCHARGE_AT_LESS, *TO_CHARGE_AT_MORE)
    driver.apply(ConstantCurrent(-0.2, voltage_limit_volt=2.8), LIMITS)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_another_function_is_set_up_with_the_output_off() -> None:
    driver, link = applied(CHARGING, CHARGE, *RESTING, *CHARGING)
    driver.apply(OpenCircuit(), LIMITS)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_an_output_that_went_off_by_itself_is_set_up_from_the_beginning() -> None:
    driver, link = applied(CHARGING, CHARGE, (b":OUTP?\n", b"0\n"), *CHARGING)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("setpoint", "limits", "part_of_message"),
    [
        (ConstantCurrent(0.5, 4.7), LIMITS, "voltage 4.7 V is outside 2.5 to 4.6 V"),
        (ConstantCurrent(-0.7, 3.0), LIMITS, "current 0.7 A"),
        (ConstantCurrent(math.nan, 4.2), LIMITS, "current nan A"),
        (ConstantVoltage(4.0, 0.0), LIMITS, "current 0 A"),
        (ConstantVoltage(4.0, 6.0), Limits(0.0, 5.0, 100.0), "current 6 A"),
        (ConstantVoltage(150.0, 0.1), Limits(0.0, 200.0, 1.0), "voltage 150 V"),
        (OpenCircuit(), Limits(4.0, 3.0, 1.0), "leave no voltage"),
    ],
)
def test_what_no_model_can_do_is_refused_before_a_byte_is_sent(
    setpoint: Setpoint, limits: Limits, part_of_message: str
) -> None:
    driver, link = driver_over()
    with pytest.raises(OutOfRange, match=part_of_message):
        driver.apply(setpoint, limits)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("model", "setpoint"),
    [
        ("2400", ConstantVoltage(4.0, 3.0)),
        ("2420", ConstantVoltage(4.0, 5.0)),
        ("2440", ConstantVoltage(12.0, 1.0)),
    ],
)
def test_the_ratings_of_the_identified_model_are_the_ones_that_count(
    model: str, setpoint: Setpoint
) -> None:
    driver, link = driver_over(identification(model))
    with pytest.raises(OutOfRange, match="nothing was sent"):
        driver.apply(setpoint, Limits(0.0, 15.0, 10.0))
    link.assert_used_up()


def test_a_voltage_limit_that_a_resting_cell_could_reach_is_refused() -> None:
    driver, link = driver_over(identification("2440"))
    with pytest.raises(OutOfRange, match=r"model 2440 has no voltage limit above 10\.5 V"):
        driver.apply(OpenCircuit(), Limits(0.0, 12.0, 1.0))
    link.assert_used_up()


def _charging_until(query: bytes, *instead: Exchange) -> list[Exchange]:
    """CHARGING as far as ``query``, and then something else."""
    position = [out for out, _ in CHARGING].index(query)
    return [*CHARGING[:position], *instead]


@pytest.mark.parametrize(
    ("answers", "part_of_message"),
    [
        # UM error table
        ([b'+824,"Cannot exceed compliance range"'], "824.*cannot exceed the compliance range"),
        ([b'-222,"Parameter data out of range"', b'-221,"Settings conflict"'], "-222.*; -221"),
        ([b'+350,"Queue overflow"'], "350"),
    ],
)
def test_an_error_after_the_set_up_is_a_refusal_and_the_output_stays_off(
    answers: list[bytes], part_of_message: str
) -> None:
    queue: list[Exchange] = [(b":SYST:ERR?\n", answer + b"\n") for answer in answers]
    driver, link = driver_over(IDENTIFY, *_charging_until(b":SYST:ERR?\n", *queue, NO_ERROR))
    with pytest.raises(Refused, match=part_of_message):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize("query", [b":SENS:CURR:PROT?\n", b":SOUR:VOLT:LEV?\n"])
def test_a_value_that_was_quietly_kept_is_a_refusal(query: bytes) -> None:
    setup = _charging_until(query, (query, b"1.050000E-04\n"))
    driver, link = driver_over(IDENTIFY, *setup)
    with pytest.raises(Refused, match=r"reads back 0\.000105"):
        driver.apply(CHARGE, LIMITS)
    with pytest.raises(InstrumentError, match="no set point"):
        driver.measure()
    link.assert_used_up()


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        # the command was lost on the line
        (b":SOUR:FUNC?\n", b"CURR"),
        (b":SENS:FUNC?\n", b'"CURR:DC"'),
        # resistance was left on at the panel
        (b":SENS:FUNC?\n", b'"VOLT:DC","CURR:DC","RES"'),
    ],
)
def test_a_function_that_is_not_the_one_sent_is_a_refusal_and_the_output_stays_off(
    query: bytes, answer: bytes
) -> None:
    setup = _charging_until(query, (query, answer + b"\n"))
    driver, link = driver_over(IDENTIFY, *setup)
    with pytest.raises(Refused, match=r"FUNC\?', got .*, expected .*kept another function"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_other_spellings_of_the_functions_are_understood() -> None:
    query = b":SENS:FUNC?\n"
    position = [out for out, _ in CHARGING].index(query)
    setup = [*CHARGING[:position], (query, b"CURR,VOLT\n"), *CHARGING[position + 1 :]]
    _, link = applied(setup, CHARGE)
    link.assert_used_up()


def test_nothing_is_set_up_while_the_output_is_still_on() -> None:
    driver, link = driver_over(IDENTIFY, *STOPPING, (b":OUTP?\n", b"1\n"))
    with pytest.raises(Refused, match=r"':OUTP\?' says 1"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_an_output_that_output_enable_blocks_is_a_refusal() -> None:
    blocked: Exchange = (b":SYST:ERR?\n", b'+802,"Output blocked by output enable"\n')
    setup = _charging_until(
        b":OUTP ON\n", *sent(b":OUTP ON"), (b":OUTP?\n", b"0\n"), blocked, NO_ERROR
    )
    driver, link = driver_over(IDENTIFY, *setup)
    with pytest.raises(Refused, match=r"output is still off: 802"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# --- measure -------------------------------------------------------------------------------------

HELD = int(Flag.VOLTAGE_HELD)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        # EX: bit 3 set, the CC phase; bit 3 clear, the CV phase
        (
            b"+3.651234E+00,+5.000012E-01,+4.216844E+06",
            CellReading(3.651234, 0.5000012, Regulation.CURRENT),
        ),
        (
            b"+4.199987E+00,+2.103345E-01,+4.216836E+06",
            CellReading(4.199987, 0.2103345, Regulation.VOLTAGE, HELD),
        ),
        (
            b"+3.200000E+00,-5.000000E-01,+4.216844E+06",
            CellReading(3.2, -0.5, Regulation.CURRENT),
        ),
        # bit 16: the current is held by a range, not by the set point's limit
        (
            b"+3.200000E+00,+1.050000E-01,+4.282372E+06",
            CellReading(3.2, 0.105, Regulation.CURRENT, Flag.COMPLIANCE),
        ),
        # bit 4: overvoltage protection
        (
            b"+4.000000E+00,+1.000000E-01,+4.216852E+06",
            CellReading(4.0, 0.1, Regulation.VOLTAGE, HELD | Flag.COMPLIANCE),
        ),
        # bit 0: overflow
        (
            b"+4.000000E+00,+1.000000E-01,+4.216837E+06",
            CellReading(4.0, 0.1, Regulation.VOLTAGE, HELD | Flag.OVERLOAD),
        ),
    ],
)
def test_a_reading_while_sourcing_voltage(reply: bytes, expected: CellReading) -> None:
    driver, link = applied(CHARGING, CHARGE, (READ, reply + b"\n"))
    assert driver.measure() == expected
    link.assert_used_up()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            b"+3.985012E+00,+0.000000E+00,+4.233220E+06",
            CellReading(3.985012, 0.0, Regulation.OPEN),
        ),
        # The limit lies below the cell, or the holder is empty: the clamp is shown, not hidden.
        (
            b"+1.000000E+01,-1.500000E-01,+4.233228E+06",
            CellReading(10.0, -0.15, Regulation.VOLTAGE, HELD | Flag.COMPLIANCE),
        ),
    ],
)
def test_a_reading_at_rest(reply: bytes, expected: CellReading) -> None:
    driver, link = applied(RESTING, OpenCircuit(), (READ, reply + b"\n"))
    assert driver.measure() == expected
    link.assert_used_up()


@pytest.mark.parametrize("overflow", [b"+9.900000E+37", b"-9.900000E+37", b"+9.910000E+37"])
def test_an_overflow_is_flagged_and_never_a_number(overflow: bytes) -> None:
    driver, link = applied(CHARGING, CHARGE, (READ, b"+3.7E+00," + overflow + b",+4.216837E+06\n"))
    reading = driver.measure()
    assert reading.voltage_volt == 3.7
    assert math.isnan(reading.current_ampere)
    assert reading.flags & Flag.OVERLOAD
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"+3.7E+00,+5.0E-01",
        b"+3.7E+00,+5.0E-01,+9.91E+37,+1.2E+02,+2.2E+04",
        b"+3.7E+00,volt,+4.2E+06",
        b"+3.7E+00,+5.0E-01,+4.2E+06\r",
        b"+3.7E+00,+5.0E-01,+1.5E+00",
        b"+3.7E+00,+5.0E-01,-8.0E+00",
        b"+3.7E+00,+5.0E-01,+9.91E+37",
    ],
)
def test_a_garbled_reading_is_refused_with_its_bytes(reply: bytes) -> None:
    driver, _ = applied(CHARGING, CHARGE, (READ, reply + b"\n"))
    with pytest.raises(UnreadableReply, match="smu-1"):
        driver.measure()


def test_an_output_that_went_off_by_itself_is_a_refusal_with_the_reason() -> None:
    driver, link = applied(
        CHARGING,
        CHARGE,
        # UM error +803: with the output off :READ? has no answer
        (READ, None),
        IN_STEP,
        (b":SYST:ERR?\n", b'+809,"OUTPUT turned off: over-temperature"\n'),
        (b":SYST:ERR?\n", b'+803,"Not permitted with OUTPUT off"\n'),
        NO_ERROR,
    )
    with pytest.raises(Refused, match=r"went off by itself: 809.*803"):
        driver.measure()
    link.assert_used_up()


def test_a_late_reading_is_a_timeout_and_the_one_after_it_is_its_own() -> None:
    driver, link = applied(
        CHARGING,
        CHARGE,
        (READ, b"+3.6512"),
        (None, None),
        # the marker's answer is like no other, so all before it is old
        (b":OUTP:SMOD?\n", b"34E+00,+5.0E-01,+4.216844E+06\nHIMP\n"),
        NO_ERROR,
        (READ, b"+3.7E+00,+5.0E-01,+4.216844E+06\n"),
    )
    with pytest.raises(LinkTimeout) as caught:
        driver.measure()
    assert caught.value.received == b"+3.6512"
    assert driver.measure().voltage_volt == 3.7
    link.assert_used_up()


def test_behind_an_open_relay_nothing_is_measured() -> None:
    driver, link = applied(CHARGING, CHARGE, *SAFE)
    driver.make_safe()
    with pytest.raises(InstrumentError, match="no set point"):
        driver.measure()
    link.assert_used_up()


# --- make_safe -----------------------------------------------------------------------------------


def test_the_safe_state_is_confirmed_and_may_be_asked_for_twice() -> None:
    driver, link = driver_over(*SAFE, *SAFE)
    driver.make_safe()
    driver.make_safe()
    link.assert_used_up()


def test_after_make_safe_the_next_set_point_is_set_up_from_the_beginning() -> None:
    driver, link = applied(CHARGING, CHARGE, *SAFE, *CHARGING)
    driver.make_safe()
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# The first answer was none; then off again, in step, asked again.
SECOND_CHANCE: list[Exchange] = [*sent(b":OUTP OFF"), IN_STEP, *OFF_AND_OPEN, NO_ERROR]


@pytest.mark.parametrize("answer", [b"garbage\n", b"+3.65E+00,+5.0E-01,+4.2E+06\n", None])
def test_leftovers_of_a_broken_exchange_do_not_spoil_the_safe_state(answer: bytes | None) -> None:
    driver, link = driver_over(*STOPPING, (b":OUTP?\n", answer), *SECOND_CHANCE)
    driver.make_safe()
    link.assert_used_up()


def test_even_an_instrument_that_never_answered_before_is_made_safe() -> None:
    driver, link = driver_over((b"*IDN?\n", b"KEITH"), *STOPPING, IN_STEP, *OFF_AND_OPEN, NO_ERROR)
    with pytest.raises(LinkTimeout):
        driver.identify()
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [(b":OUTP?\n", b"1\n")],
        [(b":OUTP?\n", b"0\n"), (b":OUTP:SMOD?\n", b"NORM\n")],
        [(b":OUTP?\n", b"0\n"), (b":OUTP:SMOD?\n", None)],
        [(b":OUTP?\n", None), *sent(b":OUTP OFF"), (b":OUTP:SMOD?\n", None)],
        [(b":OUTP?\n", b"x\n"), *sent(b":OUTP OFF"), (b":OUTP:SMOD?\n", b"NORM\n" * 10)],
        [(b":OUTP?\n", b"x\n"), *SECOND_CHANCE[:2], (b":OUTP?\n", b"2\n")],
        [*OFF_AND_OPEN, (b":SYST:ERR?\n", None)],
    ],
    ids=[
        "still on",
        "off is a 0 V source",
        "off state unknown",
        "silent",
        "another off state",
        "garbage twice",
        "silent afterwards",
    ],
)
def test_a_safe_state_that_is_not_confirmed_is_the_loudest_error(exchanges: list[Exchange]) -> None:
    driver, link = driver_over(*STOPPING, *exchanges)
    with pytest.raises(UnconfirmedSafeState, match="not confirmed off") as caught:
        driver.make_safe()
    assert "disconnect the cell" in caught.value.remedy
    link.assert_used_up()


# --- every single exchange may fail --------------------------------------------------------------


@pytest.mark.parametrize("position", [n for n, (_, reply) in enumerate(CHARGING[:-1]) if reply])
def test_whatever_reply_of_a_set_up_is_missing_the_failure_is_raised_and_safe_is_reached(
    position: int,
) -> None:
    question, _ = CHARGING[position]
    driver, link = driver_over(
        IDENTIFY,
        *CHARGING[:position],
        (question, None),
        *STOPPING,
        IN_STEP,
        *OFF_AND_OPEN,
        NO_ERROR,
    )
    with pytest.raises(RigError):
        driver.apply(CHARGE, LIMITS)
    driver.make_safe()
    link.assert_used_up()


def test_an_output_that_drops_as_soon_as_it_is_on_is_a_refusal() -> None:
    off: Exchange = (b":SYST:ERR?\n", b'+803,"Not permitted with OUTPUT off"\n')
    driver, link = driver_over(IDENTIFY, *CHARGING[:-1], (READ, None), IN_STEP, off, NO_ERROR)
    with pytest.raises(Refused, match="went off by itself"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# --- the sheet -----------------------------------------------------------------------------------


def test_the_sheet_keeps_the_silence_that_a_serial_line_without_flow_control_needs() -> None:
    spacing = Keithley2400.sheet.spacing
    assert min(spacing.after_query_second, spacing.after_set_second) >= 0.02
