"""The NGM202 driver against transcripts; what it shares with the NGU401 is tested there.

Sources above the exchanges: NGL200/NGM200 user manual 1178.8736.02 (M), the maker's examples (R).
"""

from __future__ import annotations

import math

import pytest

from drivers.potentiostats.rohde_schwarz_ngm202 import RohdeSchwarzNgm202
from rig.core.errors import (
    InstrumentError,
    OutOfRange,
    Refused,
    UnconfirmedSafeState,
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

IDENTIFY: Exchange = (b"*IDN?\n", b"Rohde&Schwarz,NGM202,3638.4472k03/112233,03.068\n")
NO_ERROR: Exchange = (b":SYST:ERR?\n", b'0,"No error"\n')
DONE: Exchange = (b"*OPC?\n", b"1\n")
ON: Exchange = (b"OUTP:GEN?\n", b"1\n")
OFF: Exchange = (b"OUTP:GEN?\n", b"0\n")
# RsNgx 3.1, output.get_select: "queries the output state of selected channel", 0 or 1
SELECTED: Exchange = (b"OUTP:SEL?\n", b"1\n")
# R: the channel first of every block
SELECT: Exchange = (b"INST:NSEL 1\n", None)


def sent(*commands: bytes) -> list[Exchange]:
    return [(command + b"\n", None) for command in commands]


# R: the channel's own switch and the master switch
CUT: list[Exchange] = [SELECT, *sent(b"OUTP:SEL 0", b"OUTP:GEN 0"), OFF, NO_ERROR]
CHARGING: list[Exchange] = [
    SELECT,
    *sent(b"*CLS", b"OUTP:SEL 0", b"OUTP:GEN 0"),
    OFF,
    *sent(b"*RST"),
    DONE,
    SELECT,
    (b"SOUR:VOLT:PROT:TRIP?\n", b"0\n"),
    *sent(
        # M: a source that never sinks
        b"OUTP:MODE SOUR",
        b"SOUR:VOLT:SENS EXT",
        b"SENS:CURR:RANG:AUTO 1",
        b"SENS:VOLT:RANG:AUTO 1",
        b"SOUR:VOLT:PROT:LEV 4.7",
        b"SOUR:VOLT:PROT:STAT 1",
        b"FUSE 0",
        b"SOUR:VOLT 4.2",
        b"SOUR:CURR 0.5",
    ),
    NO_ERROR,
    (b"SOUR:VOLT?\n", b"4.2000\n"),
    (b"SOUR:CURR?\n", b"0.5000\n"),
    *sent(b"OUTP:SEL 1", b"OUTP:GEN 1"),
    DONE,
    SELECTED,
    ON,
]


def driver_over(*exchanges: Exchange) -> tuple[RohdeSchwarzNgm202, TranscriptLink]:
    link = TranscriptLink(exchanges, name="inst0")
    return RohdeSchwarzNgm202(link, "supply-1"), link


def applied(
    setup: list[Exchange], setpoint: Setpoint, *then: Exchange
) -> tuple[RohdeSchwarzNgm202, TranscriptLink]:
    driver, link = driver_over(IDENTIFY, *setup, *then)
    driver.apply(setpoint, LIMITS)
    return driver, link


def test_the_constructor_is_silent() -> None:
    _, link = driver_over()
    link.assert_used_up()


def test_it_identifies_itself() -> None:
    driver, link = driver_over(IDENTIFY)
    expected = Identity("Rohde & Schwarz", "NGM202", "3638.4472k03/112233", "03.068")
    assert driver.identify() == expected
    link.assert_used_up()


def test_a_four_quadrant_unit_is_the_wrong_instrument() -> None:
    driver, _ = driver_over((b"*IDN?\n", b"Rohde&Schwarz,NGU401,3639.3763k04/101267,03.068\n"))
    with pytest.raises(WrongInstrument, match="NGM202"):
        driver.identify()


@pytest.mark.parametrize("setpoint", [CHARGE, ConstantVoltage(4.2, current_limit_ampere=0.5)])
def test_charge_and_hold_source_from_output_1_and_never_sink(setpoint: Setpoint) -> None:
    _, link = applied(CHARGING, setpoint)
    link.assert_used_up()


def test_an_output_that_is_not_selected_is_a_refusal_though_the_master_switch_is_on() -> None:
    driver, link = driver_over(IDENTIFY, *CHARGING[:-2], (b"OUTP:SEL?\n", b"0\n"), NO_ERROR)
    with pytest.raises(Refused, match="sent 'OUTP:SEL 1', output is still off: no error reported"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_nothing_is_reset_while_the_output_is_still_on() -> None:
    driver, link = driver_over(IDENTIFY, *CHARGING[:4], ON)
    with pytest.raises(Refused, match=r"'OUTP:GEN\?' says 1"):
        driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_a_new_level_leaves_the_output_on() -> None:
    driver, link = applied(
        CHARGING,
        CHARGE,
        SELECT,
        (b"STAT:QUES:INST:ISUM1:COND?\n", b"2\n"),
        ON,
        *sent(b"SOUR:CURR 0.2", b"SOUR:VOLT 4.1"),
        NO_ERROR,
        (b"SOUR:VOLT?\n", b"4.1000\n"),
        (b"SOUR:CURR?\n", b"0.2000\n"),
    )
    driver.apply(ConstantCurrent(0.2, voltage_limit_volt=4.1), LIMITS)
    link.assert_used_up()


@pytest.mark.parametrize(
    ("setpoint", "part_of_message"),
    [
        (ConstantCurrent(-0.5, 3.0), "how this model limits a discharge is not known"),
        (ConstantCurrent(0.5, 4.7), "voltage 4.7 V is outside 2.5 to 4.6 V"),
        (ConstantCurrent(0.7, 4.2), "current 0.7 A"),
        (ConstantVoltage(4.0, math.nan), "current nan A"),
    ],
)
def test_what_it_cannot_hold_is_refused_before_a_byte_is_sent(
    setpoint: Setpoint, part_of_message: str
) -> None:
    driver, link = driver_over()
    with pytest.raises(OutOfRange, match=part_of_message):
        driver.apply(setpoint, LIMITS)
    link.assert_used_up()


# M: bit 0 current held, bit 1 voltage held, bit 9 overvoltage protection
@pytest.mark.parametrize(
    ("current", "status", "output", "expected"),
    [
        (b"0.5", b"1", ON, CellReading(3.7, 0.5, Regulation.CURRENT)),
        (b"0.2", b"2", ON, CellReading(3.7, 0.2, Regulation.VOLTAGE, Flag.VOLTAGE_HELD)),
        # What is measured with the output off is not known: no voltage of the cell.
        (b"0.0", b"512", OFF, CellReading(math.nan, math.nan, Regulation.STOPPED, Flag.COMPLIANCE)),
        # The master switch may stay on through a trip.
        (b"0.0", b"512", ON, CellReading(math.nan, math.nan, Regulation.STOPPED, Flag.COMPLIANCE)),
    ],
)
def test_a_reading_asks_voltage_and_current_one_after_the_other(
    current: bytes, status: bytes, output: Exchange, expected: CellReading
) -> None:
    driver, link = applied(
        CHARGING,
        CHARGE,
        SELECT,
        (b"MEAS:VOLT?\n", b"3.7\n"),
        (b"MEAS:CURR?\n", current + b"\n"),
        (b"STAT:QUES:INST:ISUM1:COND?\n", status + b"\n"),
        output,
    )
    assert driver.measure() == expected
    link.assert_used_up()


def test_a_rest_is_the_output_off_and_has_no_voltage() -> None:
    driver, link = applied(CUT, OpenCircuit(), SELECT, OFF)
    reading = driver.measure()
    assert math.isnan(reading.voltage_volt)
    assert (reading.current_ampere, reading.regulation, reading.flags) == (0.0, Regulation.OPEN, 0)
    link.assert_used_up()


def test_an_output_that_somebody_switches_on_at_rest_is_an_error() -> None:
    driver, link = applied(CUT, OpenCircuit(), SELECT, ON)
    with pytest.raises(InstrumentError, match="somebody switched it on"):
        driver.measure()
    link.assert_used_up()


def test_a_rest_that_is_not_confirmed_is_the_loudest_error() -> None:
    driver, link = driver_over(IDENTIFY, *CUT[:3], ON)
    with pytest.raises(UnconfirmedSafeState):
        driver.apply(OpenCircuit(), LIMITS)
    with pytest.raises(InstrumentError, match="no set point"):
        driver.measure()
    link.assert_used_up()


def test_a_charge_after_a_rest_is_set_up_from_the_beginning() -> None:
    driver, link = applied(CUT, OpenCircuit(), *CHARGING)
    driver.apply(CHARGE, LIMITS)
    link.assert_used_up()


def test_the_safe_state_is_confirmed_and_may_be_asked_for_twice() -> None:
    driver, link = driver_over(*CUT, *CUT)
    driver.make_safe()
    driver.make_safe()
    with pytest.raises(InstrumentError, match="no set point"):
        driver.measure()
    link.assert_used_up()
