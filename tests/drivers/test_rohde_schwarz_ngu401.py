"""The NGU401 driver against transcripts: exact bytes both ways.

Sources above the exchanges: NGU user manual 1179.2531.02 and the maker's RsNgx package (M), the
maker's examples (R), open code run on a real NGU401 (N).
"""

from __future__ import annotations

import math

import pytest

from drivers.potentiostats.rohde_schwarz_ngu401 import RohdeSchwarzNgu401
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
DISCHARGE = ConstantCurrent(-0.5, voltage_limit_volt=3.0)

IDENTIFY: list[Exchange] = [
    (b"*IDN?\n", b"Rohde&Schwarz,NGU401,3639.3763k04/101267,03.068\n"),
]
NO_ERROR: Exchange = (b":SYST:ERR?\n", b'0,"No error"\n')
DONE: Exchange = (b"*OPC?\n", b"1\n")
READ = b"READ?\n"
STATUS = b"STAT:QUES:INST:ISUM1:COND?\n"
ON: Exchange = (b"OUTP?\n", b"1\n")
OFF: Exchange = (b"OUTP?\n", b"0\n")
# IEEE 488.2: two queries of one message, answered in one line
IN_STEP: Exchange = (b"*OPC?;*OPC?\n", b"1;1\n")


def sent(*commands: bytes) -> list[Exchange]:
    return [(command + b"\n", None) for command in commands]


def set_up(priority: bytes, protection: bytes) -> list[Exchange]:
    """The beginning of every set-up, as in the maker's charge, the output off before the reset."""
    return [
        *sent(b"*CLS", b"OUTP 0"),
        OFF,
        *sent(b"*RST"),
        DONE,
        # M: a trip outlives the output
        (b"SOUR:VOLT:PROT:TRIP?\n", b"0\n"),
        *sent(
            b"SOUR:PRI " + priority,
            b"SOUR:VOLT:SENS EXT",
            b"SENS:CURR:RANG:AUTO 1",
            b"SENS:VOLT:RANG:AUTO 1",
            b"SENS:NPLC 1",
            b"SOUR:VOLT:PROT:LEV " + protection,
            b"SOUR:VOLT:PROT:STAT 1",
            b"FUSE 0",
        ),
    ]


def levels(*commands_and_answers: tuple[bytes, bytes]) -> list[Exchange]:
    """Levels that are sent, then found in force."""
    return [
        *sent(*(command for command, _ in commands_and_answers)),
        NO_ERROR,
        *(
            (command.split()[0] + b"?\n", answer + b"\n")
            for command, answer in commands_and_answers
        ),
    ]


SWITCH_ON: list[Exchange] = [*sent(b"OUTP 1"), DONE, ON]
# M, N: voltage priority, one current limit for each direction
CHARGING: list[Exchange] = [
    *set_up(b"VOLT", b"4.7"),
    *levels(
        (b"SOUR:VOLT 4.2", b"4.2"), (b"SOUR:CURR 0.5", b"0.5"), (b"SOUR:CURR:NEG -0.001", b"-0.001")
    ),
    *SWITCH_ON,
]
# M: current priority with voltage limits well away from the cell
RESTING: list[Exchange] = [
    *set_up(b"CURR", b"10.1"),
    *levels(
        (b"SOUR:CURR 0", b"0.000000"), (b"SOUR:VOLT 10", b"10.0"), (b"SOUR:VOLT:NEG -10", b"-10.0")
    ),
    *SWITCH_ON,
]
SAFE: list[Exchange] = [*sent(b"OUTP 0"), OFF, NO_ERROR]


def driver_over(*exchanges: Exchange) -> tuple[RohdeSchwarzNgu401, TranscriptLink]:
    link = TranscriptLink(exchanges, name="hislip0")
    return RohdeSchwarzNgu401(link, "smu-2"), link


def applied(
    setup: list[Exchange], setpoint: Setpoint, *then: Exchange
) -> tuple[RohdeSchwarzNgu401, TranscriptLink]:
    driver, link = driver_over(*IDENTIFY, *setup, *then)
    driver.apply(setpoint, LIMITS)
    return driver, link


def reading(values: bytes, status: bytes, output: Exchange = ON) -> list[Exchange]:
    return [(READ, values + b"\n"), (STATUS, status + b"\n"), output]


# --- identify ------------------------------------------------------------------------------------


def test_the_constructor_is_silent() -> None:
    _, link = driver_over()
    link.assert_used_up()


def test_it_identifies_itself() -> None:
    driver, link = driver_over(*IDENTIFY)
    expected = Identity("Rohde & Schwarz", "NGU401", "3639.3763k04/101267", "03.068")
    assert driver.identify() == expected
    link.assert_used_up()


@pytest.mark.parametrize(
    "answer",
    [
        b"Rohde&Schwarz,NGU201,3639.3763k02/100001,03.068\n",
        b"Rohde&Schwarz,NGM202,3638.4472k03/100000,03.068\n",
        b"KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.7.12b\n",
        b"Rohde&Schwarz,NGU401\n",
        b"\n",
    ],
)
def test_anything_else_is_the_wrong_instrument(answer: bytes) -> None:
    driver, _ = driver_over((b"*IDN?\n", answer))
    with pytest.raises(WrongInstrument, match="smu-2"):
        driver.identify()


# --- apply ---------------------------------------------------------------------------------------


def test_a_charge_ends_at_its_voltage_and_blocks_the_other_direction() -> None:
    _, link = applied(CHARGING, CHARGE)
    link.assert_used_up()


def test_a_discharge_is_the_mirror_image() -> None:
    setup = [
        *set_up(b"VOLT", b"4.7"),
        *levels(
            (b"SOUR:VOLT 3", b"3.0"), (b"SOUR:CURR 0.001", b"0.001"), (b"SOUR:CURR:NEG -0.5", b"-0.5")
        ),
        *SWITCH_ON,
    ]  # fmt: skip
    _, link = applied(setup, DISCHARGE)
    link.assert_used_up()


def test_a_hold_allows_its_current_both_ways() -> None:
    setup = [
        *set_up(b"VOLT", b"4.7"),
        *levels(
            (b"SOUR:VOLT 4.2", b"4.2"), (b"SOUR:CURR 0.5", b"0.5"), (b"SOUR:CURR:NEG -0.5", b"-0.5")
        ),
        *SWITCH_ON,
    ]  # fmt: skip
    _, link = applied(setup, ConstantVoltage(4.2, current_limit_ampere=0.5))
    link.assert_used_up()


def test_a_rest_sources_no_current_with_voltage_limits_far_from_the_cell() -> None:
    _, link = applied(RESTING, OpenCircuit())
    link.assert_used_up()


def test_a_symmetric_cell_is_driven_to_negative_voltages_and_never_above_its_own_current() -> None:
    driver, link = driver_over(
        *IDENTIFY,
        *set_up(b"VOLT", b"1.1"),
        *levels(
            (b"SOUR:VOLT -0.25", b"-0.25"),
            (b"SOUR:CURR 5e-05", b"0.00005"),
            (b"SOUR:CURR:NEG -5e-05", b"-0.00005"),
        ),
        *SWITCH_ON,
    )
    driver.apply(ConstantCurrent(-5e-5, voltage_limit_volt=-0.25), Limits(-1.0, 1.0, 0.01))
    link.assert_used_up()


# Limits that shrink, the level, limits that grow: the output stays on.
TO_DISCHARGE_AT_LESS: list[Exchange] = [
    (STATUS, b"1\n"),
    ON,
    *sent(b"SOUR:CURR 0.001", b"SOUR:VOLT 3", b"SOUR:CURR:NEG -0.2"),
    NO_ERROR,
    (b"SOUR:VOLT?\n", b"3.0\n"),
    (b"SOUR:CURR?\n", b"0.001\n"),
    (b"SOUR:CURR:NEG?\n", b"-0.2\n"),
]


def test_a_new_level_leaves_the_output_on_and_never_passes_the_smaller_limit() -> None:
    driver, link = applied(CHARGING, CHARGE, *TO_DISCHARGE_AT_LESS)
    driver.apply(ConstantCurrent(-0.2, voltage_limit_volt=3.0), LIMITS)
    link.assert_used_up()


def test_another_priority_is_set_up_with_the_output_off() -> None:
    driver, link = applied(CHARGING, CHARGE, *RESTING, *CHARGING)
    driver.apply(OpenCircuit(), LIMITS)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_an_output_that_went_off_by_itself_is_set_up_again_with_its_trip_cleared() -> None:
    tripped: list[Exchange] = [
        (b"SOUR:VOLT:PROT:TRIP?\n", b"1\n"),
        *sent(b"SOUR:VOLT:PROT:CLE"),
    ]
    again = [*CHARGING[:5], *tripped, *CHARGING[6:]]
    driver, link = applied(CHARGING, CHARGE, (STATUS, b"512\n"), OFF, *again)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("setpoint", "limits", "part_of_message"),
    [
        (ConstantCurrent(0.5, 4.7), LIMITS, "voltage 4.7 V is outside 2.5 to 4.6 V"),
        (ConstantCurrent(-0.5, 2.4), LIMITS, "voltage 2.4 V is outside 2.5 to 4.6 V"),
        (ConstantCurrent(-0.7, 3.0), LIMITS, "current 0.7 A"),
        (ConstantCurrent(0.0, 4.2), LIMITS, "current 0 A"),
        (ConstantCurrent(5e-7, 4.2), LIMITS, "current 5e-07 A is not at least 1e-06 A"),
        (ConstantCurrent(math.nan, 4.2), LIMITS, "current nan A"),
        (ConstantVoltage(math.nan, 0.1), LIMITS, "voltage nan V"),
        (ConstantVoltage(4.0, -0.1), LIMITS, "a current limit is a magnitude"),
        (ConstantVoltage(4.0, math.inf), LIMITS, "current inf A"),
        (ConstantCurrent(4.0, 4.2), Limits(0.0, 5.0, 10.0), "current 4 A .* up to 3 A"),
        (ConstantVoltage(21.0, 0.1), Limits(0.0, 60.0, 1.0), "voltage 21 V is outside 0 to 20 V"),
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


def _charging_until(query: bytes, *instead: Exchange) -> list[Exchange]:
    """CHARGING as far as ``query``, and then something else."""
    position = [out for out, _ in CHARGING].index(query)
    return [*CHARGING[:position], *instead]


def test_an_error_after_the_set_up_is_a_refusal_and_the_output_stays_off() -> None:
    entry: Exchange = (b":SYST:ERR?\n", b'-222,"Data out of range"\n')
    driver, link = driver_over(*IDENTIFY, *_charging_until(b":SYST:ERR?\n", entry, NO_ERROR))
    with pytest.raises(Refused, match="safety limits set at the instrument"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("query", "answer", "part_of_message"),
    [
        (b"SOUR:VOLT?\n", b"0.0", r"'SOUR:VOLT 4\.2', reads back 0"),
        (b"SOUR:CURR:NEG?\n", b"0.001", r"'SOUR:CURR:NEG -0\.001', reads back 0\.001"),
    ],
)
def test_a_level_that_was_quietly_kept_is_a_refusal(
    query: bytes, answer: bytes, part_of_message: str
) -> None:
    setup = _charging_until(query, (query, answer + b"\n"))
    driver, link = driver_over(*IDENTIFY, *setup)
    with pytest.raises(Refused, match=part_of_message):
        driver.apply(CHARGE, LIMITS)
    with pytest.raises(InstrumentError, match="no set point"):
        driver.measure()
    link.assert_used_up()


def test_an_output_that_does_not_switch_on_is_a_refusal() -> None:
    setup = _charging_until(b"OUTP 1\n", *sent(b"OUTP 1"), DONE, OFF, NO_ERROR)
    driver, link = driver_over(*IDENTIFY, *setup)
    with pytest.raises(Refused, match="output is still off: no error reported"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


# --- measure -------------------------------------------------------------------------------------

HELD = int(Flag.VOLTAGE_HELD)
# What is measured with the output off is not known: it is no voltage of the cell.
STOPPED = CellReading(math.nan, math.nan, Regulation.STOPPED)


# M: bit 0 current held, 1 voltage held, 4 overtemperature, 9 overvoltage protection, 10 fuse
@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        (reading(b"3.651234,0.500012", b"1"), CellReading(3.651234, 0.500012, Regulation.CURRENT)),
        (
            reading(b"4.199990,0.210334", b"2"),
            CellReading(4.19999, 0.210334, Regulation.VOLTAGE, HELD),
        ),
        # Which bit stands at the negative limit is not known: a held current is what is left.
        (reading(b"3.2,-0.5", b"4"), CellReading(3.2, -0.5, Regulation.CURRENT)),
        (reading(b"3.2,-0.5", b"0"), CellReading(3.2, -0.5, Regulation.CURRENT)),
        (reading(b"3.2,0.5", b"17"), CellReading(3.2, 0.5, Regulation.CURRENT, Flag.OVERTEMPERATURE)),
        (reading(b"4.7,0.0", b"512", OFF), STOPPED._replace(flags=Flag.COMPLIANCE)),
        (reading(b"3.7,0.0", b"1024", OFF), STOPPED._replace(flags=Flag.COMPLIANCE)),
        (reading(b"3.7,0.0", b"0", OFF), STOPPED),
    ],
)  # fmt: skip
def test_a_reading_in_voltage_priority(exchanges: list[Exchange], expected: CellReading) -> None:
    driver, link = applied(CHARGING, CHARGE, *exchanges)
    assert driver.measure() == expected
    link.assert_used_up()


@pytest.mark.parametrize(
    ("status", "regulation", "flags"),
    [
        (b"1", Regulation.OPEN, 0),
        (b"0", Regulation.OPEN, 0),
        # An empty holder: the clamp is shown, not hidden.
        (b"2", Regulation.VOLTAGE, HELD | Flag.COMPLIANCE),
    ],
)
def test_a_reading_at_rest(status: bytes, regulation: Regulation, flags: int) -> None:
    driver, link = applied(RESTING, OpenCircuit(), *reading(b"3.985012,0.000000", status))
    assert driver.measure() == CellReading(3.985012, 0.0, regulation, flags)
    link.assert_used_up()


@pytest.mark.parametrize("overflow", [b"9.9E+37", b"-9.900000E+37", b"9.91E+37"])
def test_an_overload_is_flagged_and_never_a_number(overflow: bytes) -> None:
    driver, link = applied(CHARGING, CHARGE, *reading(b"3.7," + overflow, b"1"))
    measured = driver.measure()
    assert measured.voltage_volt == 3.7
    assert math.isnan(measured.current_ampere)
    assert measured.flags & Flag.OVERLOAD
    link.assert_used_up()


@pytest.mark.parametrize("reply", [b"", b"3.7", b"3.7,0.5,1", b"3.7;0.5", b"\xb53.7,0.5"])
def test_a_garbled_reading_is_refused_with_its_bytes(reply: bytes) -> None:
    driver, _ = applied(CHARGING, CHARGE, (READ, reply + b"\n"))
    with pytest.raises(UnreadableReply, match="smu-2"):
        driver.measure()


@pytest.mark.parametrize("status", [b"1.5", b"-1", b"CC"])
def test_a_garbled_status_is_refused(status: bytes) -> None:
    driver, _ = applied(CHARGING, CHARGE, (READ, b"3.7,0.5\n"), (STATUS, status + b"\n"))
    with pytest.raises(UnreadableReply, match="COND"):
        driver.measure()


def test_the_reading_after_a_late_one_is_its_own() -> None:
    driver, link = applied(
        CHARGING,
        CHARGE,
        (READ, b"3.65"),
        (None, None),
        (b"*OPC?;*OPC?\n", b"1234,0.500012\n1;1\n"),
        *reading(b"3.7,0.5", b"1"),
    )
    with pytest.raises(LinkTimeout):
        driver.measure()
    assert driver.measure().voltage_volt == 3.7
    link.assert_used_up()


def test_before_a_set_point_and_after_make_safe_nothing_is_measured() -> None:
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


@pytest.mark.parametrize("answer", [b"garbage\n", b"3.65,0.5\n", b"\xff\xfe\n", None])
def test_leftovers_of_a_broken_exchange_do_not_spoil_the_safe_state(answer: bytes | None) -> None:
    driver, link = driver_over(
        *sent(b"OUTP 0"), (b"OUTP?\n", answer), *sent(b"OUTP 0"), IN_STEP, OFF, NO_ERROR
    )
    driver.make_safe()
    link.assert_used_up()


@pytest.mark.parametrize(
    "exchanges",
    [
        [ON],
        [(b"OUTP?\n", None), *sent(b"OUTP 0"), (IN_STEP[0], None)],
        [(b"OUTP?\n", b"x\n"), *sent(b"OUTP 0"), (IN_STEP[0], b"1\n" * 10)],
        [(b"OUTP?\n", b"x\n"), *sent(b"OUTP 0"), IN_STEP, (b"OUTP?\n", b"2\n")],
        [OFF, (b":SYST:ERR?\n", None)],
    ],
    ids=["still on", "silent", "never in step", "garbage twice", "silent afterwards"],
)
def test_a_safe_state_that_is_not_confirmed_is_the_loudest_error(exchanges: list[Exchange]) -> None:
    driver, link = driver_over(*sent(b"OUTP 0"), *exchanges)
    with pytest.raises(UnconfirmedSafeState, match="not confirmed off") as caught:
        driver.make_safe()
    assert "disconnect the cell" in caught.value.remedy
    link.assert_used_up()


@pytest.mark.parametrize("position", [n for n, (_, reply) in enumerate(CHARGING) if reply])
def test_whatever_reply_of_a_set_up_is_missing_the_failure_is_raised_and_safe_is_reached(
    position: int,
) -> None:
    broken: list[Exchange] = [*CHARGING[:position], (CHARGING[position][0], None)]
    driver, link = driver_over(*IDENTIFY, *broken, *sent(b"OUTP 0"), IN_STEP, OFF, NO_ERROR)
    with pytest.raises(RigError):
        driver.apply(CHARGE, LIMITS)
    driver.make_safe()
    link.assert_used_up()
