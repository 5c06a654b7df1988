"""The Keithley 2450 driver against transcripts: exact bytes both ways.

Sources above the exchanges: 2450 reference manual 2450-901-01 (RM), and the maker's battery
examples, "source voltage, limit current" (BATT) and "0 A source as voltmeter" (OCV).
"""

from __future__ import annotations

import math

import pytest

from drivers.potentiostats.keithley_2450 import Keithley2450
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

# RM *IDN?, *LANG?
IDENTIFY: list[Exchange] = [
    (b"*IDN?\n", b"KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.7.12b\n"),
    (b"*LANG?\n", b"SCPI\n"),
]
# RM :SYSTem:ERRor[:NEXT]?, event log empty
NO_ERROR: Exchange = (b":SYST:ERR?\n", b'0,"No error;0;0 0"\n')
READ = b':READ? "defbuffer1",SOUR,READ,SOURSTAT\n'
# RM :OUTPut[:STATe]; then one reading that outlasts the relay (OCV: "allow ~50 ms for relay")
SWITCH_ON: list[Exchange] = [
    (b":OUTP ON\n", None),
    (b":OUTP?\n", b"1\n"),
    (READ, b"3.600000E+00,0.000000E+00,1.280000E+02\n"),
]


def sent(*commands: bytes) -> list[Exchange]:
    return [(command + b"\n", None) for command in commands]


# BATT: safe stop. RM :ABORt: no trigger model running; :OUTPut:<function>:SMODe, stored per function
STOPPING = sent(b":ABOR", b":OUTP:VOLT:SMOD HIMP", b":OUTP:CURR:SMOD HIMP", b":OUTP OFF")
# RM :OUTPut:<function>:SMODe?: "off" alone may be NORMAL, a 0 V source on the cell
OPEN_WHEN_OFF: list[Exchange] = [
    (b":OUTP:VOLT:SMOD?\n", b"HIMP\n"),
    (b":OUTP:CURR:SMOD?\n", b"HIMP\n"),
]
OFF: list[Exchange] = [(b":OUTP?\n", b"0\n"), *OPEN_WHEN_OFF]


def set_up(*commands: bytes) -> list[Exchange]:
    """The beginning that every set-up has: behind the open relay, source volt, 0 V."""
    # RM *CLS: no old events
    begun = sent(b"*CLS", b":SOUR:FUNC VOLT", b":SOUR:VOLT 0", *commands)
    return [*STOPPING, *OFF, *begun]


def functions(source: bytes, measured: bytes) -> list[Exchange]:
    """Read back: PyMeasure keithley2450.py, source_mode; QCoDeS Keithley_2450.py, function_modes."""
    return [(b":SOUR:FUNC?\n", source + b"\n"), (b":SENS:FUNC?\n", measured + b"\n")]


# BATT: charge 0.5 A to 4.2 V
CHARGING: list[Exchange] = [
    *set_up(
        b":SOUR:VOLT:PROT PROT5",
        b':SENS:FUNC "CURR"',
        b":SENS:CURR:RANG:AUTO ON",
        b":SOUR:VOLT:RANG 20",
        b":SOUR:VOLT:ILIM 0.5",
        b":SOUR:VOLT 4.2",
        b":SOUR:VOLT:READ:BACK ON",
        b":SENS:CURR:RANG 1",
        b":SENS:CURR:RSEN ON",
        b":SENS:CURR:NPLC 1",
        b":SENS:COUN 1",
        b':TRAC:CLE "defbuffer1"',
    ),
    NO_ERROR,
    # RM :SOURce:VOLTage:ILIMit: an unsuitable limit is not applied, so it is read back
    (b":SOUR:VOLT:ILIM?\n", b"5.000000E-01\n"),
    (b":SOUR:VOLT?\n", b"4.200000E+00\n"),
    *functions(b"VOLT", b'"CURR:DC"'),
    *SWITCH_ON,
]
# OCV: 0 A source, voltage limit far above the cell, OVP above the limit
RESTING: list[Exchange] = [
    *set_up(
        b":SOUR:VOLT:PROT PROT20",
        b":SOUR:FUNC CURR",
        b':SENS:FUNC "VOLT"',
        b":SENS:VOLT:RANG:AUTO ON",
        b":SOUR:CURR:RANG:AUTO ON",
        b":SOUR:CURR:VLIM 10",
        b":SOUR:CURR 0",
        b":SOUR:CURR:READ:BACK ON",
        b":SENS:VOLT:RANG 20",
        b":SENS:VOLT:RSEN ON",
        b":SENS:VOLT:NPLC 1",
        b":SENS:COUN 1",
        b':TRAC:CLE "defbuffer1"',
    ),
    NO_ERROR,
    (b":SOUR:CURR:VLIM?\n", b"1.000000E+01\n"),
    (b":SOUR:CURR?\n", b"0.000000E+00\n"),
    *functions(b"CURR", b'"VOLT:DC"'),
    *SWITCH_ON,
]
SAFE: list[Exchange] = [*STOPPING, *OFF, NO_ERROR]


def driver_over(*exchanges: Exchange) -> tuple[Keithley2450, TranscriptLink]:
    link = TranscriptLink(exchanges, name="ttyX")
    return Keithley2450(link, "smu-1"), link


def applied(
    setup: list[Exchange], setpoint: Setpoint, *then: Exchange
) -> tuple[Keithley2450, TranscriptLink]:
    driver, link = driver_over(*IDENTIFY, *setup, *then)
    driver.identify()
    driver.apply(setpoint, LIMITS)
    return driver, link


# --- identify ------------------------------------------------------------------------------------


def test_the_constructor_is_silent() -> None:
    _, link = driver_over()
    link.assert_used_up()


def test_it_identifies_itself() -> None:
    driver, link = driver_over(*IDENTIFY)
    assert driver.identify() == Identity("Keithley", "2450", "04096331", "1.7.12b")
    link.assert_used_up()


@pytest.mark.parametrize(
    "answer",
    [
        b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C32   Oct  4 2010 14:20:11/A02  /S/K\n",
        b"Rohde&Schwarz,NGU201,3639.3763k02/100001,2.015\n",
        b"KEITHLEY INSTRUMENTS,MODEL 2450\n",
        b"\n",
    ],
)
def test_anything_else_is_the_wrong_instrument(answer: bytes) -> None:
    driver, _ = driver_over((b"*IDN?\n", answer))
    with pytest.raises(WrongInstrument, match="smu-1"):
        driver.identify()


@pytest.mark.parametrize("language", [b"TSP", b"SCPI2400"])
def test_another_command_set_is_refused_with_the_way_out(language: bytes) -> None:
    driver, _ = driver_over(IDENTIFY[0], (b"*LANG?\n", language + b"\n"))
    with pytest.raises(WrongInstrument) as caught:
        driver.identify()
    assert "*LANG SCPI" in caught.value.remedy


def test_silence_at_identify_is_a_timeout_that_names_the_query() -> None:
    driver, _ = driver_over((b"*IDN?\n", None))
    with pytest.raises(LinkTimeout, match=r"\*IDN\?"):
        driver.identify()


# --- apply ---------------------------------------------------------------------------------------


def test_a_charge_sources_the_end_voltage_and_limits_the_current() -> None:
    _, link = applied(CHARGING, CHARGE)
    link.assert_used_up()


def test_a_rest_sources_no_current_with_a_voltage_limit_far_above_the_cell() -> None:
    _, link = applied(RESTING, OpenCircuit())
    link.assert_used_up()


def test_an_instrument_that_was_not_identified_is_identified_before_it_drives_a_cell() -> None:
    driver, link = driver_over(*IDENTIFY, *CHARGING)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_a_hold_is_the_same_source_with_its_current_limit() -> None:
    _, link = applied(CHARGING, ConstantVoltage(4.2, current_limit_ampere=0.5))
    link.assert_used_up()


# RM :OUTPut?; the output stays on, no relay is worked. The smaller limit is set first...
TO_DISCHARGE_AT_LESS: list[Exchange] = [
    (b":OUTP?\n", b"1\n"),
    (b":SOUR:VOLT:ILIM 0.2\n", None),
    (b":SOUR:VOLT 2.8\n", None),
    NO_ERROR,
    (b":SOUR:VOLT:ILIM?\n", b"2.000000E-01\n"),
    (b":SOUR:VOLT?\n", b"2.800000E+00\n"),
]
# ... and the larger one last.
TO_CHARGE_AT_MORE: list[Exchange] = [
    (b":OUTP?\n", b"1\n"),
    (b":SOUR:VOLT 4.2\n", None),
    (b":SOUR:VOLT:ILIM 0.5\n", None),
    NO_ERROR,
    (b":SOUR:VOLT:ILIM?\n", b"5.000000E-01\n"),
    (b":SOUR:VOLT?\n", b"4.200000E+00\n"),
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


def test_a_symmetric_cell_has_negative_levels_and_ranges_that_fit_it() -> None:
    limits = Limits(-1.0, 1.0, 0.01)
    driver, link = driver_over(
        *IDENTIFY,
        *set_up(
            b":SOUR:VOLT:PROT PROT2",
            b':SENS:FUNC "CURR"',
            b":SENS:CURR:RANG:AUTO ON",
            b":SOUR:VOLT:RANG 2",
            b":SOUR:VOLT:ILIM 5e-05",
            b":SOUR:VOLT -0.25",
            b":SOUR:VOLT:READ:BACK ON",
            b":SENS:CURR:RANG 0.0001",
            b":SENS:CURR:RSEN ON",
            b":SENS:CURR:NPLC 1",
            b":SENS:COUN 1",
            b':TRAC:CLE "defbuffer1"',
        ),
        NO_ERROR,
        (b":SOUR:VOLT:ILIM?\n", b"5.000000E-05\n"),
        (b":SOUR:VOLT?\n", b"-2.500000E-01\n"),
        *functions(b"VOLT", b'"CURR:DC"'),
        *SWITCH_ON,
    )
    driver.apply(ConstantCurrent(-5e-5, voltage_limit_volt=-0.25), limits)
    link.assert_used_up()


def test_a_model_whose_ranges_are_unknown_is_left_to_autorange() -> None:
    ranges = {
        b":SOUR:VOLT:RANG 20\n": b":SOUR:VOLT:RANG:AUTO ON\n",
        b":SENS:CURR:RANG 1\n": b":SENS:CURR:RANG:AUTO ON\n",
    }
    setup = [(ranges.get(out or b"", out), reply) for out, reply in CHARGING]
    identity = (b"*IDN?\n", b"KEITHLEY INSTRUMENTS,MODEL 2460,04312345,1.7.12b\n")
    driver, link = driver_over(identity, IDENTIFY[1], *setup)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("setpoint", "limits", "part_of_message"),
    [
        (ConstantCurrent(0.5, 4.7), LIMITS, "voltage 4.7 V is outside 2.5 to 4.6 V"),
        (ConstantCurrent(-0.5, 2.4), LIMITS, "voltage 2.4 V is outside 2.5 to 4.6 V"),
        (ConstantCurrent(0.7, 4.2), LIMITS, "current 0.7 A"),
        (ConstantCurrent(-0.7, 3.0), LIMITS, "current 0.7 A"),
        (ConstantCurrent(0.0, 4.2), LIMITS, "current 0 A"),
        (ConstantCurrent(math.nan, 4.2), LIMITS, "current nan A"),
        (ConstantVoltage(5.0, 0.1), LIMITS, "voltage 5 V"),
        (ConstantVoltage(math.nan, 0.1), LIMITS, "voltage nan V"),
        (ConstantVoltage(4.0, -0.1), LIMITS, "current -0.1 A"),
        (ConstantVoltage(4.0, math.inf), LIMITS, "current inf A"),
        (ConstantVoltage(4.0, 8.0), Limits(0.0, 5.0, 100.0), "current 8 A"),
        (ConstantVoltage(50.0, 0.1), Limits(0.0, 60.0, 1.0), "voltage 50 V is outside 0 to 21 V"),
        (OpenCircuit(), Limits(4.0, 3.0, 1.0), "leave no voltage"),
        (OpenCircuit(), Limits(math.nan, 3.0, 1.0), "leave no voltage"),
    ],
)
def test_what_limits_or_ratings_do_not_allow_is_refused_before_a_byte_is_sent(
    setpoint: Setpoint, limits: Limits, part_of_message: str
) -> None:
    driver, link = driver_over()
    with pytest.raises(OutOfRange, match=part_of_message):
        driver.apply(setpoint, limits)
    link.assert_used_up()


def test_the_ratings_of_the_identified_model_are_the_ones_that_count() -> None:
    driver, link = driver_over(*IDENTIFY)  # a 2460 could do 2 A, this 2450 cannot
    with pytest.raises(OutOfRange, match=r"current 2 A is not above 0 and up to 1\.05 A"):
        driver.apply(ConstantCurrent(2.0, 4.2), Limits(2.5, 4.6, 5.0))
    link.assert_used_up()


def test_a_refused_set_point_leaves_the_one_before_in_force() -> None:
    driver, link = applied(CHARGING, CHARGE, (READ, b"3.7E+00,5.0E-01,1.6E+02\n"))
    with pytest.raises(OutOfRange):
        driver.apply(ConstantCurrent(0.5, 9.0), LIMITS)
    assert driver.measure().regulation is Regulation.CURRENT
    link.assert_used_up()


def _charging_until(query: bytes, *instead: Exchange) -> list[Exchange]:
    """CHARGING as far as ``query``, and then something else."""
    position = [out for out, _ in CHARGING].index(query)
    return [*CHARGING[:position], *instead]


@pytest.mark.parametrize(
    ("entry", "part_of_message"),
    [
        # RM event log: type 1 is an error
        (b'-222,"Parameter data out of range;1;2026/01/01 00:00:00.000"', "parameter data out of"),
        # type 2 is a warning: a limit that was not applied is one
        (b'5076,"Limit not applied;2;2026/01/01 00:00:00.000"', "5076"),
        (b'-113,"Undefined header"', "undefined header"),
    ],
)
def test_an_error_or_warning_after_the_set_up_is_a_refusal_and_the_output_stays_off(
    entry: bytes, part_of_message: str
) -> None:
    setup = _charging_until(b":SYST:ERR?\n", (b":SYST:ERR?\n", entry + b"\n"), NO_ERROR)
    driver, link = driver_over(*IDENTIFY, *setup)
    with pytest.raises(Refused, match=part_of_message):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_an_event_that_only_informs_is_no_refusal() -> None:
    information = (b":SYST:ERR?\n", b'2721,"Reading buffer cleared;4;2026/01/01 00:00:00.000"\n')
    position = CHARGING.index(NO_ERROR)
    _, link = applied([*CHARGING[:position], information, *CHARGING[position:]], CHARGE)
    link.assert_used_up()


def test_a_limit_that_was_quietly_kept_is_a_refusal() -> None:
    setup = _charging_until(b":SOUR:VOLT:ILIM?\n", (b":SOUR:VOLT:ILIM?\n", b"1.050000E-04\n"))
    driver, link = driver_over(*IDENTIFY, *setup)
    with pytest.raises(Refused, match=r"':SOUR:VOLT:ILIM 0\.5', reads back 0\.000105"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_a_level_that_was_quietly_kept_is_a_refusal() -> None:
    setup = _charging_until(b":SOUR:VOLT?\n", (b":SOUR:VOLT?\n", b"0.000000E+00\n"))
    driver, link = driver_over(*IDENTIFY, *setup)
    with pytest.raises(Refused, match=r"':SOUR:VOLT 4\.2', reads back 0"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("query", "answer"), [(b":SOUR:FUNC?\n", b"CURR"), (b":SENS:FUNC?\n", b'"VOLT:DC"')]
)
def test_a_function_whose_command_was_lost_is_a_refusal_and_the_output_stays_off(
    query: bytes, answer: bytes
) -> None:
    setup = _charging_until(query, (query, answer + b"\n"))
    driver, link = driver_over(*IDENTIFY, *setup)
    with pytest.raises(Refused, match=r"FUNC\?', got .*, expected .*kept another function"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    "answers", [[(b":OUTP?\n", b"1\n")], [OFF[0], (b":OUTP:VOLT:SMOD?\n", b"NORM\n")]]
)
def test_nothing_is_set_up_unless_the_relay_is_open(answers: list[Exchange]) -> None:
    driver, link = driver_over(*IDENTIFY, *STOPPING, *answers)
    with pytest.raises(Refused, match="says"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_an_output_that_does_not_switch_on_is_a_refusal() -> None:
    setup = _charging_until(b":OUTP ON\n", *sent(b":OUTP ON"), (b":OUTP?\n", b"0\n"), NO_ERROR)
    driver, link = driver_over(*IDENTIFY, *setup)
    with pytest.raises(Refused, match="output is still off"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_after_a_failed_apply_nothing_is_taken_as_set() -> None:
    setup = _charging_until(b":SOUR:VOLT:ILIM?\n", (b":SOUR:VOLT:ILIM?\n", b"1.050000E-04\n"))
    driver, link = driver_over(*IDENTIFY, *setup, *CHARGING)
    with pytest.raises(Refused):
        driver.apply(CHARGE, LIMITS)
    with pytest.raises(InstrumentError, match="no set point"):
        driver.measure()
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# --- measure -------------------------------------------------------------------------------------

HELD = int(Flag.VOLTAGE_HELD)


# RM :READ? with buffer elements; source status: 16 overtemperature, 32 limit, 128 output on
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            b"3.651234E+00,5.000012E-01,1.600000E+02",
            CellReading(3.651234, 0.5000012, Regulation.CURRENT),
        ),
        (
            b"4.199987E+00,2.103345E-01,128",
            CellReading(4.199987, 0.2103345, Regulation.VOLTAGE, HELD),
        ),
        (b"3.2E+00,-5.0E-01,232", CellReading(3.2, -0.5, Regulation.CURRENT)),
    ],
)
def test_a_reading_while_sourcing_voltage(reply: bytes, expected: CellReading) -> None:
    driver, link = applied(CHARGING, CHARGE, (READ, reply + b"\n"))
    assert driver.measure() == expected
    link.assert_used_up()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"0.0E+00,3.851022E+00,128", CellReading(3.851022, 0.0, Regulation.OPEN)),
        # The limit lies below the cell, or the holder is empty: the clamp is shown, not hidden.
        (
            b"-1.5E-01,1.0E+01,160",
            CellReading(10.0, -0.15, Regulation.VOLTAGE, HELD | Flag.COMPLIANCE),
        ),
    ],
)
def test_a_reading_at_rest(reply: bytes, expected: CellReading) -> None:
    driver, link = applied(RESTING, OpenCircuit(), (READ, reply + b"\n"))
    assert driver.measure() == expected
    link.assert_used_up()


# Behind the open relay the voltmeter sees its own terminals: 0 V there is no cell at its cut-off,
# a number left from before no cell at all. What :READ? answers then is not documented.
@pytest.mark.parametrize("values", [b"0.0E+00,0.0E+00", b"3.2E+00,1.0E-09", b"9.9E+37,9.91E+37"])
@pytest.mark.parametrize(
    ("status", "flags"), [(b"0", 0), (b"32", 0), (b"16", int(Flag.OVERTEMPERATURE))]
)
@pytest.mark.parametrize(
    ("setup", "setpoint"), [(CHARGING, CHARGE), (RESTING, OpenCircuit())], ids=["charge", "rest"]
)
def test_an_output_that_went_off_by_itself_has_stopped_and_shows_no_voltage(
    setup: list[Exchange], setpoint: Setpoint, status: bytes, flags: int, values: bytes
) -> None:
    driver, link = applied(setup, setpoint, (READ, values + b"," + status + b"\n"))
    assert driver.measure() == CellReading(math.nan, math.nan, Regulation.STOPPED, flags)
    link.assert_used_up()


@pytest.mark.parametrize("overflow", [b"9.9E+37", b"-9.900000E+37", b"9.91E+37"])
def test_an_overflow_is_flagged_and_never_a_number(overflow: bytes) -> None:
    driver, link = applied(CHARGING, CHARGE, (READ, b"3.7E+00," + overflow + b",160\n"))
    reading = driver.measure()
    assert reading.voltage_volt == 3.7
    assert math.isnan(reading.current_ampere)
    assert reading.flags & Flag.OVERLOAD
    link.assert_used_up()


@pytest.mark.parametrize(
    "reply",
    [b"", b"3.7,0.5", b"3.7,0.5,160,0", b"3.7,abc,160", b"3.7;0.5;160", b"\xb53.7,0.5,160", b"1,1,1.5"],
)  # fmt: skip
def test_a_garbled_reading_is_refused_with_its_bytes(reply: bytes) -> None:
    driver, _ = applied(CHARGING, CHARGE, (READ, reply + b"\n"))
    with pytest.raises(UnreadableReply, match="smu-1"):
        driver.measure()


def test_the_reading_after_a_late_one_is_its_own() -> None:
    driver, link = applied(
        CHARGING,
        CHARGE,
        (READ, b"3.6512"),
        (None, None),
        # RM *LANG?: its answer is like no other, so all before it is old
        (b"*LANG?\n", b"34E+00,5.0E-01,160\nSCPI\n"),
        (READ, b"3.7E+00,5.0E-01,160\n"),
    )
    with pytest.raises(LinkTimeout) as caught:
        driver.measure()
    assert caught.value.received == b"3.6512"
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
SECOND_CHANCE: list[Exchange] = [
    *sent(b":OUTP OFF"),
    (b"*LANG?\n", b"SCPI\n"),
    *OFF,
    NO_ERROR,
]


@pytest.mark.parametrize("answer", [b"garbage\n", b"3.65,5.0E-01,160\n", b"\xff\xfe\n", None])
def test_leftovers_of_a_broken_exchange_do_not_spoil_the_safe_state(answer: bytes | None) -> None:
    driver, link = driver_over(*STOPPING, (b":OUTP?\n", answer), *SECOND_CHANCE)
    driver.make_safe()
    link.assert_used_up()


def test_half_a_reading_before_does_not_spoil_the_safe_state() -> None:
    driver, link = applied(
        CHARGING,
        CHARGE,
        (READ, b"3.6512"),
        *STOPPING,
        (b"*LANG?\n", b"SCPI\n"),
        *OFF,
        NO_ERROR,
    )
    with pytest.raises(LinkTimeout):
        driver.measure()
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [(b":OUTP?\n", b"1\n")],
        [(b":OUTP?\n", None), *sent(b":OUTP OFF"), (b"*LANG?\n", None)],
        [(b":OUTP?\n", b"x\n"), *sent(b":OUTP OFF"), (b"*LANG?\n", b"TSP\n" * 10)],
        [(b":OUTP?\n", b"x\n"), *SECOND_CHANCE[:2], (b":OUTP?\n", b"2\n")],
        [OFF[0], (b":OUTP:VOLT:SMOD?\n", b"NORM\n")],
        [*OFF[:2], (b":OUTP:CURR:SMOD?\n", b"ZERO\n")],
        [*OFF, (b":SYST:ERR?\n", None)],
    ],
    ids=[
        "still on",
        "silent",
        "another command set",
        "garbage twice",
        "a 0 V source when off",
        "a 0 V source when off, by its other function",
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


@pytest.mark.parametrize("position", [n for n, (_, reply) in enumerate(CHARGING) if reply])
def test_whatever_reply_of_a_set_up_is_missing_the_failure_is_raised_and_safe_is_reached(
    position: int,
) -> None:
    question, _ = CHARGING[position]
    driver, link = driver_over(
        *IDENTIFY,
        *CHARGING[:position],
        (question, None),
        *STOPPING,
        (b"*LANG?\n", b"SCPI\n"),
        *OFF,
        NO_ERROR,
    )
    with pytest.raises(RigError):
        driver.apply(CHARGE, LIMITS)
    driver.make_safe()
    link.assert_used_up()
